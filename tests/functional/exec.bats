#!/usr/bin/env bats
# exec: one more process in a container, under the same rules as its first one.

load helpers
GUARDS="root jq"

run_exec() { run --separate-stderr rt exec "$@" </dev/null; }

# The container that most tests use: it sleeps.
test_setup() {
	make_bundle
	start_container "$TAG"
}

@test "exit codes, streams, and a program that is absent or can't be executed" {
	run_exec "$TAG" sh -c 'echo out; echo err >&2; exit 7'
	equal "$status $output $stderr" "7 out err"
	run_exec "$TAG" sh -c 'kill -9 $$'
	equal "$status" 137
	run -127 --separate-stderr rt exec "$TAG" /absent
	contains "$stderr" 'no such file or directory'
	run -127 --separate-stderr rt exec "$TAG" absent
	contains "$stderr" 'executable file not found in $PATH'
	run_exec "$TAG" /etc/passwd
	equal "$status" 126
	equal "$(rt exec "$TAG" cat <<<"from stdin")" "from stdin"
}

@test "it is in all namespaces and all cgroups of the container, and sees its root" {
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/exec.pid" "$TAG" sleep 1000 </dev/null >/dev/null 2>&1
	local pid name
	pid=$(cat "$BATS_TEST_TMPDIR/exec.pid")
	for name in cgroup ipc mnt net pid uts user time; do
		equal "$name $(readlink "/proc/$pid/ns/$name")" "$name $(readlink "/proc/$PID/ns/$name")"
	done
	equal "$(cat "/proc/$pid/cgroup")" "$(cat "/proc/$PID/cgroup")"
	equal "$(stat -L -c %d:%i "/proc/$pid/root")" "$(stat -L -c %d:%i "/proc/$PID/root")"
	equal "$(open_descriptors "$pid")" "0 1 2 "
	rt delete --force "$TAG"
	gone() { [ ! -e "/proc/$pid" ]; }
	wait_for 5 gone
}

# A run that nobody watches is recorded before its mounts are made: until then the host's tree is in sight there.
@test "exec stays out of a container that run is still setting up" {
	rt delete --force "$TAG"
	make_bundle '.mounts += [range(3000) | {destination: "/many/\(.)", type: "bind", source: "/etc/passwd", options: ["bind"]}]'
	echo inside >"$BUNDLE/rootfs/marker"
	rt run --bundle "$BUNDLE" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 &
	local early=0 round
	for round in $(seq 400); do
		run_exec "$TAG" cat /marker
		[ "$status" -ne 0 ] || break
		case $stderr in
		*"being set up"*) early=$((early + 1)) ;;
		*"does not exist"* | *creating*) ;;
		*) echo "round $round: $stderr" && return 1 ;;
		esac
	done
	equal "$status $output" "0 inside"
	[ "$early" -gt 0 ]
	rt delete --force "$TAG"
	wait
}

@test "capabilities, no_new_privs, limits and seccomp are the container's, and are changed as asked" {
	rt delete --force "$TAG"
	make_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["chroot"], action: "SCMP_ACT_ERRNO", errnoRet: 6}]}'
	start_container "$TAG"
	local field
	for field in CapBnd CapEff CapPrm CapInh CapAmb NoNewPrivs Seccomp; do
		equal "$field $(rt exec "$TAG" sed -n "s/^$field:[[:space:]]*//p" /proc/self/status)" "$field $(proc_status "$PID" "$field")"
	done
	equal "$(rt exec "$TAG" sh -c 'ulimit -n')" 1024
	run_exec "$TAG" probe call chroot
	equal "$output" ENXIO
	equal "$(rt exec --cap CAP_CHOWN "$TAG" sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)" \
		"$(printf '%016x' $((0x$(proc_status "$PID" CapEff) | 1)))"
}

@test "an added capability is ambient where it is inheritable" {
	rt delete --force "$TAG"
	make_bundle '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], inheritable: ["CAP_CHOWN", "CAP_KILL"],
		permitted: ["CAP_KILL"], effective: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	start_container "$TAG"
	ambient() { rt exec "$@" sed -n 's/^CapAmb:[[:space:]]*//p' /proc/self/status; }
	equal "$(ambient "$TAG")" 0000000000000020
	equal "$(ambient --cap CAP_CHOWN "$TAG")" 0000000000000021
	equal "$(ambient --cap CAP_SETUID "$TAG")" 0000000000000020
}

@test "a working directory that is not there is refused, and not made" {
	run_exec --cwd /tmp/absent/below "$TAG" pwd
	equal "$status" 126
	contains "$stderr" /process/cwd /tmp/absent/below "o such file or directory"
	[ ! -e "$BUNDLE/rootfs/tmp/absent" ]
	run_exec --cwd /etc/passwd "$TAG" pwd
	equal "$status" 126
	contains "$stderr" /process/cwd "ot a directory"
	run_exec --cwd /tmp/ "$TAG" pwd
	equal "$output" /tmp
}

@test "user, groups, working directory and variables" {
	run_exec --user 5:6 --additional-gids 7 --additional-gids 8 --cwd /tmp --env A=1 --env A=2 -e TERM=new "$TAG" \
		sh -c 'id -u; id -g; id -G; pwd; echo $A $TERM'
	equal "$output" "5
6
6 7 8
/tmp
2 new"
	local wrong
	for wrong in "--user x" "--user 4294967295" "--user 1:y" "--env NOVALUE" "--additional-gids -1"; do
		# shellcheck disable=SC2086
		run_exec $wrong "$TAG" true
		assert_refused "${wrong%% *}"
	done
}

@test "--process takes the whole process from a file" {
	jq -n '{cwd: "/tmp", args: ["sh", "-c", "pwd; id -u; echo $X; cat /proc/self/oom_score_adj"], env: ["X=y", "PATH=/bin"],
		user: {uid: 9, gid: 9}, oomScoreAdj: 321}' >"$BATS_TEST_TMPDIR/process.json"
	run_exec --process "$BATS_TEST_TMPDIR/process.json" "$TAG"
	equal "$output" "/tmp
9
y
321"
	echo '{"cwd": "/", "args": "ls"}' >"$BATS_TEST_TMPDIR/process.json"
	run_exec --process "$BATS_TEST_TMPDIR/process.json" "$TAG"
	assert_refused "process.json: /args: "
	run_exec --process /absent "$TAG"
	assert_refused /absent
	run_exec "$TAG"
	assert_refused --process
	run_exec --process /dev/zero "$TAG"
	assert_refused "regular file"
	run_exec --process "$BATS_TEST_TMPDIR" "$TAG"
	assert_refused "$BATS_TEST_TMPDIR"
}

@test "--process: capabilities and limits that the file leaves out are the container's, and those that it has its own" {
	rt delete --force "$TAG"
	config '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL", "CAP_CHOWN"]}
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}]'
	start_container "$TAG"
	jq -n '{cwd: "/", args: ["sh", "-c", "grep -E \"Cap(Eff|Bnd)\" /proc/self/status | tr -d \"\\n\\t\"; ulimit -n"], env: ["PATH=/bin"],
		user: {uid: 0, gid: 0}}' >"$BATS_TEST_TMPDIR/process.json"
	run_exec --process "$BATS_TEST_TMPDIR/process.json" "$TAG"
	equal "$output" "CapEff:0000000000000021CapBnd:000000000000002177"
	jq '.capabilities = {bounding: ["CAP_CHOWN"]} | .rlimits = [{type: "RLIMIT_NOFILE", soft: 55, hard: 55}]' \
		"$BATS_TEST_TMPDIR/process.json" >"$BATS_TEST_TMPDIR/own.json"
	run_exec --process "$BATS_TEST_TMPDIR/own.json" "$TAG"
	equal "$output" "CapEff:0000000000000001CapBnd:000000000000000155"
}

@test "--process takes a pipe: a shell's substitution, a FIFO whose writer comes later, standard input" {
	local process='{"cwd": "/", "args": ["echo", "by a pipe"]}'
	run_exec --process <(sleep 0.2; echo "$process") "$TAG"
	equal "$status $output" "0 by a pipe"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	{ sleep 0.2; echo "$process" >"$BATS_TEST_TMPDIR/fifo"; } 3>&- &
	run_exec --process "$BATS_TEST_TMPDIR/fifo" "$TAG"
	equal "$status $output" "0 by a pipe"
	run --separate-stderr "$MXCRUN" --root "$STATE" exec --process - "$TAG" <<<"$process"
	equal "$status $output" "0 by a pipe"
	run_exec --process <(head -c 20000000 /dev/zero) "$TAG"
	assert_refused "larger than"
	run_exec --process <(true) "$TAG"
	[ "$status" -ne 0 ]
}

@test "a terminal of the container's own, with the caller's streams relayed" {
	run --separate-stderr command script -qec "$MXCRUN --root $STATE exec --tty $TAG sh -c 'tty; exit 3'" /dev/null
	equal "$status" 3
	contains "$output" /dev/pts/
	run_exec --tty --detach "$TAG" true
	assert_refused "console socket"
}

@test "what a container that is paused, stopped or absent answers" {
	if host_has freezer; then
		rt pause "$TAG"
		run_exec "$TAG" true
		assert_refused paused
		rt exec --ignore-paused "$TAG" sh -c 'echo late' >"$BATS_TEST_TMPDIR/late" </dev/null 3>&- &
		sleep 0.5
		equal "$(cat "$BATS_TEST_TMPDIR/late")" ""
		rt resume "$TAG"
		wait $!
		equal "$(cat "$BATS_TEST_TMPDIR/late")" late
	fi
	rt kill "$TAG" KILL
	stopped() { is_status "$TAG" stopped; }
	wait_for 5 stopped
	run_exec "$TAG" true
	assert_refused "cannot exec in a stopped container"
	run_exec "$TAG-absent" true
	assert_refused "does not exist"
}

@test "in a user namespace it is the namespace's root and nobody outside" {
	rt delete --force "$TAG"
	make_userns_bundle
	start_container "$TAG"
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/exec.pid" "$TAG" sleep 1000 </dev/null >/dev/null 2>&1
	local pid
	pid=$(cat "$BATS_TEST_TMPDIR/exec.pid")
	equal "$(stat -c %u "/proc/$pid")" 100000
	equal "$(readlink "/proc/$pid/ns/user")" "$(readlink "/proc/$PID/ns/user")"
	run_exec "$TAG" sh -c 'id -u; touch /made && stat -c %u /made'
	equal "$output" "0
0"
	run_exec --user 2000 "$TAG" true
	assert_refused "not mapped"
}

@test "with the host's pid namespace it still ends with the container" {
	rt delete --force "$TAG"
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	start_container "$TAG"
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/exec.pid" "$TAG" sleep 1000 </dev/null >/dev/null 2>&1
	local pid
	pid=$(cat "$BATS_TEST_TMPDIR/exec.pid")
	[ -e "/proc/$pid" ]
	rt delete --force "$TAG"
	gone() { [ ! -e "/proc/$pid" ]; }
	wait_for 5 gone
}

@test "descriptors: those asked for and no others" {
	run --separate-stderr bash -c "exec 3</etc/hostname 4</etc/hostname 5</etc/hostname
		$MXCRUN --root $STATE exec --preserve-fds 1 $TAG probe fds </dev/null"
	equal "$(wc -l <<<"$output")" 4
	contains "$output" hostname
}

@test "a label that can't be enforced is refused, not dropped" {
	run_exec --process-label system_u:object_r:x "$TAG" true
	assert_refused /process/selinuxLabel
	run_exec --apparmor no-such-profile "$TAG" true
	assert_refused /process/apparmorProfile
}

@test "a signal to exec reaches the process" {
	"$MXCRUN" --root "$STATE" exec "$TAG" sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done' \
		>"$BATS_TEST_TMPDIR/o" </dev/null 2>&1 3>&- &
	local runtime=$! code=0
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/o"
	kill -TERM "$runtime"
	wait "$runtime" || code=$?
	equal "$code" 5
}

@test "execCPUAffinity: the process has its final cpus, the container's own keeps all" {
	local all
	config '.process.execCPUAffinity = {initial: "0", final: "0"}'
	all=$(proc_status self Cpus_allowed_list)
	equal "$(proc_status "$PID" Cpus_allowed_list)" "$all"
	equal "$(rt exec "$TAG" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)" 0
	config '.process.execCPUAffinity.final = "zero"'
	run --separate-stderr rt exec "$TAG" true
	assert_refused /process/execCPUAffinity/final
}

@test "a container whose workload has sub-groups with controllers of its own takes exec'd processes beside its init" {
	local group controller
	group=$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
	for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do [ ! -e "$root/cgroup.controllers" ] || group=$root$group; done
	[ -e "$group/cgroup.controllers" ] || skip "needs cgroup_v2"
	controller=$(cut -d' ' -f1 "$group/cgroup.controllers")
	[ -n "$controller" ] || skip "needs a controller in the container's group"
	mkdir "$group/sub"
	echo "$PID" >"$group/sub/cgroup.procs"
	echo "+$controller" >"$group/cgroup.subtree_control"
	equal "$(rt exec "$TAG" sh -c 'grep -c "^0::.*/sub$" /proc/self/cgroup || cat /proc/self/cgroup')" 1
	run --separate-stderr rt exec --cgroup /absent "$TAG" true
	assert_refused
}

@test "exec joins the container's session keyring" {
	rt delete --force "$TAG"
	make_bundle '.process.args = ["/bin/sh", "-c", "/bin/probe keyring; exec sleep 1000"]'
	rt run --detach --bundle "$BUNDLE" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/own" 2>/dev/null
	written() { [ -s "$BATS_TEST_TMPDIR/own" ]; }
	wait_for 10 written
	equal "$(rt exec "$TAG" /bin/probe keyring </dev/null)" "$(cat "$BATS_TEST_TMPDIR/own")"
	[ "$(cat "$BATS_TEST_TMPDIR/own")" != "$("$MXCRUN_TEST_BIN/probe" keyring)" ]
}

@test "--console-socket gets the terminal of an exec" {
	local socket=$BATS_TEST_TMPDIR/tty.sock receiver
	"$MXCRUN_TEST_BIN/recvtty" "$socket" </dev/null >"$BATS_TEST_TMPDIR/tty" 2>&1 3>&- &
	receiver=$!
	wait_for 5 test -S "$socket"
	rt exec --tty --detach --console-socket "$socket" "$TAG" sh -c 'tty; sleep 0.3' </dev/null >/dev/null 2>&1
	wait_for 10 grep -q /dev/pts/ "$BATS_TEST_TMPDIR/tty"
	wait "$receiver"
}

@test "flags that change the process or where it is: --no-new-privs, --cgroup; --no-subreaper changes nothing" {
	local dir
	rt delete --force "$TAG"
	make_bundle '.process.noNewPrivileges = false'
	start_container "$TAG"
	equal "$(rt exec "$TAG" sed -n 's/^NoNewPrivs:.//p' /proc/self/status)" 0
	equal "$(rt exec --no-new-privs --no-subreaper "$TAG" sed -n 's/^NoNewPrivs:.//p' /proc/self/status)" 1
	dir=$(cgroup_dir "$PID" pids)
	mkdir "$dir/sub"
	if [ -e "$dir/cgroup.controllers" ]; then
		contains "$(rt exec --cgroup sub "$TAG" cat /proc/self/cgroup)" /sub
	else
		contains "$(rt exec --cgroup pids:sub "$TAG" grep :pids: /proc/self/cgroup)" /sub
		# one more, several controllers at once, wherever they are mounted, and a slash too many
		local memory cpu
		memory=$(cgroup_dir "$PID" memory)
		cpu=$(cgroup_dir "$PID" cpu)
		mkdir "$memory/sub" "$cpu/other"
		[ -d "$(cgroup_dir "$PID" cpuacct)/other" ] || mkdir "$(cgroup_dir "$PID" cpuacct)/other"
		rt exec --cgroup pids,memory:sub/ --cgroup cpu,cpuacct:other "$TAG" cat /proc/self/cgroup >"$BATS_TEST_TMPDIR/groups"
		equal "$(grep -cE ':(pids|memory):.*/sub$' "$BATS_TEST_TMPDIR/groups")" 2
		equal "$(grep -E ':[^:]*cpu(,|:|acct)' "$BATS_TEST_TMPDIR/groups" | grep -vc '/other$' || true)" 0
	fi
	run_exec --cgroup absent "$TAG" true
	equal "$status" 255
	contains "$stderr" --cgroup absent "No such file"
	# runc's word for the container's own group
	equal "$(rt exec --cgroup / "$TAG" cat /proc/self/cgroup)" "$(rt exec "$TAG" cat /proc/self/cgroup)"
	run_exec --cgroup /../x "$TAG" true
	equal "$status" 255
	contains "$stderr" "leads out"
}
