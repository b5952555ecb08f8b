import Synchronization

/// Gives a file in parts and tells how far it has come.
final class FileUpload: Sendable {
    private let file: FileDescriptor
    private let path: String
    private let total: UInt64
    private let progress: ProgressHandler
    private let state = Mutex((done: UInt64(0), meter: TransferMeter()))

    init(file: FileDescriptor, path: String, total: UInt64, progress: @escaping ProgressHandler) {
        self.file = file
        self.path = path
        self.total = total
        self.progress = progress
    }

    /// The next part; an empty one at the end.
    func next() throws -> [UInt8] {
        let part = try file.read(upTo: 1 << 20, path: path)
        state.withLock { state in
            state.done += UInt64(part.count)
            if let rate = state.meter.record(state.done, at: .now, isLast: part.isEmpty) {
                progress(.transfer(what: "the image into the store", done: state.done, total: total, rate: rate))
            }
        }
        return part
    }
}
