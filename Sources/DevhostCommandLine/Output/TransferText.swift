import DevhostBase

/// How far a transfer of data has come, as people read it.
struct TransferText {
    let what: String
    let done: UInt64
    let total: UInt64?
    let rate: UInt64

    /// Figures, for instance `45 %, 460 MiB of 1 GiB, 12 MiB/s, 0:47 left`.
    var figures: String {
        var parts: [String] = []
        if let percent { parts.append("\(percent) %") }
        parts.append(ByteText.size(done) + (total.map { " of \(ByteText.size($0))" } ?? ""))
        if rate > 0 { parts.append("\(ByteText.size(rate))/s") }
        if let total, total > done, rate > 0 {
            let seconds = (total - done) / rate
            let rest = seconds % 60
            parts.append("\(seconds / 60):\(rest < 10 ? "0" : "")\(rest) left")
        }
        return parts.joined(separator: ", ")
    }

    /// The transfer as a line of a terminal: what, a bar where it fits and the total is known, and figures.
    func line(columns: Int) -> String {
        let label = what.printable
        let figures = figures
        let room = columns - figures.count - 4
        guard let percent, room >= 30 else { return "\(label): \(figures)".fitting(columns: columns) }
        let width = 20
        let filled = percent * width / 100
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
        return "\(label.fitting(columns: room - width)) [\(bar)] \(figures)".fitting(columns: columns)
    }

    private var percent: Int? {
        guard let total, total > 0 else { return nil }
        return Int(min(100, Double(done) / Double(total) * 100))
    }
}
