import Testing

@testable import DevhostCore

/// What libvirt is told about pools and volumes, and where everything of a devhost lies.
@Suite struct StorageGoldenTests {
    @Test func poolsAreTheGoldenOnes() throws {
        let network = try GoldenSamples.configuration.network
        let layout = Layout()
        let pools = [
            ("images", HostPreparation.imagePool(network), layout.images),
            ("disks", HostPreparation.diskPool(network), layout.disks),
            ("first-boot", HostPreparation.firstBootPool(network), layout.firstBoot),
            ("templates", HostPreparation.templatePool(network), layout.templates),
        ]
        for (file, name, path) in pools {
            try Golden.expect(xml: PoolDefinition(name: name, path: path).rendered, "storage/pool-\(file).xml")
        }
    }

    @Test func volumesAreTheGoldenOnes() throws {
        let layout = Layout()
        let name = try VMName("demo")
        let image = "\(layout.images)/\(GoldenSamples.digest(0x1a)).qcow2"
        let volumes = [
            (
                "disk",
                VolumeDefinition(
                    name: layout.diskVolume(name, 0), format: .qcow2, capacity: 20 << 30, mode: "0600", backing: image)
            ),
            (
                "disk-rebuilt",
                VolumeDefinition(
                    name: layout.diskVolume(name, 3), format: .qcow2, capacity: 20 << 30, mode: "0600", backing: image)
            ),
            (
                "image",
                VolumeDefinition(
                    name: "\(GoldenSamples.digest(0x1a)).qcow2", format: .qcow2, capacity: 3 << 30, mode: "0444")
            ),
            (
                "first-boot",
                VolumeDefinition(name: layout.firstBootVolume(name), format: .raw, capacity: 1234, mode: "0600")
            ),
            (
                "template-disk",
                VolumeDefinition(
                    name: layout.templateDisk("0123456789abcdef"), format: .qcow2, capacity: 3 << 30, mode: "0600",
                    backing: image)
            ),
        ]
        for (file, volume) in volumes { try Golden.expect(xml: volume.rendered, "storage/volume-\(file).xml") }
    }

    @Test func pathsAreTheGoldenOnes() throws {
        let layout = Layout()
        let name = try VMName("demo")
        let key = "0123456789abcdef"
        let paths = [
            layout.record(name), layout.folder(name), layout.consoleLog(name), layout.hostKey(name),
            "\(layout.folder(name))/\(ConsoleMark.fileName)", layout.failure(name), layout.lock(name),
            layout.allocationLock, layout.hostLock, layout.limitLock, layout.auditLog, layout.allocation,
            layout.bootstrapKey, layout.logins, layout.images, layout.disks, layout.templates,
            layout.templateRecord(key), layout.templateMemory(key), layout.templateDisk(key),
            layout.templateFirstBoot(key), layout.templateConsole(key), layout.templateDomain(key),
            layout.templateLock(key), layout.templateDemand, layout.firstBoot, layout.localImages, layout.catalog,
            layout.releaseLedger, layout.downloads, layout.dnsNames, layout.publishedNames, layout.publishedSettings,
            layout.proxyConfiguration, layout.proxyStorage, layout.accessLog, layout.use(name),
            layout.trace(.login, name), layout.notice(name), layout.accelerator, layout.weights,
            layout.diskVolume(name, 0), layout.diskVolume(name, 3), layout.firstBootVolume(name), layout.hostsFile,
        ]
        try Golden.expect(text: paths.joined(separator: "\n"), "storage/paths.txt")
    }
}
