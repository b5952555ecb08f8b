import FoundationEssentials
import Glibc

extension Devhost {
    /// The log of who did what to which VM.
    public var auditLog: AuditLog { AuditLog(layout: layout) }

    /// Runs a verb with a line of the audit log before and after it. What cannot be put on record is not done, unless
    /// the disk is full: then VMs must still be able to go.
    /// - Parameters:
    ///   - name: The VM; nil for a verb that is not about one.
    ///   - object: What else is named. Parsed values only: no text of the caller's, and nothing secret.
    func audited<Result>(
        _ verb: Verb, _ name: VMName? = nil, object: String? = nil, progress: ProgressHandler = { _ in },
        _ body: () async throws -> Result
    ) async throws -> Result {
        let origin = CallerOrigin.current()
        let start = clock.monotonic
        var entry = AuditLog.Entry(
            time: Timestamp(clock.now), id: String(UInt64.random(in: 0...UInt64.max), radix: 16), event: .begin,
            verb: verb.rawValue, vm: name?.description ?? "", object: object, user: caller.name, uid: caller.userID,
            sudo: caller.isElevated, terminal: origin.terminal, from: origin.address, parents: origin.parents,
            pid: getpid(), result: nil, seconds: nil)
        do {
            try auditLog.append(entry)
        } catch let error as DevhostError where error.code == .insufficientSpace {
            progress(.warning("this is not in the audit log: \(error)"))
        }
        func end(_ result: String) {
            let time = clock.monotonic - start
            entry.time = Timestamp(clock.now)
            entry.event = .end
            entry.parents = nil
            entry.result = result
            entry.seconds = (time / .milliseconds(1)).rounded() / 1000
            do {
                try auditLog.append(entry)
            } catch {
                progress(.warning("how it ended is not in the audit log: \(error)"))
            }
        }
        do {
            let result = try await body()
            end("ok")
            return result
        } catch {
            end((error as? DevhostError)?.code.description ?? "failed")
            throw error
        }
    }
}
