/// The running of this machine since it was last booted.
package enum HostBoot {
    /// What the kernel calls it (random(4)): another after each boot; "unknown" where the kernel does not say.
    package static var current: String {
        let text = (try? Files.readText("/proc/sys/kernel/random/boot_id", limit: 64).trimmed) ?? ""
        return text.isEmpty ? "unknown" : text
    }
}
