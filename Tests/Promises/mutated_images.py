"""Whatever image the devhost takes costs those who open it, libvirtd's qemu-img and QEMU, at most 64 MiB and a second
more than an empty image does. Images made in every way that qemu-img offers, and ones that fill each table to its bound,
are changed at random where it matters; those that the judge still takes are opened, and what that costs is measured.

usage: mutated_images.py FOLDER-OF-BINARIES COUNT [SEED]
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

BINARIES, COUNT = sys.argv[1], int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
MOST_MEMORY, MOST_TIME = 64 << 20, 1.0  # bytes, and seconds of a processor: those of the wall are the machine's as well
random.seed(SEED)
folder = tempfile.mkdtemp(prefix="mutated-images.")

VERSION, CLUSTER_BITS, SIZE, L1_ENTRIES, L1, REFCOUNTS, REFCOUNT_CLUSTERS, SNAPSHOTS, SNAPSHOT_TABLE = (
    (4, 4), (20, 4), (24, 8), (36, 4), (40, 8), (48, 8), (56, 4), (60, 4), (64, 8))
INCOMPATIBLE, COMPATIBLE, AUTOCLEAR, REFCOUNT_ORDER, HEADER_LENGTH, COMPRESSION = (
    (72, 8), (80, 8), (88, 8), (96, 4), (100, 4), (104, 1))
FIELDS = [VERSION, (8, 8), (16, 4), CLUSTER_BITS, SIZE, (32, 4), L1_ENTRIES, L1, REFCOUNTS, REFCOUNT_CLUSTERS, SNAPSHOTS,
          SNAPSHOT_TABLE, INCOMPATIBLE, COMPATIBLE, AUTOCLEAR, REFCOUNT_ORDER, HEADER_LENGTH, COMPRESSION]
BITMAPS_EXTENSION = 0x23852875


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class Image:
    """A file that is changed in place, and can be put back as it was."""

    def __init__(self, path):
        self.path, self.file, self.undo = path, open(path, "r+b"), []
        self.length = os.path.getsize(path)

    def read(self, offset, count):
        return os.pread(self.file.fileno(), min(count, 16 << 20), min(offset, 1 << 62))

    def number(self, field):
        return int.from_bytes(self.read(*field).ljust(field[1], b"\0"), "big")

    def write(self, offset, content):
        self.undo.append((offset, self.read(offset, len(content))))
        os.pwrite(self.file.fileno(), content, offset)

    def set(self, field, value):
        self.write(field[0], (value % (1 << 8 * field[1])).to_bytes(field[1], "big"))

    @property
    def cluster(self):
        return 1 << min(self.number(CLUSTER_BITS), 21)

    def append(self, count, content=b""):
        """Makes room at the end, which begins with a cluster, and returns where that is."""
        start = -(-os.path.getsize(self.path) // self.cluster) * self.cluster
        os.ftruncate(self.file.fileno(), start + -(-max(count, 1) // self.cluster) * self.cluster)
        os.pwrite(self.file.fileno(), content, start)
        return start

    def restore(self):
        os.ftruncate(self.file.fileno(), self.length)
        for offset, content in reversed(self.undo):
            os.pwrite(self.file.fileno(), content, offset)
        os.ftruncate(self.file.fileno(), self.length)
        self.undo = []

    def extensions(self):
        """Where each header extension lies, its type and its length; the last one is the end."""
        offset = self.number(HEADER_LENGTH) if self.number(VERSION) == 3 else 72
        found = []
        while offset + 8 <= self.cluster and len(found) < 70:
            kind, length = struct.unpack(">II", self.read(offset, 8).ljust(8, b"\0"))
            found.append((offset, kind, length))
            if kind == 0 or length > self.cluster:
                break
            offset += 8 + -(-length // 8) * 8
        return found

    def add_extension(self, kind, content):
        offset = (self.extensions() or [(104, 0, 0)])[-1][0]
        content = struct.pack(">II", kind, len(content)) + content.ljust(-(-len(content) // 8) * 8, b"\0") + bytes(8)
        self.write(offset, content[:max(0, self.cluster - offset)])

    def add_bitmaps(self, count, granularity, flags=0, entry=1, shared=True, entries=None):
        """Persistent bitmaps whose tables say the same in every entry: 1 stands for all ones."""
        bits = -(-self.number(SIZE) >> granularity)
        entries = entries or max(1, -(-bits // 8 // self.cluster))
        table = None
        listed = b""
        for number in range(count):
            if table is None or not shared:
                table = self.append(entries * 8, struct.pack(">Q", entry) * entries)
            name = f"bitmap{number}".encode()
            listed += (struct.pack(">QIIBBHI", table, entries, flags, 1, granularity, len(name), 0) + name).ljust(
                -(-(24 + len(name)) // 8) * 8, b"\0")
        start = self.append(len(listed), listed)
        self.add_extension(BITMAPS_EXTENSION, struct.pack(">IIQQ", count, 0, len(listed), start))
        self.set(AUTOCLEAR, 1)

    def add_snapshots(self, count, name=32, extra=24, l1_entries=1):
        listed = b""
        l1 = self.append(l1_entries * 8)
        for number in range(count):
            title = (f"{number}".encode() + b"\x01" * name)[:name]
            entry = struct.pack(">QIHHIIQII", l1, l1_entries, 4, len(title), 0, 0, 0, 0, extra)
            entry += bytes(extra) + b"%4d" % (number % 10000) + title
            listed += entry.ljust(-(-len(entry) // 8) * 8, b"\0")
        self.set(SNAPSHOT_TABLE, self.append(len(listed), listed))
        self.set(SNAPSHOTS, count)

    def move_table(self, field, old, new, fill=b""):
        """A longer table somewhere else, with what the old one says at its start."""
        content = self.read(self.number(field), old)
        self.set(field, self.append(new, (content + fill * ((new - old) // max(len(fill), 1)))[:new]))

    def grow_l1(self, entries):
        self.move_table(L1, self.number(L1_ENTRIES) * 8, entries * 8)
        self.set(L1_ENTRIES, entries)

    def grow_refcounts(self, clusters, fill=b""):
        self.move_table(REFCOUNTS, self.number(REFCOUNT_CLUSTERS) * self.cluster, clusters * self.cluster, fill)
        self.set(REFCOUNT_CLUSTERS, clusters)


def create(name, size, options=(), data=True):
    path = f"{folder}/{name}.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", *(["-o", ",".join(options)] if options else []), path, size)
    if data:
        run("qemu-io", "-f", "qcow2", "-c", "write -q -P 66 1M 1M", path)
    return path


def good_images():
    """One of each kind, as users have them."""
    for number, options in enumerate((
            [], ["compat=0.10"], ["cluster_size=512"], ["cluster_size=4k"], ["cluster_size=2M"], ["extended_l2=on"],
            ["extended_l2=on", "cluster_size=2M"], ["compression_type=zstd"], ["refcount_bits=1"], ["refcount_bits=64"],
            ["preallocation=metadata"], ["lazy_refcounts=on"])):
        yield create(f"small-{number}", "8M", options)
    for size, cluster in (("4G", "512"), ("256G", "4k"), ("2T", "64k"), ("2T", "2M")):
        yield create(f"large-{cluster}", size, [f"cluster_size={cluster}"])
    yield create("metadata", "1G", ["preallocation=metadata", "cluster_size=4k"])
    compressed = f"{folder}/compressed.qcow2"
    run("qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", f"{folder}/small-0.qcow2", compressed)
    yield compressed
    full = create("full", "64M")
    for name in ("one", "two", "three"):
        run("qemu-img", "snapshot", "-c", name, full)
    run("qemu-img", "bitmap", "--add", "-f", "qcow2", full, "first")
    run("qemu-img", "bitmap", "--add", "-f", "qcow2", "-g", "512", full, "second")
    yield full


def full_images():
    """Good ones in which a table is as large as it may be."""
    def made(name, size, options, change):
        image = Image(create(name, size, options, data=False))
        change(image)
        image.file.close()
        return image.path

    yield made("l1", "4G", ["cluster_size=512"], lambda image: image.grow_l1(128 << 10))
    yield made("l1-large", "2T", ["cluster_size=2M"], lambda image: image.grow_l1(128 << 10))
    yield made("refcounts", "8M", ["cluster_size=512"], lambda image: image.grow_refcounts((8 << 20) // 512))
    yield made("refcounts-large", "2T", ["cluster_size=2M"], lambda image: image.grow_refcounts(4))
    yield made("snapshots", "8M", [], lambda image: image.add_snapshots(256, name=180))
    yield made("snapshots-l1", "4G", ["cluster_size=512"], lambda image: image.add_snapshots(256, l1_entries=128 << 10))
    yield made("bitmaps", "2T", [], lambda image: image.add_bitmaps(2, 16))
    yield made("bitmaps-fine", "64M", ["cluster_size=512"], lambda image: image.add_bitmaps(16, 9))
    yield made("extensions", "2T", ["cluster_size=2M"], lambda image: [
        image.add_extension(0x12345678 + number, bytes([number]) * (31 << 10)) for number in range(60)])
    yield made("features", "8M", ["cluster_size=2M"], lambda image: image.add_extension(0x6803f857, b"\x01\x01" * 400_000))

    def all_of_it(image):
        image.grow_l1(128 << 10)
        image.grow_refcounts(4)
        image.add_snapshots(256, name=180, l1_entries=128 << 10)
        image.add_bitmaps(2, 16)
    yield made("all", "2T", ["cluster_size=2M"], all_of_it)


def hostile_images():
    """What must be refused: bitmaps that take half a GiB, or much of it together."""
    for name, arguments in (
            ("ones", {"count": 1, "granularity": 9}), ("shared", {"count": 100, "granularity": 12}),
            ("in-use", {"count": 16, "granularity": 9, "flags": 1, "entries": 1}),
            ("many", {"count": 30_000, "granularity": 31}), ("long", {"count": 1, "granularity": 31, "entries": 1 << 20})):
        image = Image(create(f"hostile-{name}", "2T", data=False))
        image.add_bitmaps(**arguments)
        image.file.close()
        yield image.path
    image = Image(create("hostile-snapshots", "8M", data=False))
    image.add_snapshots(256, name=60_000)
    image.file.close()
    yield image.path


def interesting(image, width):
    old = random.choice((0, 1, 2, 3, 7, 8, 9, 16, 21, 24, 40, 64, 72, 104, 112, 256, 511, 512, 4096, 65536, 128 << 10, 1 << 20))
    return random.choice((
        old, old - 1, old * image.cluster, 1 << random.randrange(8 * width), (1 << random.randrange(8 * width)) - 1,
        (1 << 8 * width) - 1, random.randrange(1 << 8 * width), image.length // image.cluster * image.cluster,
        random.randrange(0, max(image.length, 1), 512)))


def tables(image):
    """The places whose bytes steer what QEMU reads, each with its length and the width of what stands in it."""
    found = [(image.number(L1), image.number(L1_ENTRIES) * 8, 8),
             (image.number(REFCOUNTS), image.number(REFCOUNT_CLUSTERS) * image.cluster, 8)]
    if image.number(SNAPSHOTS):
        found.append((image.number(SNAPSHOT_TABLE), 40 * image.number(SNAPSHOTS), random.choice((2, 4, 8))))
    for offset, kind, length in image.extensions():
        found.append((offset, 8 + length, random.choice((4, 8))))
        if kind == BITMAPS_EXTENSION and length == 24:
            size, start = struct.unpack(">QQ", image.read(offset + 16, 16).ljust(16, b"\0"))
            found += [(start, size, random.choice((1, 2, 4, 8))), (start, 24, random.choice((1, 4, 8)))]
            found.append((int.from_bytes(image.read(start, 8), "big"), 64, 8))
    return [each for each in found if each[0] < image.length and each[1] >= each[2]]


def change(image):
    """One change, which hits a header field, a table, or adds something."""
    kind = random.randrange(12)
    if kind < 3:
        field = random.choice(FIELDS)
        if field is SIZE:
            value = random.choice((1 << random.randrange(9, 42), 2 << 40, image.number(SIZE) * random.choice((2, 16, 256))))
        elif field is CLUSTER_BITS:
            value = random.randrange(8, 23)
        elif field in (INCOMPATIBLE, COMPATIBLE, AUTOCLEAR):
            value = image.number(field) ^ 1 << random.randrange(6)
        else:
            value = random.choice((image.number(field) + random.choice((-1, 1, 8)), interesting(image, field[1])))
        image.set(field, value)
    elif kind < 6:
        start, length, width = random.choice(tables(image) or [(104, 64, 8)])
        offset = start + random.randrange(min(length, 1 << 16) // width) * width
        image.set((offset, width), interesting(image, width))
    elif kind == 6:
        image.grow_l1(min(image.number(L1_ENTRIES), 128 << 10) * random.choice((1, 2, 16)) + random.randrange(1 << 17))
    elif kind == 7:
        clusters = random.choice((1, 2, 4, 8 << 20 >> image.number(CLUSTER_BITS) % 64)) or 1
        clusters = max(1, min(clusters, (16 << 20) // image.cluster))
        image.grow_refcounts(clusters, random.choice((b"", struct.pack(">Q", image.cluster))))
    elif kind == 8:
        image.add_snapshots(random.choice((1, 3, 40, 255, 256, 257)), random.choice((0, 8, 100, 200, 60_000)),
                            random.choice((0, 16, 24, 1000)), random.choice((0, 1, 1000, 128 << 10)))
    elif kind < 11:
        granularity = random.choice((9, 9, 12, 16, 16, 20, 31))
        image.add_bitmaps(random.choice((1, 1, 2, 15, 16, 17, 500)), granularity, random.choice((0, 0, 0, 1, 2)),
                          random.choice((0, 1, 1, image.cluster)), random.random() < 0.8,
                          random.choice((None, None, None, 1, 1000)))
    else:
        image.add_extension(random.choice((0, 1, 0x6803f857, 0x0537be77, BITMAPS_EXTENSION, random.randrange(1 << 32))),
                            bytes(random.choice((0, 8, 24, 48, 1000, 60_000))))


class Judge:
    """The judge of the devhost, which says of each path whether it takes the image."""

    def __init__(self):
        self.process = subprocess.Popen([f"{BINARIES}/rehearse", "judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __call__(self, path):
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"mutated_images: seed {SEED}: the judge ended at {keep(path)}")
        return answer


def keep(path):
    """Keeps an image that breaks the promise where it can be looked at."""
    copy = tempfile.mkstemp(prefix="mutated-image.", suffix=".qcow2")[1]
    run("cp", "--sparse=always", path, copy)
    return copy


class Meter:
    """Runs commands and says what they took. A process of its own: the kernel counts the memory of the one that starts a
    command as the command's, and this one's stays small."""

    PROGRAM = """
import json, os, subprocess, sys
# What breaks the promise must not break the machine.
limits = ["prlimit", "--core=0", "--as=4294967296", "--cpu=60", "--"]
for line in sys.stdin:
    words, text = json.loads(line)
    words = limits + words
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.stdin.write(text.encode())
        process.stdin.close()
    except BrokenPipeError:
        pass
    _, process.returncode, used = os.wait4(process.pid, 0)
    print(used.ru_maxrss << 10, used.ru_utime + used.ru_stime, flush=True)
"""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-S", "-c", self.PROGRAM], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __call__(self, *words, text=""):
        """The most memory that a command had, in bytes, and the time that it took of a processor, in seconds."""
        self.process.stdin.write(json.dumps([words, text]) + "\n")
        self.process.stdin.flush()
        memory, time = self.process.stdout.readline().split()
        return int(memory), float(time)

    @property
    def size(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def openings(path):
    """What the devhost, libvirtd and QEMU do with an image."""
    overlay = f"{folder}/overlay"
    yield "qemu-img info", lambda: cost("qemu-img", "info", "-U", "--output=json", "-f", "qcow2", path)
    yield "qemu-img create", lambda: cost("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", path, overlay)
    yield "qemu-io", lambda: cost("qemu-io", "-r", "-f", "qcow2", "-c", "read 0 64k", "-c", "read 4M 64k", path)


def start_qemu(path):
    return cost("qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-monitor", "stdio", "-blockdev",
                f"driver=qcow2,node-name=image,read-only=on,file.driver=file,file.filename={path}", text="quit\n")


def excess(measured, plain):
    return measured[0] - plain[0], measured[1] - plain[1]


def check(what, path, over, story):
    if over[0] > MOST_MEMORY or over[1] > MOST_TIME:
        # A machine that does much else is slow at times; an image is slow every time.
        sys.exit(f"mutated_images: seed {SEED}: {what} of {story} takes {over[0] >> 20} MiB and {over[1]:.2f} s more than "
                 f"of an empty image; it is kept as {keep(path)}")


cost = Meter()


def main():
    judge = Judge()
    plain = create("plain", "8M", data=False)
    base = {what: opening() for what, opening in openings(plain)}
    base_qemu = start_qemu(plain)
    # A program smaller than the meter cannot be told from it: then all of what is measured counts.
    base = {what: (memory if memory > cost.size else 0, time) for what, (memory, time) in base.items()}
    worst = []

    def measure(path, story):
        most = 0
        for what, opening in openings(path):
            over = excess(opening(), base[what])
            if over[1] > MOST_TIME:
                over = min(over, excess(opening(), base[what]), key=lambda each: each[1])
            check(what, path, over, story)
            most = max(most, over[0])
        worst.append((most, story))
        worst.sort(reverse=True)
        del worst[10:]
        # The worst so far are given to QEMU itself too.
        if (most, story) in worst:
            over = excess(start_qemu(path), base_qemu)
            check("QEMU", path, over, story)

    images = []
    for path in (*good_images(), *full_images()):
        answer = judge(path)
        if answer != "taken":
            sys.exit(f"mutated_images: {keep(path)}, a good image, is refused: {answer}")
        measure(path, os.path.basename(path))
        images.append(Image(path))
    for path in hostile_images():
        if judge(path) == "taken":
            sys.exit(f"mutated_images: a hostile image is taken: {keep(path)}")
    taken, reasons = 0, {}
    for number in range(COUNT):
        image = random.choice(images)
        for _ in range(random.choice((1, 1, 2, 3))):
            change(image)
        answer = judge(image.path)
        if answer == "taken":
            taken += 1
            measure(image.path, f"mutant {number} of {os.path.basename(image.path)}")
        else:
            reasons[answer] = reasons.get(answer, 0) + 1
        image.restore()
    if not COUNT // 20 <= taken <= COUNT - COUNT // 20:
        sys.exit(f"mutated_images: {taken} of {COUNT} are taken, which proves little: {json.dumps(reasons)}")
    print(f"{taken} of {COUNT} mutated images are taken (seed {SEED}); the worst take "
          + ", ".join(f"{most / (1 << 20):.1f} MiB ({story})" for most, story in worst[:3]))


try:
    main()
finally:
    shutil.rmtree(folder, ignore_errors=True)
