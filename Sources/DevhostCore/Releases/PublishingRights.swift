/// What one user may do to the channels of a catalog.
package struct PublishingRights: Sendable {
    /// The user's name.
    package var user: String
    /// Whether they stand above the rules: root, and the members of the group `devhost-admins`.
    package var isAdministrator: Bool
    /// Whether their releases are counted.
    package var isCounted: Bool
    package var rules: ChannelRules

    package init(user: String, isAdministrator: Bool, isCounted: Bool, rules: ChannelRules) {
        self.user = user
        self.isAdministrator = isAdministrator
        self.isCounted = isCounted
        self.rules = rules
    }

    /// Whether they may publish into a channel, and remove what others published there.
    /// - Parameter publishers: Who published in it; nil for a channel that does not exist yet.
    func mayChange(_ channel: ChannelName, _ publishers: ReleasePublishers?) -> Bool {
        if isAdministrator { return true }
        if let listed = rules.publishers[channel] { return listed.contains(user) }
        switch rules.access {
        case .anyone: return true
        case .admins: return false
        case .owner: return publishers == nil || publishers?.owner == user
        }
    }

    /// - Throws: `permissionDenied`, with whose the channel is.
    func requireChange(_ channel: ChannelName, _ publishers: ReleasePublishers?, to verb: String) throws {
        if mayChange(channel, publishers) { return }
        let whose: String
        if rules.publishers[channel] != nil {
            whose = "[releases] publishers of devhost.cfg lists others for it"
        } else if rules.access == .admins {
            whose = "that is for administrators"
        } else {
            whose = publishers?.owner.map { "it belongs to \($0.printable)" } ?? "it has no owner on record"
        }
        throw DevhostError(
            .permissionDenied,
            "cannot \(verb) the channel \(channel): \(whose), and you are \(user.printable)",
            next: "use a channel of your own, or ask an administrator to list you under [releases] publishers")
    }

    /// Whether the user may have one more release.
    /// - Parameters:
    ///   - size: The bytes of its image.
    ///   - others: What they have already.
    /// - Throws: `refused`.
    func requireRoom(for release: String, size: UInt64, beside others: ReleasePublishers.Usage) throws {
        guard isCounted else { return }
        let next = "remove releases that nobody needs with 'fc-devhost release rm'"
        if let most = rules.userReleases, others.count >= most {
            throw DevhostError(
                .refused,
                "with \(release), \(user.printable) would have \(others.count + 1) releases, where [releases] "
                    + "user-releases allows \(most)", next: next)
        }
        let (sum, isTooLarge) = size.addingReportingOverflow(others.bytes)
        if let most = rules.userSize, isTooLarge || sum > most {
            throw DevhostError(
                .refused,
                "with \(release), the releases of \(user.printable) would have \(ByteText.size(isTooLarge ? .max : sum)), "
                    + "where [releases] user-size allows \(ByteText.size(most))", next: next)
        }
    }
}
