#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// As much of Caddy's JSON configuration as Devhost writes (https://caddyserver.com/docs/json/, as version 2.6.2 takes
/// it). Property names are Caddy's in camel case.
struct CaddyConfiguration: Codable, Hashable, Sendable {
    struct Admin: Codable, Hashable, Sendable {
        var listen: String
        var origins: [String]
        var config = Config()

        struct Config: Codable, Hashable, Sendable {
            var persist = false
        }
    }

    struct Storage: Codable, Hashable, Sendable {
        var module = "file_system"
        var root: String
    }

    struct Logging: Codable, Hashable, Sendable {
        var logs: [String: Log]

        struct Log: Codable, Hashable, Sendable {
            var writer: Writer
            var encoder: Encoder?
            var level: String
            var include: [String]?
            var exclude: [String]?
        }

        struct Writer: Codable, Hashable, Sendable {
            var output = "file"
            var filename: String
            var rollSizeMb: Int
            var rollKeep: Int
            var rollGzip: Bool?
        }

        /// Leaves fields out: a key names one, with `>` between its levels.
        struct Encoder: Codable, Hashable, Sendable {
            var format = "filter"
            var wrap = Wrapped()
            var fields: [String: Filter]

            struct Wrapped: Codable, Hashable, Sendable {
                var format = "json"
            }

            struct Filter: Codable, Hashable, Sendable {
                var filter = "delete"
            }
        }
    }

    struct Apps: Codable, Hashable, Sendable {
        var http: HTTP
        var pki: PKI
        var tls: TLS
    }

    struct PKI: Codable, Hashable, Sendable {
        var certificateAuthorities: [String: Authority]

        struct Authority: Codable, Hashable, Sendable {
            var name: String
            var installTrust: Bool
        }
    }

    struct TLS: Codable, Hashable, Sendable {
        var automation: Automation
        var certificates: Certificates?

        struct Automation: Codable, Hashable, Sendable {
            var onDemand: OnDemand
            var policies: [Policy]
        }

        struct OnDemand: Codable, Hashable, Sendable {
            var ask: String
        }

        struct Policy: Codable, Hashable, Sendable {
            var onDemand: Bool
            var issuers: [Issuer]
        }

        struct Issuer: Codable, Hashable, Sendable {
            var module: String
            var ca: String?
            var email: String?
            var trustedRootsPemFiles: [String]?
        }

        struct Certificates: Codable, Hashable, Sendable {
            var loadPem: [Pair]

            struct Pair: Codable, Hashable, Sendable {
                var certificate: String
                var key: String
            }
        }
    }

    struct HTTP: Codable, Hashable, Sendable {
        var gracePeriod: String
        var servers: [String: Server]
    }

    struct Server: Codable, Hashable, Sendable {
        var listen: [String]
        var protocols: [String]
        var readHeaderTimeout: String
        var idleTimeout: String
        var maxHeaderBytes: Int
        var automaticHttps = AutomaticHTTPS()
        var tlsConnectionPolicies: [TLSConnectionPolicy]?
        var routes: [Route]
        var errors: Errors?
        var logs: AccessLogs?

        /// That there is one switches the log of requests on.
        struct AccessLogs: Codable, Hashable, Sendable {}

        struct AutomaticHTTPS: Codable, Hashable, Sendable {
            var disable = true
        }

        struct TLSConnectionPolicy: Codable, Hashable, Sendable {}

        struct Errors: Codable, Hashable, Sendable {
            var routes: [Route]
        }
    }

    struct Route: Codable, Hashable, Sendable {
        var match: [Match]?
        var handle: [Handler]
        var terminal: Bool?
    }

    struct Match: Codable, Hashable, Sendable {
        var expression: String?
        var file: File?
        var headerRegexp: [String: Pattern]?
        var host: [String]?
        var not: [Match]?
        var path: [String]?
        var remoteIp: Ranges?
        var vars: [String: [String]]?
        var varsRegexp: [String: Pattern]?

        struct Pattern: Codable, Hashable, Sendable {
            var pattern: String
        }

        struct File: Codable, Hashable, Sendable {
            var root: String
            var tryFiles: [String]
        }

        struct Ranges: Codable, Hashable, Sendable {
            var ranges: [String]
        }
    }

    /// One step of a route: `handler` says which, and the rest is what that one takes.
    struct Handler: Codable, Hashable, Sendable {
        var handler: String
        var body: String?
        var destinations: [String]?
        var headers: [String: [String]]?
        var mappings: [Mapping]?
        var providers: Providers?
        var request: HeaderChange?
        var root: String?
        var routes: [Route]?
        var source: String?
        var statusCode: Int?
        var transport: Transport?
        var upstreams: [Upstream]?

        struct Mapping: Codable, Hashable, Sendable {
            var inputRegexp: String
            var outputs: [String]
        }

        struct HeaderChange: Codable, Hashable, Sendable {
            var delete: [String]?
            var replace: [String: [Replacement]]?
        }

        struct Replacement: Codable, Hashable, Sendable {
            var search: String?
            var searchRegexp: String?
            var replace: String
        }

        struct Upstream: Codable, Hashable, Sendable {
            var dial: String
        }

        struct Providers: Codable, Hashable, Sendable {
            var httpBasic: Basic
        }

        struct Basic: Codable, Hashable, Sendable {
            var accounts: [Account]
            var hash = Algorithm()
            var hashCache = Cache()
            var realm: String

            struct Account: Codable, Hashable, Sendable {
                var username: String
                var password: String
            }

            struct Algorithm: Codable, Hashable, Sendable {
                var algorithm = "bcrypt"
            }

            struct Cache: Codable, Hashable, Sendable {}
        }

        struct Transport: Codable, Hashable, Sendable {
            var `protocol` = "http"
            var compression = false
            var dialTimeout: String
            var maxResponseHeaderSize: Int
            var tls: ClientTLS?
            var versions: [String]
        }

        struct ClientTLS: Codable, Hashable, Sendable {
            var insecureSkipVerify: Bool
            var serverName: String
        }
    }

    var admin: Admin
    var apps: Apps
    var logging: Logging
    var storage: Storage

    /// The JSON as Caddy takes it, the same for the same values.
    func rendered() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
