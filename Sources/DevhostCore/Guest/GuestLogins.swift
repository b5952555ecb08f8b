#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads from a guest's own journal who logged in, over ssh with the devhost's key, which leaves a line there too. That
/// line is left out, and shows that the guest notes logins at all.
struct GuestLogins: Sendable {
    let shell: GuestShell
    /// The fingerprint of the devhost's key as sshd notes it: `SHA256:` and base64.
    let ownFingerprint: String

    /// When somebody else logged in last, of the last two days, by the guest's clock; nil where nobody did.
    /// - Parameter notice: What everybody who logs in reads from then on; nil for nothing.
    /// - Throws: `unavailable` where ssh cannot log in, `guestFailed` where the guest keeps no journal of logins.
    func last(showing notice: String?, limit: Duration) async throws -> Timestamp? {
        let script = Self.script.replacing("@OWN@", with: "ssh2: ED25519 \(ownFingerprint)".shellQuoted)
        let result = try await shell.run(script, input: Array((notice ?? "").utf8), limit: limit)
        guard let seconds = Double(result.text.trimmed), seconds.isFinite, abs(seconds) < 1e11 else { return nil }
        return Timestamp(Date(timeIntervalSince1970: seconds))
    }

    /// The fingerprint of a key pair, by `ssh-keygen -l`.
    static func fingerprint(ofKey path: String) async throws -> String {
        let text = try await Processes.require(Command("ssh-keygen", ["-l", "-E", "sha256", "-f", path + ".pub"])).text
        guard let word = text.split(separator: " ").first(where: { $0.hasPrefix("SHA256:") }) else {
            throw DevhostError(.failed, "ssh-keygen tells no fingerprint of \(path).pub")
        }
        return String(word)
    }

    /// sshd notes `Accepted publickey for developer from 10.12.0.1 port 40000 ssh2: ED25519 SHA256:...`, for every
    /// session, also those without a terminal that wtmp does not know. Since OpenSSH 9.8 its sessions bear another name.
    private static let script = """
        set -eu
        export PATH="$PATH:/run/current-system/sw/bin"
        folder=/run/motd.d file=/run/motd.d/devhost
        notice=$(cat)
        if [ -n "$notice" ]; then
            mkdir -p $folder
            printf '\\n%s\\n\\n' "$notice" >$file
        else
            rm -f $file
        fi
        command -v journalctl >/dev/null || { echo 'it has no journalctl' >&2; exit 1; }
        journalctl --sync 2>/dev/null || true
        logins=$(journalctl -q -r -t sshd -t sshd-session --since=-2d -o short-unix --no-pager | grep -F ' Accepted ' || true)
        [ -n "$logins" ] || { echo 'its journal shows no logins, not even this one' >&2; exit 1; }
        printf '%s\\n' "$logins" | grep -vF @OWN@ | head -n 1 | cut -d' ' -f1
        """
}
