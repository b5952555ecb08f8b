import DevhostCore
import Testing

@Test func x() throws {
    #expect(
        IPv6Address(network: 0xfd00_0000_0000_0000, mac: try MACAddress("02:03:00:00:00:01")).description
            == "fd00::3:ff:fe00:1")
}
