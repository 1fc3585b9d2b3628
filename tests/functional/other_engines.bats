#!/usr/bin/env bats
# The engines beside native: how one is chosen, what it says when it can't, and that a sandbox is the same whoever made it.
# All of mxc.bats and mxc_fields.bats also runs with each of them (MXCRUN_TEST_ENGINE, contrib/check).

load helpers
GUARDS="root jq mxcrun native bwrap"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{rw,ro,secret,reopened/deep}
	echo ro >"$D/ro/file"
	echo hidden >"$D/hidden"
	remember_sandboxes
}

test_teardown() { assert_no_new_sandboxes; }

# by ENGINE [option]...: run the policy; bats' $status, $output, $stderr are the result.
by() {
	local engine=$1
	shift
	run --separate-stderr rt --engine "$engine" mxc run "$@" "$POLICY" </dev/null
	echo "$engine: status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

# Run what follows where /usr/bin/bwrap is another file.
with_bwrap() {
	local file=$1
	shift
	run --separate-stderr unshare -m --propagation private sh -c 'mount --bind "$0" /usr/bin/bwrap && exec "$@"' "$file" \
		timeout -k 5 "$(slow 30)" "$MXCRUN" --root "$STATE" "$@" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

fake_bwrap() {
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/fake"
	chmod 755 "$BATS_TEST_TMPDIR/fake"
}

# ---- which one ----

# Who has carried it out, as the enforcement record says it.
engine_of() {
	rm -f "$BATS_TEST_TMPDIR/report"
	rt "$@" mxc run --report "$BATS_TEST_TMPDIR/report" "$POLICY" </dev/null >&2
	jq -r .engine "$BATS_TEST_TMPDIR/report"
}

@test "the engine is the command line's, else the host owner's, else native" {
	policy true
	echo '{"engine": "bwrap"}' >"$BATS_TEST_TMPDIR/admin.json"
	equal "$(engine_of)" native
	equal "$(engine_of --engine bwrap)" bwrap
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json")" bwrap
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json" --engine native)" native
	run --separate-stderr rt --engine nonsense mxc run "$POLICY"
	[ "$status" -ne 0 ]
	contains "$stderr" "native, bwrap"
	echo '{"engine": "nonsense"}' >"$BATS_TEST_TMPDIR/admin.json"
	run --separate-stderr rt --admin-config "$BATS_TEST_TMPDIR/admin.json" mxc run "$POLICY"
	assert_mxc_refused 'there is no engine "nonsense"' /engine
}

@test "a tool that is missing, too old or no tool is an error that says what to install; nothing else is taken" {
	policy 'echo ran'
	: >"$BATS_TEST_TMPDIR/none"
	with_bwrap "$BATS_TEST_TMPDIR/none" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "this host has none" "install the package bubblewrap"
	fake_bwrap 'echo "    --info-fd FD  x"; echo "    --userns-block-fd FD x"; echo "    --ro-bind-data FD DEST x"; echo "    --as-pid-1 x"'
	with_bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "too old" "--perms" "bubblewrap, version 0.5"
	fake_bwrap 'exit 1'
	with_bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "too old"
	# the other engine doesn't care
	with_bwrap "$BATS_TEST_TMPDIR/none" mxc run "$POLICY"
	equal "$status $output" "0 ran"
}

@test "what the tool says when it fails is in our error, and nothing is left" {
	policy 'echo ran'
	fake_bwrap '[ "$1" = --help ] && exec '"$BATS_TEST_TMPDIR"'/bwrap --help; echo "bwrap: the reason" >&2; exit 1'
	cp /usr/bin/bwrap "$BATS_TEST_TMPDIR/bwrap"
	with_bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "bwrap: the reason"
	fake_bwrap '[ "$1" = --help ] && exec '"$BATS_TEST_TMPDIR"'/bwrap --help; exit 3'
	with_bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "bwrap ended by exit code 3"
	# in the middle of its work: a path that is there for us and not for it
	policy 'echo ran' --arg d "$D" '.filesystem.readonlyPaths = [$d + "/ro"]'
	fake_bwrap 'mount -t tmpfs none '"$D"'/ro; rm -rf '"$D"'/absent; exec '"$BATS_TEST_TMPDIR"'/bwrap "$@"'
	with_bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "$D/ro is no longer the object"
}

@test "what the engine can't do is refused by name before anything starts" {
	policy 'echo ran' '.filesystem.deniedPaths = ["/proc"]'
	by native
	equal "$status $output" "0 ran"
	by bwrap
	assert_mxc_refused "/proc is the container's own, and not denied"
	equal "$(records_in "$STATE")" ""
}

# ---- the same sandbox ----

# What is seen of a running sandbox from outside, one fact a line.
facts_of() {
	local pid=$1 file
	# of several at one place the last is what is seen
	awk '{ flags[$5] = $6 } END { for (place in flags) print "mount", place, flags[place] }' "/proc/$pid/mountinfo" | sort
	tr '\0' '\n' <"/proc/$pid/environ" | sed 's/^/env /'
	grep -E '^(Uid|Gid|Groups|NSpid|NoNewPrivs|Seccomp|Cap...|SigIgn|Umask):' "/proc/$pid/status" | sed 's/^NSpid:.*\t/NSpid: /'
	sed 's/^/limit /' "/proc/$pid/limits"
	echo "oom $(cat "/proc/$pid/oom_score_adj") cwd $(readlink "/proc/$pid/cwd") exe $(readlink "/proc/$pid/exe")"
	sed 's/^/uid_map /' "/proc/$pid/uid_map"
	sed 's/^/gid_map /' "/proc/$pid/gid_map"
	echo "setgroups $(cat "/proc/$pid/setgroups") loginuid $(cat "/proc/$pid/sessionid")"
	for file in "/proc/$pid/ns/"*; do
		[ "$(readlink "$file")" = "$(readlink "/proc/self/ns/${file##*/}")" ] && echo "${file##*/} of the host" || echo "${file##*/} own"
	done
	# controllers share the group's name
	cat "$(cgroup_dir "$pid" memory)"/memory.{limit_in_bytes,max} "$(cgroup_dir "$pid" pids)/pids.max" \
		"$(cgroup_dir "$pid" cpu)"/cpu.{cfs_quota_us,max} 2>/dev/null | sed 's/^/cgroup /'
	readlink "/proc/$pid/fd/"* | sed "s|$BATS_TEST_TMPDIR/[a-z]*\.|fd |" | sort
}

# What other users of the same reading have in common is no difference of the sandboxes.
reviewed() {
	# bwrap's own --proc makes these two read-only for every user, also where the host has no settings in them
	sed '/^mount \/proc\/\(bus\|irq\) ro,/d'
}

# observe ENGINE: the facts of the policy's sandbox, into a file of the engine's name.
observe() {
	local pid supervisor
	rt --engine "$1" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/$1.out" 2>"$BATS_TEST_TMPDIR/$1.err" &
	supervisor=$!
	is_there() { pid=$(pgrep -n -f '^sleep 987$'); [ -n "$pid" ] && grep -qa "MXCRUN_TEST_TAG=$TAG" "/proc/$pid/environ"; }
	wait_for 10 is_there
	facts_of "$pid" | reviewed >"$BATS_TEST_TMPDIR/$1"
	kill "$pid"
	wait "$supervisor" || true
	cat "$BATS_TEST_TMPDIR/$1.err"
}

same_by_all() {
	observe native
	observe bwrap
	diff -u "$BATS_TEST_TMPDIR/native" "$BATS_TEST_TMPDIR/bwrap"
}

@test "the sandbox is the same: mounts, environment, ids, rights, limits, cgroup, descriptors" {
	policy 'exec sleep 987' --arg d "$D" '.process.env += ["A=b c"] | .bubblewrap.resources = {memoryMb: 64, cpuCount: 2, pids: 20}
		| .filesystem = {readwritePaths: [$d + "/rw", $d + "/reopened/deep"], readonlyPaths: [$d + "/ro"],
		deniedPaths: [$d + "/hidden", $d + "/secret", $d + "/reopened", "/etc/passwd", "/usr/share"]}'
	same_by_all
	# and it is what was asked for
	grep -qx "cgroup 67108864" "$BATS_TEST_TMPDIR/bwrap"
	grep -q "^mount $D/ro ro,nosuid,nodev" "$BATS_TEST_TMPDIR/bwrap"
	grep -q "^mount $D/hidden ro,nosuid,nodev,noexec" "$BATS_TEST_TMPDIR/bwrap"
	grep -qx "CapBnd:	0000000000000000" "$BATS_TEST_TMPDIR/bwrap"
	grep -qx "Seccomp:	2" "$BATS_TEST_TMPDIR/bwrap"
	grep -qx "net own" "$BATS_TEST_TMPDIR/bwrap"
}

@test "the sandbox is the same on the host's whole root" {
	policy 'exec sleep 987' --arg d "$D" '.filesystem = {readonlyPaths: ["/"], deniedPaths: [$d + "/secret"], readwritePaths: [$d + "/rw"]}'
	same_by_all
}

# ---- bundles ----

by_bwrap() { rt --engine bwrap "$@"; }

@test "a bundle's whole life: create, start, state, exec, list, kill, delete" {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces += [{type: "cgroup"}] | .linux.resources.pids = {limit: 44}
		| .process.user = {uid: 5, gid: 6, additionalGids: [7], umask: 23} | .process.cwd = "/tmp"
		| .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}] | .process.oomScoreAdj = 44
		| .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
			inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}
		| .linux.sysctl = {"net.ipv4.ping_group_range": "3 4"} | .domainname = "its.own"
		| .hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >>$0/hooks", $dir]}]' --arg dir "$BATS_TEST_TMPDIR"
	by_bwrap create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(status_of "$TAG")" created
	# ours to reap, as an engine expects: the tool that made it is gone
	refused pgrep -f "bwrap.*--info-fd"
	rt start "$TAG"
	wait_for 10 has_exec
	equal "$(status_of "$TAG")" running
	equal "$(proc_status "$PID" Uid)" "$(printf '5\t5\t5\t5')"
	equal "$(proc_status "$PID" Groups)" "7 "
	equal "$(proc_status "$PID" CapBnd) $(proc_status "$PID" CapEff) $(proc_status "$PID" NoNewPrivs)" "0000000000000021 0000000000000020 1"
	equal "$(proc_status "$PID" Umask)" 0027
	grep -q "^Max open files *66 *77 " "/proc/$PID/limits"
	equal "$(cat "/proc/$PID/oom_score_adj") $(readlink "/proc/$PID/cwd") $(nsenter -t "$PID" -u cat /proc/sys/kernel/domainname)" "44 /tmp its.own"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 44
	equal "$(cat "$BATS_TEST_TMPDIR/hooks")" hook
	equal "$(rt exec --user 0 "$TAG" /bin/sh -c 'echo in; cat /proc/sys/net/ipv4/ping_group_range; touch /sys/x 2>/dev/null || echo ro')" "in
3	4
ro"
	contains "$(rt list -q)" "$TAG"
	rt kill "$TAG" KILL
	wait_for 10 is_status "$TAG" stopped
	rt delete "$TAG"
}

@test "a bundle in the foreground: exit code, a signal, a terminal, and a program that is not there" {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces += [{type: "cgroup"}]'
	script 'echo out; echo err >&2; exit 7'
	run --separate-stderr by_bwrap run --bundle "$BUNDLE" "$TAG"
	equal "$status $output $stderr" "7 out err"
	script 'kill -9 $$'
	run --separate-stderr by_bwrap run --bundle "$BUNDLE" "$TAG"
	# pid 1 can't kill itself
	equal "$status" 0
	config '.process.args = ["/absent"]'
	run -127 --separate-stderr by_bwrap run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" 'exec: "/absent"'
	script 'test -t 0 && tty; ls -l /dev/console | cut -c 1'
	config '.process.terminal = true'
	# --foreground: where the shell does not exec its only command, timeout would be in a group of its own, away from the terminal
	run env script -qec "timeout --foreground -k 5 30 $MXCRUN --root $STATE --engine bwrap run --bundle $BUNDLE $TAG" /dev/null
	contains "$output" /dev/pts/0
	equal "$(tail -n 1 <<<"$output" | tr -d '\r')" c
}

@test "of a bundle, too, what the engine can't do is refused by name before anything starts" {
	local word filter
	while read -r word filter; do
		make_bundle '.process.noNewPrivileges = true | .linux.namespaces += [{type: "cgroup"}]'
		config "$filter"
		run --separate-stderr by_bwrap run --bundle "$BUNDLE" "$TAG"
		assert_refused "bwrap: " "$word"
		equal "$(records_in "$STATE")" ""
	done <<-'END'
		no_new_privs .process.noNewPrivileges = false
		joined .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)
		createContainer .hooks.createContainer = [{path: "/bin/true"}]
		view .linux.namespaces |= map(select(.type != "cgroup"))
		propagation .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared"]}]
		below .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind"]}]
		upon .mounts += [{destination: "/sys/fs/x", type: "tmpfs", source: "tmpfs"}]
		device .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		AppArmor .process.apparmorProfile = "unconfined"
		maps .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		/proc .mounts |= map(select(.destination != "/proc"))
	END
}

# ---- nothing is left ----

@test "killed at any moment: gc takes away what the engine has begun" {
	policy 'exec sleep 987'
	local delay pid
	for delay in 0.004 0.008 0.012 0.016 0.02 0.03 0.05 0.1; do
		# shellcheck disable=SC2016 # expanded by the shell that is killed
		setsid sh -c 'exec "$0" --root "$1" --engine bwrap mxc run "$2"' "$MXCRUN" "$STATE" "$POLICY" </dev/null >/dev/null 2>&1 3>&- 4>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		no_sleeper() { ! pgrep -f 'sleep 987' >/dev/null; }
		wait_for 10 no_sleeper
	done
	rt gc >/dev/null
	equal "$(records_in "$STATE")" ""
	refused pgrep -f "mxcrun-init|--info-fd"
}
