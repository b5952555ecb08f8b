import DevhostCommandLine
import DevhostCore

extension VMUse {
    /// Everything, for people.
    var text: String {
        var lines: [(label: String, value: String?)] = [("name", name.description)]
        lines += signs.map { ($0.sign.text, $0.date.description) }
        lines += [
            ("unused for", lastLook == nil ? nil : Self.days(unused)),
            ("last look", lastLook?.description ?? "none yet"),
            ("signs", problem.map { "not all can be read, so it is kept: \($0)" }),
            ("pinned", pin?.text),
            ("in the trash since", trashed?.description),
            ("its owner was told", notice),
        ]
        lines += next.map { ($0.action.label, $0.date.description) }
        return TextTable.fields(lines)
    }

    private static func days(_ seconds: Double) -> String {
        // What a file says may be any number.
        let hours = Int(min(max(0, seconds), 1e12) / 3600)
        return hours < 48 ? "\(hours) hours" : "\(hours / 24) days"
    }
}

extension UseSign {
    /// What was seen.
    var text: String {
        switch self {
        case .ensure: "last ensure"
        case .login: "last login"
        case .ssh: "last seen over ssh"
        case .request: "last request"
        case .cpu: "last seen at work"
        case .shutdown: "shut down"
        case .undelete: "undeleted"
        }
    }
}

extension CleanupAction {
    /// What will be done, before its date.
    fileprivate var label: String {
        switch self {
        case .suspend: "suspend if unused"
        case .shutdown: "shutdown if unused"
        case .notice: "notice if unused"
        case .trash: "trash if unused"
        case .gone: "gone for good"
        }
    }
}

extension CleanupStep {
    /// What will be done, and the day.
    var text: String { "\(action.rawValue) \(date.description.prefix(10))" }
}

extension Pin {
    /// Until when it holds.
    var text: String {
        switch self {
        case .forever: "pinned"
        case .until(let end): "pinned until \(end.description.prefix(10))"
        }
    }
}
