import DevhostBase

/// The exit statuses of the commands, the same for all of them.
package enum ExitStatus: Int32, CaseIterable {
    case success = 0
}
