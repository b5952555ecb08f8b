import DevhostCore
import Testing

/// Bytes that look random and are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count { withUnsafeBytes(of: next()) { bytes += $0 } }
        return Array(bytes.prefix(count))
    }
}

/// Expects an error of ours and returns it.
@discardableResult
func expectError<Result>(
    _ code: DevhostError.Code, containing text: String = "", sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Result
) async -> DevhostError? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown where \(code) was expected", sourceLocation: sourceLocation)
    } catch let error as DevhostError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        if !text.isEmpty { #expect(error.description.contains(text), "\(error)", sourceLocation: sourceLocation) }
        return error
    } catch {
        Issue.record("\(error) was thrown where \(code) was expected", sourceLocation: sourceLocation)
    }
    return nil
}
