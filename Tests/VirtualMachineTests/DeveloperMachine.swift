import DevhostBase
import DevhostCore
import FoundationEssentials
import Glibc
import Testing

/// A developer's machine and the way from it to the devhost, both played by the test host: the developer `pcarol` has
/// her own home and ssh configuration, and reaches the devhost through a real sshd on loopback as the user `palice`, whose
/// only right is to `sudo fc-devhost`. All of it lies below /run, which the test host has for itself.
enum DeveloperMachine {
    static let folder = "/run/provisioning"
    static let home = "\(folder)/carol"
    static let project = "\(home)/project"
    static let releaseURL = "http://127.0.0.1:8043/release.json"

    /// The folder of the checkout.
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    /// The wheels of batou; nil where they could not be fetched.
    static var wheels: String? {
        guard let wheels = getenv("DEVHOST_TEST_BATOU").map({ String(cString: $0) }), !wheels.isEmpty else {
            return nil
        }
        return wheels
    }

    /// Makes both, and a release that is published on loopback.
    static func make() async throws {
        let image = try TestHost.image()
        let programs = Files.directory(of: TestHost.program)
        let made = try await TestHost.shell(
            """
            set -e
            install -d -m 755 \(folder) \(folder)/bin /run/sshd
            install -m 755 \(programs)/fc-devhost \(programs)/devhost-provision \(folder)/bin/
            useradd -m -d \(folder)/alice -s /bin/bash palice
            useradd -m -d \(home) -s /bin/bash pcarol
            cat >/etc/sudoers.d/provisioning <<'TEXT'
            Defaults:palice secure_path="\(folder)/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            palice ALL=(root) NOPASSWD: \(folder)/bin/fc-devhost
            TEXT
            chmod 440 /etc/sudoers.d/provisioning
            ssh-keygen -q -t ed25519 -N '' -f \(folder)/host_key
            printf '%s\\n' 'Port 2222' 'ListenAddress 127.0.0.1' 'HostKey \(folder)/host_key' 'UsePAM yes' \\
                'PidFile \(folder)/sshd.pid' 'AuthorizedKeysFile .ssh/authorized_keys' 'LogLevel VERBOSE' \\
                >\(folder)/sshd_config
            $(command -v sshd || echo /usr/sbin/sshd) -f \(folder)/sshd_config -E \(folder)/sshd.log
            install -d -m 700 -o pcarol -g pcarol \(home)/.ssh
            install -d -m 700 -o palice -g palice \(folder)/alice/.ssh
            ssh-keygen -q -t ed25519 -N '' -C carol -f \(home)/.ssh/id_ed25519
            install -m 600 -o palice -g palice \(home)/.ssh/id_ed25519.pub \(folder)/alice/.ssh/authorized_keys
            echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 \(folder)/host_key.pub)" >\(home)/.ssh/known_hosts
            printf '%s\\n' 'Host devhost' 'HostName 127.0.0.1' 'Port 2222' 'User palice' 'IdentitiesOnly yes' \\
                'IdentityFile ~/.ssh/id_ed25519' >\(home)/.ssh/config
            install -d \(folder)/releases
            digest=$(sha256sum \(image.path) | head -c 64)
            printf '{"channel_url": "https://example.com/channel.tar.xz", "devhost_image_url": "%s", ' \(image) \
                >\(folder)/releases/release.json
            printf '"devhost_image_hash": "sha256-%s", "release_name": "2024_1"}\\n' \
                "$(printf %s $digest | base64 -w0)" >>\(folder)/releases/release.json
            (cd \(folder)/releases && exec python3 -m http.server --bind 0.0.0.0 8043 >/dev/null 2>&1) &
            until curl -sf -o /dev/null \(releaseURL); do sleep 0.05; done
            \(wheels.map { "\(root)/Tests/Batou/prepare \($0) \(home)" } ?? "mkdir \(project)")
            if [ -e \(home)/venv ]; then
                install -m 600 \(home)/venv/lib/python3*/site-packages/batou/insecure-private.key \(folder)/insecure
                mkdir -p /etc/devhost
                # In the VM too, batou asks for the release.
                printf '%s\\n' '[access]' "authorized-keys = $(ssh-keygen -y -f \(folder)/insecure)" '[network]' \\
                    'allow = udp/53 tcp/53 tcp/80 tcp/443 tcp/8043' >/etc/devhost/devhost.cfg
            fi
            git init -q \(project)
            chown -R pcarol:pcarol \(home)
            """, limit: .seconds(180))
        try #require(made.status == 0, "\(made.text)\(made.errorText)")
    }

    /// Writes a file of the project.
    static func write(_ name: String, _ text: String) throws {
        try Files.createDirectory(Files.directory(of: "\(project)/\(name)"), mode: 0o755)
        try Files.writeAtomically("\(project)/\(name)", Array(text.utf8), mode: 0o644)
        try #require(system("chown -R pcarol:pcarol \(project)") == 0)
    }

    /// Runs a line of shell in the project, as the developer.
    static func run(_ line: String, limit: Duration = .seconds(300)) async throws -> CommandResult {
        let path = "\(folder)/bin:/usr/local/bin:/usr/bin:/bin"
        return try await Processes.run(
            Command(
                "setpriv",
                [
                    "--reuid=pcarol", "--regid=pcarol", "--init-groups", "env", "-i", "-C", project, "HOME=\(home)",
                    "USER=pcarol", "LOGNAME=pcarol", "PATH=\(path)", "LANG=C.UTF-8", "bash", "-c", line,
                ]), limit: limit)
    }

    /// Which VM a host of an environment is.
    static func vm(_ host: String, in environment: String = "dev") throws -> VMName {
        let text = try Files.readText("\(project)/environments/\(environment)/hostmap.json")
        let names = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        return try VMName(#require(names[host]))
    }

    /// Ends what runs for the developer and the devhost, and forgets both users.
    static func remove() async throws {
        _ = try await TestHost.shell(
            """
            kill $(cat \(folder)/sshd.pid)
            for user in pcarol palice; do pkill -KILL -u $user; userdel $user; done
            rm -rf \(folder) /etc/sudoers.d/provisioning /etc/devhost/devhost.cfg
            """)
    }
}
