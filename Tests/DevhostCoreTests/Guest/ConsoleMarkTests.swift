import Testing

@testable import DevhostBase
@testable import DevhostCore

@Suite struct ConsoleMarkTests {
    let test: TestDevhost
    let mark: ConsoleMark

    init() throws {
        test = try TestDevhost()
        mark = ConsoleMark(layout: test.configuration.layout, name: try VMName("demo"))
        try Files.createDirectory(mark.layout.state, mode: 0o755)
        try Files.createDirectory(mark.layout.folder(mark.name), mode: 0o700)
        try write("Kernel panic of yesterday\n")
    }

    private func write(_ text: String) throws {
        try Files.write(mark.layout.consoleLog(mark.name), Array(text.utf8), mode: 0o600)
    }

    @Test func aStartIsReadFromWhereTheConsoleEndedThen() throws {
        try mark.note(mark.end)
        try write("Kernel panic of yesterday\nof today\n")
        #expect(mark.start == 26)
    }

    @Test(arguments: ["", "12", "x y", "0 another-boot-of-the-devhost"])
    func whereNothingIsKnownOfTheLastStartNoOldLineIsTakenForANewOne(text: String) throws {
        try Files.write(
            "\(mark.layout.folder(mark.name))/\(ConsoleMark.fileName)", Array(text.utf8), mode: 0o600)
        #expect(mark.start == 26)
    }
}
