#!/usr/bin/env bats
# Limits that the kernel really applies, freezing, killing whole trees, and groups that go away.

load helpers
load compare
GUARDS="root jq"

# ---- limits: the files say it, and the workload feels it ----

@test "memory, cpu and pids limits stand in the cgroup files" {
	make_bundle '.linux.resources.memory = {limit: 50331648, reservation: 25165824}
		| .linux.resources.cpu = {quota: 20000, period: 50000, shares: 2048} | .linux.resources.pids.limit = 17'
	start_container "$TAG"
	compare_cgroup "$PID"
	equal "$(cgroup_value "$PID" memory memory.soft_limit_in_bytes memory.low)" 25165824
	if host_has cgroup_v2; then
		# shares 2..262144 become weight 1..10000, v1's default v2's; by a line between the ends with runc before 1.3.2
		local weight wanted=174
		weight=$(cgroup_value "$PID" cpu - cpu.weight)
		host_has mxcrun || [ "$weight" != 79 ] || wanted=79
		equal "$weight" "$wanted"
	else
		equal "$(cgroup_value "$PID" cpu cpu.shares -)" 2048
	fi
}

@test "without limits the files have none" {
	requires cgroupfs
	make_bundle
	start_container "$TAG"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" max
	[ "$(cgroup_value "$PID" memory memory.limit_in_bytes memory.max)" != 50331648 ]
}

@test "a limit that the kernel refuses stops the start, by name, and leaves nothing" {
	make_bundle '.linux.resources.cpu = {quota: 10, period: 5}'
	run_bundle
	assert_refused cpu
	make_bundle '.linux.resources.unified = {"no.such.file": "1"}'
	run_bundle
	assert_refused
	make_bundle '.linux.resources.cpu.cpus = "4000"'
	run_bundle
	assert_refused cpu
	assert_nothing_left
}

@test "a memory hog is killed at its limit, a modest one lives" {
	make_bundle '.linux.resources.memory.limit = 33554432'
	script '/bin/probe dirty 100000000; echo "hog $?"; /bin/probe dirty 1000000; echo "modest $?"'
	run_bundle
	contains "$output" "hog 137"
	contains "$output" "modest 0"
	lacks "${lines[0]}" dirty
}

# What the last `run` under that limit came to. While init shares its memory with the process that makes it the kernel counts the kill
# for that one's group; then the line only supposes what it was.
outcome() { # LIMIT
	case "$status $stderr" in
	"1 "*"init was killed before it was ready: out of memory, the container's limit of $1 bytes is too low" | \
		"1 mxcrun: init ended by signal 9 before it was ready (a memory limit below what set-up needs kills it:"*) echo unready ;;
	"1 "*"init was killed before it executed the program: out of memory, the container's limit of $1 bytes is too low") echo unexecuted ;;
	"137 " | "0 ") echo executed ;;
	*) echo "odd: $1: $status $stderr" ;;
	esac
}

@test "a memory limit under which init can't live is told, by run, create and start, and leaves nothing" {
	local command limit seen=
	for command in run create; do
		make_bundle '.linux.resources.memory.limit = 16384'
		run --separate-stderr rt "$command" --bundle "$BUNDLE" "$TAG"
		equal "$(outcome 16384)" unready
		assert_nothing_left
	done
	script true
	for ((limit = 49152; limit <= 204800; limit += 8192)); do
		config --argjson limit "$limit" '.linux.resources.memory.limit = $limit'
		run_bundle
		seen+="run $(outcome "$limit"), "
		create_container "$TAG" 2>/dev/null || continue
		run --separate-stderr rt start "$TAG"
		seen+="start $(outcome "$limit"), "
		rt delete --force "$TAG"
	done
	lacks "$seen" odd
	contains "$seen" "run executed"
	assert_nothing_left
	contains "$seen" "run unexecuted"
}

@test "a fork bomb is stopped at the pids limit" {
	make_bundle '.linux.resources.pids.limit = 20'
	# The shell that can't fork any more ends; what it has started goes on.
	local bomb='(i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i + 1)); done; echo all) >/tmp/result 2>&1; exec sleep 1000'
	script "$bomb"
	start_container "$TAG"
	at_limit() { [ "$(cgroup_value "$PID" pids pids.current pids.current)" -ge 18 ]; }
	wait_for 10 at_limit
	wait_for 10 grep -q fork "$BUNDLE/rootfs/tmp/result"
	[ "$(cgroup_value "$PID" pids pids.current pids.current)" -le 20 ]
	refused grep -q all "$BUNDLE/rootfs/tmp/result"
	rt delete --force "$TAG"
	assert_nothing_left
	# The neighbour: with room enough all of them run.
	make_bundle '.linux.resources.pids.limit = 100'
	script "$bomb"
	start_container "$TAG"
	wait_for 10 grep -q all "$BUNDLE/rootfs/tmp/result"
}

@test "a cpu quota slows the workload down" {
	make_bundle '.linux.resources.cpu = {quota: 10000, period: 100000}'
	script 'i=0; while :; do i=$((i + 1)); done'
	start_container "$TAG"
	sleep 1
	throttled() { awk '$1 == "nr_throttled" { exit !($2 > 0) }' "$(cgroup_dir "$PID" cpu)/cpu.stat"; }
	wait_for 10 throttled
}

# ---- where the group is ----

@test "an absolute cgroupsPath is below the root of every hierarchy, and removed at the end" {
	requires cgroupfs
	make_bundle --arg path "/mxcrun-test-$TAG/deep/$TAG" '.linux.cgroupsPath = $path'
	start_container "$TAG"
	compare_cgroup "$PID"
	[ -d "$(cgroup_dir "$PID" pids)" ]
	local dir
	dir=$(cgroup_dir "$PID" pids)
	rt delete --force "$TAG"
	[ ! -d "$dir" ]
	# Groups above that one were asked for by the config and stay to be shared; they are ours to clean here.
	find /sys/fs/cgroup -depth -type d -path "*mxcrun-test-$TAG*" -exec rmdir {} + 2>/dev/null || true
	assert_nothing_left
}

@test "a cgroupsPath that leads out is cleaned or refused" {
	make_bundle --arg path "/../../../$TAG/../../$TAG" '.linux.cgroupsPath = $path | .process.args = ["/bin/true"]'
	run_bundle
	[ ! -d "/sys/fs/$TAG" ] && [ ! -d "/sys/$TAG" ]
	[ "$status" -eq 0 ] || contains "$stderr" ".."
	assert_nothing_left
}

@test "with a cgroup namespace the workload sees itself at the root" {
	make_bundle '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
	script 'cat /proc/self/cgroup'
	run_bundle
	# The empty named hierarchy of some hosts may stay outside.
	equal "$(grep -vE ':/$|:name=' <<<"$output")" ""
}

@test "the cgroup mount shows the container's own group, and can't be written" {
	make_bundle '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
	script 'ls /sys/fs/cgroup | head -n 50; d=/sys/fs/cgroup; [ -d $d/pids ] && d=$d/pids; cat $d/cgroup.procs; mkdir $d/x && echo MADE'
	run_bundle
	lacks "$output" MADE
	contains "$stderr" "Read-only file system"
	grep -qx 1 <<<"$output"
}

@test "--cgroup-manager disabled makes no group" {
	requires cgroupfs
	requires mxcrun
	make_bundle
	rt --cgroup-manager disabled create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(cat "/proc/$PID/cgroup")" "$(cat /proc/self/cgroup)"
	equal "$(tagged_cgroups)" ""
	make_bundle '.linux.resources.pids.limit = 5'
	run --separate-stderr rt --cgroup-manager disabled run --bundle "$BUNDLE" "$TAG-b"
	assert_refused
}

@test "the systemd manager makes a scope, and it goes with the container" {
	requires systemd mxcrun
	make_bundle --arg path "system.slice:mxt:$TAG" '.linux.cgroupsPath = $path | .linux.resources.pids.limit = 44'
	rt --systemd-cgroup create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	rt start "$TAG"
	contains "$(cat "/proc/$PID/cgroup")" "/system.slice/mxt-$TAG.scope"
	systemctl is-active --quiet "mxt-$TAG.scope"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 44
	rt delete --force "$TAG"
	refused systemctl is-active --quiet "mxt-$TAG.scope"
}

@test "the systemd manager without systemd is refused" {
	! host_has systemd || skip "needs a host without systemd"
	make_bundle
	run --separate-stderr rt --systemd-cgroup run --bundle "$BUNDLE" "$TAG"
	assert_refused systemd
	assert_nothing_left
}

# ---- killing and removing ----

@test "with the host's pid namespace the whole tree dies, also what ignores signals and has daemonised" {
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	script 'probe daemon 1000; setsid sh -c "trap \"\" TERM HUP INT; while :; do sleep 1; done" & sleep 1000'
	start_container "$TAG"
	several() { [ "$(tagged_processes | wc -l)" -ge 3 ]; }
	wait_for 10 several
	rt delete --force "$TAG"
	assert_nothing_left
}

@test "kill --all and delete after init has died, with the host's pid namespace" {
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	script 'setsid sleep 1000 & setsid sleep 1000 & sleep 1; exit 0'
	start_container "$TAG"
	wait_for 20 is_status "$TAG" stopped
	[ "$(tagged_processes | wc -l)" -ge 1 ]
	rt kill --all "$TAG" KILL
	none() { [ -z "$(tagged_processes)" ]; }
	wait_for 10 none
	rt delete "$TAG"
	assert_nothing_left
}

@test "a workload that forks without end is deleted" {
	make_bundle '.linux.namespaces |= map(select(.type != "pid")) | .linux.resources.pids.limit = 60'
	script 'bomb() { while :; do (bomb) & sleep 0.01; done 2>/dev/null; }; bomb'
	start_container "$TAG"
	sleep 1
	rt delete --force "$TAG"
	assert_nothing_left
}

@test "sub-groups that the workload made do not stop the removal" {
	make_bundle '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end) | .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]
		| .process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
	script 'd=/sys/fs/cgroup; [ -d $d/pids ] && d=$d/pids; mkdir -p $d/a/b/c $d/d && sleep 1000 & echo $! >/tmp/pid
		d=/sys/fs/cgroup; [ -d $d/pids ] && d=$d/pids; sleep 0.5; echo $$ >$d/a/b/c/cgroup.procs; echo made >/tmp/made; sleep 1000'
	start_container "$TAG"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/made"
	[ "$(find /sys/fs/cgroup -type d -path "*$TAG*/a/b/c" | wc -l)" -ge 1 ]
	rt delete --force "$TAG"
	assert_nothing_left
}

@test "a container whose group somebody else removed or filled is deleted all the same" {
	make_bundle
	create_container "$TAG"
	local dir outsider
	dir=$(cgroup_dir "$PID" pids)
	sleep 1000 3>&- &
	outsider=$!
	echo "$outsider" >"$dir/cgroup.procs"
	rt delete --force "$TAG"
	kill -9 "$outsider" 2>/dev/null || true
	assert_nothing_left
}

@test "a group that goes while its processes are being killed, as systemd removes one that is empty, is no error" {
	requires mxcrun strace
	make_bundle
	start_container "$TAG"
	local dir killer
	dir=$(cgroup_dir "$PID" '')
	[ -e "$dir/cgroup.kill" ] || skip "needs cgroup.kill"
	# held between opening the file and writing to it
	# shellcheck disable=SC2153 # STATE is of helpers.bash
	strace -qq -o "$BATS_TEST_TMPDIR/trace" -P "$dir/cgroup.kill" -e trace=write -e inject=write:delay_enter="$(slow 2)s" \
		"$MXCRUN" --root "$STATE" kill --all "$TAG" KILL 3>&- &
	killer=$!
	has_opened() { find /proc/[0-9]*/fd -lname "$dir/cgroup.kill" | grep -q .; }
	wait_for 5 has_opened
	kill -9 "$PID"
	is_gone() { [ ! -e "$dir" ] || rmdir "$dir"; }
	wait_for 1 is_gone
	wait "$killer"
	contains "$(cat "$BATS_TEST_TMPDIR/trace")" ENODEV
}

@test "pause freezes every process of the group, also new ones; kill works on it" {
	requires freezer
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	script 'sleep 1000 & sleep 1000 & sleep 1000'
	start_container "$TAG"
	several() { [ "$(tagged_processes | wc -l)" -ge 3 ]; }
	wait_for 10 several
	rt pause "$TAG"
	# On a hybrid host the v2 group does it, which can be killed while it is frozen.
	grep -q '^frozen 1' "$(cgroup_dir "$PID" '')/cgroup.events" ||
		equal "$(cat "$(cgroup_dir "$PID" freezer)/freezer.state")" FROZEN
	rt kill --all "$TAG" KILL
	none() { [ -z "$(tagged_processes)" ]; }
	wait_for 10 none
	rt delete --force "$TAG"
}

@test "a process that somebody has moved into a frozen group of v1 is ended, and that group stays as it is" {
	[ -e /sys/fs/cgroup/freezer/tasks ] || skip "needs the freezer of cgroup v1"
	local foreign=/sys/fs/cgroup/freezer/$TAG-foreign pid
	make_bundle
	script 'sleep 1000 & sleep 1000'
	start_container "$TAG"
	mkdir "$foreign"
	for pid in $(tagged_processes); do echo "$pid" >"$foreign/cgroup.procs"; done
	echo FROZEN >"$foreign/freezer.state"
	is_frozen() { grep -qx FROZEN "$foreign/freezer.state"; }
	wait_for 5 is_frozen
	run --separate-stderr rt delete --force "$TAG"
	local state
	state=$(cat "$foreign/freezer.state")
	echo THAWED >"$foreign/freezer.state"
	rmdir "$foreign"
	echo "$stderr"
	equal "$status $state" "0 FROZEN"
	assert_nothing_left
}

@test "fifty containers come and go, and nothing piles up" {
	[ "$MXCRUN_TEST_SLOW" -eq 1 ] || skip "needs a fast host"
	make_bundle '.process.args = ["/bin/true"]'
	local i before
	before=$(find /sys/fs/cgroup -type d | wc -l)
	for i in $(seq 50); do rt run --bundle "$BUNDLE" "$TAG-$i" </dev/null; done
	assert_nothing_left
	equal "$(find /sys/fs/cgroup -type d | wc -l)" "$before"
}

@test "block devices are throttled, huge pages limited, or the controller that is missing is named" {
	requires cgroupfs
	local device dir
	device=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
	[ -n "$device" ] || skip "needs a block device"
	make_bundle --argjson major "${device%:*}" --argjson minor "${device#*:}" '.linux.resources.blockIO = {
		throttleReadBpsDevice: [{major: $major, minor: $minor, rate: 1048576}],
		throttleWriteIOPSDevice: [{major: $major, minor: $minor, rate: 500}]}'
	if has_controller blkio || has_controller io; then
		start_container "$TAG"
		dir=$(cgroup_dir "$PID" blkio)
		if [ -e "$dir/io.max" ]; then
			contains "$(cat "$dir/io.max")" "$device rbps=1048576"
			contains "$(cat "$dir/io.max")" "wiops=500"
		else
			equal "$(cat "$dir/blkio.throttle.read_bps_device")" "$device 1048576"
			equal "$(cat "$dir/blkio.throttle.write_iops_device")" "$device 500"
		fi
		rt delete --force "$TAG"
	else
		run_bundle
		assert_refused blockIO
	fi
	make_bundle '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
	if has_controller hugetlb && [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]; then
		start_container "$TAG"
		equal "$(cgroup_value "$PID" hugetlb hugetlb.2MB.limit_in_bytes hugetlb.2MB.max)" 4194304
		rt delete --force "$TAG"
	else
		run_bundle
		assert_refused hugepageLimits
	fi
	make_bundle '.linux.resources.network = {classID: 1048577}'
	if has_controller net_cls; then
		start_container "$TAG"
		equal "$(cat "$(cgroup_dir "$PID" net_cls)/net_cls.classid")" 1048577
	else
		run_bundle
		assert_refused /linux/resources/network/classID net_cls
	fi
}

@test "block device and huge page fields that make no sense are refused" {
	local wrong
	for wrong in 'blockIO = {weight: 5}' 'hugepageLimits = [{pageSize: "2XB", limit: 1}]' \
		'hugepageLimits = [{pageSize: "../x", limit: 1}]' 'blockIO = {throttleReadBpsDevice: [{major: -1, minor: 0, rate: 1}]}'; do
		make_bundle ".linux.resources.$wrong"
		run_bundle
		assert_refused "${wrong%% *}"
	done
}

@test "under systemd properties come from annotations, and an update is systemd's own, too" {
	requires systemd mxcrun systemctl
	make_bundle '.annotations["org.systemd.property.TimeoutStopSec"] = "uint64 7"
		| .annotations["org.systemd.property.Description"] = "'"'a description'"'"
		| .linux.resources.memory.limit = 104857600 | .linux.resources.cpu = {quota: 20000, period: 100000}'
	rt --systemd-cgroup create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	unit=$(basename "$(cgroup_dir "$PID" memory)")
	property() { systemctl show --property "$1" --value "$unit"; }
	equal "$(property TimeoutStopUSec)" 7s
	equal "$(property Description)" "a description"
	equal "$(property MemoryMax)" 104857600
	rt update --memory 209715200 --cpu-quota 33333 "$TAG"
	equal "$(property MemoryMax)" 209715200
	systemctl daemon-reload
	equal "$(cgroup_value "$PID" memory memory.limit_in_bytes memory.max)" 209715200
	rt update --cpu-quota 33333 "$TAG"
	contains "$(cgroup_value "$PID" cpu cpu.cfs_quota_us cpu.max)" 33333
	config '.annotations["org.systemd.property.TimeoutStopSec"] = "soon"'
	run --separate-stderr rt --systemd-cgroup run --bundle "$BUNDLE" "$TAG-2"
	assert_refused org.systemd.property.TimeoutStopSec
}

# Systemd rewrites all limits of a controller when it has a new one, and after a reload.
@test "under systemd its writing of limits leaves idle, killing as a group and exact quotas as they are" {
	requires systemd mxcrun systemctl cgroup_v2
	local unit
	make_bundle '.linux.resources = {memory: {limit: 104857600}, cpu: {quota: 33333, period: 100000, idle: 1},
		unified: {"memory.oom.group": "1"}}'
	rt --systemd-cgroup create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	unit=$(basename "$(cgroup_dir "$PID" memory)")
	have() { (cd "$(cgroup_dir "$PID" '')" && cat cpu.idle memory.oom.group "$@") | tr '\n' ' '; }
	rt update --memory 209715200 "$TAG"
	equal "$(have cpu.max)" "1 1 33333 100000 "
	equal "$(systemctl show --property OOMPolicy --value "$unit")" kill
	systemctl daemon-reload
	systemctl set-property --runtime "$unit" CPUQuota=50% MemoryHigh=150M
	equal "$(have)" "1 1 "
	rt update --cpu-idle 0 "$TAG"
	equal "$(have cpu.weight)" "0 1 100 "
	rt update --cpu-share 262144 "$TAG"
	systemctl set-property --runtime "$unit" CPUQuota=40%
	equal "$(have cpu.weight)" "0 1 10000 "
}

@test "under systemd a controller that systemd doesn't know is enabled all the same" {
	requires systemd mxcrun cgroup_v2
	has_controller hugetlb && [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "needs huge pages of 2 MB and their controller"
	make_bundle '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
	rt --systemd-cgroup create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	systemctl daemon-reload
	equal "$(cgroup_value "$PID" hugetlb - hugetlb.2MB.max)" 4194304
}

@test "under systemd its device policy stands beside the container's rules, which stay" {
	requires systemd mxcrun systemctl cgroup_v2
	local unit
	make_bundle '.linux.resources.devices = [{allow: false, access: "rwm"}]'
	rt --systemd-cgroup create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1
	rt start "$TAG"
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	unit=$(basename "$(cgroup_dir "$PID" memory)")
	# Null is one of the specification's devices, the kernel's log is not. Opened by a process that joins the group alone.
	opens() { "$BASH" -c 'echo $$ >"$1/cgroup.procs" && : <"$2"' sh "$(cgroup_dir "$PID" '')" "$1"; }
	opens /dev/null
	refused opens /dev/kmsg
	systemctl set-property --runtime "$unit" DevicePolicy=strict "DeviceAllow=/dev/zero rw" "DeviceAllow=/dev/kmsg rw"
	opens /dev/zero
	refused opens /dev/null
	refused opens /dev/kmsg
	systemctl set-property --runtime "$unit" DevicePolicy=auto DeviceAllow=
	systemctl daemon-reload
	opens /dev/null
	refused opens /dev/kmsg
}
