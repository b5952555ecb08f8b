import DevhostBase
import Foundation
import Synchronization

/// A project with an environment, and a devhost for it.
final class UpProject: Sendable {
    let run: ScriptRun
    let devhost: TestDevhost
    let events = Mutex<[EnvironmentEvent]>([])
    var folder: String { run.folder }

    /// - Parameters:
    ///   - guest: The sshd of the devhost; nil for the one that tests share.
    ///   - folder: Where the project lies below the test's folder.
    init(guest: TestGuest? = nil, folder: String? = nil) throws {
        run = try ScriptRun(folder: folder)
        devhost = try TestDevhost(guest: guest)
        try run.write("ssh_config", devhost.sshConfiguration("devhost"), mode: 0o600)
        try TestGuest.shell("git init -q \(run.folder.shellQuoted)")
    }

    deinit { devhost.remove() }

    /// - Parameter folder: The checkout; nil for ``folder``.
    func up(in checkout: String? = nil, _ change: (inout EnvironmentUp.Options) -> Void = { _ in }) async throws
        -> [HostOutcome]
    {
        let configuration = try EnvironmentConfiguration(folder: "\(checkout ?? folder)/environments/dev")
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = folder
        environment["R"] = run.remote
        var options = EnvironmentUp.Options(environment: environment, helper: ScriptRun.helper)
        change(&options)
        events.withLock { $0 = [] }
        return try await EnvironmentUp(configuration, options) { event in
            self.events.withLock { $0.append(event) }
        }.run()
    }

    var output: String {
        var bytes: [UInt8] = []
        for case .provision(_, .output(_, let part)) in events.withLock({ $0 }) { bytes += part }
        return String(decoding: bytes, as: UTF8.self)
    }

    var warnings: [String] {
        events.withLock { $0 }.compactMap { event in
            switch event {
            case .warning(let text), .provision(_, .warning(let text)): text
            default: nil
            }
        }
    }

    func ssh(_ host: String, _ command: String) throws -> String {
        try TestGuest.shell(
            "cd \(folder.shellQuoted) && ssh -F ssh_config_dev \(host) \(command.shellQuoted) < /dev/null")
    }
}
