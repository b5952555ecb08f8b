/// A Hydra server: builds of the platform by the number of an evaluation (https://hydra.nixos.org/build/…/api-docs).
public struct Hydra: Sendable {
    /// Its address.
    public let base: ResourceURL
    private let http: HTTPTransfer

    /// A server.
    public init(_ base: ResourceURL, limits: HTTPLimits = HTTPLimits()) {
        self.base = base
        http = HTTPTransfer(limits: limits)
    }

    /// What Hydra says of a build.
    private struct Build: Decodable {
        struct Product: Decodable {
            var subtype: String?
            var sha256hash: String?
        }
        var id: UInt64
        var buildproducts: [String: Product]?
        var buildstatus: Int?
    }

    /// The channel and the image of an evaluation.
    /// - Throws: `notFound` where there is no such evaluation or job, `refused` where it has no image, `damaged` for an
    ///   answer that is not understood, and what fetching throws.
    func resolve(_ evaluation: UInt64) async throws -> ResolvedRelease {
        let release = try await build(evaluation, job: "release")
        let image = try await build(evaluation, job: "images.dev-vm")
        let products = (image.buildproducts ?? [:]).compactMap { key, product in UInt64(key).map { ($0, product) } }
        guard let product = products.filter({ $0.1.subtype == "img" }).min(by: { $0.0 < $1.0 }) else {
            throw DevhostError(
                .refused,
                "the Hydra evaluation \(evaluation) has no dev image: build \(image.id) has no product of subtype img")
        }
        return ResolvedRelease(
            reference: .hydra(evaluation),
            channelURL: try url("build/\(release.id)/download/1/nixexprs.tar.xz"),
            imageURL: try url("build/\(image.id)/download/\(product.0)"),
            imageHash: try product.1.sha256hash.map { try SHA256Digest(hex: $0) })
    }

    private func url(_ path: String) throws -> ResourceURL {
        try ResourceURL(base.description + (base.description.hasSuffix("/") ? "" : "/") + path)
    }

    private func build(_ evaluation: UInt64, job: String) async throws -> Build {
        let url = try url("eval/\(evaluation)/job/\(job)")
        let content: [UInt8]
        do {
            content = try await http.document(url)
        } catch let error as DevhostError where error.code == .notFound {
            throw DevhostError(
                .notFound, "Hydra at \(base.redacted) has no job \(job) in an evaluation \(evaluation)",
                underlying: error)
        }
        guard let build = try? JSONCoding.decode(Build.self, from: content) else {
            throw DevhostError(.damaged, "what \(url.redacted) gives is no build of Hydra")
        }
        // 0 is success; nothing is said while a build is not finished.
        guard build.buildstatus ?? 0 == 0 else {
            throw DevhostError(.refused, "the build \(build.id) of job \(job) in evaluation \(evaluation) failed")
        }
        return build
    }
}
