#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension DevhostError {
    /// The error of a POSIX call that failed, from `errno` as it stands.
    package static func posix(_ attempt: String, errno number: Int32 = errno, next: String? = nil) -> DevhostError {
        let code: Code =
            switch number {
            case ENOENT: .notFound
            case EEXIST: .alreadyExists
            case EACCES, EPERM: .permissionDenied
            case ENOSPC, EDQUOT: .insufficientSpace
            default: .failed
            }
        return DevhostError(code, "\(attempt): \(String(cString: strerror(number)))", next: next)
    }

    /// This error, or another one wrapped as one of ours.
    package static func wrapping(_ error: any Error, _ attempt: String) -> DevhostError {
        (error as? DevhostError) ?? DevhostError(.failed, attempt, underlying: error)
    }
}
