/// Decides whether an image may come near QEMU, before anything else opens it.
///
/// It reads the qcow2 header and the tables that it points to, at most a few MiB, and follows nothing out of the file.
/// What passes is a qcow2 image that stands alone: no backing file, no data file, no key, every table within the file.
/// What passes is safe to be opened as qcow2, never to be probed: a guest decides what its own disk begins with.
package struct ImageJudge: Sendable {
    /// The largest virtual size that is let in, in bytes.
    package var maximumVirtualSize: UInt64

    package init(maximumVirtualSize: UInt64 = 2 << 40) { self.maximumVirtualSize = maximumVirtualSize }

    /// Looks at an open file.
    /// - Parameter name: The image in messages.
    /// - Returns: Its header.
    /// - Throws: `refused` with the reason.
    package func judge(_ file: FileDescriptor, name: String) throws -> QCOW2Header {
        let start = try file.read(at: 0, count: ImageFormat.window, path: name)
        let format = ImageFormat.detect(start)
        guard format == .qcow2 else {
            let what =
                start.isEmpty ? "is empty" : format.map { "is \($0.name)" } ?? "does not begin with a qcow2 header"
            throw DevhostError(
                .refused, "the image \(name) is refused: it \(what)", next: "make it with 'qemu-img convert -O qcow2'")
        }
        guard let header = QCOW2Header(start) else { throw Self.refusal(name, "its header is cut short") }
        let judgement = ImageJudgement(
            file: file, name: name, header: header, fileSize: try file.size(path: name),
            maximumVirtualSize: maximumVirtualSize)
        try judgement.check()
        return header
    }

    static func refusal(_ name: String, _ reason: String) -> DevhostError {
        DevhostError(.refused, "the image \(name) is refused: \(reason)")
    }
}
