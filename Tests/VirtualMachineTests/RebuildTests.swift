import DevhostBase
import DevhostCore
import Testing

extension VirtualMachineTests {
    /// A VM of a release that was published here, and its fresh disks, in order.
    @Suite(.serialized) struct RebuildTests {
        let devhost: Devhost
        let name: VMName

        init() throws {
            devhost = try TestHost.devhost()
            name = try VMName("vm-rebuild")
        }

        private func run(_ words: String, limit: Duration = .seconds(600)) async throws -> CommandResult {
            try await TestHost.shell("\(TestHost.program) \(words) </dev/null", limit: limit)
        }

        /// A disk that nothing can boot from.
        private func emptyImage() async throws -> String {
            let folder = Layout().localImages
            let made = try await TestHost.shell(
                "mkdir -p \(folder) && qemu-img create -q -f qcow2 \(folder)/nothing.qcow2 1G")
            try #require(made.status == 0, "\(made.errorText)")
            return "file://\(folder)/nothing.qcow2"
        }

        /// The disks of the VM, by the names of their files.
        private func disks() async throws -> String {
            try await TestHost.shell("cd \(Layout().disks) && ls | grep '^\(name)[.]'").text.trimmed
        }

        private func guestHostKey() async throws -> String {
            try await TestHost.inside(name, "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
        }

        @Test func step1_aVMBootsFromAReleaseThatWasPublishedHere() async throws {
            let image = try TestHost.image().path
            let published = try await run(
                "release publish vm-tests 2024_1 \(image) --channel-url https://example.com/channel.tar.xz")
            try #require(published.status == 0, "\(published.errorText)")
            #expect(try await run("channels").text.contains("vm-tests\n"))
            #expect(try await run("releases vm-tests").text.contains("2024_1"))
            let made = try await run(
                "ensure --memory 768 --cpu 1 --disk-size 8G --release fcrs://vm-tests/ --aliases web \(name)")
            try #require(made.status == 0, "\(made.text)\(made.errorText)")
            let record = try devhost.records.require(name)
            #expect(record.releaseReference == "fcrs://vm-tests/" && record.releaseName == "2024_1")
            let hash = try #require(record.imageHash)
            #expect(try await TestHost.shell("sha256sum \(image)").text.hasPrefix(hash.description))
            let stored = try await TestHost.shell("stat -c %U:%a \(Layout().images)/\(hash).qcow2")
            #expect(stored.text.trimmed == "root:444", "the base image stays root's while a VM runs on it")
            _ = try await TestHost.inside(name, "echo here >marker; sync")
        }

        @Test func step2_aDiskThatDoesNotBootGivesWayToTheOldOne() async throws {
            let before = try devhost.records.require(name)
            let failed = try await run("rebuild --image-url \(try await emptyImage()) --timeout 5 \(name)")
            #expect(failed.status == 8, "\(failed.errorText)")
            #expect(failed.errorText.contains("\(name) keeps its old disk"))
            #expect(try devhost.records.require(name) == before)
            #expect(try await disks() == "\(name).qcow2")
            #expect(try await TestHost.inside(name, "cat marker") == "here")
        }

        @Test func step3_afterAKillInTheMiddleEnsureBringsTheOldDiskBack() async throws {
            let image = try await emptyImage()
            _ = try await TestHost.shell(
                """
                \(TestHost.program) rebuild --image-url \(image) \(name) </dev/null >/run/rebuild.out 2>&1 & pid=$!
                for i in $(seq 900); do
                    virsh -q dumpxml \(name) | grep -q "/\(name)[.][0-9]*[.]qcow2'" && break
                    sleep 0.1
                done
                sleep 1; kill -9 $pid; wait $pid; rm /run/rebuild.out
                """, limit: .seconds(200))
            #expect(try devhost.records.require(name).otherDisk != nil)
            let ensured = try await run("ensure \(name)")
            try #require(ensured.status == 0, "\(ensured.text)\(ensured.errorText)")
            #expect(try await disks() == "\(name).qcow2")
            #expect(try await TestHost.inside(name, "cat marker") == "here")
        }

        @Test func step4_theDiskIsFreshAndTheVMIsTheSame() async throws {
            let before = try devhost.records.require(name)
            let rebuilt = try await run("rebuild \(name)")
            try #require(rebuilt.status == 0, "\(rebuilt.text)\(rebuilt.errorText)")
            // The very next thing is a connection, without a retry.
            let banner = try await TestHost.shell("exec 3<>/dev/tcp/\(try #require(before.ipv4))/22; head -c 4 <&3")
            #expect(banner.text == "SSH-")
            #expect(try await TestHost.inside(name, "test -e marker && echo here || echo gone") == "gone")
            #expect(try await guestHostKey() == before.hostKey)
            #expect(try await TestHost.inside(name, "hostname") == name.description)
            #expect(try await TestHost.inside(name, TestHost.untilRootHolds(megabytes: 7000)) == "grown")
            #expect(
                try await TestHost.inside(name, "cat /etc/nixos/enc.json").contains(
                    "https://example.com/channel.tar.xz"))
            var after = try devhost.records.require(name)
            #expect(try await disks() == "\(name).\(after.diskNumber).qcow2")
            after.diskNumber = before.diskNumber
            after.lastDeployDate = before.lastDeployDate
            #expect(after == before)
            let images = try await run("images --json")
            #expect(images.text.contains("\"\(name)\""))
        }

        @Test func step5_anEnsureAfterwardsChangesNothingAndDestroyLeavesNothing() async throws {
            let identifier = try await TestHost.shell("virsh -q domid \(name)").text
            #expect(try await run("ensure --release fcrs://vm-tests/ \(name)").status == 0)
            #expect(try await TestHost.shell("virsh -q domid \(name)").text == identifier)
            #expect(try await run("destroy \(name)").status == 0)
            let left = try await TestHost.shell("find /etc/devhost /var/lib/devhost -name '\(name)*'")
            #expect(left.text.trimmed.isEmpty, "\(left.text)")
        }
    }
}
