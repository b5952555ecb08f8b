extension Configuration {
    /// How VMs are published.
    public struct Publish: Sendable, Hashable {
        /// Who serves what is published.
        public enum Proxy: String, Sendable, CaseIterable {
            /// Caddy, started by fc-devhost where it does not run.
            case caddy
            /// Nobody: only the files that say what is published are kept.
            case none
        }

        /// Where certificates come from.
        public enum Issuer: String, Sendable, CaseIterable {
            /// ACME for public names, the internal CA for `localhost`.
            case auto
            /// A certificate authority that speaks ACME.
            case acme
            /// Caddy's own certificate authority.
            case `internal`
        }

        /// Which of the access rules have to hold where there are several.
        public enum Requirement: String, Sendable, CaseIterable {
            /// The address or the password.
            case any
            /// The address and the password.
            case all
        }

        /// The name that all published names end in.
        public var address: String
        /// Who serves.
        public var proxy: Proxy
        /// The user that Caddy runs as.
        public var user: String
        /// Where certificates come from, as devhost.cfg says it.
        public var issuer: Issuer
        /// Whom the certificate authority writes to.
        public var acmeEmail: String?
        /// The directory of the certificate authority; nil for Let's Encrypt.
        public var acmeDirectory: ResourceURL?
        /// A file with the root certificate of that directory; nil for those that the machine trusts.
        public var acmeRoot: String?
        /// Files with a certificate of one's own and its key.
        public var certificate: CertificateFiles?
        /// Addresses from which what is private may be seen.
        public var allow: [ClientNetwork]
        /// A file with names and hashed passwords, with which what is private may be seen.
        public var passwordFile: String?
        /// Which of the access rules have to hold.
        public var require: Requirement
        /// Whether VMs are private whose `ensure` does not say.
        public var isPrivate: Bool
        /// Whether there is a page at the public address that lists the VMs.
        public var hasLandingPage: Bool
        /// How many new certificates the certificate authority gives out for the public address in a week.
        public var weeklyLimit: Int

        /// A certificate and its key.
        public struct CertificateFiles: Sendable, Hashable {
            /// The certificate with the chain up to its root.
            public var certificate: String
            /// The key.
            public var key: String
        }

        /// Where certificates come from.
        public var usesACME: Bool {
            switch issuer {
            case .acme: true
            case .internal: false
            case .auto: !isLocal
            }
        }

        /// Whether the public address means this machine alone.
        public var isLocal: Bool { address == "localhost" || address.hasSuffix(".localhost") }

        /// The name of a VM as the world sees it.
        public func host(_ name: VMName) -> String { "\(name).\(address)" }
        /// The name of an alias as the world sees it.
        public func host(_ alias: Alias, _ name: VMName) -> String { "\(alias).\(name).\(address)" }

        init(_ reader: inout ConfigurationReader) throws(DevhostError) {
            let path = { (text: String) throws(DevhostError) -> String? in
                text == "none" ? nil : try ConfigurationReader.absolutePath(text)
            }
            address = try reader.value("publish", "public-address", "localhost", ConfigurationReader.domain)
            proxy = try reader.value("publish", "proxy", "caddy", ConfigurationReader.choice)
            user = try reader.value("publish", "user", "caddy", ConfigurationReader.userName)
            issuer = try reader.value("publish", "issuer", "auto", ConfigurationReader.choice)
            acmeEmail = try reader.value("publish", "acme-email", "none", ConfigurationReader.email)
            acmeDirectory = try reader.value("publish", "acme-directory", "none") { text throws(DevhostError) in
                text == "none" ? nil : try ResourceURL(text)
            }
            acmeRoot = try reader.value("publish", "acme-root", "none", path)
            let certificate = try reader.value("publish", "tls-certificate", "none", path)
            let key = try reader.value("publish", "tls-key", "none", path)
            if let certificate, let key {
                self.certificate = CertificateFiles(certificate: certificate, key: key)
            } else if certificate != nil || key != nil {
                reader.add(problem: "[publish] tls-certificate and tls-key go together")
            }
            allow = try reader.value("publish", "allow", "", ConfigurationReader.clients)
            passwordFile = try reader.value("publish", "password-file", "none", path)
            require = try reader.value("publish", "require", "any", ConfigurationReader.choice)
            isPrivate = try reader.value("publish", "private", "no", ConfigurationReader.yesOrNo)
            hasLandingPage = try reader.value("publish", "landing-page", "no", ConfigurationReader.yesOrNo)
            weeklyLimit = try reader.value("publish", "weekly-limit", "50", ConfigurationReader.weeklyLimit)
        }
    }
}

extension ConfigurationReader {
    fileprivate static func userName(_ text: String) throws(DevhostError) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard (1...32).contains(text.utf8.count), isPlain, !text.hasPrefix("-"), text != "root" else {
            throw refused(text, "the name of a user other than root")
        }
        return text
    }

    fileprivate static func email(_ text: String) throws(DevhostError) -> String? {
        if text == "none" { return nil }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        guard isPlain, text.split(separator: "@", omittingEmptySubsequences: false).count == 2,
            text.utf8.count <= 254
        else { throw refused(text, "an email address") }
        return text
    }

    fileprivate static func clients(_ text: String) throws(DevhostError) -> [ClientNetwork] {
        var networks: [ClientNetwork] = []
        for word in text.split(whereSeparator: \.isWhitespace) { networks.append(try ClientNetwork(String(word))) }
        return networks
    }

    fileprivate static func weeklyLimit(_ text: String) throws(DevhostError) -> Int {
        guard let value = Int(text), (1...1_000_000).contains(value) else {
            throw refused(text, "a number of certificates")
        }
        return value
    }
}
