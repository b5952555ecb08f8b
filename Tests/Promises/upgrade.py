"""Goes on with the build of today from what an older one left: VMs that run, that are suspended, have a snapshot with
memory, are off, lie in the trash, started warm, are half made or half rebuilt. None restarts, no memory is discarded,
every verb works on them, doctor finds nothing, and the older build can go on from there once more.

The guests count on their consoles (ticker.py), so that a boot cannot be taken for memory that was kept.

usage: upgrade.py FOLDER-OF-BINARIES FOLDER-OF-OLDER-BINARIES [--more | --guest IMAGE]

With --more, the older build is killed at each effect of each verb as well, and today's has to complete or take away what
is left. With --guest, there is one VM with an operating system instead: what is asked of it goes over ssh.
"""

import json
import os
import shutil
import subprocess
import sys
import time

import ticker
from rig import IMAGES, OTHER_IMAGE, Broken, Rig, killed

IMAGE = f"file://{IMAGES}/ticker.qcow2"
START = time.monotonic()


def say(text):
    print(f"{time.monotonic() - START:4.0f} s  {text}", flush=True)


def await_that(what, condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"waited {limit} s in vain: {what}")
        time.sleep(0.1)


def console(name):
    return ticker.Console(f"/var/lib/devhost/{name}/log")


def process(name):
    """The QEMU process of a VM: its number, and when it was started."""
    with open(f"/run/libvirt/qemu/{name}.pid") as file:
        number = int(file.read())
    with open(f"/proc/{number}/stat") as file:
        return number, file.read().rpartition(")")[2].split()[19]


def fc(rig, *words):
    """What fc-devhost prints; it must succeed."""
    done = subprocess.run(
        [rig.fc, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Broken(f"fc-devhost {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def answer(host):
    """What Caddy says at the address of a published name: a status, or 000 for no certificate."""
    return subprocess.run(
        ["curl", "-sk", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--resolve",
         f"{host}:443:127.0.0.1", f"https://{host}/"], stdout=subprocess.PIPE, text=True).stdout


def counts_on(name, since):
    """Waits until a guest counts on from where it was; returns how far it was."""
    await_that(f"{name} counts", lambda: len(since.counts(since.new())) >= 2)
    if since.booted():
        raise Broken(f"{name} has booted")
    return since.counts(since.new())[0]


def boots(name, since):
    """Waits until a guest boots, and counts from the beginning."""
    await_that(f"{name} boots", lambda: since.counts(since.new().rpartition(ticker.BOOT)[2]) and since.booted())


def last_count(name):
    listener = console(name)
    return (listener.counts(listener.all().decode("latin-1")) or [0])[-1]


def make(rig, name):
    """A VM that counts."""
    since = console(name)
    rig.must("ensure", name, IMAGE)
    await_that(f"{name} counts", lambda: since.counts(since.new()))


def template(rig):
    """The one template that there is."""
    templates = json.loads(fc(rig, "templates", "--json"))
    if len(templates) != 1 or templates[0].get("problem"):
        raise Broken(f"templates: {templates}")
    return templates[0]


def images(rig):
    """How many images there are in the store."""
    return len(json.loads(fc(rig, "images", "--json")))


def remove_templates(rig):
    for each in json.loads(fc(rig, "templates", "--json")):
        fc(rig, "templates", "rm", each["name"])


# What the older build makes.

DEMAND = "/var/lib/devhost/_templates/demand.json"
RUNNING = ("runs", "pinned", "snap", "warm", "hush")
OFF = ("off", "kept", "trashed")
HALVES = ("half", "halfwarm", "torn")
ALL = sorted(RUNNING + OFF + HALVES)


def kill_before(rig, effect, *words):
    """Runs a verb, which is killed before an effect of which only the order is known: that of an earlier run."""
    number = next((number for number, each in enumerate(rig.verb(*words)[0], 1) if each.endswith(effect)), None)
    if number is None:
        raise Broken(f"{' '.join(words)} has no effect {effect}")
    if words[0] == "ensure":
        rig.must("destroy", words[1])
    elif words[0] == "suspend":
        rig.must("ensure", words[1], IMAGE)
    effects, status = rig.verb(*words, kill_at=number)
    if not killed(status) or not effects[-1].endswith(effect):
        raise Broken(f"{' '.join(words)} was not killed before {effect}, but before {effects[-1]}")


def make_everything(old):
    # What other programs made VMs of lately is no template that is waited for here.
    if os.path.exists(DEMAND):
        os.unlink(DEMAND)
    for name in ("runs", "pinned", "snap", "hush", "off", "kept", "trashed", "torn"):
        make(old, name)
    kill_before(old, "virDomainCreate half", "ensure", "half", IMAGE)
    kill_before(old, "virDomainCreate torn", "rebuild", "torn")
    kill_before(old, "virDomainManagedSave hush", "suspend", "hush")
    old.must("template", IMAGE)
    old.must("ensure", "warm", IMAGE)
    kill_before(old, "virDomainResume halfwarm", "ensure", "halfwarm", IMAGE)
    earliest = last_count("snap")
    fc(old, "snapshot", "snap", "before")
    latest = counts_on("snap", console("snap")) + 1
    old.must("suspend", "kept")
    old.must("shutdown", "off")
    fc(old, "destroy", "--trash", "trashed")
    fc(old, "pin", "pinned")
    fc(old, "release", "publish", "team", "2026_1", IMAGE.removeprefix("file://"))
    fc(old, "collect")
    return earliest, latest


# What today's build does with it.

class State:
    """What the older build says of all that it made, and where its guests are."""

    READING = [
        ["ls", "-l", "--json"], ["images", "--json"], ["templates", "--json"], ["releases", "team", "--json"],
        ["snapshots", "snap", "--json"], ["certificates", "--json"],
        *([verb, "--json", name] for verb in ("show", "why") for name in ALL if name != "trashed"),
    ]

    def __init__(self, rig, snapshot):
        self.snapshot = snapshot
        self.processes = {name: process(name) for name in RUNNING}
        self.consoles = {name: console(name) for name in ALL}
        self.counts = {name: last_count(name) for name in ALL}
        self.said = [json.loads(fc(rig, *words)) for words in self.READING]
        self.names = fc(rig, "list")

    def must_run_on(self, *names):
        for name in names:
            if process(name) != self.processes[name]:
                raise Broken(f"{name} runs in another process")
            counts_on(name, self.consoles[name])

    def must_be_read_by(self, rig):
        """Whatever the older build says of the state, the other one says too; it may say more."""
        if fc(rig, "list") != self.names:
            raise Broken(f"the names were {self.names.split()} and are {fc(rig, 'list').split()}")
        for words, before in zip(self.READING, self.said):
            lost = difference(before, json.loads(fc(rig, *words)))
            if lost:
                raise Broken(f"fc-devhost {' '.join(words)}: {lost}")


# What depends on the moment.
PASSING = ("disk_allocation", "last_use", "last-use", "last_deploy_date", "date", "idle", "size")


def difference(before, after, path=""):
    """What of one JSON value is missing in another one, or differs there; None where nothing is."""
    if isinstance(before, dict) and isinstance(after, dict):
        return next(filter(None, (difference(before[key], after.get(key), f"{path}.{key}")
                                  for key in before if key not in PASSING)), None)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return next(filter(None, (difference(*pair, f"{path}[{number}]")
                                  for number, pair in enumerate(zip(before, after)))), None)
    return None if before == after else f"{path} was {before!r} and is {after!r}"


def reading_changes_nothing(new, old, state):
    state.must_be_read_by(new)
    for words in (["ls", "-l"], ["ls", "--trash"], ["show", "runs"], ["why", "kept"], ["images"], ["templates"],
                  ["snapshots", "snap"], ["channels"], ["releases", "team"], ["release", "show", "fcrs://team/2026_1"],
                  ["certificates"], ["events"], ["metrics"]):
        if not fc(new, *words).strip():
            raise Broken(f"fc-devhost {' '.join(words)} prints nothing")
    if ticker.BOOT not in fc(new, "logs", "runs"):
        raise Broken("the console of runs is lost")
    fc(new, "cleanup", "--dry-run")
    found = [each for each in new.findings() if each["subject"].split()[-1] not in (*HALVES, "hush")]
    if found:
        raise Broken(f"doctor: {found}")
    state.must_run_on(*RUNNING)
    state.must_be_read_by(old)


def what_runs_runs_on(new, old, state):
    before = {name: new.record(name) for name in RUNNING}
    before["hush"]["online"] = True  # Its suspending was cut off.
    for name in RUNNING:
        new.must("ensure", name, IMAGE)
        lost = difference(before[name], new.record(name))
        if lost:
            raise Broken(f"the record of {name}: {lost}")
    state.must_run_on(*RUNNING)


def what_was_half_made_is_completed(new, old, state):
    for name in HALVES:
        new.must("ensure", name, IMAGE)
        new.must_run(name)
    if len(new.shell("ls /var/lib/devhost/_disks | grep '^torn[.]'").split()) != 1:
        raise Broken("torn has two disks")
    new.must_be_healthy()


def what_is_suspended_goes_on(new, old, state):
    new.must("ensure", "kept", IMAGE)
    first = counts_on("kept", state.consoles["kept"])
    if not state.counts["kept"] <= first < state.counts["kept"] + 10:
        raise Broken(f"kept was suspended at {state.counts['kept']} and goes on from {first}")


def a_snapshot_brings_back_what_ran(new, old, state):
    earliest, latest = state.snapshot
    await_that("snap is further", lambda: last_count("snap") > latest)
    since = console("snap")
    new.must("restore", "snap@before")
    await_that("snap counts from where it was", lambda: min(since.counts(since.new()), default=latest + 1) <= latest)
    first = next(count for count in since.counts(since.new()) if count <= latest)
    if since.booted() or first < earliest:
        raise Broken(f"snap had a snapshot at {earliest} to {latest} and goes on from {first}: {since.new()!r}")
    fc(new, "snapshot", "rm", "snap@before")


def what_is_off_or_in_the_trash_starts(new, old, state):
    fc(new, "undelete", "trashed")
    for name in ("trashed", "off"):
        if new.is_running(name):
            raise Broken(f"{name} runs")
        new.must("start", name)
        boots(name, state.consoles[name])


def new_vms_start_from_the_template(new, old, state):
    uses = template(new)["uses"]
    new.must("ensure", "fresh", IMAGE)
    counts_on("fresh", console("fresh"))
    if template(new)["uses"] != uses + 1 or ticker.BOOT in fc(new, "logs", "fresh"):
        raise Broken("a new VM did not start from the template")
    new.must("template", IMAGE)


def every_verb_works(new, old, state):
    status = answer("app.runs.localhost")
    if status == "000" or answer("app.nobody.localhost") != "000":
        raise Broken(f"app.runs.localhost is answered with {status}")
    fc(new, "publish")
    if answer("app.runs.localhost") != status:
        raise Broken(f"app.runs.localhost was answered with {status}, and is not after 'publish'")
    fc(new, "unpin", "pinned")
    fc(new, "pin", "runs")
    fc(new, "release", "publish", "team", "2026_2", IMAGE.removeprefix("file://"))
    fc(new, "collect")
    fc(new, "cleanup")
    before = process("runs")
    effects, _ = new.verb("clone", "runs", "twin")  # Its guest has no ssh, so it ends there.
    if not any(each.endswith("virDomainCreate twin") for each in effects) or process("runs") != before:
        raise Broken(f"clone ended with {effects[-1]}")
    new.must("destroy", "twin")
    for verb, check in (("suspend", None), ("start", counts_on), ("shutdown", None), ("start", boots),
                        ("restart", boots), ("rebuild", boots)):
        since = console("runs")
        new.must(verb, "runs")
        if check:
            check("runs", since)
    fc(new, "destroy", "--trash", "pinned")
    fc(new, "undelete", "pinned")
    new.must_be_healthy()


def the_older_build_goes_on(new, old, state):
    """A step back: what today's build wrote is read by the one before."""
    new.must("suspend", "kept")
    fc(new, "snapshot", "snap", "after")
    fc(new, "destroy", "--trash", "off")
    new.must("ensure", "another", OTHER_IMAGE)
    since = {name: console(name) for name in ALL}
    running = {name: process(name) for name in ("runs", "warm", "torn", "another")}
    if fc(old, "list") != fc(new, "list") or "" in (fc(old, "ls", "-l"), fc(old, "metrics")):
        raise Broken("the older build lists other VMs")
    for name in ("runs", "warm", "torn", "kept"):
        fc(old, "show", name)
        old.must("ensure", name, IMAGE)
        counts_on(name, since[name])
        if name in running and process(name) != running[name]:
            raise Broken(f"{name} runs in another process")
    old.must("ensure", "another", OTHER_IMAGE)
    # A store holds what other programs left too: the older build must list the same, and fetch nothing again.
    if process("another") != running["another"] or images(old) != images(new):
        raise Broken("the older build does not take an image of today's for what it is")
    if "after" not in fc(old, "snapshots", "snap"):
        raise Broken("the older build does not know a snapshot of today's")
    fc(old, "undelete", "off")
    uses = template(old)["uses"]
    old.must("ensure", "older", IMAGE)
    if template(old)["uses"] != uses + 1:
        raise Broken("the older build does not start VMs from a template of today's")
    old.must("destroy", "older")


def nothing_is_left_in_the_end(new, old, state):
    for name in fc(new, "list").split():
        new.must("destroy", name)
        new.must_be_gone(name)
    fc(new, "templates", "rm", template(new)["name"])
    new.must("cleanup")
    new.must_be_healthy()


def kill_at_each_effect(new, old, title, words, prepare):
    """Kills a verb of the older build at each of its effects; today's build completes, or destroys, what is left."""
    prepare()
    effects = old.must(*words)
    for step, effect in enumerate(effects, 1):
        prepare()
        seen, status = old.verb(*words, kill_at=step)
        if status == 0:
            break  # The first time there was more to do.
        try:
            if not killed(status):
                raise Broken(f"it ended with {status}: {seen[-1]}")
            if step % 3:
                new.must("ensure", "demo", IMAGE)
                new.must_run("demo")
            else:
                new.must("destroy", "demo")
                new.must_be_gone("demo")
            new.must_be_healthy()
        except Broken as broken:
            raise Broken(f"{title}, killed before {effect}: {broken}") from None
    say(f"{title}: killed at {step} effects")


def kill_everything(new, old):
    def gone():
        new.must("destroy", "demo")

    def running():
        old.must("ensure", "demo", IMAGE)

    def suspended():
        running()
        old.must("suspend", "demo")

    kill_at_each_effect(new, old, "ensure of a new VM", ["ensure", "demo", IMAGE], gone)
    old.must("template", IMAGE)
    kill_at_each_effect(new, old, "ensure of a new VM that starts warm", ["ensure", "demo", IMAGE], gone)
    kill_at_each_effect(new, old, "making of a template", ["template", IMAGE], gone)
    for verb in ("rebuild", "suspend", "shutdown", "destroy"):
        kill_at_each_effect(new, old, verb, [verb, "demo"], running)
    kill_at_each_effect(new, old, "ensure of a suspended VM", ["ensure", "demo", IMAGE], suspended)
    gone()
    remove_templates(new)


def inside(rig, name, line):
    return fc(rig, "login", name, "--", line).strip()


def walk_with_guest(new, old, image):
    """A VM whose operating system tells whether it goes on, and is told what changes."""
    path = f"{IMAGES}/guest.qcow2"
    shutil.copyfile(image, path)
    url = f"file://{path}"
    wanted = ["--memory", "512", "--cpu", "1", "--image-url", url]
    fc(old, "templates", "build", "--memory", "512", "--cpu", "1", url)
    say("the older build has made a template")
    fc(old, "ensure", *wanted, "guest")
    told = inside(old, "guest", "sleep 100000 </dev/null >/dev/null 2>&1 & echo kept >/dev/shm/memory; "
                                "cat /proc/sys/kernel/random/boot_id /etc/machine-id")
    fc(old, "suspend", "guest")

    def must_be_as_it_was():
        now = inside(new, "guest", "pgrep -x sleep >/dev/null && grep -qx kept /dev/shm/memory && "
                                   "cat /proc/sys/kernel/random/boot_id /etc/machine-id")
        if now != told:
            raise Broken(f"guest was {told!r} and is {now!r}")

    fc(new, "start", "guest")
    must_be_as_it_was()
    before = process("guest")
    fc(new, "wait", "guest")
    fc(new, "ensure", *wanted, "guest")
    fc(new, "ensure", "--memory", "400M", "--location", "elsewhere", "guest")
    must_be_as_it_was()
    if process("guest") != before or '"elsewhere"' not in inside(new, "guest", "cat /etc/nixos/enc.json"):
        raise Broken("guest restarted, or was not told what changed")
    say("what runs runs on and is told what changes")
    fc(new, "snapshot", "guest", "after")
    inside(new, "guest", "rm /dev/shm/memory")
    fc(new, "restore", "--force", "guest@after")
    must_be_as_it_was()
    say("a snapshot brings back what ran")
    # A machine that runs other tests beside this one may be too slow to start it warm: then it says so, and boots.
    made = json.loads(fc(new, "ensure", "--json", *wanted, "fresh"))
    left = template(new)
    if (made["start"] == "warm") != (left["uses"] == 2):
        raise Broken(f"a new VM started {made['start']} from the template {left}")
    if inside(new, "fresh", "cat /etc/machine-id") == told.split()[1]:
        raise Broken("a new VM is the same machine as the first")
    fc(old, "ensure", "--json", "guest")
    must_be_as_it_was()
    say(f"a new VM started {made['start']} from the older template")
    fc(new, "destroy", "guest", "fresh")
    fc(new, "templates", "rm", left["name"])
    new.must_be_healthy()


def walk(new, old):
    state = State(old, make_everything(old))
    say("the older build has made everything")
    for step in (
        reading_changes_nothing, what_runs_runs_on, what_was_half_made_is_completed, what_is_suspended_goes_on,
        a_snapshot_brings_back_what_ran, what_is_off_or_in_the_trash_starts, new_vms_start_from_the_template,
        every_verb_works, the_older_build_goes_on, nothing_is_left_in_the_end,
    ):
        title = step.__name__.replace("_", " ")
        try:
            step(new, old, state)
        except Broken as broken:
            raise Broken(f"{title}: {broken}") from None
        say(title)


def main():
    os.makedirs(IMAGES, exist_ok=True)
    ticker.make_image(IMAGE.removeprefix("file://"), 1 << 30)
    today = Rig(sys.argv[1])
    older = Rig(sys.argv[2], has_guests=True)
    remove_templates(today)  # What earlier tests left.
    if "--guest" in sys.argv:
        walk_with_guest(today, older, sys.argv[4])
        return
    walk(today, older)
    if "--more" in sys.argv:
        kill_everything(today, older)


try:
    main()
except Broken as broken:
    sys.exit(f"upgrade: {broken}")
