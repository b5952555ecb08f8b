/// One act upon the world outside this process: a libvirt call, a file written, a program started.
public struct Effect: Sendable, Hashable, CustomStringConvertible {
    /// What is acted upon.
    public enum Kind: String, Sendable {
        /// A call that changes something in libvirt.
        case libvirt
        /// A file or folder written, renamed or removed.
        case file
        /// A program started.
        case process
        /// A connection to a guest or a server.
        case network
    }

    /// What is acted upon.
    public let kind: Kind
    /// The call, and its object: `virDomainCreate demo`.
    public let description: String
}

/// Sees every effect before it happens; a test fails, or ends the process, at a step of its choice.
public protocol EffectObserver: Sendable {
    /// Called before the effect. Throwing makes the effect fail instead of happening.
    func willPerform(_ effect: Effect) throws
    /// Called after a lock that was taken while this watched was let go.
    func didHold(lock path: String, for time: Duration)
}

extension EffectObserver {
    /// Takes no note.
    public func didHold(lock path: String, for time: Duration) {}
}

/// The seam through which every outside effect of the library passes.
public enum Effects {
    /// Who watches the effects of the current task; nobody unless a test says so.
    @TaskLocal public static var observer: (any EffectObserver)?

    /// Announces an effect. Called once, right before it happens.
    package static func announce(_ kind: Effect.Kind, _ description: @autoclosure () -> String) throws {
        guard let observer else { return }
        try observer.willPerform(Effect(kind: kind, description: description()))
    }
}
