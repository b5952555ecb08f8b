/// A program to start: what stands beside this one is used by absolute path or found in the system's folders, with an
/// environment that is stated, never inherited.
package struct Command: Sendable {
    /// Where programs are looked for.
    package static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package var program: String
    package var arguments: [String]
    /// What the program finds in its environment.
    package var environment: [String: String] = ["PATH": Command.searchPath, "LC_ALL": "C.UTF-8"]
    /// What it reads from its standard input; nothing by default.
    package var input: [UInt8] = []
    /// The folder it starts in; nil for this process's.
    package var directory: String?
    /// As whom it runs; nil for this process's user.
    package var user: User?
    /// Whether it runs with the limits and the priority that the caller started this process with.
    package var hasLimitsOfCaller = false

    package init(_ program: String, _ arguments: [String] = []) {
        self.program = program
        self.arguments = arguments
    }
}

/// How a program ended.
package struct CommandResult: Sendable {
    /// The exit status, or 128 and the signal's number.
    package let status: Int32
    package let output: [UInt8]
    package let errorOutput: [UInt8]

    package var text: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}
