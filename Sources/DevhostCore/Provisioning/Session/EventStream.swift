/// What happens during a run, for callers that would rather iterate than be called. The last element is `.ended`; the
/// iteration throws what the run throws. Ending the iteration early, or cancelling its task, ends the run.
public typealias EventStream<Event: Sendable> = AsyncThrowingStream<Event, any Error>

extension ProvisionSession {
    /// Runs a script as a sequence of its events.
    public static func events(_ options: Options) -> EventStream<ProvisionEvent> {
        .running { _ = try await ProvisionSession(options, events: $0).run() }
    }
}

extension EnvironmentUp {
    /// Brings an environment up as a sequence of its events.
    public static func events(
        _ configuration: EnvironmentConfiguration, _ options: Options
    ) -> EventStream<EnvironmentEvent> {
        .running { _ = try await EnvironmentUp(configuration, options, events: $0).run() }
    }
}

extension AsyncThrowingStream where Element: Sendable, Failure == any Error {
    fileprivate static func running(
        _ body: @escaping @Sendable (@escaping @Sendable (Element) -> Void) async throws -> Void
    ) -> AsyncThrowingStream {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await body { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
