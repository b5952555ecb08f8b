import Glibc

/// Makes a qcow2 file of what was downloaded, with the tools of the distribution and the formats always stated.
///
/// Decompressors read bytes that anybody may have made: they get open files instead of names, no rights, and bounds on
/// memory and output. qemu-img only ever reads raw bytes here, which it has nothing to make out of.
struct ImageConversion: Sendable {
    var limits: ImageLimits

    /// The user without rights that Debian and others know as `nobody`.
    private static let nobody: UInt32 = 65534

    /// Unpacks a file into another one, with holes where it has zeros.
    /// - Throws: `refused` for data that is damaged or unpacks to more than is allowed, `insufficientSpace`, `timedOut`.
    func unpack(
        _ file: FileDescriptor, _ format: ImageFormat, to target: FileDescriptor, path: String, name: String,
        progress: @escaping ProgressHandler
    ) async throws {
        guard let unpacker = format.unpacker else { return }
        let package = unpacker == "xz" ? "xz-utils" : unpacker
        var command = Self.bounded(try Processes.find(unpacker, package: package), ["--decompress", "--stdout"])
        if format != .gzip { command.arguments.append(format == .xz ? "--memlimit=512MiB" : "--memory=512MB") }
        if geteuid() == 0 {
            guard let user = User(id: Self.nobody) else {
                throw DevhostError(
                    .unsupported, "cannot unpack \(name) without rights: there is no user \(Self.nobody)")
            }
            command.user = user
        }
        try file.rewind(path: name)
        let sink = SparseSink(
            file: target, path: path, maximum: limits.unpacked, reserve: limits.reserve, what: "unpacking \(name)",
            progress: progress)
        let result = try await Processes.stream(command, input: file, limit: limits.conversion, receive: sink.take)
        guard result.status == 0 else {
            throw ImageJudge.refusal(
                name, "\(unpacker) cannot unpack it: \(result.errorText.trimmed.printable.prefix(200))")
        }
        try sink.finish()
    }

    /// Makes a qcow2 file of a raw disk.
    /// - Throws: `refused` for a disk without bytes or above the limit, `insufficientSpace`, `failed`.
    func convert(raw path: String, to target: String, name: String) async throws {
        let size = try Files.size(path)
        guard size > 0 else { throw ImageJudge.refusal(name, "its disk has no bytes") }
        guard size <= limits.virtualSize else {
            throw ImageJudge.refusal(name, "its \(size) bytes are above the limit of \(limits.virtualSize)")
        }
        // The copy takes no more room than the disk does without its holes.
        let needed = try Files.allocatedSize(path)
        try FreeSpace.require(
            [(Files.directory(of: target), needed)], reserve: limits.reserve, for: "converting \(name)")
        let command = Self.bounded(
            try Processes.find("qemu-img", package: "qemu-utils"),
            ["convert", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1", path, target])
        let result = try await Processes.run(command, limit: limits.conversion)
        guard result.status == 0 else {
            let free = try FreeSpace.available(Files.directory(of: target))
            throw DevhostError(
                free < 16 << 20 ? .insufficientSpace : .failed,
                "cannot convert the image \(name): \(result.errorText.trimmed.printable.suffix(300))")
        }
    }

    /// A program that dumps no memory and takes no more than its share of it.
    private static func bounded(_ program: String, _ arguments: [String]) -> Command {
        Command("prlimit", ["--core=0", "--as=\(4 << 30)", "--nofile=64", "--", program] + arguments)
    }
}
