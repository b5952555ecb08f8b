import CLibvirt

extension Connection {
    /// What happens to domains whose name is one of a VM, from this call on (`virConnectDomainEventRegisterAny`). The
    /// event loop must have been started before the connection was opened.
    /// - Returns: A stream that ends with `unavailable` when libvirt goes away; ending the iteration ends the subscription.
    func domainEvents() async throws -> AsyncThrowingStream<DomainEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<DomainEvent, any Error>.makeStream()
        let receiver = EventReceiver(continuation)
        let uri = uri
        let number = try await read { call in
            let number = try check(
                virConnectDomainEventRegisterAny(
                    call.connection, nil, Int32(VIR_DOMAIN_EVENT_ID_LIFECYCLE.rawValue),
                    unsafeBitCast(EventReceiver.lifecycle, to: virConnectDomainEventGenericCallback.self),
                    Unmanaged.passRetained(receiver).toOpaque(), EventReceiver.release),
                "cannot ask libvirt at \(uri) for events")
            // The mock driver cannot go away, and refuses this.
            let isRegistered = virConnectRegisterCloseCallback(
                call.connection, EventReceiver.close, Unmanaged.passRetained(receiver).toOpaque(), EventReceiver.release
            )
            if isRegistered < 0 { Unmanaged.passUnretained(receiver).release() }
            return number
        }
        continuation.onTermination = { [self] _ in
            // Where libvirt has gone away there is nothing to end.
            Task {
                try? await self.read { call in
                    virConnectDomainEventDeregisterAny(call.connection, number)
                    virConnectUnregisterCloseCallback(call.connection, EventReceiver.close)
                }
            }
        }
        return stream
    }
}

/// What libvirt's event loop calls.
private final class EventReceiver: Sendable {
    let continuation: AsyncThrowingStream<DomainEvent, any Error>.Continuation

    init(_ continuation: AsyncThrowingStream<DomainEvent, any Error>.Continuation) { self.continuation = continuation }

    typealias Lifecycle =
        @convention(c) (OpaquePointer?, OpaquePointer?, Int32, Int32, UnsafeMutableRawPointer?) -> Void

    static let lifecycle: Lifecycle = { _, domain, type, detail, opaque in
        guard let opaque, let text = virDomainGetName(domain), let name = try? VMName(String(cString: text)),
            let event = DomainEvent(domain: name, type: type, detail: detail)
        else { return }
        Unmanaged<EventReceiver>.fromOpaque(opaque).takeUnretainedValue().continuation.yield(event)
    }

    static let close: virConnectCloseFunc = { _, _, opaque in
        guard let opaque else { return }
        Unmanaged<EventReceiver>.fromOpaque(opaque).takeUnretainedValue().continuation.finish(
            throwing: DevhostError(
                .unavailable, "libvirt has gone away", next: "ask for the events again once it is back"))
    }

    static let release: virFreeCallback = { opaque in
        if let opaque { Unmanaged<EventReceiver>.fromOpaque(opaque).release() }
    }
}
