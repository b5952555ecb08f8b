extension Devhost {
    /// Looks at everything that a devhost stands on, and at every disagreement between records, domains, disks,
    /// reservations, names and files. A VM that another command is working on is left out.
    /// - Parameter isMending: Whether to mend what can be mended without a loss.
    /// - Throws: `invalidConfiguration`, and `permissionDenied` where the records cannot be listed. Whatever else does
    ///   not answer is a finding.
    public func diagnose(
        mending isMending: Bool = false, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Diagnosis {
        guard isMending else { return try await examine(mending: false, progress: progress) }
        return try await audited(.mend, progress: progress) { try await examine(mending: true, progress: progress) }
    }

    private func examine(mending isMending: Bool, progress: @escaping ProgressHandler) async throws -> Diagnosis {
        var doctor = Doctor(devhost: self, progress: progress)
        try await doctor.examine()
        var findings: [Finding] = []
        for symptom in doctor.symptoms {
            findings.append(isMending ? await symptom.mended() : symptom.finding)
        }
        // In the order of the checks among those of one severity.
        let ordered = findings.enumerated().sorted { left, right in
            left.element.severity == right.element.severity
                ? left.offset < right.offset : left.element.severity > right.element.severity
        }
        return Diagnosis(checks: doctor.checks, findings: ordered.map(\.element))
    }
}
