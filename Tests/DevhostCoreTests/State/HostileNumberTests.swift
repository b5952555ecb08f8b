import FoundationEssentials
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Numbers that would not fit what is computed with them, wherever a file or a server may say one: an error, or a value,
/// and never the end of the process.
@Suite struct HostileNumberTests {
    static let numbers = [
        "0", "-0", "-1", "1e400", "-1e400", "1e308", "1e19", "1.5", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551615", "18446744073709551616", "4294967295", "4294967296", "1e-400",
        "99999999999999999999999999999999", "NaN", "Infinity",
    ]
    static let dates = [
        "0000-00-00T00:00:00", "9999-12-31T23:59:59", "10000-01-01T00:00:00", "99999999-01-01T00:00:00",
        "-0001-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T99:99:99",
        "9223372036854775807-01-01T00:00:00",
    ]
    static let keys = [
        "name", "id", "cpu", "memory", "disk_size", "aliases", "alias-ports", "private", "location", "image_url",
        "channel_url", "hydra_eval", "online", "user", "creation-date", "last_deploy_date", "srv-mac", "srv-ip",
        "srv-ip6", "host-key", "authorized-keys", "image-sha256", "release", "release-name", "guest-digest",
        "disk-number", "other-disk", "clone-of", "incomplete", "pinned", "trashed", "later",
    ]

    @Test(arguments: keys)
    func inRecords(_ key: String) throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        let name = try VMName("demo")
        try Files.createDirectory(test.configuration.layout.records, mode: 0o755)
        let texts = Self.numbers + (Self.numbers + Self.dates).map { "\"\($0)\"" } + Self.numbers.map { "[\($0)]" }
        for text in texts {
            let content = "{\"\(key)\": \(text), \"last\": 1}"
            try Files.write(test.configuration.layout.record(name), Array(content.utf8), mode: 0o644)
            #expect(try devhost.records.uses().count == 1, "\(content)")
            #expect(try devhost.records.headings().count == 1)
            _ = devhost.plan.reservations(records: try devhost.records.readable() + devhost.records.salvaged())
            guard let record = try? devhost.records.find(name) else { continue }
            _ = devhost.use(of: record, state: .running)
            _ = record.shown
            _ = record.reference
            try devhost.records.save(record)
            #expect(try devhost.records.find(name) == record, "\(content)")
        }
    }

    @Test func inConfigurations() throws {
        let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let folder = "\(root)/Sources/DevhostCore/State"
        var keys: Set<[String]> = []
        for file in try Files.names(in: folder) where file.hasPrefix("Configuration") {
            let text = try Files.readText("\(folder)/\(file)")
            for match in text.matches(of: /reader\.value\(\s*"([a-z-]+)",\s*(?:prefix \+ )?"([a-z0-9-]+)"/) {
                keys.insert([String(match.1), String(match.2)])
                if match.1 == "limits" { keys.insert([String(match.1), "user-\(match.2)"]) }
            }
        }
        #expect(keys.count > 40, "\(keys.sorted { $0[1] < $1[1] })")
        let values = Self.numbers.flatMap {
            [$0, "\($0)G", "\($0)T", "\($0)%", "\($0)x\($0)", "tcp/\($0)", "\($0)/16"]
        }
        for key in keys {
            for value in values {
                let text = "[\(key[0])]\n\(key[1]) = \(value)\n"
                do {
                    let configuration = try Configuration(text: text, source: "devhost.cfg")
                    let usage = VMUsage(VMRecord(name: try VMName("demo")))
                    try? UsageLimits(limits: configuration.limits, machineMemory: .max).check(
                        usage, insteadOf: nil, others: [usage], caller: "alice")
                    _ = AddressPlan(network: configuration.network).dynamicRange
                } catch {
                    #expect(error.code == .invalidConfiguration, "\(text): \(error)")
                }
            }
        }
    }

    @Test func inReleaseMetadataAndEvaluations() throws {
        for number in Self.numbers {
            for key in ["channel_url", "image_url", "image_hash", "release_name", "rolling", "is_rolling", "x"] {
                _ = try? ReleaseMetadata.parse(Array("{\"\(key)\": \(number)}".utf8), source: "test")
            }
        }
        for text in ["9223372036854775808", "18446744073709551615"] {
            #expect(throws: DevhostError.self) { try ReleaseReference(hydraEvaluation: text) }
        }
        #expect(try ReleaseReference(hydraEvaluation: "9223372036854775807") == .hydra(UInt64(Int64.max)))
        var record = VMRecord(name: try VMName("demo"))
        let digest = try SHA256Digest(hex: String(repeating: "0", count: 64))
        for number in [UInt64.max, UInt64(Int64.max), 1] {
            let url = try ResourceURL("https://h.example/i")
            record.take(
                ResolvedRelease(reference: .hydra(number), channelURL: nil, imageURL: url, imageHash: nil),
                image: BaseImage(sha256: digest, path: "/i", virtualSize: 1 << 30))
            #expect(record.hydraEval == Int64(exactly: number).map { .integer($0) })
        }
    }

    @Test func inWhatIsKnownOfUse() throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        let name = try VMName("demo")
        let record = VMRecord(name: name)
        try devhost.useStore.write(UseRecord(), of: name)
        let sound = try Files.readText(test.configuration.layout.use(name))
        for key in ["idle", "trashed"] {
            for number in Self.numbers {
                let text = sound.replacing(try Regex("\"\(key)\" ?: ?0(\\.0)?"), with: "\"\(key)\": \(number)")
                #expect(text != sound || number == "0")
                try Files.write(test.configuration.layout.use(name), Array(text.utf8), mode: 0o644)
                let use = devhost.use(of: record, state: .running)
                #expect((0...1e11).contains(use.unused), "\(text)")
            }
        }
    }

    @Test func inDatesAndRates() {
        for text in Self.dates {
            guard let date = try? Timestamp(text) else { continue }
            #expect((try? Timestamp(date.description)) == date, "\(text)")
        }
        for seconds in [Double.infinity, -.infinity, .nan, 1e300, -1e300, .greatestFiniteMagnitude] {
            let date = Timestamp(Date(timeIntervalSinceReferenceDate: seconds))
            #expect((try? Timestamp(date.description)) == date, "\(seconds)")
        }
        var meter = TransferMeter()
        let now = ContinuousClock.now
        _ = meter.record(0, at: now, isLast: true)
        #expect(meter.record(.max, at: now + .nanoseconds(1), isLast: true) == 0)
        #expect(UInt64.max.addingClamped(1) == .max)
    }
}
