/// What libvirt is told about a folder of volumes (https://libvirt.org/formatstorage.html).
struct PoolDefinition {
    var name: String
    var path: String

    /// QEMU's user passes through the folder and lists nothing.
    var rendered: String {
        let permissions = XMLElement("permissions", [:], [XMLElement("mode", text: "0711")])
        return XMLElement(
            "pool", ["type": "dir"],
            [
                XMLElement("name", text: name),
                XMLElement("target", [:], [XMLElement("path", text: path), permissions]),
            ]
        ).rendered
    }
}

/// What libvirt is told about a volume. The format is always stated.
package struct VolumeDefinition {
    /// How the volume's bytes are laid out.
    package enum Format: String {
        case raw, qcow2
    }

    package var name: String
    var format: Format
    /// The virtual size in bytes.
    var capacity: UInt64
    /// Permission bits in octal.
    var mode: String
    /// The qcow2 file below, which must have been judged.
    var backing: String?

    package init(name: String, format: Format, capacity: UInt64, mode: String, backing: String? = nil) {
        self.name = name
        self.format = format
        self.capacity = capacity
        self.mode = mode
        self.backing = backing
    }

    package var rendered: String {
        let features = format == .qcow2 ? XMLElement("compat", text: "1.1") : nil
        return XMLElement(
            "volume", [:],
            [
                XMLElement("name", text: name),
                XMLElement("capacity", ["unit": "bytes"], text: "\(capacity)"),
                // Nothing is allocated before it is written.
                format == .qcow2 ? XMLElement("allocation", text: "0") : nil,
                XMLElement(
                    "target", [:],
                    [
                        XMLElement("format", ["type": format.rawValue]),
                        features,
                        XMLElement("permissions", [:], [XMLElement("mode", text: mode)]),
                    ]),
                backing.map {
                    XMLElement(
                        "backingStore", [:],
                        [XMLElement("path", text: $0), XMLElement("format", ["type": "qcow2"])])
                },
            ]
        ).rendered
    }
}
