from batou.component import Component
from batou.lib.file import File


class Hello(Component):
    greeting = "nothing"

    def configure(self):
        self += File("greeting", content="{{component.greeting}} from {{host.name}}\n", is_template=True)
