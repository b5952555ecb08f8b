import DevhostCommandLine
import DevhostCore

/// `pin NAME...`: lets clean-up leave VMs alone.
struct PinCommand: ProgramCommand {
    static let until = Option.value(
        "until", "DATE", "The day on which the pin ends, for instance 2027-01-31, or a moment in ISO 8601.")

    static let usage = CommandUsage(
        "pin", summary: "let clean-up leave VMs alone", options: [until], operands: [.vms],
        examples: [.init("pin --until 2027-01-31 demo", "Keep a VM over a long holiday.")])

    let names: [VMName]
    let pin: Pin

    init(_ arguments: Arguments) throws(DevhostError) {
        names = try arguments.values(.vms, as: VMName.self)
        pin =
            try arguments.value(Self.until) { text throws(DevhostError) in
                // A day alone is its first moment, in UTC.
                .until(try Timestamp(text.utf8.count == 10 ? text + "T00:00:00" : text))
            } ?? .forever
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { [pin] name in
            try await devhost.pin(name, pin, progress: context.progress.handler)
            try context.output.line("\(name) is \(pin.text)")
        }
        return .success
    }
}
