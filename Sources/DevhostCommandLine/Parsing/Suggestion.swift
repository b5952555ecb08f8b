/// Finds what somebody may have meant.
enum Suggestion {
    /// The candidate nearest to a word, if one is near: at most a third of its letters differ, or it starts with the
    /// word.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = max(1, min(3, word.count / 3))
        let ranked = candidates.map { (distance: distance(word, $0), candidate: $0) }
            .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }
        if let ranked, ranked.distance <= limit { return ranked.candidate }
        let longer = candidates.filter { word.count >= 2 && $0.hasPrefix(word) }
        return longer.count == 1 ? longer.first : nil
    }

    /// How many letters have to be put in, left out, replaced or swapped with their neighbour. Long words are not
    /// compared.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        guard a.count <= 64, b.count <= 64 else { return .max }
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var rows = [Array(0...b.count)]
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
