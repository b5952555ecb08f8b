import Testing

@testable import DevhostCore

@Suite struct ResourceWeightsTests {
    @Test func aDomainIsWeighedWhereTheHostCan() throws {
        let all = DomainDefinition.probe(
            architecture: "x86_64", weights: ResourceWeights(hasCPU: true, hasDisk: true))
        #expect(all.contains("<cputune><shares>100</shares></cputune><blkiotune><weight>100</weight></blkiotune>"))
        let none = DomainDefinition.probe(architecture: "x86_64")
        #expect(!none.contains("tune>"))
    }
}
