import DevhostBase
import Foundation
import Testing

@Suite(
    "A service user who puts links in the way of root",
    .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct ServiceUserTests {
    private func status(_ path: String) throws -> String {
        try TestGuest.shell("stat -c '%a %U %G %s' \(path)").trimmed
    }

    @Test("is given nothing of root's, however often it tries, and nothing is written out of its home")
    func races() async throws {
        let run = try ScriptRun()
        let user = "s\(try TestGuest.shared().user)"
        let (home, root) = ("/run/\(user)", "\(run.folder)/root")
        try TestGuest.shell(
            """
            mkdir -p \(root)/outside; chmod 755 \(run.folder) \(root) \(root)/outside; echo secret >\(root)/file
            chmod 640 \(root)/file; install -d -o \(user) -g \(user) \(home)/race
            """)
        let before = try (status("\(root)/file"), status("\(root)/outside"))
        try run.write("file", "x")
        for name in ["echoed", "copied", "copied/file", "a1", "a1/b/copied", "e2", "e2/f/echoed"] {
            try run.write("tree/\(name)/in", "x")
        }
        for number in 1...100 { try run.write("flat/\(number)", "x") }
        let racer = Process()
        racer.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        racer.arguments = [
            "--reuid=\(user)", "--regid=\(user)", "--init-groups", "/usr/bin/env", "python3", "-",
            "\(home)/race", "\(root)/file", "\(root)/outside", "\(root)/stop",
        ]
        // From its input: the user may not be able to read the sources.
        racer.standardInput = FileHandle(forReadingAtPath: "\(INIOracleTests.root)/Tests/Support/racing-user")
        let said = Foundation.Pipe()
        racer.standardOutput = said
        try racer.run()
        #expect(String(decoding: said.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("racing"))
        let result = try await run(
            """
            for i in {1..25}; do
              ECHO text \(home)/race/echoed
              COPY file \(home)/race/copied
              COPY --chmod=4755 file \(home)/race/a$i/b/copied
              ECHO text \(home)/race/e$i/f/echoed
              ((i > 8)) || COPY tree \(home)/race/
              ((i > 8)) || COPY --chmod=4755 flat/ \(home)/race/
            done
            """
        ) {
            $0.serviceUser = user
            $0.keepsGoing = true
        }
        try Data().write(to: URL(fileURLWithPath: "\(root)/stop"))
        while racer.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try (status("\(root)/file"), status("\(root)/outside")) == before, "\(result.errors)")
        #expect(try Files.readText("\(root)/file") == "secret\n")
        #expect(try Files.names(in: "\(root)/outside") == [])
        #expect(try TestGuest.shell("find \(home)/race -user root -perm /6000").trimmed == "")
        try TestGuest.shell("rm -rf \(home)/race")
    }

    @Test("A link of its own is followed within its home, and not out of it")
    func links() async throws {
        let run = try ScriptRun()
        let user = "s\(try TestGuest.shared().user)"
        let home = "/run/\(user)"
        try TestGuest.shell(
            """
            cd \(home) && rm -rf in out inner && install -d -o \(user) -g \(user) inner
            ln -s inner in; ln -s \(run.folder) out; ln -s \(run.folder)/file file-out; chown -h \(user) in out file-out
            """)
        try run.write("file", "as it was")
        let result = try await run(
            """
            ECHO x \(home)/in/new/file
            COPY provision.sh \(home)/in/
            ECHO x \(home)/out/file || echo refused
            ECHO x \(home)/file-out || echo refused
            COPY provision.sh \(home)/out/new/deep/ || echo refused
            COPY provision.sh \(home)/out/copied || echo refused
            """
        ) { $0.serviceUser = user }
        #expect(result.output == "refused\nrefused\nrefused\nrefused\n", "\(result.errors)")
        #expect(result.errors.contains("\(run.folder) is not below \(home): a link leads there"), "\(result.errors)")
        #expect(try Files.readText("\(run.folder)/file") == "as it was")
        #expect(try Files.names(in: run.folder).sorted() == ["file", "provision.sh"])
        for path in ["inner/new", "inner/new/file", "inner/provision.sh"] {
            #expect(try TestGuest.shell("stat -c %U \(home)/\(path)").trimmed == user, "\(path)")
        }
        try TestGuest.shell("cd \(home) && rm -rf in out inner file-out")
    }

    @Test("A folder is its own when it is copied, and links that it has put there lead nowhere")
    func foldersThatAreCopied() async throws {
        let run = try ScriptRun()
        let user = "s\(try TestGuest.shared().user)"
        let home = "/run/\(user)"
        try run.write("tree/sub/file", "x")
        try run.write("tree/big", String(repeating: "x", count: 300_000))
        try TestGuest.shell(
            """
            mkdir -p \(run.folder)/outside; cd \(home) && rm -rf made linked real away
            install -d -o \(user) -g \(user) real; ln -s real linked; ln -s \(run.folder)/outside away
            """)
        let result = try await run(
            """
            COPY tree \(home)/made/deep/
            COPY tree/ \(home)/linked/
            COPY tree/big \(home)/made/renamed
            COPY tree \(home)/away/ || echo refused
            """
        ) { $0.serviceUser = user }
        #expect(result.summary.status == 0 && result.output == "refused\n", "\(result.output) \(result.errors)")
        for path in ["made/deep/tree/sub/file", "made/deep", "real/sub/file", "real/big", "made/renamed"] {
            #expect(try TestGuest.shell("stat -c %U \(home)/\(path)").trimmed == user, "\(path)")
        }
        #expect(try Files.names(in: "\(run.folder)/outside") == [])
        try TestGuest.shell("cd \(home) && rm -rf made linked real away")
    }

    @Test("Verbs at the same time make the folders that they share, each with its owner")
    func sharedFolders() async throws {
        let run = try ScriptRun()
        let user = "s\(try TestGuest.shared().user)"
        try run.write("file", "x")
        let result = try await run(
            """
            for folder in "$R/new" /run/\(user)/shared; do
              for i in {1..6}; do
                COPY file "$folder/a/b/$i" &
                ECHO x "$folder/a/c/$i" &
              done
              wait
            done
            RUN "stat -c '%a %U' $R/new/a/b /run/\(user)/shared /run/\(user)/shared/a/c /run/\(user)/shared/a/c/6"
            RUN "ls $R/new/a/b $R/new/a/c /run/\(user)/shared/a/b /run/\(user)/shared/a/c | grep -c '^[0-9]'"
            RUN rm -r /run/\(user)/shared
            """
        ) { $0.serviceUser = user }
        #expect(result.summary.status == 0 && result.errors == "", "\(result.errors)")
        #expect(
            result.output == "755 root\n755 \(user)\n755 \(user)\n600 \(user)\n24\n",
            "\(result.output) \(result.errors)")
    }
}
