/// Something that `doctor` noticed.
public struct Finding: Sendable, Hashable, Codable {
    /// How much it matters.
    public enum Severity: String, Sendable, Codable, Comparable, CaseIterable {
        /// Worth knowing; nothing is wrong.
        case note
        /// It works today, and will trouble somebody.
        case warning
        /// Something does not work.
        case error

        /// Orders from note to error.
        public static func < (left: Severity, right: Severity) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    /// What becomes of it with `--fix`.
    public enum Mending: String, Sendable, Codable {
        /// A person decides.
        case byHand = "by hand"
        /// `--fix` does it: nothing can be lost.
        case safe
        /// It was done.
        case done
        /// It was tried and failed; the problem says why.
        case failed
    }

    /// How much it matters.
    public let severity: Severity
    /// What it is about: `VM demo`, `network devhost`.
    public let subject: String
    /// What is wrong.
    public internal(set) var problem: String
    /// Why that matters.
    public let reason: String
    /// The command, or the act, that mends it; nil where there is nothing to do.
    public let remedy: String?
    /// What becomes of it with `--fix`.
    public internal(set) var mending: Mending

    enum CodingKeys: String, CodingKey {
        case severity, subject, problem
        case reason = "why"
        case remedy
        case mending = "fix"
    }
}

/// What `doctor` found.
public struct Diagnosis: Sendable, Codable {
    /// What was looked at, in order.
    public let checks: [String]
    /// What was noticed, the worst first.
    public internal(set) var findings: [Finding]

    /// The worst of what is not mended; nil for a devhost in good health.
    public var worst: Finding.Severity? { findings.filter { $0.mending != .done }.map(\.severity).max() }
}

/// A finding with what mends it, where that is safe.
struct Symptom: Sendable {
    var finding: Finding
    let mend: (@Sendable () async throws -> Void)?

    init(
        _ severity: Finding.Severity, _ subject: String, _ problem: String, because reason: String,
        remedy: String?, mend: (@Sendable () async throws -> Void)? = nil
    ) {
        finding = Finding(
            severity: severity, subject: subject, problem: problem, reason: reason, remedy: remedy,
            mending: mend == nil ? .byHand : .safe)
        self.mend = mend
    }

    /// The finding after its mending.
    func mended() async -> Finding {
        guard let mend else { return finding }
        var finding = finding
        do {
            try await mend()
            finding.mending = .done
        } catch {
            finding.mending = .failed
            finding.problem += "; mending it failed: \(error)"
        }
        return finding
    }
}
