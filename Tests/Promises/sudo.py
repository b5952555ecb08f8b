"""A user who may only call fc-devhost through sudo tries to become root, to read what only root may, to write
elsewhere, and to steer somebody's terminal.

usage: sudo.py FOLDER-OF-BINARIES SUDOERS [VM]

SUDOERS is the rule as it is shipped. With the name of a running VM, login is attacked too.
"""

import fcntl
import glob
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

from rig import IMAGE, IMAGES, RECORDS, Broken, Rig

rig = Rig(sys.argv[1], has_guests=len(sys.argv) > 3)
SUDOERS, VM = sys.argv[2], (sys.argv[3:] or [None])[0]
PREFIX = "/run/installed"
FC = f"{PREFIX}/bin/fc-devhost"
USER, HOME = "mallory", "/run/mallory"
SECRET = "canary-6e1f"
CATALOG = "/var/lib/devhost/_catalog"
ESCAPE = "\x1b]0;pwned\x07"


def set_up():
    os.makedirs(f"{PREFIX}/bin", exist_ok=True)
    shutil.copy(rig.fc, FC)
    with open(SUDOERS) as rule, open("/etc/sudoers.d/fc-devhost", "w") as file:
        file.write(rule.read().replace("@PREFIX@", PREFIX))
    os.chmod("/etc/sudoers.d/fc-devhost", 0o440)
    rig.shell(f"visudo -cq; getent group devhost >/dev/null || groupadd devhost; "
              f"id {USER} 2>/dev/null || useradd -m -d {HOME} -G devhost -s /bin/bash {USER}")
    for path in ("/run/secret", "/run/secret.qcow2"):
        with open(path, "w") as file:
            file.write(f"{SECRET}\n")
        os.chmod(path, 0o600)
    os.makedirs("/run/precious", exist_ok=True)
    write("/run/precious/kept", "root's own")
    # Whatever root can be made to run writes here.
    os.makedirs("/run/owned", mode=0o777, exist_ok=True)
    os.chmod("/run/owned", 0o777)
    evil = f"#!/bin/bash\n[ \"$(id -u)\" != 0 ] || {{ id; echo \"$0 $*\"; }} >>/run/owned/by-root\nexit 1\n"
    os.makedirs(f"{HOME}/bin", exist_ok=True)
    for name in ("ssh", "ssh-keygen", "curl", "qemu-img", "setpriv", "caddy", "systemctl", "bash", "sh", "xz", "gzip",
                 "zstd", "fc-devhost", "less", "vi"):
        write(f"{HOME}/bin/{name}", evil, 0o755)
    os.makedirs(f"{HOME}/.ssh", exist_ok=True)
    write(f"{HOME}/.ssh/config", "Host *\n  ProxyCommand sh -c 'id >>/run/owned/ssh-config-%r'\n  PermitLocalCommand yes\n")
    write(f"{HOME}/.curlrc", "output = /run/owned/curlrc\n")
    write(f"{HOME}/devhost.cfg", f"[devhost]\nstate = {HOME}/state\nrecords = {HOME}/records\n[images]\nfile-folders = /\n")
    write(f"{HOME}/evil.c", "#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) void f(void)"
          "{ if (!geteuid()) { FILE *o = fopen(\"/run/owned/preload\", \"w\"); if (o) fclose(o); } }\n")
    rig.shell(f"gcc -shared -fPIC -o {HOME}/evil.so {HOME}/evil.c")
    os.symlink("/run/secret", f"{HOME}/link") if not os.path.islink(f"{HOME}/link") else None
    # Images that name a file of the host.
    for name, options in (("backing", "-b /run/secret -F raw"), ("data", "-o data_file=/run/owned/data,data_file_raw=on")):
        rig.shell(f"qemu-img create -q -f qcow2 {options} {HOME}/{name}.qcow2 1G; rm -f /run/owned/data")
    # One whose bitmap takes half a GiB of whoever opens it, in a file of 330 KiB.
    rig.shell(f"qemu-img create -q -f qcow2 {HOME}/bitmap.qcow2 2T; qemu-img bitmap --add -g 512 -f qcow2 {HOME}/bitmap.qcow2 b")
    # Links in a folder of images: to what is there for root alone, and to what is not.
    for name, target in (("out-there", "/root"), ("out-gone", "/root/gone"), ("out-file", "/run/secret"), ("out-up", "../../../..")):
        os.symlink(target, f"{IMAGES}/{name}")
    rig.shell(f"chown -R {USER}: {HOME}")


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def as_user(line, limit=60, **environment):
    """What the user's shell does with a line, in which $FC is the command that sudo allows."""
    command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "env", "-i", f"HOME={HOME}",
               f"USER={USER}", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", f"FC={FC}",
               *(f"{key}={value}" for key, value in environment.items()), "bash", "-c", f"cd {HOME}; {line}"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=limit, start_new_session=True)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as expired:
        return None, (expired.stdout or b"").decode(errors="replace")


class Server(http.server.BaseHTTPRequestHandler):
    """A server of the user's: hostile images, redirects to files, endless answers."""

    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "file:///run/secret")
            self.end_headers()
            return
        if self.path.startswith("/meta"):
            image = {"/meta-file": "file:///run/secret", "/meta-option": "-o/run/owned/meta",
                     "/meta-escape": f"http://127.0.0.1:8643/{ESCAPE}"}[self.path]
            body = json.dumps({"devhost_image_url": image, "release_name": f"r{ESCAPE}",
                               "channel_url": "http://127.0.0.1/"}).encode()
        else:
            path = f"{HOME}{self.path}"
            if not os.path.exists(path):
                self.send_error(404, f"no{ESCAPE}")
                return
            with open(path, "rb") as file:
                body = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def snapshot():
    """Everything that must stay as it is."""
    watched = ["/etc/passwd", "/etc/shadow", "/etc/sudoers", "/run/secret", f"{RECORDS}/victim.json",
               "/etc/ld.so.preload", "/etc/crontab", *glob.glob("/etc/sudoers.d/*"), *glob.glob("/etc/cron.d/*"),
               *glob.glob("/root/.ssh/*"), FC, "/run/precious/kept"]
    return {path: open(path, "rb").read() if os.path.exists(path) else None for path in watched}


NAMES = ["..", "../../etc/passwd", "/etc/passwd", "-oProxyCommand=id", "a/b", "a b", "$(id)", "`id`", "a;id", "a\nb", "ü",
         "x" * 64, ESCAPE, "%s%s%n", "<x/>", "'", '"', "_images", "."]
URL = "http://127.0.0.1:8643"
ENSURE = "sudo $FC ensure --timeout 1"

# A line each; those that must not succeed are marked.
ATTACKS = [
    # Other commands, other users, other environments.
    ("!", "sudo id"), ("!", "sudo -i"), ("!", "sudo bash"), ("!", "sudo -u nobody $FC list"),
    ("!", "sudo LD_PRELOAD=$HOME/evil.so $FC list"), ("!", "sudo -E LIBVIRT_DEFAULT_URI=test:///default $FC list"),
    ("!", "sudo $HOME/bin/fc-devhost list"), ("!", "cp $FC ./mine; sudo ./mine list"),
    ("!", "sudo -e /etc/devhost/devhost.cfg"), ("!", "sudo ${FC}x list"), ("!", "sudo $FC/../fc-devhost-evil"),
    # Where configuration and state lie.
    ("!", "sudo $FC --config $HOME/devhost.cfg list"), ("!", "sudo $FC list --config=$HOME/devhost.cfg"),
    ("!", f"{ENSURE} --config $HOME/devhost.cfg --image-url file:///run/secret x"),
    # Files of the host as images, metadata and releases.
    ("!", f"{ENSURE} --image-url file:///run/secret stolen"), ("!", f"{ENSURE} --image-url file:///run/secret.qcow2 stolen"),
    ("!", f"{ENSURE} --image-url file://$HOME/link stolen"),
    ("!", f"{ENSURE} --image-url file://{IMAGES}/../../../../run/secret stolen"),
    ("!", f"{ENSURE} --image-url file://{IMAGES}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/run/secret stolen"),
    ("!", f"{ENSURE} --image-url {URL}/redirect stolen"), ("!", f"{ENSURE} --image-url {URL}/backing.qcow2 stolen"),
    ("!", f"{ENSURE} --image-url {URL}/data.qcow2 stolen"), ("!", f"{ENSURE} --image-url {URL}/bitmap.qcow2 stolen"), ("!", f"{ENSURE} --image-url {URL}/missing stolen"),
    ("!", f"{ENSURE} --release {URL}/meta-file stolen"), ("!", f"{ENSURE} --release {URL}/meta-option stolen"),
    ("!", f"{ENSURE} --release {URL}/meta-escape stolen"), ("!", f"{ENSURE} --release file:///run/secret stolen"),
    ("!", f"{ENSURE} --release fcrs://../../run/secret stolen"), ("!", "sudo $FC release show file:///run/secret"),
    ("", f"sudo $FC release show {URL}/meta-escape"), ("!", "sudo $FC releases ../../.."),
    ("!", "sudo $FC release publish team r1 /run/secret"), ("!", "sudo $FC release publish team r1 /dev/stdin </run/secret"),
    ("!", "sudo $FC release publish team r1 /proc/self/environ"), ("!", "sudo $FC release publish ../../etc r1 $HOME/link"),
    ("!", "sudo $FC rebuild --image-url file:///run/secret victim"),
    # Channels of others, more releases than anybody may have, and an image that grows while it is copied.
    ("!", f"sudo $FC release publish theirs 2 {IMAGES}/nothing.qcow2"), ("!", "sudo $FC release rm theirs 1"),
    ("!", "sudo $FC channel rm --force theirs"), ("!", "sudo $FC release rm theirs/.. 1"), ("!", "sudo $FC channel rm .."),
    ("!", f"for i in $(seq 100); do sudo $FC release publish mine $i {IMAGES}/nothing.qcow2 || exit 1; done"),
    ("!", f"sudo $FC release publish more 1 {IMAGES}/nothing.qcow2"), ("", "sudo $FC channel rm mine || exit 200"),
    ("", f"(for i in $(seq 400); do head -c 1M /dev/zero; done >>{IMAGES}/growing.qcow2) & sudo $FC release publish grow 1 "
         f"{IMAGES}/growing.qcow2; wait; size=$(stat -c %s {CATALOG}/grow/* 2>/dev/null | sort -n | tail -1);"
         " [ ${size:-0} -le 209715200 ] || exit 200; sudo $FC channel rm grow"),
    # Names and labels of snapshots and clones.
    ("!", "sudo $FC snapshot victim '../../x'"), ("!", "sudo $FC snapshot victim '<x/>'"), ("!", "sudo $FC snapshot victim -- -x"),
    ("!", "sudo $FC restore 'victim@../x'"), ("!", "sudo $FC restore '../victim@x'"), ("!", "sudo $FC restore victim"),
    ("!", "sudo $FC snapshot rm 'victim@</name>'"), ("!", "sudo $FC clone victim ../../etc/passwd"), ("!", "sudo $FC clone victim _images"),
    ("!", "sudo $FC clone victim victim"), ("!", "sudo $FC clone ../victim stolen"), ("!", "cat /var/lib/devhost/_audit/audit.log"),
    # What an answer tells of files that only root may see.
    *[("!", f"for link in out-there out-gone out-file out-up; do sudo $FC {verb} file://{IMAGES}/$link/x {name} 2>&1 |"
            " sed \"s/$link/LINK/g\" | tail -n 1; done | sort -u | grep -c . | grep -vx 1")
      for verb, name in (("ensure --timeout 1 --image-url", "stolen"), ("release show", ""))],
    # Options of the programs that run beneath.
    ("!", f"{ENSURE} --image-url '-o/run/owned/curl' stolen"), ("!", f"{ENSURE} --image-url '{URL}/x -o /run/owned/curl' stolen"),
    ("!", f"{ENSURE} --image-url 'http://-oProxyCommand=id/' stolen"), ("!", f"{ENSURE} --hydra-eval '1 -o /run/owned/x' stolen"),
    ("!", f"{ENSURE} --image-url 'scp://x/y' stolen"), ("!", f"{ENSURE} --image-url 'gopher://x/' stolen"),
    # Keys, places and channels that go into files that root writes.
    ("!", f"{ENSURE} --authorized-key 'command=\"id\" ssh-ed25519 AAAA' stolen"),
    ("!", f"{ENSURE} --authorized-key $'ssh-ed25519 AAAA\\nssh-rsa BBBB' stolen"),
    ("!", f"{ENSURE} --location '</location><evil/>' stolen"), ("!", f"{ENSURE} --aliases 'a/../b' stolen"),
    ("!", f"{ENSURE} --channel-url $'http://x/\\n' --image-url {IMAGE} stolen"),
    ("!", f"{ENSURE} --memory 99999999999T --image-url {IMAGE} stolen"), ("!", f"{ENSURE} --image-url {IMAGE} localhost"),
    # Lists and numbers that no record could hold.
    ("!", f"key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= '$(head -c 16000 /dev/zero | tr '\\0' c); "
          f"for i in $(seq 80); do set -- \"$@\" --authorized-key \"$key$i\"; done; {ENSURE} \"$@\" --image-url {IMAGE} stolen"),
    *[("!", f"{ENSURE} {option}={number} --image-url {IMAGE} stolen") for number in ("9223372036854775808", "1e400", "-0")
      for option in ("--memory", "--cpu", "--disk-size", "--timeout")],
    ("!", f"{ENSURE} --hydra-eval 9223372036854775808 stolen"),
    # Variables that programs beneath would heed.
    *[("", f"export {each}; sudo $FC list; sudo $FC images; sudo $FC show victim") for each in (
        "PATH=$HOME/bin:$PATH", "LD_PRELOAD=$HOME/evil.so", "LD_LIBRARY_PATH=$HOME", "XDG_CONFIG_HOME=$HOME",
        "LIBVIRT_DEFAULT_URI=test:///default", "SUDO_UID=0", "CURL_HOME=$HOME", "TMPDIR=$HOME", "BASH_ENV=$HOME/bin/sh",
        "TZ=/run/secret", "SSH_AUTH_SOCK=$HOME/agent", "PAGER=$HOME/bin/less", "LC_ALL=../../run/secret",
        "OPENSSL_CONF=$HOME/devhost.cfg", "GLIBC_TUNABLES=glibc.malloc.check=3")],
    ("", f"PATH=$HOME/bin:$PATH CURL_HOME=$HOME HOME=$HOME /usr/bin/sudo $FC ensure --image-url {URL}/missing stolen"),
    # What a process inherits.
    ("", "ulimit -n 16; sudo $FC show victim"), ("", "ulimit -f 0; sudo $FC ensure --timeout 1 victim"), ("", "umask 0; sudo $FC ensure --timeout 1 victim"),
    ("", "sudo $FC ensure --timeout 1 victim <&- >&- 2>&-"), ("", "sudo $FC list </dev/zero"), ("", "sudo $FC list | head -c 0"),
    ("", "cd /proc/self/fd; sudo $FC list"), ("", "mkdir -p gone; cd gone; rmdir ../gone; sudo $FC list"),
]
# A pipe that takes nothing more.
FULL = "rm -f full; mkfifo full; exec 3<>full; head -c 65536 /dev/zero >&3; "
ON_TERMINAL = "timeout 40 script -qec \"sudo $FC {verb} victim{redirection}\" /dev/null >/dev/null"
# What stops or starves a process, around verbs that must go on to their end: the VM is suspended, and runs again.
STOPS = [
    *[f"{before}; sudo $FC {{verb}} victim" for before in (
        "umask 777", "ulimit -t 10", "ulimit -f 0", "ulimit -S -f 0", "ulimit -n 16", "ulimit -S -n 16", "ulimit -S -v 2000000",
        "ulimit -S -s 256", "ulimit -c unlimited", "ulimit -S -f 0 -n 16 -s 256; umask 0",
        "trap '' CHLD TERM HUP INT USR1 XFSZ ALRM")],
    "nice -n 19 sudo $FC {verb} victim", "nohup sudo $FC {verb} victim 2>&1", "taskset -c 0 sudo $FC {verb} victim",
    "chrt -i 0 sudo $FC {verb} victim", "ionice -c 3 sudo $FC {verb} victim",
    "sudo $FC {verb} victim 2>&-", "sudo $FC {verb} victim >&- 2>&- <&-", "sudo $FC {verb} victim 2>/dev/full",
    FULL + "sudo $FC {verb} victim 2>&3",
    # Results wait for their reader, when all is done.
    FULL + "sudo $FC {verb} victim >&3 2>&1 & sleep 12; head -c 65536 <&3 >/dev/null; wait $!",
    # ^Z and ^S at a terminal, and one that a process in the background may not write to.
    "(sleep 0.2; printf '\\x1a'; sleep 10) | " + ON_TERMINAL.replace("{redirection}", "") + "; true",
    "(printf '\\x13'; sleep 12; printf '\\x11'; sleep 1) | " + ON_TERMINAL.replace("{redirection}", "") + "; true",
    "(sleep 12) | timeout 40 script -qec \"bash -mc 'stty tostop; sudo $FC {verb} victim & sleep 10'\" /dev/null >/dev/null; true",
]
ATTACKS += [("!", f"sudo $FC {verb} {quoted}") for name in NAMES
            for quoted in ["'" + name.replace("'", "'\\''") + "'"]
            for verb in ("destroy", "logs --", "show --", "rebuild --", "login --", f"ensure --timeout 1 --image-url {IMAGE} --")]
if VM:
    ATTACKS += [
        ("", f"sudo $FC login {VM} -- true"), ("", f"PATH=$HOME/bin:$PATH /usr/bin/sudo $FC login {VM} -- true"),
        ("", f"sudo $FC login {VM} -- -oProxyCommand=id"), ("!", f"sudo $FC login -oProxyCommand=id {VM}"),
        ("", f"sudo $FC login {VM} -- 'printf \"\\033]0;pwned\\007\" >/dev/tty || true'"),
        # The shell of the VM, not the ssh client, gets what would be its escapes.
        ("", f"(printf '\\n~C\\n!id >/run/owned/escape\\n~!\\nid\\nexit\\n'; sleep 20) |"
             f" timeout 20 script -qec \"sudo $FC login {VM}\" /dev/null; true"),
        # The folder of the key is exchanged for a link while the client runs: root must empty and give away nothing.
        ("", f"sudo $FC login {VM} -- sleep 6 & for i in $(seq 100); do p=$(pgrep -u $USER -x ssh) && break; sleep 0.1; done;"
             " key=$(tr '\\0' '\\n' </proc/$p/cmdline | grep '/key$'); [ -n \"$key\" ] || exit 200; d=${key%/*};"
             " for d in $d ${d%/*}; do mv $d $HOME/was; ln -sfn /run/precious $d; done; wait; ls /run/precious/kept"),
        ("", f"export SSH_ASKPASS=$HOME/bin/sh SSH_ASKPASS_REQUIRE=force DISPLAY=:0; sudo $FC login {VM} -- true"),
    ]


def judge(before, line, must_fail, status, output):
    if SECRET in output:
        raise Broken("it shows a file of root's")
    if "\x1b" in output or "\x07" in output:
        raise Broken(f"it steers the terminal: {output!r}")
    for path in glob.glob("/run/owned/*"):
        if os.stat(path).st_uid == 0 or path.endswith("by-root"):
            raise Broken(f"root wrote {path}")
        if open(path, errors="replace").read().startswith("uid=0"):
            raise Broken(f"root ran something: {path}")
    if must_fail and status == 0:
        raise Broken(f"it succeeds: {output}")
    if status is None or re.search(r"Fatal error|Illegal instruction|core dumped", output) or (status or 0) >= 128:
        raise Broken(f"it crashes or hangs ({status}): {output}")
    after = snapshot()
    for path, content in before.items():
        if after.get(path) != content and not (path.endswith("victim.json") and same_vm(content, after.get(path))):
            raise Broken(f"{path} has changed")
    if os.path.exists(f"{HOME}/state") or os.path.exists(f"{HOME}/records"):
        raise Broken("the state lies where the user wants it")
    if os.path.exists(f"{RECORDS}/stolen.json") or os.path.exists("/etc/passwd.json"):
        raise Broken("a record is left")


def must_hold_no_lock():
    for path in glob.glob("/var/lib/devhost/_locks/*"):
        try:
            with open(path) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Broken(f"{path} is held") from None
        except FileNotFoundError:
            pass


def must_go_on(before, line):
    """A VM that runs is suspended by the line, and nothing is held."""
    status, output = as_user(line.replace("{verb}", "suspend"), limit=90)
    judge(before, line, False, status, output)
    must_hold_no_lock()
    is_running, counts = rig.is_running("victim"), rig.record("victim")["online"] is not False
    if is_running != counts:
        raise Broken(f"it runs: {is_running}, it counts: {counts} ({status} {output})")
    # A limit that root may not raise, as in a container, is an error before anything happens.
    if is_running and status == 0:
        raise Broken(f"it does not do what it says: {output}")
    if not is_running:
        rig.shell("virsh -q managedsave-remove victim")
        rig.ensure("victim")
    rig.must_run("victim")


def same_vm(before, after):
    """An ensure of one's own VM notes its date."""
    try:
        one, other = json.loads(before), json.loads(after)
    except ValueError:
        return False
    for key in ("last_deploy_date", "online"):
        one.pop(key, None), other.pop(key, None)
    return one == other


try:
    set_up()
    rig.ensure("victim")
    rig.shell(f"{rig.fc} release publish theirs 1 {IMAGES}/nothing.qcow2")
    shutil.copy(f"{IMAGES}/nothing.qcow2", f"{IMAGES}/growing.qcow2")
    os.truncate(f"{IMAGES}/growing.qcow2", 200 << 20)
    shutil.chown(f"{IMAGES}/growing.qcow2", USER)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8643), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = snapshot()
    for mark, line in ATTACKS:
        status, output = as_user(line)
        try:
            judge(before, line, mark == "!", status, output)
        except Broken as broken:
            raise Broken(f"{line!r}: {broken}") from None
    for line in STOPS:
        try:
            must_go_on(before, line)
        except Broken as broken:
            raise Broken(f"{line!r}: {broken}") from None
    modes = rig.shell(f"stat -c '%a %n' {RECORDS}/victim.json /var/lib/devhost/_bootstrap_key /var/lib/devhost/victim").split()
    if modes[0::2] != ["644", "600", "700"]:
        raise Broken(f"modes: {modes}")
    rig.must_run("victim")
    if not os.path.exists(f"{CATALOG}/theirs/1.qcow2"):
        raise Broken("another's release has gone")
    rig.shell(f"{rig.fc} channel rm theirs")
    os.unlink(f"{IMAGES}/growing.qcow2")
    rig.must("destroy", "victim")
    rig.must_be_healthy()
    print(f"{len(ATTACKS) + len(STOPS)} attacks came to nothing")
except Broken as broken:
    sys.exit(f"sudo: {broken}")
