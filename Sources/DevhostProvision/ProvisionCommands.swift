import DevhostBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The commands of devhost-provision.
enum ProvisionCommands {
    /// The status that a shell gives to what ^C ended.
    private static let interrupted: Int32 = 130

    static func run(_ arguments: [String]) async -> Int32 {
        let rest = Array(arguments.dropFirst())
        do {
            switch arguments.first {
            case "run": return try await RunCommand.run(rest)
            case "check": return try await CheckCommand.run(rest)
            default:
                throw DevhostError(
                    .invalidArgument, "\((arguments.first ?? "").quoted) is no command",
                    next: "the commands are up, run, check, sync and urls")
            }
        } catch is CancellationError {
            say("interrupted")
            return interrupted
        } catch let error as DevhostError {
            say(error.description)
            return error.code == .invalidArgument ? 2 : 1
        } catch {
            say("\(error)")
            return 1
        }
    }

    private static func say(_ text: String) {
        let bytes = Array("devhost-provision: \(text)\n".utf8)
        _ = write(2, bytes, bytes.count)
    }
}
