import DevhostCommandLine
import DevhostCore

extension TemplateSource: ArgumentValue {}
extension TemplateName: ArgumentValue {}
