import DevhostBase

/// The commands of devhost-provision.
enum ProvisionCommands {
    static func run(_ arguments: [String]) async -> Int32 {
        return 0
    }
}
