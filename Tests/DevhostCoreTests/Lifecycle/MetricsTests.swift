import FoundationEssentials
import Testing

@testable import DevhostCore

/// The devhost in numbers.
@Suite struct MetricsTests {
    private func expect(_ text: String, has line: String) {
        #expect(text.split(separator: "\n").contains(Substring(line)), "\(line) is not in\n\(text)")
    }

    @Test func vmsVerbsAndTheirDurations() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        #expect(try await devhost.metrics() == "")
        var request = try test.request("demo")
        request.memory = try MemorySize("1G")
        request.diskSize = try DiskSize("4G")
        let record = try await devhost.ensure(request).record
        request.name = try VMName("off")
        try await test.devhost(caller: Caller(userID: 1001, name: "b\"\u{301}ob\\", isElevated: true)).ensure(request)
        try await devhost.shutDown(request.name)
        await expectError(.notFound) { try await devhost.shutDown(VMName("nobody")) }
        try Files.write(test.configuration.layout.record(try VMName("broken")), Array("{".utf8), mode: 0o644)

        let text = try await devhost.metrics()
        expect(text, has: #"devhost_vms{state="running",user="alice"} 1"#)
        expect(text, has: "devhost_vms{state=\"off\",user=\"b\\\"\u{301}ob\\\\\"} 1")
        expect(text, has: #"devhost_vms{state="broken",user="nobody"} 1"#)
        expect(text, has: #"devhost_vm_memory_bytes{vm="demo",user="alice"} 1073741824"#)
        expect(text, has: #"devhost_vm_disk_bytes{vm="demo",user="alice"} 4294967296"#)
        let date = try #require(record.lastDeployDate).date.timeIntervalSince1970
        expect(text, has: #"devhost_vm_last_deploy_timestamp_seconds{vm="demo",user="alice"} \#(Int(date))"#)
        expect(text, has: #"devhost_vm_last_use_timestamp_seconds{vm="demo",user="alice"} \#(Int(date))"#)
        expect(text, has: #"devhost_verbs_total{verb="ensure",result="ok"} 2"#)
        expect(text, has: #"devhost_verbs_total{verb="shutdown",result="notFound"} 1"#)
        expect(text, has: #"devhost_verb_seconds_count{verb="shutdown"} 2"#)
        #expect(text.contains("devhost_verb_seconds_sum{verb=\"ensure\"} "))
        // Each metric is told once, before its numbers.
        let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        #expect(Set(types).count == types.count && types.count >= 6)
    }
}
