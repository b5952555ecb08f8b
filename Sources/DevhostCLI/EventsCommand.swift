import DevhostCommandLine
import DevhostCore

/// `events`: what happens to VMs.
struct EventsCommand: ProgramCommand {
    static let follow = Option.flag("follow", short: "f", "Go on with what happens from now on.")
    static let json = Option.flag("json", "Print an event as a JSON object a line.")

    static let usage = CommandUsage(
        "events", summary: "tell what VMs are, and what happens to them",
        discussion: """
            First comes an event `present` for each VM, then, with --follow, what libvirt tells of them as it happens:
            defined, started, paused, resumed, shutdown, stopped, crashed, undefined. No event is missed between the two.
            When libvirt restarts, --follow waits for it and begins anew.
            """,
        options: [follow, json],
        examples: [
            .init("events --follow", "Watch what happens."),
            .init("events --follow --json | while read -r event; do ...; done", "React to it."),
        ])

    let follows: Bool
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        follows = arguments.has(Self.follow)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        guard follows else {
            for try await event in try await context.devhost().events(following: false) {
                try write(event, context.output)
            }
            return .success
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await follow(context) }
            // An event may be hours away: whoever read may be gone before.
            group.addTask { while context.output.hasReader { try await Task.sleep(for: .seconds(1)) } }
            try await group.next()
            group.cancelAll()
        }
        return .success
    }

    private func follow(_ context: CommandContext) async throws {
        var events = try await context.devhost().events()
        while true {
            do {
                for try await event in events { try write(event, context.output) }
                return
            } catch let error as DevhostError where error.code == .unavailable {
                context.progress.notice("\(error.message), waiting for it")
            }
            events = try await nextEvents(context)
        }
    }

    /// Waits until libvirt is back.
    private func nextEvents(_ context: CommandContext) async throws -> AsyncThrowingStream<VMEvent, any Error> {
        while true {
            try await Task.sleep(for: .seconds(1))
            do {
                return try await context.devhost().events()
            } catch let error as DevhostError where error.code == .unavailable {}
        }
    }

    private func write(_ event: VMEvent, _ output: ResultOutput) throws {
        if isJSON {
            try output.jsonLine(event)
        } else {
            try output.line(
                [
                    event.time.description, event.name.description, event.kind.rawValue,
                    event.reason ?? (event.kind == .present ? event.state?.rawValue : nil),
                ].compactMap { $0 }.joined(separator: " "))
        }
    }
}
