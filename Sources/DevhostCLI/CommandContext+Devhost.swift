import DevhostCommandLine
import DevhostCore

/// How commands get their devhost. A struct, because Swift 6.3.1 with -O passes a bare function as a task's value wrongly.
struct DevhostMaker: Sendable {
    let make: @Sendable (Configuration, Caller) -> Devhost
}

extension CommandContext {
    /// Makes the devhost of the commands; a test puts one in its place.
    @TaskLocal static var maker = DevhostMaker { Devhost(configuration: $0, caller: $1) }

    /// The devhost of the configuration file, on behalf of the caller. Nothing is connected yet.
    /// - Throws: `invalidConfiguration`; `notFound` for a file of `--config`.
    /// - Parameter change: What the command line says otherwise than the file.
    func devhost(_ change: (inout Configuration) -> Void = { _ in }) throws -> Devhost {
        let path = arguments.text(FCDevhost.config) ?? Layout.configurationFile
        var configuration = try Configuration.load(path)
        change(&configuration)
        return Self.maker.make(configuration, caller)
    }
}
