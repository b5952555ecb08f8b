/// The variables that a provision script finds.
public enum ScriptVariables {
    /// Overrides from this length on are masked: shorter ones are words such as `true` or a port, and masking them
    /// would make the output unreadable.
    public static let secretLength = 8

    /// `COMPONENT_<NAME>_<ATTRIBUTE>`: upper case, `-` and `.` as `_`.
    public static func name(component: String, attribute: String) -> String {
        let name = "COMPONENT_\(component)_\(attribute)".uppercased()
        return String(name.map { "-.".contains($0) ? "_" : $0 })
    }

    /// An environment with what follows from the VM's name, whatever the caller has set: a script must not act on
    /// another VM than its verbs.
    public static func completing(_ environment: [String: String], vm: String) -> [String: String] {
        environment.merging(["PROVISION_VM": vm, "PROVISION_CONTAINER": vm]) { _, named in named }
    }

    /// The secrets among variables that a caller has set.
    public static func secrets(in environment: [String: String]) -> Secrets {
        Secrets(
            environment.filter { $0.key.hasPrefix("COMPONENT_") && $0.value.utf8.count >= secretLength }.map(\.value))
    }
}
