import FoundationEssentials
import Glibc
import Testing

@testable import DevhostCore

/// The files in Tests/Golden: what was written before, byte for byte. With DEVHOST_WRITE_GOLDEN=1 they are written anew,
/// to be read before they are committed: `git diff Tests/Golden` shows what VMs and templates that exist will meet.
enum Golden {
    static let folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Golden"

    /// Expects that bytes are those of a file.
    static func expect(
        bytes content: [UInt8], _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let path = "\(folder)/\(name)"
        if getenv("DEVHOST_WRITE_GOLDEN") != nil {
            try Files.createDirectory(Files.directory(of: path), mode: 0o755)
            try Files.write(path, content, mode: 0o644)
        }
        let expected = try Files.read(path)
        guard content != expected else { return }
        Issue.record("\(name) \(difference(content, expected))", sourceLocation: sourceLocation)
    }

    /// Expects that text is that of a file, which ends with a newline that the text may lack.
    static func expect(
        text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expect(bytes: Array((text.hasSuffix("\n") ? text : "\(text)\n").utf8), name, sourceLocation: sourceLocation)
    }

    /// Expects that XML without blanks between its elements is that of a file, which has a line for each of them.
    static func expect(
        xml: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(!xml.contains("\n"), "a line of the file would not be told from one of the text")
        try expect(text: xml.replacing("><", with: ">\n<"), name, sourceLocation: sourceLocation)
    }

    /// Expects that a value is written as a file holds it, and that the file is read as the value.
    static func expect<Value: Codable & Equatable>(
        json value: Value, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expect(bytes: try JSONCoding.encode(value), name, sourceLocation: sourceLocation)
        let read = try JSONCoding.decode(Value.self, from: try Files.read("\(folder)/\(name)"))
        #expect(read == value, "\(name) is read as another value", sourceLocation: sourceLocation)
    }

    /// Where two texts differ first.
    private static func difference(_ content: [UInt8], _ expected: [UInt8]) -> String {
        func lines(_ bytes: [UInt8]) -> [String] {
            bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        let (new, old) = (lines(content), lines(expected))
        let index =
            zip(new, old).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(new.count, old.count)
        func line(_ lines: [String]) -> String { index < lines.count ? lines[index].debugDescription : "nothing" }
        return "differs from line \(index + 1) on: \(line(new)), where the file has \(line(old))"
    }
}
