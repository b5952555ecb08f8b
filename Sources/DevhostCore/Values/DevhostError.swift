/// The one error type of Devhost: what failed, with which value, and what to do next.
public struct DevhostError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. New kinds can be added without breaking callers that switch over these.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidArgument, invalidConfiguration, notFound, alreadyExists, conflict, busy, permissionDenied
            case unavailable, timedOut, guestFailed, refused, insufficientSpace, unsupported, damaged, failed
        }
        private let kind: Kind

        /// A value given by the caller is not acceptable.
        public static let invalidArgument = Code(kind: .invalidArgument)
        /// devhost.cfg, an environment or another file of settings is wrong.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// Something that was named does not exist.
        public static let notFound = Code(kind: .notFound)
        /// Something that should be new exists.
        public static let alreadyExists = Code(kind: .alreadyExists)
        /// What exists does not fit what is wanted, and must not be changed without being asked.
        public static let conflict = Code(kind: .conflict)
        /// Somebody else holds a lock for longer than the limit.
        public static let busy = Code(kind: .busy)
        /// The caller may not do this.
        public static let permissionDenied = Code(kind: .permissionDenied)
        /// A service that is needed (libvirt, a server) does not answer.
        public static let unavailable = Code(kind: .unavailable)
        /// A limit of time passed.
        public static let timedOut = Code(kind: .timedOut)
        /// The guest crashed, panicked or refused a command.
        public static let guestFailed = Code(kind: .guestFailed)
        /// An image or a release was looked at and refused.
        public static let refused = Code(kind: .refused)
        /// There is not enough room on a disk or in an address range.
        public static let insufficientSpace = Code(kind: .insufficientSpace)
        /// This is not possible with what is installed here.
        public static let unsupported = Code(kind: .unsupported)
        /// A file of ours cannot be read as what it should be.
        public static let damaged = Code(kind: .damaged)
        /// Anything else: a call or a program failed.
        public static let failed = Code(kind: .failed)

        /// The code's name, for instance `notFound`.
        public var description: String { kind.rawValue }
    }

    /// What kind of failure this is.
    public let code: Code
    /// What was attempted, with the offending value, in lower case and without a full stop.
    public let message: String
    /// What the reader can do about it; nil where the message says all there is.
    public let nextStep: String?
    /// The error that led to this one.
    public let underlying: (any Error)?
    /// Lines that help to understand it, for instance the end of a console; shown before the error itself.
    public let details: String?

    /// Makes an error.
    public init(
        _ code: Code, _ message: String, next nextStep: String? = nil, underlying: (any Error)? = nil,
        details: String? = nil
    ) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
        self.underlying = underlying
        self.details = details
    }

    /// Message, cause and next step on one line, without the details.
    public var description: String {
        var text = message
        if let underlying { text += ": \(underlying)" }
        if let nextStep { text += "; \(nextStep)" }
        return text
    }

    /// The same error with something said before its message, for instance the name of the VM.
    public func prefixed(_ prefix: String) -> DevhostError {
        DevhostError(
            code, "\(prefix): \(message)", next: nextStep, underlying: underlying, details: details)
    }
}
