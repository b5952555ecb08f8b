extension VMRecord {
    /// The reference of the release that the disk was made from; nil where it was made from an image that no release
    /// names.
    var reference: ReleaseReference? {
        if let text = releaseReference, let reference = try? ReleaseReference(text) { return reference }
        guard case .integer(let evaluation)? = hydraEval else { return nil }
        return try? ReleaseReference(hydraEvaluation: "\(evaluation)")
    }

    /// Notes what a disk that is about to be made is made of. Its guest knows nothing yet.
    mutating func take(_ release: ResolvedRelease, image: BaseImage) {
        imageURL = release.imageURL.description
        imageHash = image.sha256
        releaseName = release.releaseName
        releaseReference = release.reference.recordText
        hydraEval = nil
        if case .hydra(let evaluation) = release.reference {
            hydraEval = Int64(exactly: evaluation).map { .integer($0) }
        }
        guestDigest = nil
    }

    /// The record as it is shown: URLs without what may be a secret.
    var shown: VMRecord {
        func redacted(_ text: String?) -> String? { text.map { (try? ResourceURL($0))?.redacted ?? $0 } }
        var record = self
        record.imageURL = redacted(imageURL)
        record.channelURL = redacted(channelURL)
        record.releaseReference = releaseReference.map { (try? ReleaseReference($0))?.description ?? $0 }
        return record
    }
}
