import DevhostCommandLine
import DevhostCore

extension VMSummary: TableRow {
    package static var columns: [TextTable.Column] {
        ["NAME", "ONLINE", "USER", "CREATION DATE", "LAST DEPLOY DATE", "LAST USE", "NEXT STEP"].map {
            TextTable.Column($0)
        }
    }

    package var rowName: String { name }

    package var cells: [String?] {
        [
            name, online, owner, creationDate?.description, lastDeployDate?.description, lastUse?.description,
            pin.map(\.text) ?? next?.text,
        ]
    }

    private var online: String {
        if problem != nil { return "broken" }
        if record?.trashed != nil { return "trash" }
        return switch state {
        case nil: "unknown"
        case .running: "yes"
        case .missing, .off: "no"
        case .suspended, .paused, .shuttingDown, .crashed, .asleep: state?.rawValue ?? "unknown"
        }
    }
}
