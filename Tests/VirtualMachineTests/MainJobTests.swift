import DevhostBase
import DevhostCore
import FoundationEssentials
import Testing

extension VirtualMachineTests {
    /// One VM through its whole life, in order.
    @Suite(.serialized) struct MainJobTests {
        static let name = "vm-main"
        let devhost: Devhost
        let name: VMName

        init() throws {
            devhost = try TestHost.devhost()
            name = try VMName(Self.name)
        }

        @Test func step01_ensureAsBatouCallsItReturnsWhenSSHAnswers() async throws {
            try await makeDeveloper()
            let image = try TestHost.image()
            let result = try await TestHost.shell(
                """
                setpriv --reuid=alice --regid=alice --init-groups sudo -n \(TestHost.program) ensure --memory 768 --cpu 1 \
                    --aliases "'web api'" --disk-size 8G --image-url \(image) \
                    --channel-url https://example.com/channel.tar.xz --update-channel \
                    --authorized-key "$(cat /run/alice-key.pub)" \(name) </dev/null
                """, limit: .seconds(400))
            try #require(result.status == 0, "\(result.text)\(result.errorText)")
            // The very next thing batou does is rsync, without a retry.
            let record = try devhost.records.require(name)
            let ipv4 = try #require(record.ipv4)
            let banner = try await TestHost.shell("exec 3<>/dev/tcp/\(ipv4)/22; head -c 4 <&3")
            #expect(banner.text == "SSH-")
            #expect(record.owner == "alice")
            #expect(record.aliases.map(\.description) == ["web", "api"])
            let mode = try await TestHost.shell("stat -c %a:%U \(devhost.configuration.layout.record(name))")
            #expect(mode.text.trimmed == "644:root")
        }

        @Test func step02_theGuestKnowsWhoItIs() async throws {
            let record = try devhost.records.require(name)
            #expect(try await TestHost.inside(name, "hostname") == Self.name)
            #expect(try await TestHost.inside(name, "cat /etc/hostname") == Self.name)
            let key = try await TestHost.inside(name, "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
            #expect(key == record.hostKey)
            #expect(try await TestHost.inside(name, "sudo -n id -u") == "0")
            #expect(try await TestHost.inside(name, "getent passwd s-dev | cut -d: -f6") == "/srv/s-dev")
            let enc = try await TestHost.inside(name, "cat /etc/nixos/enc.json")
            let document = try JSONDecoder().decode(JSONValue.self, from: Data(enc.utf8))
            guard case .object(let root) = document, case .object(let parameters)? = root["parameters"] else {
                Issue.record("enc.json is no object: \(enc)")
                return
            }
            #expect(root["name"] == .string(Self.name))
            #expect(parameters["environment_url"] == .string("https://example.com/channel.tar.xz"))
            #expect(parameters["memory"] == .integer(768))
            #expect(try await TestHost.inside(name, TestHost.untilRootHolds(megabytes: 7000)) == "grown")
        }

        @Test func step03_theNameResolvesOnTheDevhostAndInTheGuest() async throws {
            let record = try devhost.records.require(name)
            let ipv4 = try #require(record.ipv4).description
            let ipv6 = try #require(record.ipv6).description
            #expect(try await TestHost.shell("getent ahostsv4 \(name)").text.contains(ipv4))
            #expect(try await TestHost.shell("getent ahostsv6 \(name)").text.contains(ipv6))
            #expect(try await TestHost.inside(name, "getent ahostsv4 \(name)").contains(ipv4))
            let asked = try await TestHost.inside(name, "getent ahosts \(name).devhost")
            #expect(asked.contains(ipv4) && asked.contains(ipv6))
            #expect(try await TestHost.inside(name, "ip -o address show scope global").contains(ipv6))
            let order = try await TestHost.inside(
                name,
                """
                watch=$(systemctl show -P ActiveEnterTimestampMonotonic resolv-conf.path)
                network=$(systemctl show -P InactiveExitTimestampMonotonic systemd-networkd.service)
                [ "$watch" -gt 0 ] && [ "$watch" -le "$network" ] && echo watched first || echo "$watch $network"
                """)
            #expect(order == "watched first", "no change of the name servers can be missed")
        }

        @Test func step04_theOwnersKeyLogsInThroughTheDevhostAndOthersDoNot() async throws {
            let record = try devhost.records.require(name)
            let key = try #require(record.hostKey)
            let options =
                "-F none -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile=/run/known -o LogLevel=ERROR"
            let result = try await TestHost.shell(
                """
                echo "\(name) \(key)" >/run/known
                ssh \(options) -i /run/alice-key developer@\(name) 'echo in'
                rm -f /run/stranger /run/stranger.pub; ssh-keygen -q -t ed25519 -N '' -f /run/stranger
                ssh \(options) -i /run/stranger developer@\(name) 'echo stranger' || echo refused
                """)
            #expect(result.text == "in\nrefused\n")
        }

        @Test func step05_theConsoleIsKeptForRootAlone() async throws {
            let path = devhost.configuration.layout.consoleLog(name)
            #expect(try await TestHost.shell("stat -c %a:%U \(path)").text.trimmed == "600:root")
            #expect(try devhost.consoleLog(name).text.contains("login:"))
            let shown = try await TestHost.shell("\(TestHost.program) logs \(name)")
            #expect(shown.status == 0 && !shown.text.contains("\u{1b}"))
        }

        @Test func step06_ensureWithNothingToChangeChangesNothing() async throws {
            let identifier = try await TestHost.shell("virsh -q domid \(name)").text
            let before = try devhost.records.require(name)
            var after = try await devhost.ensure(EnsureRequest(name: name)).record
            #expect(try await TestHost.shell("virsh -q domid \(name)").text == identifier)
            after.lastDeployDate = before.lastDeployDate
            #expect(after == before)
        }

        @Test func step07_theGuestSpeaksAsItselfOnlyAndReachesOfTheDevhostWhatItNeeds() async throws {
            let gateway = "10.12.0.1"
            let server = try await TestHost.shell(
                """
                python3 -m http.server --bind 0.0.0.0 9999 >/dev/null 2>&1 & echo $! >>/run/servers
                """)
            #expect(server.status == 0)
            func guest(_ line: String) async throws -> String {
                try await TestHost.inside(name, "(\(line)) >/dev/null 2>&1 && echo yes || echo no")
            }
            #expect(try await guest("curl -s -m 5 http://\(gateway)/") == "yes", "Caddy answers there")
            let wait = "until curl -s http://127.0.0.1:9999/; do sleep 0.1; done"
            #expect(try await TestHost.shell(wait, limit: .seconds(10)).status == 0)
            #expect(try await guest("curl -s -m 3 http://\(gateway):9999/") == "no")
            #expect(try await guest("curl -s -m 3 http://[fd64:6576:686f:7374::1]:9999/") == "no")
            #expect(try await guest("ping -c 1 -W 3 \(gateway)") == "yes")
            #expect(try await guest("ping -6 -c 1 -W 3 fd64:6576:686f:7374::1") == "yes")
            let local = "fe80::3:ffff:feff:fffe%eth0"
            #expect(try await guest("ping -6 -c 1 -W 3 \(local)") == "yes")
            #expect(try await guest("curl -s -m 3 http://[\(local)]/") == "no", "it only pings there")
            let device = try await TestHost.inside(
                name, "ip -o route show default | grep -o 'dev [a-z0-9]*' | head -1 | cut -c5-")
            let spoof = "sudo ip address add 10.12.0.99/16 dev \(device); ping -c 1 -W 2 -I 10.12.0.99 \(gateway)"
            #expect(try await guest(spoof) == "no")
            let spoof6 =
                "sudo ip address add fd64:6576:686f:7374::99/64 dev \(device) nodad; "
                + "ping -6 -c 1 -W 2 -I fd64:6576:686f:7374::99 fd64:6576:686f:7374::1"
            #expect(try await guest(spoof6) == "no")
            #expect(
                try await guest(
                    "sudo ip address del 10.12.0.99/16 dev \(device); sudo ip address del fd64:6576:686f:7374::99/64 dev \(device)"
                )
                    == "yes")
            _ = try await TestHost.shell("xargs -r kill </run/servers; rm /run/servers")
        }

        @Test func step07b_whatTheGuestSendsToEverybodyDoesNotReachTheDevhost() async throws {
            func send(_ word: String, to addresses: String...) -> String {
                let sent = addresses.map { #"s.sendto(b"\#(word)", ("\#($0)", 9998))"# }.joined(separator: "; ")
                return "python3 -c 'import socket; s = socket.socket(2, 2); s.setsockopt(1, 6, 1); \(sent)'"
            }
            _ = try await TestHost.shell(
                """
                rm -f /run/heard; exec >/run/heard 2>&1
                python3 -c 'import socket; s = socket.socket(2, 2); s.bind(("", 9998)); print("ready", flush=True)
                print(s.recv(9).decode(), flush=True)' &
                until grep -q ready /run/heard; do sleep 0.05; done
                """)
            let everybody = send("guest", to: "10.12.255.255", "255.255.255.255", "224.0.0.1")
            #expect(try await TestHost.inside(name, "\(everybody) && echo sent") == "sent")
            let heard = try await TestHost.shell(
                "\(send("devhost", to: "127.0.0.1")); until grep -E 'guest|devhost' /run/heard; do sleep 0.05; done")
            #expect(heard.text == "devhost\n", "\(heard.errorText)")
        }

        @Test func step08_theGuestReachesTheOutsideOverBothProtocols() async throws {
            // A machine beyond the devhost's uplink, in a network namespace of its own.
            let made = try await TestHost.shell(
                """
                set -e
                ip netns add outside
                ip link add out0 type veth peer name out1 netns outside
                ip address add 198.51.100.1/24 dev out0; ip -6 address add 2001:db8:1::1/64 dev out0 nodad; ip link set out0 up
                ip -n outside address add 198.51.100.2/24 dev out1; ip -n outside -6 address add 2001:db8:1::2/64 dev out1 nodad
                ip -n outside link set out1 up; ip -n outside link set lo up
                """)
            try #require(made.status == 0, "\(made.errorText)")
            #expect(
                try await TestHost.inside(name, "ping -c 1 -W 5 198.51.100.2 >/dev/null && echo yes || echo no")
                    == "yes")
            #expect(
                try await TestHost.inside(name, "ping -6 -c 1 -W 5 2001:db8:1::2 >/dev/null && echo yes || echo no")
                    == "yes")
            _ = try await TestHost.shell("ip netns del outside")
        }

        @Test func step09_aFullDiskGrowsInTheRunningGuest() async throws {
            _ = try await TestHost.inside(
                name, "sudo sh -c 'head -c 300M /dev/urandom >/filler2; fallocate -l 20G /filler' 2>/dev/null; sync",
                limit: .seconds(300))
            #expect(try await TestHost.inside(name, "df --output=avail / | tail -1").trimmed == "0")
            var request = EnsureRequest(name: name)
            request.diskSize = try DiskSize("10G")
            try await devhost.ensure(request)
            let free = try await TestHost.inside(name, "df --output=avail -BM / | tail -1 | tr -d 'M '")
            #expect(try #require(Int(free)) > 1500)
            await #expect { try await devhost.ensure(try TestHost.request(Self.name)) } throws: {
                ($0 as? DevhostError)?.code == .refused
            }
        }

        @Test func step09b_aGrowthKilledAtAnyEffectIsCompletedByTheNext() async throws {
            try await PromiseTests.run("walk.py", "--grow", name.description, "12")
        }

        @Test func step09c_loginGivesAUserOfSudoNothingOfRoots() async throws {
            try await PromiseTests.run("sudo.py", PromiseTests.sudoers, name.description)
        }

        @Test func step10_freedSpaceInTheGuestIsFreedOnTheDevhost() async throws {
            let full = try #require(try await devhost.describe(name).diskAllocation)
            _ = try await TestHost.inside(
                name, "sudo rm -f /filler /filler2; sync; sudo fstrim /", limit: .seconds(300))
            let freed = try #require(try await devhost.describe(name).diskAllocation)
            #expect(freed < full / 2, "\(full) bytes before, \(freed) after")
        }

        @Test func step11_memoryAndCPUsReachTheVM() async throws {
            var request = EnsureRequest(name: name)
            request.memory = try MemorySize("512M")
            request.cpus = try CPUCount(2)
            let identifier = try await TestHost.shell("virsh -q domid \(name)").text
            try await devhost.ensure(request)
            #expect(
                try await TestHost.shell("virsh -q domid \(name)").text == identifier, "less memory needs no restart")
            #expect(try await TestHost.inside(name, "nproc") == "2")
            #expect(try await TestHost.inside(name, "cat /etc/nixos/enc.json").contains("\"memory\" : 512"))
            request.memory = try MemorySize("1G")
            try await devhost.ensure(request)
            let total = try await TestHost.inside(name, "grep MemTotal /proc/meminfo | tr -dc 0-9")
            #expect(try #require(Int(total)) > 900 << 10)
            #expect(try await TestHost.shell("virsh -q domid \(name)").text != identifier, "more memory needs one")
        }

        @Test func step12_aShutdownStaysOffAndAStartComesBack() async throws {
            #expect(try await devhost.shutDown(name))
            #expect(try await devhost.describe(name).state == .off)
            #expect(try await TestHost.shell("virsh dominfo \(name)").text.contains("Autostart:      disable"))
            #expect(try devhost.records.require(name).isOnline == false)
            let before = try devhost.records.require(name)
            let started = try await devhost.start(name)
            #expect(started.state == .running && started.record.hostKey == before.hostKey)
            #expect(try await TestHost.shell("virsh dominfo \(name)").text.contains("Autostart:      enable"))
        }

        /// A clock that goes ahead of the machine's: what takes its time from it shows that it did.
        struct FastClock: SystemClock {
            let real = RealClock()
            let ahead: Double
            var now: Date { real.now.addingTimeInterval(ahead) }
            var monotonic: ContinuousClock.Instant { real.monotonic }
            func sleep(for duration: Duration) async throws { try await real.sleep(for: duration) }
        }

        @Test(arguments: ["its agent", "ssh"])
        func step12b_aSuspendedVMGoesOnWhereItWasWithItsClockRight(through way: String) async throws {
            _ = try await TestHost.inside(
                name,
                "nohup sh -c 'while :; do echo $((n = n + 1)) >count; sleep 0.2; done' </dev/null >/dev/null 2>&1 &")
            if way == "ssh" { _ = try await TestHost.inside(name, "sudo systemctl stop qemu-guest-agent") }
            let boot = try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id")
            let suspended = try await TestHost.shell("\(TestHost.program) suspend \(name)")
            #expect(suspended.status == 0 && suspended.text == "\(name) is suspended\n", "\(suspended.errorText)")
            #expect(try await devhost.describe(name).state == .suspended)
            #expect(try await !TestHost.shell("virsh -q list --name").text.contains(name.description))
            #expect(try await TestHost.shell("\(TestHost.program) ls -l").text.contains("\(name)  suspended"))
            let clock = FastClock(ahead: way == "ssh" ? 7200 : 3600)
            let later = Devhost(configuration: devhost.configuration, caller: devhost.caller, clock: clock)
            #expect(try await later.start(name).state == .running)
            #expect(try await TestHost.inside(name, "cat /proc/sys/kernel/random/boot_id") == boot)
            let counts = "a=$(cat count); until [ \"$(cat count)\" -gt \"$a\" ]; do sleep 0.1; done; echo counts"
            #expect(try await TestHost.inside(name, counts) == "counts")
            let time = try #require(Double(try await TestHost.inside(name, "date +%s")))
            #expect(abs(time - clock.now.timeIntervalSince1970) < 600)
        }

        @Test func step12c_memoryOnDiskThatIsDamagedIsRemovedAndTheVMBoots() async throws {
            try await devhost.suspend(name)
            let save = "\(Layout.savedMemory)/\(name).save"
            let damaged = try await TestHost.shell("truncate -s $(($(stat -c %s \(save)) / 2)) \(save)")
            try #require(damaged.status == 0, "\(damaged.errorText)")
            let started = try await TestHost.shell("\(TestHost.program) start \(name)", limit: .seconds(400))
            #expect(started.status == 0 && started.text.contains("\(name) is running"), "\(started.errorText)")
            #expect(
                started.errorText.contains("cannot be used and was removed, it boots instead"), "\(started.errorText)")
            #expect(try await TestHost.shell("ls \(Layout.savedMemory)").text.isEmpty)
        }

        @Test func step13_destroyLeavesNothingAndIsRepeatable() async throws {
            try await devhost.suspend(name)
            let result = try await TestHost.shell("\(TestHost.program) destroy \(name) no-such-vm")
            #expect(result.status == 0, "\(result.errorText)")
            let left = try await TestHost.shell(
                """
                virsh -q list --all --name | grep -x \(name)
                virsh net-dumpxml devhost | grep \(name)
                grep \(name) /etc/hosts
                find /etc/devhost /var/lib/devhost \(Layout.savedMemory) -name '*\(name)*'
                """)
            #expect(left.text.trimmed.isEmpty, "\(left.text)")
        }

        /// A user who may do nothing as root but run fc-devhost.
        private func makeDeveloper() async throws {
            let result = try await TestHost.shell(
                """
                id alice 2>/dev/null || useradd -m -b /run alice
                echo 'alice ALL=(root) NOPASSWD: \(TestHost.program)' >/etc/sudoers.d/devhost
                chmod 440 /etc/sudoers.d/devhost
                rm -f /run/alice-key /run/alice-key.pub; ssh-keygen -q -t ed25519 -N '' -C alice -f /run/alice-key
                """)
            try #require(result.status == 0, "\(result.errorText)")
        }
    }
}
