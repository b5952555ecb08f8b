"""A devhost in a test host, driven from outside: fc-devhost as people run it, and rehearse, whose guests count as ready
at once, so that a thousand verbs take minutes."""

import atexit
import json
import os
import re
import signal
import subprocess
import sys

IMAGES = "/var/lib/devhost/_local-images"
RECORDS = "/etc/devhost/vm-configs"
IMAGE = f"file://{IMAGES}/nothing.qcow2"
OTHER_IMAGE = f"file://{IMAGES}/other.qcow2"


class Broken(Exception):
    """A promise that does not hold."""


class Rig:
    def __init__(self, binaries, has_guests=False):
        if os.environ.get("DEVHOST_TEST_HOST") != "1":
            sys.exit("soak: only inside Tests/Support/test-host")
        self.fc = f"{binaries}/fc-devhost"
        self.rehearse = f"{binaries}/rehearse"
        os.makedirs(IMAGES, exist_ok=True)
        os.makedirs("/etc/devhost", exist_ok=True)
        if not has_guests:
            self.clear()
            atexit.register(self.clear)
        if not has_guests and not os.path.exists("/etc/devhost/devhost.cfg"):
            atexit.register(os.unlink, "/etc/devhost/devhost.cfg")
            # A guest without an operating system hears no request to shut down, and a network with fewer reservations
            # changes ten times as fast.
            with open("/etc/devhost/devhost.cfg", "w") as file:
                file.write("[devhost]\nshutdown-timeout = 1\n[network]\ncapacity = 250\n")
        for url, size in ((IMAGE, "1G"), (OTHER_IMAGE, "2G")):
            path = url.removeprefix("file://")
            if not os.path.exists(path):
                self.shell(f"qemu-img create -q -f qcow2 {path} {size}")

    def clear(self):
        """Takes all VMs and their network away; what cannot be taken away is the next program's to complain of."""
        for name in self.shell(f"{self.fc} list 2>/dev/null || true").split():
            subprocess.run([self.fc, "destroy", name], stdin=subprocess.DEVNULL, capture_output=True)
        self.shell("(virsh -q net-destroy devhost; virsh -q net-undefine devhost) >/dev/null 2>&1 || true")

    def shell(self, line):
        return subprocess.run(
            ["bash", "-c", line], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout

    def verb(self, *words, kill_at=None):
        """Runs a verb; returns its effects and its status."""
        command = [self.rehearse] + ([] if kill_at is None else ["--kill-at", str(kill_at)]) + list(words)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        # An effect may go on over several lines: a script for a guest.
        effects = re.findall(r"^\d+ (?:libvirt|file|process|network) .*$", done.stdout, re.M)
        if done.returncode == 1:
            effects += done.stdout.splitlines()[-1:]
        return effects, done.returncode

    def must(self, *words):
        effects, status = self.verb(*words)
        if status != 0:
            raise Broken(f"{' '.join(words)} ended with {status}: {effects[-1] if effects else ''}")
        return effects

    def ensure(self, name):
        return self.must("ensure", name, IMAGE)

    def record(self, name):
        try:
            with open(f"{RECORDS}/{name}.json") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def states(self):
        """The domains by name, with whether each is active and its number."""
        lines = self.shell("virsh -q list --all").splitlines()
        return {words[1]: words[0] for words in (line.split(None, 2) for line in lines)}

    def is_running(self, name):
        return self.states().get(name, "-") != "-"

    def left_of(self, name):
        """What there is of a VM anywhere."""
        left = self.shell(
            f"find {RECORDS} /var/lib/devhost /var/lib/libvirt/qemu/save -regextype posix-extended -regex '.*/{name}([.].*)?' | grep -v /_failed/ || true"
        ).split()
        if name in self.states():
            left.append("domain")
        if re.search(rf"\s{name}$", open("/etc/hosts").read(), re.M):
            left.append("hosts file")
        if self.shell(f"pgrep -f 'guest=[{name[0]}]{name[1:]},' || true").strip():
            left.append("QEMU process")
        return left

    def findings(self, *options):
        done = subprocess.run(
            [self.fc, "doctor", "--json", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        if done.returncode not in (0, 20, 21):
            raise Broken(f"doctor ended with {done.returncode}")
        # KVM, disk space and the like are the machine's, not the verbs'.
        mine = ("VM", "record", "name", "network", "storage", "image", "published", "Caddy")
        return [finding for finding in json.loads(done.stdout)["findings"]
                if finding["severity"] != "note" and finding["subject"].startswith(mine)]

    def must_be_healthy(self):
        findings = self.findings()
        if findings:
            raise Broken("doctor: " + "; ".join(f"{each['subject']}: {each['problem']}" for each in findings))

    def must_be_gone(self, name):
        left = self.left_of(name)
        if left:
            raise Broken(f"left of {name}: {' '.join(left)}")

    def must_run(self, name):
        if not self.is_running(name):
            raise Broken(f"{name} does not run")


def killed(status):
    return status == -signal.SIGKILL
