/// Takes values out of devhost.cfg and collects what is wrong, so that one look tells all of it.
struct ConfigurationReader {
    private let document: INIDocument
    private var problems: [String] = []
    private var known: [String: Set<String>] = [:]

    init(_ document: INIDocument) { self.document = document }

    /// The parsed value of a key, or of `fallback` where the key is missing or wrong. The fallback is a text in the
    /// form that the file takes, so that defaults are documented as users would write them.
    mutating func value<Value>(
        _ section: String, _ key: String, _ fallback: String, _ parse: (String) throws(DevhostError) -> Value
    ) throws(DevhostError) -> Value {
        known[section, default: []].insert(key)
        if let entry = document[section]?[key] {
            do {
                return try parse(entry.value)
            } catch {
                problems.append("line \(entry.line): [\(section)] \(key): \(error)")
            }
        }
        return try parse(fallback)
    }

    /// Notes something that is wrong with several keys together.
    mutating func add(problem: String) { problems.append(problem) }

    /// - Throws: `invalidConfiguration` with everything that was wrong, keys that nobody asked for included.
    func finish(source: String) throws(DevhostError) {
        var problems = problems
        for section in document.sections {
            guard let keys = known[section.name] else {
                problems.append("line \(section.line): there is no section [\(section.name.printable)]")
                continue
            }
            for entry in section.entries where !keys.contains(entry.key) {
                problems.append("line \(entry.line): [\(section.name)] has no key \(entry.key.quoted)")
            }
        }
        guard problems.isEmpty else {
            throw DevhostError(
                .invalidConfiguration, "\(source) is not usable: " + problems.joined(separator: "; "),
                next: "mend these lines")
        }
    }

    static func refused(_ text: String, _ rule: String) -> DevhostError {
        DevhostError(.invalidConfiguration, "\(text.quoted) is not \(rule)")
    }

    static func text(_ text: String) throws(DevhostError) -> String {
        guard !text.isEmpty, !text.contains("\n") else { throw refused(text, "one line of text") }
        return text
    }

    static func absolutePath(_ text: String) throws(DevhostError) -> String {
        guard text.hasPrefix("/"), !text.contains("\n"), !text.split(separator: "/").contains("..") else {
            throw refused(text, "an absolute path")
        }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    static func paths(_ text: String) throws(DevhostError) -> [String] {
        var paths: [String] = []
        for line in text.split(whereSeparator: \.isNewline) { paths.append(try absolutePath(String(line).trimmed)) }
        return paths
    }

    static func keys(_ text: String) throws(DevhostError) -> [AuthorizedKey] {
        var keys: [AuthorizedKey] = []
        for line in text.split(whereSeparator: \.isNewline) where !String(line).trimmed.isEmpty {
            keys.append(try AuthorizedKey(String(line)))
        }
        return keys
    }

    static func choice<Value: RawRepresentable & CaseIterable>(_ text: String) throws(DevhostError) -> Value
    where Value.RawValue == String {
        guard let value = Value(rawValue: text) else {
            throw refused(text, "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    static func yesOrNo(_ text: String) throws(DevhostError) -> Bool {
        guard text == "yes" || text == "no" else { throw refused(text, "yes or no") }
        return text == "yes"
    }

    static func seconds(_ text: String) throws(DevhostError) -> Duration {
        guard let value = Int(text), (1...86400).contains(value) else {
            throw refused(text, "a number of seconds from 1 to 86400")
        }
        return .seconds(value)
    }

    static func days(_ text: String) throws(DevhostError) -> Int {
        guard let value = Int(text), (0...36500).contains(value) else {
            throw refused(text, "a number of days from 0 to 36500")
        }
        return value
    }

    static func label(_ text: String) throws(DevhostError) -> String {
        guard DNSLabel.isValid(text) else { throw refused(text, DNSLabel.rule) }
        return text
    }

    static func domain(_ text: String) throws(DevhostError) -> String {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ DNSLabel.isValid(String($0)) }), text.utf8.count <= 200 else {
            throw refused(text, "a domain name")
        }
        return text
    }

    /// The kernel's limit for the name of an interface is 15 bytes.
    static func interfaceName(_ text: String) throws(DevhostError) -> String {
        guard DNSLabel.isValid(text), text.utf8.count <= 15 else {
            throw refused(text, "the name of an interface: at most 15 of a-z, 0-9 and '-'")
        }
        return text
    }

    /// 12,000 addresses end well before the dynamic range of the network.
    static func capacity(_ text: String) throws(DevhostError) -> UInt32 {
        guard let value = UInt32(text), (1...12_000).contains(value) else {
            throw refused(text, "a number of VMs from 1 to 12000")
        }
        return value
    }

    static func slash16(_ text: String) throws(DevhostError) -> IPv4Network {
        let network = try IPv4Network(text)
        guard network.prefixLength == 16 else { throw refused(text, "a network with a prefix of 16 bits") }
        return network
    }

    static func services(_ text: String) throws(DevhostError) -> [Configuration.HostService] {
        var services: [Configuration.HostService] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "tcp" || parts[0] == "udp", let port = Int(parts[1]),
                (1...65535).contains(port)
            else { throw refused(String(word), "a service like tcp/443") }
            services.append(Configuration.HostService(transport: String(parts[0]), port: port))
        }
        return services
    }
}
