import FoundationEssentials
import Testing

@testable import DevhostCore

/// What guests are told. Another digest tells every guest anew at its next `ensure`, and first-boot data of another form
/// meet images that exist.
@Suite struct GuestGoldenTests {
    @Test func firstBootDataAreTheGoldenOnes() throws {
        let record = try GoldenSamples.record
        var firstBoot = FirstBoot(guest: try GoldenSamples.guest(record), hostKey: GoldenSamples.hostKey)
        try Golden.expect(bytes: try firstBoot.rendered(), "guest/first-boot.conf")
        firstBoot.newMachineID = "0123456789abcdef0123456789abcdef"
        try Golden.expect(bytes: try firstBoot.rendered(), "guest/first-boot-clone.conf")
        var bare = VMRecord(name: try VMName("bare"))
        bare.hydraEval = .integer(1)
        let least = FirstBoot(guest: try GoldenSamples.guest(bare), hostKey: GoldenSamples.hostKey)
        try Golden.expect(bytes: try least.rendered(), "guest/first-boot-bare.conf")
    }

    @Test func warmFirstBootDataAreTheGoldenOnesButForTheirSeed() throws {
        let record = try GoldenSamples.record
        let firstBoot = FirstBoot(guest: try GoldenSamples.guest(record), hostKey: GoldenSamples.hostKey)
        let difference = FirstBoot.Difference(mac: try #require(record.mac))
        #expect(difference.seed.count == 64)
        var text = String(decoding: try #require(try firstBoot.rendered(difference)), as: UTF8.self)
        let seed = try #require(text.firstRange(of: "\"seed\": \"")?.upperBound)
        let end = text.utf8.index(seed, offsetBy: 128)
        #expect(text[seed..<end].utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) })
        text.replaceSubrange(seed..<end, with: String(repeating: "0", count: 128))
        try Golden.expect(bytes: Array(text.utf8), "guest/first-boot-warm.conf")
        try Golden.expect(bytes: FirstBoot.template(), "guest/first-boot-template.conf")
    }

    @Test func whatAGuestIsToldIsTheGoldenOne() throws {
        let guest = try GoldenSamples.guest(GoldenSamples.record)
        try Golden.expect(bytes: try GuestData.encode(guest.enc()), "guest/enc.json")
        try Golden.expect(text: guest.authorizedKeysBlock, "guest/authorized_keys")
        var bare = try GoldenSamples.record
        bare.channelURL = nil
        bare.location = nil
        bare.diskSize = nil
        let lines = [
            "demo \(try guest.digest())", "bare \(try GoldenSamples.guest(bare).digest())",
            "full \(try GoldenSamples.guest(GoldenSamples.fullRecord).digest())",
        ]
        try Golden.expect(text: lines.joined(separator: "\n"), "guest/digests.txt")
    }
}
