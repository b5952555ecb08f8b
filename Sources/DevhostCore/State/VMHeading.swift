/// What a list of names needs of a record.
public struct VMHeading: Sendable, Hashable {
    /// The VM's name, or what stands in place of one.
    public let name: String
    /// Who owns it.
    public let owner: String?
    /// Why the file is no record; nil where its JSON is sound and bears the VM's name.
    public let problem: String?

    /// The keys of a record that are looked at.
    struct Content: Decodable {
        let owner: String?

        private enum Key: String, CodingKey {
            case name, user
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            _ = try VMRecord.name(in: values, key: .name, decoder)
            owner = try values.decodeIfPresent(String.self, forKey: .user)
        }
    }
}
