import Testing

@testable import DevhostCore

@Suite struct SizeTests {
    static let hostile = [
        "", "0", "-1", "99999999999T", "10GB", "nan", "G", "1 G", "0x10G", "+5G", "1e3M", "５G", "10G\n",
        "9223372036854775808", ".", ".G", "1.2.3G", "1,5G", "-1.5G", "1.5X", "BB", "1KB",
    ]

    @Test(arguments: hostile) func aHostileSizeIsRefusedWithTheFormsThatAreAccepted(_ text: String) {
        #expect { try DiskSize(text) } throws: { "\($0)".contains("for instance 50G") }
        #expect { try MemorySize(text) } throws: { "\($0)".contains("for instance 2048 or 2G") }
    }

    static let mebibytes: [(String, UInt64)] = [
        ("50G", 51200), ("64M", 64), ("1T", 1_048_576), ("50g", 51200), ("2GiB", 2048),
        // As the old fc-devhost took them.
        ("1.5G", 1536), (".5T", 524_288), ("2.G", 2048), ("65536K", 64), ("1.1G", 1127), ("53687091200", 51200),
        ("53687091200B", 51200), ("67108865b", 65), ("1.9999999999999G", 2048),
    ]

    @Test(arguments: mebibytes)
    func aDiskSizeHasAUnitOrCountsBytes(_ text: String, _ mebibytes: UInt64) throws {
        #expect(try DiskSize(text).bytes == mebibytes << 20)
    }

    @Test func fiftyBytesAreNoDisk() {
        #expect(throws: DevhostError.self) { try DiskSize("50") }
    }

    @Test(arguments: ["1.5G", "1.5g", "2000000000B"]) func memoryIsWhole(_ text: String) {
        #expect(throws: DevhostError.self) { try MemorySize(text) }
    }

    @Test(arguments: [("2048", 2048), ("2G", 2048), ("512M", 512), ("1T", 1 << 20)])
    func bareMemoryIsMebibytes(_ text: String, _ mebibytes: Int) throws {
        #expect(try MemorySize(text).mebibytes == mebibytes)
    }

    @Test func memoryMustBeWholeMebibytes() {
        #expect(throws: DevhostError.self) { try MemorySize("2000000K") }
        #expect(throws: DevhostError.self) { try MemorySize("64M") }
    }

    @Test(arguments: ["0", "-1", "", "1.5", "two", "241", "١"]) func aHostileCPUCountIsRefused(_ text: String) {
        #expect(throws: DevhostError.self) { try CPUCount(text) }
    }

    @Test func sizesOfOldRecordsAreRead() throws {
        #expect(try decode(DiskSize.self, "53687091200").bytes == 50 << 30)
        #expect(try decode(DiskSize.self, #""50G""#).bytes == 50 << 30)
        #expect(try decode(MemorySize.self, "1024").mebibytes == 1024)
        #expect(try decode(MemorySize.self, #""1024M""#).mebibytes == 1024)
    }

    @Test func aSizeIsWrittenWithTheLargestUnitThatDividesIt() throws {
        #expect(try DiskSize("2048G").description == "2T")
        #expect(try DiskSize("1025M").description == "1025M")
        #expect(ByteSize.format(1000) == "1000")
    }
}
