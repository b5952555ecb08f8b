import FoundationEssentials
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// What the devhost keeps: files that versions before and after this one read.
@Suite struct RecordGoldenTests {
    private let folder: TemporaryDirectory
    private let layout: Layout

    init() throws {
        folder = try TemporaryDirectory(prefix: "devhost-golden")
        layout = Layout(
            records: "\(folder.path)/records", state: "\(folder.path)/state", hostsFile: "\(folder.path)/hosts")
    }

    @Test func recordsAreTheGoldenOnesAndReadAsWhatTheyWere() throws {
        let store = RecordStore(layout: layout)
        var bare = VMRecord(name: try VMName("bare"))
        bare.aliases = []
        var pinned = try GoldenSamples.record
        pinned.pin = .forever
        pinned.isPrivate = false
        let cases = [
            ("vm", try GoldenSamples.record), ("vm-full", try GoldenSamples.fullRecord), ("vm-pinned", pinned),
            ("vm-bare", bare),
        ]
        for (name, record) in cases {
            try store.save(record)
            try Golden.expect(bytes: try Files.read(layout.record(record.name)), "records/\(name).json")
            try Files.write(
                layout.record(record.name), try Files.read("\(Golden.folder)/records/\(name).json"), mode: 0o644)
            #expect(try store.find(record.name) == record, "\(name) is read as another record")
        }
    }

    @Test func templateFilesAreTheGoldenOnes() throws {
        var record = TemplateRecord(
            image: GoldenSamples.digest(0x1a), cpus: try CPUCount(2), memory: try MemorySize("3G"),
            host: .init(
                machine: GoldenSamples.digest(1), hypervisor: 7_002_022, libvirt: 9_000_000,
                processor: GoldenSamples.digest(2)),
            memoryDigest: GoldenSamples.digest(3), memorySize: 123_456_789, diskDigest: GoldenSamples.digest(4),
            diskSize: 4_567_890, created: try GoldenSamples.date)
        try Golden.expect(json: record, "records/template.json")
        record.uses = 12
        record.lastUse = try GoldenSamples.later
        record.noteFailure(at: try GoldenSamples.later)
        try Golden.expect(json: record, "records/template-used.json")
        var demand = TemplateDemand()
        demand.note(GoldenSamples.digest(0x1a), record.shape, at: try GoldenSamples.date)
        demand.note(GoldenSamples.digest(0x1a), record.shape, at: try GoldenSamples.later)
        demand.noteUnfit(GoldenSamples.digest(0x2a))
        try Golden.expect(json: demand, "records/template-demand.json")
    }

    @Test func filesOfUseAreTheGoldenOnes() throws {
        try Golden.expect(json: UseRecord(), "records/use-new.json")
        let (date, later) = (try GoldenSamples.date, try GoldenSamples.later)
        var use = UseRecord()
        for sign in UseSign.allCases { use.signs[sign] = date }
        use.traces = [.login: date, .request: later]
        use.idle = 86400
        use.trashed = 12.5
        let uptime = Uptime(boot: "0d6d2f0b-5ad6-4a2b-8a43-0c9d1b1b8a11", seconds: 1234.5)
        use.look = .init(date: later, uptime: uptime, wasActive: true)
        use.cpu = .init(time: 12_345_678_901, uptime: uptime)
        use.rootPorts = [40000]
        use.isPutToRest = true
        use.problem = "the access log cannot be read"
        try Golden.expect(json: use, "records/use.json")
        let notice = UseNotice(owner: "alice", lastUse: date, date: later, idle: 2_332_800)
        try Golden.expect(json: notice, "records/use-notice.json")
        let (store, name) = (UseStore(layout: layout), try VMName("demo"))
        try store.leave(.login, of: name, date)
        try Golden.expect(bytes: try Files.read(layout.trace(.login, name)), "records/use-trace")
    }

    @Test func imageAndReleaseFilesAreTheGoldenOnes() async throws {
        let image = StoredImage(
            sha256: GoldenSamples.digest(0x1a), downloadSize: 1_234_567, storedSHA256: GoldenSamples.digest(5),
            storedSize: 2_345_678, virtualSize: 3 << 30,
            sources: [
                .init(
                    url: "https://example.com/image.qcow2", key: GoldenSamples.digest(6),
                    validators: HTTPValidators(etag: "\"abc\"", lastModified: "Sun, 01 Mar 2026 10:20:30 GMT"),
                    checked: try GoldenSamples.date)
            ], releaseNames: ["2026_001"], firstUse: try GoldenSamples.date, lastUse: try GoldenSamples.later)
        try Golden.expect(json: image, "records/image.json")

        let ledger = ReleaseLedger(path: layout.releaseLedger, clock: StoppedClock(now: try GoldenSamples.date.date))
        try await ledger.check("fcrs://fc-23.11-production/2026_001", GoldenSamples.digest(0x1a))
        try Golden.expect(bytes: try Files.read(layout.releaseLedger), "records/releases.json")

        var metadata = ReleaseMetadata()
        metadata.imageURL = "https://example.com/image.qcow2"
        metadata.imageHash = "sha256-ERERERERERERERERERERERERERERERERERERERERERE="
        metadata.releaseName = "2026_001"
        try Golden.expect(json: metadata, "records/release.json")
        try Files.createDirectory("\(layout.catalog)/fc-23.11-production", mode: 0o755)
        try ReleaseCatalog(.folder(layout.catalog)).add(
            metadata, as: ReleaseName("2026_001"), in: ChannelName("fc-23.11-production"), of: layout.catalog)
        try Golden.expect(
            bytes: try Files.read("\(layout.catalog)/fc-23.11-production/index.json"), "records/release-index.json")
        try Golden.expect(bytes: try Files.read("\(layout.catalog)/index.json"), "records/catalog-index.json")
    }

    @Test func namesAreTheGoldenOnes() throws {
        let (one, two) = (try VMName("demo"), try VMName("other"))
        try Files.write(layout.hostsFile, Array("127.0.0.1 localhost\n".utf8), mode: 0o644)
        let hosts = HostsFile(path: layout.hostsFile)
        try hosts.publish(two, addresses: ["10.12.0.9"])
        try hosts.publish(one, addresses: ["10.12.0.8", "fd00::8"])
        try Golden.expect(bytes: try Files.read(layout.hostsFile), "records/hosts")
        try DNSFolder(path: layout.dnsNames).publish(one, addresses: ["10.12.0.8", "fd00::8"])
        try Golden.expect(bytes: try Files.read("\(layout.dnsNames)/demo"), "records/dns-name")

        let publish = try GoldenSamples.configuration.publish
        let folder = NameFolder(path: layout.publishedNames)
        var record = try GoldenSamples.fullRecord
        try folder.publish(PublishedName.all(of: record, publish), owner: publish.host(one))
        record = VMRecord(name: two)
        record.ipv4 = try IPv4Address("10.12.0.9")
        try folder.publish(PublishedName.all(of: record, publish), owner: publish.host(two))
        let files = try folder.hosts().sorted().flatMap { host in
            try Files.names(in: "\(layout.publishedNames)/\(host)").map { "\(host)/\($0)" }
        }
        try Golden.expect(text: files.joined(separator: "\n"), "records/published-names.txt")
    }

    @Test func linesOfTheAuditLogAreTheGoldenOnes() throws {
        let log = AuditLog(layout: layout)
        var entry = AuditLog.Entry(
            time: try GoldenSamples.date, id: "00000000-0000-4000-8000-000000000001", event: .begin, verb: "ensure",
            vm: "demo", object: nil, user: "alice", uid: 1000, sudo: true, terminal: "pts/3", from: "192.0.2.7",
            parents: ["sudo", "bash", "sshd"], pid: 4711, result: nil, seconds: nil)
        try log.append(entry)
        entry.event = .end
        entry.object = "before-update"
        entry.result = "done"
        entry.seconds = 1.5
        try log.append(entry)
        try Golden.expect(bytes: try Files.read(layout.auditLog), "records/audit.log")
        try Files.write(layout.auditLog, try Files.read("\(Golden.folder)/records/audit.log"), mode: 0o600)
        #expect(try log.entries().last == entry)
    }

    /// A clock that shows one moment.
    private struct StoppedClock: SystemClock {
        let now: Date
        var monotonic: ContinuousClock.Instant { .now }
        func sleep(for duration: Duration) async throws {}
    }
}
