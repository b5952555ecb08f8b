import Testing

@testable import DevhostCore

@Suite struct AllocationTests {
    let folder: TemporaryDirectory
    let allocation: Allocation
    let plan: AddressPlan

    init() throws {
        folder = try TemporaryDirectory(prefix: "devhost-allocation")
        let configuration = try Configuration(text: "", source: "")
        plan = AddressPlan(network: configuration.network)
        let layout = Layout(records: folder.path, state: folder.path)
        try Files.createDirectory(layout.locks, mode: 0o700)
        allocation = Allocation(layout: layout, plan: plan, clock: RealClock())
    }

    private func next(_ records: [VMRecord] = []) async throws -> UInt32 {
        try await allocation.next(held: HeldIdentities(records: records), holder: "test", limit: .seconds(30)).value
    }

    @Test func anIdThatWasGivenBackIsTheLastToComeAgain() async throws {
        #expect(try await next() == 1)
        #expect(try await next() == 2)
        try Files.write(allocation.layout.allocation, Array("\(plan.capacity)".utf8), mode: 0o644)
        #expect(try await next() == 1)
    }

    @Test func addressesOfOldRecordsAreNotGivenOut() async throws {
        var old = VMRecord(name: try VMName("old"))
        old.id = VMIdentifier(2)
        old.mac = MACAddress(id: VMIdentifier(2))
        old.ipv4 = plan.ipv4(VMIdentifier(1))
        try Files.write(allocation.layout.allocation, Array("0".utf8), mode: 0o644)
        #expect(try await next([old]) == 3)
    }

    @Test func aLostCounterGoesOnBehindTheRecords() async throws {
        var record = VMRecord(name: try VMName("demo"))
        record.id = VMIdentifier(41)
        #expect(try await next([record]) == 42)
        try Files.write(allocation.layout.allocation, Array("garbage".utf8), mode: 0o644)
        #expect(try await next([record]) == 42)
    }

    @Test func manyAtOnceGetIdsOfTheirOwn() async throws {
        let ids = try await withThrowingTaskGroup(of: UInt32.self) { group in
            for _ in 0..<32 { group.addTask { try await next() } }
            return try await group.reduce(into: Set<UInt32>()) { $0.insert($1) }
        }
        #expect(ids.count == 32)
    }

    @Test func whenAllIsTakenItIsSaid() async throws {
        let records = try (1...plan.capacity).map { number in
            var record = VMRecord(name: try VMName("vm-\(number)"))
            record.id = VMIdentifier(number)
            return record
        }
        await #expect { try await next(records) } throws: { ($0 as? DevhostError)?.code == .insufficientSpace }
    }

    @Test func theNetworkReservesTheMappingAndWhatOldRecordsHoldInstead() throws {
        #expect(plan.reservations(records: []).count == 12_000)
        #expect(plan.ipv4(plan.identifiers.upperBound) < plan.dynamicRange.lowerBound)
        var old = VMRecord(name: try VMName("old"))
        old.mac = MACAddress(id: VMIdentifier(5))
        old.ipv4 = plan.ipv4(VMIdentifier(9))
        let reservations = plan.reservations(records: [old])
        #expect(reservations.filter { $0.mac == old.mac }.map(\.ipv4) == [plan.ipv4(VMIdentifier(9))])
        #expect(Set(reservations.map(\.mac)).count == reservations.count)
        #expect(Set(reservations.map(\.ipv4)).count == reservations.count)
    }
}
