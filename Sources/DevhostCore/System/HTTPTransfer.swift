/// Fetches resources over HTTP with the curl program.
package struct HTTPTransfer: Sendable {
    /// A file that has been downloaded.
    package struct Download: Sendable {
        /// The digest of the bytes as they came.
        package let sha256: SHA256Digest
        package let size: UInt64
        package let validators: HTTPValidators
        /// The paths of the URLs on the way, redirects included: the last one names the file.
        package let paths: [String]
    }

    /// What to download, and where to.
    package struct Request: Sendable {
        package var url: ResourceURL
        /// An open file, written from its start.
        package var file: FileDescriptor
        /// The file's name in messages.
        package var path: String
        /// The most bytes that are taken.
        package var maximum: UInt64
        /// Whether somebody compares the digest afterwards, so that parts can be joined even where the server offers
        /// nothing to make sure that they belong together.
        package var isPinned = false
        /// Download only what differs from the resource that bore these.
        package var known = HTTPValidators()
        /// Asked before bytes are written, and again as they come, with the number that is to come where the server
        /// states it.
        package var admit: @Sendable (UInt64?) throws -> Void = { _ in }

        package init(url: ResourceURL, file: FileDescriptor, path: String, maximum: UInt64) {
            self.url = url
            self.file = file
            self.path = path
            self.maximum = maximum
        }
    }

    package var limits: HTTPLimits
    package var clock: any SystemClock

    package init(limits: HTTPLimits = HTTPLimits(), clock: any SystemClock = RealClock()) {
        self.limits = limits
        self.clock = clock
    }

    /// Fetches a small document into memory.
    /// - Throws: `notFound` and `permissionDenied` for what the server says so of, `refused` for a document larger
    ///   than `maximum` bytes or a redirect elsewhere than to http and https, `timedOut`, and `unavailable` for all
    ///   else. No message repeats what the document says.
    package func document(_ url: ResourceURL, maximum: Int = 1 << 20, accept: String = "application/json") async throws
        -> [UInt8]
    {
        var request = CurlRequest(url: url, limits: limits, maximum: UInt64(maximum))
        request.headers = ["Accept: \(accept)"]
        request.wholeSeconds = limits.document.components.seconds
        let sink = DocumentSink(maximum: maximum)
        try Effects.announce(.network, "get \(url.redacted)")
        do {
            let result = try await Processes.stream(
                request.command, limit: limits.document + .seconds(5), control: sink.takeHead, receive: sink.takeBody)
            let status = sink.status
            guard result.status == 0 else { throw CurlFailure(result, httpStatus: status).error(url) }
            guard status == 200 else {
                throw DevhostError(.unavailable, "cannot download \(url.redacted): the server answered with \(status)")
            }
        } catch let error as DocumentSink.TooLarge {
            throw DevhostError(.refused, "cannot download \(url.redacted): it is larger than \(error.maximum) bytes")
        }
        return sink.content
    }

    /// Downloads a resource into a file with its digest computed on the way. A connection that breaks is made again, up
    /// to ``HTTPLimits/attempts`` times, and the download goes on where it was where the server offers that.
    /// - Returns: nil where the resource is the one that `known` describes.
    /// - Throws: `notFound`, `permissionDenied`, `refused`, `timedOut` and `unavailable` like
    ///   ``document(_:maximum:accept:)``, `insufficientSpace` where the disk is full, and what `admit` throws. What the
    ///   file then holds is of no use.
    package func download(_ request: Request, progress: @escaping ProgressHandler) async throws
        -> Download?
    {
        let sink = DownloadSink(
            DownloadSink.Target(
                name: request.url.redacted, file: request.file, path: request.path, maximum: request.maximum,
                admit: request.admit, progress: progress, clock: clock))
        var offset: UInt64?
        var pause = limits.pause
        var attempt = 1
        while true {
            let interruption: Interruption
            switch try await self.attempt(request, offset: offset, sink: sink) {
            case .complete(let download): return download
            case .unchanged: return nil
            case .interrupted(let what): interruption = what
            }
            guard attempt < limits.attempts else {
                throw DevhostError(
                    interruption.code,
                    "cannot download \(request.url.redacted) with \(attempt) attempts: \(interruption.reason)")
            }
            attempt += 1
            offset = interruption.offset
            let next = offset.map { "it goes on after \($0) bytes" } ?? "it starts anew"
            progress(
                .notice(
                    "the download of \(request.url.redacted) was interrupted (\(interruption.reason)); \(next), attempt "
                        + "\(attempt) of \(limits.attempts)"))
            try await clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(30))
        }
    }

    /// Why an attempt did not end the download, and where the next one goes on; nil for the start.
    private struct Interruption {
        var reason: String
        var code: DevhostError.Code
        var offset: UInt64?
    }

    private enum Outcome {
        case complete(Download)
        case unchanged
        case interrupted(Interruption)
    }

    private func attempt(_ request: Request, offset: UInt64?, sink: DownloadSink) async throws -> Outcome {
        let failure: CurlFailure
        do {
            try sink.prepare(offset: offset)
            let result = try await perform(request, offset: offset, sink: sink)
            let response = sink.response
            if result.status == 0 {
                if response.head.status == 304, !request.known.isEmpty { return .unchanged }
                let end = try sink.finish()
                let redirects = response.locations.map { String($0.prefix { $0 != "?" && $0 != "#" }) }
                return .complete(
                    Download(
                        sha256: end.sha256, size: end.size, validators: end.validators,
                        paths: [request.url.path] + redirects))
            }
            failure = CurlFailure(result, httpStatus: response.head.status)
        } catch let part as DownloadSink.UnusablePart {
            return .interrupted(Interruption(reason: part.reason, code: .unavailable, offset: nil))
        }
        let error = failure.error(request.url)
        // The server has no bytes after those held: they are not the start of what it has.
        if failure.status == 22, failure.httpStatus == 416, offset != nil {
            return .interrupted(Interruption(reason: failure.reason, code: error.code, offset: nil))
        }
        let hasBegun = sink.position.kept > 0
        guard failure.isBroken || (hasBegun && failure.isUnreachable) else { throw error }
        let next = nextOffset(sink, isPinned: request.isPinned)
        return .interrupted(Interruption(reason: failure.reason, code: error.code, offset: next))
    }

    /// Where to go on; nil where nothing is held, or nothing would tell that it belongs to the rest.
    private func nextOffset(_ sink: DownloadSink, isPinned: Bool) -> UInt64? {
        let (kept, validators) = sink.position
        return kept > 0 && (isPinned || validators.forRange != nil) ? kept : nil
    }

    private func perform(_ download: Request, offset: UInt64?, sink: DownloadSink) async throws -> CommandResult {
        var request = CurlRequest(url: download.url, limits: limits, maximum: download.maximum)
        request.offset = offset
        if offset != nil {
            if let validator = sink.position.validators.forRange { request.headers.append("If-Range: \(validator)") }
        } else if let etag = download.known.etag {
            request.headers.append("If-None-Match: \(etag)")
        } else if let date = download.known.lastModified {
            request.headers.append("If-Modified-Since: \(date)")
        }
        try Effects.announce(.network, "download \(download.url.redacted)")
        return try await Processes.stream(
            request.command, limit: limits.whole, control: sink.takeHead, receive: sink.takeBody)
    }
}
