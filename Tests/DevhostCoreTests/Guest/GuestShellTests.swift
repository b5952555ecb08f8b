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
}
