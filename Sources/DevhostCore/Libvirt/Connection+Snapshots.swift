import CLibvirt
import Glibc

extension Connection {
    /// A snapshot as libvirt has it.
    struct DomainSnapshot: Sendable {
        let name: String
        /// What its maker noted with it.
        let note: String
        /// When it was made, in seconds since 1970.
        let creationTime: Int64
        /// Whether it holds the memory of a domain that ran.
        let isRunning: Bool
        /// Whether it lies within the domain's own disk.
        let isInternal: Bool
    }

    private static func snapshot(_ call: LibvirtCall, _ name: VMName, _ label: String) throws -> OpaquePointer {
        let domain = try domain(call, name)
        return try call.own(
            virDomainSnapshotLookupByName(domain, label, 0), "cannot find the snapshot \(label) of \(name)",
            release: virDomainSnapshotFree)
    }

    /// The snapshots of a domain (`virDomainListAllSnapshots`), the oldest first; none where it is missing.
    func snapshots(_ name: VMName) async throws -> [DomainSnapshot] {
        try await read { call in
            try optional {
                let domain = try Self.domain(call, name)
                var list: UnsafeMutablePointer<virDomainSnapshotPtr?>?
                let count = try check(
                    virDomainListAllSnapshots(domain, &list, 0), "cannot list the snapshots of \(name)")
                defer { free(list) }
                var snapshots: [DomainSnapshot] = []
                for index in 0..<Int(count) {
                    guard let pointer = list?[index] else { continue }
                    defer { virDomainSnapshotFree(pointer) }
                    guard let text = virDomainSnapshotGetXMLDesc(pointer, 0) else { continue }
                    defer { free(text) }
                    guard let label = virDomainSnapshotGetName(pointer) else { continue }
                    snapshots.append(Self.snapshot(String(cString: label), xml: String(cString: text)))
                }
                return snapshots.sorted { ($0.creationTime, $0.name) < ($1.creationTime, $1.name) }
            } ?? []
        }
    }

    private static func snapshot(_ name: String, xml: String) -> DomainSnapshot {
        // The domain's own description stands in the element below.
        let own = xml.firstRange(of: "<domain ").map { xml[..<$0.lowerBound] } ?? xml[...]
        func value(_ element: String) -> String {
            guard let start = own.firstRange(of: "<\(element)>"),
                let end = own[start.upperBound...].firstRange(of: "</\(element)>")
            else { return "" }
            return String(own[start.upperBound..<end.lowerBound])
        }
        return DomainSnapshot(
            name: name, note: XMLElement.unescape(value("description")),
            creationTime: Int64(value("creationTime")) ?? 0, isRunning: value("state") == "running",
            isInternal: !own.contains("snapshot='external'"))
    }

    /// Makes a snapshot of a domain within its disk, with its memory where it runs (`virDomainSnapshotCreateXML`).
    /// - Throws: `alreadyExists` for a name that is taken.
    func createSnapshot(_ name: VMName, label: String, note: String) async throws {
        let xml = XMLElement(
            "domainsnapshot", [:], [XMLElement("name", text: label), XMLElement("description", text: note)]
        ).rendered
        try await changeDomain("virDomainSnapshotCreateXML", name) { domain in
            guard let snapshot = virDomainSnapshotCreateXML(domain, xml, 0) else {
                throw DevhostError.libvirt("cannot make the snapshot \(label) of \(name)")
            }
            virDomainSnapshotFree(snapshot)
        }
    }

    /// Brings a domain that is off to a snapshot (`virDomainRevertToSnapshot`): it runs then if it ran.
    func revert(_ name: VMName, to label: String) async throws {
        try await change("virDomainRevertToSnapshot", "\(name)@\(label)") { call in
            try check(
                virDomainRevertToSnapshot(Self.snapshot(call, name, label), 0),
                "cannot bring \(name) back to the snapshot \(label)")
        }
    }

    /// Removes a snapshot (`virDomainSnapshotDelete`); one that is missing is as good.
    func deleteSnapshot(_ name: VMName, label: String) async throws {
        try await change("virDomainSnapshotDelete", "\(name)@\(label)") { call in
            try optional {
                try check(
                    virDomainSnapshotDelete(Self.snapshot(call, name, label), 0),
                    "cannot remove the snapshot \(label) of \(name)")
            }
        }
    }
}
