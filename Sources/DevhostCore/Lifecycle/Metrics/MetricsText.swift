/// Metrics in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/), which
/// node_exporter's textfile collector reads.
struct MetricsText: Sendable {
    /// What kind of number a metric is.
    enum Kind: String {
        /// It goes up and down.
        case gauge
        /// It only goes up, and starts again at zero when the log that it comes from is rotated.
        case counter
    }

    /// One number with what tells it from the others of its metric.
    struct Sample {
        let labels: [(name: String, value: String)]
        let value: Double
    }

    private(set) var text = ""

    /// Adds a metric; one without numbers is left out.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        let lines = samples.map { sample in
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",")
            let isWhole = sample.value == sample.value.rounded() && abs(sample.value) < 1e15
            return "\(name){\(labels)} \(isWhole ? "\(Int64(sample.value))" : "\(sample.value)")\n"
        }
        text += lines.sorted().joined()
    }

    private static func escape(_ text: String) -> String {
        text.printable.replacingScalars(["\\": "\\\\", "\"": "\\\""])
    }
}
