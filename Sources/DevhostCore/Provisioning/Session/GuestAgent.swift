/// The program that carries out requests in the guest: a loop of bash that root runs for as long as the connection
/// lasts, because a new ssh channel with its shell, sudo and PAM costs far more than the commands themselves.
///
/// A request is a number N and N fields, each ended by a NUL. The agent's standard output and error are the command's
/// own; in them it says `started PID` and `ended STATUS [held]` behind the mark that the request gives (see
/// ``TrailerScanner``). A command's input is empty, or the rest of the agent's own: then the agent is good for that
/// request only, unless the command knows by itself where its input ends.
enum GuestAgent {
    /// What sshd's shell is given: becomes root, reads the agent from its input and runs it. Nothing of it is secret,
    /// and of a run's requests only this shows in the guest's process list: paths, and the words of a command that has
    /// several, which are its own arguments. A line for bash and the content of files do not, and nothing is in its logs.
    ///
    /// The shell is whichever the user has. That of Bourne, fish and csh agree on what stands in single quotes on one line,
    /// as long as no backslash stands before another or before a quote.
    static var command: String {
        let shell = #"bash --norc --noprofile -c "eval \"\$(head -c \#(text.utf8.count))\"" devhost-agent"#
        return #"exec sh -c 'set -- \#(shell); if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n -H "$@"; fi'"#
    }

    /// A request as it goes over the wire.
    static func request(_ verb: String, mark: [UInt8], _ fields: [[UInt8]], content: [UInt8] = []) -> [UInt8] {
        var bytes = Array("\(fields.count + 2)".utf8) + [0] + mark + [0] + Array(verb.utf8) + [0]
        for field in fields { bytes += field + [0] }
        return bytes + content
    }

    /// A request whose fields are text.
    static func request(_ verb: String, mark: [UInt8], _ fields: [String]) -> [UInt8] {
        request(verb, mark: mark, fields.map { Array($0.utf8) })
    }

    /// How content is sent: as a field of the request if it is short and has no NUL, else behind the request.
    /// - Returns: The number of bytes behind the request, and the field.
    static func split(_ content: [UInt8]) -> (length: Int, field: [UInt8]) {
        // bash reads fields byte by byte; beyond this a program of its own is faster.
        content.count <= 4096 && !content.contains(0) ? (0, content) : (content.count, [])
    }

    /// The agent itself.
    ///
    /// - `set -m` gives each command a process group of its own, by which it can be ended and by which is seen
    ///   whether something of it still runs.
    /// - A command opens its standard files anew: rsync and others make theirs non-blocking, and would make the agent's.
    /// - Files are written beside their place and renamed: nobody sees half of one.
    /// - Files are written by a process of its own: what blocks in one, as a FIFO that nobody reads, can be ended.
    /// - A service user can put a link in the place of anything in its home at any moment. So root enters a folder, looks
    ///   where it really is, and goes on with names in the folder that it is in; what it makes there it gives away by the
    ///   open file (`/proc/self/fd`), never by a name; and it follows no link out of the home.
    /// - rsync goes by names. In a service user's home it runs where nothing but the folder that it is to fill can be written
    ///   to, wherever a link leads: in a mount namespace of its own in which all else is read-only.
    /// - A line for bash goes through its environment, which only root can read, and what the line starts does not inherit it.
    static let text = #"""
        set -m
        had_locale=${LC_ALL+x} locale=${LC_ALL-} old_umask=$(umask)
        export -n LC_ALL; LC_ALL=C
        cd ~ 2>/dev/null || cd /
        umask 077

        command_line() {
          umask "$old_umask"
          [[ -p /proc/self/fd/1 ]] && exec >/proc/self/fd/1
          [[ -p /proc/self/fd/2 ]] && exec 2>/proc/self/fd/2
          if [[ $had_locale ]]; then export LC_ALL=$locale; else unset LC_ALL; fi
          if (($# == 1)); then
            devhost_line=$1 exec bash -c 'export -n devhost_line; eval -- "$devhost_line"'
          fi
          if type -P -- "$1" >/dev/null; then exec -- "$@"; fi
          if [[ $1 == */* ]]; then exec -- "$@"; fi
          command "$@"
        }

        wait_for() {
          printf '%sstarted %s\n' "$mark" "$1"
          wait "$1" 2>/dev/null; status=$?
          if kill -0 -- "-$1" 2>/dev/null; then held=held; fi
        }

        # Whether the folder that we are in may be written to for an owner: below its home, if it has one.
        is_allowed() { # OWNER
          local home=
          here=$(pwd -P)
          [[ $1 && ${1%%:*} =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || return 0
          eval "home=~${1%%:*}"
          [[ -d $home ]] || return 0
          home=$(cd -P -- "$home" && pwd -P) || return
          [[ $here == "$home" || $here == "$home"/* ]] && return
          printf '%s is not below %s: a link leads there\n' "$here" "$home" >&2
          return 1
        }

        # Makes a folder, as far as it is missing, and enters it.
        enter_folder() { # FOLDER OWNER
          local first=$1 missing= name problem mode=${2:+0101}
          mode=${mode:-0755}
          if cd -P -- "$1" 2>/dev/null; then is_allowed "$2"; return; fi
          while [[ ${first%/*} && ! -e ${first%/*} ]]; do first=${first%/*}; done
          missing=${1#"${first%/*}"/}
          cd -P -- "${first%/*}/" && is_allowed "$2" || return
          while [[ $missing ]]; do
            name=${missing%%/*} missing=${missing#"$name"}
            while [[ $missing == /* ]]; do missing=${missing#/}; done
            [[ $name && $name != . ]] || continue
            if [[ $name == .. ]]; then cd -P .. && is_allowed "$2" || return; continue; fi
            if ! problem=$(umask 0; exec mkdir -m "$mode" -- "./$name" 2>&1); then
              # Another verb may have made it meanwhile.
              if [[ -d ./$name ]] && cd -P -- "./$name"; then
                is_allowed "$2" || return
                continue
              fi
              printf '%s\n' "$problem" >&2; return 1
            fi
            cd -P -- "./$name" || return
            if [[ $2 ]]; then
              # Somebody may have put another folder there meanwhile: no other has this mode.
              if [[ $(pwd -P) != "${here%/}/$name" || $(stat -c '%a %u' .) != '101 0' ]]; then
                printf '%s was changed meanwhile\n' "${here%/}/$name" >&2; return 1
              fi
              chmod 755 . && chown -- "$2" . || return
            fi
            here=${here%/}/$name
          done
        }

        # Runs a command that can write only below the folder that we are in, in a mount namespace of its own. Names are
        # handed to the kernel as they are: a program that looks where they lead first would look too early.
        confined() {
          local here mounts line point options rest
          here=$(pwd -P) && mount -c --bind . "$here" && cd -- "$here" || return
          mapfile -t mounts </proc/self/mountinfo
          for line in "${mounts[@]}"; do
            read -r _ _ _ _ point options rest <<<"$line"
            if [[ $options == ro || $options == ro,* ]]; then continue; fi
            case ${rest##* - } in
              proc\ *|sysfs\ *|cgroup*|devpts\ *|mqueue\ *|debugfs\ *|tracefs\ *|securityfs\ *|pstore\ *|bpf\ *) continue;;
              configfs\ *|fusectl\ *|hugetlbfs\ *|binfmt_misc\ *|autofs\ *|efivarfs\ *|nsfs\ *|rpc_pipefs\ *) continue;;
            esac
            printf -v point %b "$point"
            if [[ $point != "$here" ]]; then mount -c -o remount,bind,ro "$point" || return; fi
          done
          exec "$@"
        }

        fill_folder() { # FOLDER OWNER COMMAND…
          enter_folder "$1" "$2" || return
          shift 2
          command_line unshare --mount --propagation private -- bash --norc --noprofile -c \
            "$(declare -f confined); confined \"\$@\"" devhost "$@"
        }

        content() { # LENGTH TEXT
          if (($1 > 0)); then head -c "$1"; else printf '%s' "$2"; fi
        }

        # Writes a new file of the folder that we are in, and leaves it open as $out.
        # Content that ends early is a connection that broke: head says nothing of it.
        write_temporary() { # LENGTH TEXT
          temporary=./.devhost-$BASHPID-$RANDOM$RANDOM
          trap 'rm -f -- "$temporary"' EXIT
          set -C; exec {out}>"$temporary"; status=$?; set +C
          opened=/proc/self/fd/$out
          if ((status == 0)); then content "$1" "$2" >&"$out"; status=$?; fi
          if ((status == 0 && $1 > 0)); then
            [[ $(stat -L -c %s -- "$opened") == "$1" ]]; status=$?
          fi
        }

        # Gives the new file owner and mode of the one that it replaces, which must not be a link by now.
        take_attributes() { # NAME OWNER
          local mode owner kind
          read -r mode owner kind < <(stat -c '%a %u:%g %F' -- "$1") || return
          if [[ $kind != regular* ]]; then printf '%s was changed meanwhile\n' "$1" >&2; return 1; fi
          if [[ $2 ]]; then printf -v mode %o $((8#$mode & 8#777)); fi
          if [[ $owner != 0:0 ]]; then chown -- "$owner" "$opened" || return; fi
          if [[ $mode != 600 ]]; then chmod -- "$mode" "$opened"; fi
        }

        # PATH OWNER LENGTH TEXT
        write_file() {
          local path=$1 name
          if [[ -L $path ]]; then path=$(readlink -f -- "$path") || return; fi
          if [[ -d $path ]]; then printf '%s is a folder\n' "$path" >&2; return 1; fi
          folder_of "$path"; enter_folder "$folder" "$2" || return
          case $path in /proc/*|/sys/*|/dev/*) content "$3" "$4" >"$path"; return;; esac
          name=./${path##*/}
          if [[ -e $name && ! -f $name ]]; then
            exec {out}>>"$name" || return
            if [[ -f /proc/self/fd/$out ]]; then printf '%s was changed meanwhile\n' "$path" >&2; return 1; fi
            content "$3" "$4" >&"$out"; return
          fi
          write_temporary "$3" "$4"
          if ((status == 0)) && [[ -e $name || -L $name ]]; then
            take_attributes "$name" "$2"; status=$?
          elif ((status == 0)) && [[ $2 ]]; then
            chown -- "$2" "$opened"; status=$?
          fi
          if ((status == 0)); then mv -fT -- "$temporary" "$name"; status=$?; fi
          if ((status == 0)); then trap - EXIT; fi
          return $status
        }

        # PATH NAME MODE TIME OWNER PARENT-OWNER LENGTH TEXT
        copy_file() {
          local path=$1 name
          if [[ $path == */ || -d $path ]]; then
            while [[ $path == */ ]]; do path=${path%/}; done
            enter_folder "${path:-/}" "$6" || return
            name=./$2
          else
            folder_of "$path"; enter_folder "$folder" "$6" || return
            name=./${path##*/}
          fi
          if [[ -d $name && ! -L $name ]]; then printf '%s is a folder\n' "${here%/}/${name#./}" >&2; return 1; fi
          # Most modes come about without chmod, each program being worth a few milliseconds.
          if ((8#$3 & 8#7111)) || [[ $5 ]]; then umask 077; else printf -v mask %o $((8#777 & ~8#$3)); umask "$mask"; fi
          write_temporary "$7" "$8"
          if ((status == 0)) && [[ $5 ]]; then chown -- "$5" "$opened"; status=$?; fi
          if ((status == 0)) && { ((8#$3 & 8#7111)) || [[ $5 ]]; }; then chmod -- "$3" "$opened"; status=$?; fi
          umask 077
          if ((status == 0)); then touch -d "@$4" -- "$opened" && mv -fT -- "$temporary" "$name"; status=$?; fi
          if ((status == 0)); then trap - EXIT; fi
          return $status
        }

        folder_of() {
          folder=${1%/*}
          folder=${folder:-/}
        }

        while IFS= read -r -d '' count; do
          mapfile -t -d '' -n "$count" fields
          mark=${fields[0]} verb=${fields[1]} status=0 held=
          set -- "${fields[@]:2}"
          fields=()
          case $verb in
            run) command_line "$@" </dev/null & wait_for $!;;
            feed) command_line "$@" <&0 & wait_for $!; held=held;;
            rsync)
              if ! type -P rsync >/dev/null; then
                echo 'rsync is not installed in the VM' >&2; status=127
              elif [[ $2 ]]; then
                if [[ -p /proc/self/fd/0 ]]; then
                  fill_folder "$@" </proc/self/fd/0 & wait_for $!
                else
                  fill_folder "$@" <&0 & wait_for $!; held=held
                fi
              elif (enter_folder "$1" ""); then
                shift 2
                if [[ -p /proc/self/fd/0 ]]; then
                  command_line "$@" </proc/self/fd/0 & wait_for $!
                else
                  command_line "$@" <&0 & wait_for $!; held=held
                fi
              else
                status=1
              fi
              if ((status != 0)); then held=held; fi;;
            write) write_file "$@" <&0 & wait_for $!;;
            copy) copy_file "$@" <&0 & wait_for $!;;
            signal) kill -s "$1" -- "-$2" 2>/dev/null; status=$?;;
          esac
          # What was to be read with a request that failed may still be there: nothing after it can be understood.
          if ((status != 0)) && [[ $verb == write || $verb == copy ]]; then held=held; fi
          printf '%sended %s %s\n' "$mark" "$status" "$held" >&2
          printf '%sended %s %s\n' "$mark" "$status" "$held"
        done
        """#
}
