/// What bash evaluates before the script: the verbs as functions, and who is told about lines that fail.
///
/// The words of a verb go through a pipe (`<(printf …)`, a builtin), never through the arguments of a program. The
/// functions change no option of the shell, and all they leave behind are names that begin with `__devhost`.
enum BashPrelude {
    /// What evaluates the script after the prelude.
    static let script = ". \"$__devhost_script\"\n"

    /// The program for `bash -c`; its arguments are the helper, the socket, and the script.
    /// - Parameters:
    ///   - keepGoing: Whether lines that fail end the run.
    ///   - dryRun: Whether programs that reach VMs on their own are only named.
    static func text(keepGoing: Bool, dryRun: Bool) -> String {
        var text = common
        for verb in ProvisionScript.Verb.allCases {
            text += """
                \(verb.rawValue)() {
                  { local -; set +x; } 2>/dev/null
                  "$__devhost_helper" \(ScriptHelper.verbWord) "$__devhost_socket" <(
                    printf '%s\\0' verb \(verb.rawValue) "${BASH_SOURCE[1]-}" "${BASH_LINENO[0]-0}" "$PWD" "$@"
                  ) || return $?
                }

                """
        }
        if dryRun {
            for program in ["ssh", "scp", "sftp", "rsync"] {
                text += "\(program)() { printf 'would run:'; printf ' %q' \(program) \"$@\"; printf '\\n'; }\n"
            }
        }
        let trap = "__devhost_failed \"$?\" \"$BASH_COMMAND\" \"${BASH_SOURCE[0]-}\" \"$LINENO\" \"$BASH_SUBSHELL\""
        text += "trap '\(trap)\(keepGoing ? "; set +e" : "")' ERR\n"
        return text + "set -E\(keepGoing ? "" : "e")\n"
    }

    private static let common = """
        __devhost_helper=$1 __devhost_socket=$2 __devhost_script=$3
        shift 3
        __devhost_failed() {
          { local -; set +x; } 2>/dev/null
          "$__devhost_helper" \(ScriptHelper.verbWord) "$__devhost_socket" <(printf '%s\\0' failure "$@") || :
        }

        """
}
