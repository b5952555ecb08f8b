/// Why curl failed, from its exit status (https://curl.se/libcurl/c/libcurl-errors.html) and what it said.
struct CurlFailure {
    let status: Int32
    let httpStatus: Int
    let said: String

    init(_ result: CommandResult, httpStatus: Int) {
        status = result.status
        self.httpStatus = httpStatus
        let line = result.errorText.trimmed.split(separator: "\n").last.map(String.init) ?? ""
        let text =
            line.hasPrefix("curl: (") ? line.split(separator: ")", maxSplits: 1).last.map(String.init) ?? "" : line
        said = text.trimmed.printable
    }

    /// Whether the connection broke after it had been made, so that another attempt makes sense.
    var isBroken: Bool {
        switch status {
        case 16, 18, 52, 55, 56, 92: true
        case 22: [408, 429, 502, 503, 504].contains(httpStatus)
        default: false
        }
    }

    /// Whether the server could not be reached or fell silent: worth another attempt only where it has sent something.
    var isUnreachable: Bool { [5, 6, 7, 28, 35].contains(status) }

    /// The failure in a few words.
    var reason: String {
        switch status {
        case 1: "it redirects to something that is neither http nor https, or from https to http"
        case 18: "the connection closed before all of it had arrived"
        case 22: "the server answered with status \(httpStatus)"
        case 28: "the server sends nothing: \(said)"
        case 47: "it redirects again and again"
        case 52: "the server closed the connection without an answer"
        case 56: "the connection broke"
        case 60: "the server's certificate is not trusted: \(said)"
        case 63: "it is larger than what is allowed"
        default: said.isEmpty ? "curl ended with status \(status)" : said
        }
    }

    func error(_ url: ResourceURL) -> DevhostError {
        let code: DevhostError.Code
        var next: String?
        switch status {
        case 1, 47, 63: code = .refused
        case 22 where httpStatus == 404 || httpStatus == 410: code = .notFound
        case 22 where httpStatus == 401 || httpStatus == 403: code = .permissionDenied
        case 28: code = .timedOut
        case 60:
            code = .unavailable
            next = "add the authority that signed it to /usr/local/share/ca-certificates and run update-ca-certificates"
        default: code = .unavailable
        }
        return DevhostError(code, "cannot download \(url.redacted): \(reason)", next: next)
    }
}
