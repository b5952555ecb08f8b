import FoundationEssentials

/// Brings a running guest up to date with its record: enc.json, authorized keys, CPUs that were plugged in, a disk that
/// grew.
struct GuestSync: Sendable {
    let shell: GuestShell
    let data: GuestData
    /// Whether the guest's channel may be changed.
    let updatesChannel: Bool
    let limit: Duration

    /// The largest document that is taken from a guest, in bytes. Its owner may have made the file endless.
    static let largestDocument = 1 << 20

    /// Gives the guest's document, or as much of it as is taken.
    static let readScript = "head -c \(largestDocument) \(GuestData.encPath) 2>/dev/null || true"

    /// How many CPUs the guest uses when it is done.
    func run() async throws -> Int? {
        let current = try await shell.run(Self.readScript, limit: limit)
        let enc = try GuestData.encode(merged(with: current.output))
        let parts = [enc, Array(data.authorizedKeysBlock.utf8)].map { Data($0).base64EncodedString() }
        // The data come through standard input: keys and channel URLs are nobody's business in a process list.
        let input = parts.joined(separator: "\n") + "\n"
        let result = try await shell.run(Self.script, input: Array(input.utf8), limit: limit)
        return result.text.split(separator: "\n").last.flatMap { Int(String($0).trimmed) }
    }

    /// What the guest should hold: its own document with our keys over it. What a developer added stays, and so does
    /// the channel where it is not to be changed.
    private func merged(with current: [UInt8]) -> JSONValue {
        guard let old = try? JSONDecoder().decode(JSONValue.self, from: Data(current)), case .object = old else {
            return data.enc()
        }
        var new = data.enc()
        if !updatesChannel, case .object(let root) = old, case .object(let parameters)? = root["parameters"],
            let channel = parameters["environment_url"]
        {
            new = new.merging(.object(["parameters": .object(["environment_url": channel])]))
        }
        return old.merging(new)
    }

    /// A root file system that is full must not stop this: files are replaced only after the disk has grown, and
    /// scratch space lies in /run.
    private static let script = """
        set -eu
        umask 022
        read -r enc
        read -r keys
        for cpu in /sys/devices/system/cpu/cpu*/online; do
            [ ! -e "$cpu" ] || [ "$(cat "$cpu")" = 1 ] || echo 1 >"$cpu"
        done
        export TMPDIR=/run PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/run/current-system/sw/bin"
        if command -v fc-resize-disk >/dev/null; then
            fc-resize-disk >&2
        else
            source=$(findmnt -no SOURCE /)
            partition=$(cat "/sys/class/block/${source##*/}/partition" 2>/dev/null || true)
            if [ -n "$partition" ]; then
                disk=/dev/$(basename "$(readlink -f "/sys/class/block/${source##*/}/..")")
                echo ", +" | sfdisk --no-reread --force -q -N "$partition" "$disk" >&2 || true
                partx -u "$disk" >&2 || true
            fi
            case $(findmnt -no FSTYPE /) in
                ext[234]) resize2fs "$source" >&2 ;;
                xfs) xfs_growfs / >&2 ;;
                btrfs) btrfs filesystem resize max / >&2 ;;
            esac
        fi
        mkdir -p /etc/nixos
        printf %s "$enc" | base64 -d >/etc/nixos/enc.json.new
        cmp -s /etc/nixos/enc.json.new /etc/nixos/enc.json || cat /etc/nixos/enc.json.new >/etc/nixos/enc.json
        rm /etc/nixos/enc.json.new
        file=$(getent passwd developer | cut -d: -f6)/.ssh/authorized_keys
        { printf %s "$keys" | base64 -d
          [ ! -e "$file" ] || sed '/^# begin: managed by fc-devhost$/,/^# end: managed by fc-devhost$/d' "$file"
        } >/run/devhost-keys.new
        cmp -s /run/devhost-keys.new "$file" || cat /run/devhost-keys.new >"$file"
        rm /run/devhost-keys.new
        nproc
        """
}
