"""Kills each verb before each of its outside effects, on a real libvirt, and looks whether the next call completes.

usage: walk.py FOLDER-OF-BINARIES [--libvirt | --grow VM SIZE]

With --libvirt only the effects upon libvirt are walked: the others are those of the mock, which the unit tests walk.
With --grow only the growth of the disk of one VM is walked, from SIZE gigabytes on: its guest must answer. Every step
takes it several logins, so files are left out: a kill before the next other effect finds them written.
"""

import glob
import json
import sys
import threading
import time

from rig import IMAGE, OTHER_IMAGE, Broken, Rig, killed

IS_GROWTH = "--grow" in sys.argv
rig = Rig(sys.argv[1], has_guests=IS_GROWTH)
ONLY_LIBVIRT = "--libvirt" in sys.argv
VM = "demo"
BYSTANDER = None


def walk(title, verb, prepare, check):
    """Runs a verb with a kill at step 1, 2, ... until it runs through."""
    step = walked = 0
    prepare()
    effects = rig.must(*verb())
    check(0)
    while step < len(effects):
        step += 1
        kind = effects[step - 1].split()[1]
        if (ONLY_LIBVIRT and kind != "libvirt") or (IS_GROWTH and kind == "file"):
            continue
        prepare()
        seen, status = rig.verb(*verb(), kill_at=step)
        if status == 0 and len(seen) < step:
            break  # The first time there was more to do: what earlier programs left.
        if not killed(status):
            raise Broken(f"{title}, step {step}: the verb ended with {status}: {seen[-1]}")
        try:
            check(step)
            rig.must_be_healthy()
            if rig.states().get("bystander") != BYSTANDER:
                raise Broken("the bystander was touched")
        except Broken as broken:
            raise Broken(f"{title}, killed before {effects[step - 1]}: {broken}") from None
        walked += 1
    print(f"{title}: killed at {walked} of {len(effects)} effects", flush=True)


def gone():
    rig.must("destroy", VM)
    rig.must_be_gone(VM)


def running():
    rig.ensure(VM)


def completes_or_goes(step):
    """Every second time the VM is destroyed instead."""
    if step % 2:
        rig.ensure(VM)
        rig.must_run(VM)
    else:
        gone()


def is_grown(step):
    """A guest that answers is told of its larger disk, whatever happened to the command that gave it."""
    global size
    rig.must("grow", VM, f"{size}G")
    if str(size << 30) not in rig.shell(f"virsh domblkinfo {VM} vda"):
        raise Broken("the disk is not as large as was asked for")
    size += 1


def is_off_or_on(step):
    if step % 2:
        rig.must("shutdown", VM)
        if rig.is_running(VM):
            raise Broken("it runs")
    else:
        rig.ensure(VM)
        rig.must_run(VM)


def is_suspended_or_on(step):
    if step % 2:
        rig.must("suspend", VM)
        if rig.is_running(VM) or not rig.shell(f"virsh dominfo {VM} | grep 'Managed save: *yes' || true"):
            raise Broken("it is not suspended")
    else:
        rig.ensure(VM)
        rig.must_run(VM)


def has_one_disk(step):
    rig.ensure(VM)
    rig.must_run(VM)
    disks = rig.shell(f"ls /var/lib/devhost/_disks | grep '^{VM}[.]'").split()
    if len(disks) != 1:
        raise Broken(f"disks: {disks}")


def unused_image():
    rig.ensure(VM)
    rig.must("ensure", "another", OTHER_IMAGE)
    rig.must("destroy", "another")


def has_its_image(step):
    rig.must("cleanup")
    images = rig.shell("ls /var/lib/devhost/_images | grep -c qcow2").strip()
    if images != "1":
        raise Broken(f"{images} images are left")
    rig.must("rebuild", VM)


def walk_clone(title, prepare):
    """Kills a cloning at each effect until the clone starts: from there on it takes a guest that answers."""
    prepare()
    is_on = rig.is_running(VM)
    effects, _ = rig.verb("clone", VM, "twin")
    start = next(number for number, effect in enumerate(effects) if effect.endswith("virDomainCreate twin"))
    walked = 0
    for step, effect in enumerate(effects[:start + 1], 1):
        if ONLY_LIBVIRT and effect.split()[1] != "libvirt":
            continue
        prepare()
        seen, status = rig.verb("clone", VM, "twin", kill_at=step)
        if not killed(status):
            raise Broken(f"{title}, step {step}: the verb ended with {status}: {seen[-1]}")
        try:
            if rig.is_running(VM) != is_on:
                raise Broken(f"{VM} is not as it was")
            if step % 2:
                # What is left of the copy holds up nobody who goes on with the source.
                rig.must("rebuild", VM)
            rig.must("destroy", "twin")
            rig.must_be_gone("twin")
            rig.must_be_healthy()
        except Broken as broken:
            raise Broken(f"{title}, killed before {effect}: {broken}") from None
        walked += 1
    print(f"{title}: killed at {walked} of {start + 1} effects", flush=True)


def off():
    running()
    rig.must("shutdown", VM)


def wait_as_guests():
    """Says on the consoles of templates what their guests would say, which have no operating system."""
    while True:
        for console in glob.glob("/var/lib/devhost/_templates/*.log"):
            try:
                with open(console, "r+") as file:
                    if "fc-warm-start" not in file.read():
                        file.write("fc-warm-start: the template is ready\r\n")
            except OSError:
                pass  # It is gone again.
        time.sleep(0.1)


def templates():
    return json.loads(rig.shell(f"{rig.fc} templates --json"))


def gone_with_template():
    gone()
    if not templates():
        rig.must("template", IMAGE)


def starts_warm(step):
    rig.must("template", IMAGE)
    rig.ensure(VM)
    rig.must_run(VM)
    if [each["uses"] for each in templates()] != [1]:
        raise Broken("it did not start from the template")
    gone()


def walk_all():
    global BYSTANDER
    rig.ensure("bystander")
    BYSTANDER = rig.states()["bystander"]
    walk("ensure of a new VM", lambda: ["ensure", VM, IMAGE], gone, completes_or_goes)
    threading.Thread(target=wait_as_guests, daemon=True).start()
    walk("ensure of a new VM that starts warm", lambda: ["ensure", VM, IMAGE], gone_with_template, completes_or_goes)
    if not ONLY_LIBVIRT:
        walk("templates build", lambda: ["template", IMAGE], gone, starts_warm)
    for template in templates():
        rig.shell(f"{rig.fc} templates rm {template['name']}")
    walk("shutdown", lambda: ["shutdown", VM], running, is_off_or_on)
    walk("suspend", lambda: ["suspend", VM], running, is_suspended_or_on)
    walk("rebuild", lambda: ["rebuild", VM], running, has_one_disk)
    walk_clone("clone of a running VM", running)
    walk_clone("clone of a VM that is off", off)
    walk("destroy", lambda: ["destroy", VM], running, lambda step: gone())
    walk("cleanup", lambda: ["cleanup"], unused_image, has_its_image)


try:
    if IS_GROWTH:
        VM, size = sys.argv[3], int(sys.argv[4])
        walk("ensure of a larger disk", lambda: ["grow", VM, f"{size}G"], lambda: None, is_grown)
    else:
        walk_all()
except Broken as broken:
    sys.exit(f"walk: {broken}")
