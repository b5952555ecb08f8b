/// First-boot data for guests that go on from the memory of a template (docs/images.md says what they make of it).
///
/// A guest knows the size of its first-boot data from its boot, which was the template's: all have one size. The first line
/// says how much of it counts.
extension FirstBoot {
    /// What a guest needs to be told apart from others of its template, beside what every guest is told.
    struct Difference: Sendable {
        /// The MAC address that its network card is to have.
        let mac: MACAddress
        /// What the kernel's random number generator begins anew from.
        let seed: [UInt8]

        /// With 64 fresh random bytes.
        init(mac: MACAddress) {
            self.mac = mac
            seed = (0..<64).map { _ in UInt8.random(in: 0...UInt8.max) }
        }
    }

    /// The size of the first-boot data of templates and of VMs that start from them, in bytes.
    static let warmSize = 16384
    /// The file that makes a guest a template, as long as it is there.
    static let templateMark = "/run/devhost-template"

    /// The first-boot data of a template.
    static func template() -> [UInt8] {
        let text = "# devhost: {\"warm\": 1}\nf \(templateMark) 0644 root root -\n"
        return padded(Array(text.utf8)) ?? []
    }

    /// The first-boot data of a guest that goes on from a template.
    /// - Returns: nil where they are larger than the template's.
    func rendered(_ difference: Difference) throws -> [UInt8]? {
        let seed = difference.seed.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let data = try rendered()
        let header =
            "# devhost: {\"mac\": \"\(difference.mac)\", \"seed\": \"\(seed)\", \"size\": \(data.count), \"warm\": 1}\n"
        return Self.padded(Array(header.utf8) + data)
    }

    /// Data that end in a comment of blanks and have the size that all have; nil for larger ones.
    private static func padded(_ data: [UInt8]) -> [UInt8]? {
        let room = warmSize - data.count
        guard room >= 2 else { return nil }
        let blanks = [UInt8](repeating: UInt8(ascii: " "), count: room - 2)
        return data + [UInt8(ascii: "#")] + blanks + [UInt8(ascii: "\n")]
    }
}
