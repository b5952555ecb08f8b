/// The secrets of an environment: `secrets.cfg` in clear, `secrets.cfg.gpg` or `secrets.cfg.age`.
public struct EnvironmentSecrets: Sendable {
    /// The settings of components.
    public let settings: [ComponentSetting]
    /// What is odd about the files that they come from.
    public private(set) var warnings: [String] = []

    /// No secrets.
    public init() { settings = [] }

    /// Parses the clear text as batou does: sections named as components, with or without `component:`.
    /// - Throws: `invalidConfiguration` without a word of the content.
    public init(_ text: String, source: String) throws(DevhostError) {
        let document: INIDocument
        do {
            document = try INIDocument(text, source: source, dialect: .secrets)
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

    /// Reads and decrypts the secrets of an environment; the clear text is never written anywhere. A `secrets.cfg` in
    /// clear beside an encrypted one counts as little as it does for batou, which never reads it.
    /// - Parameter mayAsk: Whether gpg may ask for a passphrase.
    /// - Throws: `conflict` for more than one encrypted file, `permissionDenied` where none of the keys fits.
    public static func load(
        folder: String, environment: [String: String], mayAsk: Bool = true
    ) async throws -> EnvironmentSecrets {
        let names = try Files.names(in: folder)
        let files = names.filter { $0.hasPrefix("secrets.cfg.") && !$0.hasSuffix("~") }.sorted()
        let isClear = names.contains("secrets.cfg")
        guard let file = files.first ?? (isClear ? "secrets.cfg" : nil) else { return EnvironmentSecrets() }
        guard files.count <= 1 else {
            throw DevhostError(
                .conflict, "\(folder.quoted) has several files of secrets: \(files.joined(separator: ", "))",
                next: "keep one of them")
        }
        var secrets = try await read(file, in: folder, environment, mayAsk: mayAsk)
        if isClear, file != "secrets.cfg" {
            secrets.warnings.append("secrets.cfg is passed over: the secrets are those of \(file)")
        }
        return secrets
    }

    private static func read(
        _ file: String, in folder: String, _ environment: [String: String], mayAsk: Bool
    ) async throws -> EnvironmentSecrets {
        let path = "\(folder)/\(file)"
        switch file {
        case "secrets.cfg":
            let content = try Files.read(path, limit: 16 << 20)
            return try EnvironmentSecrets(String(settings: content, source: file), source: file)
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
        return try EnvironmentSecrets(String(settings: result.output, source: file), source: file)
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
