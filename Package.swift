// swift-tools-version: 6.0
import PackageDescription

// The folders of Sources/DevhostCore are its layers (docs/architecture.md). Those that need no libvirt are compiled
// as DevhostBase, so that devhost-provision links nothing it does not use; DevhostCore exports DevhostBase again.
let baseLayers = ["Values", "System", "Releases", "Provisioning"]
let coreLayers = ["DevhostCore.swift", "Libvirt", "Images", "State", "Guest", "Publishing", "Lifecycle"]

let package = Package(
    name: "devhost",
    products: [
        .library(name: "DevhostCore", targets: ["DevhostCore"]),
        .executable(name: "fc-devhost", targets: ["DevhostCLI"]),
        .executable(name: "devhost-provision", targets: ["DevhostProvision"]),
    ],
    targets: [
        .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "DevhostBase", dependencies: ["COpenSSL"], path: "Sources/DevhostCore",
            exclude: coreLayers, sources: baseLayers),
        .target(
            name: "DevhostCore", dependencies: ["DevhostBase", "CLibvirt"], path: "Sources/DevhostCore",
            exclude: baseLayers, sources: coreLayers),
        .target(name: "DevhostCommandLine", dependencies: ["DevhostBase"]),
        .executableTarget(name: "DevhostCLI", dependencies: ["DevhostCore", "DevhostCommandLine"]),
        .executableTarget(name: "DevhostProvision", dependencies: ["DevhostBase", "DevhostCommandLine"]),
        .executableTarget(name: "ensure-tool", dependencies: ["DevhostCore"], path: "Examples/ensure-tool"),
        .executableTarget(
            name: "bench-tool", dependencies: ["DevhostBase", "DevhostCore"], path: "Tests/Bench/bench-tool"),
        .executableTarget(
            name: "rehearse", dependencies: ["DevhostBase", "DevhostCore"], path: "Tests/Support/rehearse"),
        .testTarget(
            name: "DevhostCoreTests", dependencies: ["DevhostCore", "DevhostCommandLine", "DevhostCLI"]),
        .testTarget(
            name: "CommandLineTests", dependencies: ["DevhostCore", "DevhostCommandLine", "DevhostCLI"]),
        .testTarget(name: "VirtualMachineTests", dependencies: ["DevhostCore", "DevhostCLI", "rehearse"]),
        .testTarget(
            name: "ProvisioningTests", dependencies: ["DevhostBase", "DevhostCommandLine", "DevhostProvision"]),
    ],
    swiftLanguageModes: [.v6]
)
