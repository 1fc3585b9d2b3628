#!/usr/bin/python3
"""Bundles with policies of several carriers at random, and whether a container is what a naive reading of policy-in-bundles.md says of
them (carriers_random.bats).

carriers_random.py FOLDER SEED COUNT --network PID [--deep] [--forget CARRIER] -- COMMAND...   COMMAND is the runtime with its global options
carriers_random.py knock ADDRESS PORT   sends there until it is killed

FOLDER has bundle/config.json, and bundle/rootfs with the host's programs; PID is a process whose network namespace has a way to somewhere
and is knocked at from outside, port 7575. A case is a random tree with volumes, and one to four policies in random carriers; what the
container can do is tried by its workload, at every path, destination and call. What `plan` says is compared as well, also without the
carrier that it says has decided. Each case is a line `ran` or `refused`, each difference a line of its own.

--deep: the same again without each carrier, which may open nothing, with the owner's files in another order, and with empty policies
besides. --forget leaves a carrier out of what COMMAND gets: a check that can't find that finds nothing.
"""
import argparse
import contextlib
import copy
import ipaddress
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing beside the sources
from operations import OPERATIONS

OPEN, READONLY, DENIED = 0, 1, 2
LISTS = {"readwritePaths": OPEN, "readonlyPaths": READONLY, "deniedPaths": DENIED}
WORDS = "readwrite", "readonly", "denied"
SLOW = int(os.environ.get("MXCRUN_TEST_SLOW", "1"))
MB = 1 << 20

CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3, "CAP_KILL": 5, "CAP_SETUID": 7,
                "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_MODULE": 16, "CAP_SYS_ADMIN": 21}
HARMLESS = "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETUID"
DESTINATIONS = [(kind, address, port) for kind in ("udp", "tcp") for address in ("198.51.100.11", "203.0.113.8", "2001:db8:1::11")
                for port in (80, 90)]

# What no carrier may say: a section, or a member of one.
WRONG = (
    ("ui", {"disable": True}), ("containment", "process"), ("version", "0.7.0"), ("version", "2.0.0"), ("lifecycle", {}), ("mxc", {}),
    ("process", {"commandLine": "id"}), ("process", {"timeout": -1}), ("process", {"env": []}),
    ("filesystem", {"deniedPaths": ["/"]}), ("filesystem", {"deniedPaths": ["t/a"]}), ("filesystem", {"readonlyPaths": ["/t/../t"]}),
    ("filesystem", {"readonlyPaths": ["/proc/self"]}), ("filesystem", {"deniedPath": []}),
    ("network", {"ingress": {"hostLoopback": "allow"}}), ("network", {"proxy": {"localhost": 3128}}), ("network", {"allowedHosts": ["192.0.2.1"]}),
    ("network", {"egress": {"default": "block"}}), ("network", {"egress": {"default": "allow"}, "defaultPolicy": "allow"}),
    ("bubblewrap", {"keepCaps": ["CAP_NOTHING"]}), ("bubblewrap", {"dropCaps": ["kill"]}), ("bubblewrap", {"seccompProfile": "none"}),
    ("bubblewrap", {"namespaces": {"ipc": False}}), ("bubblewrap", {"customBinds": [{"source": "/etc"}]}), ("bubblewrap", {"engine": "bwrap"}),
    ("bubblewrap", {"resources": {"io": {"weight": 100}}}), ("bubblewrap", {"resources": {"memoryMb": 0}}), ("bubblewrap", {"resources": {"pids": -1}}),
)

# What runs in the container: each attempt, and its outcome.
PROBE = OPERATIONS + r"""
import ctypes, json, socket, sys, time
ask = json.loads(os.environ["ASK"])
def read(path):
    if os.path.isdir(path):
        os.listdir(path)
    else:
        with open(path) as f:
            return "ok:" + f.read()
def mode(path):
    os.chmod(path, os.stat(path).st_mode & 0o7777)
def move(path):
    os.rename(path, path + ".moved")
    os.rename(path + ".moved", path)
def look(path):
    got = {name: outcome(lambda: operation(path)) for name, operation in
           (("read", read), ("write", write), ("mode", mode), ("move", move))}
    return dict(got, listed=is_listed(path))
def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET
def send(address, port):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.sendto(b"x", (address, port))
def connect_all(ways):
    sockets = []
    for address, port in ways:
        s = socket.socket(family(address), socket.SOCK_STREAM)
        s.setblocking(False)
        sockets.append((address, port, s, s.connect_ex((address, port))))
    time.sleep(0.03)
    got = {}
    for address, port, s, first in sockets:
        error = first if first not in (0, errno.EINPROGRESS) else s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        got["tcp %s %d" % (address, port)] = "ECONNREFUSED" if error == errno.ECONNREFUSED else "ok"
    return got
def hear():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 7575))
        s.settimeout(ask["patience"])
        s.recv(10)
def keyctl():
    r = libc.syscall({"x86_64": 250, "aarch64": 219}[os.uname().machine], 0, -3, 0)
    return "ok" if r >= 0 else errno.errorcode[ctypes.get_errno()]
libc = ctypes.CDLL(None, use_errno=True)
def first(*names):
    for name in names:
        try:
            with open("/sys/fs/cgroup/" + name) as f:
                return f.read().split()[0]
        except OSError:
            pass
status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
result = {"paths": {path: look(path) for path in ask["paths"]}}
result["caps"] = {key: int(status["Cap" + key], 16) for key in ("Eff", "Prm", "Bnd", "Inh", "Amb")}
result["filters"] = int(status["Seccomp_filters"])
result["calls"] = {"symlink": outcome(lambda: os.symlink("x", "/dev/shm/x")), "keyctl": keyctl(),
                   "sethostname": outcome(lambda: socket.sethostname("x"))}
result["limits"] = {"memory": first("memory/memory.limit_in_bytes", "memory.max"), "pids": first("pids/pids.max", "pids.max"),
                    "cpu": first("cpu/cpu.cfs_quota_us", "cpu.max")}
if ask["network"]:
    result["network"] = {"udp %s %d" % (a, p): outcome(lambda: send(a, p)) for k, a, p in ask["network"] if k == "udp"}
    result["network"].update(connect_all([(a, p) for k, a, p in ask["network"] if k == "tcp"]))
    result["heard"] = outcome(hear)
print(json.dumps(result), flush=True)
time.sleep(ask["stay"])
print("late")
"""


# ---- what is asked ----

class World:
    """The folders, the same for all cases but the small tree."""

    def __init__(self, top):
        self.top = top
        self.root = os.path.join(top, "bundle/rootfs")
        self.admin = os.path.join(top, "admin")
        self.granted = os.path.join(top, "granted")  # of the host, and not in the image
        self.hollow = os.path.join(top, "hollow")  # of the host, and an empty folder of the image
        self.profile = os.path.join(top, "profile.json")
        self.volume = os.path.join(top, "volume")
        for path in (self.root + self.hollow, self.admin + "/policy.d", self.admin + "/policies"):
            os.makedirs(path, exist_ok=True)
        with open(self.profile, "w", encoding="ascii") as f:
            json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}, f)
        with open(top + "/bundle/config.json", encoding="utf-8") as f:
            self.config = json.load(f)
        for folder, _, _ in os.walk(self.root):
            os.chown(folder, 100000, 100000)

    def make_folders(self):
        for top, word in ((self.granted, "host"), (self.hollow, "host"), (self.volume, "volume")):
            shutil.rmtree(top, ignore_errors=True)
            for folder in ("", "/a", "/a/b"):
                os.makedirs(top + folder)
                with open(top + folder + "/f", "w", encoding="ascii") as f:
                    f.write(word)
        shutil.rmtree(self.root + "/t", ignore_errors=True)
        shutil.rmtree(self.root + self.granted, ignore_errors=True)


class Case:
    def __init__(self, world):
        self.world = world
        self.folders, self.files = ["/t"], []
        self.mounts = {}  # place -> how: rw, ro, tmpfs
        self.hollow = set()
        self.links = {}  # name -> what it leads to
        self.make_tree()
        self.root_readonly = random.random() < 0.1
        self.in_userns = random.random() < 0.15
        self.own_filter = random.random() < 0.2
        self.limits = {}
        if random.random() < 0.3:
            self.limits = {"memory": random.choice((48, 100, 300)) * MB, "pids": random.choice((40, 200)), "cpu": random.choice((1, 3))}
        self.caps = set(random.sample(HARMLESS, random.randint(0, 4)))
        if random.random() < 0.15:
            self.caps.add(random.choice([c for c in CAPABILITIES if c not in HARMLESS]))
        self.network = "joined" if random.random() < 0.5 else "host" if random.random() < 0.05 else "own"
        self.host_pids = not self.in_userns and random.random() < 0.04
        self.grants = {}  # of the admin configuration
        if random.random() < 0.3:
            self.grants = {random.choice(("readonlyPaths", "readwritePaths")): [random.choice((world.granted, world.granted + "/a", "/t"))]}
        self.policies = {}  # carrier -> document
        carriers = ["section", "annotation", "named"] + ["policy.d/%d0.json" % i for i in range(1, 4)]
        for carrier in random.sample(carriers, random.choice((1, 2, 2, 3, 3, 4))):
            self.policies[carrier] = self.make_policy(carrier)
        self.wrong = None
        if random.random() < 0.1:
            self.wrong = random.choice(list(self.policies))
            self.policies[self.wrong].update([random.choice(WRONG)])
        self.order = random.sample(carriers[3:], 3)  # names of the owner's files

    def make_tree(self):
        for _ in range(random.randint(4, 10)):
            path = os.path.join(random.choice(self.folders), random.choice("abc"))
            if path in self.folders + self.files:
                continue
            (self.folders if random.random() < 0.6 else self.files).append(path)
        for how in ("rw", "ro", "rw", "tmpfs"):
            if random.random() < 0.2:
                place = os.path.join(random.choice([f for f in self.folders if not self.mount_of(f)]), "v" + how + str(len(self.mounts)))
                self.mounts[place] = how
                self.folders.append(place)
                if how != "tmpfs":
                    self.folders += [place + "/a", place + "/a/b"]
                    self.files += [place + "/f", place + "/a/f", place + "/a/b/f"]
        for folder in [f for f in self.folders if not self.mount_of(f)]:
            if random.random() < 0.85 or any(p.startswith(folder + "/") for p in self.folders + self.files):
                self.files.append(folder + "/file")
            else:
                self.hollow.add(folder)

        for _ in range(random.choice((0, 0, 0, 1, 2))):
            name = os.path.join(random.choice([f for f in self.folders if not self.mount_of(f)]), "l%d" % len(self.links))
            self.links[name] = random.choice(self.folders[1:] + self.files)

    def follow(self, path):
        """The place that a name with a link in it leads to."""
        for name, target in self.links.items():
            if is_within(path, name):
                return target + path[len(name):]
        return path

    def mount_of(self, path):
        while path != "/" and path not in self.mounts:
            path = os.path.dirname(path)
        return self.mounts.get(path)

    def paths(self):
        w = self.world
        return self.folders + self.files + [top + rest for top in (w.granted, w.hollow) for rest in ("", "/f", "/a", "/a/f", "/a/b/f")]

    def make_filesystem(self, carrier):
        w, lists = self.world, {}
        for _ in range(random.choice((1, 1, 2, 3, 4))):
            name = random.choice(list(LISTS))
            path = random.choice(self.folders + self.files)
            if carrier == "section" or random.random() < 0.1:
                path = random.choice((path, path, w.granted, w.granted + "/a", w.granted + "/a/f", w.hollow))
            elif name == "deniedPaths":
                path = random.choice((path,) * 5 + (w.granted + "/a", w.granted + "/f", "/t/absent", "/t/not/there"))
            if self.links and random.random() < 0.3 and name != "readwritePaths":
                path = random.choice(list(self.links))
            if random.random() < 0.03 and name != "deniedPaths":
                path = "/"
            lists.setdefault(name, []).append(random.choice((path, path, path.rstrip("/") + "/", path.replace("/", "//./", 1))))
        if carrier != "section" and lists.get("readwritePaths") and random.random() < 0.8:  # holes, mostly
            lists.setdefault(random.choice(("readonlyPaths", "deniedPaths")), []).append("/t")
        return lists

    def make_network(self):
        def peer():
            p = {"cidr": random.choice(("0.0.0.0/0", "198.51.100.0/24", "203.0.113.8", "128.0.0.0/1", "2000::/3", "2001:db8:1::11"))}
            if p["cidr"] == "0.0.0.0/0" and random.random() < 0.4:
                p["except"] = ["198.51.100.11/32"]
            return p
        def rule():
            r = {}
            if random.random() < 0.8:
                r["to"] = [peer() for _ in range(random.randint(1, 2))]
            if random.random() < 0.6:
                r["ports"] = [random.choice(({"protocol": "tcp"}, {"protocol": "udp", "port": 80}, {"port": 80, "endPort": 85}, {"port": 90}))]
            return r
        network = {}
        if random.random() < 0.8:
            network["egress"] = {"default": random.choice(("allow", "allow", "deny"))}
            for verdict in ("allow", "deny"):
                if random.random() < 0.5:
                    network["egress"][verdict] = [rule() for _ in range(random.randint(1, 2))]
        if random.random() < 0.5:
            network["ingress"] = {"default": random.choice(("allow", "allow", "deny"))}
        return network

    def make_policy(self, carrier):
        policy = {}
        if random.random() < 0.3:
            policy["version"] = random.choice(("0.9.0-alpha", "1.0.0", "1.1.0-alpha", "0.8.0"))
        if random.random() < 0.7:
            policy["filesystem"] = self.make_filesystem(carrier)
        if random.random() < (0.5 if self.network == "joined" else 0.05):
            policy["network"] = self.make_network()
        if random.random() < 0.2:
            policy["process"] = {"timeout": random.choice((700,) + (60000, 50000, 40000) * 3) * SLOW}
        section = {}
        if random.random() < 0.3:
            section["resources"] = {key: random.choice(values) for key, values in
                                    (("memoryMb", (64, 128, 256)), ("cpuCount", (1, 2, 4)), ("pids", (30, 60, 90))) if random.random() < 0.6}
        if random.random() < 0.2:
            section["seccompProfile"] = random.choice(("default", "denylist", self.world.profile))
            if carrier == "annotation" and section["seccompProfile"][0] == "/" and random.random() < 0.9:
                section["seccompProfile"] = "denylist"
        if random.random() < 0.2:
            section["keepCaps"] = random.sample(list(CAPABILITIES), random.randint(0, 5))
        if random.random() < 0.2:
            section["dropCaps"] = random.choice((["ALL"],) + tuple(random.sample(list(CAPABILITIES), n) for n in (1, 1, 2, 3)))
        if section:
            policy["bubblewrap"] = section
        return policy

    def without(self, carrier):
        other = copy.copy(self)
        other.policies = {c: p for c, p in self.policies.items() if c != carrier}
        return other

    # ---- on the disk ----

    def prepare(self):
        w = self.world
        w.make_folders()
        for folder in self.folders:
            if not self.mount_of(folder) or folder in self.mounts:
                os.makedirs(w.root + folder, exist_ok=True)
        for name, target in self.links.items():
            os.symlink(random.choice((target, os.path.relpath(target, os.path.dirname(name)))), w.root + name)
        for path in self.files:
            if not self.mount_of(path):
                with open(w.root + path, "w", encoding="ascii") as f:
                    f.write("image")
        if self.in_userns:
            for top in (w.root + "/t", w.granted, w.hollow, w.volume, w.root + w.hollow):
                for folder, folders, files in os.walk(top):
                    for name in [""] + folders + files:
                        os.lchown(os.path.join(folder, name), 100000, 100000)
        else:
            os.chown(w.root + w.hollow, 0, 0)

    def install(self, pid, stay=0):
        """Writes all carriers and config.json."""
        w, config = self.world, copy.deepcopy(self.world.config)
        for folder in ("policy.d", "policies"):
            for name in os.listdir(os.path.join(w.admin, folder)):
                os.unlink(os.path.join(w.admin, folder, name))
        for carrier, policy in self.policies.items():
            if carrier == "section":
                config["mxc"] = policy
            elif carrier == "annotation":
                config.setdefault("annotations", {})["mxc.policy"] = json.dumps(policy)
            else:
                name = "policies/named.json" if carrier == "named" else carrier
                if carrier == "named":
                    config.setdefault("annotations", {})["mxc.policy-name"] = "named"
                with open(os.path.join(w.admin, name), "w", encoding="utf-8") as f:
                    json.dump(policy, f)
        with open(w.admin + "/mxcrun.json", "w", encoding="utf-8") as f:
            json.dump({"annotationGrants": self.grants} if self.grants else {}, f)
        self.configure(config, pid, stay)
        with open(w.top + "/bundle/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f)

    def configure(self, config, pid, stay):
        linux = config["linux"]
        config["root"]["readonly"] = self.root_readonly
        config["process"]["capabilities"] = {key: sorted(self.caps) for key in ("bounding", "effective", "permitted", "inheritable", "ambient")}
        for place, how in self.mounts.items():
            config["mounts"].append({"destination": place, "type": "tmpfs", "source": "tmpfs"} if how == "tmpfs" else
                                    {"destination": place, "type": "bind", "source": self.world.volume, "options": ["rbind", how]})
        spaces = [s for s in linux["namespaces"] if s["type"] not in ("network", "pid")]
        if not self.host_pids:
            spaces.append({"type": "pid"})
        if self.network != "host":
            spaces.append(dict({"type": "network"}, **({"path": "/proc/%d/ns/net" % pid} if self.network == "joined" else {})))
        if self.in_userns:
            spaces.append({"type": "user"})
            if self.network != "own":  # a sysfs takes a network namespace of the user namespace's
                config["mounts"] = [m for m in config["mounts"] if m["type"] not in ("sysfs", "cgroup")]
            linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        linux["namespaces"] = spaces
        if self.limits:
            linux.setdefault("resources", {}).update({
                "memory": {"limit": self.limits["memory"]}, "pids": {"limit": self.limits["pids"]},
                "cpu": {"quota": self.limits["cpu"] * 100000, "period": 100000}})
        if self.own_filter:
            linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 6}]}
        ask = {"paths": self.paths(), "stay": stay, "network": DESTINATIONS if self.network == "joined" else [], "patience": 0.06 * SLOW}
        config["process"]["args"] = ["/usr/bin/python3", "-SE", "-c", PROBE]
        config["process"]["env"].append("ASK=" + json.dumps(ask))


# ---- the reading ----

class Refused(Exception):
    pass


def is_within(path, top):
    return top == "/" or path == top or path.startswith(top + "/")


def is_in(address, peer):
    address = ipaddress.ip_address(address)
    return address in ipaddress.ip_network(peer["cidr"]) and not any(address in ipaddress.ip_network(b) for b in peer.get("except", ()))


def is_port(kind, number, port):
    first = port.get("port", 0)
    return port.get("protocol", "any") in (kind, "any") and first <= number <= port.get("endPort", port.get("port", 65535))


def hits(rule, kind, address, number):
    return ("to" not in rule or any(is_in(address, peer) for peer in rule["to"])) and (
        "ports" not in rule or any(is_port(kind, number, port) for port in rule["ports"]))


class Reading:
    def __init__(self, case):
        if case.wrong in case.policies:
            raise Refused("what %s says" % case.wrong)
        self.case = case
        self.listed = {}  # carrier -> path -> word
        self.entries = []  # of the lists: carrier, path, word
        for carrier, policy in case.policies.items():
            words = self.listed[carrier] = {}
            for name, word in LISTS.items():
                for path in policy.get("filesystem", {}).get(name, ()):
                    path = os.path.normpath(path.replace("//", "/"))
                    words[path] = max(words.get(path, 0), word)
                    self.entries.append((carrier, path, word))
                    if case.follow(path) != path:  # a restriction by another name, which nobody's more specific path takes back
                        self.listed["%s by %s" % (carrier, path)] = {case.follow(path): word}
        self.bound = {}  # what grants bring from the host
        self.check_grants()
        self.check_rest()

    def section(self, key):
        return {c: p["bubblewrap"][key] for c, p in self.case.policies.items() if key in p.get("bubblewrap", {})}

    def networks(self):
        return {c: p["network"] for c, p in self.case.policies.items() if "network" in p}

    # paths

    def word_of(self, carrier, path):
        """The most specific path decides; a read-only / leaves /dev and /proc."""
        words = self.listed[carrier]
        top = path
        while top not in words and top != "/":
            top = os.path.dirname(top)
        if top == "/" and words.get("/") == READONLY and (is_within(path, "/dev") or is_within(path, "/proc")):
            return OPEN
        return words.get(top, OPEN)

    def word(self, path):
        return max((self.word_of(carrier, path) for carrier in self.listed), default=OPEN)

    def is_hole(self, carrier, path):
        while path != "/":
            path = os.path.dirname(path)
            if self.listed[carrier].get(path, OPEN) != OPEN:
                return True
        return False

    def may_grant(self, carrier, path, word):
        if carrier.startswith("policy.d"):
            return False
        grants = self.case.grants
        lists = grants.get("readwritePaths", []) + (grants.get("readonlyPaths", []) if word == READONLY else [])
        return carrier == "section" or any(is_within(path, top) for top in lists)

    def image_has(self, path):
        """Something; "hollow" for an empty folder; False."""
        c = self.case
        if path == c.world.hollow or path in c.hollow:
            return "hollow"
        path = c.follow(path)
        return path == "/" or c.mount_of(path) is not None or path in c.folders + c.files or c.world.top.startswith(path)

    def check_grants(self):
        w = self.case.world
        for carrier, path, word in self.entries:
            if word == DENIED:
                continue
            hole = word == OPEN and self.is_hole(carrier, path)
            if not self.may_grant(carrier, path, word):
                if word == OPEN and not hole:
                    raise Refused("a grant of " + carrier)
                continue
            has = self.image_has(path)
            on_host = is_within(path, w.granted) or is_within(path, w.hollow)
            if has is True or (has and (hole or not on_host)) or self.word(path) == DENIED:
                continue
            if not on_host:
                raise Refused("what is nowhere")
            self.bound[path] = carrier

    def is_there(self, path):
        """In the container, were it not for regions: what it reads as, or None."""
        c, w = self.case, self.case.world
        if any(is_within(path, top) for top in self.bound):
            return "host"
        if c.mount_of(path):
            return "volume"
        if path in c.folders + c.files:
            return "image"
        return "image" if path == w.hollow else None

    def is_writable(self, path):
        c = self.case
        if any(is_within(path, top) for top in self.bound):
            return True
        how = c.mount_of(path)
        return how in ("rw", "tmpfs") if how else not c.root_readonly

    # the rest

    def caps(self):
        caps = set(self.case.caps)
        for kept in self.section("keepCaps").values():
            caps &= set(kept)
        for dropped in self.section("dropCaps").values():
            caps -= caps if "ALL" in dropped else set(dropped)
        return caps

    def check_rest(self):
        c, caps, words = self.case, self.caps(), [w for words in self.listed.values() for w in words.values()]
        if c.policies.get("annotation", {}).get("bubblewrap", {}).get("seccompProfile", "")[:1] == "/":
            raise Refused("an annotation's file")
        if self.networks() and c.network == "host":
            raise Refused("the host's network")
        if c.host_pids and (self.networks() or self.timeout()):
            raise Refused("the host's processes")
        undoing = set()
        if READONLY in words or DENIED in words:
            undoing.add("CAP_SYS_ADMIN")
        if DENIED in words:
            undoing.add("CAP_DAC_READ_SEARCH")
        if self.networks():
            undoing |= {"CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_MODULE"}
        if caps & undoing:
            raise Refused("capabilities " + " ".join(caps & undoing))

    def timeout(self):
        return min((p["process"]["timeout"] for p in self.case.policies.values() if "process" in p), default=0)

    def limit(self, key, own, unit):
        limits = [r[key] * unit for r in self.section("resources").values() if key in r]
        return min(limits + ([self.case.limits[own] * (100000 if own == "cpu" else 1)] if self.case.limits else []), default=None)

    def passes(self, kind, address, port):
        for network in self.networks().values():
            egress = network.get("egress", {})
            verdict = egress.get("default", "deny") == "allow" or any(hits(r, kind, address, port) for r in egress.get("allow", ()))
            if not verdict or any(hits(r, kind, address, port) for r in egress.get("deny", ())):
                return False
        return True

    # ---- what should not be so ----

    def path_difference(self, path, got):
        word, content = self.word(path), self.is_there(path)
        allowed = {name for name in ("read", "write", "mode", "move") if got[name].startswith("ok")}
        tops = [t for words in self.listed.values() for t in words]
        holds = [t for t in tops if t != path and is_within(t, path) and t not in self.case.links]
        if content is None:
            return "is nowhere, and is reached" if allowed and not any(is_within(t, path) for t in tops) else None
        reopened = any(self.word(t) != DENIED for t in holds)
        if word == DENIED:
            if allowed - ({"read"} if reopened else set()):
                return "is denied, and is not"
            parent = os.path.dirname(path)
            return "is denied, and not listed" if self.word(parent) != DENIED and not got["listed"] else None
        if word == READONLY:
            if allowed != {"read"}:
                return "is read-only, and is not"
        elif allowed - {"move"} != ({"read", "write", "mode"} if self.is_writable(path) else {"read"}):
            return "is open, and is not as the container has it"
        if got["read"].startswith("ok:") and got["read"] != "ok:" + content:
            return "is another file than " + content
        if "move" in allowed and any(self.word(t) != OPEN for t in holds):
            return "can be moved, with what is restricted inside"
        return None

    def differences(self, got):
        for path, seen in got["paths"].items():
            what = self.path_difference(path, seen)
            if what:
                yield "%s %s: %s" % (path, what, seen)
        mask = sum(1 << CAPABILITIES[c] for c in self.caps() - ({"CAP_NET_RAW"} if self.networks() else set()))
        if set(got["caps"].values()) != {mask}:
            yield "capabilities %s, not %x" % (got["caps"], mask)
        for key, own, unit in (("memoryMb", "memory", MB), ("pids", "pids", 1), ("cpuCount", "cpu", 100000)):
            limit = self.limit(key, own, unit)
            if limit and str(limit) != got["limits"][own] and not (self.case.in_userns and self.case.network != "own"):
                yield "limit %s is %s, not %s" % (own, got["limits"][own], limit)
        profiles = set(self.section("seccompProfile").values())
        if got["filters"] != len(profiles) + self.case.own_filter:
            yield "%d filters" % got["filters"]
        if (got["calls"]["symlink"] == "EIO") != (self.case.world.profile in profiles):
            yield "symlink gives " + got["calls"]["symlink"]
        if (got["calls"]["keyctl"] == "EPERM") != bool(profiles - {self.case.world.profile}):
            yield "keyctl gives " + got["calls"]["keyctl"]
        if (got["calls"]["sethostname"] == "ENXIO") != self.case.own_filter and profiles <= {self.case.world.profile}:
            yield "sethostname gives " + got["calls"]["sethostname"]
        if self.case.network == "joined":
            yield from self.network_differences(got)

    def network_differences(self, got):
        for kind, address, port in DESTINATIONS:
            want = "ok" if self.passes(kind, address, port) else {"tcp": "ECONNREFUSED", "udp": "EPERM"}[kind]
            key = "%s %s %d" % (kind, address, port)
            if got["network"][key] != want:
                yield "%s gives %s, not %s" % (key, got["network"][key], want)
        allows = all(n.get("ingress", {}).get("default", "deny") == "allow" for n in self.networks().values())
        if (got["heard"] == "ok") != allows:
            yield "from outside: " + got["heard"]

    # who decided

    def carrier_of(self, name):
        if name == "config.json":
            return name
        if name in ("mxc of config.json", "annotation mxc.policy"):
            return {"m": "section", "a": "annotation"}[name[0]]
        return "named" if "policies/named.json" in name else "/".join(name.split("/")[-2:])

    def plan_differences(self, plan):
        items = plan["policy"]["items"]
        for item in items:
            if item["subject"] != "path":
                continue
            own, by, path = self.carrier_of(item["carrier"]), self.carrier_of(item["decidedBy"]), item["object"]
            if self.case.links:  # the plan is made by names
                continue
            if item["enforced"] != WORDS[self.word(path)]:
                yield "plan: %s enforced, not %s: %s" % (item["enforced"], WORDS[self.word(path)], item)
            elif self.word_of(by, path) != self.word(path):
                yield "plan: %s did not decide: %s" % (by, item)
            elif by != own and self.word_of(own, path) == self.word(path):
                yield "plan: the carrier decided itself: %s" % item
        asked = sum(len(paths) for p in self.case.policies.values() for paths in p.get("filesystem", {}).values())
        if asked != sum(i["subject"] == "path" for i in items):
            yield "plan: %d paths asked for" % asked
        yield from self.plan_limits(plan)

    def plan_limits(self, plan):
        ways = {"memoryBytes": ("memoryMb", "memory", MB), "pids": ("pids", "pids", 1), "cpus": ("cpuCount", "cpu", 1)}
        for item in plan["policy"]["items"]:
            if item["subject"] not in ways and item["subject"] != "timeoutMs":
                continue
            by = self.carrier_of(item["decidedBy"])
            if item["subject"] == "timeoutMs":
                own, asked, least = None, {c: p["process"]["timeout"] for c, p in self.case.policies.items() if "process" in p}, self.timeout()
            else:
                key, own, unit = ways[item["subject"]]
                asked = {c: r[key] * unit for c, r in self.section("resources").items() if key in r}
                least = min(list(asked.values()) + ([self.case.limits[own]] if self.case.limits else []))
            if item["enforced"] != str(least):
                yield "plan: %s: enforced is %d" % (item, least)
            elif asked.get(by, self.case.limits and own and self.case.limits[own]) != least or (by == "config.json" and least in asked.values()):
                yield "plan: %s did not decide: %s" % (by, item)


# ---- running ----

class Runner:
    def __init__(self, world, command, pid):
        self.world, self.command, self.pid, self.count = world, command, pid, 0

    def start(self, verb):
        self.count += 1
        return subprocess.run(self.command + ["--admin-config", self.world.admin + "/mxcrun.json", verb, "--bundle", self.world.top + "/bundle",
                                              os.environ.get("TAG", "random") + "-%d" % self.count],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def run(self, case, stay=0):
        case.install(self.pid, stay)
        return self.start("run")

    def plan(self, case):
        case.install(self.pid)
        done = self.start("plan")
        return json.loads(done.stdout) if done.returncode == 0 else None


def reached(got):
    """Everything that a container could do, as a set."""
    ways = {(path, name) for path, seen in got["paths"].items() for name in ("read", "write", "mode", "move") if seen[name].startswith("ok")}
    ways |= {("net", key) for key, what in got.get("network", {}).items() if what == "ok"}
    ways |= {("cap", bit) for bit in range(64) if got["caps"]["Bnd"] >> bit & 1}
    ways |= {("call", name) for name, what in got["calls"].items() if what == "ok"}
    if got.get("heard") == "ok":
        ways.add("heard")
    return ways


def check_plan(runner, case, reading):
    plan = runner.plan(case)
    if not plan:
        yield "plan refuses what run does not"
        return
    yield from reading.plan_differences(plan)
    yield from check_removals(runner, case, plan)


def enforced(plan):
    return {(i["pointer"], i["subject"]): i["enforced"] for i in plan["policy"]["items"]} if plan else None


def check_removals(runner, case, plan):
    """Without the carrier that decided a thing another one says the same, or it is decided otherwise."""
    reading = Reading(case)
    deciders = {reading.carrier_of(i["decidedBy"]) for i in plan["policy"]["items"]} & set(case.policies)
    for decider in sorted(deciders)[:2]:
        others = enforced(runner.plan(case.without(decider)))
        for item in plan["policy"]["items"] if others is not None else ():
            key, own = (item["pointer"], item["subject"]), reading.carrier_of(item["carrier"])
            if reading.carrier_of(item["decidedBy"]) != decider or own == decider or key not in others:
                continue
            if item["subject"] == "capabilities" and len(case.policies) > 2:
                continue  # several may take one
            rivals = [i for i in plan["policy"]["items"] if i["subject"] == item["subject"] and i["requested"] == item["enforced"]
                      and reading.carrier_of(i["carrier"]) not in (decider, own)]
            own_limit = {"memoryBytes": "memory", "cpus": "cpu", "pids": "pids"}.get(item["subject"])
            if case.limits and own_limit and str(case.limits[own_limit]) == item["enforced"]:
                continue
            if others[key] == item["enforced"] and not rivals:
                yield "plan: without %s it is the same: %s" % (decider, item)


def knock(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        while True:
            with contextlib.suppress(OSError):
                s.sendto(b"x", (address, port))
            time.sleep(0.01)


def main():
    if sys.argv[1] == "knock":
        knock(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--network", type=int, required=True)
    parser.add_argument("--forget")
    parser.add_argument("--deep", action="store_true")
    own, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    options = parser.parse_args(own)
    world = World(os.path.realpath(options.folder))
    runner = Runner(world, command, options.network)
    for number in range(options.seed, options.seed + options.count):
        random.seed(number)
        case = Case(world)
        for line in check(runner, case, options):
            print("difference: %d: %s" % (number, line), flush=True)


def is_named(carrier, message):
    words = {"section": "mxc", "annotation": "mxc.policy", "named": "policies/named.json"}
    return (words.get(carrier, carrier) in message or "may only restrict" in message) and len(message.splitlines()) == 1


def check(runner, case, options):
    case.prepare()
    shown = case.without(options.forget) if options.forget else case
    try:
        reading, why = Reading(case), None
    except Refused as e:
        reading, why = None, str(e)
    is_short = reading and 0 < reading.timeout() <= 1000 * SLOW
    done = runner.run(shown, 5 * SLOW if is_short else 0)
    lines = done.stdout.splitlines()
    print("ran" if lines else "refused " + done.stderr.strip(), why or "", flush=True)
    if why or not lines:
        if lines:
            yield "should be refused: %s: %s" % (why, case.policies)
        elif not why and not (case.links and any(words in done.stderr for words in (" by a link", " is neither in the container"))):
            yield "should not be refused: %s: %s" % (done.stderr.strip(), case.policies)
        elif why and runner.plan(shown):
            yield "plan does not refuse it: " + why
        elif case.wrong and not is_named(case.wrong, done.stderr):
            yield "%s is not named: %s" % (case.wrong, done.stderr)
        return
    if is_short and (len(lines) > 1 or "timed out" not in done.stderr):
        yield "no time limit of %d" % reading.timeout()
    got = json.loads(lines[0])
    yield from reading.differences(got)
    yield from check_plan(runner, shown, reading)
    if options.deep:
        yield from check_relations(runner, case, got)


def attempt(runner, case):
    done = runner.run(case)
    return json.loads(done.stdout.splitlines()[0]) if done.stdout else None


def check_relations(runner, case, got):
    for carrier in case.policies:
        case.prepare()
        fewer = attempt(runner, case.without(carrier))
        if fewer and carrier not in ("section",) and not case.grants:
            gained = {way for way in reached(got) - reached(fewer) if way[0][0] != "/" or Reading(case.without(carrier)).is_there(way[0])}
            if gained:
                yield "%s opens %s" % (carrier, gained)
    case.prepare()
    other = copy.copy(case)
    names = dict(zip(["policy.d/%d0.json" % i for i in range(1, 4)], case.order))
    other.policies = {names.get(c, c): p for c, p in case.policies.items()}
    again = attempt(runner, other)
    if not again or reached(again) != reached(got):
        yield "another order of the owner's files: %s" % (again and reached(again) ^ reached(got))
    case.prepare()
    more = copy.copy(case)
    more.policies = dict({c: {} for c in ("section", "annotation", "named", "policy.d/00.json")}, **case.policies)
    again = attempt(runner, more)
    if not again or reached(again) != reached(got) or again["limits"] != got["limits"] or again["filters"] != got["filters"]:
        yield "empty policies change something: %s" % (again and reached(again) ^ reached(got))


main()
