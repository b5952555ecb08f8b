/// Waits until a guest's sshd answers, watching meanwhile whether the guest can still come up at all.
struct Readiness: Sendable {
    let name: VMName
    let address: IPv4Address
    let consoleLog: String
    /// Where the log ended when the guest was started: older lines are not about this start.
    let consoleStart: UInt64
    let limit: Duration
    let clock: any SystemClock
    let probe: any GuestProbe
    let state: @Sendable () async throws -> DomainState
    /// Whether a guest may say on its console that its sshd answers, which then is not asked once more: its first answers
    /// cost an emulated guest half a second each.
    var believesConsole = false

    /// What a guest says on its console that has got the banner of its own sshd (docs/images.md).
    private static let answeringWord = "fc-warm-start: ssh answers"
    /// How often sshd is asked: a banner is noticed within this time and one connection.
    static let interval = Duration.milliseconds(50)

    /// How long a connection may take to open. What arrives at a guest before it has its address is lost, and is sent
    /// again only after a second: to ask anew is faster. A guest that is busy needs the longer limit, now and then.
    private static func connectionLimit(attempt: Int) -> Duration { .milliseconds(attempt % 10 == 9 ? 500 : 100) }

    /// - Throws: `guestFailed` when the guest stops or its kernel panics, `timedOut` past the limit; both with the tail
    ///   of the console.
    func wait(progress: ProgressHandler) async throws {
        let start = clock.monotonic
        var nextLook = start
        var nextWord = start + .seconds(5)
        for attempt in 0... {
            if try await answers(attempt) { return }
            let now = clock.monotonic
            if now >= nextLook {
                nextLook = now + .seconds(1)
                try await look()
            }
            let elapsed = (now - start).components.seconds
            if now >= nextWord {
                nextWord = now + .seconds(5)
                progress(.step("waiting for ssh of \(name) (\(elapsed) s)"))
            }
            guard now - start < limit else {
                throw failure(
                    .timedOut, "ssh of \(name) at \(address) did not answer within \(limit.components.seconds) s",
                    next: "see 'fc-devhost logs \(name)', or allow more time with --timeout")
            }
            try await clock.sleep(for: Self.interval)
        }
    }

    private func answers(_ attempt: Int) async throws -> Bool {
        let limit = Self.connectionLimit(attempt: attempt)
        // A guest may answer nobody but at its ssh port, so now and then it is asked there all the same.
        if believesConsole, attempt % 10 != 9, (try? consoleText())?.contains(Self.answeringWord) == true {
            return try await probe.isReached(address, limit: limit)
        }
        return try await probe.answers(address, limit: limit)
    }

    private func look() async throws {
        let state = try await state()
        guard state == .running || state == .paused else {
            throw failure(.guestFailed, "\(name) stopped while it started (it is \(state.rawValue))")
        }
        guard let text = try? consoleText(), text.contains("Kernel panic") else { return }
        throw failure(
            .guestFailed, "the kernel of \(name) panicked",
            next: "try another release, or see 'fc-devhost logs \(name)'")
    }

    private func consoleText() throws -> String {
        let size = try Files.size(consoleLog)
        // virtlogd begins a new file when one is full: all of it is about this start.
        let start = size < consoleStart ? 0 : consoleStart
        guard size > start else { return "" }
        return try Files.tail(consoleLog, bytes: Int(min(size - start, 16384)))
    }

    private func failure(_ code: DevhostError.Code, _ message: String, next: String? = nil) -> DevhostError {
        let lines = ((try? consoleText()) ?? "").printableLines.split(whereSeparator: \.isNewline).suffix(20)
        let details = lines.isEmpty ? nil : "the console of \(name) ends with:\n  " + lines.joined(separator: "\n  ")
        return DevhostError(
            code, lines.isEmpty ? message + " and its console is empty" : message, next: next, details: details)
    }
}
