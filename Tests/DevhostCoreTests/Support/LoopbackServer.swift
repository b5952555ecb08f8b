import DevhostCore
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A real HTTP server on 127.0.0.1 whose every answer a test decides, good or bad. It keeps the requests it was sent,
/// and serves until it is stopped or the tests end.
final class LoopbackServer: Sendable {
    /// What a client asked for.
    struct Request: Sendable {
        let method: String
        let path: String
        /// Names in lower case.
        let headers: [String: String]

        /// The first byte that a `Range` header asks for.
        var rangeStart: Int? {
            headers["range"].flatMap { $0.split(separator: "=").last?.split(separator: "-").first }.flatMap { Int($0) }
        }
    }

    typealias Handler = @Sendable (Request, Client) -> Void

    /// One connection, to answer on.
    struct Client: Sendable {
        fileprivate let socket: Int32

        func send(_ bytes: some Sequence<UInt8>) {
            let bytes = Array(bytes)
            var offset = 0
            while offset < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    Glibc.send(
                        socket, buffer.baseAddress?.advanced(by: offset), bytes.count - offset,
                        Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return }
                offset += count
            }
        }

        func send(_ text: String) { send(text.utf8) }

        /// Sends the head of an answer.
        func head(_ status: String, length: Int?, _ headers: [String: String] = [:]) {
            var text = "HTTP/1.1 \(status)\r\nConnection: close\r\n"
            if let length { text += "Content-Length: \(length)\r\n" }
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            send(text + "\r\n")
        }

        /// Sends a whole answer.
        func reply(_ status: String = "200 OK", _ body: [UInt8] = [], _ headers: [String: String] = [:]) {
            head(status, length: body.count, headers)
            send(body)
        }

        /// Answers with the part of a resource that was asked for.
        func reply(_ request: Request, partOf body: [UInt8], _ headers: [String: String] = [:]) {
            guard let start = request.rangeStart else { return reply("200 OK", body, headers) }
            let all = headers.merging(["Content-Range": "bytes \(start)-\(body.count - 1)/\(body.count)"]) { $1 }
            reply("206 Partial Content", Array(body[start...]), all)
        }

        /// Returns when the client has gone.
        func waitUntilItLeaves() {
            var byte: UInt8 = 0
            while recv(socket, &byte, 1, 0) > 0 {}
        }
    }

    let port: Int
    private let listener: Int32
    private let log = Mutex([Request]())
    private let hasStopped = DispatchSemaphore(value: 0)

    init(_ handler: @escaping Handler) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, size) == 0 && listen(socket, 64) == 0 && getsockname(socket, generic, &size) == 0
            }
        }
        guard isBound else { throw DevhostError(.failed, "the test server cannot listen") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else {
                    close(socket)
                    self.hasStopped.signal()
                    return
                }
                Thread.detachNewThread { self.serve(connection, handler) }
            }
        }
    }

    /// Closes the port.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        hasStopped.wait()
    }

    /// A server of one resource at every path.
    convenience init(serving body: [UInt8], _ headers: [String: String] = [:]) throws {
        try self.init { request, client in client.reply(request, partOf: body, headers) }
    }

    /// What has been asked for so far.
    var requests: [Request] { log.withLock { $0 } }

    func url(_ path: String, credentials: String = "") throws -> ResourceURL {
        try ResourceURL("http://\(credentials)127.0.0.1:\(port)\(path)")
    }

    private func serve(_ connection: Int32, _ handler: Handler) {
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        if let request = readRequest(connection) {
            log.withLock { $0.append(request) }
            handler(request, Client(socket: connection))
        }
        // A program that was started a moment ago may hold a copy of the socket: this ends the connection all the same.
        shutdown(connection, Int32(SHUT_RDWR))
        close(connection)
    }

    private func readRequest(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard recv(connection, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        return Request(method: String(words[0]), path: String(words[1]), headers: headers)
    }
}
