import DevhostBase
import DevhostCore
import Foundation
import Glibc
import Testing

/// What the store does not take in: images that attack it, and what it has no room for.
extension ImageStoreTests {
    // MARK: Attacks

    @Test func hostileImagesAreRefusedAndLeaveNothing() async throws {
        let secret = try images.file("secret", Array("a secret of the devhost".utf8))
        let backed = "\(images.folder)/backed.img"
        try await images.run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, backed])
        try await images.run("xz", ["-f", "-k", backed])
        let clean = try await images.qcow2("clean.qcow2")
        let vmdk = "\(images.folder)/disk.img"
        try await images.run("qemu-img", ["create", "-q", "-f", "vmdk", vmdk, "8M"])
        let raw = try images.file("disk.raw", try Files.read(clean))
        let twice = try images.file("twice.img.gz", Array("\u{1f}".utf8) + [0x8b, 8, 0, 0])
        for (path, reason) in [
            (backed, "backing file"), ("\(backed).xz", "backing file"), (vmdk, "VMDK"),
            (raw, "called a raw disk and begins with a qcow2 header"), (secret, "does not begin"),
            (twice, "cannot unpack"),
        ] {
            let error = await expectError(.refused, containing: reason) {
                try await store().ensureImage(try fileURL(path), expectedHash: try digest(path))
            }
            #expect(error?.description.contains("a secret of the devhost") == false)
            await expectError(.refused, containing: reason) { try await store().ensureImage(try fileURL(path)) }
        }
        try expectEmpty()
    }

    @Test func aPackedImageDoesNotUnpackWithoutEnd() async throws {
        let path = try images.file("bomb.img", [])
        truncate(path, 64 << 20)
        try await images.run("gzip", ["-f", path])
        await expectError(.refused, containing: "more than the 33554432 bytes") {
            try await store { $0.unpacked = 32 << 20 }.ensureImage(try fileURL("\(path).gz"))
        }
        try expectEmpty()
    }

    @Test func sizesHaveLimits() async throws {
        let path = try await images.qcow2("a.qcow2")
        await expectError(.refused, containing: "above the limit") {
            try await store { $0.virtualSize = 4 << 20 }.ensureImage(try fileURL(path))
        }
        await expectError(.refused, containing: "allowed") {
            try await store { $0.download = 1000 }.ensureImage(try fileURL(path))
        }
        let raw = try images.file("a.raw", [UInt8](repeating: 1, count: 1 << 20))
        await expectError(.refused, containing: "above the limit") {
            try await store { $0.virtualSize = 4096 }.ensureImage(try fileURL(raw))
        }
        try expectEmpty()
    }

    @Test func filesComeOnlyFromListedFolders() async throws {
        let path = try await images.qcow2("a.qcow2")
        let outside = "\(root.path)/outside.qcow2"
        try await images.run("cp", [path, outside])
        symlink(outside, "\(images.folder)/link.qcow2")
        mkdir("\(root.path)/other", 0o700)
        try await images.run("cp", [path, "\(root.path)/other/a.qcow2"])
        symlink("\(root.path)/other", "\(images.folder)/folder")
        mkdir("\(images.folder)/inside", 0o700)
        try await images.run("cp", [path, "\(images.folder)/inside/b.qcow2"])
        symlink("\(images.folder)/inside", "\(images.folder)/shortcut")
        mkfifo("\(images.folder)/pipe", 0o600)
        func ensure(_ path: String) async throws { _ = try await store().ensureImage(try fileURL(path)) }

        try await ensure("\(images.folder)/shortcut/b.qcow2")
        let unlisted = "does not lie in a folder"
        for path in [
            outside, "\(images.folder)/../outside.qcow2", "\(images.folder)/folder/a.qcow2", "/etc/shadow",
            "/no/such/file",
            images.folder, "\(images.folder)x/a",
        ] {
            await expectError(.permissionDenied, containing: unlisted) { try await ensure(path) }
        }
        for path in ["link.qcow2", "pipe", "inside"] {
            await expectError(.refused, containing: "not a regular file") {
                try await ensure("\(images.folder)/\(path)")
            }
        }
        await expectError(.notFound) { try await ensure("\(images.folder)/missing.qcow2") }
        await expectError(.notFound) { try await ensure("\(images.folder)/missing/missing.qcow2") }
        let none = ImageStore(
            folders: ImageStore.Folders(
                records: "\(root.path)/store", work: "\(root.path)/work", locks: "\(root.path)/locks"),
            volumes: FolderVolumes(folder: "\(root.path)/store"), holder: "a test")
        await expectError(.permissionDenied, containing: "file-folders") {
            try await none.ensureImage(try fileURL(path))
        }
    }

    // MARK: Room

    @Test func spaceIsAskedForBeforeAnythingIsWritten() async throws {
        let path = try await images.qcow2("a.qcow2")
        let server = try LoopbackServer(serving: try Files.read(path))
        await expectError(.insufficientSpace, containing: "free") {
            try await store { $0.reserve = 1 << 60 }.ensureImage(ImageSource(url: try server.url("/a")))
        }
        await expectError(.insufficientSpace) {
            try await store { $0.reserve = 1 << 60 }.ensureImage(try fileURL(path))
        }
        try expectEmpty()
    }

    private static let canMount: Bool = {
        guard let folder = try? TemporaryDirectory(prefix: "devhost-mount") else { return false }
        guard mount("devhost-test", folder.path, "tmpfs", 0, "size=1m") == 0 else { return false }
        return umount2(folder.path, Int32(MNT_DETACH)) == 0
    }()

    @Test(.enabled(if: canMount, "a small disk of its own needs the right to mount one"))
    func aDiskThatFillsUpLeavesNothing() async throws {
        let work = "\(root.path)/work"
        try #require(mount("devhost-test", work, "tmpfs", 0, "size=2m") == 0)
        defer { umount2(work, Int32(MNT_DETACH)) }
        let content = try Files.read(try await images.qcow2("a.qcow2", size: "64M"))
        let full = content + [UInt8](repeating: 1, count: 4 << 20)
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: nil)
            client.send(full)
        }
        await expectError(.insufficientSpace) { try await store().ensureImage(ImageSource(url: try server.url("/a"))) }
        try expectEmpty()
    }

    @Test(.enabled(if: canMount, "a small disk of its own needs the right to mount one"), arguments: [false, true])
    func whatComesWithoutASizeStopsBeforeTheReserve(isPacked: Bool) async throws {
        let content = [UInt8](repeating: 1, count: 200 << 20)
        let path = try images.file("bomb.img", content)
        try await images.run("gzip", ["-1", "-f", path])
        let packed = try Files.read("\(path).gz")
        let work = "\(root.path)/work"
        try #require(mount("devhost-test", work, "tmpfs", 0, "size=280m") == 0)
        defer { umount2(work, Int32(MNT_DETACH)) }
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: nil)
            client.send(isPacked ? packed : content)
        }
        await expectError(.insufficientSpace, containing: "150 MiB are kept free") {
            try await store { $0.reserve = 150 << 20 }.ensureImage(ImageSource(url: try server.url("/a.img")))
        }
        try expectEmpty()
    }
}
