// What Tests/Bench/bench.py cannot time from outside: prints the median seconds of one part of DevhostCore.
//
//     bench-tool judge FILE                the judgement of an image
//     bench-tool overlay POOL BASE-FILE    a new overlay in a storage pool of the local libvirt
//     bench-tool download URL FILE         a download with its SHA-256 digest
//     bench-tool ensures CONFIG IMAGE-URL COUNT side-by-side|in-a-row
//                                          new VMs, then the longest time that a lock of all VMs was held
//     bench-tool publish VM                what ensure does to publish a VM whose aliases changed
import DevhostBase
import DevhostCore
import Glibc
import Synchronization

let arguments = CommandLine.arguments

/// The median time of an action in seconds.
func median(of count: Int, _ action: (Int) async throws -> Void) async rethrows -> Double {
    var times: [Duration] = []
    for number in 0..<count {
        let start = ContinuousClock.now
        try await action(number)
        times.append(.now - start)
    }
    return times.sorted()[count / 2] / .seconds(1)
}

/// A guest that nobody waits for.
struct ReadyAtOnce: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { true }
}

/// Remembers the longest time that a lock was held which VMs share.
final class SharedLocks: EffectObserver {
    private let longest = Mutex(Duration.zero)
    var longestTime: Duration { longest.withLock { $0 } }

    func willPerform(_ effect: Effect) throws {}
    func didHold(lock path: String, for time: Duration) {
        // Those of one VM or image do not begin with '_'; that of an image is held for its download.
        guard let name = path.split(separator: "/").last, name.hasPrefix("_"), !name.hasPrefix("_image") else { return }
        longest.withLock { $0 = max($0, time) }
    }
}

/// Makes VMs on one devhost, all at once or one after the other.
func ensures(_ configuration: Configuration, image: ResourceURL, count: Int, isSideBySide: Bool) async throws {
    let devhost = Devhost(
        configuration: configuration, caller: Caller(userID: 0, name: "bench", isElevated: false), probe: ReadyAtOnce())
    @Sendable func ensure(_ number: Int) async throws {
        var request = EnsureRequest(name: try VMName("vm\(number)"))
        request.release = .image(image, channel: nil)
        try await devhost.ensure(request)
    }
    // The network and the store are made by the first.
    try await ensure(0)
    let locks = SharedLocks()
    let start = ContinuousClock.now
    try await Effects.$observer.withValue(locks) {
        if isSideBySide {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...count { group.addTask { try await ensure(number) } }
                try await group.waitForAll()
            }
        } else {
            for number in 1...count { try await ensure(number) }
        }
    }
    print((ContinuousClock.now - start) / .seconds(1), locks.longestTime / .seconds(1))
}

switch (arguments.dropFirst().first, arguments.count) {
case ("judge", 3):
    let path = arguments[2]
    print(
        try await median(of: 21) { _ in _ = try ImageJudge().judge(try FileDescriptor.open(path, O_RDONLY), name: path)
        })
case ("overlay", 4):
    let libvirt = try await Connection.open("qemu:///system")
    let pool = arguments[2]
    var names: [String] = []
    let time = try await median(of: 7) { number in
        let volume = VolumeDefinition(
            name: "bench-tool-\(number).qcow2", format: .qcow2, capacity: 1 << 40, mode: "0600", backing: arguments[3])
        _ = try await libvirt.createVolume(pool: pool, name: volume.name, xml: volume.rendered)
        names.append(volume.name)
    }
    for name in names { try await libvirt.deleteVolume(pool: pool, name: name) }
    print(time)
case ("download", 4):
    let path = arguments[3]
    print(
        try await median(of: 3) { _ in
            let file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
            let request = HTTPTransfer.Request(
                url: try ResourceURL(arguments[2]), file: file, path: path, maximum: 1 << 40)
            _ = try await HTTPTransfer().download(request) { _ in }
        })
case ("ensures", 6):
    guard let count = Int(arguments[4]) else { exit(2) }
    try await ensures(
        try Configuration.load(arguments[2]), image: try ResourceURL(arguments[3]), count: count,
        isSideBySide: arguments[5] == "side-by-side")
case ("publish", 3):
    let devhost = Devhost(
        configuration: try Configuration.load(), caller: Caller(userID: 0, name: "root", isElevated: false))
    var record = try devhost.records.require(try VMName(arguments[2]))
    print(
        try await median(of: 21) { number in
            record.aliases = try ["www", "a\(number)", "b\(number)"].map { text in try Alias(text) }
            try devhost.publishNames(of: record)
            await devhost.serve { event in if case .warning(let text) = event { print(text) } }
        })
default:
    print("bench-tool: see the head of its source for its words")
    exit(2)
}
