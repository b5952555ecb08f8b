import FoundationEssentials
import Testing

@testable import DevhostCore

@Suite struct RecordStoreTests {
    let folder: TemporaryDirectory
    let store: RecordStore

    init() throws {
        folder = try TemporaryDirectory(prefix: "devhost-records")
        store = RecordStore(layout: Layout(records: folder.path))
    }

    private func write(_ name: String, _ content: String) throws {
        try Files.write("\(folder.path)/\(name)", Array(content.utf8), mode: 0o644)
    }

    @Test func aRecordOfTheOldToolIsReadAndItsUnknownKeysAreKept() throws {
        try write(
            "old.json",
            #"""
            {"online": true, "cpu": 2, "name": "old", "memory": 1024, "aliases": ["app"], "location": null,
             "disk_size": "50G", "image_url": "https://h/i", "channel_url": "https://h/i",
             "last_deploy_date": "2024-05-01T12:00:00.123456", "user": "bob", "creation-date": "2024-01-01T00:00:00",
             "id": 7, "srv-mac": "02:03:00:00:00:07", "srv-ip": "10.12.0.5", "hydra_eval": 1234, "later": {"a": [1, 2.5]}}
            """#)
        var record = try store.require(VMName("old"))
        #expect(record.id == VMIdentifier(7))
        #expect(record.ipv4?.description == "10.12.0.5")
        #expect(record.lastDeployDate?.description == "2024-05-01T12:00:00+00:00")
        record.isOnline = false
        try store.save(record)
        let again = try store.require(VMName("old"))
        #expect(again.unknown["later"] == .object(["a": .array([.integer(1), .number(2.5)])]))
        #expect(again.hydraEval == .integer(1234))
        #expect(again.isOnline == false)
    }

    @Test func aRecordMayLackEverything() throws {
        try write("bare.json", "{}")
        #expect(try store.require(VMName("bare")) == VMRecord(name: VMName("bare")))
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"name": "other"}"#, #"{"id": -1}"#, #"{"aliases": ["<x/>"]}"#,
        #"{"srv-ip": "10.12"}"#,
        #"{"memory": "much"}"#, "\u{0}", #"{"creation-date": "soon"}"#,
    ])
    func aBrokenRecordSpoilsNoOther(_ content: String) throws {
        try write("broken.json", content)
        try write("good.json", #"{"name": "good"}"#)
        try write("notes.txt", "not a record")
        try write("UPPER.json", "{}")
        let entries = try store.all()
        #expect(entries.map(\.name) == ["UPPER", "broken", "good"])
        guard case .broken(_, let reason) = entries[1] else {
            Issue.record("the broken record counts as good")
            return
        }
        #expect(reason.description.contains("broken.json"))
        #expect { try store.find(VMName("broken")) } throws: { ($0 as? DevhostError)?.code == .damaged }
    }

    @Test(arguments: ["", "{", "[]", #"{"name": "other"}"#, #"{"user": 1}"#])
    func aListOfNamesTellsWhatIsNoRecord(_ content: String) throws {
        try write("broken.json", content)
        try write("good.json", #"{"name": "good", "user": "alice", "memory": "much"}"#)
        try write("UPPER.json", "{}")
        let headings = try store.headings()
        #expect(headings.map(\.name) == ["UPPER", "broken", "good"])
        #expect(headings.map(\.owner) == [nil, nil, "alice"])
        #expect(headings[1].problem?.contains("broken.json") == true)
        #expect(headings[0].problem != nil && headings[2].problem == nil)
    }

    @Test func manyRecordsKeepTheirOrder() throws {
        let names = (0..<300).map { "vm\(1000 + $0)" }
        for name in names.shuffled() { try write("\(name).json", #"{"user": "\#(name)"}"#) }
        #expect(try store.all().map(\.name) == names)
        #expect(try store.headings().map(\.owner) == names)
    }

    @Test func aRecordIsReadableByOrdinaryUsersAndLeavesNoOtherFile() throws {
        try store.save(VMRecord(name: VMName("demo")))
        #expect(try Files.names(in: folder.path) == ["demo.json"])
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/demo.json")
        #expect(attributes[.posixPermissions] as? Int == 0o644)
    }

    @Test func aMissingFolderHoldsNoRecords() throws {
        let store = RecordStore(layout: Layout(records: "\(folder.path)/none"))
        #expect(try store.all().isEmpty)
    }
}
