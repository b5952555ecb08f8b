/// What shows that somebody uses a VM.
public enum UseSign: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
    /// It was ensured, started or rebuilt.
    case ensure
    /// Somebody logged in with `fc-devhost login`.
    case login
    /// Somebody logged in over ssh, or is logged in.
    case ssh
    /// Somebody asked for one of its published names and it answered.
    case request
    /// It worked harder than a VM does that idles.
    case cpu
    /// It was shut down, and not by clean-up.
    case shutdown
    /// It was had back from the trash.
    case undelete
}
