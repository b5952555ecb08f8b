import DevhostBase
import DevhostCommandLine

/// A program with every form of option and operand.
enum SampleProgram {
    static let place = Option.value("place", "FOLDER", completion: .folder, "Where.")

    static let program = Program(
        "sample", summary: "show what a table can hold", options: [place],
        commands: [MixCommand.self, PassCommand.self, GroupedCommand.self, FailCommand.self],
        vmNamesCommand: "printf 'one\\ntwo\\n$(boom)\\n'",
        check: { arguments, caller throws(DevhostError) in
            if caller.isElevated, arguments.text(place) != nil {
                throw DevhostError(.permissionDenied, "--place is not allowed")
            }
        })

    /// Runs a command line and keeps what it wrote.
    static func run(
        _ words: String..., caller: Caller = Caller(userID: 1000, name: "alice", isElevated: false)
    ) async -> (status: Int32, output: String, errors: String) {
        let output = MemorySink()
        let errors = MemorySink()
        let status = await program.run(words, caller: caller, output: output, errors: errors)
        return (status.number, output.text, errors.text)
    }

    /// Parses a command line that must ask for a command.
    static func parse(_ words: String...) throws -> Arguments {
        guard case .run(_, let arguments) = try program.parse(words) else {
            throw DevhostError(.failed, "this asks for no command")
        }
        return arguments
    }
}

struct MixCommand: ProgramCommand {
    static let all = Option.flag("all", short: "a", "All of it.")
    static let long = Option.flag("long", short: "l", "More of it.")
    static let size = Option.value("size", "SIZE", short: "s", "How much.")
    static let tag = Option.value(
        "tag", "WORD", completion: .choice(["red", "green"]), isRepeatable: true, "A word that says more.")
    static let must = Option.value("must", "WORD", isRequired: true, "A word that cannot be left out.")
    static let update = Option.toggle("update", "Whether it is brought up to date.")
    static let secret = Option.flag("secret", isHidden: true, "Nobody sees it.")
    static let first = Operand("FIRST", .vmName)
    static let rest = Operand("REST", .file, isOptional: true, isRepeatable: true)

    static let usage = CommandUsage(
        "mix", otherNames: ["blend"], summary: "take everything", discussion: "One paragraph.\n\nAnother.",
        options: [all, long, size, tag, must, update, secret], operands: [first, rest],
        examples: [.init("mix --must x one", "The least it takes.")])

    let size: MemorySize?

    init(_ arguments: Arguments) throws(DevhostError) {
        size = try arguments.value(Self.size, as: MemorySize.self)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        try context.output.line("mixed")
        return .success
    }
}

struct PassCommand: ProgramCommand {
    static let fast = Option.flag("fast", short: "f", "Sooner.")
    static let usage = CommandUsage(
        "pass", summary: "hand words on", options: [fast], operands: [Operand("NAME", .vmName)],
        passedThrough: "COMMAND", passesStatus: true)

    let words: [String]

    init(_ arguments: Arguments) throws(DevhostError) { words = arguments.passedThrough }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        if words.isEmpty { throw DevhostError(.notFound, "there is nothing to pass on") }
        return ExitStatus(Int32(words.count))
    }
}

struct GroupedCommand: ProgramCommand {
    static let usage = CommandUsage("group inner", summary: "belong to a group", operands: [Operand("NAME", .vmName)])

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus { .success }
}

/// Fails once for each operand that starts with a code's name.
struct FailCommand: ProgramCommand {
    static let words = Operand("CODE", isRepeatable: true)
    static let usage = CommandUsage("fail", summary: "fail in the ways that are named", operands: [words])

    let words: [String]

    init(_ arguments: Arguments) throws(DevhostError) { words = arguments.texts(Self.words) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let results = try await forEach(words, atOnce: 2) { word in
            switch word {
            case "busy": throw DevhostError(.busy, "somebody\nelse \u{1b}[31m", details: "line 1\nline \u{7}2")
            case "notFound": throw DevhostError(.notFound, "nothing there", next: "look elsewhere")
            case "gone": throw ReaderIsGone()
            default: return word
            }
        }
        try context.output.line(results.joined(separator: " "))
        return .success
    }
}
