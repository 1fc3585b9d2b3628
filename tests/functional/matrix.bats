#!/usr/bin/env bats
# docs/engines-matrix.md, proven: an item of the plan is asked for, and a running container is looked at for its effect. Native
# shows what the effect is; each other engine shows the same, or refuses the item by its name where the matrix says so.

load helpers
GUARDS="root jq mxcrun native bwrap"

test_setup() { remember_sandboxes; }
test_teardown() { assert_no_new_sandboxes; }

engines() { echo bwrap; ! have lxc-start || echo lxc; }

# Does the matrix say that the engine refuses the item? Where it has no such item the test is wrong.
matrix_refuses() {
	local engine=$1 item=$2 line
	line=$(matrix_of "$engine" "$item")
	[ -n "$line" ] || {
		echo "no item \"$item\" of $engine" >&2
		return 2
	}
	[[ $line == '**refused**'* ]]
}

# A run by an engine, as one text: status and output; errors go to a file.
seen_by() { # ENGINE RUN...
	local engine=$1 status=0
	shift
	timeout -k 5 "$(slow 30)" "$MXCRUN" --root "$STATE" --engine "$engine" "$@" </dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- || status=$?
	echo "status $status"
}

# prove ITEM RUN...: native differs from $PLAIN, and the others are as native, or refuse.
prove() {
	local item=$1 native engine found
	shift
	native=$(seen_by native "$@")
	[ "$native" != "$PLAIN" ] || {
		echo "$item: no effect: $native; $(cat "$BATS_TEST_TMPDIR/err")" >&2
		return 1
	}
	for engine in $(engines); do
		found=$(seen_by "$engine" "$@")
		if matrix_refuses "$engine" "$item"; then
			grep -qF "$engine: $item: " "$BATS_TEST_TMPDIR/err" && continue
			echo "$item: not refused by $engine: $found; $(cat "$BATS_TEST_TMPDIR/err")" >&2
			return 1
		fi
		[ "$found" = "$native" ] || {
			echo "$item: by $engine: $found; $(cat "$BATS_TEST_TMPDIR/err"); native: $native" >&2
			return 1
		}
	done
}

# Rows of stdin: item | what the workload does | the filter that asks for the item. $BASE is the filter of all.
prove_bundles() {
	local item script filter count=0 failed=0
	while IFS='|' read -r item script filter; do
		item=${item% } script=${script# } filter=${filter# }
		make_bundle "$BASE"
		script "${script//¦/|}"
		PLAIN=$(seen_by native run --bundle "$BUNDLE" "$TAG")
		config "${filter//¦/|}"
		prove "$item" run --bundle "$BUNDLE" "$TAG" || failed=$((failed + 1))
		count=$((count + 1))
	done
	[ "$count" -ge "$1" ]
	[ "$failed" -eq 0 ]
}

BASE='.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'

@test "the matrix holds: names, namespaces, ids" {
	prove_bundles 13 <<-'END'
		host name | hostname | .hostname = "flipped"
		domain name | cat /proc/sys/kernel/domainname | .domainname = "flipped"
		new user namespace | cat /proc/self/uid_map | .linux.namespaces += [{type: "user"}] ¦ .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] ¦ .linux.gidMappings = .linux.uidMappings
		id map of more than one id | cat /proc/self/uid_map | .linux.namespaces += [{type: "user"}] ¦ .linux.uidMappings = [{containerID: 0, hostID: 0, size: 9}] ¦ .linux.gidMappings = .linux.uidMappings ¦ .mounts ¦= map(select(.type != "sysfs" and .type != "cgroup"))
		sysfs in a new user namespace | ls /sys/class/net; cat /proc/self/uid_map | .linux.namespaces += [{type: "user"}] ¦ .linux.uidMappings = [{containerID: 0, hostID: 0, size: 9}] ¦ .linux.gidMappings = .linux.uidMappings ¦ .mounts ¦= map(select(.type != "cgroup"))
		new ipc, uts, net, pid, mount namespace | readlink /proc/self/ns/ipc | .linux.namespaces ¦= map(select(.type != "ipc"))
		new time namespace | cat /proc/self/timens_offsets | .linux.namespaces += [{type: "time"}] ¦ .linux.timeOffsets = {boottime: {secs: 99}}
		joined namespace | readlink /proc/self/ns/net | .linux.namespaces ¦= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)
		user and group | id -u; id -g | .process.user = {uid: 5, gid: 6}
		supplementary groups | id -G | .process.user.additionalGids = [7, 8]
		umask | umask | .process.user.umask = 23
		sysctls | cat /proc/sys/net/ipv4/ping_group_range | .linux.sysctl = {"net.ipv4.ping_group_range": "3 4"}
		command, environment, working directory | pwd; echo "$A" | .process.cwd = "/tmp" ¦ .process.env += ["A=b  c"]
	END
}

@test "the matrix holds: the root, mounts, devices, masks" {
	prove_bundles 18 <<-'END'
		read-only root | touch /y 2>/dev/null ¦¦ echo ro | .root.readonly = true
		bind mount | ls -d /x/bin | .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev"]}]
		bind mount of one mount only | ls -d /x/bin | .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind", "ro", "nosuid", "nodev"]}]
		mount flags but for read-only, nosuid and nodev | grep -c " /x .*noexec" /proc/self/mountinfo | .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev", "noexec"]}]
		a mount in place of the root | grep " / " /proc/self/mountinfo ¦ cut -d " " -f 6 | .mounts = [{destination: "/", type: "bind", source: "rootfs", options: ["rbind", "rnosuid"]}] + .mounts
		a bind without flags of its source | grep " /x " /proc/self/mountinfo ¦ cut -d " " -f 6 | .mounts += [{destination: "/x", type: "bind", source: "/sys", options: ["rbind", "ro", "rnosuid"]}]
		file system | grep -c " /x " /proc/self/mountinfo | .mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs"}]
		options of a tmpfs but for size and mode | df -i /dev/shm ¦ tail -n 1 ¦ tr -s " " ¦ cut -d " " -f 2 | .mounts ¦= map(if .destination == "/dev/shm" then .options += ["nr_inodes=77"] else . end)
		size of a tmpfs | df -k /tmp ¦ tail -n 1 ¦ tr -s " " ¦ cut -d " " -f 2 | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=64k"]}]
		tmpfs without a mode | stat -c %a /root; ls -a /root ¦ wc -l; grep -c " /root " /proc/self/mountinfo | .mounts += [{destination: "/root", type: "tmpfs", source: "tmpfs"}]
		tmpfs without a mode | stat -c %a /tmp /tmp/x; grep -c " /tmp" /proc/self/mountinfo | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["ro"]}, {destination: "/tmp/x", type: "tmpfs", source: "tmpfs", options: ["mode=711"]}]
		tmpfs filled from the image | ls /etc; grep -c " /etc " /proc/self/mountinfo | .mounts += [{destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]
		view of the cgroup | ls /sys/fs/cgroup ¦ wc -l | .mounts ¦= map(select(.type != "cgroup"))
		propagation of a mount | grep -c " /x .*shared" /proc/self/mountinfo | .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared", "ro", "nosuid", "nodev"]}]
		masked paths | cat /etc/passwd ¦ wc -l | .linux.maskedPaths += ["/etc/passwd"]
		read-only paths | touch /etc/y 2>/dev/null ¦¦ echo ro | .linux.readonlyPaths += ["/etc"]
		device nodes but for the default ones | ls /dev/fuse | .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		idmapped bind mount | stat -c %u /x | .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind", "ro", "nosuid", "nodev", "idmap"], uidMappings: [{containerID: 0, hostID: 7, size: 1}], gidMappings: [{containerID: 0, hostID: 7, size: 1}]}]
	END
}

@test "the matrix holds: rights, limits and what else a process has" {
	prove_bundles 12 <<-'END'
		cgroup limits | cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null | .linux.resources.pids = {limit: 44}
		capabilities that the workload has | grep Cap /proc/self/status | .process.capabilities ¦= map_values(["CAP_KILL"])
		capabilities that differ from set to set | grep Cap /proc/self/status | .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"]}
		no_new_privs not set | grep NoNewPrivs /proc/self/status | .process.noNewPrivileges = false
		resource limits | ulimit -n | .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}]
		out-of-memory score | cat /proc/self/oom_score_adj | .process.oomScoreAdj = 44
		scheduler | cut -d " " -f 19 /proc/self/stat | .process.scheduler = {policy: "SCHED_OTHER", nice: 5}
		I/O priority | ionice | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
		personality | uname -m | .linux.personality = {domain: "LINUX32"}
		seccomp filter | mkdir /tmp/y 2>/dev/null ¦¦ echo no | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}
		flags of the seccomp filter | grep Seccomp: /proc/self/status | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_LOG"], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
		hooks | ls /tmp | .hooks.startContainer = [{path: "/bin/touch", args: ["touch", "/tmp/hooked"]}]
	END
}

# The same for policies: item | command | filter.
prove_policies() {
	local item command filter count=0 failed=0
	while IFS='|' read -r item command filter; do
		item=${item% } command=${command# } filter=${filter# }
		policy "${command//¦/|}" --arg d "$BATS_TEST_TMPDIR"
		PLAIN=$(seen_by native mxc run "$POLICY")
		policy "${command//¦/|}" --arg d "$BATS_TEST_TMPDIR" "${filter//¦/|}"
		prove "$item" mxc run "$POLICY" || failed=$((failed + 1))
		count=$((count + 1))
	done
	[ "$count" -ge "$1" ]
	[ "$failed" -eq 0 ]
}

@test "the matrix holds: a policy's paths, limits and time" {
	mkdir -p "$BATS_TEST_TMPDIR/granted"
	touch "$BATS_TEST_TMPDIR/granted/file"
	prove_policies 5 <<-END
		bind mount | ls $BATS_TEST_TMPDIR/granted | .filesystem.readonlyPaths = [\$d + "/granted"]
		denied path | cat /etc/passwd ¦ wc -l; stat -c %a /etc/passwd | .filesystem.deniedPaths = ["/etc/passwd"]
		the host's whole root | ls -d /boot; touch /usr/y 2>/dev/null ¦¦ echo ro | .filesystem.readonlyPaths = ["/"]
		cgroup limits | grep -c . /proc/self/cgroup; (exec 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1 & done; wait) ¦¦ echo full | .bubblewrap.resources = {pids: 6}
		time limit | sleep 3; echo over | .process.timeout = 500
	END
}
