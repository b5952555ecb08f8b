#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The secrets of a run, and how they are kept out of what people see.
public struct Secrets: Sendable {
    /// What stands in a secret's place.
    public static let mask = "•••"

    /// The values as bytes, longest first.
    let values: [[UInt8]]
    /// Which of them begin with each byte, longest first.
    private let byFirstByte: [[Int]]

    /// Takes the values that are to be hidden; empty ones are nothing to hide.
    ///
    /// A value of several lines is hidden line by line too, where a line has 8 bytes or more; a value that a shell
    /// would show in quotes, or with backslashes, is hidden in those forms as well, also within a longer word.
    public init(_ secrets: some Sequence<String>) {
        var all: Set<[UInt8]> = []
        for secret in secrets where !secret.isEmpty {
            all.insert(Array(secret.utf8))
            all.formUnion(ShellForms.all(of: secret))
            guard secret.contains("\n") else { continue }
            for line in secret.split(separator: "\n") where line.utf8.count >= 8 { all.insert(Array(line.utf8)) }
        }
        values = all.sorted { $0.count > $1.count }
        var byFirstByte = [[Int]](repeating: [], count: 256)
        for (index, value) in values.enumerated() { byFirstByte[Int(value[0])].append(index) }
        self.byFirstByte = byFirstByte
    }

    /// The text with every secret masked.
    public func masked(_ text: String) -> String {
        if values.isEmpty { return text }
        var masker = SecretMasker(self)
        return String(decoding: masker.add(Array(text.utf8)) + masker.finish(), as: UTF8.self)
    }

    /// The error with every secret masked in what it says.
    func masked(_ error: DevhostError) -> DevhostError {
        if values.isEmpty { return error }
        return DevhostError(
            error.code, masked(error.message), next: error.nextStep.map(masked),
            underlying: error.underlying.map { cause in
                (cause as? DevhostError).map(masked) ?? DevhostError(.failed, masked("\(cause)"))
            }, details: error.details.map(masked))
    }

    fileprivate func canBegin(with byte: UInt8) -> Bool { !byFirstByte[Int(byte)].isEmpty }

    /// What the bytes begin with: the length of a whole secret, and the longer ones that may still be coming.
    fileprivate func match(_ bytes: UnsafeRawBufferPointer) -> (length: Int, pending: [Int]) {
        guard let first = bytes.first else { return (0, []) }
        var pending: [Int] = []
        for index in byFirstByte[Int(first)] {
            let length = min(values[index].count, bytes.count)
            guard values[index].withUnsafeBytes({ Self.isEqual($0, bytes, length) }) else { continue }
            if values[index].count <= bytes.count { return (length, pending) }
            pending.append(index)
        }
        return (0, pending)
    }

    /// Whether the bytes of a secret from an offset on are the given ones, as far as it goes.
    fileprivate func goesOn(_ index: Int, from offset: Int, with bytes: [UInt8]) -> Bool {
        values[index].withUnsafeBytes { secret in
            let rest = UnsafeRawBufferPointer(rebasing: secret.dropFirst(offset))
            return bytes.withUnsafeBytes { Self.isEqual(rest, $0, min(rest.count, $0.count)) }
        }
    }

    private static func isEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ count: Int) -> Bool {
        guard let one = one.baseAddress, let other = other.baseAddress else { return count == 0 }
        return memcmp(one, other, count) == 0
    }
}

/// Masks the secrets in a stream, also where one arrives in several pieces: what may be the beginning of a secret is
/// held back until it is known. No more is held back than the longest secret has bytes.
package struct SecretMasker {
    private let secrets: Secrets
    private var held: [UInt8] = []
    /// The secrets that begin with what is held and have more bytes.
    private var pending: [Int] = []

    package init(_ secrets: Secrets) { self.secrets = secrets }

    /// Takes the next bytes.
    /// - Returns: What can be shown by now.
    package mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        if secrets.values.isEmpty { return bytes }
        if held.isEmpty { return process(bytes, isLast: false) }
        // What only goes on is not looked at again from its beginning, however small the pieces are.
        let going = pending.filter { secrets.goesOn($0, from: held.count, with: bytes) }
        let isOpen = going.allSatisfy { secrets.values[$0].count > held.count + bytes.count }
        if !going.isEmpty && isOpen {
            held += bytes
            pending = going
            return []
        }
        return process(held + bytes, isLast: false)
    }

    /// Ends the stream.
    /// - Returns: What was held back.
    package mutating func finish() -> [UInt8] { process(held, isLast: true) }

    private mutating func process(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        (held, pending) = ([], [])
        bytes.withUnsafeBytes { text in
            // From here on nothing is shown yet.
            var (start, index) = (0, 0)
            while index < text.count {
                guard secrets.canBegin(with: text[index]) else {
                    index += 1
                    continue
                }
                let match = secrets.match(UnsafeRawBufferPointer(rebasing: text[index...]))
                if !match.pending.isEmpty && !isLast {
                    held = Array(text[index...])
                    pending = match.pending
                    break
                }
                if match.length > 0 {
                    result += text[start..<index]
                    result += Secrets.mask.utf8
                    index += match.length
                    start = index
                } else {
                    index += 1
                }
            }
            result += text[start..<index]
        }
        return result
    }
}
