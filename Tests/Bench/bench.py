"""Figures of fc-devhost as ratios against peers, in a test host (scripts/bench runs it there).

usage: bench.py FOLDER-OF-BINARIES IMAGE [NAME...]

DEVHOST_BENCH_PLAIN is an image as Debian comes (build-image --plain), which "warm" and "suspend" need.

Prints one line a figure: name, measured, peer, ratio or difference, the bound, and whether it holds. Ends with status 1
where one does not.
"""

import concurrent.futures
import glob
import json
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BINARIES, IMAGE = os.path.abspath(sys.argv[1]), sys.argv[2]
WANTED = sys.argv[3:]
FC = f"{BINARIES}/fc-devhost"
RECORDS = "/etc/devhost/vm-configs"
IMAGES = "/var/lib/devhost/_local-images"
PLAIN = os.environ.get("DEVHOST_BENCH_PLAIN", "")
VAGRANT_KEY = (glob.glob("/usr/share/rubygems-integration/all/gems/vagrant-[0-9]*/keys/vagrant") + [""])[0]
failed = False


def run(*command, **options):
    result = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if result.returncode != 0:
        errors = result.stderr.decode(errors="replace").strip()
        raise SystemExit(f"'{shlex.join(command)}' ended with {result.returncode}: {errors}")
    return result


def seconds(command, times=7):
    """The median time of a command, after one that does not count."""
    measured = []
    for _ in range(times + 1):
        start = time.perf_counter()
        run(*command)
        measured.append(time.perf_counter() - start)
    return statistics.median(measured[1:])


def report(name, value, peer, text, holds, unit="s"):
    global failed
    failed = failed or not holds
    print(f"{name:32} {value:9.3f} {unit}   peer {peer:9.3f} {unit}   {text}   {'holds' if holds else 'MISSED'}",
          flush=True)


def ratio(name, value, peer, bound, unit="s"):
    report(name, value, peer, f"ratio {value / peer:5.2f} (at most {bound})", value / peer <= bound, unit)


def report_bound(name, value, bound):
    report(name, value, bound, f"at most {bound} s", value <= bound)


def difference(name, value, peer, bound):
    report(name, value, peer, f"adds {value - peer:6.3f} s (at most {bound})", value - peer <= bound)


def define(xml):
    subprocess.run(
        ["virsh", "-q", "define", "/dev/stdin"], input=xml.encode(), check=True, stdout=subprocess.DEVNULL)


def write_records(count):
    os.makedirs(RECORDS, exist_ok=True)
    for number in range(count):
        name = f"bench{number:04}"
        record = {
            "name": name, "id": 10000 + number, "cpu": 2, "memory": 2048, "disk_size": "50G", "aliases": ["app", "api"],
            "location": "dev", "image_url": "https://example.com/image.qcow2", "online": True, "user": "alice",
            "channel_url": "https://example.com/nixexprs.tar.xz", "creation-date": "2026-01-01T00:00:00+00:00",
            "last_deploy_date": "2026-01-01T00:00:00+00:00", "srv-mac": f"02:03:00:00:{number >> 8:02x}:{number & 255:02x}",
            "srv-ip": f"10.12.{200 + (number >> 8)}.{number & 255}",
        }
        with open(f"{RECORDS}/{name}.json", "w") as file:
            json.dump(record, file)


def bench_list():
    """list, and ls -l, of 1,000 VMs."""
    write_records(1000)
    loop = f"import glob, json\nfor path in glob.glob('{RECORDS}/*.json'): print(json.load(open(path))['name'])"
    ratio("list, 1,000 records", seconds([FC, "list"]), seconds(["/usr/bin/python3", "-S", "-c", loop]), 0.7)
    for number in range(1000):
        xml = (f"<domain type='qemu'><name>bench{number:04}</name><memory>65536</memory>"
               "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>")
        define(xml)
    ratio("ls -l, 1,000 domains", seconds([FC, "ls", "-l"]), seconds(["virsh", "list", "--all"]), 1.0)
    for number in range(1000):
        run("virsh", "-q", "undefine", f"bench{number:04}")
        os.unlink(f"{RECORDS}/bench{number:04}.json")


def banner(address):
    """Whether sshd answers; a connection that hangs is given up, as a shell loop with nc would."""
    try:
        with socket.create_connection((address, 22), timeout=0.5) as connection:
            connection.settimeout(10)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def by_hand(name, base=None):
    """What a person types to get the same VM: overlay, define, start, poll ssh. Define and disk come from a VM that
    fc-devhost made, with the same first-boot data, so that both boots do the same work; with another base image the VM is
    the same, and what boots in it is not."""
    xml = run("virsh", "dumpxml", "--inactive", name).stdout.decode()
    record = json.load(open(f"{RECORDS}/{name}.json"))
    disk = f"/var/lib/devhost/_disks/{name}.qcow2"
    own = f"/var/lib/devhost/_images/{record['image-sha256']}.qcow2"
    if subprocess.run(["virsh", "domstate", name], capture_output=True, check=True).stdout.strip() == b"running":
        run("virsh", "destroy", name)
    run("virsh", "undefine", name)
    os.unlink(disk)
    start = time.perf_counter()
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base or own, "-F", "qcow2", disk, "8G")
    define(xml.replace(own, base or own))
    run("virsh", "-q", "start", name)
    while not banner(record["srv-ip"]):
        if time.perf_counter() - start > 300:
            raise SystemExit(f"{name} does not boot from {base or own}")
        time.sleep(0.05)
    return time.perf_counter() - start


def bench_ensure():
    """What ensure adds to a VM started by hand, and what it costs when there is nothing to do."""
    os.makedirs(IMAGES, exist_ok=True)
    shutil.copy(IMAGE, f"{IMAGES}/debian-12.qcow2")
    command = [FC, "ensure", "--memory", "1024", "--cpu", "2", "--disk-size", "8G", "--image-url",
               f"file://{IMAGES}/debian-12.qcow2", "--channel-url", "https://example.com/channel"]
    run(*command, "warmup")  # The image is in the store and the network runs from here on.
    run(FC, "destroy", "warmup")
    ours, hand, quiet, trip = [], [], [], []
    for number in range(3):
        name = f"bench-vm{number}"
        start = time.perf_counter()
        run(*command, name)
        ours.append(time.perf_counter() - start)
        hand.append(by_hand(name))
        time.sleep(10)  # The guest's own boot goes on behind sshd; it must not be in the figures below.
        record = json.load(open(f"{RECORDS}/{name}.json"))
        for _ in range(7):
            start = time.perf_counter()
            banner(record["srv-ip"])
            trip.append(time.perf_counter() - start)
            start = time.perf_counter()
            run(FC, "ensure", name)
            quiet.append(time.perf_counter() - start)
        run(FC, "destroy", name)
    difference("ensure of a new VM, by hand", statistics.median(ours), statistics.median(hand), 0.5)
    difference("ensure, nothing to do, ssh banner", statistics.median(quiet), statistics.median(trip), 0.15)


def plain_image():
    """The plain image where QEMU can read it and libvirt changes nothing of it."""
    if not PLAIN or not VAGRANT_KEY:
        raise SystemExit("DEVHOST_BENCH_PLAIN is no image, or Vagrant is not installed: run scripts/bench")
    os.makedirs(IMAGES, exist_ok=True)
    path = f"{IMAGES}/plain.qcow2"
    if not os.path.exists(path):
        shutil.copy(PLAIN, path)
        os.chmod(path, 0o644)
        shutil.copy(VAGRANT_KEY, "/run/vagrant-key")
        os.chmod("/run/vagrant-key", 0o600)
    return path


def login_command(name, user, key):
    address = json.load(open(f"{RECORDS}/{name}.json"))["srv-ip"]
    return ["ssh", "-F", "none", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", f"{user}@{address}", "true"]


def first_command(name):
    """How long a command in a VM takes over a fresh ssh connection. It works at once."""
    start = time.perf_counter()
    run(*login_command(name, "developer", "/var/lib/devhost/_bootstrap_key"))
    return time.perf_counter() - start


def first_command_in_plain(name):
    """The same in the plain image, which shows its banner before it lets anybody in."""
    start = time.perf_counter()
    command = login_command(name, "vagrant", "/run/vagrant-key")
    while subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0:
        if time.perf_counter() - start > 120:
            raise SystemExit(f"no login in {name}")
        time.sleep(0.05)
    return time.perf_counter() - start


def bench_suspend():
    """A suspended VM of 1 GiB going on, beside the same VM started by hand with the plain image."""
    plain = plain_image()
    shutil.copy(IMAGE, f"{IMAGES}/debian-12.qcow2")
    command = [FC, "ensure", "--memory", "1024", "--cpu", "2", "--disk-size", "8G", "--image-url",
               f"file://{IMAGES}/debian-12.qcow2", "--channel-url", "https://example.com/channel"]
    name = "bench-suspend"
    suspended, resumed, cold, own = [], [], [], []
    run(*command, name)
    time.sleep(15)
    for _ in range(5):
        start = time.perf_counter()
        run(FC, "suspend", name)
        suspended.append(time.perf_counter() - start)
        start = time.perf_counter()
        run(FC, "start", name)
        resumed.append(time.perf_counter() - start)
        time.sleep(5)
    for _ in range(5):
        own.append(by_hand(name))
        time.sleep(10)  # The guest's own boot goes on behind sshd.
    for _ in range(5):
        cold.append(by_hand(name, plain))
        first_command_in_plain(name)
        time.sleep(10)
    run("virsh", "destroy", name)
    run(FC, "destroy", name)
    ratio("suspended VM of 1 GiB goes on, cold", statistics.median(resumed), statistics.median(cold), 0.2)
    print(f"the same beside our own image      {statistics.median(resumed) / statistics.median(own):.2f}", flush=True)
    ratio("suspending it, cold", statistics.median(suspended), statistics.median(cold), 0.2)


def resident(names):
    """The memory that the QEMUs of these VMs take together, in MiB; what they share counts once."""
    total = 0
    for name in names:
        with open(f"/run/libvirt/qemu/{name}.pid") as file:
            process = file.read().strip()
        with open(f"/proc/{process}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total / 1024


def vagrant_up():
    """How long Vagrant needs for a VM of the plain image and the shape of bench_warm, up to the first command in it."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        box = f"{folder}/box"
        os.mkdir(box)
        shutil.copy(plain_image(), f"{box}/box.img")
        with open(f"{box}/metadata.json", "w") as file:
            json.dump({"provider": "libvirt", "format": "qcow2", "virtual_size": 3}, file)
        run("tar", "-C", box, "-czf", f"{folder}/plain.box", "metadata.json", "box.img")
        with open(f"{folder}/Vagrantfile", "w") as file:
            file.write("""Vagrant.configure("2") do |config|
              config.vm.box = "plain"
              config.ssh.insert_key = false
              config.vm.synced_folder ".", "/vagrant", disabled: true
              config.vm.provider :libvirt do |libvirt|
                libvirt.driver = "qemu"
                libvirt.cpu_mode = "custom"
                libvirt.cpu_model = "qemu64"
                libvirt.memory = 512
                libvirt.cpus = 2
                libvirt.graphics_type = "none"
                libvirt.video_type = "none"
              end
            end
            """)
        environment = {**os.environ, "VAGRANT_HOME": f"{folder}/home", "VAGRANT_CHECKPOINT_DISABLE": "1"}
        run("vagrant", "box", "add", "--name", "plain", f"{folder}/plain.box", cwd=folder, env=environment)
        for _ in range(4):
            start = time.perf_counter()
            run("vagrant", "up", "--provider", "libvirt", cwd=folder, env=environment)
            run("vagrant", "ssh", "-c", "true", cwd=folder, env=environment)
            times.append(time.perf_counter() - start)
            run("vagrant", "destroy", "-f", cwd=folder, env=environment)
    return statistics.median(times[1:])  # The first has put the image where libvirt has it.


def bench_warm():
    """New VMs that start from a template, up to the first command over ssh, beside the same VMs started by hand with the
    plain image, and beside Vagrant's."""
    plain = plain_image()
    shutil.copy(IMAGE, f"{IMAGES}/debian-12.qcow2")
    image = f"file://{IMAGES}/debian-12.qcow2"
    command = [FC, "ensure", "--memory", "512", "--cpu", "2", "--disk-size", "8G", "--image-url", image,
               "--channel-url", "https://example.com/channel"]
    run(*command, "--cold", "warmup")  # The image is in the store and the network runs from here on.
    run(FC, "destroy", "warmup")
    start = time.perf_counter()
    run(FC, "templates", "build", "--cpu", "2", "--memory", "512", image)
    build = time.perf_counter() - start
    size = json.loads(run(FC, "templates", "--json").stdout)[0]["size"]
    print(f"a template of 512 MiB             {build:9.3f} s to make, {size / 1048576:.0f} MiB on the disk", flush=True)

    def new_vm(name):
        """What one user waits for, and waits for nobody else's VM: the first command in a new one. Returns how it
        started."""
        output = run(*command, name).stdout.decode()
        first_command(name)
        return "warm" if "started warm" in output else "cold"

    warm, cold, own, login = [], [], [], []
    for number in range(5):
        name = f"bench-warm{number}"
        start = time.perf_counter()
        if new_vm(name) != "warm":
            raise SystemExit(f"{name} did not start warm")
        warm.append(time.perf_counter() - start)
        time.sleep(45)  # What a start leaves for later must not be in the figures below.
        login.append(first_command(name))
        own.append(by_hand(name) + first_command(name))
        cold.append(by_hand(name, plain) + first_command_in_plain(name))
        run("virsh", "destroy", name)
        run(FC, "destroy", name)
    print(f"a login on an idle guest          {statistics.median(login):9.3f} s", flush=True)
    ratio("new VM, first command, warm, cold", statistics.median(warm), statistics.median(cold), 0.15)
    report_bound("new VM, first command, warm", statistics.median(warm), 4)
    ratio("our image, plain image, both cold", statistics.median(own), statistics.median(cold), 0.7)
    ratio("new VM, first command, Vagrant", statistics.median(warm), vagrant_up(), 0.1)

    names = [f"bench-many{number}" for number in range(5)]
    lasts = []
    for number in range(5):
        if number > 0:
            for name in names:
                run(FC, "destroy", name)
            time.sleep(5)
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(len(names)) as users:
            starts = list(users.map(new_vm, names))
        lasts.append(time.perf_counter() - start)
        print(f"5 at once: {' '.join(starts)}", flush=True)
    report_bound("5 new VMs at once, the last one", statistics.median(lasts), 15)
    time.sleep(60)
    memory = resident(names)
    if "cold" in starts:
        raise SystemExit("not all of the VMs whose memory counts started warm")
    for name in names:
        by_hand(name)
        first_command(name)
    time.sleep(60)
    own = resident(names)
    print(f"5 idle VMs of our image, cold     {own:9.0f} MiB, warm {memory / own:.2f} of that", flush=True)
    for name in names:
        by_hand(name, plain)
        first_command_in_plain(name)
    time.sleep(60)
    ratio("5 idle VMs, warm, plain cold", memory, resident(names), 0.7, "MiB")
    for name in names:
        run("virsh", "destroy", name)
        run(FC, "destroy", name)


def tool(*arguments):
    return float(run(f"{BINARIES}/bench-tool", *arguments).stdout)


def bench_images():
    """Judging an image, an overlay over a large one, and a download with its digest."""
    os.makedirs(IMAGES, exist_ok=True)
    base = f"{IMAGES}/large.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", base, "500G")
    report_bound("judge, image of 500 GiB", tool("judge", base), 0.02)
    run(FC, "images")  # The pools are there from here on.
    report_bound("overlay over 500 GiB", tool("overlay", "devhost-disks", base), 0.1)
    os.unlink(base)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/image", "wb") as file:
            for _ in range(1024):
                file.write(os.urandom(1 << 20))
        server = subprocess.Popen(
            ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "8642"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = "http://127.0.0.1:8642/image"
            run("curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null", "-r", "0-0", url)
            peer = seconds(["bash", "-c", f"set -o pipefail; curl -sf {url} | sha256sum"], 3)
            # 0.7 of the peer's rate is its time divided by 0.7.
            ratio("download of 1 GiB, curl | sha256sum", tool("download", url, f"{folder}/copy"), peer, 1.43)
        finally:
            server.kill()
            server.wait()


NGINX = """
daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.log; worker_processes 2;
events {{ worker_connections 1024; }}
http {{ access_log off; {site} }}
"""
VM_SITE = """server {{
    listen 10.99.0.2:443 ssl; ssl_certificate {folder}/vm.pem; ssl_certificate_key {folder}/vm.key;
    keepalive_requests 1000000; location / {{ return 200 "{text}"; }}
}}"""
# The same job as Caddy's: many names, each to a VM of its own with the name passed on in the handshake, WebSockets,
# nothing held back.
PEER_SITE = """map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
map $host $vm {{ default ''; www.benchweb.localhost 10.99.0.2; }}
server {{
    listen 8443 ssl http2; ssl_certificate {folder}/vm.pem; ssl_certificate_key {folder}/vm.key;
    location / {{
        proxy_pass https://$vm:443; proxy_http_version 1.1; proxy_ssl_server_name on; proxy_ssl_name $host;
        proxy_ssl_verify off; proxy_buffering off; proxy_request_buffering off;
        proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
}}"""


def requests_per_second(url):
    text = run("wrk", "-t", "2", "-c", "32", "-d", "4", url).stdout.decode()
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"bench: {url} answers badly: {text}")
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith("Requests/sec")))


def bench_publish():
    """The publishing step among 1,000 VMs, Caddy coming back with all of them, and requests through an alias."""
    global failed
    write_records(1000)
    record = json.load(open(f"{RECORDS}/bench0000.json"))
    record.update({"name": "benchweb", "srv-ip": "10.99.0.2", "aliases": ["www"]})
    with open(f"{RECORDS}/benchweb.json", "w") as file:
        json.dump(record, file)
    with open("/etc/devhost/devhost.cfg", "w") as file:
        file.write("[publish]\nlanding-page = yes\n")
    with open("/etc/hosts", "a") as file:
        file.write("127.0.0.1 www.benchweb.localhost\n")
    run(FC, "publish")
    report_bound("publishing step, 2,000 aliases", tool("publish", "benchweb"), 0.15)
    run(FC, "publish")
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=vm", "-keyout", f"{folder}/vm.key", "-out", f"{folder}/vm.pem")
        run("bash", "-ec", """
            ip netns add bench; ip link add bench type veth peer name eth0 netns bench
            ip address add 10.99.0.1/24 dev bench; ip link set bench up
            ip -n bench address add 10.99.0.2/24 dev eth0; ip -n bench link set eth0 up""")
        for name, site, words in [("vm", VM_SITE, ["ip", "netns", "exec", "bench"]), ("peer", PEER_SITE, [])]:
            with open(f"{folder}/{name}.conf", "w") as file:
                file.write(NGINX.format(folder=folder, name=name, site=site.format(folder=folder, text="x" * 1024)))
            processes.append(subprocess.Popen(words + ["nginx", "-c", f"{folder}/{name}.conf"], stdin=subprocess.DEVNULL))
        try:
            alias, peer, direct = ("https://www.benchweb.localhost/", "https://www.benchweb.localhost:8443/",
                                   "https://10.99.0.2/")
            for url in (direct, peer, alias):
                run("curl", "-skf", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null", url)
            figures = {url: [] for url in (alias, peer, direct)}
            for _ in range(3):
                for url in figures:
                    figures[url].append(requests_per_second(url))
            ours, nginx, server = (statistics.median(figures[url]) for url in (alias, peer, direct))
            holds = ours >= 0.8 * nginx
            failed = failed or not holds
            print(f"{'requests through an alias':32} {ours:9.0f} /s  nginx {nginx:8.0f} /s  ratio {ours / nginx:5.2f} (at "
                  f"least 0.8)   the server itself {server:.0f} /s   {'holds' if holds else 'MISSED'}", flush=True)
            admin = "/var/lib/devhost/_publish/control/admin.sock"
            run("curl", "-s", "--unix-socket", admin, "-X", "POST", "http://devhost/stop")
            while os.path.exists(admin):
                time.sleep(0.01)
            start = time.perf_counter()
            run(FC, "publish")
            run("curl", "-skf", "-o", "/dev/null", alias)
            report_bound("Caddy back with 2,000 aliases", time.perf_counter() - start, 1.0)
        finally:
            for process in processes:
                process.terminate()
                process.wait()
            for name in ["benchweb"] + [f"bench{number:04}" for number in range(1000)]:
                os.unlink(f"{RECORDS}/{name}.json")
            os.unlink("/etc/devhost/devhost.cfg")
            run(FC, "publish")


def bench_provision():
    """20 RUN, ECHO and COPY lines of devhost-provision beside those of batou's own script, on one VM."""
    os.makedirs(IMAGES, exist_ok=True)
    shutil.copy(IMAGE, f"{IMAGES}/debian-12.qcow2")
    with tempfile.TemporaryDirectory() as folder:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/key")
        run(FC, "ensure", "--memory", "1024", "--cpu", "2", "--disk-size", "8G", "--image-url",
            f"file://{IMAGES}/debian-12.qcow2", "--channel-url", "https://example.com/channel",
            "--authorized-key", open(f"{folder}/key.pub").read().strip(), "bench-provision")
        record = json.load(open(f"{RECORDS}/bench-provision.json"))
        with open(f"{folder}/known_hosts", "w") as file:
            file.write(f"bench-provision {record['host-key']}\n")
        with open(f"{folder}/ssh_config", "w") as file:
            file.write(f"Host bench-provision\n HostName {record['srv-ip']}\n HostKeyAlias bench-provision\n"
                       f" User developer\n IdentityFile {folder}/key\n IdentitiesOnly yes\n"
                       f" UserKnownHostsFile {folder}/known_hosts\n")
        time.sleep(10)  # The guest's own boot goes on behind sshd.
        lines = subprocess.run(
            [f"{os.path.dirname(os.path.abspath(__file__))}/provision-verbs", f"{BINARIES}/devhost-provision",
             f"{folder}/ssh_config", "bench-provision", "s-dev"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False).stdout.decode().splitlines()
        if len(lines) < 4:
            sys.exit(f"provision-verbs measured nothing: {lines}")
        for line in lines[1:4]:
            verb, before, now, _ = line.split()
            ratio(f"20 {verb}, batou's script", int(now) / 1000, int(before) / 1000, 0.1)
    run(FC, "destroy", "bench-provision")


def mock_devhost(folder):
    """A devhost on libvirt's mock driver; returns its configuration and an image."""
    os.makedirs(folder)
    node = ("<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>1</sockets>"
            "<cores>8</cores><threads>1</threads></cpu><memory>134217728</memory></node>")
    with open(f"{folder}/node.xml", "w") as file:
        file.write(node)
    with open(f"{folder}/devhost.cfg", "w") as file:
        file.write(f"[devhost]\nlibvirt-uri = test://{folder}/node.xml\nstate = {folder}/state\n"
                   f"records = {folder}/records\nhosts-file = {folder}/hosts\n"
                   f"[images]\nfile-folders = {folder}\n[publish]\nproxy = none\n"
                   "[limits]\nmemory-overcommit = yes\n")
    run("qemu-img", "create", "-q", "-f", "qcow2", f"{folder}/image.qcow2", "1G")
    return f"{folder}/devhost.cfg", f"file://{folder}/image.qcow2"


def ensures(folder, how):
    configuration, image = mock_devhost(folder)
    words = run(f"{BINARIES}/bench-tool", "ensures", configuration, image, "16", how).stdout.split()
    return float(words[0]), float(words[1])


def bench_concurrency():
    """16 ensures on the mock, side by side and in a row; list meanwhile; doctor with 1,000 VMs."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [ensures(f"{folder}/row{number}", "in-a-row") for number in range(3)]
        sides = [ensures(f"{folder}/side{number}", "side-by-side") for number in range(3)]
        middle = [statistics.median(column) for column in zip(*sides)]
        ratio("16 ensures at once, in a row", middle[0], statistics.median(time for time, _ in rows), 0.7)
        report_bound("longest hold of a shared lock", middle[1], 0.02)
        configuration, image = mock_devhost(f"{folder}/list")
        many = subprocess.Popen(
            [f"{BINARIES}/bench-tool", "ensures", configuration, image, "400", "side-by-side"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while not os.path.exists(f"{folder}/list/records/vm0.json"):
            time.sleep(0.01)
        report_bound("list during ensures", seconds([FC, "--config", configuration, "list"]), 0.1)
        many.kill()
        many.wait()
    write_records(1000)
    run(FC, "images")  # The pools are there from here on.
    disks = "/var/lib/devhost/_disks"
    run("qemu-img", "create", "-q", "-f", "qcow2", f"{disks}/first", "1G")
    for number in range(1000):
        shutil.copy(f"{disks}/first", f"{disks}/bench{number:04}.qcow2")
        define(f"<domain type='qemu'><name>bench{number:04}</name><memory>65536</memory>"
               "<metadata><vm xmlns='urn:devhost:vm'/></metadata>"
               "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>")
    os.unlink(f"{disks}/first")
    run("virsh", "pool-refresh", "devhost-disks")
    start = time.perf_counter()
    subprocess.run([FC, "doctor", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report_bound("doctor, 1,000 VMs", time.perf_counter() - start, 5)
    for number in range(1000):
        run("virsh", "-q", "undefine", f"bench{number:04}")
        os.unlink(f"{RECORDS}/bench{number:04}.json")
        os.unlink(f"{disks}/bench{number:04}.qcow2")
    run("virsh", "pool-refresh", "devhost-disks")


BENCHES = {"publish": bench_publish, "list": bench_list, "ensure": bench_ensure, "images": bench_images,
           "suspend": bench_suspend, "warm": bench_warm, "concurrency": bench_concurrency, "provision": bench_provision}
for name, bench in BENCHES.items():
    if not WANTED or name in WANTED:
        bench()
sys.exit(1 if failed else 0)
