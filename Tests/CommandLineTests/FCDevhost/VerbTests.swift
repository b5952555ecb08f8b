import DevhostCommandLine
import DevhostCore
import Testing

@testable import DevhostCLI

@Suite("The verbs of fc-devhost on the mock driver", .serialized)
struct VerbTests {
    @Test("a VM's life", .enabled(if: Tool("qemu-img").isInstalled, "needs qemu-img"))
    func life() async throws {
        let host = try CommandHost()
        let image = try await host.image()
        let made = await host.run("ensure", "--memory", "512", "--cpu", "1", "--image-url", image, "demo")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.hasPrefix("demo is running at 10.12."))
        #expect(await host.run("list").output == "demo\n")
        #expect(await host.run("ls", "-l").output.contains("\ndemo  yes     alice"))

        let shown = await host.run("show", "demo")
        let lines = shown.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        #expect(lines.contains { $0[0] == "state" && $0[1].hasSuffix("  running") })
        #expect(lines.contains { $0[0] == "published" && $0[1].hasSuffix("  https://demo.localhost/") })
        #expect(lines.contains { $0[0] == "memory" && $0[1].hasSuffix("  512 MiB") })
        #expect(await host.run("show", "--json", "demo").output.contains(#""srv-ip" : "10.12."#))
        #expect(await host.run("wait", "demo", "demo").output == "demo answers ssh\n")

        let stopped = await host.run("stop", "demo")
        #expect(stopped.status == 0 && stopped.output == "demo is off\n", "\(stopped.errors)")
        #expect(await host.run("shutdown", "demo").output == "demo was off already\n")
        #expect(await host.run("start", "demo").output.hasPrefix("demo is running"))
        #expect(await host.run("suspend", "demo").output == "demo is suspended\n")
        #expect(await host.run("ls", "-l").output.contains("\ndemo  suspended"))
        #expect(await host.run("suspend", "demo").output == "demo did not run\n")
        #expect(await host.run("restart", "demo").output.hasPrefix("demo is running"))
        #expect(await host.run("logs", "demo").status == 0)
        #expect(await host.run("logs", "-n", "1000000000", "demo").status == 0)
        let tooMany = await host.run("logs", "-n", "9223372036854775807", "demo")
        #expect(tooMany.status == 2 && tooMany.errors.contains("is not a number of lines"))

        let gone = await host.run("rm", "demo", "nobody", "demo")
        #expect(gone.status == 0 && gone.output == "demo is destroyed\n")
        #expect(gone.errors.contains("there is no VM nobody\n"))
        #expect(await host.run("list").output == "")
    }

    @Test("templates and what starts from them", .enabled(if: Tool("qemu-img").isInstalled, "needs qemu-img"))
    func templates() async throws {
        let host = try CommandHost()
        let image = try await host.image()
        #expect(await host.run("templates", "--json").output == "[\n\n]\n")
        let made = await host.run("templates", "build", "--cpu", "1", "--memory", "512", image)
        #expect(made.status == 0 && made.output.hasSuffix(" on the disk\n"), "\(made)")
        let name = try #require(made.output.split(separator: " ").dropFirst().first.map(String.init))
        let warm = await host.run("ensure", "--memory", "512", "--cpu", "1", "--image-url", image, "warm")
        #expect(warm.output.hasSuffix(", started warm\n"), "\(warm)")
        let cold = await host.run("ensure", "--cold", "--memory", "512", "--cpu", "1", "--image-url", image, "cold")
        #expect(cold.output.hasSuffix(", booted cold\n"), "\(cold)")
        #expect(await host.run("ensure", "--json", "warm").output.contains(#""start""#) == false, "it runs")
        let listed = await host.run("templates")
        #expect(listed.output.contains(name) && listed.output.contains("  512M  "), "\(listed)")
        #expect(await host.run("templates", "rm", name, name).output == "template \(name) is removed\n")
        let none = await host.run("templates", "rm", name)
        #expect(none.status == 0 && none.errors.contains("there is no template \(name)\n"))
        for wrong in ["..", "nobody", "deadbeef"] {
            #expect(await host.run("templates", "rm", wrong).status != 0, "\(wrong)")
            #expect(await host.run("templates", "build", wrong).status != 0, "\(wrong)")
        }
    }

    @Test("signs, pins and the trash", .enabled(if: Tool("qemu-img").isInstalled, "needs qemu-img"))
    func cleanup() async throws {
        let host = try CommandHost()
        let made = await host.run("ensure", "--image-url", try await host.image(), "demo")
        #expect(made.status == 0, "\(made.errors)")
        #expect(await host.run("why", "demo").output.contains("last look    none yet\n"))
        let looked = await host.run("collect")
        #expect(looked.status == 0 && looked.errors.contains("looked at 1 VMs\n"), "\(looked.errors)")
        #expect(await host.run("ls", "-l").output.contains("  suspend 2"))
        let why = await host.run("why", "demo")
        #expect(why.output.contains("suspend if unused") && why.output.contains("last ensure "), "\(why.output)")
        #expect(await host.run("why", "--json", "demo").output.contains(#""sign" : "ensure""#))

        #expect(await host.run("pin", "--until", "2099-01-31", "demo").output == "demo is pinned until 2099-01-31\n")
        #expect(await host.run("ls", "-l").output.contains("  pinned until 2099-01-31\n"))
        #expect(await host.run("pin", "--until", "2001-01-01", "demo").status == 2)
        #expect(await host.run("pin", "--until", "soon", "demo").status == 2)
        #expect(await host.run("unpin", "demo").output == "demo is not pinned any more\n")
        #expect(await host.run("unpin", "demo").output == "demo was not pinned\n")

        let trashed = await host.run("destroy", "--trash", "demo", "nobody")
        #expect(trashed.status == 0 && trashed.output.hasPrefix("demo is in the trash for 7 days"), "\(trashed)")
        #expect(await host.run("list").output == "demo\n")
        #expect(await host.run("ls", "--trash").output.contains("\ndemo  trash   alice"))
        #expect(await host.run("why", "demo").output.contains("in the trash since"))
        for verb in ["start", "shutdown", "login", "rebuild", "ensure", "pin"] {
            let refused = await host.run(verb, "demo")
            #expect(refused.reason.contains("'fc-devhost undelete demo'"), "\(verb): \(refused.errors)")
        }
        let planned = await host.run("cleanup", "--dry-run")
        #expect(planned.status == 0 && planned.output == "", "\(planned.output)")
        #expect(await host.run("undelete", "demo").output.hasPrefix("demo is back"))
        #expect(await host.run("undelete", "demo").errors.hasSuffix("demo is not in the trash\n"))
        #expect(await host.run("ls", "--trash").output == "")
        #expect(await host.run("start", "demo").output.hasPrefix("demo is running"))
        let cleaned = await host.run("cleanup")
        #expect(cleaned.status == 0 && cleaned.errors.contains("there is no VM to clean up"), "\(cleaned)")
        #expect(await host.run("rm", "demo").output == "demo is destroyed\n")
    }

    @Test(
        "what is not there",
        arguments: [
            "show", "start", "shutdown", "suspend", "restart", "logs", "wait", "why", "pin", "unpin", "undelete",
        ])
    func missing(command: String) async throws {
        let result = try await CommandHost().run(command, "nobody")
        #expect(result.status == 3)
        #expect(result.output == "")
        #expect(result.reason.hasPrefix("fc-devhost: there is no VM nobody"), "\(result.errors)")
    }

    @Test("several failures are all reported")
    func several() async throws {
        let result = try await CommandHost().run("start", "one", "two")
        #expect(result.status == 3)
        #expect(
            result.errors.hasSuffix(
                """
                fc-devhost: there is no VM one; see 'fc-devhost list'
                fc-devhost: there is no VM two; see 'fc-devhost list'

                """))
    }

    @Test("a login that fails before ssh is 255")
    func login() async throws { #expect(try await CommandHost().run("login", "nobody", "true").status == 255) }

    @Test("a wrong configuration is told apart")
    func configuration() async throws {
        let host = try CommandHost()
        try Files.writeAtomically(host.configuration, Array("[nonsense]\n".utf8), mode: 0o644)
        #expect(await host.run("list").status == 14)
    }

    @Test("the last lines of a console")
    func tail() {
        #expect(LogsCommand.tail("a\nb\nc\n", lines: 2) == "b\nc\n")
        #expect(LogsCommand.tail("a\nb\nc", lines: 2) == "b\nc")
        #expect(LogsCommand.tail("a\n", lines: 9) == "a\n")
        #expect(LogsCommand.tail("", lines: 1) == "")
        #expect(LogsCommand.tail("a\nb\n", lines: 0) == "")
    }

    @Test("through sudo, no option moves configuration or state", arguments: FCDevhost.program.usages.map(\.name))
    func sudo(command: String) async {
        let elevated = Caller(userID: 1000, name: "alice", isElevated: true)
        for words in [["--config", "/tmp/x", command], ["--config=/tmp/x", command]] {
            let errors = MemorySink()
            let operands = FCDevhost.program.command(named: command)?.usage.operands ?? []
            let names = operands.filter { !$0.isOptional }.map { _ in "bash" }
            let status = await FCDevhost.program.run(
                words + names, caller: elevated, output: MemorySink(), errors: errors)
            #expect(status.number == 6)
            #expect(errors.text.hasPrefix("fc-devhost: --config is not allowed through sudo;"))
        }
    }
}
