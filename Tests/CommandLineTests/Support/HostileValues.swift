/// Values that somebody may try, beside those that are only wrong.
enum HostileValues {
    static let names = [
        "", String(repeating: "a", count: 64), "Demo", "..", ".", "a/b", "/etc", "../a", "-x", "x-", "12345", "a\nb",
        "a\n", "a'b", "a\"b", "<x/>", "a&b", "a\0b", "a b", " a", "a.b", "a_b", "дом", "bücher", "ａ", "a\u{301}",
        "a\u{202e}b", "$(id)", "`id`", "a;b", "a%2f", "*", "~root", "\u{1b}[2J",
    ]

    static let sizes = [
        "", "0", "-1", "1.5x", "1..5G", "99999999999T", "10GB", "nan", "inf", "0x10", "1e3", "+1G", " 1G", "1 G",
        "1G\n",
        "G", "1GG", "18446744073709551616", "18446744073709551615T", "٣G", "1G;id",
    ]

    static let cpus = [
        "", "0", "-1", "1.5", "241", "99999999999999999999", "two", "0x2", "+2", " 2", "2\n", "٣", "nan",
    ]

    /// Numbers that would not fit what is computed with them.
    static let numbers =
        [
            "0", "-0", "-1", "1e400", "1e30", "1e19", "9223372036854775807", "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616", "4294967295", "4294967296", "-9223372036854775808", "NaN", "Infinity",
        ].flatMap { [$0, "\($0)s", "\($0)h", "\($0)K", "\($0)M", "\($0)T", "\($0).\($0)T", "\($0)x\($0)"] } + [
            "9999-12-31", "10000-01-01", "99999999-01-01T00:00:00", "9223372036854775807-01-01", "0000-00-00",
        ]

    static let urls = [
        "", "/etc/passwd", "file:relative", "file://host/etc/passwd", "ftp://example.com/a", "gopher://x", "http://",
        "http:///a", "https://-oProxyCommand=x/", "http://a/ b", "http://a/\n", "http://a/\"", "javascript:alert(1)",
        "data:,x", "http://bücher.example/", "-x", "file:///a%00b",
    ]

    static let locations = ["", "a b", "a/b", "a\nb", "<x/>", "дом", String(repeating: "a", count: 65), "a'b", "$(id)"]

    static let keys = [
        "", "x", "ssh-rsa", "ssh-rsa AAAA", "command=\"sh\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "/etc/shadow",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ]
}
