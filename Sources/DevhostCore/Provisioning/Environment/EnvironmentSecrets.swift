/// The secrets of an environment: `secrets.cfg` in clear, `secrets.cfg.gpg` or `secrets.cfg.age`.
public struct EnvironmentSecrets: Sendable {
    /// The settings of components.
    public let settings: [ComponentSetting]

    /// No secrets.
    public init() { settings = [] }

    /// Parses the clear text: sections named as components, with or without `component:`.
    /// - Throws: `invalidConfiguration` without a word of the content.
    public init(_ text: String, source: String) throws(DevhostError) {
        let document: INIDocument
        do {
            document = try INIDocument(text, source: source)
        } catch {
            throw DevhostError(
                .invalidConfiguration, "\(source) cannot be read as sections with settings",
                next: "look at it with the tool that encrypts it")
        }
        settings = document.sections.flatMap { section -> [ComponentSetting] in
            if section.name == "batou" || section.name.hasPrefix("host:") { return [] }
            let prefix = "component:"
            let name = section.name.hasPrefix(prefix) ? String(section.name.dropFirst(prefix.count)) : section.name
            return section.entries.map { ComponentSetting(component: name, attribute: $0.key, value: $0.value) }
        }
    }

    /// Reads and decrypts the secrets of an environment; the clear text is never written anywhere.
    /// - Parameter mayAsk: Whether gpg may ask for a passphrase.
    /// - Throws: `conflict` for more than one file, `permissionDenied` where none of the keys fits.
    public static func load(
        folder: String, environment: [String: String], mayAsk: Bool = true
    ) async throws -> EnvironmentSecrets {
        let files = try Files.names(in: folder).filter { $0 == "secrets.cfg" || $0.hasPrefix("secrets.cfg.") }
            .filter { !$0.hasSuffix("~") }.sorted()
        guard let file = files.first else { return EnvironmentSecrets() }
        guard files.count == 1 else {
            throw DevhostError(
                .conflict, "\(folder.quoted) has several files of secrets: \(files.joined(separator: ", "))",
                next: "keep one of them")
        }
        let path = "\(folder)/\(file)"
        switch file {
        case "secrets.cfg": return try EnvironmentSecrets(Files.readText(path, limit: 16 << 20), source: file)
        case "secrets.cfg.gpg":
            let mode = mayAsk ? [] : ["--pinentry-mode", "cancel"]
            return try await decrypt(file, "gpg", ["--batch", "--quiet"] + mode + ["--decrypt", path], environment)
        case "secrets.cfg.age":
            let identities = identities(environment)
            guard !identities.isEmpty else {
                throw DevhostError(
                    .permissionDenied, "there is no age identity to decrypt \(file) with",
                    next: "set BATOU_AGE_IDENTITIES to the files that hold yours")
            }
            return try await decrypt(
                file, "age", ["--decrypt"] + identities.flatMap { ["--identity", $0] } + [path], environment)
        default:
            throw DevhostError(
                .unsupported, "\(file.quoted) is not encrypted in a way that is known here",
                next: "use secrets.cfg.gpg or secrets.cfg.age")
        }
    }

    private static func decrypt(
        _ file: String, _ program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> EnvironmentSecrets {
        var command = Command(try ProgramFinder.find(program, environment: environment), arguments)
        command.environment = ProgramFinder.environment(from: environment)
        let result = try await Processes.run(command, limit: .seconds(120))
        guard result.status == 0 else {
            let said = result.errorText.trimmed.split(separator: "\n").suffix(2).map { String($0).printable }
            throw DevhostError(
                .permissionDenied, "\(program) cannot decrypt \(file): \(said.joined(separator: " / "))",
                next: "see whether one of your keys is among its recipients")
        }
        return try EnvironmentSecrets(result.text, source: file)
    }

    /// The files of identities: named by the variable that batou has for it, or ssh's usual ones.
    private static func identities(_ environment: [String: String]) -> [String] {
        let home = environment["HOME"] ?? ""
        let named = (environment["BATOU_AGE_IDENTITIES"] ?? "").split(separator: ",").map { String($0).trimmed }
            .filter { !$0.isEmpty }
        let usual = ["~/.ssh/id_ed25519", "~/.ssh/id_rsa", "~/.config/age/keys.txt"]
        return (named.isEmpty ? usual : named)
            .map { $0.hasPrefix("~/") ? home + $0.dropFirst() : $0 }.filter { Files.exists($0) }
    }
}
