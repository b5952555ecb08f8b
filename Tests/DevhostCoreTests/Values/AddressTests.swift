import Testing

@testable import DevhostCore

@Suite struct AddressTests {
    @Test func theMACAddressIsTheIdInHex() {
        #expect(MACAddress(id: VMIdentifier(0x1234_abcd)).description == "02:03:12:34:ab:cd")
    }

    @Test func aGuestsOwnIPv6AddressFollowsFromItsMAC() throws {
        let mac = try MACAddress("02:03:00:00:00:01")
        #expect(IPv6Address.linkLocal(mac: mac).description == "fe80::3:ff:fe00:1")
        let network = try IPv6Network("fd64:6576:686f:7374::/64")
        #expect(IPv6Address(network: network.bits, mac: mac).description == "fd64:6576:686f:7374:3:ff:fe00:1")
    }

    @Test(arguments: ["::", "::1", "fe80::", "1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1", "1:0:0:2::", "fd00::1:2"])
    func anIPv6AddressIsWrittenInItsCanonicalForm(_ text: String) throws {
        #expect(try IPv6Address(text).description == text)
    }

    @Test(arguments: [
        "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "fe80::1%eth0",
        "::ffff:1.2.3.4",
    ])
    func aWrongIPv6AddressIsRefused(_ text: String) {
        #expect(throws: DevhostError.self) { try IPv6Address(text) }
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.-4", "1.2.3.4/8", "0x1.2.3.4", "1..2.3"])
    func aWrongIPv4AddressIsRefused(_ text: String) {
        #expect(throws: DevhostError.self) { try IPv4Address(text) }
    }

    @Test func aNetworkHasNoHostBits() throws {
        #expect(throws: DevhostError.self) { try IPv4Network("10.12.0.1/16") }
        let network = try IPv4Network("10.12.0.0/16")
        #expect(network.contains(try IPv4Address("10.12.255.255")))
        #expect(!network.contains(try IPv4Address("10.13.0.0")))
    }

    @Test(arguments: ["http://h/p", "https://h:8443/a%20b?c=d", "file:///srv/x.qcow2", "file://localhost/x"])
    func aURLIsKeptAsGiven(_ text: String) throws {
        #expect(try ResourceURL(text).description == text)
    }

    @Test(arguments: [
        "", "ftp://h/p", "file://host/p", "file:p", "http://", "http://-oProxy/p", "http://h/a b", "http://h/\"", "h/p",
        "http://h/\n", "javascript:x", "file:///a%00b", "http://h/ü",
    ])
    func aHostileURLIsRefused(_ text: String) {
        #expect(throws: DevhostError.self) { try ResourceURL(text) }
    }

    @Test func aURLInAMessageShowsNoPassword() throws {
        let shown = try ResourceURL("https://user:secret@h/p?token=secret").redacted
        #expect(!shown.contains("secret") && shown.contains("h/p"))
    }
}
