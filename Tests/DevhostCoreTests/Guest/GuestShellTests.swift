import Testing

@testable import DevhostCore

@Suite struct GuestShellTests {
    /// What OpenSSH 9.2 says with LogLevel=ERROR.
    static let changedKey = """
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
        @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
        IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
        Please contact your system administrator.\r
        Host key for demo has changed and you have requested strict checking.\r
        Host key verification failed.\r

        """

    @Test func aHostKeyThatIsRefusedIsOneLine() {
        #expect(GuestShell.lastWords(Array(Self.changedKey.utf8), lines: 1) == "Host key verification failed.")
    }

    @Test func ofWhatAGuestSaysTheEndIsKept() {
        let words = GuestShell.lastWords(
            [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20) + Array("\nno\u{7} room\n".utf8))
        #expect(words.utf8.count <= 2100 && words.hasSuffix("x no\\u{7} room"), "\(words.suffix(40))")
    }

    @Test("A script runs whichever login shell the guest's user has", arguments: ["bash", "dash", "fish", "tcsh"])
    func loginShells(_ shell: String) async throws {
        guard (try? Processes.find(shell)) != nil else { return }
        let folder = try TestFolder("shell")
        try Files.write(folder.path + "/sudo", Array("#!/bin/sh\nshift; exec \"$@\"\n".utf8), mode: 0o755)
        let script = "set -eu\nread -r word\nprintf '%s\\n' \"it's $word\"\n# \\' \" ! `no`\nexit 7\n"
        var command = Command(shell, ["-c", GuestShell.command(script)])
        command.environment["PATH"] = "\(folder.path):\(Command.searchPath)"
        command.environment["HOME"] = folder.path
        command.input = Array((script + "what is read\n").utf8)
        let result = try await Processes.run(command)
        #expect(result.status == 7 && result.text == "it's what is read\n", "\(result.text) \(result.errorText)")
    }
}
