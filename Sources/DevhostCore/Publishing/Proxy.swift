/// Caddy as this devhost runs it: its configuration, its folders, and whether it is up. Looks first; a Caddy that runs
/// with the right configuration costs a file read and a connection.
struct Proxy: Sendable {
    let publish: Configuration.Publish
    let layout: Layout

    /// What ``bringUp()`` did.
    enum Change: Sendable, Hashable {
        case nothing
        case loaded
        case started
    }

    /// Sees to it that Caddy runs and has this devhost's configuration. The proxy's lock must be held.
    ///
    /// A Caddy that runs keeps its connections unless devhost.cfg changed: then it takes the new configuration, which
    /// closes WebSockets.
    /// - Throws: `unsupported` where it is not installed; `invalidConfiguration`, `failed` or `unavailable` with Caddy's
    ///   words.
    func bringUp() async throws -> Change {
        let user = try requireUser()
        let wanted = try CaddyConfiguration(publish, layout: layout, materials: try materials()).rendered()
        try makeFolders(user)
        let isCurrent = (try? Files.read(layout.proxyConfiguration)) == wanted
        let isUp = isListening
        if isCurrent, isUp { return .nothing }
        if !isCurrent { try await validate(wanted, user) }
        if isUp { try await load(wanted) }
        if !isCurrent {
            // Hashed passwords and the key of an own certificate may stand in it.
            try Files.writeAtomically(layout.proxyConfiguration, wanted, mode: 0o640, owner: (0, user.group))
        }
        if isUp { return .loaded }
        if Files.isDirectory("/run/systemd/system") {
            try await SystemdProxy(layout: layout, user: publish.user).start()
        } else {
            try await start(user)
        }
        return .started
    }

    /// Whether somebody accepts connections at the admin socket.
    var isListening: Bool { (try? UnixSocket.isListening(layout.proxySocket)) ?? false }

    private func requireUser() throws -> User {
        _ = try Processes.find("caddy")
        guard let user = User(named: publish.user) else {
            throw DevhostError(
                .unsupported, "there is no user \(publish.user) for Caddy to run as",
                next: "install the package caddy, or set [publish] user in devhost.cfg")
        }
        guard user.id != 0 else {
            throw DevhostError(.invalidConfiguration, "Caddy must not run as root", next: "set another [publish] user")
        }
        return user
    }

    private func materials() throws -> CaddyConfiguration.Materials {
        var materials = CaddyConfiguration.Materials()
        if let path = publish.passwordFile {
            materials.passwords = try PasswordFile(try Files.readText(path, limit: 1 << 20), source: path).entries
        }
        if let files = publish.certificate {
            materials.certificate = .init(
                certificate: try Files.readText(files.certificate, limit: 1 << 20),
                key: try Files.readText(files.key, limit: 1 << 20))
        }
        return materials
    }

    private func makeFolders(_ user: User) throws {
        try Files.createDirectory(layout.publishing, mode: 0o755)
        try Files.createDirectory(layout.publishedNames, mode: 0o755)
        try Files.createDirectory(layout.landingPage, mode: 0o755)
        for folder in [layout.proxyControl, layout.proxyStorage, layout.proxyLogs] {
            try Files.createDirectory(folder, mode: 0o700, owner: user)
        }
    }

    // MARK: Caddy

    /// Puts right, as root, what a process inherits: who calls this one chose its umask, limits, priority, processors and
    /// open files, and Caddy serves everybody. A limit that cannot be raised is raised as far as it goes.
    private static let ownState = """
        for file in /proc/self/fd/*; do
            file=${file##*/}
            [ "$file" -le 2 ] || eval "exec $file>&-"
        done
        {
            umask 077
            files=$(</proc/sys/fs/nr_open)
            for limit in c:0 d:unlimited e:0 f:unlimited i:unlimited l:unlimited m:unlimited \\
                "n:$((files < 1048576 ? files : 1048576))" q:unlimited r:0 s:8192 t:unlimited u:unlimited v:unlimited \\
                x:unlimited; do
                ulimit -HS "-${limit%:*}" "${limit#*:}" || ulimit -S "-${limit%:*}" "$(ulimit -H "-${limit%:*}")"
            done
            chrt --other --pid 0 $$
            renice -n 0 -p $$
            ionice -c 0 -p $$
            taskset -c -p "0-$(($(nproc --all) - 1))" $$
            echo 0 >/proc/$$/oom_score_adj
        } >/dev/null 2>&1
        exec "$@"
        """

    /// A command that runs Caddy, or what starts it, as its own user, with the one right that it needs: ports below 1024.
    /// - Parameter inNewSession: Whether it stays when this process has gone.
    private func caddy(
        _ arguments: [String], _ user: User, program: String = "caddy", inNewSession: Bool = false
    ) throws -> Command {
        let rights = "-all,+net_bind_service"
        let session = inNewSession ? [try Processes.find("setsid"), "--wait"] : []
        // Signals that the caller ignores would be ignored by Caddy too.
        let words =
            session + [
                try Processes.find("env"), "--default-signal", try Processes.find("setpriv"), "--reuid=\(user.id)",
                "--regid=\(user.group)", "--clear-groups", "--reset-env", "--no-new-privs", "--inh-caps=\(rights)",
                "--ambient-caps=\(rights)", "--bounding-set=\(rights)", "--", try Processes.find("env"),
                "HOME=\(layout.proxyStorage)", "XDG_DATA_HOME=\(layout.proxyStorage)",
                "XDG_CONFIG_HOME=\(layout.proxyStorage)", try Processes.find(program),
            ] + arguments
        var command = Command("bash", ["-c", Self.ownState, "bash"] + words)
        command.directory = "/"
        return command
    }

    private func validate(_ configuration: [UInt8], _ user: User) async throws {
        var command = try caddy(["validate", "--config", "-"], user)
        command.input = configuration
        let result = try await Processes.run(command, limit: .seconds(30))
        guard result.status == 0 else {
            throw DevhostError(
                .invalidConfiguration, "Caddy refuses its configuration: \(Self.words(result.errorText))",
                next: "mend [publish] in devhost.cfg, then run 'fc-devhost publish'")
        }
    }

    private func load(_ configuration: [UInt8]) async throws {
        var command = Command(
            "curl",
            [
                "--silent", "--show-error", "--fail-with-body", "--max-time", "30", "--unix-socket", layout.proxySocket,
                "--header", "Content-Type: application/json", "--data-binary", "@-",
                "http://\(CaddyConfiguration.adminOrigin)/load",
            ])
        command.input = configuration
        let result = try await Processes.run(command, limit: .seconds(40))
        guard result.status == 0 else {
            throw DevhostError(
                .failed, "Caddy did not take its new configuration: \(Self.words(result.text + result.errorText))",
                next: "mend what it says, then run 'fc-devhost publish'")
        }
    }

    /// Starts Caddy where no systemd does. `caddy start` returns when it serves, or says why it does not.
    private func start(_ user: User) async throws {
        // What a Caddy that was killed left would keep a new one from listening.
        try Files.remove(layout.proxySocket)
        // In a session of its own, and with none of this process's files: it stays when this process has gone. The file
        // is written and read as Caddy's user, whose folder it lies in: root must follow no link there.
        let script = """
            log=$1; shift
            rm -f "$log"
            "$@" </dev/null >"$log" 2>&1 || { status=$?; tail -c 4096 "$log" >&2; exit $status; }
            """
        let command = try caddy(
            ["-c", script, "sh", "\(layout.proxyLogs)/start.log", try Processes.find("caddy")]
                + ["start", "--config", layout.proxyConfiguration], user, program: "sh", inNewSession: true)
        let result = try await Processes.run(command, limit: .seconds(40))
        guard result.status == 0 else {
            throw DevhostError(
                .unavailable, "Caddy does not start: \(Self.words(result.errorText))",
                next: "see with 'ss -ltnp' who has port 80 or 443, then run 'fc-devhost publish'")
        }
    }

    /// The line in which Caddy says what is wrong: the first that is an error, because what follows is that it ends.
    static func words(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
        let line =
            lines.first { $0.hasPrefix("Error:") || $0.hasPrefix("{\"error\"") } ?? lines.last ?? "it says nothing"
        return String(line.printable.prefix(600))
    }
}
