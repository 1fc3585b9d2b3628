#!/usr/bin/env bats
# Kernels without the mount API (before Linux 5.12): the same mounts, masks and denials by mount(2).
# A seccomp filter takes the calls away; the runtime then finds a kernel that has none.

load helpers
load compare
GUARDS="root jq mxcrun"

test_setup() {
	REAL=$MXCRUN
	MXCRUN=$BATS_TEST_TMPDIR/mxcrun
	printf '#!/bin/sh\nexec "%s/old_kernel" "%s" "$@"\n' "$MXCRUN_TEST_BIN" "$REAL" >"$MXCRUN"
	chmod 755 "$MXCRUN"
}

@test "the default bundle: mounts, masks, read-only root and devices are as the config says" {
	make_bundle '.root.readonly = true'
	start_container "$TAG"
	compare_namespaces "$PID"
	compare_mounts "$PID"
	compare_masks "$PID"
	compare_devices "$PID"
	equal "$(open_descriptors "$PID")" "0 1 2 "
}

@test "binds: flags, recursive read-only, and a plain bind that leaves what is below writable" {
	mkdir -p "$BATS_TEST_TMPDIR/src/sub"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/src/sub"
	make_bundle --arg src "$BATS_TEST_TMPDIR/src" '.mounts += [
		{destination: "/plain", type: "bind", source: $src, options: ["rbind", "ro", "nosuid"]},
		{destination: "/all", type: "bind", source: $src, options: ["rbind", "rro"]}]'
	script 'grep -c " /plain ro,nosuid" /proc/self/mountinfo; echo a >/plain/sub/a && echo plain
		echo b >/all/sub/b || echo refused; echo c >/all/c || echo refused too'
	run_bundle
	umount "$BATS_TEST_TMPDIR/src/sub"
	equal "$output" "1
plain
refused
refused too"
}

@test "a tmpfs that starts with what the root has there" {
	make_bundle '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro", "size=1m"]}]'
	mkdir -p "$BUNDLE/rootfs/data" && echo from the root >"$BUNDLE/rootfs/data/f"
	script 'cat /data/f; echo x >/data/g || echo refused'
	run_bundle
	equal "$output" "from the root
refused"
}

@test "a user namespace: devices are bound" {
	make_userns_bundle
	start_container "$TAG"
	compare_mounts "$PID"
	compare_masks "$PID"
	compare_devices "$PID"
}

@test "a terminal and its console" {
	make_bundle '.process.terminal = true'
	script 'tty; stat -c %F /dev/console'
	run --separate-stderr command script -qec "$MXCRUN --root $STATE run --bundle $BUNDLE $TAG" /dev/null
	contains "$output" /dev/pts/0
	contains "$output" "character special file"
}

@test "a policy: denied is denied and listed, read-only refuses, read-write takes" {
	mkdir -p "$BATS_TEST_TMPDIR"/{rw/secret,ro}
	echo s >"$BATS_TEST_TMPDIR/rw/secret/f"
	policy 'cd '"$BATS_TEST_TMPDIR"'; echo x >rw/x && echo written; echo x >ro/x || echo read-only
		ls rw | grep secret; cat rw/secret/f 2>&1 | grep -o "Permission denied"' \
		--arg dir "$BATS_TEST_TMPDIR" '.filesystem = {readwritePaths: [$dir + "/rw"], readonlyPaths: [$dir + "/ro"],
			deniedPaths: [$dir + "/rw/secret"]}'
	run_policy
	equal "$output" "written
read-only
secret
Permission denied"
}

# Where no Landlock domain keeps the host's abstract sockets out, nobody makes a socket that could be connected to one.
@test "a policy on the host's own network: UNIX sockets by connected pairs alone" {
	policy 'exec /usr/bin/python3 -c "
import socket as s
for make, kind in (s.socket, s.SOCK_STREAM), (s.socket, s.SOCK_DGRAM), (s.socketpair, s.SOCK_DGRAM), (s.socketpair, s.SOCK_STREAM):
    try:
        make(s.AF_UNIX, kind); print(\"made\")
    except OSError as e:
        print(e.strerror)
"' '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", allowLocalNetwork: true}'
	run_policy
	equal "$status" 0
	equal "$output" "$(printf '%s\n' "Permission denied" "Permission denied" "Permission denied" made)"
	jq -n '{defaultAction: "SCMP_ACT_ALLOW"}' >"$BATS_TEST_TMPDIR/profile.json"
	policy true --arg file "$BATS_TEST_TMPDIR/profile.json" \
		'.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", allowLocalNetwork: true} | .bubblewrap = {seccompProfile: $file}'
	run_policy
	equal "$status" 255
	contains "$stderr" /bubblewrap/seccompProfile
}

@test "what mount(2) can't do is refused by name" {
	make_bundle '.linux.rootfsPropagation = "shared"'
	run_bundle
	assert_refused /linux/rootfsPropagation "Linux 5.12"
}

@test "nothing that is mounted inside appears on the host" {
	make_bundle
	local before
	before=$(sort /proc/self/mountinfo)
	start_container "$TAG"
	equal "$(sort /proc/self/mountinfo)" "$before"
}
