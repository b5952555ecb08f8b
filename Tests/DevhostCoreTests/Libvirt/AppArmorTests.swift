import Foundation
import Testing

@testable import DevhostCore

/// What Debian's libvirt does before it starts QEMU: virt-aa-helper makes an AppArmor profile of the definition and of each
/// path that QEMU is to reach beside it, and refuses what it cannot judge. It says so without AppArmor in the kernel too.
@Suite(
    .enabled(
        if: Files.exists(AppArmorHelper.path), "needs libvirt's AppArmor helper: apt-get install libvirt-daemon-system")
)
struct AppArmorTests {
    /// The definitions of VMs and templates, by the names of their golden files.
    static let definitions =
        (try? Files.names(in: Golden.folder + "/domain")
            .filter { $0.hasSuffix(".xml") && !$0.hasPrefix("part-") && $0 != "mock.xml" }.sorted()) ?? []

    /// The profile of a definition, as libvirt asks for it.
    /// - Parameter path: What QEMU is to reach beside it: memory that is restored or saved.
    private static func profile(_ definition: String, adding path: String? = nil) async throws -> CommandResult {
        var xml = try Files.readText(Golden.folder + "/domain/\(definition)")
        // libvirt gives one to a definition that has none.
        if !xml.contains("<uuid>") {
            xml = xml.replacing("</name>", with: "</name><uuid>00000000-0000-8000-8000-000000000001</uuid>")
        }
        let uuid = xml.split(separator: "uuid>").dropFirst().first?.prefix { $0 != "<" } ?? ""
        let words = path.map { ["-r", "-f", $0] } ?? ["-c"]
        var command = Command(AppArmorHelper.path, words + ["-d", "-u", "libvirt-\(uuid)"])
        command.input = Array(xml.utf8)
        return try await Processes.run(command)
    }

    @Test func thereAreDefinitions() { #expect(Self.definitions.count > 10) }

    @Test(arguments: definitions) func everyPathOfADefinitionIsAccepted(_ definition: String) async throws {
        let result = try await Self.profile(definition)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
        let text = try Files.readText(Golden.folder + "/domain/\(definition)")
        let said = result.text + result.errorText
        for part in text.split(separator: "<source file='").dropFirst() {
            let path = part.prefix { $0 != "'" }
            #expect(said.contains("\"\(path)\" r"), "\(path): \(said)")
        }
    }

    @Test(arguments: definitions) func memoryIsReadAndWrittenWhereItMayBe(_ definition: String) async throws {
        let folder = try TestFolder("apparmor")
        let layout = Layout(state: folder.path)
        let name = try VMName("demo")
        try Files.createDirectory(layout.folder(name), mode: 0o700)
        let pipe = try PathPipe(layout.memoryPipe(name)) { _ in }
        for path in [pipe.path, layout.templateMemory("x"), "/var/lib/libvirt/qemu/save/demo.save"] {
            let result = try await Self.profile(definition, adding: path)
            #expect(result.status == 0, "\(path): \(result.text) \(result.errorText)")
            #expect((result.text + result.errorText).contains("\"\(path)\""))
        }
        try await Blocking.run { try pipe.close() }
    }

    @Test func whatHasNoNameOfItsOwnIsRefused() async throws {
        let pipe = Pipe()
        let result = try await Self.profile(
            "tcg.xml", adding: "/proc/\(getpid())/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(result.status != 0)
    }
}

private enum AppArmorHelper {
    static let path = "/usr/lib/libvirt/virt-aa-helper"
}
