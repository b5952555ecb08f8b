#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension CaddyConfiguration {
    /// What devhost.cfg refers to, read: everything else that the configuration depends on.
    struct Materials: Sendable, Hashable {
        var passwords: [PasswordFile.Entry] = []
        var certificate: TLS.Certificates.Pair?
    }

    /// The name that the admin endpoint wants to be called by.
    static let adminOrigin = "devhost"

    /// Under which name Caddy notes requests.
    private static let accessLogger = "http.log.access"

    /// What the log of requests leaves out: who asked, for what, and with what, where secrets may stand. Moment, host and
    /// status are left, which tell whether a VM is used.
    private static let unloggedFields = Dictionary(
        uniqueKeysWithValues: [
            "logger", "msg", "user_id", "duration", "size", "resp_headers", "request>remote_ip", "request>remote_port",
            "request>proto", "request>method", "request>uri", "request>headers", "request>tls", "bytes_read",
        ].map { ($0, Logging.Encoder.Filter()) })

    /// The configuration of a devhost. It says nothing about VMs: whether a name is published, and where it leads, Caddy
    /// looks up in a folder at every request.
    init(_ publish: Configuration.Publish, layout: Layout, materials: Materials) {
        let site = Site(publish: publish, layout: layout, materials: materials)
        admin = Admin(listen: "unix/\(layout.proxySocket)", origins: [Self.adminOrigin])
        apps = Apps(
            http: HTTP(gracePeriod: "5s", servers: ["plain": site.plainServer, "secure": site.secureServer]),
            // Without this Caddy would put its root certificate into the trust store of the machine.
            pki: PKI(certificateAuthorities: ["local": .init(name: "Devhost", installTrust: false)]),
            tls: site.tls)
        logging = Logging(logs: [
            "default": .init(
                writer: .init(filename: "\(layout.proxyLogs)/caddy.log", rollSizeMb: 10, rollKeep: 3), level: "INFO",
                exclude: [Self.accessLogger]),
            "access": .init(
                writer: .init(
                    filename: layout.accessLog, rollSizeMb: AccessLog.rollSize, rollKeep: AccessLog.rollKeep,
                    rollGzip: false),
                encoder: .init(fields: Self.unloggedFields), level: "INFO", include: [Self.accessLogger]),
        ])
        storage = Storage(root: layout.proxyStorage)
    }

    private struct Site {
        let publish: Configuration.Publish
        let layout: Layout
        let materials: Materials

        /// Caddy answers this itself; the answer comes from the folder of published names.
        private static let askPath = "/.devhost/ask"

        /// Matches a request whose placeholder names something that is published. What the placeholder brings must be a
        /// name by ``namePattern``: Caddy cleans paths, so that `x/../NAME` would find what NAME finds.
        private func isPublished(_ placeholder: String) -> Match {
            Match(file: .init(root: layout.publishedNames, tryFiles: ["/\(placeholder)/*,*"]))
        }

        // MARK: Names

        /// What a published name looks like: the public address, with the label of a VM and that of an alias before it or
        /// without. Small letters, digits, hyphens and dots alone: nothing that means something in a path or a pattern.
        private var namePattern: String {
            let label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
            return "(?:\(label)\\.){0,2}\(publish.address.replacing(".", with: "\\."))"
        }

        /// Brings a Host in capitals or with a dot at its end into the form in which names are published, and turns away
        /// what is no name then, before anything looks for a file. Stands before all that looks at the Host.
        private var hostRules: [Route] {
            let small = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { letter in
                Handler.Replacement(
                    search: String(UnicodeScalar(letter)), replace: String(UnicodeScalar(letter | 0x20)))
            }
            let dot = Handler.Replacement(searchRegexp: "\\.(:[0-9]*)?$", replace: "$1")
            let isOtherForm = Match(headerRegexp: ["Host": .init(pattern: "[A-Z]|\\.(:[0-9]*)?$")])
            let isNoName = Match(not: [Match(headerRegexp: ["Host": .init(pattern: "^\(namePattern)(?::[0-9]*)?$")])])
            return [
                Route(
                    match: [isOtherForm],
                    handle: [Handler(handler: "headers", request: .init(replace: ["Host": small + [dot]]))]),
                Route(match: [isNoName], handle: notFound.handle, terminal: true),
            ]
        }

        // MARK: Certificates

        var tls: TLS {
            let issuer =
                publish.usesACME
                ? TLS.Issuer(
                    module: "acme", ca: publish.acmeDirectory?.description, email: publish.acmeEmail,
                    trustedRootsPemFiles: publish.acmeRoot.map { [$0] })
                : TLS.Issuer(module: "internal")
            return TLS(
                automation: .init(
                    onDemand: .init(ask: "http://127.0.0.1\(Self.askPath)"),
                    policies: [.init(onDemand: true, issuers: [issuer])]),
                certificates: materials.certificate.map { .init(loadPem: [$0]) })
        }

        // MARK: http

        var plainServer: Server {
            var ask = isPublished("{http.request.uri.query.domain}")
            ask.host = ["127.0.0.1"]
            ask.path = [Self.askPath]
            ask.remoteIp = .init(ranges: ["127.0.0.1"])
            var other = ask
            other.file = nil
            other.not = [Match(varsRegexp: ["{http.request.uri.query.domain}": .init(pattern: "^\(namePattern)$")])]
            return server(
                ":80",
                routes: [
                    Route(match: [other], handle: notFound.handle, terminal: true),
                    Route(match: [ask], handle: [Handler(handler: "static_response", statusCode: 200)], terminal: true),
                ] + hostRules + [
                    Route(
                        match: [isPublished("{http.request.host}")],
                        handle: [
                            Handler(
                                handler: "static_response",
                                headers: ["Location": ["https://{http.request.host}{http.request.uri}"]],
                                statusCode: 308)
                        ], terminal: true),
                    notFound,
                ])
        }

        private func server(_ address: String, routes: [Route]) -> Server {
            Server(
                listen: [address], protocols: ["h1", "h2"], readHeaderTimeout: "10s", idleTimeout: "5m",
                maxHeaderBytes: 64 << 10, routes: routes)
        }

        private var notFound: Route {
            Route(handle: [
                Handler(
                    handler: "static_response", body: "There is nothing here.\n",
                    headers: ["Content-Type": ["text/plain; charset=utf-8"]], statusCode: 404)
            ])
        }

        // MARK: https

        var secureServer: Server {
            var server = server(
                ":443",
                routes: hostRules + [
                    Route(
                        match: [isPublished("{http.request.host}")],
                        handle: [
                            // The pattern of the file names that PublishedName makes.
                            Handler(
                                handler: "map",
                                destinations: ["{devhost.access}", "{devhost.kind}", "{devhost.upstream}"],
                                mappings: [
                                    .init(
                                        inputRegexp:
                                            "^/?[^/]+/(open|private),(https|http|page)(?:,([0-9.]+),([0-9]+))?$",
                                        outputs: ["$1", "$2", "$3:$4"])
                                ],
                                source: "{http.matchers.file.relative}"),
                            Handler(handler: "subroute", routes: services),
                        ], terminal: true),
                    notFound,
                ])
            server.tlsConnectionPolicies = [.init()]
            server.logs = .init()
            server.errors = .init(routes: [
                Route(
                    match: [Match(expression: "{http.error.status_code} in [502, 503, 504]")], handle: [badGateway],
                    terminal: true)
            ])
            return server
        }

        private var services: [Route] {
            let isPrivate = Match(vars: ["{devhost.access}": ["private"]])
            return [
                Route(match: [isPrivate], handle: [Handler(handler: "subroute", routes: guards)]),
                service("https", tls: .init(insecureSkipVerify: true, serverName: "{http.request.host}")),
                service("http", tls: nil),
                Route(
                    match: [Match(vars: ["{devhost.kind}": ["page"]])],
                    handle: [Handler(handler: "file_server", root: layout.landingPage)], terminal: true),
                notFound,
            ]
        }

        /// Certificates of VMs are accepted unseen: the way to them is the devhost's own bridge, on which no VM can
        /// speak as another. HTTP/1.1 alone, because WebSockets do not pass Caddy over HTTP/2.
        private func service(_ kind: String, tls: Handler.ClientTLS?) -> Route {
            Route(
                match: [Match(vars: ["{devhost.kind}": [kind]])],
                handle: [
                    Handler(
                        handler: "reverse_proxy",
                        transport: .init(
                            dialTimeout: "3s", maxResponseHeaderSize: 256 << 10, tls: tls, versions: ["1.1"]),
                        upstreams: [.init(dial: "{devhost.upstream}")])
                ], terminal: true)
        }

        // MARK: Access

        /// Lets through whom the rules allow, and answers everybody else.
        private var guards: [Route] {
            let hasAddresses = !publish.allow.isEmpty
            let hasPasswords = !materials.passwords.isEmpty
            let isElsewhere = Match(not: [Match(remoteIp: .init(ranges: publish.allow.map(\.description)))])
            // The password is the devhost's: the VM must not see it.
            let removal = Handler(handler: "headers", request: .init(delete: ["Authorization"]))
            let password = [
                Handler(
                    handler: "authentication",
                    providers: .init(
                        httpBasic: .init(
                            accounts: materials.passwords.map { entry in
                                .init(
                                    username: entry.name,
                                    password: Data(entry.hash.utf8).base64EncodedString())
                            }, realm: "Devhost"))),
                removal,
            ]
            let refusal = Handler(
                handler: "static_response", body: "You may not see this from where you are.\n",
                headers: ["Content-Type": ["text/plain; charset=utf-8"]], statusCode: 403)
            switch (hasAddresses, hasPasswords) {
            case (false, false): return [Route(handle: [refusal], terminal: true)]
            case (true, false):
                // A password file without entries lets nobody through, and where both are required so does an address.
                if publish.passwordFile != nil, publish.require == .all {
                    return [Route(handle: [refusal], terminal: true)]
                }
                return [Route(match: [isElsewhere], handle: [refusal], terminal: true)]
            case (false, true): return [Route(handle: password)]
            case (true, true):
                switch publish.require {
                case .any:
                    // A browser that was asked for the password elsewhere sends it from an allowed address too.
                    let isPassword = Match(headerRegexp: ["Authorization": .init(pattern: "(?i)^basic ")])
                    return [
                        Route(match: [isElsewhere], handle: password), Route(match: [isPassword], handle: [removal]),
                    ]
                case .all:
                    return [Route(match: [isElsewhere], handle: [refusal], terminal: true), Route(handle: password)]
                }
            }
        }

        // MARK: Errors

        /// The VM's name is the label before the public address. Only names that are published get here.
        private var badGateway: Handler {
            let labels = publish.address.split(separator: ".").count
            return Handler(
                handler: "static_response",
                body: ErrorPage(vm: "{http.request.host.labels.\(labels)}").html,
                headers: ["Content-Type": ["text/html; charset=utf-8"], "Cache-Control": ["no-store"]],
                statusCode: 502)
        }
    }
}
