#!/usr/bin/env bats
# What a container's process is, read from outside, against what its config.json says: everything at once
# for several configurations, and then single properties with the workload's own attempts.

load helpers
load compare
load networld
GUARDS="root jq"

# ---- everything, for configurations that differ in everything ----

@test "the bundle that spec writes: all properties are as it says" {
	make_bundle
	start_container "$TAG"
	compare_all "$PID"
}

@test "a comparison with another config fails, property by property" {
	make_bundle
	start_container "$TAG"
	local filter
	while read -r compare filter; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/good"
		config "$filter"
		refused "$compare" "$PID" 2>/dev/null || {
			echo "$compare did not see $filter" >&2
			return 1
		}
		mv "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	done <<-'END'
		compare_namespaces .linux.namespaces |= map(select(.type != "ipc"))
		compare_namespaces .linux.namespaces += [{type: "user"}]
		compare_mounts .mounts |= map(select(.destination != "/dev/shm"))
		compare_mounts .mounts += [{destination: "/extra", type: "tmpfs", source: "tmpfs"}]
		compare_mounts .mounts[1].options -= ["nosuid"]
		compare_mounts .mounts[1].options += ["mode=700"]
		compare_mounts .mounts[1].options += ["noexec"]
		compare_mounts .linux.readonlyPaths += ["/proc/version"]
		compare_mounts .linux.readonlyPaths -= ["/proc/sys"]
		compare_mounts .root.readonly = true
		compare_masks .linux.maskedPaths += ["/proc/version"]
		compare_devices .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		compare_capabilities .process.capabilities.bounding -= ["CAP_KILL"]
		compare_capabilities .process.capabilities.permitted = []
		compare_capabilities .process.capabilities.inheritable = ["CAP_KILL"]
		compare_privileges .process.noNewPrivileges = false
		compare_privileges .linux.seccomp = {}
		compare_ids .process.user.uid = 5
		compare_ids .process.user.gid = 5
		compare_ids .process.user.additionalGids = [5]
		compare_rlimits .process.rlimits[0].soft = 1023
		compare_rlimits .process.rlimits += [{type: "RLIMIT_CORE", soft: 1, hard: 3}]
		compare_process .process.args += ["2"]
		compare_process .process.cwd = "/tmp"
		compare_process .process.env += ["A=b"]
		compare_process .process.oomScoreAdj = 77
		compare_hostname .hostname = "other"
		compare_cgroup .linux.resources.pids.limit = 7
		compare_cgroup .linux.cgroupsPath = "/elsewhere"
	END
}

@test "everything changed: ids, groups, umask, capabilities, limits, root, name, cgroup" {
	make_bundle '.root.readonly = true | .hostname = "other-name"
		| .process.user = {uid: 1234, gid: 2345, additionalGids: [10, 11, 65534], umask: 23}
		| .process.cwd = "/tmp" | .process.env += ["EMPTY=", "SPACES=a b  c", "UTF8=äöü"]
		| .process.noNewPrivileges = false | .process.oomScoreAdj = 321
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
			{type: "RLIMIT_NPROC", soft: 55, hard: 66}, {type: "RLIMIT_FSIZE", soft: 1000000, hard: 2000000}]
		| .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_NET_RAW", "CAP_SETPCAP"],
			permitted: ["CAP_NET_RAW", "CAP_CHOWN"], effective: ["CAP_CHOWN"],
			inheritable: ["CAP_NET_RAW"], ambient: ["CAP_NET_RAW"]}
		| .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]
		| .linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 33
		| .linux.resources.cpu = {quota: 50000, period: 200000}'
	# The kernel asks that execve keeps the set: an ordinary user has what is ambient, no more.
	config '.process.capabilities.permitted = ["CAP_NET_RAW"] | .process.capabilities.effective = ["CAP_NET_RAW"]'
	local path="/mxcrun-test/$TAG"
	[[ ${MXCRUN_TEST_FLAGS-} != *systemd* ]] || path="system.slice:mxt:$TAG"
	config --arg path "$path" '.linux.cgroupsPath = $path'
	start_container "$TAG"
	compare_all "$PID"
	rt delete --force "$TAG"
	rmdir_test_parents
}

# The group above the test's own belongs to whoever asked for it; it is removed when empty.
rmdir_test_parents() {
	find /sys/fs/cgroup -depth -type d -name mxcrun-test -exec rmdir {} + 2>/dev/null || true
}

@test "no capabilities at all, when the section is absent or empty" {
	local filter
	for filter in 'del(.process.capabilities)' '.process.capabilities = {}'; do
		make_bundle "$filter"
		start_container "$TAG"
		compare_capabilities "$PID"
		equal "$(proc_status "$PID" CapBnd)" 0000000000000000
		rt delete --force "$TAG"
	done
}

@test "all capabilities that the host has; those that it lacks are no error" {
	make_bundle --argjson all "$(printf '%s\n' "${capability_names[@]}" | sed 's/^/CAP_/' | jq -R . | jq -s .)" '
		.process.capabilities = {bounding: $all, permitted: $all, effective: $all, inheritable: $all, ambient: $all}'
	start_container "$TAG"
	compare_capabilities "$PID"
}

@test "capabilities that contradict each other are refused or lowered, never raised" {
	make_bundle '.process.args = ["/bin/true"]
		| .process.capabilities = {bounding: [], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}'
	run_bundle
	if [ "$status" -eq 0 ]; then
		make_bundle '.process.capabilities = {bounding: [], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}'
		start_container "$TAG"
		equal "$(proc_status "$PID" CapBnd)" 0000000000000000
	fi
}

@test "unknown capability names do not slip through as something else" {
	make_bundle '.process.args = ["/bin/true"] | .process.capabilities.bounding += ["CAP_EVERYTHING"]'
	run_bundle
	if [ "$status" -eq 0 ]; then
		make_bundle '.process.capabilities.bounding += ["CAP_EVERYTHING"]'
		start_container "$TAG"
		compare_capabilities "$PID"
	else
		contains "$stderr" CAP_EVERYTHING
	fi
}

@test "an unknown capability is told once, however many sets it is in, and each of several" {
	make_bundle '.process.args = ["/bin/true"]
		| .process.capabilities |= with_entries(.value += ["CAP_EVERYTHING", "CAP_EVERYTHING", "CAP_NOTHING"])'
	run_bundle
	equal "$status" 0
	equal "$(grep -c CAP_EVERYTHING <<<"$stderr") $(grep -c CAP_NOTHING <<<"$stderr")" "1 1"
}

@test "a user namespace: maps, ids and devices are as the config says" {
	make_bundle '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 5000, hostID: 200000, size: 10}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .process.user = {uid: 7, gid: 8, additionalGids: [9]}
		| .process.capabilities |= (.inheritable = .permitted | .ambient = .permitted)'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BUNDLE" 2>/dev/null || true
	start_container "$TAG"
	equal "$(awk '{ print $1, $2, $3 }' "/proc/$PID/uid_map" | tr '\n' ,)" "0 100000 1000,5000 200000 10,"
	equal "$(awk '{ print $1, $2, $3 }' "/proc/$PID/gid_map" | tr '\n' ,)" "0 100000 1000,"
	HAS_USERNS=1
	compare_namespaces "$PID"
	compare_mounts "$PID"
	compare_masks "$PID"
	compare_ids "$PID"
	compare_capabilities "$PID"
	compare_devices "$PID"
}

@test "a user namespace without a root, new or joined: what has to be made is made by the workload's user" {
	local user join='.linux.namespaces |= map(if .type == "user" then .path = $user else . end)'
	make_userns_bundle '.linux.uidMappings = [{containerID: 1000, hostID: 100000, size: 1}] | .linux.gidMappings = .linux.uidMappings
		| .process.user = {uid: 1000, gid: 1000} | (.mounts[] | select(.type == "devpts") | .options) -= ["gid=5"]'
	script 'id -u; stat -c %u:%g /dev /dev/shm /dev/mqueue; grep CapEff /proc/self/status; sleep 1000'
	start_container "$TAG"
	wait_for 5 grep -q CapEff "$BATS_TEST_TMPDIR/out"
	equal "$(tr '\n\t' '  ' <"$BATS_TEST_TMPDIR/out")" "1000 1000:1000 1000:1000 1000:1000 CapEff: 0000000000000000 "
	equal "$(rt exec "$TAG" sh -c 'id -u; id -g; touch /dev/shm/new && stat -c %u /dev/shm/new' | tr '\n' ' ')" "1000 1000 1000 "
	user=/proc/$PID/ns/user
	script 'stat -c %u:%g /dev'
	config --arg user "$user" "$join | del(.linux.uidMappings, .linux.gidMappings)"
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	equal "$status $output" "0 1000:1000"
	rt delete --force "$TAG"
	make_userns_bundle '.linux.uidMappings = [{containerID: 1000, hostID: 100000, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	run_bundle
	assert_refused /process/user/uid
}

@test "the folder of message queues belongs to the root of a user namespace, new or joined" {
	local user
	make_userns_bundle
	script 'stat -c %u:%g /dev/mqueue; sleep 1000'
	start_container "$TAG"
	wait_for 5 test -s "$BATS_TEST_TMPDIR/out"
	equal "$(cat "$BATS_TEST_TMPDIR/out")" 0:0
	user=/proc/$PID/ns/user
	script 'stat -c %u:%g /dev/mqueue; readlink /proc/self/ns/ipc'
	config --arg user "$user" '.linux.namespaces |= map(if .type == "user" then .path = $user else . end)'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	equal "${lines[0]}" 0:0
	refused [ "${lines[1]}" = "$(readlink "/proc/$PID/ns/ipc")" ]
	# one group of another id is enough
	config '.linux.namespaces |= map(if .type == "user" then del(.path) else . end) | .linux.uidMappings[0].hostID = 0
		| .linux.gidMappings[0].hostID = 100000'
	chown -R 0:100000 "$BUNDLE/rootfs"
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	equal "${lines[0]}" 0:0
}

@test "overlapping, empty or overflowing id maps are refused" {
	local maps
	for maps in '[]' '[{"containerID":0,"hostID":1,"size":0}]' \
		'[{"containerID":0,"hostID":1000,"size":10},{"containerID":5,"hostID":5000,"size":10}]' \
		'[{"containerID":0,"hostID":4294967290,"size":100}]'; do
		make_bundle --argjson maps "$maps" '.linux.namespaces += [{type: "user"}]
			| .linux.uidMappings = $maps | .linux.gidMappings = $maps'
		run_bundle
		assert_refused
	done
	assert_nothing_left
}

# ---- namespaces ----

@test "each namespace alone can be left to the host" {
	local type
	for type in pid network ipc uts; do
		make_bundle --arg type "$type" '.linux.namespaces |= map(select(.type != $type))
			| if $type == "uts" then del(.hostname) else . end
			| .mounts |= map(select(.destination != "/dev/mqueue" or $type != "ipc"))
			| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
		if [ "$type" = network ]; then
			# sysfs belongs to the network namespace's owner; with the host's it is bound.
			config '.mounts |= map(if .destination == "/sys" then .type = "bind" | .source = "/sys"
				| .options = ["rbind", "ro", "nosuid", "nodev", "noexec"] else . end)
				| .mounts |= map(select(.type != "cgroup"))'
		fi
		start_container "$TAG"
		compare_namespaces "$PID"
		rt delete --force "$TAG"
	done
}

@test "a namespace named by path is joined" {
	local holder
	unshare --net --uts --ipc sleep 1000 3>&- &
	holder=$!
	joinable() { [ "$(readlink "/proc/$holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 5 joinable
	make_bundle --arg ns "/proc/$holder/ns" 'del(.hostname) | .linux.namespaces |= map(
		if .type == "network" then .path = $ns + "/net" elif .type == "uts" then .path = $ns + "/uts"
		elif .type == "ipc" then .path = $ns + "/ipc" else . end)'
	start_container "$TAG"
	compare_namespaces "$PID"
	kill "$holder"
}

@test "a new user namespace beside namespaces that the host's own user namespace owns, as CNI makes them" {
	local holder own
	own=$(readlink /proc/$$/ns/net)
	unshare --net --ipc --uts sh -c 'hostname from-outside; ip link add mxt0 type veth peer name mxt1; exec sleep 60' >/dev/null 2>&1 3>&- 4>&- &
	holder=$!
	is_named() { [ "$(nsenter -t "$holder" -u hostname 2>/dev/null)" = from-outside ] && nsenter -t "$holder" -n ip link show mxt0 >/dev/null 2>&1; }
	wait_for 10 is_named
	make_bundle --arg ns "/proc/$holder/ns" 'del(.hostname)
		| .linux.namespaces |= map(if .type == "network" then .path = $ns + "/net" elif .type == "ipc" then .path = $ns + "/ipc"
			elif .type == "uts" then .path = $ns + "/uts" else . end) + [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type != "sysfs" and .type != "cgroup" and .destination != "/dev/mqueue"))'
	chmod -R a+rX "$BUNDLE/rootfs"
	local seen="from-outside
mxt0
no rights there
 0 100000 1000"
	script 'hostname; ip -o link show mxt0 | grep -o mxt0 | head -n 1; ip link set mxt0 up 2>/dev/null || echo no rights there; tr -s " " </proc/self/uid_map'
	run_bundle
	echo "$stderr"
	equal "$status $output" "0 $seen"
	# exec joins them too, and so does a container in the same user namespace
	local args='["sleep", "60"]' script
	script=$(conf '.process.args | last')
	config --argjson args "$args" '.process.args = $args'
	start_container "$TAG"
	equal "$(rt exec "$TAG" sh -c "$script")" "$seen"
	config --arg user "/proc/$PID/ns/user" --arg script "$script" 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["sh", "-c", $script]
		| .linux.namespaces |= map(if .type == "user" then .path = $user else . end)'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	kill "$holder"
	echo "$stderr"
	equal "$status $output" "0 $seen"
	equal "$(readlink /proc/$$/ns/net)" "$own"
}

@test "a namespace path of the wrong type, or none at all, is refused" {
	local path
	for path in /proc/self/ns/uts /proc/self/ns/absent /etc/passwd relative; do
		make_bundle --arg path "$path" '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)'
		run_bundle
		assert_refused
	done
}

@test "in a chroot that is no mount point the error says what to do, and in one that is a container runs" {
	local chroot=$BATS_TEST_TMPDIR/chroot
	make_bundle
	script 'echo ran'
	mkdir -p "$chroot"/{proc,sys,dev}
	cp -a "$BUNDLE" "$chroot/bundle"
	cp "$MXCRUN" "$chroot/mxcrun"
	in_chroot() {
		run --separate-stderr timeout -k 5 "$(slow 20)" unshare -m --propagation private sh -c '
			[ -z "$2" ] || mount --bind "$1" "$1"
			mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" &&
			exec chroot "$1" /mxcrun --root /state run --bundle /bundle "$3"' sh "$chroot" "$1" "$TAG" </dev/null
		echo "status $status; stdout: $output; stderr: $stderr"
	}
	in_chroot ''
	assert_refused "/ is no mount point"
	in_chroot bind
	equal "$status $output" "0 ran"
	# of a user namespace the kernel wants more
	make_bundle '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	cp "$BUNDLE/config.json" "$chroot/bundle/config.json"
	in_chroot bind
	assert_refused "inside a chroot" "pivot_root"
}

@test "the same namespace twice, and no mount namespace, are refused" {
	make_bundle '.linux.namespaces += [{type: "ipc"}]'
	run_bundle
	assert_refused
	make_bundle '.linux.namespaces |= map(select(.type != "mount"))'
	run_bundle
	assert_refused
}

@test "a host name without a uts namespace is refused, and the host keeps its name" {
	local before
	before=$(hostname)
	make_bundle '.linux.namespaces |= map(select(.type != "uts")) | .hostname = "stolen"'
	run_bundle
	assert_refused
	equal "$(hostname)" "$before"
}

@test "a new network namespace has a loopback that is up, and nothing else" {
	make_bundle
	script 'ip -o link; ip -o addr show lo'
	run_bundle
	equal "$(grep -c '^[0-9]*: [a-z0-9]*:.*<' <<<"$output")" "$(grep -c 'lo:\|tunl0\|sit0\|gre\|ip6\|ip_vti\|erspan\|teql' <<<"$output")"
	contains "$output" "LOOPBACK,UP"
	contains "$output" "127.0.0.1/8"
}

@test "sysctls are set in the container's namespaces and not on the host" {
	local before
	before=$(cat /proc/sys/kernel/msgmax)
	make_bundle '.linux.sysctl = {"kernel.msgmax": "4321", "net.ipv4.ip_unprivileged_port_start": "77"}'
	script 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start'
	run_bundle
	equal "$output" "4321
77"
	equal "$(cat /proc/sys/kernel/msgmax)" "$before"
}

@test "sysctls of the host, and keys that are paths, are refused" {
	local key
	for key in kernel.core_pattern vm.overcommit_memory net/../kernel/core_pattern "kernel.shmmax+" fs.file-max \
		net..ipv4.ip_forward ../../etc/passwd; do
		make_bundle --arg key "$key" '.linux.sysctl = {($key): "1"}'
		run_bundle
		assert_refused
	done
	make_bundle '.linux.sysctl = {"kernel.msgmax": "5555"} | .linux.namespaces |= map(select(.type != "ipc"))
		| .mounts |= map(select(.destination != "/dev/mqueue"))'
	run_bundle
	assert_refused
	[ "$(cat /proc/sys/kernel/msgmax)" != 5555 ]
}

# Docker's --network host is a namespace with a path. A namespace of the test's own plays the host.
@test "sysctls in a namespace that is joined by path: in another's they are set, in the host's own refused" {
	requires native
	local joined='.linux.namespaces |= map(select(.type != "network")) + [{type: "network", path: $path}]
		| .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "78"}'
	local port=/proc/sys/net/ipv4/ip_unprivileged_port_start
	hold_namespace HOST
	hold_namespace OTHER
	run_there() { run --separate-stderr in_host timeout -k 5 "$(slow 30)" "$MXCRUN" "${BY[@]}" --root "$STATE" run --bundle "$BUNDLE" "$TAG"; }
	make_bundle --arg path "/proc/$HOST/ns/net" "$joined"
	script "cat $port"
	run_there
	assert_refused
	contains "$stderr" "/linux/sysctl/net.ipv4.ip_unprivileged_port_start" "is the host's"
	[ "$(in_host cat $port)" != 78 ]
	config --arg path "/proc/$OTHER/ns/net" "$joined"
	run_there
	kill "$HOST" "$OTHER"
	equal "$output" 78
}

@test "the host's own mount namespace, a name in its uts and interfaces in its network namespace are refused by whatever path" {
	requires native
	# a host of the test's own, which the wrong program would take the root from
	run_apart() {
		run --separate-stderr timeout -k 5 "$(slow 30)" unshare -m -u -n --propagation private sh -c '
			hostname of-the-host
			jq --arg kind "$1" --arg path "/proc/$$/ns/$2" --arg name "$3" ".linux.namespaces |= map(select(.type != \$kind)) + [{type: \$kind, path: \$path}]
				| .hostname = \$name" "$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"
			shift 3
			"$@"
			echo "status $?, $(hostname)"' sh "$@" "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	}
	export BUNDLE
	make_bundle
	script "hostname"
	run_apart mount mnt ""
	equal "$output" "status 1, of-the-host"
	contains "$stderr" /linux/namespaces/ "is the host's"
	make_bundle
	script "hostname"
	run_apart uts uts another
	equal "$output" "status 1, of-the-host"
	contains "$stderr" /hostname "is the host's"
	make_bundle '.linux.netDevices = {lo: {name: "other"}}'
	run_apart network net ""
	equal "$output" "status 1, of-the-host"
	contains "$stderr" /linux/netDevices/lo "is the host's"
	make_bundle
	script "hostname"
	run_apart uts uts of-the-host
	equal "$output" "of-the-host
status 0, of-the-host"
}

# ---- mounts ----

@test "each kind of mount option reaches the kernel" {
	mkdir -p "$BATS_TEST_TMPDIR/src/sub"
	echo data >"$BATS_TEST_TMPDIR/src/file"
	make_bundle --arg src "$BATS_TEST_TMPDIR/src" '.mounts += [
		{destination: "/m/ro", type: "bind", source: $src, options: ["bind", "ro"]},
		{destination: "/m/rw", type: "none", source: $src, options: ["rbind", "rw", "nosuid", "nodev", "noexec"]},
		{destination: "/m/noatime", type: "tmpfs", source: "none", options: ["noatime", "nodiratime", "size=64k", "mode=0711"]},
		{destination: "/m/strict", type: "tmpfs", source: "tmpfs", options: ["strictatime", "uid=5", "gid=6"]},
		{destination: "/m/shared", type: "tmpfs", source: "tmpfs", options: ["shared"]},
		{destination: "/m/slave", type: "tmpfs", source: "tmpfs", options: ["rslave"]},
		{destination: "/m/private", type: "tmpfs", source: "tmpfs", options: ["rprivate"]},
		{destination: "/m/unbindable", type: "tmpfs", source: "tmpfs", options: ["unbindable"]},
		{destination: "/m/file", type: "bind", source: ($src + "/file"), options: ["bind", "ro"]}]'
	# A fresh mount that is made a slave of nothing is private.
	start_container "$TAG"
	config '(.mounts[] | select(.destination == "/m/slave")).options = ["rprivate"]'
	compare_mounts "$PID"
	equal "$(cat "/proc/$PID/root/m/file")" data
	equal "$(stat -c %a:%F "$BUNDLE/rootfs/m/file")" "$(stat -c %a "$BUNDLE/rootfs/m/file"):regular empty file"
}

@test "a read-only mount refuses the write, a read-write one takes it" {
	mkdir -p "$BATS_TEST_TMPDIR/src"
	make_bundle --arg src "$BATS_TEST_TMPDIR/src" '.mounts += [
		{destination: "/ro", type: "bind", source: $src, options: ["rbind", "ro"]},
		{destination: "/rw", type: "bind", source: $src, options: ["rbind", "rw"]}]'
	script 'echo a >/rw/a && cat /ro/a; echo b >/ro/b && echo WRITTEN; probe open /ro/a w'
	run_bundle
	equal "$output" "a
EROFS"
	contains "$stderr" "Read-only file system"
	equal "$(ls "$BATS_TEST_TMPDIR/src")" a
}

@test "recursive read-only reaches the mounts below, plain read-only does not" {
	mkdir -p "$BATS_TEST_TMPDIR/src/sub"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/src/sub"
	make_bundle --arg src "$BATS_TEST_TMPDIR/src" '.mounts += [
		{destination: "/plain", type: "bind", source: $src, options: ["rbind", "ro"]},
		{destination: "/all", type: "bind", source: $src, options: ["rbind", "rro"]}]'
	script 'echo a >/plain/sub/a && echo plain; echo b >/all/sub/b || echo refused; echo c >/all/c || echo refused too'
	run_bundle
	umount "$BATS_TEST_TMPDIR/src/sub"
	equal "$output" "plain
refused
refused too"
}

@test "nosuid, nodev and noexec have their effect" {
	make_bundle '.mounts += [{destination: "/safe", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"]},
		{destination: "/open", type: "tmpfs", source: "tmpfs"}] | .process.capabilities.bounding += ["CAP_MKNOD"]
		| .process.capabilities.permitted += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"]'
	script 'cp /bin/probe /safe/p; cp /bin/probe /open/p; /open/p cwd; /safe/p cwd || echo no exec
		mknod /open/null c 1 3 && probe open /open/null r; mknod /safe/null c 1 3 && probe open /safe/null r'
	run_bundle
	equal "$output" "/
no exec
ok
EACCES"
}

@test "options that nobody knows, and types that don't exist, are refused by name" {
	make_bundle '.mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs", options: ["frobnicate"]}]'
	run_bundle
	assert_refused frobnicate
	make_bundle '.mounts += [{destination: "/x", type: "frobfs", source: "none"}]'
	run_bundle
	assert_refused frobfs
	make_bundle '.mounts += [{destination: "/x", type: "bind", source: "/absent/source", options: ["bind"]}]'
	run_bundle
	assert_refused /absent/source
	assert_nothing_left
}

@test "nothing that is mounted inside appears on the host" {
	make_bundle '.mounts += [{destination: "/m", type: "tmpfs", source: "tmpfs", options: ["shared"]}]'
	local before
	before=$(cut -d ' ' -f 5- /proc/self/mountinfo)
	start_container "$TAG"
	equal "$(cut -d ' ' -f 5- /proc/self/mountinfo)" "$before"
}

@test "nothing of the host's tree stays mounted inside" {
	make_bundle
	start_container "$TAG"
	compare_mounts "$PID"
	script 'cat /proc/self/mountinfo; ls /'
	run_bundle_as() { run --separate-stderr rt run --bundle "$BUNDLE" "$1"; }
	run_bundle_as "$TAG-b"
	lacks "$output" "/sys/kernel"
	refused grep -q ' /boot ' <<<"$output"
}

@test "tmpcopyup starts a tmpfs with what the root has there" {
	make_bundle '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=700"]}]'
	mkdir "$BUNDLE/rootfs/data"
	echo from the image >"$BUNDLE/rootfs/data/file"
	script 'cat /data/file; echo changed >/data/file; cat /data/file'
	run_bundle
	equal "$output" "from the image
changed"
	equal "$(cat "$BUNDLE/rootfs/data/file")" "from the image"
}

@test "tmpcopyup: a mode that is given holds, whether the folder is there or not; else the folder's" {
	make_bundle '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=1770"]},
		{destination: "/absent", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=1770"]},
		{destination: "/plain", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]},
		{destination: "/none", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
	mkdir -m 0711 "$BUNDLE/rootfs/data" "$BUNDLE/rootfs/plain"
	touch "$BUNDLE/rootfs/data/file"
	script 'stat -c "%a %n" /data /absent /plain /none /data/file'
	run_bundle
	equal "$output" "1770 /data
1770 /absent
711 /plain
1777 /none
644 /data/file"
}

@test "tmpcopyup: an owner that is given holds, each id by itself; else the folder's" {
	make_bundle '.mounts += [["both", "uid=7", "gid=8"], ["user", "uid=7"], ["group", "gid=8"], ["plain"]
		| {destination: "/\(.[0])", type: "tmpfs", source: "tmpfs", options: (["tmpcopyup"] + .[1:])}]'
	mkdir "$BUNDLE"/rootfs/{both,user,group,plain}
	touch "$BUNDLE/rootfs/both/file"
	chown -R 5:6 "$BUNDLE"/rootfs/{both,user,group,plain}
	script 'stat -c "%u:%g %n" /both /user /group /plain /both/file'
	run_bundle
	equal "$output" "7:8 /both
7:6 /user
5:8 /group
5:6 /plain
5:6 /both/file"
}

# As podman mounts a part of an image.
@test "an overlay whose lower folders have together a longer name than the kernel takes at once" {
	local long upper lower
	[[ $(uname -r) =~ ^([0-9]+)\.([0-9]+) ]]
	((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] >= 6007)) || skip "needs Linux 6.7"
	printf -v long '%0150d' 0
	upper=$BATS_TEST_TMPDIR/$long/upper lower=$BATS_TEST_TMPDIR/$long/lower
	mkdir -p "$upper" "$lower"
	touch "$upper/one" "$lower/two" "$lower/both"
	echo upper >"$upper/both"
	make_bundle --arg layers "lowerdir=$upper:$lower" '.mounts += [{destination: "/o", type: "overlay", source: "overlay", options: [$layers]}]'
	script 'ls /o; cat /o/both; touch /o/x || echo read-only'
	run_bundle
	equal "$output" "both
one
two
upper
read-only"
	for wrong in "$upper:$lower/absent" "$upper:$lower/\\:" "$upper::$lower"; do
		config --arg layers "lowerdir=$wrong" '.mounts[-1].options = [$layers]'
		run_bundle
		assert_refused "overlay does not take the option"
	done
}

@test "a tmpfs without a mode takes that of the folder that it covers" {
	make_bundle '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs"}, {destination: "/own", type: "tmpfs", source: "tmpfs", options: ["mode=0500"]},
		{destination: "/new/place", type: "tmpfs", source: "tmpfs"}]'
	mkdir -m 0750 "$BUNDLE/rootfs/data" "$BUNDLE/rootfs/own"
	chmod 2750 "$BUNDLE/rootfs/data"
	script 'stat -c "%a %n" /data /own /new/place; touch /data/x'
	run_bundle
	equal "$output" "2750 /data
500 /own
1777 /new/place"
	equal "$(stat -c %a "$BUNDLE/rootfs/own") $(ls "$BUNDLE/rootfs/data")" "750 "
}

@test "a read-only tmpfs takes the targets of what is mounted in it, and a read-only /dev its devices and console" {
	make_bundle '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]
		| .mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["ro"]}, {destination: "/data/sub", type: "tmpfs", source: "tmpfs"}]'
	script 'for place in /data /dev /data/sub /dev/shm; do touch $place/x 2>/dev/null && echo $place; done; : >/dev/null; ls /dev/zero'
	run_bundle
	equal "$output" "/data/sub
/dev/shm
/dev/zero"
	# with a terminal, whose lines end as they were written where nobody has one
	config '.process.terminal = true'
	script 'touch /dev/x 2>/dev/null || echo refused; ls /dev/console'
	run_bundle
	equal "$output" "refused
/dev/console"
	equal "$(tr -cd '\r' <<<"$output" | wc -c)" 0
	# a policy that opens the read-only one again opens it as it was
	config '.process.terminal = false | .mxc = {filesystem: {readonlyPaths: ["/"], readwritePaths: ["/data", "/tmp"]}}'
	script 'touch /data/x 2>/dev/null || echo refused; touch /tmp/x && echo wrote'
	run_bundle
	equal "$output" "refused
wrote"
}

# ---- root ----

@test "a read-only root refuses writes, its writable mounts take them" {
	make_bundle '.root.readonly = true'
	script 'echo x >/x || echo refused; echo y >/dev/shm/y && cat /dev/shm/y; probe open /etc/passwd w'
	run_bundle
	equal "$output" "refused
y
EROFS"
	[ ! -e "$BUNDLE/rootfs/x" ]
}

@test "a missing root, or one that is a file, is refused" {
	make_bundle '.root.path = "absent"'
	run_bundle
	assert_refused absent
	: >"$BUNDLE/file"
	make_bundle '.root.path = "file"'
	run_bundle
	assert_refused
}

@test "masked paths give nothing, read-only paths refuse writes, from inside" {
	make_bundle '.linux.maskedPaths += ["/secret-dir", "/secret-file", "/absent-path"] | .linux.readonlyPaths += ["/fixed"]'
	mkdir "$BUNDLE/rootfs/secret-dir" "$BUNDLE/rootfs/fixed"
	echo secret >"$BUNDLE/rootfs/secret-dir/x"
	echo secret >"$BUNDLE/rootfs/secret-file"
	script 'ls -A /secret-dir; cat /secret-file /proc/timer_list /proc/keys; cat /secret-dir/x
		touch /fixed/x; touch /secret-dir/y; echo 1 >/proc/sys/kernel/msgmax; echo 0 >/proc/sysrq-trigger
		umount /secret-dir; umount /proc/timer_list; mount -o remount,rw /fixed; ls -A /secret-dir /fixed'
	run_bundle
	equal "$output" "/fixed:

/secret-dir:"
	equal "$(ls -A "$BUNDLE/rootfs/fixed")" ""
	equal "$(ls -A "$BUNDLE/rootfs/secret-dir")" x
	[ ! -e "$BUNDLE/rootfs/absent-path" ]
}

# ---- devices ----

@test "devices of the config are there, with mode and owner, and open only as the rules say" {
	make_bundle '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 420, uid: 3, gid: 4},
			{path: "/dev/loose", type: "c", major: 1, minor: 11, fileMode: 438}]
		| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 5, access: "r"}]'
	script 'stat -c "%n %a %u %g %t:%T" /dev/mine; probe open /dev/mine r; probe open /dev/loose r
		probe open /dev/null rw; probe open /dev/urandom r'
	run_bundle
	equal "$output" "/dev/mine 644 3 4 1:5
ok
EPERM
ok
ok"
}

@test "in a user namespace a device is the host's own, and one that the host has not is refused by name" {
	make_bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}]
		| .linux.gidMappings = .linux.uidMappings | .linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 438}]'
	script 'stat -c "%a %t:%T" /dev/kmsg; grep -c " /dev/kmsg " /proc/self/mountinfo'
	run_bundle
	equal "$status $output" "0 $(stat -c '%a %t:%T' /dev/kmsg)
1"
	config '.linux.devices = [{path: "/dev/mxcrun-absent", type: "c", major: 1, minor: 11}]'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	assert_refused /linux/devices/0 "device /dev/mxcrun-absent can't be made here, and the host has no such one to bind"
	# another device under that name is none
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 12}]'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	assert_refused /linux/devices/0 "the host has no such one"
}

@test "a device of the name /dev/ptmx gives way to the link to the container's own terminals" {
	local map
	for map in . '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}]
			| .linux.gidMappings = .linux.uidMappings'; do
		make_bundle "$map | .linux.devices = [{path: \"/dev/ptmx\", type: \"c\", major: 5, minor: 2, fileMode: 438}]"
		script 'readlink /dev/ptmx; grep -c " /dev/ptmx " /proc/self/mountinfo; probe open /dev/ptmx rw'
		run_bundle
		equal "$output" "pts/ptmx
0
ok"
	done
	# and what is none is still refused
	config '.linux.devices[0].major = 99999'
	run_bundle
	assert_refused /linux/devices/0
}

@test "a device node that the workload makes itself can't be opened" {
	make_bundle '.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"]
		| .process.capabilities.effective += ["CAP_MKNOD"]'
	script 'mknod /tmp/kmsg c 1 11 && probe open /tmp/kmsg r; mknod /tmp/null c 1 3 && probe open /tmp/null r'
	run_bundle
	equal "${lines[-1]}" ok
	[[ $output == EPERM* ]]
}

@test "of devices that are mounted without a rule /dev/net/tun can be opened, as VPNs do, and no other" {
	[[ -c /dev/net/tun && -c /dev/fuse ]] || skip "needs a host with /dev/net/tun and /dev/fuse"
	make_bundle '.mounts += [{destination: "/m/tun", type: "bind", source: "/dev/net/tun", options: ["bind"]},
		{destination: "/m/fuse", type: "bind", source: "/dev/fuse", options: ["bind"]}]'
	script 'probe open /m/tun rw; probe open /m/fuse rw'
	run_bundle
	equal "$output" "ok
EPERM"
}

# ---- seccomp ----

@test "a seccomp profile refuses what it names, with its errno, and lets the rest through" {
	make_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13},
			{names: ["getppid"], action: "SCMP_ACT_ERRNO"}, {names: ["no_such_call"], action: "SCMP_ACT_ERRNO"}]}'
	script 'probe call mkdir; probe call getppid; probe call chroot; grep -E "^Seccomp:" /proc/self/status'
	config '.process.capabilities.bounding += ["CAP_SYS_CHROOT"] | .process.capabilities.permitted += ["CAP_SYS_CHROOT"]
		| .process.capabilities.effective += ["CAP_SYS_CHROOT"] | .process.capabilities.ambient += ["CAP_SYS_CHROOT"]
		| .process.capabilities.inheritable = .process.capabilities.ambient'
	run_bundle
	equal "$output" "EACCES
EPERM
ok
Seccomp:	2"
}

@test "argument conditions of a profile are joined by and" {
	make_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["socket"], action: "SCMP_ACT_ERRNO", errnoRet: 97,
			args: [{index: 0, value: 2, op: "SCMP_CMP_EQ"}, {index: 1, value: 15, valueTwo: 3, op: "SCMP_CMP_MASKED_EQ"}]}]}'
	script 'probe call raw_socket; probe connect 127.0.0.1 1'
	run_bundle
	equal "$output" "EAFNOSUPPORT
ECONNREFUSED" || equal "$output" "EPERM
ECONNREFUSED"
}

@test "unknown seccomp actions, operators and architectures are refused" {
	local filter
	for filter in '.defaultAction = "SCMP_ACT_MAYBE"' '.architectures = ["SCMP_ARCH_Z80"]' \
		'.syscalls = [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: "SCMP_CMP_SORT_OF"}]}]' \
		'.syscalls = [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}]' \
		'.flags = ["SECCOMP_FILTER_FLAG_MAYBE"]'; do
		make_bundle ".linux.seccomp = ({defaultAction: \"SCMP_ACT_ALLOW\"} | $filter)"
		run_bundle
		assert_refused
	done
}

# ---- process ----

@test "a relative or missing working directory" {
	make_bundle '.process.cwd = "relative"'
	run_bundle
	assert_refused
	make_bundle '.process.cwd = "/made/by/runtime" | .process.args = ["/bin/probe", "cwd"]'
	run_bundle
	equal "$output" /made/by/runtime
	make_bundle '.process.cwd = "/made/before" | .root.readonly = true | .process.args = ["/bin/probe", "cwd"]'
	run_bundle
	equal "$output" /made/before
}

@test "of a variable that is given twice the last value holds, and an empty HOME is none" {
	make_bundle '.process.env += ["ONE=1", "HOME=", "ONE=two", "ONE=2=3", "ONES=x"]'
	start_container "$TAG"
	equal "$(tr '\0' '\n' <"/proc/$PID/environ" | grep -E '^(ONE|HOME)' | sort)" $'HOME=/root\nONE=2=3\nONES=x'
}

@test "a user without uid or gid is root, as for runc and crun" {
	make_bundle '.process.user = {gid: 5} | .process.args = ["/bin/sh", "-c", "id -u; id -g"]'
	run_bundle
	equal "$output" $'0\n5'
	make_bundle '.process.user = {uid: 5} | .process.args = ["/bin/sh", "-c", "id -u; id -g"]'
	run_bundle
	equal "$output" $'5\n0'
}

@test "an oom score outside the kernel's range, and a user that is not mapped, are refused" {
	make_bundle '.process.oomScoreAdj = 2000'
	run_bundle
	assert_refused
	make_bundle '.linux.namespaces += [{type: "user"}] | .process.user.uid = 5000
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]'
	run_bundle
	assert_refused
}

@test "no_new_privs holds against a set-uid program, and its absence does not" {
	local want
	for want in true false; do
		make_bundle --argjson nnp "$want" '.process.noNewPrivileges = $nnp | .process.user = {uid: 1000, gid: 1000}
			| .process.args = ["/setuid-probe", "call", "setuid"] | .process.capabilities.bounding += ["CAP_SETUID"]'
		cp "$BUNDLE/rootfs/bin/probe" "$BUNDLE/rootfs/setuid-probe"
		chmod 4755 "$BUNDLE/rootfs/setuid-probe"
		run_bundle
		if [ "$want" = true ]; then equal "$output" EPERM; else equal "$output" ok; fi
	done
}

@test "the workload leads its own session, without the caller's terminal" {
	make_bundle
	start_container "$TAG"
	equal "$(awk '{ print $6, $7 }' "/proc/$PID/stat")" "$PID 0"
}

@test "HOME is the user's of the image's passwd, unless the config says it" {
	make_bundle '.process.user.uid = 7'
	printf 'root:x:0:0::/root:/bin/sh\nbroken:x\nseven:x:7:7:Seven:/home/seven:/bin/sh\nlate:x:7:7::/late:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	script 'echo "$HOME"'
	run_bundle
	equal "$output" /home/seven
	config '.process.user.uid = 8'
	run_bundle
	equal "$output" /
	config '.process.env += ["HOME=/mine"]'
	run_bundle
	equal "$output" /mine
	config 'del(.process.env[-1])'
	rm "$BUNDLE/rootfs/etc/passwd" && mkfifo "$BUNDLE/rootfs/etc/passwd"
	run_bundle
	equal "$output" /
}

@test "a bundle on a shared mount of its own, with a shared root, leaves nothing on the host" {
	local before
	mkdir "$BATS_TEST_TMPDIR/shared"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/shared"
	mount --make-shared "$BATS_TEST_TMPDIR/shared"
	before=$(wc -l </proc/self/mountinfo)
	BUNDLE_DIR=$BATS_TEST_TMPDIR/shared/bundle
	make_bundle '.linux.rootfsPropagation = "shared"'
	start_container "$TAG"
	equal "$(wc -l </proc/self/mountinfo)" "$before"
	rt delete --force "$TAG"
	equal "$(wc -l </proc/self/mountinfo)" "$before"
	umount "$BATS_TEST_TMPDIR/shared"
}

@test "scheduler, io priority and personality are the config's" {
	requires chrt ionice
	make_bundle '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
		| .linux.personality = {domain: "LINUX32"}'
	start_container "$TAG"
	contains "$(chrt -p "$PID")" SCHED_BATCH
	equal "$(awk '{ print $19 }' "/proc/$PID/stat")" 5
	equal "$(ionice -p "$PID")" "best-effort: prio 6"
	equal "$(cat "/proc/$PID/personality")" 00000008
	rt delete --force "$TAG"
	make_bundle '.process.scheduler = {policy: "SCHED_FANCY"}'
	run_bundle
	assert_refused /process/scheduler/policy
	make_bundle '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 9}'
	run_bundle
	assert_refused /process/ioPriority/priority
}

@test "clocks of a new time namespace are set off, also for exec, and the host's are not" {
	local boot
	make_bundle '.linux.namespaces += [{type: "time"}]
		| .linux.timeOffsets = {monotonic: {secs: 86400, nanosecs: 5}, boottime: {secs: 864000}}'
	start_container "$TAG"
	compare_namespaces "$PID"
	equal "$(tr -s ' \t' ' ' <"/proc/$PID/timens_offsets")" "monotonic 86400 5
boottime 864000 0"
	boot=$(rt exec "$TAG" cut -d. -f1 /proc/uptime)
	[ "$((boot - $(cut -d. -f1 /proc/uptime)))" -ge 863990 ]
}

@test "time offsets without a new time namespace, of other clocks, or out of range are refused" {
	make_bundle '.linux.timeOffsets = {monotonic: {secs: 1}}'
	run_bundle
	assert_refused /linux/timeOffsets "time namespace"
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {realtime: {secs: 1}}'
	run_bundle
	assert_refused /linux/timeOffsets realtime
	config '.linux.timeOffsets = {monotonic: {nanosecs: 1000000000}}'
	run_bundle
	assert_refused /linux/timeOffsets
	config '.linux.timeOffsets = {monotonic: {secs: -9000000000}}'
	run_bundle
	assert_refused /linux/timeOffsets
}

@test "the memory policy is the config's" {
	make_bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	start_container "$TAG"
	grep -q 'bind=static:0' "/proc/$PID/numa_maps"
	rt delete --force "$TAG"
	config '.linux.memoryPolicy.nodes = "0-"'
	run_bundle
	assert_refused /linux/memoryPolicy/nodes
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
	run_bundle
	assert_refused /linux/memoryPolicy
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_FAST"]}'
	run_bundle
	assert_refused /linux/memoryPolicy/flags/0
}

@test "an idmapped mount shows the ids of its own mappings, and writes them back" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source/below"
	chmod 777 "$source"
	chown 0:0 "$source/below"
	make_bundle --arg source "$source" '.mounts += [{destination: "/mapped", type: "bind", source: $source,
		options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 5000, size: 100}],
		gidMappings: [{containerID: 0, hostID: 6000, size: 100}]}]'
	config '.process.user = {uid: 5007, gid: 6008}'
	script 'stat -c %u:%g /mapped/below; touch /mapped/new; stat -c %u:%g /mapped/new'
	run_bundle
	equal "$output" "5000:6000
5007:6008"
	equal "$(stat -c %u:%g "$source/new")" 7:8
}

@test "an idmapped mount without mappings takes those of the user namespace" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source/below"
	make_userns_bundle --arg source "$source" '.mounts += [{destination: "/mapped", type: "none", source: $source,
			options: ["rbind", "ridmap"]}, {destination: "/plain", type: "none", source: $source, options: ["rbind"]}]'
	script 'stat -c %u:%g /mapped/below /plain/below; touch /mapped/new && stat -c %u:%g /mapped/new'
	run_bundle
	equal "$output" "0:0
65534:65534
0:0"
	equal "$(stat -c %u:%g "$source/new")" 0:0
	# also of one that is joined
	config '.process.args = ["sleep", "60"]'
	start_container "$TAG"
	config --arg user "/proc/$PID/ns/user" 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["stat", "-c", "%u:%g", "/mapped/below", "/plain/below"]
		| .linux.namespaces |= map(if .type == "user" then .path = $user else . end)'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	echo "$stderr"
	equal "$output" "0:0
65534:65534"
}

@test "idmapped mounts that can't be made are refused by name" {
	make_bundle '.mounts += [{destination: "/m", type: "none", source: "/tmp", options: ["bind", "idmap"]}]'
	run_bundle
	assert_refused /mounts/ mappings
	config '.mounts[-1].uidMappings = [{containerID: 0, hostID: 1, size: 1}]'
	run_bundle
	assert_refused gidMappings
	make_bundle '.mounts += [{destination: "/m", type: "tmpfs", source: "tmpfs", options: [],
		uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	run_bundle
	assert_refused /mounts/ idmapped
	make_bundle '.mounts += [{destination: "/m", type: "none", source: "/proc", options: ["bind"],
		uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]'
	run_bundle
	assert_refused /mounts/ /proc
}

# shown OPTION: the owner in the container of what belongs to 5:6 on the host.
shown() {
	config --arg option "$1" '.mounts[-1].options = ["bind", $option]'
	run_bundle
	equal "$status $stderr" "0 "
	echo "$output"
}

@test "an idmapped mount takes the maps in its option, as crun has them" {
	local source=$BATS_TEST_TMPDIR/source option
	mkdir -p "$source/below"
	mount -t tmpfs tmpfs "$source/below"
	chown 5:6 "$source" "$source/below"
	make_bundle --arg source "$source" '.mounts += [{destination: "/mapped", type: "bind", source: $source}]'
	script 'stat -c %u:%g /mapped'
	equal "$(shown 'idmap=uids=0-1-10;gids=0-100-10')" 6:106
	equal "$(shown 'ridmap=gids=0-100-10;uids=0-1-10')" 6:106
	# several ranges
	equal "$(shown 'idmap=uids=0-1-2#5-30-1#6-40-2;gids=7-0-1#0-100-7')" 30:106
	# the tree below, too, is what ridmap is for
	config '.mounts[-1].options = ["rbind", "ridmap=uids=0-1-10;gids=0-100-10"] | .process.args[-1] = "stat -c %u:%g /mapped/below"'
	run_bundle
	equal "$output" 6:106
	config '.mounts[-1].options = ["rbind", "idmap=uids=0-1-10;gids=0-100-10"]'
	run_bundle
	equal "$output" 5:6
	umount "$source/below"
}

@test "maps in the option of an idmapped mount: behind an @ they refer to the container's ids" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source"
	chown 5:6 "$source"
	make_userns_bundle --arg source "$source" '.mounts += [{destination: "/mapped", type: "bind", source: $source}]
		| .linux.uidMappings += [{containerID: 2000, hostID: 300000, size: 10}]'
	script 'stat -c %u:%g /mapped'
	equal "$(shown 'idmap=uids=0-100001-10;gids=@0-100-10')" 6:106
	equal "$(shown 'idmap=uids=@0-1-5#@5-2003-1;gids=@6-0-1')" 2003:0
	config '.mounts[-1].options = ["bind", "idmap=uids=@0-1000-5;gids=@0-0-9"]'
	run_bundle
	assert_refused "/mounts/$(jq '.mounts | length - 1' "$BUNDLE/config.json")/options/1" '@0-1000-5' 'mappings of the container'
}

@test "malformed maps in the option of an idmapped mount are refused with what was expected and found" {
	local text want
	make_bundle '.mounts += [{destination: "/m", type: "bind", source: "/tmp"}]'
	while read -r text want; do
		config --arg option "idmap=$text" '.mounts[-1].options = ["bind", $option]'
		run_bundle
		assert_refused "/mounts/$(jq '.mounts | length - 1' "$BUNDLE/config.json")" "$want"
	done <<-'END'
		uids=0-1-10 found "uids=0-1-10" alone
		users=0-1-10;gids=0-1-10 expected uids=RANGES or gids=RANGES, found "users=0-1-10"
		uids=0-1;gids=0-1-10 expected a range FIRST-HOST-COUNT or @FIRST-CONTAINER-COUNT, found "0-1"
		uids=0-1-10;gids=0-1-10-3 found "0-1-10-3"
		uids=0-1-10#;gids=0-1-10 found ""
		uids=-1-1-10;gids=0-1-10 found "-1-1-10"
		uids=0-1-4294967296;gids=0-1-10 found "0-1-4294967296"
		uids=0-4294967290-10;gids=0-1-10 highest id, 4294967294: found 0-4294967290-10
		uids=0-1-0;gids=0-1-10 no ids, found 0-1-0
		uids=0-1-10#5-100-10;gids=0-1-10 overlaps mapping 0 inside the container: found 5-100-10
		uids=0-1-10;gids=0-1-10;uids=20-30-1 found a second "uids=20-30-1"
		uids=@0-1-10;gids=0-1-10 mappings of the container's user namespace
	END
	config '.mounts[-1].options = ["bind", "idmap=uids=0-1-1;gids=0-1-1", "ridmap=uids=0-1-1;gids=0-1-1"]'
	run_bundle
	assert_refused "expected one option with id maps"
	config '.mounts[-1] += {options: ["bind", "idmap=uids=0-1-1;gids=0-1-1"], uidMappings: [{containerID: 0, hostID: 1, size: 1}],
		gidMappings: [{containerID: 0, hostID: 1, size: 1}]}'
	run_bundle
	assert_refused "found both"
	config '.mounts[-1] = {destination: "/m", type: "tmpfs", source: "tmpfs", options: ["idmap=uids=0-1-1;gids=0-1-1"]}'
	run_bundle
	assert_refused "only bind mounts can be idmapped"
	assert_nothing_left
}

@test "network devices of the host come in under their new names, with their addresses" {
	requires ip
	ip link add mx0 type veth peer name mx1
	ip address add 192.0.2.7/24 dev mx0
	ip address add 2001:db8::7/64 dev mx0 nodad
	make_bundle '.linux.netDevices = {mx0: {name: "inside0"}}'
	start_container "$TAG"
	refused ip link show mx0
	contains "$(nsenter -t "$PID" -n ip address show inside0)" "inet 192.0.2.7/24"
	contains "$(nsenter -t "$PID" -n ip address show inside0)" "inet6 2001:db8::7/64"
	contains "$(nsenter -t "$PID" -n ip link show up)" inside0
}

@test "a network device that isn't there is refused, and those that went come back when the set-up fails" {
	requires ip
	ip link add mx0 type veth peer name mx1
	ip address add 192.0.2.7/24 dev mx0
	make_bundle '.linux.netDevices = {mx0: {name: "inside0"}, mxabsent: {}}'
	run_bundle
	assert_refused /linux/netDevices/mxabsent
	contains "$(ip address show mx0)" 192.0.2.7/24
	config 'del(.linux.netDevices.mxabsent) | .process.args = ["/absent"]'
	run -127 --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" /absent
	contains "$(ip address show mx0)" 192.0.2.7/24
	config '.linux.netDevices.mx0.name = "a/b"'
	run_bundle
	assert_refused /linux/netDevices/mx0
	config '.linux.namespaces |= map(select(.type != "network"))'
	run_bundle
	assert_refused /linux/netDevices
	ip link delete mx0
}

@test "a class of resctrl where there is none is refused, with the remedy, and leaves nothing" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip "needs a host without resctrl"
	make_bundle '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=f"}'
	run_bundle
	assert_refused /linux/intelRdt "mount -t resctrl"
	make_bundle '.linux.intelRdt = {enableMonitoring: true}'
	run_bundle
	assert_refused /linux/intelRdt "mount -t resctrl"
	make_bundle '.linux.intelRdt = {closID: "../x"}'
	run_bundle
	assert_refused /linux/intelRdt/closID
}

@test "labels of a security module that the host lacks are refused" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "needs a host without SELinux"
	make_bundle '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	run_bundle
	assert_refused /process/selinuxLabel SELinux
	make_bundle '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	run_bundle
	assert_refused context
}

@test "the caller's groups are taken away, and nothing runs with them where a filter around us lets nobody do that" {
	make_bundle '.process.args = ["/bin/sh", "-c", "grep ^Groups: /proc/self/status"]'
	set -- "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	run --separate-stderr setpriv --groups 123,456 "$@" </dev/null
	equal "$(tr -d '[:space:]' <<<"$output")" Groups:
	run --separate-stderr setpriv --groups 123,456 "$MXCRUN_TEST_BIN/old_kernel" --deny setgroups "$@" </dev/null
	assert_refused /process/user "caller's groups can't be taken away"
	# who has none has nothing to lose
	run --separate-stderr setpriv --clear-groups "$MXCRUN_TEST_BIN/old_kernel" --deny setgroups "$@" </dev/null
	equal "$status" 0
}

@test "run.oci.keep_original_groups keeps the caller's groups, and gives no others" {
	make_bundle '.annotations["run.oci.keep_original_groups"] = "1"'
	script 'grep ^Groups /proc/self/status'
	run --separate-stderr setpriv --groups 123,456 "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	contains "$output" "123 456"
	config 'del(.annotations)'
	run --separate-stderr setpriv --groups 123,456 "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	lacks "$output" 123
	# podman writes the user's groups in the image as well
	config '.process.user.additionalGids = [7]'
	run --separate-stderr setpriv --groups 123,456 "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	contains "$output" 7
	config '.annotations["run.oci.keep_original_groups"] = "1"'
	run --separate-stderr setpriv --groups 123,456 "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG"
	contains "$output" "123 456"
	lacks "$output" 7
}

@test "a container that joins a pid namespace leads a session of its own, which has a number there" {
	make_bundle
	start_container "$TAG"
	config --arg path "/proc/$PID/ns/pid" '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)'
	script 'echo $$ $(cut -d " " -f 5,6 /proc/self/stat)'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-other"
	echo "$output $stderr"
	equal "$(tr ' ' '\n' <<<"$output" | sort -u | wc -l) $(wc -w <<<"$output")" "1 3"
	[ "${output%% *}" -gt 1 ]
}

@test "annotations that would change what a container is, and that nothing carries out, are refused" {
	local key
	for key in run.oci.handler run.oci.seccomp_bpf_data run.oci.timens_offset; do
		make_bundle --arg key "$key" '.annotations[$key] = "x"'
		run_bundle
		assert_refused "$key"
	done
	make_bundle '.annotations["com.example.unknown"] = "x" | .process.args = ["/bin/true"]'
	run_bundle
	equal "$status" 0
}
