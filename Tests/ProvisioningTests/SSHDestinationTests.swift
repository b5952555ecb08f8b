import DevhostBase
import Testing

@Suite struct SSHDestinationTests {
    @Test(
        "A devhost is named as people name hosts for ssh",
        arguments: [
            ("devhost", "devhost", "devhost"),
            ("me@dev.example.com", "dev.example.com", "me@dev.example.com"),
            ("dev.example.com:2222", "dev.example.com", "dev.example.com:2222"),
            ("ssh://me@dev:22", "dev", "me@dev:22"),
            ("me@corp@dev", "dev", "me@corp@dev"),
            ("2001:db8::1", "2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "2001:db8::1", "[2001:db8::1]"),
            ("me@[2001:db8::1]:22", "2001:db8::1", "me@[2001:db8::1]:22"),
        ])
    func accepted(_ text: String, _ host: String, _ jump: String) async throws {
        let destination = try SSHDestination(text)
        #expect(destination.host == host)
        #expect(destination.jump == jump)
        // What ssh itself makes of both.
        let settings =
            ["hostname \(host)"] + (destination.user.map { ["user \($0)"] } ?? [])
            + (destination.port.map { ["port \($0)"] } ?? [])
        for (words, expected) in [
            (destination.arguments, settings), (["-o", "ProxyJump=\(jump)", "--", "vm"], ["proxyjump \(jump)"]),
        ] {
            let result = try await Processes.run(Command("ssh", ["-G", "-F", "none"] + words))
            #expect(result.status == 0, "\(result.errorText)")
            let lines = Set(result.text.split(separator: "\n").map(String.init))
            #expect(lines.isSuperset(of: expected), "\(expected)")
        }
    }

    @Test(
        "What is no host is refused",
        arguments: [
            "", "dev:", "dev:x", "dev:0", "dev:65536", "dev:22:", "[dev]:22", "[2001:db8::1", "[::1]22", "@dev", "-oX",
            "me@-x",
            "-x@dev", "a b", "a/b", "a\"b", "a'b", "a*", "a;b", "$(id)", "%h", "a\nb",
        ])
    func refused(_ text: String) {
        #expect(throws: DevhostError.self) { try SSHDestination(text) }
    }
}
