import DevhostCore
import Synchronization

/// Keeps the progress events that a call tells.
final class EventLog: Sendable {
    private let events = Mutex([ProgressEvent]())

    var handler: ProgressHandler { { event in self.events.withLock { $0.append(event) } } }
    var all: [ProgressEvent] { events.withLock { $0 } }

    /// The texts that are not about bytes.
    var texts: [String] {
        all.compactMap { event in
            switch event {
            case .step(let text), .notice(let text), .warning(let text): text
            case .transfer: nil
            }
        }
    }
}
