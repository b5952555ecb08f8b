import DevhostBase
import Testing

@Suite("Checking provision scripts")
struct CheckTests {
    private func check(_ text: String, folder: String? = nil, known: Set<String>? = nil) async throws -> [String] {
        try await ProvisionScript(text, source: "provision.sh").check(folder: folder, componentVariables: known)
            .map { "\($0.line):\($0.column) \($0.severity.rawValue) \($0.rule.rawValue)" }
    }

    @Test("A good script has no problems")
    func good() async throws {
        let script = """
            COPY --chown=root:root --chmod=640 provision.sh /etc/local/
            COPY "$file" "$target"
            COPY $pair
            RUN 'echo x > /tmp/x' 2>/dev/null
            RUN cat /etc/hosts 2>&1 | grep -q x || true
            x=$(RUN hostname < /dev/null)
            ECHO "$COMPONENT_DB_PASSWORD" /etc/pw
            echo "$PROVISION_VM $PROVISION_CONTAINER $SSH_CONFIG ${PROVISION_OTHER:-} ${COMPONENT_X_Y-}"
            PROVISION_MINE=1; echo $PROVISION_MINE
            """
        let folder = try TemporaryDirectory(prefix: "check")
        try Files.writeAtomically(folder.path + "/provision.sh", [], mode: 0o600)
        #expect(try await check(script, folder: folder.path, known: ["COMPONENT_DB_PASSWORD"]) == [])
    }

    @Test("Each problem has its place")
    func problems() async throws {
        let script = """
            COPY
            COPY a b /c
            if true; then COPY a etc/x; fi
            ECHO one
            ECHO one relative/$x
            RUN
            RUN make > log
            RUN make &>> "$log"
            RUN echo x '>' /y
            COPY --owner=x a /b
            COPY x ~/y
            echo $PROVISION_MV $COMPONENT_DB_PASWORD
            """
        #expect(
            try await check(script, known: ["COMPONENT_DB_PASSWORD"]) == [
                "1:1 error arity", "2:1 error arity", "3:22 error relative-path", "4:1 error arity",
                "5:10 error relative-path", "6:1 error arity", "7:10 warning local-redirection",
                "8:10 warning local-redirection", "9:12 warning quoted-operator", "10:6 error option",
                "11:8 error relative-path", "12:6 error unknown-variable", "12:20 warning unknown-variable",
            ])
    }

    @Test("A local file that is missing is an error, or a warning where the script goes elsewhere")
    func missingFiles() async throws {
        let folder = try TemporaryDirectory(prefix: "check")
        #expect(try await check("COPY no /x", folder: folder.path) == ["1:6 error missing-file"])
        #expect(try await check("cd sub\nCOPY no /x", folder: folder.path) == ["2:6 warning missing-file"])
    }

    @Test(
        "bash's own syntax errors have their line",
        arguments: [
            ("RUN a\nif true; then\nRUN b\n", 4), ("RUN a\nRUN )\n", 2), ("RUN 'a\n", 1),
        ])
    func syntax(_ script: String, _ line: Int) async throws {
        let problems = try await ProvisionScript(script, source: "s").check(folder: nil)
        let first = try #require(problems.first { $0.rule == .syntax })
        #expect(first.severity == .error)
        #expect(first.line == line, "\(first.message)")
    }

    @Test("Extended patterns are good where the script or what it reads may switch them on; other errors are told")
    func extendedPatterns() async throws {
        #expect(try await check("shopt -s extglob\nrm -f !(keep|*.txt)\nRUN true\n") == [])
        #expect(try await check(". ./library.sh\ncase $x in @(a|b)) RUN true;; esac\n") == [])
        #expect(
            try await check("shopt -s extglob\nrm -f !(keep)\nif true; then\n").map { $0.prefix(2) } == ["4:"])
    }

    @Test("A pattern in quotes names the files that COPY sends")
    func quotedPattern() async throws {
        let folder = try TemporaryDirectory(prefix: "check")
        try Files.writeAtomically(folder.path + "/one.conf", [], mode: 0o600)
        #expect(try await check("COPY '*.conf' /etc/x/", folder: folder.path) == [])
        #expect(try await check("COPY '*.txt' /etc/x/", folder: folder.path) == ["1:6 error missing-file"])
    }

    @Test(
        "A script that copies provision.nix is told from one that mentions it",
        arguments: [
            ("COPY provision.nix /etc/local/nixos/", true), ("COPY ./sub/provision.nix /x", true),
            ("COPY --chmod=600 other.nix /etc/local/nixos/provision-container.nix", true),
            ("# provision.nix goes there first\nRUN true", false), ("echo provision.nix; COPY a /b", false),
            ("COPY a /etc/provision.nix.d/", false),
        ])
    func copiesNix(_ script: String, _ expected: Bool) {
        #expect(ProvisionScript(script, source: "provision.sh").copiesNix == expected)
    }

    @Test("What bash prints is told though it ends well")
    func printed() async throws {
        #expect(try await check("if [[ a b ]]; then RUN x; fi\n").first?.hasPrefix("1:1 error syntax") == true)
        let document = try await check("cat <<E\ntext\n  E\nCOPY a /b\n")
        #expect(document.count == 1 && document[0].hasSuffix("warning syntax"), "\(document)")
    }

    @Test(
        "Characters that nobody sees are errors where they stand",
        arguments: [
            ("RUN a\r\n", "1:6 error syntax"), ("\u{feff}RUN a\n", "1:1 error syntax"),
            ("RUN a\nCOPY\u{a0}a /b", "2:5 error syntax"), ("RUN\u{3000}a", "1:4 error syntax"),
            ("RUN a\u{200b} b", "1:6 error syntax"),
        ])
    func invisible(_ script: String, _ expected: String) async throws {
        #expect(try await check(script).contains(expected))
    }

    @Test(
        "What may be right is not told",
        arguments: [
            "RUN 'a\r\nb'", "RUN \"a\u{a0}b\"", "cat <<E\na\u{a0}\rb\nE\n", "# a\u{a0}b\r\nRUN x",
            "echo x > made.conf; COPY made.conf /etc/m", "[ -e l.nix ] && COPY l.nix /x",
            "COPY \"${a[@]:0:2}\"", "COPY \"${a[@]/x/y}\"", "COPY \"${a[@]@Q}\"", "COPY * /x/", "COPY a? b* /x/",
            "COPY \"$option\" a /b", "RUN cat {a,b}", "RUN find /x -exec rm {} \\;", "RUN cut -d ';' f",
            "RUN sort -t '|' f", "RUN test a '<' b", "RUN expr a '|' b", "RUN a > \"/dev/null\"",
            "RUN a > /dev/fd/2", "RUN a 2>&1-", "RUN a >&$fd", "RUN a >&\"$fd\"",
            "PROVISION_X[0]=; echo ${PROVISION_Y[0]:-y}", "((PROVISION_X=1)); echo $PROVISION_X",
            "for ((PROVISION_X=0;;)); do echo $PROVISION_X; done", "let PROVISION_X=1; echo $PROVISION_X",
            "exec {PROVISION_X}>&1; echo $PROVISION_X", "coproc PROVISION_X { true; }; echo $PROVISION_X",
            "printf -v PROVISION_X a; echo $PROVISION_X", "command export PROVISION_X=1; echo $PROVISION_X",
            "eval PROVISION_X=1; echo $PROVISION_X", ". ./x; echo $PROVISION_X",
            "declare PROVISION_X; echo $PROVISION_X",
            "COPY() { true; }; COPY a", "function RUN { true; }; RUN",
        ])
    func silence(_ script: String) async throws {
        let folder = try TemporaryDirectory(prefix: "check")
        #expect(try await check(script, folder: folder.path) == [])
    }
}
