import DevhostCommandLine
import DevhostCore

extension CommandContext {
    /// Makes the devhost of the commands; a test puts one in its place.
    @TaskLocal static var makeDevhost: @Sendable (Configuration, Caller) -> Devhost = {
        Devhost(configuration: $0, caller: $1)
    }

    /// The devhost of the configuration file, on behalf of the caller. Nothing is connected yet.
    /// - Throws: `invalidConfiguration`; `notFound` for a file of `--config`.
    func devhost() throws -> Devhost {
        let path = arguments.text(FCDevhost.config) ?? Layout.configurationFile
        return Self.makeDevhost(try Configuration.load(path), caller)
    }
}
