extension Devhost {
    /// What happens to VMs, as libvirt tells it: first what each one is (`present`), then what follows, without a gap.
    ///
    /// The stream ends with `unavailable` when libvirt goes away; ending the iteration early ends the subscription. The
    /// first call starts libvirt's event loop on a thread of the process. An embedding tool that uses libvirt itself and
    /// registered an event loop before this call keeps its own.
    /// - Parameter following: Whether it goes on after what each VM is.
    /// - Throws: `unavailable`, `permissionDenied`.
    public func events(following: Bool = true) async throws -> AsyncThrowingStream<VMEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<VMEvent, any Error>.makeStream()
        let shared = try await libvirt()
        guard following else {
            for event in try await presentEvents(shared) { continuation.yield(event) }
            continuation.finish()
            return stream
        }
        try EventLoop.start()
        // The mock driver's state lives in its connection; others hear of events if they were opened after the start of
        // the loop.
        let source = shared.driver == .test ? shared : try await Connection.open(configuration.libvirtURI)
        let events = try await source.domainEvents()
        let present = try await presentEvents(source)
        var owners = Dictionary(uniqueKeysWithValues: present.map { ($0.name, $0.owner) })
        let task = Task { [self] in
            do {
                for event in present { continuation.yield(event) }
                for try await event in events {
                    let name = event.domain
                    if let record = try? records.find(name) { owners[name] = record.owner }
                    // A domain of somebody else's has neither a record nor had it one.
                    guard let owner = owners[name] else { continue }
                    continuation.yield(
                        VMEvent(
                            time: Timestamp(clock.now), name: name, owner: owner, kind: event.kind,
                            reason: event.reason, state: event.state))
                    if event.kind == .undefined { owners[name] = nil }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private func presentEvents(_ libvirt: Connection) async throws -> [VMEvent] {
        let states = try await libvirt.domainStates()
        return try records.readable().map { record in
            VMEvent(
                time: Timestamp(clock.now), name: record.name, owner: record.owner, kind: .present, reason: nil,
                state: states[record.name] ?? .missing)
        }
    }
}
