import DevhostBase
import Foundation
import Synchronization

/// A folder with a script in it, run against the test guest.
final class ScriptRun: Sendable {
    /// What came of it.
    struct Result {
        var summary: ProvisionSummary
        var output: String
        var errors: String
        var events: [ProvisionEvent]

        var failures: [String] { summary.failures.map(\.description) }
        var warnings: [String] { events.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    }

    /// Everything that events say.
    final class Collector: Sendable {
        private let state = Mutex<[ProvisionEvent]>([])
        var events: [ProvisionEvent] { state.withLock { $0 } }
        func add(_ event: ProvisionEvent) { state.withLock { $0.append(event) } }

        func text(_ channel: ProvisionEvent.Channel) -> String {
            var bytes: [UInt8] = []
            for case .output(channel, let part) in events { bytes += part }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    let folder: String
    /// A folder of the guest for this run.
    let remote: String
    let collector = Collector()

    private let top: String

    /// - Parameter path: Where the folder lies below one that is made for it; nil for that one itself.
    init(folder path: String? = nil) throws {
        let top = try TestGuest.temporaryFolder()
        self.top = top
        folder = path.map { "\(top)/\($0)" } ?? top
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        remote = "/tmp/devhost-remote-\(UUID().uuidString.prefix(8))"
    }

    deinit {
        try? FileManager.default.removeItem(atPath: top)
        try? FileManager.default.removeItem(atPath: remote)
    }

    /// The executable that verbs start: the one built beside the tests.
    static var helper: String {
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            folder = URL(fileURLWithPath: argument).deletingLastPathComponent()
        }
        return folder.appendingPathComponent("devhost-provision").path
    }

    func write(_ name: String, _ content: String, mode: Int = 0o644) throws {
        let url = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content.utf8).write(to: url)
        chmod(url.path, mode_t(mode))
    }

    /// The script finds its folder of the guest in `$R`.
    func session(
        _ script: String, target: GuestTarget? = nil, _ change: (inout ProvisionSession.Options) -> Void = { _ in }
    ) throws -> ProvisionSession {
        try write("provision.sh", script)
        let guest = try TestGuest.shared()
        var environment = ProcessInfo.processInfo.environment
        environment["R"] = remote
        var options = ProvisionSession.Options(
            script: "\(folder)/provision.sh",
            target: try target ?? GuestTarget(host: "vm", configuration: guest.sshConfiguration),
            environment: environment, helper: Self.helper)
        change(&options)
        return try ProvisionSession(options) { [collector] in collector.add($0) }
    }

    func callAsFunction(
        _ script: String, _ change: (inout ProvisionSession.Options) -> Void = { _ in }
    ) async throws -> Result {
        let summary = try await session(script, change).run()
        return Result(
            summary: summary, output: collector.text(.output), errors: collector.text(.errors),
            events: collector.events)
    }

    /// The content of a file in the guest, which is this machine.
    func content(_ name: String) throws -> String { try String(contentsOfFile: "\(remote)/\(name)", encoding: .utf8) }
}
