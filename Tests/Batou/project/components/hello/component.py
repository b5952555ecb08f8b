from batou.component import Component
from batou.lib.file import File


class Hello(Component):
    greeting = "nothing"

    def configure(self):
        self += File("greeting", content="{{component.parent.greeting}} from {{host.name}}\n", is_template=True)
