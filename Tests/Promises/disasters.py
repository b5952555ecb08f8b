"""What happens to real devhosts, done to one: processes killed, a reboot, a full disk, memory that is not there, half a
record, a clock that jumps. VMs that were on are on afterwards, those that were off or suspended stay so, and no record
is lost.

usage: disasters.py FOLDER-OF-BINARIES
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time

from rig import IMAGE, RECORDS, Broken, Rig

rig = Rig(sys.argv[1])


def await_that(what, condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"waited {limit} s in vain: {what}")
        time.sleep(0.1)


def process_of(path):
    with open(path) as file:
        return int(file.read())


def end(number):
    """Kills a process and waits until all its threads have ended and closed their files: until then it holds the lock
    on its pid file, and none can be started in its place."""
    try:
        process = os.pidfd_open(number)
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        return
    await_that(f"process {number} ends", lambda: select.select([process], [], [], 0)[0])
    os.close(process)


def libvirt_answers():
    return subprocess.run(["virsh", "-q", "uri"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def start_libvirt():
    rig.shell("$(command -v libvirtd) -d")
    await_that("libvirtd answers", libvirt_answers)


def fails(*words, saying):
    """Runs fc-devhost, which must fail with these words."""
    done = subprocess.run(
        [rig.fc, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        raise Broken(f"{' '.join(words)} succeeded")
    last = done.stderr.strip().splitlines()[-1]
    if not any(each in last for each in saying):
        raise Broken(f"{' '.join(words)} says {last!r}")


def expect(on, off):
    for name in on:
        rig.must_run(name)
    for name in off:
        if rig.is_running(name):
            raise Broken(f"{name} runs")
        if not rig.record(name):
            raise Broken(f"{name} has lost its record")


def records():
    return {name: open(f"{RECORDS}/{name}").read() for name in os.listdir(RECORDS)}


def a_killed_qemu():
    end(process_of("/run/libvirt/qemu/on1.pid"))
    await_that("libvirt notices", lambda: not rig.is_running("on1"))
    if not any(each["subject"] == "VM on1" for each in rig.findings()):
        raise Broken("doctor does not notice")
    rig.ensure("on1")


def a_libvirtd_that_restarts():
    before = rig.states()
    end(process_of("/run/libvirtd.pid"))
    fails("ensure", "on1", saying=["cannot reach libvirt"])
    if rig.shell(f"{rig.fc} list").split() != ["kept1", "off1", "on1", "on2"]:
        raise Broken("list needs libvirt")
    start_libvirt()
    if rig.states() != before:
        raise Broken(f"before: {before}, after: {rig.states()}")


def a_libvirtd_that_ends_during_an_ensure():
    for delay in (0.05, 0.3, 0.8):
        running = subprocess.Popen(
            [rig.rehearse, "ensure", "midway", IMAGE], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(delay)  # Where in the verb it strikes is left to chance: each place must do.
        end(process_of("/run/libvirtd.pid"))
        start_libvirt()
        running.wait(timeout=120)
        rig.ensure("midway")
        rig.must_run("midway")
        rig.must("destroy", "midway")
        rig.must_be_gone("midway")


def a_libvirtd_that_ends_during_a_suspend():
    rig.ensure("midway")
    for delay in (0.03, 0.08, 0.2):
        running = subprocess.Popen(
            [rig.rehearse, "suspend", "midway"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(delay)  # Where in the verb it strikes is left to chance: each place must do.
        end(process_of("/run/libvirtd.pid"))
        start_libvirt()
        running.wait(timeout=120)
        rig.ensure("midway")
        rig.must_run("midway")
    rig.must("destroy", "midway")
    rig.must_be_gone("midway")


def a_reboot():
    before = records()
    for name in rig.states():
        path = f"/run/libvirt/qemu/{name}.pid"
        if os.path.exists(path):
            end(process_of(path))
    end(process_of("/run/libvirtd.pid"))
    end(process_of("/run/virtlogd.pid"))
    for number in rig.shell("pgrep -x dnsmasq || true").split():
        end(int(number))
    rig.shell("ip link del br-devhost; rm -rf /run/libvirt /run/libvirtd.pid /run/virtlogd.pid; "
              "mkdir /run/libvirt; $(command -v virtlogd) -d")
    start_libvirt()
    await_that("VMs that were on come back", lambda: rig.is_running("on1") and rig.is_running("on2"))
    if records() != before:
        raise Broken("records have changed")


def a_record_that_is_half_a_file():
    path = f"{RECORDS}/on2.json"
    with open(path) as file:
        whole = file.read()
    with open(path, "w") as file:
        file.write(whole[:len(whole) // 2])
    if rig.shell(f"{rig.fc} list 2>/dev/null").split() != ["kept1", "off1", "on1", "on2"]:
        raise Broken("one broken record spoils the list")
    fails("ensure", "on2", saying=["on2.json cannot be read"])
    rig.ensure("on1")
    with open(path, "w") as file:
        file.write(whole)


def a_full_disk():
    rig.shell("fallocate -l $(df --output=avail -B1 /var/lib/devhost | tail -1) /var/lib/devhost/_filler || "
              "dd if=/dev/zero of=/var/lib/devhost/_filler bs=1M status=none || true")
    before = records()
    fails("ensure", "--image-url", IMAGE, "new", saying=["No space left", "are free"])
    fails("snapshot", "on1", "full", saying=["No space left", "are free"])
    if rig.shell(f"{rig.fc} snapshots on1"):
        raise Broken("there is half a snapshot")
    if records() != before:
        raise Broken("records have changed")
    os.unlink("/var/lib/devhost/_filler")
    rig.must_be_gone("new")
    rig.ensure("new")
    rig.must("destroy", "new")


def memory_that_is_not_there():
    fails("ensure", "--memory", "15T", "--image-url", IMAGE, "large", saying=["memory", "Memory"])
    rig.must_be_gone("large")


def a_caddy_that_is_killed():
    for number in rig.shell("pgrep -x caddy").split():
        end(int(number))
    if not any(each["subject"] == "Caddy" for each in rig.findings()):
        raise Broken("doctor does not notice")
    rig.ensure("on1")


def a_clock_that_jumps():
    before = records()
    for jump in ("+10y", "-10y"):
        rig.shell(f"faketime -f {jump} {rig.fc} cleanup 2>&1; faketime -f {jump} {rig.fc} list")
        rig.shell(f"faketime -f {jump} {rig.rehearse} ensure on1 {IMAGE}")
    if records().keys() != before.keys():
        raise Broken("records are lost")
    rig.must("rebuild", "on2")


def an_image_that_an_older_version_took():
    """It would be refused today: doctor names it, no new disk is made over it, and VMs that have it go on."""
    digest = rig.shell(f"sha256sum {IMAGE.removeprefix('file://')}").split()[0]
    path = f"/var/lib/devhost/_images/{digest}.qcow2"

    def snapshots(count):
        with open(path, "r+b") as file:
            file.seek(60)
            file.write(count.to_bytes(4, "big"))

    snapshots(100_000)
    if not any(each["subject"] == f"image {digest}" and "older version" in each["problem"] for each in rig.findings()):
        raise Broken("doctor does not notice")
    fails("ensure", "--image-url", IMAGE, "new", saying=["of the store is refused"])
    rig.must_be_gone("new")
    rig.ensure("on1")
    snapshots(0)


def events_of(name):
    """What somebody heard who asked once, before the first disaster."""
    with open(EVENTS) as file:
        events = [json.loads(line) for line in file]
    return [event["event"] for event in events if event["name"] == name]


EVENTS = "/run/disasters.events"
with open(EVENTS, "w") as file:
    follower = subprocess.Popen(
        [rig.fc, "events", "--follow", "--json"], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL)
atexit.register(follower.kill)
try:
    for name in ("on1", "on2", "off1", "kept1"):
        rig.ensure(name)
    rig.must("shutdown", "off1")
    rig.must("suspend", "kept1")
    for disaster in (
        a_killed_qemu, a_libvirtd_that_restarts, a_libvirtd_that_ends_during_an_ensure,
        a_libvirtd_that_ends_during_a_suspend, a_reboot, a_record_that_is_half_a_file, a_full_disk,
        memory_that_is_not_there, an_image_that_an_older_version_took, a_caddy_that_is_killed,
        a_clock_that_jumps,
    ):
        title = disaster.__name__.replace("_", " ")
        try:
            disaster()
            expect(on=["on1", "on2"], off=["off1", "kept1"])
            rig.must_be_healthy()
        except Broken as broken:
            raise Broken(f"{title}: {broken}") from None
        print(f"{title}: nothing is lost", flush=True)
    rig.ensure("kept1")
    await_that("whoever follows the events hears of the last one", lambda: "resumed" in events_of("kept1")[-2:])
    heard = events_of("on1")
    if heard.count("present") < 3 or "stopped" not in heard:
        raise Broken(f"whoever follows the events of on1 hears {heard}")
    if "(restored)" not in rig.shell("virsh domstate --reason kept1"):
        raise Broken("what was suspended did not go on where it was")
except Broken as broken:
    sys.exit(f"disasters: {broken}")
