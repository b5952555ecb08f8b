import Glibc
import Synchronization

/// Writes what arrives into a file, with holes where a whole block is zero, and neither beyond a bound nor into the room
/// that is to stay free on the disk.
final class SparseSink: Sendable {
    private static let block = 64 << 10

    private let file: FileDescriptor
    private let path: String
    private let maximum: UInt64
    private let reserve: UInt64
    private let what: String
    private let progress: ProgressHandler
    private let state = Mutex((size: UInt64(0), written: UInt64(0), meter: TransferMeter()))

    init(
        file: FileDescriptor, path: String, maximum: UInt64, reserve: UInt64, what: String,
        progress: @escaping ProgressHandler
    ) {
        self.file = file
        self.path = path
        self.maximum = maximum
        self.reserve = reserve
        self.what = what
        self.progress = progress
    }

    func take(_ part: UnsafeRawBufferPointer) throws {
        let size = state.withLock { $0.size }
        guard size + UInt64(part.count) <= maximum else {
            throw DevhostError(.refused, "\(what) gives more than the \(maximum) bytes that are allowed")
        }
        var offset = 0
        while offset < part.count {
            let block = UnsafeRawBufferPointer(rebasing: part[offset..<min(offset + Self.block, part.count)])
            if Self.isZero(block) {
                guard lseek(file.number, off_t(block.count), SEEK_CUR) >= 0 else {
                    throw DevhostError.posix("cannot write \(path)")
                }
            } else {
                try makeSure(ofRoomFor: block.count)
                try file.write(block, path: path)
            }
            offset += block.count
        }
        tell(size + UInt64(part.count), isLast: false)
    }

    /// Looks at the disk before the first block and after every ``FreeSpace/step`` bytes.
    private func makeSure(ofRoomFor count: Int) throws {
        let isDue = state.withLock { state in
            let before = state.written
            state.written += UInt64(count)
            return before == 0 || before / FreeSpace.step != state.written / FreeSpace.step
        }
        if isDue {
            try FreeSpace.require([(Files.directory(of: path), UInt64(count))], reserve: reserve, for: what)
        }
    }

    /// Gives the file its size, which a hole at its end does not.
    func finish() throws {
        let size = state.withLock { $0.size }
        try file.truncate(to: size, path: path)
        tell(size, isLast: true)
    }

    private func tell(_ size: UInt64, isLast: Bool) {
        let rate = state.withLock { state in
            state.size = size
            return state.meter.record(size, at: .now, isLast: isLast)
        }
        if let rate { progress(.transfer(what: what, done: size, total: nil, rate: rate)) }
    }

    /// Zero in the first byte, and every byte the same as the one before it.
    private static func isZero(_ block: UnsafeRawBufferPointer) -> Bool {
        guard let start = block.baseAddress, let first = block.first else { return true }
        return first == 0 && memcmp(start, start.advanced(by: 1), block.count - 1) == 0
    }
}
