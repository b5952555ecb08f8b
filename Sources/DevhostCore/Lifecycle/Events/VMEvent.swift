/// Something that happened to a VM.
public struct VMEvent: Sendable, Hashable, Encodable {
    /// When this was heard of, in UTC.
    public let time: Timestamp
    /// The VM.
    public let name: VMName
    /// Its owner, as far as there is a record.
    public let owner: String?
    /// What happened.
    public let kind: DomainEvent.Kind
    /// Why or how, for instance `booted` or `by force`.
    public let reason: String?
    /// What the VM is then; nil where the event says nothing about it.
    public let state: DomainState?

    private enum CodingKeys: String, CodingKey {
        case time, name, reason, state
        case owner = "user"
        case kind = "event"
    }
}
