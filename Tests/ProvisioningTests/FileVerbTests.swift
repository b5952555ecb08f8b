import Foundation
import Testing

@testable import DevhostBase

@Suite("ECHO and COPY", .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct FileVerbTests {
    private func status(_ path: String) throws -> String { try TestGuest.shell("stat -c '%a %U %G' \(path)").trimmed }

    @Test("ECHO writes its words byte by byte")
    func echoBytes() async throws {
        let run = try ScriptRun()
        let result = try await run(
            #"""
            ECHO 'it'"'"'s "quoted" $HOME `id` \ \n' ä '  two  blanks' "" "$R/words"
            ECHO $'two\nlines\n' "$R/lines"
            ECHO '; touch /tmp/never #' "$R/semicolon"
            ECHO $'\xff\xfe' "$R/no-utf8"
            ECHO -n "$R/option"
            ECHO "$(head -c 300000 /dev/zero | tr '\0' x)" "$R/large"
            """#)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(try run.content("words") == #"it's "quoted" $HOME `id` \ \n ä   two  blanks "# + "\n")
        #expect(try run.content("lines") == "two\nlines\n\n")
        #expect(try run.content("semicolon") == "; touch /tmp/never #\n")
        #expect(try Files.read("\(run.remote)/no-utf8") == [0xff, 0xfe, 0x0a])
        #expect(try run.content("option") == "-n\n")
        #expect(try run.content("large") == String(repeating: "x", count: 300_000) + "\n")
    }

    @Test("ECHO makes folders, keeps mode and owner of what exists, and follows links")
    func echoModes() async throws {
        let run = try ScriptRun()
        let result = try await run(
            """
            ECHO new "$R/a/b/new"
            RUN "echo old > $R/old; chmod 4755 $R/old; chown nobody:daemon $R/old; chmod 640 $R/old"
            ECHO kept "$R/old"
            RUN ln -s old "$R/link"
            ECHO linked "$R/link"
            ECHO gone /dev/null
            RUN mkfifo "$R/fifo"
            RUN cat "$R/fifo" &
            ECHO through "$R/fifo"
            wait
            """)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(try status("\(run.remote)/a/b/new") == "600 root root")
        #expect(try status("\(run.remote)/a") == "755 root root")
        #expect(try status("\(run.remote)/old") == "640 nobody daemon")
        #expect(try run.content("old") == "linked\n")
        #expect(Files.exists("/dev/null") && result.output == "through\n")
        #expect(try Files.names(in: run.remote).sorted() == ["a", "fifo", "link", "old"])
    }

    @Test(
        "What cannot be written says why and leaves what was there",
        arguments: [
            "ECHO x \"$R\"", "ECHO x relative", "ECHO only", "ECHO x /dev/null/x", "ECHO x \"$R/\"", "COPY a b",
            "COPY nothing \"$R/x\"",
            "COPY --bad=1 provision.sh \"$R/x\"", "COPY --chown=no-such-user provision.sh \"$R/x\"",
            "COPY provision.sh",
            "COPY provision.sh /dev/null/x", "RUN",
        ])
    func refusals(_ line: String) async throws {
        let run = try ScriptRun()
        let result = try await run("RUN mkdir -p \"$R\"\n\(line)")
        #expect(result.summary.status != 0)
        let verb = line.prefix { $0 != " " }
        #expect(result.failures.first?.hasPrefix("provision.sh:2: \(verb)") == true, "\(result.failures)")
        #expect(!result.errors.isEmpty)
        #expect(try Files.names(in: run.remote) == [])
    }

    @Test("A full disk in the guest is an error and leaves the old content")
    func fullDisk() async throws {
        let run = try ScriptRun()
        defer { _ = try? TestGuest.shell("mountpoint -q \(run.remote) && umount \(run.remote)") }
        try run.write("tree/large", String(repeating: "x", count: 3 << 20))
        try run.write("small", String(repeating: "x", count: 100_000))
        let result = try await run(
            """
            RUN "mkdir -p $R && mount -t tmpfs -o size=64k none $R"
            trap 'RUN umount "$R"' EXIT
            ECHO old "$R/file"
            ECHO "$(head -c 100000 /dev/zero | tr '\\0' x)" "$R/file" || echo "echo $?"
            COPY small "$R/file" || echo "copy $?"
            COPY tree "$R/" 2>&1 || echo "tree $?"
            RUN "cat $R/file; ls -A $R/file $R/.devhost* 2>/dev/null"
            """)
        #expect(result.output.contains("echo 1\ncopy 1\n"), "\(result.output) \(result.errors)")
        #expect(result.output.contains("No space left on device"))
        #expect(result.errors.contains("No space left on device"))
        #expect(result.output.contains("tree 11\n"))
        #expect(result.output.contains("old\n"))
        #expect(!result.output.contains(".devhost"))
    }

    @Test("COPY sends files and folders as rsync does")
    func copy() async throws {
        let run = try ScriptRun()
        try run.write("file", "content\n", mode: 0o640)
        try run.write("tool", "#!/bin/sh\n", mode: 0o755)
        try run.write("empty", "")
        try run.write("with space/it's $x", "odd")
        try run.write("tree/sub/deep", "deep")
        try run.write("large", String(repeating: "0123456789", count: 100_000))
        try TestGuest.shell(
            "cd \(run.folder) && head -c 9000 /dev/urandom > binary && ln -s sub/deep tree/safe && ln -s /etc/passwd tree/unsafe && touch -d '2020-02-03 04:05:06.5' file"
        )
        let result = try await run(
            """
            COPY file "$R/new/file"
            COPY file "$R/new/"
            COPY file "$R/new/renamed"
            COPY file "$R/folder/"
            COPY tool "$R/tool"
            COPY empty "$R/"
            COPY binary "$R/"
            COPY large "$R/large"
            COPY "with space/it's \\$x" "$R/odd name"
            COPY "with space" "$R/"
            COPY tree "$R/copied"
            COPY tree/ "$R/flat"
            COPY "*y" "$R/globbed/"
            (cd tree/sub && COPY deep "$R/from-sub" && COPY file "$R/from-top")
            COPY "$PWD/file" "$R/absolute"
            """)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(try run.content("new/file") == "content\n")
        #expect(
            try TestGuest.shell("stat -c '%a %U %G %y' \(run.remote)/new/renamed").hasPrefix(
                "640 root root 2020-02-03 04:05:06.5"))
        #expect(try run.content("folder/file") == "content\n")
        #expect(try status("\(run.remote)/tool") == "755 root root")
        #expect(try run.content("empty") == "")
        #expect(try TestGuest.shell("cmp \(run.folder)/binary \(run.remote)/binary") == "")
        #expect(try TestGuest.shell("cmp \(run.folder)/large \(run.remote)/large") == "")
        #expect(try run.content("odd name") == "odd")
        #expect(try run.content("with space/it's $x") == "odd")
        #expect(try run.content("copied/tree/sub/deep") == "deep")
        #expect(try run.content("flat/sub/deep") == "deep")
        #expect(try Files.names(in: "\(run.remote)/flat").sorted() == ["safe", "sub"])
        #expect(try Files.names(in: "\(run.remote)/globbed").sorted() == ["binary", "empty"])
        #expect(try run.content("from-sub") == "deep")
        #expect(try run.content("from-top") == "content\n")
        #expect(try run.content("absolute") == "content\n")
    }

    @Test("A link that COPY names is followed and keeps its name; links within a folder stay links")
    func copiedLinks() async throws {
        let run = try ScriptRun()
        try run.write("shared/app.conf", "shared")
        try run.write("shared/large", String(repeating: "x", count: 200_000))
        try run.write("shared/tree/file", "deep")
        try TestGuest.shell(
            """
            cd \(run.folder) && ln -s file shared/tree/inner && mkdir here && cd here
            ln -s ../shared/app.conf app.conf; ln -s ../shared/large big; ln -s ../shared/tree linked; ln -s none gone
            """)
        let result = try await run(
            """
            cd here
            COPY app.conf "$R/app.conf"
            COPY app.conf "$R/etc/"
            COPY --chmod=u=rw,go= app.conf "$R/etc/"
            COPY big "$R/etc/"
            COPY linked "$R/trees"
            COPY linked/ "$R/flat"
            COPY gone "$R/gone" || echo refused
            """)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(try run.content("app.conf") == "shared")
        #expect(try run.content("etc/app.conf") == "shared")
        #expect(try status("\(run.remote)/etc/app.conf") == "600 root root")
        #expect(try run.content("etc/big").count == 200_000)
        #expect(try Files.names(in: "\(run.remote)/etc").sorted() == ["app.conf", "big"])
        for folder in ["trees/linked", "flat"] {
            #expect(try TestGuest.shell("cd \(run.remote)/\(folder) && readlink inner && cat file") == "file\ndeep")
        }
        for path in ["app.conf", "etc/app.conf", "etc/big", "trees/linked"] {
            #expect(!Files.isLink("\(run.remote)/\(path)"), "\(path)")
        }
        #expect(result.output == "refused\n" && !Files.exists("\(run.remote)/gone"))
    }

    @Test("Owner and mode are root's, as asked for, or the service user's below its home")
    func owners() async throws {
        let run = try ScriptRun()
        let user = "s\(try TestGuest.shared().user)"
        try run.write("file", "x")
        try run.write("tree/file", "x")
        let result = try await run(
            """
            COPY --chown=daemon --chmod=604 file "$R/one"
            COPY --chown=nobody:daemon --chmod=u=rwX,go= tree "$R/"
            COPY file /run/\(user)/new/file
            COPY tree /run/\(user)/new/deep/
            ECHO x /run/\(user)/echoed/file
            COPY --chown=root file /run/\(user)/rooted
            COPY file /run/\(user)-not/file
            RUN rm -r /run/\(user)-not
            """
        ) { $0.serviceUser = user }
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(try status("\(run.remote)/one") == "604 daemon daemon")
        #expect(try status("\(run.remote)/tree") == "700 nobody daemon")
        #expect(try status("\(run.remote)/tree/file") == "600 nobody daemon")
        for path in ["new", "new/file", "new/deep", "new/deep/tree/file", "echoed", "echoed/file"] {
            #expect(try status("/run/\(user)/\(path)").hasSuffix(" \(user) \(user)"), "\(path)")
        }
        #expect(try status("/run/\(user)/echoed/file") == "600 \(user) \(user)")
        #expect(try status("/run/\(user)/rooted") == "644 root root")
    }

    @Test("A service user that the VM does not have is a warning")
    func noServiceUser() async throws {
        let run = try ScriptRun()
        let result = try await run("ECHO x \"$R/x\"; ECHO y \"$R/y\"") { $0.serviceUser = "s-nobody-here" }
        #expect(result.summary.status == 0)
        #expect(result.warnings == ["the VM has no user 's-nobody-here': files belong to root"])
    }

    @Test("A connection that breaks in mid-transfer leaves the file in the VM as it was", arguments: ["write", "copy"])
    func brokenTransfer(_ verb: String) async throws {
        let run = try ScriptRun()
        try run.write("file", "as it was")
        let path = "\(run.folder)/file"
        let fields =
            verb == "write" ? [path, "", "10000", ""] : [path, "file", "644", "1700000000", "", "", "10000", ""]
        var command = Command("bash", ["--norc", "--noprofile", "-c", GuestAgent.text])
        command.input =
            GuestAgent.request(verb, mark: Array("mark:".utf8), fields) + [UInt8](repeating: 0x78, count: 5000)
        let result = try await Processes.run(command)
        #expect(result.text.contains("mark:ended 1"), "\(result.text) \(result.errorText)")
        #expect(try Files.readText(path) == "as it was")
        #expect(try Files.names(in: run.folder) == ["file"])
    }
}
