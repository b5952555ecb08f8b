// Runs one verb of a devhost whose guests count as ready at once, and can end itself at the n-th outside effect, as
// kill -9 would. For tests that walk all effects on a real libvirt, and for the soak test; inside a test host only.
//
//     rehearse [--kill-at N] ensure NAME IMAGE-URL | grow NAME DISK-SIZE | rebuild NAME | shutdown NAME | suspend NAME |
//         start NAME | restart NAME | restore NAME@LABEL | clone NAME NEW | destroy NAME | cleanup | template IMAGE-URL
//     rehearse judge < PATHS
//
// Prints the effects, one a line, before each happens; with "judge", what becomes of the image at each path: "taken", or
// why it is refused.
import DevhostBase
import DevhostCore
import Foundation

/// Writes down each effect, and ends the process before the n-th.
struct Rehearsal: EffectObserver {
    let killAt: Int?
    private let count = Counter()

    func willPerform(_ effect: Effect) throws {
        let number = count.next()
        FileHandle.standardOutput.write(Data("\(number) \(effect.kind.rawValue) \(effect)\n".utf8))
        if number == killAt { kill(getpid(), SIGKILL) }
    }

    private final class Counter: Sendable {
        private let lock = NSLock()
        private nonisolated(unsafe) var value = 0
        func next() -> Int {
            lock.withLock {
                value += 1
                return value
            }
        }
    }
}

/// A guest that nobody waits for.
struct ReadyAtOnce: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { true }
}

struct Usage: Error {}

/// Says of each path on a line of the input whether its image is taken.
func judge() {
    while let path = readLine() {
        var answer = "taken"
        do {
            _ = try ImageJudge().judge(try FileDescriptor.open(path, O_RDONLY), name: "it")
        } catch {
            answer = "\(error)".prefix { $0 != "\n" }.description
        }
        FileHandle.standardOutput.write(Data("\(answer)\n".utf8))
    }
}

func run(_ words: [String], _ devhost: Devhost) async throws {
    switch (words.first, words.count) {
    case ("ensure", 3):
        var request = EnsureRequest(name: try VMName(words[1]))
        request.release = .image(try ResourceURL(words[2]), channel: nil)
        request.memory = try MemorySize("128M")
        request.cpus = try CPUCount(1)
        request.diskSize = try DiskSize("2G")
        request.aliases = [try Alias("app")]
        try await devhost.ensure(request)
    case ("grow", 3):
        var request = EnsureRequest(name: try VMName(words[1]))
        request.diskSize = try DiskSize(words[2])
        try await devhost.ensure(request)
    case ("rebuild", 2): try await devhost.rebuild(try VMName(words[1]))
    case ("shutdown", 2): try await devhost.shutDown(try VMName(words[1]), limit: .zero)
    case ("suspend", 2): try await devhost.suspend(try VMName(words[1]))
    case ("start", 2): try await devhost.start(try VMName(words[1]))
    case ("restart", 2): try await devhost.restart(try VMName(words[1]))
    case ("restore", 2): try await devhost.restore(try SnapshotReference(words[1]), isForced: true)
    case ("clone", 3): try await devhost.clone(try VMName(words[1]), as: try VMName(words[2]))
    case ("destroy", 2): try await devhost.destroy(try VMName(words[1]))
    case ("template", 2):
        try await devhost.buildTemplate(
            of: .release(.image(try ResourceURL(words[1]), channel: nil)), shape: try MachineShape("1x128M"))
    case ("cleanup", 1): _ = try await devhost.pruneImages(olderThanDays: 0)
    default: throw Usage()
    }
}

var words = Array(CommandLine.arguments.dropFirst())
var killAt: Int?
if words.first == "--kill-at", words.count > 1 {
    killAt = Int(words[1])
    words.removeFirst(2)
}
guard ProcessInfo.processInfo.environment["DEVHOST_TEST_HOST"] == "1" else {
    print("rehearse: only inside Tests/Support/test-host")
    exit(2)
}
if words == ["judge"] {
    judge()
    exit(0)
}
do {
    let devhost = Devhost(
        configuration: try Configuration.load(), caller: Caller(userID: 0, name: "root", isElevated: false),
        probe: ReadyAtOnce())
    try await Effects.$observer.withValue(Rehearsal(killAt: killAt)) { [words] in try await run(words, devhost) }
} catch is Usage {
    print("rehearse: see the head of its source for its words")
    exit(2)
} catch {
    print("rehearse:", error)
    exit(1)
}
