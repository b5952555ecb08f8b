import DevhostBase
import DevhostCore
import Testing

extension VirtualMachineTests {
    /// What goes wrong on real hosts: one clear error each, and a state from which the same ensure succeeds.
    @Suite(.serialized) struct FailureTests {
        let devhost: Devhost
        let name: VMName

        init() throws {
            devhost = try TestHost.devhost("[devhost]\nstart-timeout = 4")
            name = try VMName("vm-fails")
        }

        private func expectFailure(
            _ request: EnsureRequest, _ code: DevhostError.Code, says words: String...,
            on devhost: Devhost? = nil, at location: SourceLocation = #_sourceLocation
        ) async {
            await #expect(sourceLocation: location) {
                try await (devhost ?? self.devhost).ensure(request)
            } throws: { error in
                guard let error = error as? DevhostError, error.code == code else { return false }
                let text = (error.details ?? "") + error.description
                return words.allSatisfy(text.contains)
            }
            #expect(throws: Never.self, sourceLocation: location) { try devhostIsEmpty() }
        }

        private func devhostIsEmpty() throws {
            #expect(try devhost.list().map(\.name).filter { $0 == name.description } == [])
            #expect(!Files.exists(devhost.configuration.layout.folder(name)))
        }

        /// A file in the folder that images may be taken from.
        private func file(_ name: String, _ make: String) async throws -> ResourceURL {
            let path = "\(Layout().localImages)/\(name)"
            let made = try await TestHost.shell("mkdir -p \(Layout().localImages); cd \(Layout().localImages); \(make)")
            try #require(made.status == 0, "\(made.errorText)")
            return try ResourceURL("file://\(path)")
        }

        /// A second devhost beside the first.
        private func anotherDevhost(_ name: String, _ network: String) throws -> Devhost {
            try TestHost.devhost(
                """
                [devhost]
                state = /var/lib/\(name)
                [images]
                file-folders = \(Layout().localImages)
                [network]
                name = \(name)
                bridge = \(name)
                ipv4 = \(network)
                ipv6 = fd00:\(name.utf8.count)::/64
                """)
        }

        private func request(_ image: ResourceURL) throws -> EnsureRequest {
            var request = try TestHost.request(name.description)
            request.release = .image(image, channel: nil)
            return request
        }

        @Test func anImageThatIsMissingOrNoQcow2() async throws {
            let missing = try ResourceURL("file://\(Layout().localImages)/missing.qcow2")
            await expectFailure(try request(missing), .notFound, says: "missing.qcow2")
            let text = try await file("text.qcow2", "echo hello >text.qcow2")
            await expectFailure(try request(text), .refused, says: "text.qcow2")
            await expectFailure(
                try request(try ResourceURL("file:///etc/passwd")), .permissionDenied, says: "/etc/passwd")
        }

        @Test func aGuestWithoutSSHIsTakenAwayAfterTheLimit() async throws {
            let empty = try await file("empty.qcow2", "qemu-img create -q -f qcow2 empty.qcow2 1G")
            await expectFailure(try request(empty), .timedOut, says: "4 s", "--timeout")
            let result = try await TestHost.shell("\(TestHost.program) logs \(name)")
            #expect(result.text.contains("did not answer") || result.errorText.contains("did not answer"))
        }

        @Test func aKernelThatPanicsIsToldWithItsConsole() async throws {
            // The image without its initrd: the kernel finds no root file system and panics.
            let broken = try await file(
                "panic.qcow2",
                """
                qemu-img convert -f qcow2 -O raw \(try TestHost.image().path) panic.raw
                start=$(sfdisk -J panic.raw | python3 -c 'import json, sys; t = json.load(sys.stdin)["partitiontable"]; print(t["partitions"][0]["start"] * t.get("sectorsize", 512))')
                config=/boot/grub/grub.cfg
                debugfs -R "dump $config cfg" "panic.raw?offset=$start" 2>/dev/null
                sed -i '/^initrd/d' cfg
                printf 'rm %s\\nwrite cfg %s\\n' $config $config | debugfs -w -f - "panic.raw?offset=$start" 2>/dev/null
                rm cfg
                qemu-img convert -f raw -O qcow2 panic.raw panic.qcow2; rm panic.raw
                """)
            let patient = try TestHost.devhost("[devhost]\nstart-timeout = 120")
            await expectFailure(try request(broken), .guestFailed, says: "panic", "the console of", on: patient)
        }

        @Test func aNetworkThatSomebodyElseMadeIsNotTakenOver() async throws {
            let other = try anotherDevhost("taken", "10.99.0.0/16")
            let defined = try await TestHost.shell(
                """
                virsh -q net-define /dev/stdin <<<"<network><name>taken</name><bridge name='taken0'/><ip address='10.98.0.1' prefix='24'/></network>"
                """)
            try #require(defined.status == 0, "\(defined.errorText)")
            await expectFailure(
                try request(try TestHost.image()), .conflict, says: "taken", "virsh net-undefine", on: other)
            _ = try await TestHost.shell(
                "virsh -q net-undefine taken"
            )
        }

        @Test func addressesThatAnotherInterfaceHasAreNamed() async throws {
            let other = try anotherDevhost("second", "10.97.0.0/16")
            let clash = try await TestHost.shell(
                """
                set -e
                ip link add clash type veth peer name clash1
                ip link set clash up; ip link set clash1 up
                ip address add 10.97.0.1/16 dev clash
                """)
            try #require(clash.status == 0, "\(clash.errorText)")
            await expectFailure(try request(try TestHost.image()), .failed, says: "second", "ip address", on: other)
            _ = try await TestHost.shell(
                "ip link del clash"
            )
        }

        @Test func aLibvirtThatDoesNotAnswerIsSaidSo() async throws {
            let lost = try TestHost.devhost("[devhost]\nlibvirt-uri = qemu+unix:///system?socket=/run/no-such-socket")
            await expectFailure(
                try request(try TestHost.image()), .unavailable, says: "cannot reach libvirt", "start it", on: lost)
            #expect(try lost.list().allSatisfy { $0.problem == nil }, "list needs no libvirt")
        }

        @Test func aStoreWithoutSpaceIsSaidSoAndTheNextEnsureSucceeds() async throws {
            let layout = devhost.configuration.layout
            let full = try await TestHost.shell(
                "mkdir -p \(layout.images) \(layout.downloads) && mount -t tmpfs -o size=8m small \(layout.downloads)")
            try #require(full.status == 0, "\(full.errorText)")
            let image = try await file(
                "large.qcow2", "qemu-img create -q -f qcow2 -o preallocation=full large.qcow2 64M")
            await expectFailure(try request(image), .insufficientSpace, says: "large.qcow2")
            _ = try await TestHost.shell("umount \(layout.downloads)")
        }
    }
}
