/// What the doctor looks at in what is published: names, Caddy, certificates, and the world's way here.
struct PublishChecks: Sendable {
    let devhost: Devhost
    let survey: DoctorSurvey

    private var settings: Configuration.Publish { devhost.configuration.publish }
    private static let remedy = "fc-devhost publish"

    /// The published names and the records.
    func names() throws -> [Symptom] {
        let published = Set(try devhost.nameFolder.hosts())
        var symptoms: [Symptom] = []
        var wanted: Set<String> = settings.hasLandingPage ? [settings.address] : []
        for record in survey.records.values.sorted(by: { $0.name < $1.name }) where record.trashed == nil {
            let names = PublishedName.all(of: record, settings)
            wanted.formUnion(names.map(\.host))
            guard survey.isQuiet(record.name), !record.isIncomplete else { continue }
            let wrong = try names.filter { try !devhost.nameFolder.isPublished($0) }.map(\.host).sorted()
            let missing = wrong.filter { !published.contains($0) }
            if !missing.isEmpty {
                symptoms.append(
                    Symptom(
                        .warning, "VM \(record.name)", "not published: \(missing.joined(separator: ", "))",
                        because: "nobody sees what it serves", remedy: Self.remedy, mend: publish))
            }
            let other = wrong.filter(published.contains)
            if !other.isEmpty {
                symptoms.append(
                    Symptom(
                        .warning, "VM \(record.name)",
                        "published otherwise than its record and devhost.cfg say: \(other.joined(separator: ", "))",
                        because: "visitors may be led elsewhere, or see what is private", remedy: Self.remedy,
                        mend: publish))
            }
        }
        let strays = published.subtracting(wanted).filter { !belongsToBusyOrBroken($0) }
        if !strays.isEmpty {
            symptoms.append(
                Symptom(
                    .warning, "published names", "no VM has \(strays.sorted().joined(separator: ", "))",
                    because: "visitors are led to an address that another VM may get", remedy: Self.remedy,
                    mend: publish))
        }
        return symptoms
    }

    private func belongsToBusyOrBroken(_ host: String) -> Bool {
        guard let owner = devhost.owner(of: host) else { return false }
        return !survey.isQuiet(owner) || survey.broken.contains { $0.name == owner.description }
    }

    @Sendable private func publish() async throws { _ = try await devhost.publish() }

    /// Caddy.
    func proxy() -> [Symptom] {
        guard settings.proxy == .caddy, !survey.records.isEmpty else { return [] }
        guard Proxy(publish: settings, layout: devhost.layout).isListening else {
            return [
                Symptom(
                    .error, "Caddy", "it does not run", because: "nothing that is published can be seen",
                    remedy: Self.remedy, mend: publish)
            ]
        }
        return []
    }

    /// Certificates that cannot be had or are about to end.
    func certificates() throws -> [Symptom] {
        let report = try devhost.certificates()
        let soon = devhost.clock.now.addingTimeInterval(7 * 86400)
        let own = try devhost.ownCertificate()
        var symptoms = report.certificates.compactMap { certificate -> Symptom? in
            if let own, own.names.contains(where: { Devhost.covers($0, certificate.name) }) { return nil }
            if let problem = certificate.problem {
                return Symptom(
                    .warning, "certificate of \(certificate.name)", problem,
                    because: "browsers refuse the page or warn of it",
                    remedy: "see that ports 80 and 443 are reached from outside, and that the name leads here")
            }
            // Caddy renews in the last third of a certificate's life; its own CA's live for hours.
            guard settings.usesACME, let expires = certificate.expires, expires.date < soon else { return nil }
            return Symptom(
                .warning, "certificate of \(certificate.name)", "it ends on \(expires) and was not renewed",
                because: "browsers refuse the page then", remedy: "fc-devhost certificates tells the last problem")
        }
        if let own, let path = settings.certificate?.certificate, own.expires < soon {
            symptoms.append(
                Symptom(
                    .warning, "certificate \(path)", "it ends on \(Timestamp(own.expires))",
                    because: "browsers refuse all names that it covers then",
                    remedy: "renew it, then run '\(Self.remedy)'"))
        }
        symptoms += uncertified() + (try strays())
        if let limit = report.weeklyLimit, report.newThisWeek >= limit {
            symptoms.append(
                Symptom(
                    .error, "certificates", "\(report.newThisWeek) of \(limit) were given out in the last seven days",
                    because: "new aliases get none until a week has passed",
                    remedy: "use a wildcard certificate of your own ([publish] tls-certificate)"))
        }
        return symptoms
    }

    /// Names that never get a certificate, of VMs that had them before that was looked at.
    private func uncertified() -> [Symptom] {
        let records = survey.records.values.sorted { $0.name < $1.name }.filter { $0.trashed == nil }
        return records.flatMap { PublishedName.all(of: $0, settings) }.compactMap { name in
            settings.certificateProblem(of: name.host).map { problem in
                Symptom(
                    .warning, "certificate of \(name.host)", "there is none: \(problem)",
                    because: "no browser reaches it", remedy: "publish it under another alias")
            }
        }
    }

    /// Certificates that handshakes made before names were looked at.
    private func strays() throws -> [Symptom] {
        let store = CertificateStore(layout: devhost.layout)
        let (strays, isComplete) = try store.strays()
        guard !strays.isEmpty else { return [] }
        return [
            Symptom(
                .warning, "certificates",
                "\(isComplete ? "" : "at least ")\(strays.count) of Caddy's own are for names that nobody can publish",
                because: "somebody had them made, and they take up room", remedy: "fc-devhost doctor --fix",
                mend: {
                    // No more are made; what could not be looked at follows once these have gone.
                    var (strays, isComplete) = (strays, isComplete)
                    while true {
                        try store.remove(strays: strays)
                        if isComplete { break }
                        (strays, isComplete) = try store.strays()
                        if strays.isEmpty { break }
                    }
                })
        ]
    }

    /// Whether the public address and any name below it lead to this machine.
    func address() throws -> [Symptom] {
        guard settings.proxy == .caddy, settings.usesACME || settings.certificate != nil else { return [] }
        let own = Set(try HostAddresses.current(without: devhost.configuration.network.bridge).ipv4.map(\.description))
        // No VM is named so: a name of one is never all digits.
        let names = [settings.address, "0.\(settings.address)"]
        return names.compactMap { name in
            let found = HostName.addresses(of: name)
            let subject = name == settings.address ? "public address \(name)" : "wildcard *.\(settings.address)"
            if found.isEmpty {
                return Symptom(
                    .error, subject, "DNS has no address for \(name)", because: "nobody finds what is published",
                    remedy: "add records in DNS: \(settings.address) and *.\(settings.address), both to this machine")
            }
            // Behind a router the public address is another machine's: that is worth a word and no more.
            return own.isDisjoint(with: found)
                ? Symptom(
                    .note, subject,
                    "\(name) leads to \(found.joined(separator: ", ")), which this machine does not have",
                    because: "that is right only where a router hands ports 80 and 443 on", remedy: nil) : nil
        }
    }
}
