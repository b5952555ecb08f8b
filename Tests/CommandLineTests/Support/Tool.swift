import DevhostBase

/// A program that a test needs and that may not be here.
struct Tool {
    let name: String

    init(_ name: String) { self.name = name }

    var isInstalled: Bool { (try? Processes.find(name)) != nil }
}
