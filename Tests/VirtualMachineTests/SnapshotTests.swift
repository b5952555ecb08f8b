import DevhostBase
import DevhostCore
import Testing

extension VirtualMachineTests {
    /// One VM that is brought back to what it was, and then has a clone, in order.
    @Suite(.serialized) struct SnapshotTests {
        let devhost: Devhost
        let name: VMName
        let twin: VMName

        init() throws {
            devhost = try TestHost.devhost()
            name = try VMName("vm-snapshot")
            twin = try VMName("vm-twin")
        }

        private func run(_ words: String, limit: Duration = .seconds(600)) async throws -> CommandResult {
            try await TestHost.shell("\(TestHost.program) \(words) </dev/null", limit: limit)
        }

        @Test func step1_whatRanGoesOnWhereItWas() async throws {
            try await devhost.ensure(try TestHost.request(name.description, memory: 512))
            #expect(try await TestHost.shell("virsh -q dumpxml \(name)").text.contains("<shares>100</shares>"))
            // Counts in memory alone: what it says after the restore was not read from a disk.
            _ = try await TestHost.inside(
                name,
                """
                nohup sh -c 'i=0; while :; do i=$((i+1)); echo $i >/dev/shm/count; sleep 0.2; done' >/dev/null 2>&1 &
                echo $! >/dev/shm/pid; echo kept >file; sync
                """)
            let boot = try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id")
            let made = try await run("snapshot \(name) before")
            try #require(made.status == 0 && made.text == "\(name)@before is made\n", "\(made.text)\(made.errorText)")
            _ = try await TestHost.inside(name, "echo lost >file; touch other; sync; kill $(cat /dev/shm/pid)")

            let refused = try await run("restore \(name)@before")
            #expect(refused.status == 4 && refused.errorText.contains("would be lost"), "\(refused.errorText)")
            let restored = try await run("restore --force \(name)@before")
            try #require(restored.status == 0, "\(restored.text)\(restored.errorText)")
            #expect(try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id") == boot, "it did not boot")
            #expect(try await TestHost.inside(name, "cat file; ls other 2>/dev/null || true") == "kept")
            let first = try #require(Int(try await TestHost.inside(name, "cat /dev/shm/count")))
            let later = "until [ $(cat /dev/shm/count) -gt \(first) ]; do sleep 0.1; done; kill -0 $(cat /dev/shm/pid)"
            _ = try await TestHost.inside(name, later)
            let times = try await TestHost.shell(
                "date +%s; \(TestHost.program) login \(name) -- date +%s </dev/null; date +%s")
            let clock = times.text.split(separator: "\n").compactMap { Int($0) }
            try #require(clock.count == 3, "\(times.text)\(times.errorText)")
            #expect(clock[0] - 5 <= clock[1] && clock[1] <= clock[2] + 5, "its clock is right: \(clock)")
            #expect(try await run("snapshots \(name) --json").text.contains("\"before\""))
            #expect(try await run("doctor").text.contains(name.description) == false)
        }

        @Test func step2_aDiskThatGrewComesBackAsItWas() async throws {
            var request = try TestHost.request(name.description, memory: 512)
            request.diskSize = try DiskSize("9G")
            #expect(try await devhost.ensure(request).record.diskSize == DiskSize("9G"))
            #expect(try await run("restore --force \(name)@before").status == 0)
            #expect(try devhost.records.require(name).diskSize == DiskSize("8G"))
            let size = try await TestHost.inside(name, "cat /sys/block/vda/size")
            #expect(size == "\((8 << 30) / 512)")
        }

        @Test func step3_aCloneOfARunningVMSharesNoIdentity() async throws {
            let source = try devhost.records.require(name)
            let identifier = try await TestHost.shell("virsh -q domid \(name)").text
            let cloned = try await run("clone \(name) \(twin)")
            try #require(cloned.status == 0, "\(cloned.text)\(cloned.errorText)")
            #expect(try await TestHost.shell("virsh -q domid \(name)").text == identifier, "the source ran on")
            let clone = try devhost.records.require(twin)
            #expect(clone.mac != source.mac && clone.ipv4 != source.ipv4 && clone.ipv6 != source.ipv6)
            #expect(clone.hostKey != source.hostKey && clone.id != source.id)
            let questions = [
                "hostname", "cat /etc/machine-id", "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
                "cat /sys/class/net/*/address | grep -v 00:00:00:00:00:00", "hostname -I", "cat /etc/nixos/enc.json",
                "cat .ssh/authorized_keys",
            ]
            for question in questions {
                let (own, other) = (
                    try await TestHost.inside(name, question), try await TestHost.inside(twin, question)
                )
                #expect(own != other && !own.isEmpty && !other.isEmpty, "\(question): \(own)")
            }
            #expect(try await TestHost.inside(twin, "hostname; cat file") == "\(twin)\nkept")
            #expect(try await TestHost.inside(twin, questions[2]) == clone.hostKey)
            let folder = Layout().disks
            let backing = try await TestHost.shell(
                "qemu-img info -U \(folder)/\(twin).qcow2 | sed -n 's/^backing file: //p'")
            let hash = try #require(clone.imageHash)
            #expect(backing.text.trimmed == "\(Layout().images)/\(hash).qcow2")
            let stored = try await TestHost.shell("stat -c %U:%a \(Layout().images)/\(hash).qcow2")
            #expect(stored.text.trimmed == "root:444")
            #expect(try await run("clone \(name) \(twin)").status == 4)
        }

        @Test func step4_whatIsDestroyedLeavesNothing() async throws {
            #expect(try await run("snapshot rm \(name)@before \(name)@none").status == 0)
            #expect(try await run("destroy \(name) \(twin)").status == 0)
            let left = try await TestHost.shell(
                "find /etc/devhost /var/lib/devhost -name 'vm-snap*' -o -name 'vm-twin*'")
            #expect(left.text.trimmed.isEmpty, "\(left.text)")
        }
    }
}
