import DevhostBase
import FoundationEssentials

/// This program.
enum Executable {
    /// Its absolute path: verbs start it again, from whatever folder the script is in.
    static var path: String {
        #if os(Linux)
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
                return target
            }
        #endif
        let called = CommandLine.arguments[0]
        if called.hasPrefix("/") { return called }
        if called.contains("/") { return "\(FileManager.default.currentDirectoryPath)/\(called)" }
        return (try? ProgramFinder.find(called, environment: ProcessInfo.processInfo.environment)) ?? called
    }

    /// A path that stays right when the working directory changes.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    /// A folder's path that stays right when the working directory changes, without a slash or a dot at its end.
    static func absoluteFolder(_ path: String) -> String {
        let parts = absolute(path).split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }
}
