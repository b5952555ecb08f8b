import DevhostBase
import Foundation

/// A devhost for `up`: the real sshd and sudo of ``TestGuest``, a user who may only `sudo fc-devhost`, and in place of
/// fc-devhost a shell script that plays it: its "VMs" are sshds of their own on loopback addresses, under names that it
/// puts into /etc/hosts as the real one does.
final class TestDevhost: Sendable {
    let folder: String
    let user: String
    let guest: TestGuest
    private let madeDeveloper: Bool
    private let tag = "devhost-test-\(UUID().uuidString.prefix(8))"

    /// - Parameter guest: The sshd by which it is reached; nil for the one that tests share.
    init(guest: TestGuest? = nil) throws {
        self.guest = try guest ?? TestGuest.shared()
        folder = try TestGuest.temporaryFolder()
        user = "dvhd\(getpid())\(guest == nil ? "" : "o")"
        try TestGuest.shell("mkdir \(folder)/bin \(folder)/state && : > \(folder)/calls")
        try Data(Self.script(folder: folder, tag: tag).utf8).write(to: URL(fileURLWithPath: "\(folder)/bin/fc-devhost"))
        chmod("\(folder)/bin/fc-devhost", 0o755)
        madeDeveloper =
            try TestGuest.shell(
                "id developer >/dev/null 2>&1 || { useradd --base-dir /run --create-home --shell /bin/bash developer && echo made; }"
            )
            == "made\n"
        try TestGuest.shell("useradd --base-dir /run --create-home --shell /bin/bash \(user)")
        try Data(
            """
            Defaults:\(user) secure_path="\(folder)/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            \(user) ALL=(root) NOPASSWD: \(folder)/bin/fc-devhost
            developer ALL=(ALL) NOPASSWD: ALL

            """.utf8
        ).write(to: URL(fileURLWithPath: "/etc/sudoers.d/\(user)"))
    }

    /// How ssh reaches the devhost, for the project's own ssh_config.
    func sshConfiguration(_ name: String) -> String {
        guest.configuration(key: "\(guest.folder)/key").replacing("Host vm", with: "Host \(name)")
            .replacing("User \(guest.user)", with: "User \(user)")
    }

    /// The calls of fc-devhost so far.
    var calls: [String] {
        ((try? Files.readText("\(folder)/calls")) ?? "").split(separator: "\n").map(String.init)
    }

    /// Gives a VM another host key, as a stranger at its address would have.
    func replaceHostKey(_ name: String) throws {
        try TestGuest.shell(
            "cd \(folder)/state/\(name) && kill $(cat pid) && rm host host.pub && \(folder)/bin/fc-devhost start \(name)"
        )
    }

    func remove() {
        _ = try? TestGuest.shell(
            """
            for name in $(\(folder)/bin/fc-devhost list); do \(folder)/bin/fc-devhost destroy $name; done
            userdel -r \(user); rm -f /etc/sudoers.d/\(user)
            \(madeDeveloper ? "pkill -KILL -u developer; userdel -r developer" : ":")
            rm -rf \(folder)
            """)
    }

    private static func script(folder: String, tag: String) -> String {
        """
        #!/bin/bash
        # Plays fc-devhost for the tests of devhost-provision.
        set -e
        exec 9>"\(folder)/lock"
        printf '%s\\n' "$*" >>"\(folder)/calls"
        verb=$1; shift
        cd "\(folder)/state"
        start() {
          local name=$1 address
          address=$(cat "$name/address")
          [ -e "$name/host" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$name/host"
          printf '%s\\n' "ListenAddress $address" 'Port 22' "HostKey $PWD/$name/host" 'StrictModes no' 'UsePAM yes' \\
            "AuthorizedKeysFile $PWD/$name/keys" "PidFile $PWD/$name/pid" >"$name/sshd_config"
          rm -f "$name/pid"
          /usr/sbin/sshd -f "$PWD/$name/sshd_config" -E "$PWD/$name/log" 9>&-
          until [ -s "$name/pid" ]; do sleep 0.02; done
        }
        case $verb in
          list) ls ;;
          start) start "$1" ;;
          ensure)
            keys=
            while (($# > 1)); do
              case $1 in
                --authorized-key) keys+=$2$'\\n'; shift 2 ;;
                --update-channel|--no-update-channel) shift ;;
                *) shift 2 ;;
              esac
            done
            if [ "$1" = slow ]; then
              exec 8>"\(folder)/begun"; flock 8
              read -r _ <"\(folder)/never"
            fi
            [ "$1" != broken ] || { echo 'making it'; echo 'fc-devhost: no room for broken' >&2; exit 11; }
            if [ ! -d "$1" ]; then
              echo "creating $1" >&2
              mkdir "$1"
              echo "127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).$((RANDOM % 250 + 2))" >"$1/address"
              flock 9
              echo "$(cat "$1/address") $1 # \(tag) $1" >>/etc/hosts
              flock -u 9
              start "$1"
            fi
            printf '%s' "$keys" >"$1/keys"
            echo "VM $1 is ready" ;;
          show)
            shift
            echo "{\\"name\\": \\"$1\\", \\"host-key\\": \\"$(cat "$1/host.pub")\\", \\"authorized-keys\\": [$(sed 's/.*/"&"/' "$1/keys" | paste -sd,)], \\"channel_url\\": \\"https://c.example/$1\\"}" ;;
          destroy)
            [ -d "$1" ] || { echo "there is no $1" >&2; exit 0; }
            kill "$(cat "$1/pid")" || true
            flock 9
            hosts=$(grep -v "# \(tag) $1\\$" /etc/hosts)
            printf '%s\\n' "$hosts" >/etc/hosts
            rm -r "$1" ;;
        esac
        """
    }
}
