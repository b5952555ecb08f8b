/// The addresses that the DHCP server of a network keeps, as its XML lists them: libvirt writes one element a line.
struct NetworkReservations: Sendable {
    /// By MAC address.
    private(set) var addresses: [String: String] = [:]

    init(xml: String) {
        for line in xml.utf8.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == UInt8(ascii: " ") }
            guard text.starts(with: "<host mac='".utf8), let mac = Self.attribute("mac", text),
                let ip = Self.attribute("ip", text)
            else { continue }
            addresses[mac] = ip
        }
    }

    private static func attribute(_ name: String, _ line: Substring.UTF8View) -> String? {
        guard let start = line.firstRange(of: "\(name)='".utf8)?.upperBound else { return nil }
        return String(Substring(line[start...].prefix { $0 != UInt8(ascii: "'") }))
    }
}
