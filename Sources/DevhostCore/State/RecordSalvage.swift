#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the content of a file that is no sound record still tells of its VM: cut off, larger than what is read, or with
/// values that this version does not take.
///
/// Only the object's own keys count, whole values of them, in front of the place where the text is no JSON any more:
/// what somebody wrote within a text or a list is never taken for a key.
struct RecordSalvage: Sendable {
    /// The numbers, words and texts of the object, as they stand.
    private let scalars: [String: ArraySlice<UInt8>]

    init(_ content: [UInt8]) { scalars = Self.scalars(in: content) }

    /// The record, as far as it is known. A VM of which that is not known counts as one that is meant to run.
    func record(_ name: VMName) -> VMRecord {
        var record = VMRecord(name: name)
        record.owner = value("user")
        record.id = value("id")
        record.mac = value("srv-mac")
        record.ipv4 = value("srv-ip")
        record.ipv6 = value("srv-ip6")
        record.memory = value("memory")
        record.cpus = value("cpu")
        record.diskSize = value("disk_size")
        record.isOnline = value("online") ?? true
        record.trashed = value("trashed")
        return record
    }

    private func value<Value: Decodable>(_ key: String) -> Value? {
        guard let text = scalars[key] else { return nil }
        return Self.decode(text)
    }

    private static func decode<Value: Decodable>(_ text: ArraySlice<UInt8>) -> Value? {
        try? JSONDecoder().decode([Value].self, from: Data("[".utf8 + text + "]".utf8)).first
    }

    private static func scalars(in content: [UInt8]) -> [String: ArraySlice<UInt8>] {
        var found: [String: ArraySlice<UInt8>] = [:]
        var depth = 0
        var key: String?
        func take(_ value: ArraySlice<UInt8>) {
            if depth == 1, let name = key, found[name] == nil { found[name] = value }
            key = nil
        }
        var index = 0
        while index < content.count {
            switch content[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                key = nil
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth <= 0 { return found }
                index += 1
            case UInt8(ascii: "\""):
                guard let end = endOfText(content, from: index) else { return found }
                let next = content[end...].first { !isBlank($0) }
                if depth == 1, key == nil, next == UInt8(ascii: ":") {
                    key = decode(content[index..<end])
                } else {
                    take(content[index..<end])
                }
                index = end
            case UInt8(ascii: ":"):
                index += 1
            case UInt8(ascii: ","):
                key = nil
                index += 1
            case let byte where isBlank(byte):
                index += 1
            default:
                // A number that the file ends with may be the beginning of a longer one.
                guard let end = content[index...].firstIndex(where: isDelimiter) else { return found }
                take(content[index..<end])
                index = end
            }
        }
        return found
    }

    /// Behind the quote that ends a text.
    private static func endOfText(_ content: [UInt8], from start: Int) -> Int? {
        var index = start + 1
        while index < content.count {
            switch content[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index + 1
            default: index += 1
            }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }

    private static func isDelimiter(_ byte: UInt8) -> Bool { isBlank(byte) || ",:{}[]\"".utf8.contains(byte) }
}
