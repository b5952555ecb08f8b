import DevhostBase
import DevhostCore
import Testing

/// The store in a pool of libvirt's mock driver, which keeps volumes without their contents.
@Suite struct PoolVolumesTests {
    @Test func volumesComeAndGoThroughLibvirt() async throws {
        let root = try TestFolder("pool")
        let images = TestImages(folder: root.path)
        let path = try await images.qcow2("a.qcow2")
        let volumes = PoolVolumes(
            libvirt: try await Connection.open("test:///default"), pool: "default-pool", localFolder: nil)
        let store = ImageStore(
            folders: ImageStore.Folders(
                records: "\(root.path)/records", work: "\(root.path)/work", locks: "\(root.path)/locks",
                files: [root.path]),
            volumes: volumes, holder: "a test")
        let source = ImageSource(url: try ResourceURL("file://\(path)"), releaseName: "1")
        let image = try await store.ensureImage(source)
        #expect(image.path == "/default-pool/\(image.sha256).qcow2")
        #expect(image.virtualSize == 8 << 20)
        #expect(try await store.ensureImage(source, expectedHash: image.sha256) == image)
        #expect(try await volumes.all().map(\.name) == ["\(image.sha256).qcow2"])
        #expect(try await store.images().map(\.isComplete) == [true])
        #expect(try await store.prune(olderThanDays: 0) { [] }.removed.map(\.sha256) == [image.sha256])
        #expect(try await volumes.all().isEmpty)
        withExtendedLifetime(root) {}
    }
}
