import DevhostBase
import DevhostCore
import Foundation
import Glibc

/// openssl's test server with a certificate that nobody knows, on a port of the loopback.
final class TLSServer {
    let port: Int
    private let process: Process
    private let folder: TemporaryDirectory

    init() async throws {
        folder = try TemporaryDirectory(prefix: "devhost-tls")
        let key = "\(folder.path)/key.pem"
        let certificate = "\(folder.path)/certificate.pem"
        try await Processes.require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                    certificate,
                ]))
        process = Process()
        process.executableURL = URL(fileURLWithPath: try Processes.find("openssl"))
        process.arguments = ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"]
        let output = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        // It ends when its standard input does.
        process.standardInput = Foundation.Pipe()
        try process.run()
        var said = ""
        while !said.contains("\n") || !said.contains("ACCEPT 127.0.0.1:") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw DevhostError(.failed, "openssl s_server did not start: \(said)") }
            said += String(decoding: part, as: UTF8.self)
        }
        let digits = said.split(separator: "ACCEPT 127.0.0.1:").last?.prefix { $0.isNumber } ?? ""
        guard let port = Int(digits), port > 0 else { throw DevhostError(.failed, "openssl says no port: \(said)") }
        self.port = port
    }

    deinit { process.terminate() }
}
