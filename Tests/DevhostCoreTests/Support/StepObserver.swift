import Synchronization

@testable import DevhostCore

/// Counts the effects of a task, and fails at the n-th: everything after it fails too, as if the process had ended
/// there. What ran before has happened.
final class StepObserver: EffectObserver {
    struct Stopped: Error {}

    private let limit: Int
    private let state = Mutex((effects: [String](), hasStopped: false))

    init(stopAt limit: Int = .max) { self.limit = limit }

    var effects: [String] { state.withLock { $0.effects } }
    /// The effects beside the lines of the audit log.
    var effectsBesideAudit: [String] { effects.filter { !$0.contains("/_audit") } }
    /// Whether an effect was kept from happening.
    var hasStopped: Bool { state.withLock { $0.hasStopped } }

    func willPerform(_ effect: Effect) throws {
        try state.withLock { state in
            guard state.effects.count < limit else {
                state.hasStopped = true
                throw Stopped()
            }
            state.effects.append("\(effect.kind.rawValue): \(effect)")
        }
    }
}

/// Fails one effect, the n-th, and lets all others happen: a disk that is full for a moment, a call that is refused.
final class FaultObserver: EffectObserver {
    struct Fault: Error {}

    private let step: Int
    private let effect: String?
    private let count = Mutex(0)

    /// - Parameter effect: Which effects count; nil for all.
    init(failAt step: Int, of effect: String? = nil) {
        self.step = step
        self.effect = effect
    }

    /// Whether the effect came that is to fail.
    var hasFailed: Bool { count.withLock { $0 >= step } }

    func willPerform(_ effect: Effect) throws {
        if let wanted = self.effect, effect.description != wanted { return }
        let number = count.withLock { count in
            count += 1
            return count
        }
        if number == step { throw Fault() }
    }
}
