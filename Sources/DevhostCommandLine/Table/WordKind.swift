/// What a word on the command line stands for: how a shell completes it.
package enum WordKind: Sendable, Hashable {
    /// Nothing that could be completed.
    case text
    /// The name of a VM that exists.
    case vmName
    /// A file.
    case file
    /// A folder.
    case folder
    /// One of a few words.
    case choice([String])
}
