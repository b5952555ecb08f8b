extension ImageJudgement {
    private static let maximumBitmaps: UInt32 = 16
    /// The bytes of the list: a name of 1023 bytes for each bitmap, and room to spare.
    private static let maximumBitmapList: UInt64 = 64 << 10
    /// The bytes that all bitmaps take in memory: two of those that QEMU makes unless told otherwise, for 2 TiB.
    private static let maximumBitmapMemory: UInt64 = 9 << 20

    /// The start of an entry of the list; extra data and the name follow, and the whole is a multiple of 8 bytes.
    private static let bitmapEntrySize: UInt64 = 24

    /// Looks at what the header extension says of persistent bitmaps. QEMU loads all of them when it opens an image, and a
    /// bitmap has a bit for each 512 bytes of the disk if it likes, while its table in the file says "all ones" in 8 bytes
    /// for thousands of them, and may be the table of many bitmaps.
    func checkBitmaps(_ cluster: [UInt8], _ offset: Int, _ length: UInt64) throws {
        guard length == 24 else { throw refuse("its list of bitmaps is malformed") }
        let size = number64(cluster, offset + 8)
        guard size <= Self.maximumBitmapList else {
            throw refuse("its list of bitmaps has \(size) bytes, more than \(Self.maximumBitmapList)")
        }
        let start = try table("list of bitmaps", number64(cluster, offset + 16), size).start
        // Without this bit the list is out of date, and QEMU ignores it.
        guard header.autoclearFeatures & 1 << 0 != 0 else { return }
        let count = number32(cluster, offset)
        guard count <= Self.maximumBitmaps else {
            throw refuse("it has \(count) bitmaps, more than \(Self.maximumBitmaps)")
        }
        let list = try file.read(at: start, count: Int(size), path: name)
        guard list.count == Int(size) else { throw refuse("its list of bitmaps does not lie within the file") }
        var memory: UInt64 = 0
        var place: UInt64 = 0
        var found: UInt32 = 0
        // QEMU walks to the end of the list, whatever the extension says of their number.
        while place < size {
            found += 1
            guard found <= Self.maximumBitmaps, place + Self.bitmapEntrySize <= size else {
                throw refuse("its list of bitmaps is malformed")
            }
            memory += try bitmapMemory(list, Int(place))
            guard memory <= Self.maximumBitmapMemory else {
                throw refuse("its bitmaps take more than \(Self.maximumBitmapMemory) bytes of memory")
            }
            let extra = UInt64(number32(list, Int(place) + 20))
            place += (Self.bitmapEntrySize + extra + UInt64(number16(list, Int(place) + 18)) + 7) / 8 * 8
        }
    }

    /// What one bitmap takes in memory, its table included, which has to be as long as the bitmap asks for.
    private func bitmapMemory(_ list: [UInt8], _ offset: Int) throws -> UInt64 {
        let granularity = list[offset + 17]
        guard (9...31).contains(granularity) else {
            throw refuse("a bitmap has a granularity of 2^\(granularity) bytes")
        }
        let bits = (header.virtualSize >> UInt64(granularity)) + 1
        let bytes = (bits + 7) / 8
        let entries = UInt64(number32(list, offset + 8))
        guard entries <= bytes / clusterSize + 1 else {
            throw refuse("the table of a bitmap has \(entries) entries, more than the bitmap needs")
        }
        _ = try table("table of a bitmap", number64(list, offset), entries * 8)
        return bytes + entries * 8
    }
}
