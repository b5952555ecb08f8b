/// How bash shows a value: in the words that `set -x` prints, and in `printf %q`. The forms are those of bash 5.2's
/// lib/sh/shquote.c and strtrans.c, without the quotes around the word: the value may be only a part of it.
enum ShellForms {
    /// Every form that differs from the value itself, as bytes.
    static func all(of value: String) -> Set<[UInt8]> {
        let bytes = Array(value.utf8)
        var forms: Set<[UInt8]> = [singleQuoted(bytes), escaped(bytes)]
        // In a locale without UTF-8 other bytes than ASCII's are not printable.
        for escapesHighBytes in [false, true] { forms.insert(ansi(bytes, escapesHighBytes: escapesHighBytes)) }
        let quoted = value.shellQuoted
        if quoted != value { forms.insert(Array(quoted.utf8)) }
        forms.remove(bytes)
        return forms
    }

    /// What stands between single quotes.
    private static func singleQuoted(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { $0 == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [$0] }
    }

    /// A backslash before everything that means something to the shell.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        let special = Array(" \t'\"\\|&;()<>!{}*[]?^$`,".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            let isHome = byte == UInt8(ascii: "~") && (result.last.map { ":=".utf8.contains($0) } ?? false)
            if special.contains(byte) || isHome { result.append(UInt8(ascii: "\\")) }
            result.append(byte)
        }
        return result
    }

    /// What stands between `$'` and `'`.
    private static func ansi(_ bytes: [UInt8], escapesHighBytes: Bool) -> [UInt8] {
        let named: [UInt8: Character] = [
            0x1b: "E", 0x07: "a", 0x08: "b", 0x09: "t", 0x0a: "n", 0x0b: "v", 0x0c: "f", 0x0d: "r",
            UInt8(ascii: "'"): "'", UInt8(ascii: "\\"): "\\",
        ]
        return bytes.flatMap { byte -> [UInt8] in
            if let letter = named[byte] { return Array("\\\(letter)".utf8) }
            guard byte < 0x20 || byte == 0x7f || byte >= 0x80 && escapesHighBytes else { return [byte] }
            let octal = String(byte, radix: 8)
            return Array("\\\(String(repeating: "0", count: 3 - octal.count))\(octal)".utf8)
        }
    }
}
