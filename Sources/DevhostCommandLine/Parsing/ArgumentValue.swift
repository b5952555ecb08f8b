import DevhostBase

/// A value that has a text form on the command line.
package protocol ArgumentValue {
    /// Parses the text form.
    /// - Throws: `invalidArgument`.
    init(_ text: String) throws(DevhostError)
}

extension VMName: ArgumentValue {}
extension Alias: ArgumentValue {}
extension AliasPort: ArgumentValue {}
extension MemorySize: ArgumentValue {}
extension CPUCount: ArgumentValue {}
extension DiskSize: ArgumentValue {}
extension Location: ArgumentValue {}
extension ResourceURL: ArgumentValue {}
extension AuthorizedKey: ArgumentValue {}
extension ChannelName: ArgumentValue {}
extension ReleaseName: ArgumentValue {}
extension ReleaseReference: ArgumentValue {}
extension SnapshotLabel: ArgumentValue {}
extension SnapshotReference: ArgumentValue {}
