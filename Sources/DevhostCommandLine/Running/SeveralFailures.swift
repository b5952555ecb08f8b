import DevhostBase

/// What went wrong when a command over several VMs went on after a failure.
package struct SeveralFailures: Error {
    /// The failures, in the order in which the VMs were named; at least one.
    package let failures: [DevhostError]

    /// At least one failure.
    package init(failures: [DevhostError]) { self.failures = failures }
}

/// Runs a body for each of several things, a few side by side, and goes on after a failure.
/// - Parameters:
///   - items: What to run it for.
///   - limit: How many run at once.
/// - Returns: What the bodies returned, in the order of the items.
/// - Throws: When all have ended: the failure if there was one, ``SeveralFailures`` if there were more, and
///   ``ReaderIsGone`` where that was all.
package func forEach<Item: Sendable, Result: Sendable>(
    _ items: [Item], atOnce limit: Int = 4, _ body: @escaping @Sendable (Item) async throws -> Result
) async throws -> [Result] {
    let outcomes = await withTaskGroup(of: Outcome<Result>.self) { group in
        var outcomes: [Outcome<Result>] = []
        for (index, item) in items.enumerated() {
            if index >= limit, let outcome = await group.next() { outcomes.append(outcome) }
            group.addTask {
                do {
                    return Outcome(index: index, result: .success(try await body(item)))
                } catch {
                    return Outcome(index: index, result: .failure(error))
                }
            }
        }
        for await outcome in group { outcomes.append(outcome) }
        return outcomes.sorted { $0.index < $1.index }
    }
    var results: [Result] = []
    var failures: [DevhostError] = []
    var isReaderGone = false
    for outcome in outcomes {
        switch outcome.result {
        case .success(let result): results.append(result)
        case .failure(is ReaderIsGone): isReaderGone = true
        case .failure(let error): failures.append(.wrapping(error, "cannot finish with \(items[outcome.index])"))
        }
    }
    if failures.count > 1 { throw SeveralFailures(failures: failures) }
    if let failure = failures.first { throw failure }
    if isReaderGone { throw ReaderIsGone() }
    return results
}

/// What became of one of several things.
private struct Outcome<Value: Sendable>: Sendable {
    let index: Int
    let result: Result<Value, any Error>
}
