/// What certificate authorities refuse although it is a host name.
enum CertifiableName {
    /// Why a public authority gives out no certificate for a label; nil where nothing is against it. Two hyphens in third
    /// and fourth place are kept for encodings, of which there is one: `xn--` and punycode (RFC 5890, 2.3.1).
    static func problem(withLabel label: Substring) -> String? {
        guard label.utf8.dropFirst(2).starts(with: "--".utf8) else { return nil }
        if label.hasPrefix("xn--"), isPunycode(label.utf8.dropFirst(4)) { return nil }
        return "'\(label)' has two hyphens in third and fourth place, which certificate authorities refuse"
    }

    /// Whether a text is what punycode makes of some text that is not all ASCII (RFC 3492, 6.2).
    static func isPunycode(_ text: Substring.UTF8View.SubSequence) -> Bool {
        let bytes = Array(text)
        let delimiter = bytes.lastIndex(of: UInt8(ascii: "-"))
        var count = UInt32(delimiter ?? 0)
        let digits = bytes[(delimiter.map { $0 + 1 } ?? 0)...]
        guard !digits.isEmpty, bytes.count <= 63, delimiter != 0 else { return false }
        var (code, index, bias): (UInt32, UInt32, UInt32) = (128, 0, 72)
        var isFirst = true
        var rest = digits
        while !rest.isEmpty {
            let start = index
            var weight: UInt32 = 1
            for place: UInt32 in stride(from: 36, through: .max, by: 36) {
                guard let digit = rest.popFirst().flatMap(value) else { return false }
                let (step, isStepTooLarge) = digit.multipliedReportingOverflow(by: weight)
                let (sum, isTooLarge) = index.addingReportingOverflow(step)
                guard !isStepTooLarge, !isTooLarge else { return false }
                index = sum
                let threshold = place <= bias ? 1 : min(26, max(1, place - bias))
                if digit < threshold { break }
                let (next, isWeightTooLarge) = weight.multipliedReportingOverflow(by: 36 - threshold)
                guard !isWeightTooLarge else { return false }
                weight = next
            }
            count += 1
            var delta = (index - start) / (isFirst ? 700 : 2)
            isFirst = false
            delta += delta / count
            var turns: UInt32 = 0
            while delta > 455 {
                delta /= 35
                turns += 36
            }
            bias = turns + 36 * delta / (delta + 38)
            let (point, isTooLarge) = code.addingReportingOverflow(index / count)
            guard !isTooLarge, Unicode.Scalar(point) != nil else { return false }
            code = point
            index = index % count + 1
        }
        return true
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 26
        default: nil
        }
    }
}

extension Configuration.Publish {
    /// The longest name that Let's Encrypt gives a certificate for.
    static let longestCertified = 230

    /// Why there will be no certificate for a published name, because of what stands before the public address or of its
    /// length; nil where nothing is against one. Only public authorities refuse names, and a certificate of one's own
    /// needs none of theirs.
    func certificateProblem(of host: String) -> String? {
        guard usesACME, proxy == .caddy else { return nil }
        let labels = host.dropLast(address.utf8.count).split(separator: ".")
        var problem = labels.lazy.compactMap { CertifiableName.problem(withLabel: $0) }.first
        if problem == nil, acmeDirectory == nil, host.utf8.count > Self.longestCertified {
            problem = "it has \(host.utf8.count) characters, of which Let's Encrypt takes \(Self.longestCertified)"
        }
        guard let problem else { return nil }
        if let certificate, let content = try? Files.read(certificate.certificate, limit: 1 << 20),
            let own = try? CertificateFile(pem: content, source: certificate.certificate),
            own.names.contains(where: { Devhost.covers($0, host) })
        {
            return nil
        }
        return problem
    }
}
