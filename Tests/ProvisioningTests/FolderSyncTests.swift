import DevhostBase
import Foundation
import Testing

@Suite("What sync would delete")
struct FolderSyncTests {
    private func error(_ source: String, _ destination: String) throws -> DevhostError? {
        do {
            _ = try FolderSync(
                .init(
                    source: source, target: try GuestTarget(host: "web", configuration: nil), destination: destination,
                    environment: ProcessInfo.processInfo.environment))
            return nil
        } catch let error as DevhostError {
            return error
        }
    }

    @Test(
        "The content of a folder does not take the place of a whole home",
        arguments: ["", ".", "./", "~", "~/", "~/.", "~developer", "src/..", "/", "/srv/.."])
    func homes(_ destination: String) throws {
        let folder = try TemporaryDirectory(prefix: "source")
        for source in ["\(folder.path)/", "\(folder.path)/.", ".", "./", ".."] {
            let error = try error(source, destination)
            #expect(error?.code == .invalidArgument, "\(source)")
            #expect(error?.description.contains("'web:\(destination)'") == true, "\(String(describing: error))")
            #expect(error?.nextStep?.contains("web:src") == true)
        }
    }

    @Test("A folder of its own, or into a home, is sent")
    func folders() throws {
        let folder = try TemporaryDirectory(prefix: "source")
        for (source, destination) in [
            (".", "src"), ("\(folder.path)/", "/srv/app"), ("\(folder.path)/", "~/src"), (folder.path, ""),
            (folder.path, "~/"), ("/etc/passwd", "."),
        ] { #expect(try error(source, destination)?.code != .invalidArgument, "\(source) \(destination)") }
    }
}
