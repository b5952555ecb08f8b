/// What every ssh of ours is told before it reads any configuration: what people set for their terminals, in their own
/// file or their company's, must not reach a connection that a program uses. ssh takes the first value that it finds.
enum SSHOptions {
    /// For a connection that carries a command, and nothing else, with nobody to ask.
    static let unattended: [String] = arguments([
        // Older clients do not know every option below, and files that people share between machines are checked for
        // options of other systems also in blocks that do not apply.
        "IgnoreUnknown=*",
        "BatchMode=yes", "LogLevel=ERROR", "VisualHostKey=no",
        "RemoteCommand=none", "RequestTTY=no", "SessionType=default", "StdinNull=no", "ForkAfterAuthentication=no",
        "PermitLocalCommand=no", "ClearAllForwardings=yes", "ForwardX11=no", "Tunnel=no",
        "ConnectTimeout=20", "ServerAliveInterval=10", "ServerAliveCountMax=3",
    ])

    /// Lets a connection go over another one where that stands, and never become such a one itself.
    static func sharing(_ controlPath: String) -> [String] {
        arguments(["ControlMaster=no", "ControlPath=\(controlPath)"])
    }

    /// Lets a connection carry others, for as long as it has something to do itself.
    static func carrying(_ controlPath: String) -> [String] {
        arguments(["ControlMaster=yes", "ControlPersist=no", "ControlPath=\(controlPath)"])
    }

    private static func arguments(_ options: [String]) -> [String] { options.flatMap { ["-o", $0] } }

    /// Whether ssh's words say that the other side takes no more connections at the moment (sshd's MaxStartups) and
    /// nothing that another try would not change. No command has been started then.
    static func isTooEarly(_ words: String) -> Bool {
        let lasting = [
            "forwarding failed", "open failed", "Connection refused", "timed out", "Permission denied",
            "Could not resolve", "verification failed", "No route to host",
        ]
        return ["exchange_identification:", "Exceeded MaxStartups"].contains { words.contains($0) }
            && !lasting.contains { words.contains($0) }
    }

    /// How long to wait before each further try to connect.
    static let retries: [Duration] = [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4)]
}
