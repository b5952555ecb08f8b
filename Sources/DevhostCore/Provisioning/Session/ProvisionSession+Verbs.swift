extension ProvisionSession {
    /// Carries out what the script asks for. Blocks.
    /// - Returns: The exit status for the script.
    func carryOut(_ call: ScriptCall, for caller: ScriptCaller) throws -> Int32 {
        switch call.kind {
        case .verb: return try carryOutVerb(call, for: caller)
        case .transport: return try carryOutTransport(call, for: caller)
        case .failure:
            note(FailureReport(call))
            return 0
        }
    }

    private func carryOutVerb(_ call: ScriptCall, for caller: ScriptCaller) throws -> Int32 {
        guard let verb = ProvisionScript.Verb(rawValue: call.text(0)), call.fields.count >= 4 else {
            throw DevhostError(.damaged, "a call of the script cannot be understood")
        }
        let words = Array(call.fields[4...])
        let shown = VerbCall(
            number: state.withLock { state in
                defer { state.nextCall += 1 }
                return state.nextCall
            }, verb: verb, arguments: words.map { options.secrets.masked(String(decoding: $0, as: UTF8.self)) },
            source: Self.name(of: call.text(1)), line: call.text(1).isEmpty ? nil : Int(call.text(2)))
        emit(.started(shown))
        let start = ContinuousClock.now
        var status: Int32
        do {
            let folder = call.text(3)
            status =
                switch verb {
                case .run: try run(words, for: caller)
                case .echo: try echo(words, for: caller)
                case .copy: try copy(words.map { String(decoding: $0, as: UTF8.self) }, in: folder, for: caller)
                }
        } catch let error as DevhostError where error.code != .unavailable {
            caller.say("\(verb.rawValue): \(error)")
            status = error.code == .invalidArgument ? 2 : 1
        }
        let result = VerbResult(call: shown, status: status, duration: .now - start)
        state.withLock { $0.finished.append(result) }
        emit(.finished(result))
        return status
    }

    // MARK: RUN

    private func run(_ words: [[UInt8]], for caller: ScriptCaller) throws -> Int32 {
        guard !words.isEmpty else {
            throw DevhostError(.invalidArgument, "there is no command", next: "write RUN COMMAND [ARGUMENT…]")
        }
        if options.isDryRun { return 0 }
        let mark = GuestConnection.newMark()
        let hasInput = caller.hasInput
        var exchange = Exchange(
            mark: mark, request: GuestAgent.request(hasInput ? "feed" : "run", mark: mark, words),
            output: caller.output, errors: caller.errors, watched: caller.watched)
        if hasInput { exchange.source = Exchange.Source(descriptor: caller.input, endsInput: true) }
        return try connection.carryOut(exchange).status
    }

    // MARK: ECHO

    private func echo(_ words: [[UInt8]], for caller: ScriptCaller) throws -> Int32 {
        guard words.count >= 2, let last = words.last else {
            throw DevhostError(.invalidArgument, "a word or the path is missing", next: "write ECHO WORD… REMOTE")
        }
        let path = try RemotePath(String(decoding: last, as: UTF8.self))
        guard !path.isFolder else {
            throw DevhostError(.invalidArgument, "\(path.text.quoted) is a folder", next: "name a file")
        }
        if options.isDryRun { return 0 }
        let content = Array(words.dropLast().joined(separator: [0x20])) + [0x0a]
        let owner = try owners().owner(of: path)
        let (length, text) = GuestAgent.split(content)
        let mark = GuestConnection.newMark()
        let request = GuestAgent.request(
            "write", mark: mark, [last, Array(owner.utf8), Array(String(length).utf8), text],
            content: length > 0 ? content : [])
        return try connection.carryOut(
            Exchange(
                mark: mark, request: request, output: caller.output, errors: caller.errors, watched: caller.watched)
        ).status
    }

    /// To whom files in the VM belong, asked once. Blocks.
    func owners() throws -> GuestOwners {
        if let known = state.withLock({ $0.owners }) { return known }
        let owners = try GuestOwners(serviceUser: options.serviceUser, connection: connection)
        if let user = options.serviceUser, !owners.hasServiceUser {
            emit(.warning("the VM has no user \(user.quoted): files belong to root"))
        }
        state.withLock { $0.owners = owners }
        return owners
    }
}
