"""Random verbs on a few VMs from 8 processes, many of them killed at random, and after each round the promises.

usage: random_verbs.py FOLDER-OF-BINARIES SECONDS [SEED]
"""

import random
import subprocess
import sys
import threading
import time

from rig import IMAGE, OTHER_IMAGE, Broken, Rig

rig = Rig(sys.argv[1])
END = time.monotonic() + float(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
NAMES = [f"vm{number}" for number in range(5)]
ROUND = 15
counts = {}
counting = threading.Lock()


def one_verb(chance):
    name = chance.choice(NAMES)
    verb = chance.choice(["ensure", "ensure", "ensure", "rebuild", "shutdown", "suspend", "destroy", "cleanup"])
    words = {"ensure": [verb, name, chance.choice([IMAGE, OTHER_IMAGE])], "cleanup": [verb]}.get(verb, [verb, name])
    process = subprocess.Popen(
        [rig.rehearse, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    result = "done"
    try:
        # A third of them live no longer than this.
        output, _ = process.communicate(timeout=chance.uniform(0, 3) if chance.random() < 0.35 else 120)
        if process.returncode == 1:
            result = "refused"
            allowed = ("there is no VM", "nothing says which image", "nothing to rebuild", "was cut off")
            if not any(words in output for words in allowed):
                raise Broken(f"{' '.join(words)}: {output.splitlines()[-1]}")
        elif process.returncode != 0:
            raise Broken(f"{' '.join(words)} ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        result = "killed"
    with counting:
        counts[verb, result] = counts.get((verb, result), 0) + 1


def worker(number, seed, until, failures):
    chance = random.Random(seed * 1000 + number)
    try:
        while time.monotonic() < until:
            one_verb(chance)
    except Broken as broken:
        failures.append(broken)


def check(chance):
    """Whatever was cut off: one more call puts each VM right."""
    for name in NAMES:
        if chance.random() < 0.6:
            rig.ensure(name)
            rig.must_run(name)
        else:
            rig.must("destroy", name)
            rig.must_be_gone(name)
    rig.must_be_healthy()
    records = [record for record in map(rig.record, NAMES) if record]
    for key in ("id", "srv-mac", "srv-ip"):
        if len({record[key] for record in records}) != len(records):
            raise Broken(f"two VMs share a {key}")
    running = sum(state != "-" for state in rig.states().values())
    processes = len(rig.shell("pgrep -f 'qemu-system.*gues[t]=' || true").split())
    if processes != running:
        raise Broken(f"{processes} QEMU processes for {running} running VMs")


print(f"seed {SEED}", flush=True)
number = 0
try:
    rig.ensure(NAMES[0])
    while time.monotonic() < END:
        number += 1
        failures = []
        until = min(END, time.monotonic() + ROUND)
        workers = [
            threading.Thread(target=worker, args=(each, SEED + number, until, failures)) for each in range(8)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        if failures:
            raise failures[0]
        check(random.Random(SEED + number))
        print(f"round {number}: the promises hold", flush=True)
except Broken as broken:
    sys.exit(f"soak: seed {SEED}, round {number}: {broken}")
print(", ".join(f"{verb} {result} {count}" for (verb, result), count in sorted(counts.items())))
