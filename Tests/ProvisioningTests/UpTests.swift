import DevhostBase
import Foundation
import Synchronization
import Testing

@Suite("up", .serialized, .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct UpTests {
    private let configuration = """
        [environment]
        service_user = s-nobody-here
        [provisioner:default]
        method = fc-nixos-dev-vm
        host = devhost
        channel = fc-23.11-production
        memory = 2048
        cores = 1
        [host:web]
        provision-dynamic-hostname = True
        provision-aliases = www api
        [host:db]
        provision-dynamic-hostname = True
        [component:app]
        password = from-override
        """

    @Test("Two hosts come up side by side, with names, keys and ssh configuration of their own")
    func twoHosts() async throws {
        let project = try UpProject()
        try project.run.write("environments/dev/environment.cfg", configuration)
        try project.run.write("environments/dev/secrets.cfg", "[app]\ntoken = canary-secret\n")
        try project.run.write("environments/dev/provision.nix", "{ }\n")
        try project.run.write(
            "environments/dev/provision.sh",
            """
            RUN mkdir -p "$R/$PROVISION_VM"
            ECHO "$COMPONENT_APP_PASSWORD $COMPONENT_APP_TOKEN $PROVISION_ALIASES" "$R/$PROVISION_VM/values"
            COPY provision.sh "$R/$PROVISION_VM/"
            rsync -a provision.sh "$PROVISION_VM:$R/$PROVISION_VM/rsynced" --rsync-path="sudo rsync"
            ssh -F "$SSH_CONFIG" "$PROVISION_VM" true
            echo "$PROVISION_CONTAINER $PROVISION_HOST $PROVISION_CHANNEL $COMPONENT_APP_TOKEN"
            """)
        let nix = "/etc/local/nixos"
        let hadNix = Files.exists(nix)
        defer { if !hadNix { _ = try? TestGuest.shell("rm -rf \(nix); rmdir /etc/local 2>/dev/null") } }

        let outcomes = try await project.up()
        #expect(outcomes.map(\.host.name) == ["web", "db"])
        for outcome in outcomes { #expect(try outcome.result.get().status == 0, "\(project.output)") }
        let web = try #require(outcomes[0].name?.description)
        let db = try #require(outcomes[1].name?.description)
        #expect(web != db && web.count == 8)
        #expect(outcomes[0].urls == ["https://www.\(web).devhost/", "https://api.\(web).devhost/"])
        for (name, aliases) in [(web, "www api"), (db, "")] {
            #expect(try project.run.content("\(name)/values") == "from-override canary-secret \(aliases)\n")
            #expect(Files.exists("\(project.run.remote)/\(name)/rsynced"))
            #expect(project.output.contains("\(name) devhost https://c.example/\(name) •••"))
        }
        #expect(!project.output.contains("canary"))
        #expect(try Files.readText("\(nix)/provision-container.nix") == "{ }\n")
        // There is no fc-manage on this machine: that is a warning, and the VM counts as prepared.
        #expect(
            project.warnings.count { $0.contains("fc-manage -c ended with exit") && $0.contains("half prepared") } == 2)
        let key = try Files.readText("\(project.folder)/.devhost/key_dev.pub").trimmed
        #expect(
            Set(project.devhost.calls.filter { $0.hasPrefix("ensure") }) == [
                "ensure --memory 2048 --cpu 1 --aliases www api --release fcrs://fc-23.11-production/ --update-channel --authorized-key \(key) \(web)",
                "ensure --memory 2048 --cpu 1 --aliases  --release fcrs://fc-23.11-production/ --update-channel --authorized-key \(key) \(db)",
            ])

        // What users do with it.
        for host in [web, "web", "www", "api"] {
            #expect(try project.ssh(host, "id -un; echo $SSH_CONNECTION").hasPrefix("developer\n"))
        }
        #expect(
            try TestGuest.shell(
                "cd \(project.folder) && rsync -e 'ssh -F ssh_config_dev' ssh_config db:/tmp/\(db) && rm /tmp/\(db)")
                == "")
        #expect(try TestGuest.shell("git -C \(project.folder) status --porcelain").contains("ssh_config_dev") == false)
        #expect(try TestGuest.shell("git -C \(project.folder) status --porcelain -uall").contains("hostmap") == false)
        #expect(try TestGuest.shell("git -C \(project.folder) status --porcelain -uall").contains(".devhost") == false)
        #expect(try TestGuest.shell("stat -c %a \(project.folder)/.devhost/key_dev") == "600\n")

        // Again: the same VMs; a rebuilt one has another host key and raises no alarm; a stranger does.
        let again = try await project.up { $0.hosts = ["web"] }
        #expect(again.map { $0.name?.description } == [web])
        #expect(try project.ssh("db", "echo still") == "still\n")
        let before = try Files.readText("\(project.folder)/.devhost/known_hosts_dev")
        _ = try await project.up {
            $0.hosts = ["web"]
            $0.rebuilds = true
        }
        #expect(project.devhost.calls.contains("destroy \(web)"))
        #expect(try Files.readText("\(project.folder)/.devhost/known_hosts_dev") != before)
        #expect(try project.ssh("web", "echo rebuilt") == "rebuilt\n")
        try project.devhost.replaceHostKey(web)
        #expect(try project.ssh("web", "echo stranger").contains("REMOTE HOST IDENTIFICATION HAS CHANGED"))
    }

    @Test("A host that fails does not hold up the others, and says the devhost's reason")
    func oneFails() async throws {
        let project = try UpProject()
        try project.run.write(
            "environments/dev/environment.cfg",
            configuration + "\n[host:broken]\n[environment-oops]\n")
        try project.run.write("environments/dev/provision.sh", "RUN test \"$PROVISION_ALIASES\" = ''")
        let outcomes = try await project.up()
        #expect(outcomes.map(\.host.name) == ["web", "db", "broken"])
        #expect(
            try outcomes[0].result.get().failures.map(\.description) == [
                "provision.sh:1: RUN test 'www api' = '': exit 1"
            ])
        #expect(try outcomes[1].result.get().status == 0)
        let error = try #require(throws: DevhostError.self) { try outcomes[2].result.get() }
        #expect(error.description.contains("no room for broken"))
        #expect(project.warnings.contains { $0.contains("[environment-oops] means nothing") })
    }

    @Test("^C of an ordinary user on the devhost itself ends up, and what it started as root")
    func interruptedOnTheDevhost() async throws {
        let devhost = try TestDevhost()
        defer { devhost.remove() }
        let home = "/run/\(devhost.user)"
        try TestGuest.shell(
            """
            mkfifo \(devhost.folder)/never && chmod 711 \(devhost.folder)
            mkdir -p \(home)/project/environments/dev && cd \(home)/project/environments/dev
            printf '%s\\n' '[provisioner:default]' 'method = fc-nixos-dev-vm' 'host = localhost' \\
              'channel = fc-23.11-production' '[host:slow]' >environment.cfg
            : >provision.sh && chown -R \(devhost.user): \(home)/project
            """)
        var command = Command(
            "setpriv",
            [
                "--reuid", devhost.user, "--regid", devhost.user, "--init-groups", "--reset-env", "--",
                ScriptRun.helper, "up", "\(home)/project/environments/dev",
            ])
        command.environment = ["PATH": Command.searchPath]
        let said = "\(devhost.folder)/said"
        let file = try FileDescriptor.open(said, O_RDWR | O_CREAT, mode: 0o600)
        let child = try ChildProcess(
            command, input: file.number, output: file.number, errors: file.number, inNewSession: true)
        while child.status == nil && !Files.exists("\(devhost.folder)/begun") {
            try await Task.sleep(for: .milliseconds(10))
        }
        let words = try Files.readText(said)
        try #require(child.status == nil, "\(words)")
        child.signal(SIGINT)
        #expect(await child.wait() == 130)
        // It holds a lock as long as it lives.
        try TestGuest.shell("flock --timeout 60 \(devhost.folder)/begun true")
    }

    @Test("Two runs for two hosts of one checkout keep each other's names, host keys and blocks")
    func sideBySide() async throws {
        let project = try UpProject()
        try project.run.write("environments/dev/environment.cfg", configuration)
        try project.run.write("environments/dev/provision.sh", "RUN true")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for host in ["web", "db"] {
                group.addTask {
                    let outcomes = try await project.up { $0.hosts = [host] }
                    #expect(try outcomes[0].result.get().status == 0)
                }
            }
            try await group.waitForAll()
        }
        for host in ["web", "db"] { #expect(try project.ssh(host, "echo \(host)") == "\(host)\n") }
        #expect(try Files.readText("\(project.folder)/.devhost/known_hosts_dev").split(separator: "\n").count == 2)
        #expect(try Files.readText("\(project.folder)/environments/dev/hostmap.json").contains("\"db\""))
        let names = try Files.names(in: "\(project.folder)/.devhost").sorted()
        #expect(names == [".gitignore", "key_dev", "key_dev.pub", "known_hosts_dev"])
    }

    @Test("Two checkouts that share a VM under a fixed name both get in")
    func sharedName() async throws {
        let project = try UpProject()
        let name = "shared-\(getpid())"
        try project.run.write(
            "environments/dev/environment.cfg",
            configuration.replacing("[host:web]\nprovision-dynamic-hostname = True", with: "[host:\(name)]"))
        try project.run.write("environments/dev/provision.sh", "RUN true")
        // The other checkout is this one with a key pair of its own.
        let keys = "\(project.folder)/.devhost"
        _ = try await project.up { $0.hosts = [name] }
        try TestGuest.shell("mkdir \(project.folder)/first && mv \(keys)/key_dev* \(project.folder)/first/")
        _ = try await project.up { $0.hosts = [name] }
        #expect(try project.ssh(name, "echo in") == "in\n")
        try TestGuest.shell("mv \(project.folder)/first/* \(keys)/")
        #expect(try project.ssh(name, "echo in") == "in\n")
        // Once more: nobody is counted twice.
        let outcomes = try await project.up { $0.hosts = [name] }
        #expect(try outcomes[0].result.get().status == 0)
        let last = try #require(project.devhost.calls.last { $0.hasPrefix("ensure") })
        #expect(last.components(separatedBy: "--authorized-key").count == 3, "\(last)")
    }

    @Test("A dry run names everything and calls nobody")
    func dryRun() async throws {
        let project = try UpProject()
        try project.run.write("environments/dev/environment.cfg", configuration)
        try project.run.write("environments/dev/provision.sh", "RUN echo $PROVISION_HOST")
        let outcomes = try await project.up { $0.isDryRun = true }
        #expect(outcomes.count == 2)
        let named = try await project.up {
            $0.isDryRun = true
            $0.hosts = ["db", "web", "db"]
        }
        #expect(named.map(\.host.name) == ["db", "web"])
        #expect(project.devhost.calls == [])
        #expect(try Files.names(in: project.folder).sorted() == [".git", "environments", "ssh_config"])
        let steps = project.events.withLock { $0 }.compactMap { if case .step(_, let text) = $0 { text } else { nil } }
        #expect(steps.allSatisfy { $0.hasPrefix("would run on devhost: fc-devhost ensure --memory 2048") })
    }

    @Test("A devhost that cannot be reached is reported as that; without any script there is a warning")
    func unreachable() async throws {
        let project = try UpProject()
        try project.run.write(
            "environments/dev/environment.cfg",
            configuration.replacing("host = devhost", with: "host = no-devhost.invalid"))
        await #expect { try await project.up() } throws: {
            ($0 as? DevhostError)?.code == .unavailable && "\($0)".contains("no-devhost.invalid")
        }
        #expect(project.warnings.contains { $0.contains("neither a provision.sh nor a provision.nix") })
    }

    @Test("sync sends once, and with watch each change, deletions included, as the user")
    func sync() async throws {
        let guest = try TestGuest.shared()
        let run = try ScriptRun()
        let user = "s\(guest.user)"
        try run.write("src/a", "1")
        try run.write("src/.git/config", "no")
        try run.write("src/sub/b", "2")
        var options = FolderSync.Options(
            source: "\(run.folder)/src/", target: try GuestTarget(host: "vm", configuration: guest.sshConfiguration),
            destination: "synced-\(run.remote.suffix(8))", environment: ProcessInfo.processInfo.environment)
        options.user = user
        let there = "/run/\(user)/\(options.destination)"
        let sync = try FolderSync(options)
        let rounds = Mutex(0)
        let failures = Mutex(0)
        let task = Task {
            try await sync.watch { _ in
                rounds.withLock { $0 += 1 }
            } failed: { _ in
                failures.withLock { $0 += 1 }
            }
        }
        func wait(_ condition: () -> Bool) async throws {
            while !condition() { try await Task.sleep(for: .milliseconds(10)) }
        }
        try await wait { rounds.withLock { $0 } == 1 }
        #expect(try Files.readText("\(there)/sub/b") == "2")
        #expect(try TestGuest.shell("stat -c %U \(there)/a") == "\(user)\n")
        #expect(!Files.exists("\(there)/.git"))
        try run.write("src/new/deep/c", "3")
        try await wait { Files.exists("\(there)/new/deep/c") }
        try run.write("src/new/deep/d", "4")
        try await wait { Files.exists("\(there)/new/deep/d") }
        try FileManager.default.removeItem(atPath: "\(run.folder)/src/sub")
        try FileManager.default.removeItem(atPath: "\(run.folder)/src/a")
        try await wait { !Files.exists("\(there)/sub") && !Files.exists("\(there)/a") }
        // A source that is made anew, as a build does or a change of branches.
        try FileManager.default.removeItem(atPath: "\(run.folder)/src")
        try await wait { failures.withLock { $0 } > 0 }
        try run.write("src/again/e", "5")
        try await wait { Files.exists("\(there)/again/e") }
        try FileManager.default.moveItem(atPath: "\(run.folder)/src", toPath: "\(run.folder)/moved")
        try run.write("src/f", "6")
        try await wait { Files.exists("\(there)/f") && !Files.exists("\(there)/again") }
        try run.write("src/g", "7")
        try await wait { Files.exists("\(there)/g") }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await sync.close()
        #expect(!Files.exists(sync.temporaryFolder))
    }
}
