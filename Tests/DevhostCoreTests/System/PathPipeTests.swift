import Foundation
import Synchronization
import Testing

@testable import DevhostCore

@Suite struct PathPipeTests {
    /// More than any pipe holds.
    static let data = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
    private let folder: TestFolder
    private var path: String { folder.path + "/memory" }

    init() throws { folder = try TestFolder("pipe") }

    /// Whether each reader read all.
    private final class Ends: Sendable {
        private let ends = Mutex<[Bool]>([])
        var all: [Bool] { ends.withLock { $0 } }
        func add(_ isComplete: Bool) { ends.withLock { $0.append(isComplete) } }
    }

    private func pipe(_ ends: Ends = Ends()) throws -> PathPipe {
        try PathPipe(path) { ends.add((try? $0.write(Self.data)) ?? false) }
    }

    /// Opens the path as another program does, and reads so many bytes, or all.
    private func read(_ count: Int? = nil) async throws -> [UInt8] {
        try await Blocking.run { [path] in
            let file = try FileDescriptor.open(path, O_RDONLY)
            var bytes: [UInt8] = []
            while bytes.count < count ?? .max {
                let part = try file.read(upTo: min(65536, (count ?? .max) - bytes.count), path: path)
                if part.isEmpty { break }
                bytes += part
            }
            return bytes
        }
    }

    @Test func oneReaderReadsAll() async throws {
        let ends = Ends()
        let pipe = try pipe(ends)
        #expect(try await read() == Self.data)
        try await Blocking.run { try pipe.close() }
        #expect(ends.all == [true])
        #expect(try Files.names(in: folder.path) == [])
    }

    @Test func whoOpensAgainReadsFromTheBeginning() async throws {
        let ends = Ends()
        let pipe = try pipe(ends)
        for count in [92, 1, 70_000, nil, 92] {
            #expect(try await read(count) == Array(Self.data.prefix(count ?? .max)))
        }
        try await Blocking.run { try pipe.close() }
        #expect(ends.all.count { $0 } == 1)
        #expect(try Files.names(in: folder.path) == [])
    }

    @Test func aReaderThatNeverComesKeepsNobody() async throws {
        let pipe = try pipe()
        #expect(Files.exists(path))
        try await Blocking.run { try pipe.close() }
        #expect(try Files.names(in: folder.path) == [])
    }

    @Test func onlyItsOwnerMayOpenIt() async throws {
        let pipe = try pipe()
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO && status.st_mode & 0o777 == 0o600)
        try await Blocking.run { try pipe.close() }
    }

    @Test func whoWaitsForAProcessThatWasKilledSeesTheEnd() async throws {
        mkfifo(path, 0o600)
        let reader = Task { try await read() }
        // Until the other program waits in its opening, there is nobody to be let go.
        while (try? FileDescriptor.open(path, O_WRONLY | O_NONBLOCK)) == nil {
            try await Task.sleep(for: .milliseconds(1))
        }
        try PathPipe.release(path)
        #expect(try await reader.value == [])
        #expect(!Files.exists(path))
        try PathPipe.release(path)
    }

    @Test func whatIsLeftAtThePathIsReplaced() async throws {
        mkfifo(path, 0o600)
        let pipe = try pipe()
        #expect(try await read() == Self.data)
        try await Blocking.run { try pipe.close() }
    }
}
