import DevhostBase
import Foundation
import Synchronization
import Testing

extension UpTests {
    /// ssh as people have set it up for themselves, and as their company has.
    @Suite("ssh of the user") struct UserSSHTests {
        private static func configuration(_ hosts: [String], devhost: String = "devhost") -> String {
            """
            [provisioner:default]
            method = fc-nixos-dev-vm
            host = \(devhost)
            channel = fc-23.11-production

            """ + hosts.map { "[host:\($0)]\nprovision-dynamic-hostname = True\n" }.joined()
        }

        /// A script that uses a verb, and rsync as scripts do.
        private static let script = """
            RUN mkdir -p "$R/$PROVISION_VM"
            COPY provision.sh "$R/$PROVISION_VM/"
            rsync -a provision.sh "$PROVISION_VM:$R/$PROVISION_VM/rsynced" --rsync-path="sudo rsync"

            """

        /// Brings a project up whose devhost stands in `~/.ssh/config`, and uses it by hand.
        private func bringUp(_ personal: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let project = try UpProject()
            try FileManager.default.removeItem(atPath: "\(project.folder)/ssh_config")
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            try project.run.write("environments/dev/provision.sh", Self.script)
            let settings = project.devhost.sshConfiguration("devhost")
            try project.run.write(".ssh/config", personal.replacing("DEVHOST", with: settings), mode: 0o600)
            let outcomes = try await project.up()
            let name = try #require(outcomes.first?.name)
            #expect(try outcomes[0].result.get().status == 0, "\(project.output)", sourceLocation: sourceLocation)
            #expect(Files.exists("\(project.run.remote)/\(name)/rsynced"), sourceLocation: sourceLocation)
            // What ssh says to somebody who asked for it stands before it.
            #expect(try project.ssh("web", "echo here").contains("here\n"), sourceLocation: sourceLocation)
        }

        @Test(
            "What people set for themselves, for other systems or for their terminals ends no connection of ours",
            arguments: [
                "IgnoreUnknown UseKeychain\nHost *\n  UseKeychain yes\n  AddKeysToAgent yes\nDEVHOST",
                "DEVHOST    RemoteCommand tmux new -A\n    RequestTTY yes\n",
                "DEVHOST    RequestTTY force\n    SessionType none\n    StdinNull yes\n    ForkAfterAuthentication yes\n",
                "DEVHOSTHost *\n  VisualHostKey yes\n  LogLevel DEBUG2\n  SendEnv LC_* LANG\n  SetEnv LC_TEST=1\n",
                "DEVHOST    PermitLocalCommand yes\n    LocalCommand echo noise; exit 1\n    ForwardX11 yes\n",
                "DEVHOST    LocalForward 127.0.0.1:1 127.0.0.1:1\n    ExitOnForwardFailure yes\n    BatchMode no\n",
                "DEVHOSTHost *\n  ControlMaster auto\n  ControlPath ~/.ssh/%C\n  ControlPersist 5\n",
                "DEVHOST    LogLevel QUIET\n    EscapeChar none\n    Compression yes\n    TCPKeepAlive no\n",
                "Match host devhost exec true\n  Compression yes\nDEVHOSTHost *\n  CanonicalizeHostname yes\n"
                    + "  CanonicalDomains example.invalid\n  CanonicalizeFallbackLocal yes\n",
            ])
        func personal(_ configuration: String) async throws { try await bringUp(configuration) }

        @Test("A devhost behind a bastion is reached, also where the bastion is set up for terminals")
        func bastion() async throws {
            let guest = try TestGuest.shared()
            let bastion = guest.configuration(key: "\(guest.folder)/key").replacing("Host vm", with: "Host bastion")
            try await bringUp("DEVHOST    ProxyJump bastion\n\(bastion)    RemoteCommand tmux\n    RequestTTY yes\n")
        }

        @Test("A devhost that only the machine's own configuration knows is found")
        func machine() async throws {
            let project = try UpProject()
            try FileManager.default.removeItem(atPath: "\(project.folder)/ssh_config")
            let name = "company-devhost"
            let path = "/etc/ssh/ssh_config.d/90-devhost-test.conf"
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"], devhost: name))
            try project.run.write("environments/dev/provision.sh", Self.script)
            try Files.writeAtomically(path, Array(project.devhost.sshConfiguration(name).utf8), mode: 0o644)
            defer { unlink(path) }
            let outcomes = try await project.up()
            #expect(try outcomes[0].result.get().status == 0, "\(project.output)")
            #expect(try project.ssh("web", "echo here") == "here\n")
        }

        @Test("A devhost may be named with its user and port")
        func port() async throws {
            let project = try UpProject()
            let devhost = "\(project.devhost.user)@127.0.0.1:\(project.devhost.guest.port)"
            try FileManager.default.removeItem(atPath: "\(project.folder)/ssh_config")
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"], devhost: devhost))
            try project.run.write("environments/dev/provision.sh", Self.script)
            let settings = project.devhost.sshConfiguration("127.0.0.1").split(separator: "\n")
                .filter { !["HostName", "Port", "User"].contains($0.split(separator: " ").first) }
            try project.run.write(".ssh/config", settings.joined(separator: "\n") + "\n", mode: 0o600)
            let outcomes = try await project.up()
            #expect(try outcomes[0].result.get().status == 0, "\(project.output)")
            #expect(try project.ssh("web", "echo here") == "here\n")
        }

        @Test("Many hosts come up on a devhost whose sshd takes in one connection at a time, over one connection")
        func manyHosts() async throws {
            let guest = try TestGuest(user: TestGuest.shared().user, maxStartups: "1:100:1")
            defer { guest.end() }
            let project = try UpProject(guest: guest)
            let hosts = (1...12).map { "h\($0)" }
            try project.run.write("environments/dev/environment.cfg", Self.configuration(hosts))
            try project.run.write("environments/dev/provision.sh", #"RUN echo "$PROVISION_VM is here""#)
            let outcomes = try await project.up()
            #expect(outcomes.count == hosts.count)
            for outcome in outcomes {
                #expect(try outcome.result.get().status == 0, "\(outcome)")
                if let name = outcome.name { #expect(project.output.contains("\(name) is here")) }
            }
            #expect(guest.connections == 1)
        }

        @Test("A devhost that takes in nobody for a moment is asked again")
        func tooEarly() async throws {
            let guest = try TestGuest(user: TestGuest.shared().user, maxStartups: "1:100:1")
            defer { guest.end() }
            let project = try UpProject(guest: guest)
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            try project.run.write("environments/dev/provision.sh", "RUN true")
            let stranger = try await TestGuest.connect(guest.port)
            let outcomes = Task { try await project.up() }
            for _ in 0..<500 where !guest.log.contains("MaxStartups") { try await Task.sleep(for: .milliseconds(20)) }
            #expect(guest.log.contains("MaxStartups"))
            close(stranger)
            #expect(try await outcomes.value[0].result.get().status == 0)
        }

        @Test(
            "A project lies where it likes",
            arguments: [
                #"it's a "quote""#, "br[ack]et *?", "100% %h $HOME", "über/日本語 #1 a;b&c",
                String(repeating: "long-", count: 30) + "/" + String(repeating: "deep-", count: 20),
            ])
        func folders(_ folder: String) async throws {
            let project = try UpProject(folder: folder)
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            try project.run.write("environments/dev/data/x", "x\n")
            try project.run.write("environments/dev/provision.sh", Self.script + "COPY data \"$R/$PROVISION_VM/\"\n")
            let outcomes = try await project.up()
            let name = try #require(outcomes.first?.name)
            #expect(try outcomes[0].result.get().status == 0, "\(project.output)")
            #expect(Files.exists("\(project.run.remote)/\(name)/rsynced"))
            #expect(try project.ssh("web", "echo here") == "here\n")
            #expect(
                try TestGuest.shell("cd \(project.folder.shellQuoted) && git status --short | grep ssh_config_dev")
                    == "")
            let copy = "synced-\(name)"
            defer { _ = try? TestGuest.shell("rm -rf ~developer/\(copy)") }
            let sync = try FolderSync(
                FolderSync.Options(
                    source: "\(project.folder)/environments/dev/data/",
                    target: GuestTarget(host: "web", configuration: "\(project.folder)/ssh_config_dev"),
                    destination: copy, environment: ProcessInfo.processInfo.environment))
            try await sync.once()
            await sync.close()
            #expect(try project.ssh("web", "cat \(copy)/x") == "x\n")
        }

        @Test("A path that ssh cannot take is refused before a VM is made", arguments: ["${HOME}", "a\nb"])
        func refusedFolders(_ folder: String) async throws {
            let project = try UpProject(folder: folder)
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            let error = await #expect(throws: DevhostError.self) { try await project.up() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.description.contains("move the project") == true, "\(String(describing: error))")
            #expect(project.devhost.calls == [])
        }

        @Test("A configuration that ssh refuses is told before a VM is made")
        func refusedFile() async throws {
            let project = try UpProject()
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            try project.run.write(".ssh/config", "Host *\n", mode: 0o666)
            let error = await #expect(throws: DevhostError.self) { try await project.up() }
            #expect(error?.description.contains("\(project.folder)/.ssh/config") == true)
            #expect(project.devhost.calls == [])
        }

        @Test("A git worktree is a checkout like any other")
        func worktree() async throws {
            let project = try UpProject()
            try project.run.write("environments/dev/environment.cfg", Self.configuration(["web"]))
            try project.run.write("environments/dev/provision.sh", "RUN true\n")
            let tree = "\(project.folder)-tree"
            defer { try? FileManager.default.removeItem(atPath: tree) }
            try TestGuest.shell(
                """
                cd \(project.folder) && git add environments && git -c user.name=x -c user.email=x@x commit -qm x
                git worktree add -q \(tree) && cp -p ssh_config \(tree)
                """)
            let outcomes = try await project.up(in: tree)
            #expect(try outcomes[0].result.get().status == 0)
            #expect(
                try TestGuest.shell("cd \(tree) && git status --short --untracked-files | grep -v '?? ssh_config$'")
                    == "")
        }

        @Test(
            "The user's login shell in the VM is their own choice",
            arguments: ["/usr/bin/fish", "/usr/bin/tcsh", "/bin/dash"])
        func loginShells(_ shell: String) async throws {
            let guest = try TestGuest(suffix: String(shell.split(separator: "/").last ?? ""), shell: shell)
            defer { guest.remove() }
            let run = try ScriptRun()
            let target = try GuestTarget(host: "vm", configuration: guest.sshConfiguration)
            let script = #"""
                RUN mkdir -p "$R"
                COPY provision.sh "$R/a b"
                ECHO "it's \\ \$HOME" "$R/said"
                RUN 'echo "$(id -un) $0"'
                """#
            let result = try await run(script) { $0.target = target }
            #expect(result.summary.status == 0, "\(result.errors)")
            #expect(result.output.contains("root bash"))
            #expect(try run.content("said") == #"it's \ $HOME"# + "\n")
            let sync = try FolderSync(
                FolderSync.Options(
                    source: "\(run.folder)/provision.sh",
                    target: target, destination: "here/",
                    environment: ProcessInfo.processInfo.environment))
            try await sync.once()
            await sync.close()
            #expect(Files.exists("/run/\(guest.user)/here/provision.sh"))
        }
    }
}
