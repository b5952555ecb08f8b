import Testing

@testable import DevhostBase
@testable import DevhostCore

extension CrashTests {
    private func publish(_ devhost: Devhost, _ test: TestDevhost, _ release: String) async throws {
        try await devhost.publish(
            image: test.image.path, as: try ReleaseName(release), in: try ChannelName("team"))
    }

    /// Whether each release that is listed can be had, and its image is the one that it names.
    private func expectWholeReleases(_ devhost: Devhost, _ step: Int) async throws {
        for channel in (try? await devhost.catalog.channels()) ?? [] {
            let releases = try await devhost.catalog.releases(of: channel)
            #expect(releases.allSatisfy { $0.problem == nil }, "step \(step): \(releases)")
            #expect(releases.count { $0.isLatest } == 1, "step \(step): \(releases)")
            for release in releases {
                let resolved = try await devhost.releases.resolve(.catalog(channel, release.name))
                let digest = try SHA256Hasher.digest(try Files.read(resolved.imageURL.path))
                #expect(digest == resolved.imageHash, "step \(step)")
            }
        }
    }

    @Test func afterACrashAnywhereInAPublicationItCanBeCompletedOrRemoved() async throws {
        try await walk { devhost, test in
            try await publish(devhost, test, "2")
        } prepare: { devhost, test in
            try await publish(devhost, test, "1")
        } check: { devhost, test, step in
            try await expectWholeReleases(devhost, step)
            let channel = try ChannelName("team")
            if step.isMultiple(of: 2) {
                try await publish(devhost, test, "2")
                #expect(try await devhost.catalog.metadata(channel, nil).releaseName == "2", "step \(step)")
            } else {
                _ = try await devhost.remove(releases: [try ReleaseName("2")], from: channel)
                #expect(try await devhost.catalog.metadata(channel, nil).releaseName == "1", "step \(step)")
                let names = try Files.names(in: "\(test.configuration.layout.catalog)/team")
                #expect(!names.contains { $0.hasPrefix("2") || $0.hasPrefix(".2") }, "step \(step): \(names)")
            }
            try await expectWholeReleases(devhost, step)
            #expect(try devhost.catalog.survey() == ReleaseCatalog.Survey(), "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInARemovalItCanBeCompletedOrPublishedAgain() async throws {
        try await walk { devhost, test in
            _ = try await devhost.remove(releases: [try ReleaseName("2")], from: try ChannelName("team"))
        } prepare: { devhost, test in
            for name in ["1", "2"] { try await publish(devhost, test, name) }
        } check: { devhost, test, step in
            try await expectWholeReleases(devhost, step)
            if step.isMultiple(of: 2) {
                _ = try await devhost.remove(releases: [try ReleaseName("2")], from: try ChannelName("team"))
            } else {
                try await publish(devhost, test, "2")
            }
            try await expectWholeReleases(devhost, step)
            #expect(try devhost.catalog.survey() == ReleaseCatalog.Survey(), "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInTheRemovalOfAChannelItCanBeCompleted() async throws {
        try await walk { devhost, test in
            _ = try await devhost.remove(channel: try ChannelName("team"))
        } prepare: { devhost, test in
            for name in ["1", "2"] { try await publish(devhost, test, name) }
        } check: { devhost, test, step in
            try await expectWholeReleases(devhost, step)
            _ = try await devhost.remove(channel: try ChannelName("team"))
            #expect(!Files.exists("\(test.configuration.layout.catalog)/team"), "step \(step)")
        }
    }
}
