import DevhostBase
import Testing

@testable import DevhostCore

extension VirtualMachineTests {
    /// One VM whose use is seen, and that goes into the trash and comes back, in order.
    @Suite(.serialized) struct UseTests {
        static let folder = "/run/use-tests"
        static let page =
            #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Examples/demo/serve-page"
        let devhost: Devhost
        let name: VMName

        init() throws {
            devhost = try TestHost.devhost()
            name = try VMName("vm-use")
        }

        /// A way into the VM through the devhost's sshd, as a developer takes it.
        private func ssh(_ options: String = "", _ line: String) -> String {
            "ssh -F \(Self.folder)/config \(options) developer@\(name) '\(line)'"
        }

        /// Looks, and tells when a sign was seen last.
        private func look(for sign: UseSign) async throws -> Timestamp? {
            let report = try #require(try await devhost.collectSigns())
            #expect(report.failures.isEmpty && report.problems.isEmpty, "\(report)")
            return try await devhost.use(of: name).signs.first { $0.sign == sign }?.date
        }

        @Test func step1_aVMThatIsEnsuredIsUsed() async throws {
            let made = try await TestHost.shell(
                """
                set -e
                install -d -m 755 \(Self.folder) /run/sshd
                useradd -m -d \(Self.folder)/home -s /bin/bash puse
                ssh-keygen -q -t ed25519 -N '' -f \(Self.folder)/host_key
                ssh-keygen -q -t ed25519 -N '' -f \(Self.folder)/key
                install -D -m 600 -o puse -g puse \(Self.folder)/key.pub \(Self.folder)/home/.ssh/authorized_keys
                chown puse: \(Self.folder)/home/.ssh
                printf '%s\\n' 'Port 2223' 'ListenAddress 127.0.0.1' 'HostKey \(Self.folder)/host_key' 'UsePAM yes' \\
                    'PidFile \(Self.folder)/sshd.pid' 'AuthorizedKeysFile .ssh/authorized_keys' >\(Self.folder)/sshd_config
                $(command -v sshd || echo /usr/sbin/sshd) -f \(Self.folder)/sshd_config -E \(Self.folder)/sshd.log
                printf '%s\\n' 'Host *' 'IdentitiesOnly yes' 'IdentityFile \(Self.folder)/key' 'BatchMode yes' \\
                    'StrictHostKeyChecking no' 'UserKnownHostsFile /dev/null' 'LogLevel ERROR' \\
                    'Host devhost' 'HostName 127.0.0.1' 'Port 2223' 'User puse' \\
                    'Host \(name)' 'ProxyJump devhost' >\(Self.folder)/config
                """)
            try #require(made.status == 0, "\(made.text)\(made.errorText)")
            var request = try TestHost.request(name.description, memory: 512)
            request.aliases = [try Alias("www")]
            request.authorizedKeys = [try AuthorizedKey(Files.readText("\(Self.folder)/key.pub").trimmed)]
            try await devhost.ensure(request)
            let served = try await TestHost.shell("\(TestHost.program) login \(name) -- sudo bash -s <\(Self.page)")
            try #require(served.status == 0, "\(served.text)\(served.errorText)")
            #expect(try await look(for: .ensure) == devhost.records.require(name).lastDeployDate)
            #expect(try await devhost.use(of: name).signs.contains { $0.sign == .login })
        }

        @Test func step2_whatTheDevhostDoesByItselfIsNoUse() async throws {
            let before = try await look(for: .ssh)
            try await devhost.wait(for: name)
            _ = try await devhost.diagnose()
            #expect(try await look(for: .ssh) == before)
            #expect(try await look(for: .request) == nil)
            #expect(try await devhost.use(of: name).unused > 0)
        }

        @Test func step3_aShortSessionThroughTheDevhostIsSeenAfterItsEnd() async throws {
            let before = try await look(for: .ssh)
            let session = try await TestHost.shell(ssh("", "echo in"))
            #expect(session.text == "in\n", "\(session.errorText)")
            let seen = try #require(try await look(for: .ssh))
            #expect(before.map { $0 < seen } == true)
            #expect(try await devhost.use(of: name).unused == 0)
        }

        @Test func step4_aSessionThatIsOpenIsSeenAtEveryLook() async throws {
            _ = try await TestHost.shell(
                ssh("-n", "sleep 300") + " >/dev/null 2>&1 & echo $! >\(Self.folder)/session")
            let address = try #require(try devhost.records.require(name).ipv6).description
            let ipv4 = try #require(try devhost.records.require(name).ipv4).description
            let opened = try await TestHost.shell(
                "until ss -Htn state established dport = :22 | grep -qE '\(ipv4)|\(address)'; do sleep 0.2; done")
            #expect(opened.status == 0)
            _ = try await look(for: .ssh)
            let first = try #require(try await look(for: .ssh))
            _ = try await TestHost.shell("sleep 1.1")
            #expect(try #require(try await look(for: .ssh)) > first)
            _ = try await TestHost.shell("kill $(cat \(Self.folder)/session)")
        }

        @Test func step5_aRequestThroughAnAliasIsSeenAndTheLogHoldsNoSecret() async throws {
            let line = "curl -ksS --max-time 30 --retry 10 --retry-delay 1 --retry-all-errors --fail"
            let got = try await TestHost.shell(
                "\(line) --resolve '*:443:127.0.0.1' -H 'Cookie: s3cret' 'https://www.\(name).localhost/?token=s3cret'")
            #expect(got.text.contains("This page comes from the VM vm-use"), "\(got.errorText)")
            // Caddy writes the line when the answer is sent.
            let logged = try await TestHost.shell("until [ -s \(Layout().accessLog) ]; do sleep 0.1; done")
            #expect(logged.status == 0)
            #expect(try await look(for: .request) != nil)
            #expect(try await TestHost.shell("stat -c %a:%U \(Layout().proxyLogs)").text == "700:caddy\n")
            let secret = try await TestHost.shell("grep -r s3cret \(Layout().proxyLogs)")
            #expect(secret.status == 1 && secret.text.isEmpty, "\(secret.text)")
        }

        @Test func step6_aNoticeShowsToWhoeverLogsIn() async throws {
            _ = try await look(for: .ssh)
            try devhost.useStore.write(
                UseNotice(owner: "root", lastUse: nil, date: Timestamp("2030-01-01T00:00:00"), idle: 0), of: name)
            _ = try await look(for: .ssh)
            // A shell at a terminal, as somebody gets it who logs in.
            let shell = "ssh -F \(Self.folder)/config -tt developer@\(name) <<<exit"
            let shown = try await TestHost.shell(shell)
            #expect(
                shown.text.contains("nobody has used vm-use: it goes into the trash on 2030-01-01"), "\(shown.text)")
            // That login was a use: the notice is taken back, and is not shown any more after the next look.
            _ = try await look(for: .ssh)
            #expect(try devhost.useStore.notice(name) == nil)
            _ = try await look(for: .ssh)
            #expect(try await TestHost.shell(ssh("", "ls /run/motd.d")).text.isEmpty)
        }

        @Test func step7_whatComesBackFromTheTrashIsTheSame() async throws {
            _ = try await TestHost.inside(name, "echo here >marker; sync")
            let before = try devhost.records.require(name)
            let trashed = try await TestHost.shell("\(TestHost.program) destroy --trash \(name)", limit: .seconds(200))
            #expect(trashed.text.contains("undelete \(name)"), "\(trashed.errorText)")
            let left = try await TestHost.shell("virsh -q list --name; grep -w \(name) /etc/hosts")
            #expect(!left.text.contains(name.description))
            #expect(try await TestHost.shell("\(TestHost.program) ls --trash").text.contains("\(name)  trash"))
            let refused = try await TestHost.shell("\(TestHost.program) ensure \(name)")
            #expect(refused.status == 4 && refused.errorText.contains("fc-devhost undelete \(name)"))
            let gone = try await TestHost.shell(
                "curl -ksS --max-time 20 --resolve '*:443:127.0.0.1' https://www.\(name).localhost/")
            #expect(gone.text == "There is nothing here.\n")
            let back = try await TestHost.shell("\(TestHost.program) undelete \(name)")
            #expect(back.status == 0, "\(back.errorText)")
            var after = try await devhost.start(name).record
            #expect(try await TestHost.inside(name, "cat marker") == "here")
            after.lastDeployDate = before.lastDeployDate
            #expect(after == before)
            #expect(try await devhost.diagnose().findings.filter { $0.subject.contains(name.description) } == [])
        }

        @Test func step8_theEnd() async throws {
            #expect(try await devhost.destroy(name))
            _ = try await TestHost.shell(
                "kill $(cat \(Self.folder)/sshd.pid); userdel puse; rm -rf \(Self.folder)")
        }
    }
}
