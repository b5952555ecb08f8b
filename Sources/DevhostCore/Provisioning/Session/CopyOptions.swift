/// The options of COPY, as a Dockerfile has them.
struct CopyOptions: Sendable, Hashable {
    static let known = ["--chown", "--chmod"]

    /// The owner's name or number; nil where the script leaves it to the rule.
    var user: String?
    /// The group's name or number; nil for the owner's own group.
    var group: String?
    /// The mode as rsync's `--chmod` takes it.
    var mode: String?

    /// Takes the options off the front of COPY's words.
    /// - Throws: `invalidArgument` for an unknown option, or a value that is no owner and no mode.
    static func parse(_ words: inout [String]) throws(DevhostError) -> CopyOptions {
        var options = CopyOptions()
        while let word = words.first, word.hasPrefix("--") {
            words.removeFirst()
            if word == "--" { break }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1]) : ""
            switch parts[0] {
            case "--chown":
                let names = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard names.allSatisfy(isName) else {
                    throw DevhostError(
                        .invalidArgument, "\(value.quoted) is not an owner", next: "write --chown=USER or USER:GROUP")
                }
                options.user = names[0]
                if names.count == 2 { options.group = names[1] }
            case "--chmod":
                guard isMode(value) else {
                    throw DevhostError(
                        .invalidArgument, "\(value.quoted) is not a mode",
                        next: "write an octal number or letters, for instance --chmod=640 or --chmod=u=rw,go=r")
                }
                options.mode = value
            default:
                throw DevhostError(
                    .invalidArgument, "COPY has no option \(word.quoted)",
                    next: "it has --chown=USER[:GROUP] and --chmod=MODE")
            }
        }
        return options
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { Ascii.isName($0) || "-.$".utf8.contains($0) }
    }

    private static func isMode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x37).contains($0) || "ugoarwxXst+-=,DF".utf8.contains($0) }
    }
}
