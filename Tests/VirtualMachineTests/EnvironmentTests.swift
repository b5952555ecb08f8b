import DevhostBase
import DevhostCore
import Synchronization
import Testing

extension VirtualMachineTests {
    /// An environment of two VMs as a developer brings it up, uses it and makes it anew, in order; then batou on one of
    /// the same VMs.
    @Suite(.serialized) struct EnvironmentTests {
        typealias Machine = DeveloperMachine
        /// Whether the first step succeeded, on which all others build.
        static let isUp = Mutex(false)

        static let configuration = """
            [environment]
            service_user = s-dev
            platform = debian
            [provisioner:default]
            method = fc-nixos-dev-vm
            host = devhost
            release = \(Machine.releaseURL)
            memory = 512
            cores = 1
            disk_size = 5G
            [host:web]
            provision-dynamic-hostname = True
            provision-aliases = www
                api
            [host:db]
            provision-dynamic-hostname = True
            [component:hello]
            greeting = A greeting
            """

        static let script = #"""
            COPY tree/ /srv/s-dev/tree/
            COPY --chown=daemon --chmod=640 tree/sub/deep /etc/provisioned/deep
            ECHO "it's \"$PROVISION_ALIASES\" & \$HOME"$'\n'"ä $COMPONENT_HELLO_TOKEN" /etc/provisioned/echo
            RUN sh -c 'printf "<%s>" "$@" >/etc/provisioned/words' sh 'two  blanks' '$(id); `id`' ''
            x=$(RUN hostname); test "$x" = "$PROVISION_VM"
            printf 'through a pipe' | RUN tee /etc/provisioned/pipe | RUN 'cat >/etc/provisioned/pipe2'
            if RUN test -e /nowhere; then exit 9; fi
            RUN 'exit 3' || echo "caught $?"
            RUN id -un
            rsync -a tree/ "$PROVISION_VM:/tmp/rsynced/"
            echo "$PROVISION_HOST $PROVISION_CHANNEL $COMPONENT_HELLO_TOKEN"
            """#

        @Test func step01_twoVMsComeUpSideBySideAndArePrepared() async throws {
            try await Machine.make()
            try Machine.write("environments/dev/environment.cfg", Self.configuration)
            try Machine.write("environments/dev/secrets.cfg", "[hello]\ntoken = canary-of-two\n")
            try Machine.write("environments/dev/provision.sh", Self.script)
            try Machine.write("environments/dev/provision.nix", "{ }\n")
            try Machine.write("environments/dev/tree/sub/deep", "deep\n")
            let up = try await Machine.run("devhost-provision up environments/dev", limit: .seconds(400))
            try #require(up.status == 0, "\(up.text)\(up.errorText)")
            let (web, db) = (try Machine.vm("web"), try Machine.vm("db"))
            #expect(up.text.hasSuffix("https://www.\(web).devhost/\nhttps://api.\(web).devhost/\n"), "\(up.text)")
            #expect(up.text.contains("caught 3\n") && up.text.contains("root\n"))
            let entries = try TestHost.devhost().auditLog.entries().filter { $0.verb == "ensure" && $0.vm == "\(web)" }
            #expect(entries.count == 2 && entries.allSatisfy { $0.user == "palice" && $0.sudo }, "\(entries)")
            #expect(entries.allSatisfy { $0.from?.hasPrefix("127.") == true || $0.from == "::1" }, "\(entries)")
            #expect(up.text.contains("devhost https://example.com/channel.tar.xz •••"))
            #expect(!"\(up.text)\(up.errorText)".contains("canary"))
            for (name, aliases) in [(web, "www api"), (db, "")] {
                let files = try await TestHost.inside(
                    name,
                    """
                    sudo sh -c 'cd /etc/provisioned; cat echo words pipe pipe2; stat -c "%a %U %G" deep echo
                    stat -c %U /srv/s-dev/tree/sub/deep; cat /etc/local/nixos/provision-container.nix /tmp/rsynced/sub/deep
                    grep -c "fc-manage -c" /var/log/fc-manage.log'
                    """)
                #expect(
                    files == """
                        it's "\(aliases)" & $HOME
                        ä canary-of-two
                        <two  blanks><$(id); `id`><>through a pipethrough a pipe640 daemon daemon
                        600 root root
                        s-dev
                        { }
                        deep
                        1
                        """)
            }
            #expect(try TestHost.devhost().records.require(web).owner == "palice")
            Self.isUp.withLock { $0 = true }
        }

        @Test func step02_sshAndRsyncWorkAsDocumentedWithCheckedHostKeys() async throws {
            try #require(Self.isUp.withLock { $0 })
            let web = try Machine.vm("web")
            for host in [web.description, "web", "www"] {
                let result = try await Machine.run("ssh -F ssh_config_dev \(host) hostname")
                #expect(result.text.trimmed == web.description, "\(result.errorText)")
                #expect(result.errorText == "")
            }
            let sent = try await Machine.run(
                """
                rsync -a -e 'ssh -F ssh_config_dev' environments/dev/tree/ web:sent/ &&
                    ssh -F ssh_config_dev web cat sent/sub/deep
                git status --porcelain --untracked-files=all | grep -E 'ssh_config|hostmap|[.]devhost'
                stat -c '%a %U' .devhost/key_dev
                cp ssh_config_dev other; sed -i 's/key_dev/no-such-key/' other
                ssh -F other -o BatchMode=yes web true || echo refused
                """)
            #expect(sent.text == "deep\n600 pcarol\nrefused\n", "\(sent.errorText)")
            let rights = try await Machine.run("ssh devhost 'sudo -n id || echo none; sudo -n fc-devhost list'")
            #expect(rights.text.hasPrefix("none\n") && rights.text.contains(web.description))
        }

        @Test func step03_noSecretShowsInProcessesFilesOrLogsOfEitherSide() async throws {
            try #require(Self.isUp.withLock { $0 })
            try Machine.write(
                "secret.sh",
                """
                ECHO "$COMPONENT_HELLO_TOKEN" /root/secret
                ECHO "$COMPONENT_HELLO_TOKEN$(head -c 20000 /dev/zero | tr '\\0' x)" /root/secret
                printf %s "$COMPONENT_HELLO_TOKEN" | RUN tee /root/secret
                COPY secret.txt /root/secret
                RUN cat /root/secret
                """)
            try Machine.write("secret.txt", "canary-c4nary\n")
            let watcher = "\(Machine.root)/Tests/Support/watch-secret"
            let result = try await TestHost.shell(
                """
                cd \(Machine.folder)
                as_carol() { setpriv --reuid=pcarol --regid=pcarol --init-groups env -C \(Machine.project) \\
                    HOME=\(Machine.home) PATH=\(Machine.folder)/bin:/usr/bin:/bin "$@"; }
                guest() { as_carol ssh -F ssh_config_dev web "$@"; }
                guest 'cat >/tmp/watch' <\(watcher)
                python3 \(watcher) \(Machine.folder)/stop /tmp /var/tmp /dev/shm /var/log \\
                    <\(Machine.project)/secret.txt >here & here=$!
                guest 'sudo python3 /tmp/watch /tmp/stop /tmp /var/tmp /var/log' \\
                    <\(Machine.project)/secret.txt >there & there=$!
                until grep -q looking here && grep -q looking there; do sleep 0.05; done
                COMPONENT_HELLO_TOKEN=$(cat \(Machine.project)/secret.txt) as_carol devhost-provision run --ssh-config ssh_config_dev --vm web \\
                    secret.sh </dev/null >out 2>err; echo "status $?"
                touch stop; guest touch /tmp/stop
                wait $here $there
                grep -c canary out err
                guest 'sudo journalctl -q --no-pager | grep -c canary; sudo grep -c canary /root/secret; sudo rm /root/secret'
                grep -v looking here there | sed 's/[0-9]* times/some times/'
                """, limit: .seconds(300))
            #expect(
                result.text == """
                    status 0
                    out:0
                    err:0
                    0
                    1
                    here:looked some times
                    there:looked some times

                    """, "\(result.errorText)")
        }

        @Test func step04_interruptedRunsLeaveNothingOnEitherSide() async throws {
            try #require(Self.isUp.withLock { $0 })
            try Machine.write("long.sh", "RUN 'touch /tmp/begun; exec sleep 4004'\necho never\n")
            let result = try await Machine.run(
                """
                touch before
                setsid devhost-provision run --ssh-config ssh_config_dev --vm web long.sh & pid=$!
                until ssh -F ssh_config_dev web test -e /tmp/begun; do sleep 0.1; done
                kill -INT $pid; wait $pid; echo "status $?"
                while pgrep -u pcarol 'devhost-provisi|ssh|rsync' >/dev/null; do sleep 0.05; done; echo none
                find /tmp -maxdepth 1 -name 'devhost.*' -user pcarol -newer before
                ssh -F ssh_config_dev web 'pgrep -f "sleep [4]004"; until ! pgrep -f "devhost-[a]gent"; do sleep 0.1; done; echo gone'
                """)
            #expect(result.text == "status 130\nnone\ngone\n", "\(result.errorText)")
        }

        @Test func step05_syncBringsEachChangeOver() async throws {
            try #require(Self.isUp.withLock { $0 })
            try Machine.write(
                "await.py",
                """
                import os, time
                for name in "012345":
                    while not os.path.exists(f"src/{name}"):
                        time.sleep(0.02)
                    print(name, flush=True)
                while os.path.exists("src/old"):
                    time.sleep(0.02)
                """)
            let result = try await Machine.run(
                """
                mkdir -p src/.git src/old; echo 0 >src/0; echo no >src/.git/x; echo x >src/old/x
                devhost-provision sync --watch src/ web:src & sync=$!
                ssh -F ssh_config_dev web 'cat >/tmp/await' <await.py
                exec 3< <(ssh -F ssh_config_dev web 'cd /srv/s-dev && python3 /tmp/await && stat -c %U src/1 && ls -A src')
                read -r n <&3
                for i in 1 2 3 4 5; do
                    start=${EPOCHREALTIME/[.,]/}
                    echo $i >src/$i
                    read -r n <&3
                    echo "change $n arrived after $(((${EPOCHREALTIME/[.,]/} - start) / 1000)) ms" >&2
                done
                rm -r src/old
                cat <&3
                kill -INT $sync; wait $sync; echo "status $?"
                while pgrep -u pcarol 'devhost-provisi|ssh|rsync' >/dev/null; do sleep 0.05; done; echo none
                shell="ssh -F ssh_config_dev -S $HOME/c"
                $shell -MNf web
                for i in 1 2 3 4; do
                    echo "$i $i" >src/1
                    start=${EPOCHREALTIME/[.,]/}
                    rsync -a --delete -e "$shell" --rsync-path='sudo -u s-dev rsync' src/ web:/srv/s-dev/src/
                    echo "change $i by plain rsync took $(((${EPOCHREALTIME/[.,]/} - start) / 1000)) ms" >&2
                done
                $shell -O exit web 2>/dev/null
                """, limit: .seconds(300))
            #expect(result.text == "s-dev\n0\n1\n2\n3\n4\n5\nstatus 130\nnone\n", "\(result.errorText)")
            for line in result.errorText.split(separator: "\n") where line.hasPrefix("change ") {
                print("sync: \(line)")
            }
        }

        /// Makes a VM anew with `up --rebuild`; it raises no alarm afterwards.
        private func rebuildDatabase() async throws {
            let db = try Machine.vm("db")
            #expect(try await Machine.run("ssh -F ssh_config_dev db 'echo here >marker'").status == 0)
            let before = try Files.readText("\(Machine.project)/.devhost/known_hosts_dev")
            let up = try await Machine.run("devhost-provision up --rebuild environments/dev db", limit: .seconds(400))
            try #require(up.status == 0, "\(up.text)\(up.errorText)")
            #expect(try Machine.vm("db") == db)
            let after = try await Machine.run("ssh -F ssh_config_dev db 'ls marker || sudo cat /etc/provisioned/pipe'")
            #expect(after.text == "through a pipe", "\(after.errorText)")
            #expect(!after.errorText.contains("WARNING") && !after.errorText.contains("Permanently added"))
            #expect(try Files.readText("\(Machine.project)/.devhost/known_hosts_dev") != before)
            // Whoever keeps the key of before is warned.
            try Machine.write("before", before)
            let warned = try await Machine.run(
                "ssh -F ssh_config_dev -o UserKnownHostsFile=$PWD/before db true || echo refused")
            #expect(warned.text == "refused\n" && warned.errorText.contains("IDENTIFICATION HAS CHANGED"))
        }

        /// Deploys with the unmodified batou, and returns what it deployed as the VM has it.
        private func deploy(_ options: String) async throws -> String {
            let deployed = try await Machine.run(
                "export APPENV_BASEDIR=$PWD; ../venv/bin/batou deploy \(options) solo </dev/null", limit: .seconds(400))
            try #require(deployed.status == 0, "\(deployed.text)\(deployed.errorText)")
            return try await TestHost.inside(
                Machine.vm("app", in: "solo"),
                """
                cd /srv/s-dev; cat /home/developer/provisioned; stat -c %U provision.sh
                sudo cat deployment/work/hello/greeting
                """)
        }

        @Test func step06_aRebuiltVMRaisesNoAlarmAndBatouMakesOneAnew() async throws {
            try #require(Self.isUp.withLock { $0 })
            async let rebuilt: Void = rebuildDatabase()
            if Machine.wheels != nil {
                let web = try Machine.vm("web")
                try Machine.write("environments/solo/hostmap.json", "{\"app\": \"\(web)\"}\n")
                #expect(try await deploy("--provision-rebuild") == "prepared\ns-dev\nA deployment from \(web)")
                #expect(try await TestHost.inside(web, "test -e /etc/provisioned || echo anew") == "anew")
                #expect(try TestHost.devhost().records.require(web).aliases.map(\.description) == ["www"])
            }
            try await rebuilt
            #expect(try await Machine.run("ssh devhost sudo -n fc-devhost destroy \(Machine.vm("db"))").status == 0)
        }

        @Test(.enabled(if: DeveloperMachine.wheels != nil, "batou could not be fetched from the package index"))
        func step07_batouDeploysToTheVMThatIsThere() async throws {
            try #require(Self.isUp.withLock { $0 })
            let web = try Machine.vm("app", in: "solo")
            let boot = try await TestHost.inside(web, "cat /proc/sys/kernel/random/boot_id; rm provisioned")
            #expect(try await deploy("") == "prepared\ns-dev\nA deployment from \(web)")
            #expect(try await TestHost.inside(web, "cat /proc/sys/kernel/random/boot_id") == boot)
        }

        @Test func step08_nothingIsLeft() async throws {
            for name in try TestHost.devhost().list().map(\.name) {
                _ = try await TestHost.shell("\(TestHost.program) destroy \(name)")
            }
            try await Machine.remove()
            #expect(try TestHost.devhost().list().isEmpty)
        }
    }
}
