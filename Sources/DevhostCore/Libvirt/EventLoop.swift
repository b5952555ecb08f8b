import CLibvirt
import Glibc

/// libvirt's own event loop, on one thread of the process: without one no connection hears of events.
///
/// An embedding tool that registered an implementation with libvirt before keeps it, and has to run it.
enum EventLoop {
    /// Starts it at the first call. Connections that are to hear of events are opened afterwards.
    /// - Throws: `unsupported` where libvirt cannot.
    static func start() throws {
        guard isStarted else { throw DevhostError(.unsupported, "libvirt's event loop cannot be started") }
    }

    private static let isStarted: Bool = {
        guard virEventRegisterDefaultImpl() == 0 else { return false }
        Blocking.start {
            // An iteration that fails (out of memory) must not spin.
            while true { if virEventRunDefaultImpl() < 0 { sleep(1) } }
        }
        return true
    }()
}
