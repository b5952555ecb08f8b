import DevhostBase
import DevhostCore
import Foundation
import Glibc
import Testing

/// Good images made by qemu-img in every way it offers, and one of every attack that is known.
@Suite struct ImageJudgeTests {
    private let folder: TestFolder
    private let images: TestImages

    init() throws {
        folder = try TestFolder("judge")
        images = TestImages(folder: folder.path)
    }

    @discardableResult
    private func judge(_ path: String, limit: UInt64 = 2 << 40) throws -> QCOW2Header {
        try ImageJudge(maximumVirtualSize: limit).judge(try FileDescriptor.open(path, O_RDONLY), name: "x")
    }

    private func expectRefusal(
        _ path: String, _ reason: String, limit: UInt64 = 2 << 40, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        await expectError(.refused, containing: reason, sourceLocation: sourceLocation) {
            try judge(path, limit: limit)
        }
    }

    // MARK: Good images

    @Test(arguments: [
        [], ["compat=0.10"], ["cluster_size=512"], ["cluster_size=4k"], ["cluster_size=2M"], ["extended_l2=on"],
        ["compression_type=zstd"], ["refcount_bits=1"], ["refcount_bits=2"], ["refcount_bits=8"], ["refcount_bits=64"],
        ["preallocation=metadata"], ["preallocation=falloc"], ["lazy_refcounts=on"],
    ])
    func whatQemuMakesIsTaken(options: [String]) async throws {
        let path = try await images.qcow2("image", options: options)
        #expect(try judge(path).virtualSize == 8 << 20)
    }

    @Test func snapshotsBitmapsAndCompressionAreTaken() async throws {
        let path = try await images.qcow2("image")
        for name in ["one", "two", "a longer name of a snapshot"] {
            try await images.run("qemu-img", ["snapshot", "-c", name, path])
        }
        try await images.run("qemu-img", ["bitmap", "--add", "-f", "qcow2", path, "bitmap"])
        #expect(try judge(path).snapshotCount == 3)
        for options in [[], ["compression_type=zstd"]] {
            let compressed = "\(folder.path)/compressed"
            let words = options.isEmpty ? [] : ["-o", options.joined()]
            try await images.run(
                "qemu-img", ["convert", "-c", "-f", "qcow2", "-O", "qcow2"] + words + [path, compressed])
            #expect(try judge(compressed).virtualSize == 8 << 20)
        }
    }

    @Test func aLargeDiskIsTakenUpToTheLimit() async throws {
        let path = "\(folder.path)/large"
        try await images.run("qemu-img", ["create", "-q", "-f", "qcow2", path, "2T"])
        #expect(try judge(path).virtualSize == 2 << 40)
        await expectRefusal(path, "above the limit of 1099511627776", limit: 1 << 40)
    }

    // MARK: Attacks

    @Test func imagesThatNameOtherFilesAreRefused() async throws {
        _ = try images.file("secret", [UInt8](repeating: 1, count: 1 << 20))
        let backed = "\(folder.path)/backed"
        try await images.run(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", "\(folder.path)/secret", backed])
        await expectRefusal(backed, "backing file")
        let bare = try await images.qcow2("bare", options: ["compat=0.10"])
        try images.patch(bare, at: 8, number: UInt64(1024))
        await expectRefusal(bare, "backing file")

        let data = try await images.qcow2("data", options: ["data_file=\(folder.path)/external"])
        await expectRefusal(data, "external file")
        let raw = try await images.qcow2(
            "raw-data", options: ["data_file=\(folder.path)/external", "data_file_raw=on"])
        // The bit that announces the file is taken away, the extension that names it stays.
        try images.patch(raw, at: 72, number: UInt64(0))
        await expectRefusal(raw, "external data file")
        try images.patch(raw, at: 88, number: UInt64(0))
        await expectRefusal(raw, "names an external data file")
    }

    @Test func encryptedImagesAreRefused() async throws {
        let path = "\(folder.path)/encrypted"
        try await images.run(
            "qemu-img",
            [
                "create", "-q", "-f", "qcow2", "--object", "secret,id=key,data=secret", "-o",
                "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10", path, "8M",
            ])
        await expectRefusal(path, "encrypted (method 2)")
        try images.patch(path, at: 32, number: UInt32(0))
        await expectRefusal(path, "it is encrypted")
    }

    @Test(arguments: [
        ("vmdk", "VMDK"), ("vdi", "VDI"), ("vhdx", "VHDX"), ("vpc", "VHD"), ("qed", "QED"), ("parallels", "Parallels"),
    ])
    func otherFormatsAreRefusedByName(format: String, name: String) async throws {
        let path = "\(folder.path)/image.\(format)"
        try await images.run("qemu-img", ["create", "-q", "-f", format, path, "8M"])
        await expectRefusal(path, "it is \(name) data")
    }

    @Test func whatIsNoImageIsRefused() async throws {
        for (content, reason) in [
            ([], "it is empty"), (Array("<!DOCTYPE html><html>".utf8), "a web page"),
            ([0x51, 0x46, 0x49, 0xfb], "cut short"),
            ([UInt8](repeating: 0, count: 4096), "does not begin with"),
            (Array("QFI\u{1}".utf8), "does not begin with"),
        ] as [([UInt8], String)] {
            await expectRefusal(try images.file("thing", content), reason)
        }
    }

    /// Offsets are those of the header fields, values what an attacker would put there.
    @Test(
        arguments: [
            (4, 4, 1, "version 1"), (4, 4, 4, "version 4"), (16, 4, 5, "backing file"), (20, 4, 8, "clusters of 2^8"),
            (20, 4, 63, "clusters of 2^63"), (20, 4, 0xffff_ffff, "clusters of"),
            (24, 8, 0, "its disk has no bytes"), (24, 8, 1 << 63, "above the limit"),
            (24, 8, 0x7fff_ffff_ffff_fe00, "above the limit"), (24, 8, 0xffff_ffff_ffff_fe00, "above the limit"),
            (24, 8, 1000, "number of sectors"), (24, 8, 1 << 40, "its L1 table has"),
            (32, 4, 1, "encrypted (method 1)"),
            (36, 4, 0, "its L1 table has 0"), (36, 4, 0xffff_ffff, "its L1 table has"),
            (36, 4, 100_000, "a loop"),
            (40, 8, 0, "L1 table at 0"), (40, 8, 0x10001, "L1 table at 65537"), (40, 8, 1 << 62, "not lie within"),
            (40, 8, 0xffff_ffff_ffff_0000, "not lie within"), (48, 8, 0, "refcount table at 0"),
            (48, 8, 1 << 50, "not lie within"), (56, 4, 0, "refcount table of 0"),
            (56, 4, 0xffff_ffff, "refcount table of"),
            (60, 4, 1, "snapshot table at 0"), (60, 4, 0xffff_ffff, "4294967295 snapshots"), (72, 8, 1, "dirty"),
            (72, 8, 2, "corrupt"), (72, 8, 4, "external file"), (72, 8, 8, "compression type"),
            (72, 8, 1 << 63, "unknown features"),
            (72, 8, 32, "unknown features"), (88, 8, 2, "external data file"), (96, 4, 7, "refcounts of 2^7"),
            (100, 4, 0, "header length 0"), (100, 4, 0xffff_ffff, "header length"), (104, 1, 2, "compression type 2"),
        ] as [(Int, Int, UInt64, String)])
    func eachFieldIsHeldAgainstItsBounds(offset: Int, width: Int, value: UInt64, reason: String) async throws {
        let path = try await images.qcow2("image")
        try judge(path)
        let bytes = withUnsafeBytes(of: value.bigEndian) { Array($0.suffix(width)) }
        try images.patch(path, at: offset, bytes)
        await expectRefusal(path, reason)
    }

    @Test func tablesThatPointIntoEachOtherAreRefused() async throws {
        func image() async throws -> String {
            let path = try await images.qcow2("image", size: "2G")
            try judge(path)
            return path
        }
        let header = try judge(try await image())
        let l1 = Int(header.l1Offset)
        var path = try await image()
        try images.patch(path, at: l1, number: header.l1Offset | 1 << 63)
        await expectRefusal(path, "a loop")
        path = try await image()
        try images.patch(path, at: l1, number: header.refcountTableOffset)
        await expectRefusal(path, "a loop")
        path = try await image()
        let first = try Files.read(path)[l1..<l1 + 8]
        try images.patch(path, at: l1 + 8, Array(first))
        await expectRefusal(path, "two entries")
        path = try await image()
        try images.patch(path, at: l1, number: UInt64(0x00ff_ffff_ffff_0000))
        await expectRefusal(path, "outside of the file")
        path = try await image()
        try images.patch(path, at: l1, number: UInt64(0x51_0001))
        await expectRefusal(path, "reserved bits")
        path = try await image()
        try images.patch(path, at: 48, number: header.l1Offset)
        await expectRefusal(path, "overlap")
        path = try await image()
        try images.patch(path, at: Int(header.refcountTableOffset), number: UInt64(1) << 60)
        await expectRefusal(path, "refcount table points to")
    }

    @Test func endlessExtensionsAreRefused() async throws {
        let path = try await images.qcow2("image")
        let start = Int(try judge(path).headerLength)
        try images.patch(path, at: start, (0..<100).flatMap { _ in [0, 0, 0, 1, 0, 0, 0, 0] as [UInt8] })
        await expectRefusal(path, "more than 64 header extensions")
        try images.patch(path, at: start, [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])
        await expectRefusal(path, "past the first cluster")
    }

    @Test func snapshotTablesThatLeaveTheFileAreRefused() async throws {
        let path = try await images.qcow2("image")
        try await images.run("qemu-img", ["snapshot", "-c", "one", path])
        let table = Int(try judge(path).snapshotOffset)
        let original = try Files.read(path)
        for (offset, bytes, reason) in [
            (0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00], "snapshot's L1 table"),
            (8, [0xff, 0xff, 0xff, 0xff], "too long"),
            (36, [0xff, 0xff, 0xff, 0xff], "extra data"),
        ] as [(Int, [UInt8], String)] {
            try images.patch(path, at: table + offset, bytes)
            await expectRefusal(path, reason)
            try images.patch(path, at: table + offset, Array(original[table + offset..<table + offset + bytes.count]))
        }
        try images.patch(path, at: 60, number: UInt32(200))
        await expectError(.refused) { try judge(path) }
    }

    /// QEMU loads every bitmap of an image that it opens: a table of a few KiB stands for half a GiB.
    @Test func bitmapsThatTakeTheHostsMemoryAreRefused() async throws {
        func bitmaps(_ size: String, _ count: Int = 1, granularity: String = "65536") async throws -> String {
            let path = try await images.qcow2("image", size: size)
            for number in 0..<count {
                try await images.run(
                    "qemu-img", ["bitmap", "--add", "-g", granularity, "-f", "qcow2", path, "bitmap\(number)"])
            }
            return path
        }
        try judge(try await bitmaps("2T", 2))
        try judge(try await bitmaps("8M", 16, granularity: "512"))
        await expectRefusal(try await bitmaps("2T", granularity: "512"), "take more than 9437184 bytes of memory")
        await expectRefusal(try await bitmaps("2T", 3), "take more than")
        await expectRefusal(try await bitmaps("8M", 17), "it has 17 bitmaps")

        let path = try await bitmaps("2T")
        var extensions = Int(try judge(path).headerLength)
        let content = try Files.read(path)
        while content[extensions..<extensions + 4] != [0x23, 0x85, 0x28, 0x75] {
            let length = content[extensions + 4..<extensions + 8].reduce(0) { $0 << 8 | Int($1) }
            extensions += 8 + (length + 7) / 8 * 8
        }
        let list = content[extensions + 24..<extensions + 32].reduce(0) { $0 << 8 | Int($1) }
        for (offset, bytes, reason) in [
            (17, [9], "memory"), (17, [8], "granularity of 2^8"), (17, [64], "granularity of 2^64"),
            (8, [0x00, 0xff, 0xff, 0xff], "more than the bitmap needs"), (0, [0x7f], "table of a bitmap at"),
            (20, [0xff, 0xff, 0xff, 0xff], ""),
        ] as [(Int, [UInt8], String)] {
            let original = Array(content[list + offset..<list + offset + bytes.count])
            try images.patch(path, at: list + offset, bytes)
            // Behind the end of the list nothing is read, wherever an entry says that it ends.
            if reason.isEmpty { try judge(path) } else { await expectRefusal(path, reason) }
            try images.patch(path, at: list + offset, original)
        }
        // The list is longer than what the number says: QEMU walks all of it.
        try images.patch(path, at: extensions + 16, number: UInt64(64 << 10 | 8))
        await expectRefusal(path, "more than 65536")
        // Without the bit that vouches for it, the list is not read by anybody.
        try images.patch(path, at: extensions + 16, number: UInt64(32))
        try images.patch(path, at: list + 17, [8])
        try images.patch(path, at: 88, number: UInt64(0))
        try judge(path)
    }

    @Test func snapshotsWithMuchToTellAreRefused() async throws {
        let path = try await images.qcow2("image")
        try await images.run("qemu-img", ["snapshot", "-c", "one", path])
        // Data behind the list, which the name of the snapshot then takes in.
        try await images.run("qemu-io", ["-f", "qcow2", "-c", "write -q 2M 1M", path])
        let table = Int(try judge(path).snapshotOffset)
        try images.patch(path, at: table + 12, [0xff, 0xff, 0xff, 0xff])
        await expectRefusal(path, "snapshot table is longer than 65536 bytes")
    }

    @Test func aFileCutOffAnywhereIsRefused() async throws {
        let path = try await images.qcow2("image", size: "1G")
        let size = Int(try Files.size(path))
        for length in [1, 71, 72, 103, 104, 511, 512, 65535, 65536, 131_072, 196_608, 262_144, size / 2, size - 65536] {
            let copy = try images.file("cut", Array(try Files.read(path).prefix(length)))
            await expectError(.refused) { try judge(copy) }
        }
    }

    @Test func aHeaderInsideOfARawDiskIsNotLookedFor() async throws {
        let image = try Files.read(try await images.qcow2("image"))
        await expectRefusal(try images.file("disk", [UInt8](repeating: 0, count: 512) + image), "does not begin with")
    }

    /// Whatever passes is, for QEMU too, an image that stands alone.
    @Test func tenThousandMutatedHeadersCrashNothing() async throws {
        let path = try await images.qcow2("image", size: "64M")
        let original = Array(try Files.read(path).prefix(512))
        let l1 = Int(try judge(path).l1Offset)
        let file = try FileDescriptor.open(path, O_RDWR)
        var generator = SeededGenerator(seed: 20)
        var verdicts = (refused: 0, taken: 0)
        for round in 0..<10_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let offset = Int.random(in: 4..<(round % 2 == 0 ? 112 : 512), using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2:
                    bytes.replaceSubrange(
                        offset..<min(offset + 8, 512), with: [UInt8](repeating: 0xff, count: min(8, 512 - offset)))
                default: bytes.swapAt(offset, Int.random(in: 4..<112, using: &generator))
                }
            }
            try images.patch(path, at: 0, bytes)
            if round % 100 == 0 { try images.patch(path, at: l1, generator.bytes(8)) }
            do {
                let header = try ImageJudge().judge(file, name: "x")
                verdicts.taken += 1
                #expect(header.backingFileOffset == 0 && header.encryption == 0 && header.incompatibleFeatures & 4 == 0)
                if verdicts.taken % 50 == 1 { try await expectAlone(path) }
            } catch let error as DevhostError where error.code == .refused {
                verdicts.refused += 1
            }
        }
        #expect(verdicts.refused > 1000 && verdicts.refused + verdicts.taken == 10_000)
    }

    private func expectAlone(_ path: String) async throws {
        let result = try await Processes.run(
            Command("qemu-img", ["info", "-f", "qcow2", "--output=json", path]))
        for key in ["backing-filename", "data-file\"", "encrypted\": true"] { #expect(!result.text.contains(key)) }
    }
}
