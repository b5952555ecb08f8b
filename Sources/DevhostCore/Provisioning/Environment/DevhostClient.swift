import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Calls `fc-devhost` on a devhost, over ssh, or directly where this machine is the devhost.
struct DevhostClient: Sendable {
    /// What `fc-devhost show --json` says of a VM, as far as it is needed here.
    struct Description: Decodable, Sendable {
        let name: String
        let hostKey: String?
        let channelURL: String?
        let imageURL: String?
        let authorizedKeys: [String]?

        private enum CodingKeys: String, CodingKey {
            case name
            case hostKey = "host-key"
            case channelURL = "channel_url"
            case imageURL = "image_url"
            case authorizedKeys = "authorized-keys"
        }
    }

    /// A list of 12,000 names is a hundredth of it.
    private static let answerLimit = 16 << 20

    private let host: String
    /// Over which the devhost is called; nil where this machine is it.
    private let connection: DevhostConnection?
    private let environment: [String: String]

    init(_ provisioner: VMProvisioner, over connection: DevhostConnection?, environment: [String: String]) {
        host = provisioner.devhost
        self.connection = connection
        self.environment = environment
    }

    /// The names of all VMs.
    func list() async throws -> Set<String> {
        Set(try await call(["list"]).split(whereSeparator: \.isWhitespace).map(String.init))
    }

    /// Everything about a VM.
    func show(_ name: VMName) async throws -> Description {
        let text = try await call(["show", "--json", name.description])
        do {
            return try JSONDecoder().decode(Description.self, from: Data(text.utf8))
        } catch {
            throw DevhostError(
                .failed, "the devhost \(host) does not describe the VM \(name) as this program expects",
                underlying: error)
        }
    }

    /// Runs a command of fc-devhost to its end.
    /// - Parameter progress: Sees each line of what it says beside its result.
    /// - Returns: Its result.
    /// - Throws: `unavailable` where the devhost cannot be reached; `failed` with the command's own reason.
    @discardableResult
    func call(_ words: [String], progress: @escaping @Sendable (String) -> Void = { _ in }) async throws -> String {
        guard let connection else {
            let call = (geteuid() == 0 ? [] : ["sudo", "-n"]) + ["fc-devhost"] + words
            var command = Command(
                try ProgramFinder.find(call[0], environment: environment), Array(call.dropFirst()))
            command.environment = ProgramFinder.environment(from: environment)
            return try await run(command, words, progress)
        }
        let command = connection.command(["sudo", "-n", "fc-devhost"] + words)
        return try await connection.carry {
            for delay in SSHOptions.retries {
                do {
                    return try await run(command, words, progress)
                } catch let error as DevhostError
                    where error.code == .unavailable && SSHOptions.isTooEarly(error.details ?? "")
                {
                    try await Task.sleep(for: delay)
                }
            }
            return try await run(command, words, progress)
        }
    }

    private func run(
        _ command: Command, _ words: [String], _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> String {
        let (output, errors) = (try Pipe(), try Pipe())
        let null = try FileDescriptor.open("/dev/null", O_RDONLY)
        let child = try ChildProcess(
            command, input: null.number, output: output.writer, errors: errors.writer, inNewSession: true)
        output.closeWriter()
        errors.closeWriter()
        let (outputReader, errorReader) = (output.handOverReader(), errors.handOverReader())
        return try await withTaskCancellationHandler {
            async let result = Blocking.run { try Self.readAll(outputReader) }
            async let said = Blocking.run { try Self.readLines(errorReader, progress) }
            let (text, lines): (String, [String])
            do {
                (text, lines) = try await (result, said)
            } catch {
                child.signal(SIGTERM)
                throw error
            }
            let status = await child.wait()
            try Task.checkCancellation()
            guard status == 0 else { throw failure(status, words, lines) }
            return text
        } onCancel: {
            child.signal(SIGTERM)
        }
    }

    private func failure(_ status: Int32, _ words: [String], _ lines: [String]) -> DevhostError {
        if let connection, status == 255 { return connection.unreachable(lines.joined(separator: "\n")) }
        let reason = lines.last ?? "it says nothing"
        return DevhostError(
            .failed, "fc-devhost \(words.first ?? "") on \(host) ended with status \(status): \(reason)",
            details: lines.count > 1 ? lines.joined(separator: "\n") : nil)
    }

    private static func readAll(_ file: FileDescriptor) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let part = try file.read(upTo: 64 << 10, path: "the devhost's answer")
            if part.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += part
            guard bytes.count < Self.answerLimit else {
                throw DevhostError(
                    .failed, "the devhost's answer has no end: it is longer than \(Self.answerLimit) bytes")
            }
        }
    }

    /// The last lines, after each has been handed on.
    private static func readLines(_ file: FileDescriptor, _ progress: (String) -> Void) throws -> [String] {
        var lines: [String] = []
        var rest: [UInt8] = []
        func take(_ bytes: some Sequence<UInt8>) {
            let line = String(decoding: Array(bytes), as: UTF8.self).trimmed.printable
            if line.isEmpty { return }
            progress(line)
            lines = Array((lines + [line]).suffix(40))
        }
        while true {
            let part = try file.read(upTo: 64 << 10, path: "the devhost's words")
            if part.isEmpty {
                take(rest)
                return lines
            }
            var new = part[...]
            while let newline = new.firstIndex(of: Ascii.newline) {
                take(rest + new[..<newline])
                rest = []
                new = new[(newline + 1)...]
            }
            rest += new
            if rest.count > 64 << 10 {
                take(rest)
                rest = []
            }
        }
    }
}
