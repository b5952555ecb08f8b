/// What somebody does to a devhost, with the right that it takes: the one table of who may do what to whose VM. Every
/// verb that changes something stands here, as it stands in the audit log, which each of them enters, also when it is
/// refused.
public enum Verb: String, Sendable, CaseIterable {
    case ensure
    case start
    case shutdown
    case suspend
    case restart
    case login
    case snapshot
    case clone
    case pin
    case undelete
    case destroy
    case trash = "destroy --trash"
    case rebuild
    case restore
    case removeSnapshot = "snapshot rm"
    case unpin
    case publish
    case collect
    case cleanUp = "cleanup"
    case mend = "doctor --fix"
    case pruneImages = "images prune"
    case buildTemplate = "templates build"
    case removeTemplate = "templates rm"
    case publishRelease = "release publish"
    case removeRelease = "release rm"
    case removeChannel = "channel rm"

    /// What somebody must be to do something.
    public enum Right: String, Sendable {
        /// Whoever may call fc-devhost, to whosever VM.
        case anybody
        /// With `destroy = owner` in `[access]` of devhost.cfg the VM's owner and administrators; anybody without it. A
        /// VM without an owner is for administrators then.
        case owner
        /// Whoever publishes into the channel, as `[releases]` of devhost.cfg says, and administrators.
        case publisher
    }

    /// What the verb takes.
    public var right: Right {
        switch self {
        case .destroy, .trash, .rebuild, .restore, .removeSnapshot, .unpin: .owner
        case .ensure, .start, .shutdown, .suspend, .restart, .login, .snapshot, .clone, .pin, .undelete, .publish,
            .collect, .cleanUp, .mend, .pruneImages, .buildTemplate, .removeTemplate:
            .anybody
        case .publishRelease, .removeRelease, .removeChannel: .publisher
        }
    }

    /// What the verb changes, for people.
    var subject: String {
        switch self {
        case .ensure, .start, .shutdown, .suspend, .restart, .login, .snapshot, .clone, .pin, .undelete, .destroy,
            .trash, .rebuild, .restore, .removeSnapshot, .unpin:
            "a VM"
        case .publish: "all published names"
        case .collect: "what is known of the use of VMs"
        case .cleanUp: "VMs and images that nobody uses, by the rules of devhost.cfg"
        case .mend: "what can be mended without a loss"
        case .pruneImages: "images that no VM uses"
        case .buildTemplate, .removeTemplate: "a template"
        case .publishRelease, .removeRelease, .removeChannel: "the catalog of releases"
        }
    }

    /// The table as docs/sharing.md shows it, in Markdown.
    static var table: String {
        let rows = allCases.map { verb in
            let who =
                switch verb.right {
                case .anybody: "anybody"
                case .owner: "anybody; with `destroy = owner` its owner and administrators"
                case .publisher: "the publishers of the channel, as `[releases]` says, and administrators"
                }
            return "| `\(verb.rawValue)` | \(verb.subject) | \(who) |\n"
        }
        return "| verb | changes | may be done by |\n| --- | --- | --- |\n" + rows.joined()
    }
}
