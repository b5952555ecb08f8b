import FoundationEssentials
import Testing

@testable import DevhostCore

@Suite struct TemplateDemandTests {
    private let image: SHA256Digest
    private let other: SHA256Digest
    private let now = Timestamp(Date(timeIntervalSince1970: 1_800_000_000))
    private let most: MemorySize

    init() throws {
        image = try SHA256Hasher.digest([1])
        other = try SHA256Hasher.digest([2])
        most = try MemorySize("8G")
    }

    private func later(days: Double) -> Timestamp { Timestamp(now.date.addingTimeInterval(days * 86400)) }

    @Test func oftenIsThreeTimesWithinAWeek() throws {
        let shape = try MachineShape("2x2G")
        var demand = TemplateDemand()
        for _ in 0..<2 { demand.note(image, shape, at: now) }
        demand.note(other, shape, at: now)
        #expect(demand.wanted(.often, maximumMemory: most, now: now).isEmpty)
        demand.note(image, shape, at: later(days: 1))
        #expect(demand.wanted(.often, maximumMemory: most, now: later(days: 2)).map(\.image) == [image])
        #expect(demand.wanted(.often, maximumMemory: most, now: later(days: 7.5)).isEmpty, "two of them are old")
        #expect(demand.wanted(.often, maximumMemory: try MemorySize("1G"), now: now).isEmpty)
        #expect(demand.wanted(.none, maximumMemory: most, now: now).isEmpty)
    }

    @Test func listedShapesAreWantedOfEveryImageInUse() throws {
        var demand = TemplateDemand()
        demand.note(image, try MachineShape("1x512"), at: now)
        demand.note(other, try MachineShape("1x512"), at: later(days: 1))
        let listed = Configuration.WarmStart.Shapes.listed([try MachineShape("2x2G"), try MachineShape("4x16G")])
        let wanted = demand.wanted(listed, maximumMemory: most, now: later(days: 2))
        #expect(wanted.map(\.image) == [other, image])
        #expect(wanted.map(\.shape.description) == ["2x2048M", "2x2048M"])
    }

    @Test func anyNumberOfImagesTakesLittleRoom() throws {
        var demand = TemplateDemand()
        for number in 0..<1000 {
            let image = try SHA256Hasher.digest(Array("\(number)".utf8))
            demand.note(image, try MachineShape("1x512"), at: now)
            demand.noteUnfit(image)
        }
        #expect(demand.entries.count == 64 && demand.unfit.count == 64)
        #expect(try demand.entries.last?.image == SHA256Hasher.digest(Array("999".utf8)))
        #expect(try JSONCoding.decode(TemplateDemand.self, from: JSONCoding.encode(demand)) == demand)
    }

    @Test func shapesAreReadAsTheyAreWritten() throws {
        #expect(try MachineShape("2x2G") == MachineShape("2x2048"))
        for text in ["", "2", "x", "2x", "x2G", "2x2Gx", "0x2G", "2 x 2G", "2x1", "-1x2G"] {
            #expect(throws: DevhostError.self, "\(text)") { try MachineShape(text) }
        }
        let text = "[warm-start]\nenabled = no\nshapes = 1x512 2x2G\nmax-memory = 4G\nmax-disk = 1T"
        let settings = try Configuration(text: text, source: "devhost.cfg").warmStart
        #expect(!settings.isEnabled && settings.maximumDisk == 1 << 40 && settings.maximumMemory.mebibytes == 4096)
        #expect(settings.shapes == .listed([try MachineShape("1x512"), try MachineShape("2x2G")]))
        let defaults = try Configuration(text: "", source: "devhost.cfg").warmStart
        #expect(defaults.isEnabled && defaults.shapes == .often)
        #expect(throws: DevhostError.self) {
            try Configuration(text: "[warm-start]\nshapes = all", source: "devhost.cfg")
        }
    }
}
