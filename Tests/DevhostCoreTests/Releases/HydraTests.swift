import DevhostBase
import DevhostCore
import Testing

/// Evaluations, from a server that answers as Hydra does.
@Suite struct HydraTests {
    private func resolve(_ documents: [String: String]) async throws -> (ResolvedRelease, LoopbackServer) {
        let server = try LoopbackServer { request, client in
            // Hydra answers the question for a job with a redirect to its build, and in HTML unless it is asked for JSON.
            if request.path == "/eval/4711/job/release" {
                return client.reply("302 Found", [], ["Location": "/build/100"])
            }
            guard let text = documents[request.path] else { return client.reply("404 Not Found") }
            let isJSON = request.headers["accept"] == "application/json"
            client.reply("200 OK", Array((isJSON ? text : "<html>").utf8))
        }
        let resolver = ReleaseResolver(catalog: nil, hydra: Hydra(try server.url("")))
        return (try await resolver.resolve(try ReleaseReference(hydraEvaluation: "4711")), server)
    }

    private let release = #"{"id": 100, "finished": 1, "buildstatus": 0, "buildproducts": {}}"#

    @Test func anEvaluationHasAChannelAndAnImage() async throws {
        let hash = try SHA256Hasher.digest([1])
        let image = """
            {"id": 200, "buildstatus": 0, "buildproducts": {
              "1": {"subtype": "json", "name": "meta"}, "11": {"subtype": "img", "name": "late.img"},
              "2": {"subtype": "img", "name": "nixos.img", "path": "/nix/store/x", "sha256hash": "\(hash)"}}}
            """
        let (found, server) = try await resolve(["/build/100": release, "/eval/4711/job/images.dev-vm": image])
        let base = "http://127.0.0.1:\(server.port)"
        #expect(found.channelURL?.description == "\(base)/build/100/download/1/nixexprs.tar.xz")
        #expect(found.imageURL.description == "\(base)/build/200/download/2")
        #expect(found.imageHash == hash)
    }

    @Test(
        arguments: [
            (#"{"id": 200, "buildproducts": {"1": {"subtype": "doc"}}}"#, DevhostError.Code.refused, "no dev image"),
            (#"{"id": 200, "buildproducts": {}}"#, .refused, "no dev image"),
            (#"{"id": 200}"#, .refused, "no dev image"),
            (#"{"id": 200, "buildstatus": 1}"#, .refused, "failed"), ("{}", .damaged, "no build of Hydra"),
            ("<html>", .damaged, "no build of Hydra"), (nil, .notFound, "no job images.dev-vm"),
            (#"{"id": "../../x"}"#, .damaged, "no build of Hydra"),
        ] as [(String?, DevhostError.Code, String)])
    func evaluationsWithoutAnImageAreRefused(image: String?, code: DevhostError.Code, reason: String) async throws {
        var documents = ["/build/100": release]
        documents["/eval/4711/job/images.dev-vm"] = image
        await expectError(code, containing: reason) { try await resolve(documents) }
    }

    @Test func anUnknownEvaluationIsNotFound() async throws {
        await expectError(.notFound, containing: "evaluation 4711") { try await resolve([:]) }
    }
}
