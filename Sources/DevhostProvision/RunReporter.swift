import DevhostBase
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shows a run: what the script says on its own streams, everything else on standard error.
struct RunReporter: Sendable {
    /// What lines begin with when several VMs are prepared at once.
    var prefix = ""
    let isVerbose: Bool
    let isDryRun: Bool

    func report(_ event: ProvisionEvent) {
        switch event {
        case .output(.output, let bytes): write(bytes, to: 1)
        case .output(.errors, let bytes): write(bytes, to: 2)
        case .started(let call):
            if isVerbose || isDryRun { say("\(call.source):\(call.line): \(call.description)") }
        case .finished(let result):
            if isVerbose, !isDryRun, result.status != 0 {
                say("\(result.call.source):\(result.call.line): exit \(result.status)")
            }
        case .connecting(let host):
            if isVerbose { say("connecting to \(host)") }
        case .connected(let host, let duration):
            if isVerbose { say("connected to \(host) after \(Self.seconds(duration))") }
        case .failed(let failure): say(failure.description)
        case .warning(let text): say("warning: \(text)")
        }
    }

    func report(_ summary: ProvisionSummary) {
        if isDryRun { return }
        let verbs = summary.times.map { "\($0.count) \($0.verb.rawValue) in \(Self.seconds($0.total))" }
        if !verbs.isEmpty { say("\(verbs.joined(separator: ", ")); \(Self.seconds(summary.duration)) in all") }
    }

    static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    func say(_ text: String) { write(Array("\(prefix)\(text)\n".utf8), to: 2) }

    private func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
