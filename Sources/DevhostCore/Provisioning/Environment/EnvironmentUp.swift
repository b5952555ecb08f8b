import Synchronization

/// Brings the VMs of an environment up and prepares them: for each host, side by side, the VM, the ssh configuration,
/// provision.nix, the script, and the platform's own `fc-manage -c`.
public final class EnvironmentUp: Sendable {
    /// What is wanted beside the configuration.
    public struct Options: Sendable {
        /// The hosts by their names in environment.cfg; empty for all.
        public var hosts: [String] = []
        /// Whether VMs that exist are destroyed first.
        public var rebuilds = false
        /// Whether scripts go on after lines that fail.
        public var keepsGoing = false
        /// Whether everything is only named.
        public var isDryRun = false
        /// What this process finds in its environment: scripts find it too.
        public var environment: [String: String]
        /// The program that verbs start: one that begins with ``ScriptHelper/runIfAsked(_:)``.
        public var helper: String

        /// What is usual.
        public init(environment: [String: String], helper: String) {
            self.environment = environment
            self.helper = helper
        }
    }

    private let configuration: EnvironmentConfiguration
    private let options: Options
    private let hosts: [EnvironmentHost]
    private let emit: @Sendable (EnvironmentEvent) -> Void
    /// What this run learned of VMs whose host keys nobody knows: known_hosts says nothing of them.
    private let keyless = Mutex<[String: SSHConfigurationFile.Entry]>([:])
    /// The connections to devhosts, by the names that environment.cfg has for these.
    private let connections = Mutex<[String: DevhostConnection]>([:])

    /// Prepares to bring an environment up.
    /// - Throws: `notFound` for a host that the environment does not have, and where it has none.
    public init(
        _ configuration: EnvironmentConfiguration, _ options: Options,
        events: @escaping @Sendable (EnvironmentEvent) -> Void
    ) throws {
        self.configuration = configuration
        self.options = options
        emit = events
        hosts =
            options.hosts.isEmpty
            ? configuration.hosts
            : try options.hosts.reduce(into: []) { hosts, name in
                guard let host = configuration.hosts.first(where: { $0.name == name }) else {
                    let known = configuration.hosts.map(\.name).joined(separator: ", ")
                    throw DevhostError(
                        .notFound, "environment \(configuration.name) has no VM \(name.quoted)",
                        next: known.isEmpty ? "it has none at all" : "it has \(known)")
                }
                // Named twice, it would be prepared twice at the same time.
                if !hosts.contains(where: { $0.name == name }) { hosts.append(host) }
            }
        guard !hosts.isEmpty else {
            throw DevhostError(
                .notFound, "environment \(configuration.name) has no VM",
                next: "add a [provisioner:default] and a [host:NAME] to its environment.cfg")
        }
    }

    /// Does it; a host that fails does not hold up the others.
    /// - Returns: What became of each host, in the order of the file.
    /// - Throws: What concerns all hosts: secrets that cannot be read, a devhost that cannot be asked for its names.
    public func run() async throws -> [HostOutcome] {
        let outcomes = try await bringUp()
        emit(.ended(outcomes))
        return outcomes
    }

    private func bringUp() async throws -> [HostOutcome] {
        for warning in configuration.warnings { emit(.warning(warning.description)) }
        let secrets = try await EnvironmentSecrets.load(
            folder: configuration.folder, environment: options.environment)
        for warning in secrets.warnings { emit(.warning(warning)) }
        let variables = EnvironmentVariables(configuration, secrets: secrets, caller: options.environment)
        if !Files.exists(configuration.scriptPath) && !Files.exists(configuration.nixPath) {
            emit(.warning("there is neither a provision.sh nor a provision.nix: the VMs are only brought up"))
        }
        if options.isDryRun { return try await rehearse(variables) }
        do {
            let outcomes = try await bringUp(variables)
            await disconnect()
            return outcomes
        } catch {
            await disconnect()
            throw error
        }
    }

    private func bringUp(_ variables: EnvironmentVariables) async throws -> [HostOutcome] {
        let (keys, names) = try await prepare()
        let outcomes = await withTaskGroup(of: HostOutcome.self) { group in
            for host in hosts {
                guard let name = names[host.name] else { continue }
                group.addTask {
                    do {
                        let summary = try await self.bringUp(host, name, variables, keys)
                        return HostOutcome(host: host, name: name, result: .success(summary))
                    } catch {
                        let error: DevhostError = .wrapping(error, "interrupted")
                        return HostOutcome(host: host, name: name, result: .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.host.name] = $1 }
        }
        try Task.checkCancellation()
        return hosts.compactMap { outcomes[$0.name] }
    }

    // MARK: Before the hosts

    /// Sees to what the checkout keeps: key pair, names, and an ssh configuration by which devhosts are reached.
    private func prepare() async throws -> (EnvironmentKeys, [String: VMName]) {
        let lock = try await lock()
        defer { withExtendedLifetime(lock) {} }
        let keys = try await EnvironmentKeys.ensure(configuration, environment: options.environment)
        try await GitIgnore.ensure(
            [configuration.sshConfigurationPath, "\(configuration.folder)/\(DynamicNames.fileName)"],
            in: configuration.projectFolder, environment: options.environment)
        try await sshConfiguration([], keys).check(environment: options.environment)
        try writeConfiguration(keys)
        return (keys, try await assignNames())
    }

    /// Takes the lock on what the checkout keeps: several runs may be under way, each for another host.
    private func lock() async throws -> FileLock {
        try await EnvironmentKeys.lock(configuration) { [emit] in emit(.warning("waiting for \($0)")) }
    }

    /// The VM of each host that is brought up; new names are kept before anything is made under them.
    private func assignNames() async throws -> [String: VMName] {
        var kept = try DynamicNames(folder: configuration.folder)
        var names: [String: VMName] = [:]
        var taken: [String: Set<String>] = [:]
        var isChanged = false
        for host in hosts {
            if let name = try kept.name(of: host) {
                names[host.name] = name
                continue
            }
            let devhost = host.provisioner.devhost
            if taken[devhost] == nil { taken[devhost] = try await client(host).list() }
            names[host.name] = try kept.assign(host, taken: taken[devhost] ?? [])
            isChanged = true
        }
        if isChanged { try kept.save() }
        return names
    }

    /// What is known of VMs from known_hosts: from earlier runs, and from others that are under way.
    private func knownEntries(_ keys: EnvironmentKeys) throws -> [String: SSHConfigurationFile.Entry] {
        let names = try DynamicNames(folder: configuration.folder)
        let text = (try? Files.readText(keys.knownHostsPath, limit: 1 << 20)) ?? ""
        var hostKeys: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if words.count == 2 { hostKeys[words[0]] = words[1] }
        }
        var entries: [String: SSHConfigurationFile.Entry] = [:]
        for host in configuration.hosts {
            guard let name = try names.name(of: host), let key = hostKeys[name.description] else { continue }
            entries[host.name] = Self.entry(host, name, hostKey: key)
        }
        return entries
    }

    private static func entry(
        _ host: EnvironmentHost, _ name: VMName, hostKey: String?
    ) -> SSHConfigurationFile.Entry {
        SSHConfigurationFile.Entry(
            name: name, hostName: host.name, aliases: host.aliases.map(\.description),
            jump: host.provisioner.isLocal ? nil : try? SSHDestination(host.provisioner.devhost), hostKey: hostKey)
    }

    /// Keeps what the devhost says about a host's VM, and nothing that other runs know better by now.
    private func remember(
        _ host: EnvironmentHost, _ name: VMName, hostKey: String?, _ keys: EnvironmentKeys
    ) async throws {
        let lock = try await lock()
        defer { withExtendedLifetime(lock) {} }
        let entry = Self.entry(host, name, hostKey: hostKey)
        keyless.withLock { $0[host.name] = hostKey == nil ? entry : nil }
        try writeConfiguration(keys, learned: [host.name: entry])
    }

    /// Writes the ssh configuration and the host keys. The lock must be held.
    private func writeConfiguration(
        _ keys: EnvironmentKeys, learned: [String: SSHConfigurationFile.Entry] = [:]
    ) throws {
        let entries = keyless.withLock { $0 }.merging(try knownEntries(keys)) { $1 }.merging(learned) { $1 }
        let file = sshConfiguration(configuration.hosts.compactMap { entries[$0.name] }, keys)
        try Files.writeAtomically(keys.knownHostsPath, Array(file.knownHosts.utf8), mode: 0o600)
        try Files.writeAtomically(configuration.sshConfigurationPath, Array(file.text.utf8), mode: 0o600)
    }

    private func sshConfiguration(
        _ entries: [SSHConfigurationFile.Entry], _ keys: EnvironmentKeys
    ) -> SSHConfigurationFile {
        // In the order in which ssh would read them: with a file of its own it reads none but that.
        let files = ["\(options.environment["HOME"] ?? "")/.ssh/config", "\(configuration.projectFolder)/ssh_config"]
        return SSHConfigurationFile(
            entries: entries, hostNames: configuration.hosts.map(\.name), keys: keys,
            included: (files + ["/etc/ssh/ssh_config"]).filter(Files.exists),
            path: configuration.sshConfigurationPath)
    }

    // MARK: Devhosts

    /// The connection to a host's devhost; nil where this machine is it.
    private func connection(_ host: EnvironmentHost) throws -> DevhostConnection? {
        let devhost = host.provisioner.devhost
        if host.provisioner.isLocal { return nil }
        return try connections.withLock { connections in
            if let connection = connections[devhost] { return connection }
            let connection = try DevhostConnection(
                SSHDestination(devhost), configuration: configuration.sshConfigurationPath,
                environment: options.environment)
            connections[devhost] = connection
            return connection
        }
    }

    private func client(_ host: EnvironmentHost) throws -> DevhostClient {
        DevhostClient(host.provisioner, over: try connection(host), environment: options.environment)
    }

    private func disconnect() async {
        for connection in connections.withLock({ $0 }).values { await connection.close() }
    }

    // MARK: One host

    private func bringUp(
        _ host: EnvironmentHost, _ name: VMName, _ variables: EnvironmentVariables, _ keys: EnvironmentKeys
    ) async throws -> ProvisionSummary {
        let client = try client(host)
        let progress: @Sendable (String) -> Void = { [emit] in emit(.devhost(host: host.name, $0)) }
        let others = try await otherKeys(client, host, name, own: keys.publicKey)
        if options.rebuilds {
            emit(.step(host: host.name, "destroying \(name)"))
            try await client.call(["destroy", name.description], progress: progress)
        }
        emit(.step(host: host.name, "bringing up \(name) on \(host.provisioner.devhost)"))
        try await client.call(host.ensureArguments(name, keys: others + [keys.publicKey]), progress: progress)
        let description = try await client.show(name)
        if description.hostKey == nil {
            emit(.warning("the devhost does not know the host key of \(name): the first one that answers is taken"))
        }
        try await remember(host, name, hostKey: description.hostKey.flatMap(Self.hostKey), keys)
        return try await provision(host, name.description, variables, description: description)
    }

    /// The keys that let others into a VM that several checkouts share under a fixed name: `ensure` takes a list of keys
    /// for the whole of it.
    private func otherKeys(
        _ client: DevhostClient, _ host: EnvironmentHost, _ name: VMName, own: String
    ) async throws -> [String] {
        guard !host.isDynamic, try await client.list().contains(name.description) else { return [] }
        let keys = try await client.show(name).authorizedKeys ?? []
        return keys.filter { Self.hostKey($0) != Self.hostKey(own) }
    }

    /// Type and key of a line, without its comment; nil for anything that is not one key.
    static func hostKey(_ line: String) -> String? {
        guard let key = try? AuthorizedKey(line) else { return nil }
        return key.description.split(separator: " ").prefix(2).joined(separator: " ")
    }

    private func provision(
        _ host: EnvironmentHost, _ name: String, _ variables: EnvironmentVariables,
        description: DevhostClient.Description?
    ) async throws -> ProvisionSummary {
        let target = try GuestTarget(host: name, configuration: configuration.sshConfigurationPath)
        var session = ProvisionSession.Options(
            folder: configuration.folder, target: target,
            environment: variables.environment(
                host, vm: name, channel: description?.channelURL, image: description?.imageURL,
                sshConfiguration: configuration.sshConfigurationPath, isRebuild: options.rebuilds),
            helper: options.helper)
        session.secrets = variables.secrets
        session.serviceUser = host.serviceUser
        if !options.isDryRun { session.proxyCommand = try connection(host)?.proxyCommand }
        session.keepsGoing = options.keepsGoing
        session.isDryRun = options.isDryRun
        if Files.exists(configuration.scriptPath) { session.script = configuration.scriptPath }
        if Files.exists(configuration.nixPath), try !scriptCopiesNix() { session.nixFile = "provision.nix" }
        session.closingCommand = ["sudo", "fc-manage", "-c"]
        return try await ProvisionSession(session) { [emit] in emit(.provision(host: host.name, $0)) }.run()
    }

    private func scriptCopiesNix() throws -> Bool {
        guard Files.exists(configuration.scriptPath) else { return false }
        return ProvisionScript(try Files.readText(configuration.scriptPath), source: "provision.sh").copiesNix
    }

    // MARK: Without touching anything

    private func rehearse(_ variables: EnvironmentVariables) async throws -> [HostOutcome] {
        let names = try DynamicNames(folder: configuration.folder)
        var outcomes: [HostOutcome] = []
        for host in hosts {
            let name = try names.name(of: host)
            let shown = name?.description ?? "new-vm"
            if options.rebuilds, name != nil { emit(.step(host: host.name, "would run: fc-devhost destroy \(shown)")) }
            let words = try host.ensureArguments(name ?? VMName("new-vm"), keys: ["…"])
            emit(
                .step(
                    host: host.name,
                    "would run on \(host.provisioner.devhost): fc-devhost "
                        + words.map(\.shellQuoted).joined(separator: " ")))
            let summary = try await provision(host, shown, variables, description: nil)
            outcomes.append(HostOutcome(host: host, name: name, result: .success(summary)))
        }
        return outcomes
    }
}
