import DevhostBase
import DevhostCore
import FoundationEssentials
import Glibc
import Synchronization
import Testing

extension VirtualMachineTests {
    /// VMs that go on from the memory of a template, in order.
    @Suite(.serialized) struct WarmStartTests {
        static let names = ["vm-warm1", "vm-warm2"]
        let devhost: Devhost
        let names: [VMName]
        let shape: MachineShape

        init() throws {
            var configuration = try TestHost.devhost().configuration
            // A machine that runs other tests beside this one is slow, and no reason to boot.
            configuration.warmStart.answerLimit = .seconds(120)
            devhost = Devhost(
                configuration: configuration, caller: Caller(userID: 0, name: "root", isElevated: false))
            names = try Self.names.map { try VMName($0) }
            shape = try MachineShape("1x512")
        }

        private func request(_ name: String) throws -> EnsureRequest {
            var request = try TestHost.request(name, memory: shape.memory.mebibytes)
            request.authorizedKeys = [try AuthorizedKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= of-\(name)")]
            return request
        }

        /// What a call warns of.
        private final class Warnings: Sendable {
            private let kept = Mutex([String]())
            var texts: [String] { kept.withLock { $0 } }
            var handler: ProgressHandler {
                { event in if case .warning(let text) = event { self.kept.withLock { $0.append(text) } } }
            }
        }

        private func template() async throws -> Template { try #require(try await devhost.templates().first) }

        @Test func step01_aTemplateIsMadeAndHoldsNoIdentity() async throws {
            let source = TemplateSource.release(.image(try TestHost.image(), channel: nil))
            let template = try await devhost.buildTemplate(of: source, shape: shape)
            #expect(template.size < 256 << 20)
            let files = "/var/lib/devhost/_templates/\(template.name)"
            let modes = try await TestHost.shell("stat -c '%a %U' \(files).*")
            #expect(modes.text == "600 root\n600 root\n600 root\n", "JSON, memory and disk alone")
            let found = try await TestHost.shell(
                """
                set -eu
                qemu-img convert -O raw \(files).qcow2 /run/template.raw
                files() { debugfs -R "$1" '/run/template.raw?offset=1048576' 2>/dev/null; }
                echo "machine-id: $(files 'cat /etc/machine-id')"
                for folder in /etc/ssh /home/developer /etc/nixos /etc /var/log/journal; do
                    files "ls -p $folder" | cut -d/ -f6 | grep -E '^(ssh_host_.*|\\.ssh|enc\\.json|hostname|[0-9a-f]{32})$' || true
                done
                rm /run/template.raw
                key=$(cut -d' ' -f2 /var/lib/devhost/_bootstrap_key.pub 2>/dev/null || echo nothing-of-this-kind)
                grep -a -c "$key" \(files).memory || true
                """)
            #expect(found.text == "machine-id: \n0\n", "\(found.errorText)")
        }

        @Test func step02_newVMsStartFromIt() async throws {
            for name in Self.names {
                let watch = CardWatch(name)
                // What it asks QEMU taints the domain.
                let made = try await Effects.$observer.withValue(name == Self.names[1] ? watch : nil) {
                    try await devhost.ensure(try request(name))
                }
                #expect(made.start == .warm && made.state == .running)
                #expect(name == Self.names[0] || watch.report == "has its MAC: yes, sent: 0", "\(watch.report)")
                let mac = try #require(made.record.mac)
                let card = try await TestHost.shell(
                    """
                    echo $(virsh -q domif-getlink \(name) \(mac)) \\
                        $(virsh -q dumpxml \(name) --xpath '//filterref/parameter[@name="IP"]/@value') \\
                        $(virsh -q nwfilter-binding-list | grep -c $(virsh -q domiflist \(name) | awk '{ print $1 }'))
                    """)
                let expected = "\(mac) up value=\"\(try #require(made.record.ipv4))\" 1\n"
                #expect(card.text == expected, "linked and filtered: \(card.errorText)")
                if name == Self.names[1] {
                    let connections = try await TestHost.inside(
                        VMName(name), "sudo journalctl -q -b -t sshd -o cat | grep -cE '(from|by) 10[.]12[.]0[.]1 port'"
                    )
                    #expect(connections == "1", "this one: none to find out that it answers")
                }
                let servers = try await TestHost.inside(VMName(name), "cat /etc/resolv.conf")
                #expect(servers == "nameserver 10.12.0.1\nsearch devhost", "it knows names from the first login on")
            }
            #expect(try await template().uses == 2)
            let tainted = try await TestHost.shell("grep -c tainted /var/log/libvirt/qemu/vm-warm1.log")
            #expect(tainted.text.trimmed == "0")
        }

        /// Looks at a card before it gets its link and its filter: what has the guest sent once it has its own MAC?
        private final class CardWatch: EffectObserver {
            private let name: String
            private let kept = Mutex("the card got no link")
            var report: String { kept.withLock { $0 } }

            init(_ name: String) { self.name = name }

            func willPerform(_ effect: Effect) throws {
                guard effect.description == "virDomainUpdateDevice \(name)" else { return }
                let look = """
                    read -r card _ _ _ mac < <(virsh -q domiflist \(name))
                    for _ in {1..300}; do
                        virsh -q qemu-monitor-command \(name) '{"execute":"query-rx-filter"}' | tr A-F a-f |
                            grep -qF '"main-mac":"'$mac && itself=yes && break
                        sleep 0.2
                    done
                    # With a link it would look for neighbours and ask for an address at once.
                    sleep 3
                    echo "has its MAC: ${itself:-no}, sent: $(cat /sys/class/net/$card/statistics/rx_packets)"
                    """
                guard let pipe = popen("bash <<'END'\n\(look)\nEND", "r") else { return }
                defer { pclose(pipe) }
                var line = [CChar](repeating: 0, count: 256)
                guard fgets(&line, Int32(line.count), pipe) != nil else { return }
                kept.withLock {
                    $0 = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).trimmed
                }
            }
        }

        /// What makes a VM itself, as the guest sees it.
        private func identity(_ name: VMName) async throws -> [String: String] {
            let lines = try await TestHost.inside(
                name,
                """
                cd /etc
                while [ "$(systemctl is-active fc-warm-start.service)" = activating ]; do sleep 0.2; done
                echo "host name: $(hostname) $(cat hostname)"
                # It was drawn right after the random number generator began anew: its first 16 bytes.
                echo "machine-id: $(cat machine-id)"
                echo "journal: $(sudo journalctl -o json -n 1 | grep -o '"_MACHINE_ID":"[^"]*')"
                echo "host key: $(ssh-keygen -y -f /dev/stdin <<<"$(sudo cat ssh/ssh_host_ed25519_key)" | cut -d' ' -f1,2)"
                echo "keys: $(cat ~/.ssh/authorized_keys | base64 -w0)"
                echo "enc.json: $(base64 -w0 nixos/enc.json)"
                echo "MAC: $(cat /sys/class/net/eth0/address)"
                echo "addresses: $(ip -o address show dev eth0 | tr -s ' ' | cut -d' ' -f4 | sort | tr '\\n' ' ')"
                echo "DHCP: $(sudo grep -h CLIENTID /run/systemd/netif/leases/*)"
                echo "random: $(sudo head -c 16 /dev/urandom | base64)"
                """)
            var identity: [String: String] = [:]
            for line in lines.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                identity[String(line[..<colon])] = String(line[line.index(after: colon)...]).trimmed
            }
            return identity
        }

        @Test func step03_eachIsItselfAndNoOther() async throws {
            let first = try await identity(names[0])
            let second = try await identity(names[1])
            #expect(first.count == 10 && second.count == 10)
            for (what, value) in first {
                #expect(!value.isEmpty && value != second[what], "both have the same \(what): \(value)")
            }
            for (name, identity) in zip(names, [first, second]) {
                let record = try devhost.records.require(name)
                let mac = try #require(record.mac).description
                #expect(identity["host name"] == "\(name) \(name)")
                #expect(identity["host key"] == record.hostKey)
                #expect(identity["MAC"] == mac)
                #expect(identity["addresses"]?.contains("\(try #require(record.ipv4))/") == true)
                #expect(identity["addresses"]?.contains("\(try #require(record.ipv6))/") == true)
                #expect(identity["DHCP"] == "CLIENTID=01\(mac.replacing(":", with: ""))")
                let machine = try #require(identity["machine-id"])
                #expect(machine.utf8.count == 32)
                #expect(identity["journal"]?.hasSuffix(machine) == true)
                let keys = try #require(Data(base64Encoded: identity["keys"] ?? ""))
                #expect(String(decoding: keys, as: UTF8.self).contains("of-\(name)"))
                let clock = try await TestHost.inside(name, "date +%s")
                let now = Date().timeIntervalSince1970
                #expect(abs(try #require(Double(clock)) - now) < 10, "its clock is right")
                #expect(try await TestHost.inside(name, TestHost.untilRootHolds(megabytes: 7000)) == "grown")
                let later = "udevadm settle --timeout=60 && systemctl is-active resolv-conf.path"
                #expect(try await TestHost.inside(name, later) == "active", "nothing waits any more")
                let times = try await TestHost.inside(
                    name,
                    """
                    systemctl show -P InactiveExitTimestampMonotonic fc-warm-start
                    systemctl show -P ActiveEnterTimestampMonotonic resolv-conf.path
                    """
                ).split(separator: "\n").compactMap { Int($0) }
                #expect(times.count == 2 && times == times.sorted(), "a template watches nothing that its VMs change")
            }
        }

        @Test func step03b_itsSSHServerIsOneThatAdministratorsKnow() async throws {
            let reloads = try await TestHost.inside(
                names[0],
                """
                cd /etc/ssh/sshd_config.d
                echo 'Nonsense yes' | sudo tee wrong.conf >/dev/null
                sudo systemctl reload sshd 2>/dev/null || echo "refused, $(systemctl is-active ssh)"
                echo 'VersionAddendum reloaded' | sudo tee wrong.conf >/dev/null
                sudo systemctl reload sshd && echo reloaded
                """)
            #expect(reloads == "refused, active\nreloaded")
            // Its addresses stay the same for all connections only where an emulated processor has to translate them.
            let output = try await TestHost.inside(
                names[0],
                """
                pgrep -fa '^sshd: /usr/sbin/sshd -D'; systemd-detect-virt
                for _ in {1..40}; do (exec 3<>/dev/tcp/127.0.0.1/22; head -n 1 <&3) & done; wait
                """)
            #expect(output.contains("sshd -D -r") == output.contains("\nqemu\n"), "\(output)")
            let answers = output.split(whereSeparator: \.isNewline).filter {
                $0.hasPrefix("SSH-") && $0.hasSuffix(" reloaded")
            }
            #expect(answers.count == 40, "as many connections at once: \(output)")
        }

        @Test func step04_aWarmVMIsAVMLikeAnyOther() async throws {
            let name = names[0]
            let before = try await identity(name)
            #expect(try await devhost.suspend(name))
            #expect(try await devhost.start(name).start == nil, "it goes on where it was")
            var request = EnsureRequest(name: name)
            request.diskSize = try DiskSize("9G")
            #expect(try await devhost.ensure(request).start == nil)
            #expect(try await TestHost.inside(name, TestHost.untilRootHolds(megabytes: 8000)) == "grown")
            let asked = "busctl call org.freedesktop.systemd1 / org.freedesktop.DBus.Peer GetMachineId"
            let same = try await TestHost.inside(
                name,
                """
                systemctl is-active --quiet fc-warm-start-finish.timer && sudo systemctl start fc-warm-start-finish.service
                until [ "$(\(asked))" = "s \\"$(cat /etc/machine-id)\\"" ]; do sleep 0.2; done; echo same
                """)
            #expect(same == "same", "systemd itself knows the machine-id in the end")
            try await devhost.shutDown(name)
            #expect(try await devhost.start(name).start == .cold)
            var after = try await identity(name)
            after["random"] = before["random"]
            #expect(after == before)
            let odd = try await TestHost.inside(name, "systemctl --failed --no-legend; ls /run | grep devhost- || true")
            #expect(odd.isEmpty, "it boots as any other VM does: \(odd)")
            let findings = try await devhost.diagnose().findings.filter { $0.subject.hasPrefix("VM ") }
            #expect(findings.isEmpty, "\(findings)")
            try await devhost.destroy(name)
        }

        @Test func step04b_aWarmVMIsSnapshotChangedAndStartedByTheHost() async throws {
            let name = names[1]
            _ = try await TestHost.inside(name, "echo kept >file; sync")
            let boot = try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id")
            try await devhost.snapshot(name, label: SnapshotLabel("warm"))
            _ = try await TestHost.inside(name, "echo lost >file; sync")
            try await devhost.restore(SnapshotReference("\(name)@warm"), isForced: true)
            #expect(try await TestHost.inside(name, "cat file; cat /proc/sys/kernel/random/boot_id") == "kept\n\(boot)")
            // What libvirtd does with it when the host has started.
            let asAfterAReboot = try await TestHost.shell(
                """
                virsh -q dominfo \(name) | grep -q 'Autostart: *enable' && virsh -q destroy \(name) >/dev/null &&
                    virsh -q start \(name)
                """)
            #expect(asAfterAReboot.status == 0, "\(asAfterAReboot.errorText)")
            try await devhost.wait(for: name)
            #expect(try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id") != boot, "it booted")
            var request = EnsureRequest(name: name)
            request.cpus = try CPUCount("2")
            request.memory = try MemorySize("640M")
            #expect(try await devhost.ensure(request).state == .running)
            let shape = try await TestHost.inside(name, "nproc; awk '/MemTotal/ { print ($2 > 540000) }' /proc/meminfo")
            #expect(shape == "2\n1")
            try await devhost.destroy(name)
        }

        @Test func step05_oneThatDoesNotAnswerIsThrownAwayAndBootsInTheSameCall() async throws {
            var configuration = devhost.configuration
            configuration.warmStart.answerLimit = .milliseconds(1)
            let impatient = Devhost(configuration: configuration, caller: devhost.caller)
            let warnings = Warnings()
            let made = try await impatient.ensure(try request("vm-warm3"), progress: warnings.handler)
            #expect(made.start == .cold && made.state == .running)
            #expect(warnings.texts.filter { $0.contains("its warm start failed") }.count == 1, "\(warnings.texts)")
            #expect(try await TestHost.inside(VMName("vm-warm3"), "hostname") == "vm-warm3")
            try await devhost.destroy(VMName("vm-warm3"))
            #expect(try await template().uses == 2, "it may be good for the next one")
        }

        @Test func step06_anAlteredTemplateIsRemovedAndTheVMBoots() async throws {
            let template = try await template()
            let memory = "/var/lib/devhost/_templates/\(template.name).memory"
            let altered = try await TestHost.shell(
                "printf x | dd of=\(memory) bs=1 seek=$(($(stat -c %s \(memory)) / 2)) conv=notrunc status=none")
            #expect(altered.status == 0)
            let warnings = Warnings()
            let made = try await devhost.ensure(try request("vm-warm4"), progress: warnings.handler)
            #expect(made.start == .cold && made.state == .running)
            #expect(warnings.texts.count == 1 && warnings.texts[0].contains("is removed"), "\(warnings.texts)")
            #expect(try await devhost.templates().isEmpty)
            try await devhost.destroy(VMName("vm-warm4"))
            let left = try await TestHost.shell(
                "ls /var/lib/devhost/_templates; virsh -q list --all --name | grep _ || true")
            #expect(left.text == "demand.json\n", "nothing is left of the template: \(left.text)")
        }

        @Test func step07_anImageThatDoesNotTakePartBootsCold() async throws {
            let source = try TestHost.image().description.replacing("file://", with: "")
            let image = "/var/lib/devhost/_local-images/without-warm-start.qcow2"
            let made = try await TestHost.shell(
                """
                set -eu
                qemu-img convert -O raw \(source) /run/without.raw
                for service in fc-warm-start fc-warm-start-network; do
                    for verb in "rm" "symlink"; do
                        target=$([ $verb = rm ] || echo /dev/null)
                        debugfs -w -R "$verb /etc/systemd/system/$service.service $target" '/run/without.raw?offset=1048576'
                    done
                done >/dev/null 2>&1
                qemu-img convert -O qcow2 /run/without.raw \(image); rm /run/without.raw
                """, limit: .seconds(120))
            try #require(made.status == 0, "\(made.errorText)")
            let release = TemplateSource.release(.image(try ResourceURL("file://\(image)"), channel: nil))
            await #expect {
                try await devhost.buildTemplate(of: release, shape: shape)
            } throws: {
                ($0 as? DevhostError)?.code == .unsupported
            }
            #expect(try await devhost.templates().isEmpty)
            var request = try request("vm-warm5")
            request.release = .image(try ResourceURL("file://\(image)"), channel: nil)
            let warnings = Warnings()
            #expect(try await devhost.ensure(request, progress: warnings.handler).start == .cold)
            #expect(warnings.texts.isEmpty)
            try await devhost.destroy(VMName("vm-warm5"))
        }
    }
}
