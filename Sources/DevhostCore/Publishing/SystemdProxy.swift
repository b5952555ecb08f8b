/// Caddy as a service of systemd: Debian's own unit, told by a drop-in to take this devhost's configuration.
struct SystemdProxy: Sendable {
    let layout: Layout
    let user: String

    static let dropIn = "/etc/systemd/system/caddy.service.d/devhost.conf"

    var text: String {
        """
        # Written by fc-devhost; 'fc-devhost publish' writes it anew.
        [Service]
        User=\(user)
        Group=
        ExecStartPre=-/bin/rm -f \(layout.proxySocket)
        ExecStart=
        ExecStart=/usr/bin/caddy run --config \(layout.proxyConfiguration)
        ExecReload=
        Environment=HOME=\(layout.proxyStorage) XDG_DATA_HOME=\(layout.proxyStorage)
        Environment=XDG_CONFIG_HOME=\(layout.proxyStorage)
        Restart=on-failure
        RestartSec=2s
        NoNewPrivileges=true

        """
    }

    /// Sees to the drop-in, and starts the service now and with the host.
    func start() async throws {
        if (try? Files.readText(Self.dropIn)) != text {
            try Files.createDirectory(Files.directory(of: Self.dropIn), mode: 0o755)
            try Files.writeAtomically(Self.dropIn, Array(text.utf8), mode: 0o644)
            try await systemctl("daemon-reload")
        }
        try await systemctl("enable", "caddy.service")
        // Debian starts the service with its own configuration when it installs the package.
        try await systemctl("restart", "caddy.service")
    }

    private func systemctl(_ words: String...) async throws {
        let result = try await Processes.run(Command("systemctl", ["--quiet"] + words), limit: .seconds(100))
        guard result.status == 0 else {
            throw DevhostError(
                .unavailable, "systemd does not start Caddy: \(Proxy.words(result.errorText))",
                next: "see 'journalctl -u caddy', then run 'fc-devhost publish'")
        }
    }
}
