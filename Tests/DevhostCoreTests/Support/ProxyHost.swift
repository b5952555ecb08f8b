import DevhostBase
import FoundationEssentials
import Glibc
import Testing

@testable import DevhostCore

/// A devhost on libvirt's mock driver with a real Caddy before it, in a test host of its own. VMs of the mock get the
/// addresses 10.12.0.2 and up; programs that stand in for them listen there.
final class ProxyHost {
    static let isHere: Bool = {
        guard let text = getenv("DEVHOST_TEST_HOST"), String(cString: text) == "1" else { return false }
        return (try? Processes.find("caddy")) != nil
    }()
    static let hasBrowser = (try? Processes.find("chromium")) != nil && (try? Processes.find("certutil")) != nil
    static let why: Comment = "a real Caddy needs Tests/Support/test-host (root) and the package caddy"
    static let support = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Support"

    let test: TestDevhost
    let devhost: Devhost
    private var programs: [LineProgram] = []

    private init(_ settings: String) throws {
        test = try TestDevhost(publish: settings)
        // Caddy's user must get to its folders.
        chmod(test.folder.path, 0o755)
        devhost = test.devhost()
    }

    /// Runs a test with a devhost, and stops what it started.
    static func run(_ settings: String = "", _ body: (ProxyHost) async throws -> Void) async throws {
        let host = try ProxyHost(settings)
        do {
            try await body(host)
        } catch {
            await host.stop()
            throw error
        }
        await host.stop()
    }

    private func stop() async {
        for program in programs { await program.end() }
        let layout = test.configuration.layout
        let running = (try? await shell("pgrep -u caddy -x caddy").text) ?? ""
        _ = try? await Processes.run(
            Command(
                "curl", ["-sS", "--unix-socket", layout.proxySocket, "-X", "POST", "http://devhost/stop"]))
        // To its very end: Caddies share their ports (SO_REUSEPORT), and one that is on its way out would get some of the
        // next test's requests.
        for process in running.split(separator: "\n") {
            while Files.exists("/proc/\(process)/exe") { try? await Task.sleep(for: .milliseconds(5)) }
        }
    }

    var log: String { (try? Files.readText("\(test.configuration.layout.proxyLogs)/caddy.log")) ?? "" }

    /// When each host was last asked for.
    var requests: [String: Timestamp] {
        (try? AccessLog(layout: test.configuration.layout).lastRequests()) ?? [:]
    }

    /// Makes a VM on the mock driver and publishes it.
    @discardableResult
    func ensure(_ name: String, aliases: String = "", ports: [String] = [], isPrivate: Bool? = nil) async throws
        -> VMRecord
    {
        var request = try test.request(name)
        request.aliases = try Alias.parseList(aliases)
        request.aliasPorts = try ports.map { text in try AliasPort(text) }
        request.isPrivate = isPrivate
        let events = EventLog()
        let record = try await devhost.ensure(request, progress: events.handler).record
        #expect(events.texts.filter { $0.contains("not served") } == [])
        return record
    }

    /// Lets something serve as a VM.
    func serve(_ address: String = "10.12.0.2", port: Int = 443, isPlain: Bool = false) async throws {
        // A network of its own, as a VM has: on the devhost's own addresses it would be in Caddy's way.
        let number = address.split(separator: ".").last ?? ""
        let network = try await shell(
            """
            set -e
            if ! ip link show proxy-test >/dev/null 2>&1; then
                ip link add proxy-test type bridge
                ip address add 10.12.0.1/16 dev proxy-test
                ip link set proxy-test up
            fi
            if ! [ -e /run/netns/vm\(number) ]; then
                ip netns add vm\(number)
                ip link add vm\(number) type veth peer name eth0 netns vm\(number)
                ip link set vm\(number) master proxy-test up
                ip -n vm\(number) address add \(address)/16 dev eth0
                ip -n vm\(number) link set eth0 up
                ip -n vm\(number) link set lo up
            fi
            """)
        try #require(network.status == 0, "\(network.errorText)")
        let files = ["\(test.folder.path)/vm.pem", "\(test.folder.path)/vm.key"]
        if !Files.exists(files[0]) {
            _ = try await shell(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=vm "
                    + "-keyout \(files[1]) -out \(files[0])")
        }
        let program = try LineProgram(
            try Processes.find("ip"),
            ["netns", "exec", "vm\(number)", "\(Self.support)/stand-in-vm", address, "\(port)"]
                + (isPlain ? ["plain"] : files))
        programs.append(program)
        #expect(program.line() == "ready")
    }

    /// Starts a program that ends with the test.
    func start(_ program: String, _ arguments: [String]) throws {
        programs.append(try LineProgram(program, arguments))
    }

    /// A WebSocket that is open.
    func webSocket(_ host: String) throws -> LineProgram {
        let program = try LineProgram("\(Self.support)/websocket-client", [host, "/ws"])
        programs.append(program)
        #expect(program.line() == "open")
        return program
    }

    /// Caddy's own root certificate.
    var root: String { "\(test.configuration.layout.proxyStorage)/pki/authorities/local/root.crt" }

    /// What curl says to these words, verifying certificates against Caddy's root; `*.localhost` is the loopback to it.
    func curl(_ words: String) async throws -> CommandResult {
        try await shell("curl -sS --max-time 20 --cacert \(root) \(words)")
    }

    /// The status of an answer; 0 where there was none.
    func status(_ words: String) async throws -> Int {
        Int(try await curl("-o /dev/null -w '%{http_code}' \(words)").text) ?? 0
    }

    /// What the stand-in says of a request.
    func echo(_ words: String) async throws -> Echo {
        let result = try await curl(words)
        try #require(result.status == 0, "\(words): \(result.errorText) \(log.suffix(2000))")
        return try decode(Echo.self, result.text)
    }

    struct Echo: Decodable {
        let sni: String?
        let path: String
        let headers: [String: String]
        let vm: String
    }

    func shell(_ line: String) async throws -> CommandResult {
        try await Processes.run(Command("bash", ["-c", line]), limit: .seconds(100))
    }
}

/// All that needs Caddy's ports, one after the other.
@Suite(.serialized, .enabled(if: ProxyHost.isHere, ProxyHost.why)) enum ProxyTests {}
