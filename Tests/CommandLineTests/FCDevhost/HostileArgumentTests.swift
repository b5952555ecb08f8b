import DevhostCommandLine
import DevhostCore
import Testing

@testable import DevhostCLI

@Suite("Hostile values on the command line of fc-devhost")
struct HostileArgumentTests {
    /// Parses a command line and makes its command, as the program does before anything is touched.
    private func make(_ words: [String]) throws {
        guard case .run(let type, let arguments) = try FCDevhost.program.parse(words) else {
            Issue.record("\(words) asks for no command")
            return
        }
        _ = try type.init(arguments)
    }

    private func expectRefusal(_ words: [String], naming option: String? = nil) {
        let error = #expect(throws: DevhostError.self, "\(words)") { try make(words) }
        #expect(error?.code == .invalidArgument, "\(words)")
        let text = error?.description ?? ""
        if let option { #expect(text.hasPrefix(option + ": "), "\(text)") }
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }, "\(text)")
        #expect(error?.nextStep != nil, "\(text)")
    }

    static let commandsWithNames = FCDevhost.program.usages.filter { usage in
        usage.operands.contains { $0.completion == .vmName }
    }.flatMap(\.names)

    @Test("every command refuses a name that is none", arguments: commandsWithNames)
    func names(command: String) {
        for name in HostileValues.names {
            expectRefusal([command, "--", name])
            expectRefusal([command, "--", "fine", name].filter { _ in takesSeveral(command) } + single(command, name))
        }
    }

    private func takesSeveral(_ command: String) -> Bool {
        FCDevhost.program.command(named: command)?.usage.operands.last?.isRepeatable == true
    }

    private func single(_ command: String, _ name: String) -> [String] {
        takesSeveral(command) ? [] : [command, "--", name]
    }

    @Test("commands with names are all that the contract knows")
    func commands() {
        for name in [
            "ensure", "destroy", "rm", "show", "start", "shutdown", "stop", "restart", "login", "ssh", "logs", "wait",
            "rebuild", "snapshot", "snapshots", "clone",
        ] {
            #expect(Self.commandsWithNames.contains(name))
        }
    }

    @Test("names of clones", arguments: HostileValues.names)
    func clones(value: String) { expectRefusal(["clone", "demo", "--", value]) }

    @Test("labels of snapshots", arguments: HostileValues.names.filter { $0 != "12345" })
    func labels(value: String) {
        if !value.isEmpty { expectRefusal(["snapshot", "demo", "--", value]) }
        for command in [["restore"], ["snapshot", "rm"]] {
            expectRefusal(command + ["--", "demo@\(value)"])
            expectRefusal(command + ["--", "\(value)@before"])
            expectRefusal(command + ["--", value])
            expectRefusal(command + ["--", "demo@before@\(value)"])
        }
    }

    @Test("sizes", arguments: ["--memory", "--disk-size"])
    func sizes(option: String) {
        for value in HostileValues.sizes {
            expectRefusal(["ensure", option, value, "demo"], naming: option)
            expectRefusal(["ensure", "\(option)=\(value)", "demo"], naming: option)
        }
    }

    @Test("numbers of CPUs")
    func cpus() {
        for value in HostileValues.cpus { expectRefusal(["ensure", "--cpu", value, "demo"], naming: "--cpu") }
    }

    @Test("aliases", arguments: HostileValues.names.filter { !["", "12345", "a b", " a"].contains($0) })
    func aliases(value: String) {
        expectRefusal(["ensure", "--aliases", value, "demo"], naming: "--aliases")
        expectRefusal(["ensure", "--aliases", "'fine \(value)'", "demo"], naming: "--aliases")
    }

    @Test("URLs", arguments: HostileValues.urls)
    func urls(value: String) {
        expectRefusal(["ensure", "--image-url", value, "demo"], naming: "--image-url")
        expectRefusal(
            ["ensure", "--image-url", "file:///a", "--channel-url", value, "demo"], naming: "--channel-url")
    }

    @Test(
        "releases",
        arguments: HostileValues.urls + [
            "fcrs://", "fcrs:///x", "fcrs://../x", "fcrs://a/../b", "fcrs://a/b/c", "fcrs://a b",
        ])
    func releases(value: String) {
        expectRefusal(["ensure", "--release", value, "demo"], naming: "--release")
    }

    @Test("evaluations", arguments: ["", "0", "-1", "1.5", "nan", "1/../2", "99999999999999999999", "٣", "1\n"])
    func evaluations(value: String) {
        expectRefusal(["ensure", "--hydra-eval", value, "demo"], naming: "--hydra-eval")
    }

    @Test("locations", arguments: HostileValues.locations)
    func locations(value: String) {
        expectRefusal(["ensure", "--location", value, "demo"], naming: "--location")
    }

    @Test("keys", arguments: HostileValues.keys)
    func keys(value: String) {
        expectRefusal(["ensure", "--authorized-key", value, "demo"], naming: "--authorized-key")
    }

    @Test("limits of time", arguments: ["", "0", "-1", "nan", "1d", "99999999999h", "1.5m"])
    func limits(value: String) {
        for command in ["ensure", "shutdown", "wait", "rebuild"] {
            expectRefusal([command, "--timeout", value, "demo"], naming: "--timeout")
        }
    }

    @Test("numbers of lines", arguments: ["", "-1", "1.5", "nan", "99999999999999999999"])
    func lines(value: String) { expectRefusal(["logs", "--lines", value, "demo"], naming: "--lines") }

    /// Every option with a value, of every command of the table.
    static let options = FCDevhost.program.usages.flatMap { usage in
        usage.options.filter { $0.valueName != nil }.map { [usage.name, "--\($0.long)"] }
    }

    @Test("every option takes or refuses every number, and goes on", arguments: options)
    func numbers(command: [String]) throws {
        let words = command[0].split(separator: " ").map(String.init)
        let usage = try #require(FCDevhost.program.usages.first { $0.name == command[0] })
        let candidates = ["demo", "demo@before", "fcrs://dev/", "0123456789abcdef", "dev"]
        // Operands that the command takes, or the option is never looked at.
        var operands: [String] = []
        for _ in usage.operands {
            operands.append(candidates.first { (try? make(words + ["--"] + operands + [$0])) != nil } ?? "demo")
        }
        for value in HostileValues.numbers {
            do {
                try make(words + ["\(command[1])=\(value)", "--"] + operands)
            } catch let error as DevhostError {
                #expect(error.code == .invalidArgument, "\(command) \(value): \(error)")
            }
        }
    }

    @Test("evaluations that no record could hold", arguments: ["9223372036854775808", "18446744073709551615"])
    func largeEvaluations(value: String) {
        expectRefusal(["ensure", "--hydra-eval", value, "demo"], naming: "--hydra-eval")
    }

    @Test("more keys and aliases than a record holds")
    func longLists() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= " + String(repeating: "c", count: 16000)
        let keys = (0..<80).flatMap { ["--authorized-key", "\(key)\($0)"] }
        expectRefusal(["ensure"] + keys + ["demo"])
        expectRefusal(["clone"] + keys + ["demo", "copy"])
        let aliases = (0..<1001).map { "a\($0)" }.joined(separator: " ")
        expectRefusal(["ensure", "--aliases", aliases, "demo"], naming: "--aliases")
    }

    @Test("no name can be taken for an option")
    func dashes() {
        for command in Self.commandsWithNames { expectRefusal([command, "-x"]) }
        expectRefusal(["ensure", "--oops", "demo"])
    }
}
