import DevhostBase
import Foundation
import Glibc
import Testing

/// What Examples/debian-image/build-image leaves where others could reach it while it runs as root, with programs in place
/// of those that take minutes.
@Suite(.enabled(if: geteuid() == 0, "what root runs is root's to test")) struct ImageBuilderTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder("builder")
        // Others get as far as the builder's own folders let them.
        chmod(folder.path, 0o755)
        let example = Files.directory(of: #filePath) + "/../../../Examples/debian-image"
        try FileManager.default.createDirectory(atPath: "\(folder.path)/bin", withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: example, toPath: "\(folder.path)/example")
        let script = try Files.readText("\(folder.path)/example/build-image", limit: 1 << 20)
        try program(
            "example/build-image", script.replacing("PATH=/usr/sbin", with: "PATH=\(folder.path)/bin:/usr/sbin"))
        try program("bin/apt-get", "#!/bin/bash\necho 'http://mirror.example/debian bookworm main'\n")
        try program("bin/qemu-img", "#!/bin/bash\nstat -c '%a %n' \"${@: -2:1}\" >>\(folder.path)/modes\n")
        // Notes the mode of all that the hooks run, of the folders above it, and of where the disk is to lie.
        try program(
            "bin/mmdebstrap",
            """
            #!/bin/bash
            umask >\(folder.path)/modes
            for word; do
              [[ $word == --*-hook=*\\'* ]] || continue
              IFS=\\' read -ra parts <<<"$word"
              find "${parts[1]%/*}" -not -type l -printf '%m %p\\n'
              disk=${parts[3]:-}
              for path in "${parts[1]%/*}" ${disk:+"$disk"}; do
                until [[ $path == / ]]; do
                  path=$(dirname "$path")
                  stat -c '%a %n' "$path"
                done
              done
              [[ -z $disk ]] || : >"$disk"
            done >>\(folder.path)/modes
            """)
    }

    private func program(_ name: String, _ text: String) throws {
        try Files.writeAtomically("\(folder.path)/\(name)", Array(text.utf8), mode: 0o755)
    }

    @Test(arguments: ["000", "077"]) func othersCanWriteToNothingThatRootRuns(mask: String) async throws {
        let output = "\(folder.path)/image.qcow2"
        try await Processes.require(
            Command("bash", ["-c", "umask \(mask); exec '\(folder.path)/example/build-image' '\(output)'"]))
        let lines = try Files.readText("\(folder.path)/modes", limit: 1 << 20).split(separator: "\n")
        #expect(lines.first == "0022" && lines.count > 50)
        for line in lines.dropFirst() {
            let mode = try #require(UInt32(line.prefix { $0 != " " }, radix: 8))
            #expect(mode & 0o022 == 0 || mode & 0o1000 != 0, "\(line)")
        }
        #expect(try FileManager.default.attributesOfItem(atPath: output)[.posixPermissions] as? Int == 0o644)
    }

    @Test func rootKeepsNoImageWhereOthersCanExchangeIt() async throws {
        let shared = "\(folder.path)/shared"
        try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
        chmod(shared, 0o1777)
        let result = try await Processes.run(
            Command("\(folder.path)/example/build-image", ["--cache", shared]))
        #expect(result.status != 0 && result.errorText.contains("others than root may write there"))
        #expect(try Files.names(in: shared).isEmpty)
    }
}
