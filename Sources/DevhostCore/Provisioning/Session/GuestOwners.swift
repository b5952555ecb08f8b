/// To whom the files belong that verbs create: root, or the service user below its home.
struct GuestOwners: Sendable {
    private let home: String?
    /// `user:group`
    private let owner: String

    /// Asks the VM about the service user. Blocks.
    init(serviceUser: String?, connection: GuestConnection) throws {
        guard let user = serviceUser,
            let answer = try connection.query([
                "bash", "-c", #"getent passwd -- "$1" | cut -d: -f6 && id -gn -- "$1""#, "bash", user,
            ])
        else {
            (home, owner) = (nil, "")
            return
        }
        let lines = answer.split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0].hasPrefix("/"), lines[0] != "/" else {
            (home, owner) = (nil, "")
            return
        }
        home = lines[0]
        owner = "\(user):\(lines[1])"
    }

    var hasServiceUser: Bool { home != nil }

    /// `user:group` for a new file; empty for root.
    func owner(of path: RemotePath) -> String {
        guard let home else { return "" }
        return path.normalized == home || path.normalized.hasPrefix("\(home)/") ? owner : ""
    }
}
