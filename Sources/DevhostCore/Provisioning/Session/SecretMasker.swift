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
    private let firstBytes: [Bool]

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
        var firstBytes = [Bool](repeating: false, count: 256)
        for value in values { firstBytes[Int(value[0])] = true }
        self.firstBytes = firstBytes
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

    /// What stands at the given place: the length of a whole secret, and whether a longer one may still be coming.
    fileprivate func match(_ bytes: [UInt8], at index: Int) -> (length: Int, isPending: Bool) {
        guard firstBytes[Int(bytes[index])] else { return (0, false) }
        let available = bytes.count - index
        var isPending = false
        for value in values {
            let length = min(value.count, available)
            let isEqual = bytes.withUnsafeBytes { text in
                value.withUnsafeBytes { secret in
                    guard let text = text.baseAddress, let secret = secret.baseAddress else { return false }
                    return memcmp(text + index, secret, length) == 0
                }
            }
            guard isEqual else { continue }
            if value.count <= available { return (value.count, isPending) }
            isPending = true
        }
        return (0, isPending)
    }
}

/// Masks the secrets in a stream, also where one arrives in several pieces: what may be the beginning of a secret is
/// held back until it is known.
package struct SecretMasker {
    private let secrets: Secrets
    private var held: [UInt8] = []

    package init(_ secrets: Secrets) { self.secrets = secrets }

    /// Takes the next bytes.
    /// - Returns: What can be shown by now.
    package mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        if secrets.values.isEmpty { return bytes }
        return process(held + bytes, isLast: false)
    }

    /// Ends the stream.
    /// - Returns: What was held back.
    package mutating func finish() -> [UInt8] { process(held, isLast: true) }

    private mutating func process(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        held = []
        while index < bytes.count {
            let (length, isPending) = secrets.match(bytes, at: index)
            if isPending && !isLast {
                held = Array(bytes[index...])
                break
            }
            if length > 0 {
                result += Array(Secrets.mask.utf8)
                index += length
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }
}
