import CLibvirt
import Glibc

/// What libvirt said about a call that failed.
public struct LibvirtError: Error, Sendable, CustomStringConvertible {
    /// libvirt's `virErrorNumber`.
    public let number: Int32
    /// libvirt's own words.
    public let description: String
    /// The operating system's `errno` where libvirt names one, else 0.
    public let systemError: Int32

    /// Takes the error of the last call on this thread: libvirt keeps it per thread, so nothing may run in between.
    static func last() -> LibvirtError {
        guard let error = virGetLastError()?.pointee else {
            return LibvirtError(number: 0, description: "libvirt gives no reason", systemError: 0)
        }
        let number = error.code
        return LibvirtError(
            number: number, description: error.message.map { oneLine(String(cString: $0)) } ?? "no message",
            systemError: number == Int32(VIR_ERR_SYSTEM_ERROR.rawValue) ? error.int1 : 0)
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
            .joined(separator: " ").printable
    }

    func isNumber(_ other: virErrorNumber) -> Bool { number == Int32(other.rawValue) }

    /// The kind of failure of a domain that could not be created for nothing in its definition; nil where it is about
    /// that. libvirt has no number for a name that is taken.
    var codeOfChance: DevhostError.Code? {
        if code == .unavailable || code == .busy { return code }
        let isTaken =
            code == .alreadyExists || [" already exists", " is already "].contains(where: description.contains)
        return isTaken ? .busy : nil
    }

    /// Whether a domain failed to start for something that the host lacks or that somebody else holds, which may be
    /// another matter at the next try. What QEMU itself says of it comes as text alone.
    var isOfHost: Bool {
        switch code {
        case .unavailable, .permissionDenied, .busy, .insufficientSpace, .notFound: return true
        default: break
        }
        // A monitor that breaks off is all that libvirt may see of a QEMU that gave up.
        if systemError != 0 && systemError != ECONNRESET && systemError != EPIPE { return true }
        return Self.wordsOfHost.contains(where: description.contains)
    }

    /// Locks of disk images, KVM, files that cannot be opened, and memory or room that is not there, in the words of QEMU
    /// and of libvirt.
    private static let wordsOfHost = [
        "\" lock", "Failed to lock", "/dev/kvm", "KVM kernel module", "failed to initialize kvm", "virt type 'kvm'",
        "domaintype=kvm", "Could not open '", "Cannot allocate memory", "No space left on device",
    ]

    /// The kind of failure for those who call the library.
    var code: DevhostError.Code {
        switch virErrorNumber(UInt32(number)) {
        case VIR_ERR_NO_DOMAIN, VIR_ERR_NO_NETWORK, VIR_ERR_NO_STORAGE_POOL, VIR_ERR_NO_STORAGE_VOL,
            VIR_ERR_NO_NWFILTER, VIR_ERR_NO_DOMAIN_SNAPSHOT:
            .notFound
        case VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_CANCELLED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_ACCESS_DENIED,
            VIR_ERR_OPERATION_DENIED:
            .permissionDenied
        case VIR_ERR_NO_CONNECT, VIR_ERR_RPC: .unavailable
        case VIR_ERR_NO_SUPPORT, VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_ARGUMENT_UNSUPPORTED,
            VIR_ERR_OPERATION_UNSUPPORTED:
            .unsupported
        case VIR_ERR_DOM_EXIST, VIR_ERR_NETWORK_EXIST, VIR_ERR_STORAGE_VOL_EXIST: .alreadyExists
        case VIR_ERR_OPERATION_TIMEOUT, VIR_ERR_RESOURCE_BUSY: .busy
        case VIR_ERR_SYSTEM_ERROR where systemError == ENOSPC || systemError == EDQUOT: .insufficientSpace
        case VIR_ERR_SYSTEM_ERROR where systemError == EACCES || systemError == EPERM: .permissionDenied
        default: .failed
        }
    }
}

extension DevhostError {
    /// The error of the libvirt call that just failed on this thread.
    static func libvirt(_ attempt: String, next: String? = nil) -> DevhostError {
        let cause = LibvirtError.last()
        return DevhostError(cause.code, attempt, next: next, underlying: cause)
    }
}
