/// One request as curl is asked for it. Everything that may be a secret goes to curl's standard input, never into its
/// arguments, and no configuration file of any user is read (https://curl.se/docs/manpage.html).
struct CurlRequest {
    var url: ResourceURL
    var limits: HTTPLimits
    var maximum: UInt64
    /// Headers of ours.
    var headers: [String] = []
    /// The byte to start from; nil for the whole.
    var offset: UInt64?
    /// How long the request may take; nil where only stalls end it.
    var wholeSeconds: Int64?

    var command: Command {
        var command = Command("curl", ["-q", "--config", "-"])
        command.input = Array(configuration.utf8)
        return command
    }

    private var configuration: String {
        // Who was promised TLS gets it to the end.
        let redirectProtocols = url.scheme == .https ? "=https" : "=http,https"
        var lines = [
            "silent", "show-error", "fail", "globoff", "location",
            option("url", url.description),
            option("user-agent", "devhost"),
            option("proto", "=http,https"), option("proto-redir", redirectProtocols),
            option("max-redirs", "\(limits.redirects)"),
            option("connect-timeout", "\(limits.connectSeconds)"),
            option("speed-time", "\(limits.stallSeconds)"), option("speed-limit", "\(limits.stallRate)"),
            option("max-filesize", "\(maximum)"),
            option("dump-header", "/dev/fd/3"),
        ]
        lines += headers.map { option("header", $0) }
        if let offset { lines.append(option("range", "\(offset)-")) }
        if let wholeSeconds { lines.append(option("max-time", "\(max(1, wholeSeconds))")) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// An option with its value in quotes. Values with control characters, which only a server can have sent, are cut
    /// there: nothing can begin a line of its own.
    private func option(_ name: String, _ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            guard scalar.value >= 0x20, scalar.value != 0x7f else { break }
            if scalar == "\\" || scalar == "\"" { escaped.unicodeScalars.append("\\") }
            escaped.unicodeScalars.append(scalar)
        }
        return "\(name) = \"\(escaped)\""
    }
}
