#!/usr/bin/python3
"""Random trees and path lists, and whether a sandbox shows what a naive reading of the specification says (paths.bats).

paths.py FOLDER SEED COUNT [--forget-denials] -- COMMAND...   COMMAND reads a policy from its standard input and runs it

The reading: the deepest listed folder decides (D4), of two intents on one object the strictest (D6); what is listed nowhere is absent (D1);
what is denied is listed by its parent and can't be read, written or changed (D5), nor a file of it by another hard link (D6). Each policy
that is run is a line `ran`, each refused one `refused`, each difference a line of its own. --forget-denials leaves the denials out of
what COMMAND gets: a check that can't find that finds nothing.
"""
import json
import os
import random
import shlex
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing beside the sources
from operations import OPERATIONS

READWRITE, READONLY, DENIED = 1, 2, 3
LISTS = {"readwritePaths": READWRITE, "readonlyPaths": READONLY, "deniedPaths": DENIED}
REFUSED = "EACCES", "EPERM", "EROFS"

# What runs in the sandbox: each operation on each path, and its outcome.
PROBE = OPERATIONS + """
import json
def read(path):
    os.listdir(path) if os.path.isdir(path) else os.close(os.open(path, os.O_RDONLY))
print(json.dumps({path: {
    "seen": os.path.lexists(path), "listed": is_listed(path), "read": outcome(lambda: read(path)), "write": outcome(lambda: write(path)),
    "mode": outcome(lambda: os.chmod(path, os.stat(path).st_mode & 0o7777))} for path in json.loads(os.environ["PATHS"])}))
"""


def identity(path):
    found = os.stat(path)
    return found.st_dev, found.st_ino


class Tree:
    """Folders, files, hard links and symbolic links with few names, so that they meet."""

    def __init__(self, top):
        shutil.rmtree(top, ignore_errors=True)
        os.makedirs(top)
        self.folders, self.files, self.links = [top], [], []
        for _ in range(random.randint(5, 20)):
            folder = random.choice(self.folders)
            path = os.path.join(folder, random.choice("abcd"))
            if not os.path.lexists(path):
                self.add(folder, path)

    def add(self, folder, path):
        kind = random.random()
        if kind < 0.45:
            os.mkdir(path)
            self.folders.append(path)
        elif kind < 0.7 or not self.files:
            with open(path, "w", encoding="ascii"):
                self.files.append(path)
        elif kind < 0.85:
            os.link(random.choice(self.files), path)
            self.files.append(path)
        else:
            target = random.choice(self.folders + self.files + self.links)
            os.symlink(random.choice((target, os.path.relpath(target, folder))), path)
            self.links.append(path)


def make_lists(tree):
    """A grant is named as it is, a denial also by a link."""
    lists = {name: [] for name in LISTS}
    for _ in range(random.randint(1, 5)):
        name = random.choice(list(LISTS))
        path = random.choice(tree.folders + tree.files + (tree.links if name == "deniedPaths" else []))
        lists[name].append(random.choice((path, path, os.path.join(os.path.dirname(path), ".", os.path.basename(path)))))
    return lists


class Reading:
    def __init__(self, tree, lists):
        self.listed = {}
        for name, intent in LISTS.items():
            for path in map(os.path.realpath, lists[name]):
                self.listed[path] = max(self.listed.get(path, 0), intent)
        strictest = {}
        for path, intent in self.listed.items():
            strictest[identity(path)] = max(strictest.get(identity(path), 0), intent)
        self.listed = {path: strictest[identity(path)] for path in self.listed}
        self.denied = {identity(path) for path in tree.files if self.intent(path) == DENIED}

    def intent(self, path):
        while path not in self.listed and path != "/":
            path = os.path.dirname(path)
        return self.listed.get(path, 0)

    def holds_a_grant(self, folder):
        return any(path.startswith(folder + "/") and intent != DENIED for path, intent in self.listed.items())

    def difference(self, path, is_file, got):
        """What should not be so, or None."""
        intent = self.intent(path)
        if is_file and intent and identity(path) in self.denied:
            intent = DENIED
        allowed = [operation for operation in ("read", "write", "mode") if got[operation] == "ok"]
        if not intent:
            is_parent = any(listed.startswith(path + "/") for listed in self.listed)
            return "is not listed, and seen" if got["seen"] and not is_parent else None
        if intent == READWRITE:
            return None if len(allowed) == 3 else "is read-write, and is not"
        if intent == READONLY:
            return None if allowed == ["read"] and got["write"] in REFUSED else "is read-only, and is not"
        if self.holds_a_grant(path):  # its place has to be reached
            return "is denied, and written" if "write" in allowed else None
        if allowed:
            return "is denied, and is not"
        is_granted = self.intent(os.path.dirname(path)) in (READONLY, READWRITE)
        return "is denied, and not listed" if is_granted and not got["listed"] else None


def run(tree, lists, command, forget):
    shown = dict(lists, deniedPaths=[]) if forget else lists
    paths = tree.folders + tree.files
    policy = {"version": "1.0.0", "filesystem": shown, "process": {
        "commandLine": "/usr/bin/python3 -c " + shlex.quote(PROBE), "env": ["PATH=/usr/bin:/bin", "PATHS=" + json.dumps(paths)]}}
    done = subprocess.run(command, input=json.dumps(policy), capture_output=True, text=True, check=False)
    if done.returncode:
        print("refused", done.stderr.strip().replace("\n", " "))
        return
    got, reading = json.loads(done.stdout), Reading(tree, lists)
    print("ran")
    for path in paths:
        what = reading.difference(path, path in tree.files, got[path])
        if what:
            print("difference:", path, what, got[path], lists)


def main():
    folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    options, command = sys.argv[4:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    for number in range(seed, seed + count):
        random.seed(number)
        tree = Tree(folder)
        lists = make_lists(tree)
        if lists["readonlyPaths"] or lists["readwritePaths"]:
            run(tree, lists, command, "--forget-denials" in options)


main()
