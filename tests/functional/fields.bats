#!/usr/bin/env bats
# Field by field, value by value: what the other files look at in the large. Each row is a container of its own, and
# what the kernel has is read from its files.

load helpers
load compare
GUARDS="root jq"

# ---- linux.resources ----

# The group's file for a row, "-" when there is none in this layout.
pick() {
	local dir
	dir=$(cgroup_dir "$PLAIN" "$1")
	if [ ! -e "$dir/cgroup.controllers" ]; then
		file=$2 value=$3 shown=${4:-$3}
	else
		file=$5 value=$6 shown=$6
	fi
}

# Would the kernel take it? A group without limits is asked, and asked for it back.
kernel_takes() {
	local dir before
	dir=$(cgroup_dir "$PLAIN" "$1")
	[ "$2" != - ] && [ -e "$dir/$2" ] || return 1
	before=$(cat "$dir/$2")
	# Never below the memory limit, which this group does not have.
	[[ $2 != *memsw* ]] || return 0
	printf '%s\n' "$3" >"$dir/$2" || return 1
	# Tables take nothing back; the group goes away with the test.
	[[ $before == *$'\n'* ]] || printf '%s\n' "$before" >"$dir/$2" || true
} 2>/dev/null

# A create that has to fail: into files, for one that doesn't would hold bats' pipes.
run_create() {
	status=0
	rt create --bundle "$BUNDLE" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
	output=$(cat "$BATS_TEST_TMPDIR/out") stderr=$(cat "$BATS_TEST_TMPDIR/err")
}

# field | what it takes | v1: controller, file, value, and what it then shows | v2: file, value
resource_rows() {
	local device
	device=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
	: "${device:=7:0}"
	local number="major: ${device%:*}, minor: ${device#*:}"
	cat <<-END
		memory/limit|memory = {limit: 67108864}|memory|memory.limit_in_bytes|67108864||memory.max|67108864
		memory/reservation|memory = {reservation: 33554432}|memory|memory.soft_limit_in_bytes|33554432||memory.low|33554432
		memory/swap|memory = {limit: 67108864, swap: 100663296}|memory|memory.memsw.limit_in_bytes|100663296||memory.swap.max|33554432
		memory/kernel|memory = {kernel: 67108864}|memory|-|||-|
		memory/kernelTCP|memory = {kernelTCP: 67108864}|memory|memory.kmem.tcp.limit_in_bytes|67108864||-|
		memory/swappiness|memory = {swappiness: 33}|memory|memory.swappiness|33||-|
		memory/disableOOMKiller|memory = {disableOOMKiller: true}|memory|memory.oom_control|1|oom_kill_disable 1|-|
		memory/useHierarchy|memory = {useHierarchy: false}|memory|-|||-|
		cpu/shares|cpu = {shares: 262144}|cpu|cpu.shares|262144||cpu.weight|10000
		cpu/quota|cpu = {quota: 30000}|cpu|cpu.cfs_quota_us|30000||cpu.max|30000 100000
		cpu/period|cpu = {quota: 30000, period: 60000}|cpu|cpu.cfs_period_us|60000||cpu.max|30000 60000
		cpu/burst|cpu = {quota: 30000, burst: 20000}|cpu|cpu.cfs_burst_us|20000||cpu.max.burst|20000
		cpu/realtimeRuntime|cpu = {realtimeRuntime: 5000}|cpu|cpu.rt_runtime_us|5000||-|
		cpu/realtimePeriod|cpu = {realtimePeriod: 900000, realtimeRuntime: 5000}|cpu|cpu.rt_period_us|900000||-|
		cpu/cpus|cpu = {cpus: "0"}|cpuset|cpuset.cpus|0||cpuset.cpus|0
		cpu/mems|cpu = {mems: "0"}|cpuset|cpuset.mems|0||cpuset.mems|0
		cpu/idle|cpu = {idle: 1}|cpu|cpu.idle|1||cpu.idle|1
		pids/limit|pids = {limit: 19}|pids|pids.max|19||pids.max|19
		blockIO/weight|blockIO = {weight: 500}|blkio|blkio.bfq.weight|500||io.weight|4950
		blockIO/leafWeight|blockIO = {leafWeight: 500}|blkio|blkio.leaf_weight|500||-|
		blockIO/weightDevice/0|blockIO = {weightDevice: [{$number, weight: 500}]}|blkio|blkio.bfq.weight_device|$device 500||io.weight|$device 4950
		blockIO/weightDevice/0|blockIO = {weightDevice: [{$number, leafWeight: 500}]}|blkio|blkio.leaf_weight_device|$device 500||-|
		blockIO/throttleReadBpsDevice/0|blockIO = {throttleReadBpsDevice: [{$number, rate: 1048576}]}|blkio|blkio.throttle.read_bps_device|$device 1048576||io.max|$device rbps=1048576
		blockIO/throttleWriteBpsDevice/0|blockIO = {throttleWriteBpsDevice: [{$number, rate: 2097152}]}|blkio|blkio.throttle.write_bps_device|$device 2097152||io.max|$device wbps=2097152
		blockIO/throttleReadIOPSDevice/0|blockIO = {throttleReadIOPSDevice: [{$number, rate: 300}]}|blkio|blkio.throttle.read_iops_device|$device 300||io.max|$device riops=300
		blockIO/throttleWriteIOPSDevice/0|blockIO = {throttleWriteIOPSDevice: [{$number, rate: 400}]}|blkio|blkio.throttle.write_iops_device|$device 400||io.max|$device wiops=400
		network/priorities/0|network = {priorities: [{name: "lo", priority: 5}]}|net_prio|net_prio.ifpriomap|lo 5||-|
		rdma/mlx5_1|rdma = {mlx5_1: {hcaHandles: 3, hcaObjects: 10000}}|rdma|rdma.max|mlx5_1 hca_handle=3 hca_object=10000||rdma.max|mlx5_1 hca_handle=3 hca_object=10000
	END
}

# What the kernel shows for a value: io.max and weights have a line a device, with the rest of its keys.
assert_shown() {
	local device=${2%% *} word=${2#* }
	if [[ $2 == [0-9]*:[0-9]*" "* ]]; then
		grep "^$device " "$1" | grep -qwF -- "$word"
	else
		grep -qE "(^|default )${2//./\\.}( |\$)" "$1"
	fi || {
		echo "$1 has $(cat "$1"); want $2" >&2
		return 1
	}
}

@test "weights of block devices reach BFQ as well, on cgroup v2" {
	modprobe -q bfq 2>/dev/null || true
	make_bundle '.linux.resources.blockIO = {weight: 300}'
	start_container "$TAG"
	[ -e "$(cgroup_dir "$PID" io)/io.bfq.weight" ] || skip "needs cgroup v2 with the BFQ scheduler"
	equal "$(cat "$(cgroup_dir "$PID" io)/io.bfq.weight")" "default 300"
	equal "$(cat "$(cgroup_dir "$PID" io)/io.weight")" "default 2930"
	rt update --blkio-weight 77 "$TAG"
	equal "$(cat "$(cgroup_dir "$PID" io)/io.bfq.weight")" "default 77"
}

@test "a weight of a block device that BFQ refuses names BFQ's file and what was written to it" {
	modprobe -q bfq 2>/dev/null || true
	make_bundle
	start_container "$TAG"
	[ -e "$(cgroup_dir "$PID" blkio)/blkio.bfq.weight_device" ] || skip "needs cgroup v1 with the BFQ scheduler"
	rt delete --force "$TAG"
	make_bundle '.linux.resources.blockIO = {weightDevice: [{major: 1, minor: 250, weight: 500}]}'
	run_create
	assert_refused /linux/resources/blockIO/weightDevice/0 'writing "1:250 500" to ' /blkio.bfq.weight_device:
}

@test "resources: each field stands in its file, or is refused by name where the kernel would refuse it" {
	local pointer filter controller v1_file v1_value v1_shown v2_file v2_value file value shown PLAIN taken=0
	make_bundle
	start_container "$TAG-plain"
	PLAIN=$PID
	while IFS='|' read -r pointer filter controller v1_file v1_value v1_shown v2_file v2_value; do
		make_bundle ".linux.resources.$filter"
		pick "$controller" "$v1_file" "$v1_value" "$v1_shown" "$v2_file" "$v2_value"
		if kernel_takes "$controller" "$file" "$value"; then
			start_container "$TAG"
			assert_shown "$(cgroup_dir "$PID" "$controller")/$file" "$shown"
			rt delete --force "$TAG"
			taken=$((taken + 1))
		else
			run_create
			echo "$filter" >&2
			assert_refused "/linux/resources/$pointer"
		fi
	done < <(resource_rows)
	# The kernel takes most of them in any layout.
	[ "$taken" -ge 12 ]
}

@test "resources.unified: files are written, several lines each, on v2; elsewhere it is refused" {
	make_bundle '.linux.resources.unified = {"memory.high": "50331648", "pids.max": "23", "cgroup.max.depth": "3"}'
	if host_has cgroup_v2; then
		start_container "$TAG"
		equal "$(cgroup_value "$PID" memory - memory.high)" 50331648
		equal "$(cgroup_value "$PID" pids - pids.max)" 23
		equal "$(cgroup_value "$PID" pids - cgroup.max.depth)" 3
	else
		run_bundle
		assert_refused /linux/resources/unified "cgroup v2"
	fi
}

# ---- linux.seccomp ----

seccomp_result() {
	make_bundle --argjson seccomp "$1" '.linux.seccomp = $seccomp'
	# Shells ask for their parent at once, so calls that end them are others.
	script "rmdir /tmp/probe-mkdir 2>/dev/null; probe call $2; echo \$?"
	run_bundle
	result=$(tr '\n' ' ' <<<"$output")
}

@test "seccomp: each action has its effect on the call" {
	local action want result
	while read -r action want; do
		seccomp_result "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"mkdir\"], \"action\": \"$action\"}]}" mkdir
		equal "$action $result" "$action $want "
	done <<-'END'
		SCMP_ACT_ALLOW ok 0
		SCMP_ACT_LOG ok 0
		SCMP_ACT_ERRNO EPERM 1
		SCMP_ACT_TRACE ENOSYS 1
		SCMP_ACT_TRAP 159
		SCMP_ACT_KILL 159
		SCMP_ACT_KILL_THREAD 159
		SCMP_ACT_KILL_PROCESS 159
	END
}

@test "seccomp: each operator of a condition" {
	local operator value value_two want result
	# The call's third argument is 1.
	while read -r operator value value_two want; do
		seccomp_result "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"socket\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 18,
			\"args\": [{\"index\": 2, \"value\": $value, \"valueTwo\": $value_two, \"op\": \"SCMP_CMP_$operator\"}]}]}" raw_socket
		if [ "$want" = hit ]; then
			equal "$operator $value $result" "$operator $value EXDEV 1 "
		else
			lacks "$operator $value $result" EXDEV
			[[ $result == "ok 0 " || $result == "EPERM 1 " ]]
		fi
	done <<-'END'
		NE 0 0 hit
		NE 1 0 miss
		LT 2 0 hit
		LT 1 0 miss
		LE 1 0 hit
		LE 0 0 miss
		EQ 1 0 hit
		EQ 4294967297 0 miss
		GE 1 0 hit
		GE 2 0 miss
		GT 0 0 hit
		GT 1 0 miss
		MASKED_EQ 3 1 hit
		MASKED_EQ 3 2 miss
	END
}

@test "seccomp: a default refusal has its own errno, and flags are taken" {
	make_bundle '.process.args = ["/bin/probe", "call", "getppid"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 18,
			flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
			syscalls: [{names: ["execve", "execveat", "arch_prctl", "set_tid_address", "brk", "mmap", "munmap", "mprotect", "ioctl", "fstat",
				"newfstatat", "write", "writev", "exit_group", "close", "prctl", "rt_sigaction", "rt_sigprocmask", "readlink",
				"set_robust_list", "rseq", "prlimit64", "getrandom"], action: "SCMP_ACT_ALLOW"}]}'
	run_bundle
	equal "$output" EXDEV
}

@test "seccomp: a call newer than all that a refusing profile names does not exist" {
	local calls='["execve", "execveat", "arch_prctl", "set_tid_address", "brk", "mmap", "munmap", "mprotect", "ioctl", "fstat", "newfstatat", "write",
		"writev", "exit_group", "close", "prctl", "rt_sigaction", "rt_sigprocmask", "readlink", "set_robust_list", "rseq", "prlimit64", "getrandom"]'
	make_bundle --argjson calls "$calls" '.process.args = ["/bin/probe", "call", "newer"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: $calls, action: "SCMP_ACT_ALLOW"}]}'
	run_bundle
	equal "$output" ENOSYS
	config '.process.args[2] = "getppid"'
	run_bundle
	equal "$output" EPERM
	config '.linux.seccomp.defaultAction = "SCMP_ACT_LOG" | .process.args[2] = "newer"'
	run_bundle
	equal "$output" ENOSYS # the kernel's own
}

has_stopped() { [ "$(status_of "$TAG")" = stopped ]; }

@test "seccomp: a profile without execve fails with that reason, and one that lets nothing end keeps no process" {
	make_bundle '.process.args = ["/bin/true"] | .process.noNewPrivileges = true
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ["write", "exit_group"], action: "SCMP_ACT_ALLOW"}]}'
	run_bundle
	equal "$status" 126
	contains "$stderr" 'exec: "/bin/true": operation not permitted'
	config '.linux.seccomp.syscalls[0].names = ["getppid"]'
	run_bundle
	equal "$status" 132 # by SIGILL; not for ever in exit(2)
	create_container "$TAG"
	rt start "$TAG" || true # it may have ended before it could say a thing
	wait_for 10 has_stopped
}

@test "seccomp: conditions on one argument are alternatives, on several they hold together" {
	local result
	seccomp_result '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18, "args": [
		{"index": 2, "value": 7, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]}]}' raw_socket
	equal "$result" "EXDEV 1 "
	seccomp_result '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18, "args": [
		{"index": 0, "value": 7, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]}]}' raw_socket
	lacks "$result" EXDEV
}

@test "seccomp: calls of the ABIs that the profile names are judged like those of its own, all others end the program" {
	[ "$(uname -m)" = x86_64 ] || skip "needs an x86-64 host"
	local profile='"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getppid", "mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]'
	local all='"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]' own='"architectures": ["SCMP_ARCH_X86_64"]' result
	seccomp_result "{$all, $profile}" mkdir_x32
	equal "$result" "EXDEV 1 "
	seccomp_result "{$own, $profile}" mkdir_x32
	equal "$result" "159 "
	# Kernels without 32-bit programs end this one whatever the filter says.
	"$MXCRUN_TEST_BIN/probe" call getppid_i386 >/dev/null || return 0
	seccomp_result "{$all, $profile}" getppid_i386
	equal "$result" "EXDEV 1 "
	seccomp_result "{$own, $profile}" getppid_i386
	equal "$result" "159 "
}

# ---- process ----

@test "rlimits: each kind" {
	local kind name hard
	make_bundle '.process.rlimits = []'
	for kind in AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK; do
		# Below what the host has itself, so that no capability is needed.
		name=$(limit_name "RLIMIT_$kind")
		hard=$(awk -v name="$name" 'index($0, name) == 1 { $0 = substr($0, 27); print $2 }' /proc/self/limits)
		case $kind:$hard in
		NICE:0 | RTPRIO:0 | MEMLOCK:0) hard=0 ;;
		NICE:* | RTPRIO:*) hard=1 ;;
		NOFILE:* | NPROC:*) hard=900 ;;
		AS:* | DATA:* | STACK:* | RSS:*) hard=1073741824 ;;
		*) hard=50000 ;;
		esac
		config --arg type "RLIMIT_$kind" --argjson hard "$hard" '.process.rlimits += [{type: $type, hard: $hard, soft: ($hard - if $hard > 0 then 1 else 0 end)}]'
	done
	start_container "$TAG"
	compare_rlimits "$PID"
	config '.process.rlimits = [{type: "RLIMIT_FAST", hard: 1, soft: 1}]'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	assert_refused RLIMIT_FAST
}

@test "scheduler: each policy with what belongs to it, or the kernel's refusal by name" {
	requires chrt
	local policy option filter shown
	while IFS='|' read -r policy option filter shown; do
		make_bundle ".process.scheduler = {policy: \"$policy\", $filter}"
		# With real-time group scheduling a group needs time of its own first.
		[ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || config '.linux.resources.cpu = {realtimeRuntime: 10000}'
		# shellcheck disable=SC2086
		if chrt $option true 2>/dev/null; then
			start_container "$TAG"
			contains "$(chrt -p "$PID")" "$shown"
			rt delete --force "$TAG"
		else
			run_create
			assert_refused /process/scheduler
		fi
	done <<-'END'
		SCHED_OTHER|--other 0|nice: 3|SCHED_OTHER
		SCHED_BATCH|--batch 0|nice: 3|SCHED_BATCH
		SCHED_IDLE|--idle 0|nice: 0|SCHED_IDLE
		SCHED_FIFO|--fifo 7|priority: 7|priority: 7
		SCHED_RR|--rr 8|priority: 8, flags: ["SCHED_FLAG_RESET_ON_FORK"]|SCHED_RR|SCHED_RESET_ON_FORK
		SCHED_DEADLINE|--deadline --sched-runtime 1000000 --sched-deadline 20000000 --sched-period 30000000 0|runtime: 1000000, deadline: 20000000, period: 30000000|1000000/20000000/30000000
	END
	make_bundle '.process.scheduler = {policy: "SCHED_ISO"}'
	run_bundle
	assert_refused /process/scheduler
	[ "$(nproc)" -gt 1 ] || return 0
	make_bundle '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, period: 30000000}
		| .linux.resources.cpu = {cpus: "0"}'
	run_bundle
	assert_refused /process/scheduler "all CPUs"
}

@test "ioPriority: each class" {
	requires ionice
	local class priority shown
	while IFS='|' read -r class priority shown; do
		make_bundle ".process.ioPriority = {class: \"$class\", priority: $priority}"
		start_container "$TAG"
		equal "$(ionice -p "$PID")" "$shown"
		rt delete --force "$TAG"
	done <<-'END'
		IOPRIO_CLASS_RT|3|realtime: prio 3
		IOPRIO_CLASS_BE|7|best-effort: prio 7
		IOPRIO_CLASS_IDLE|0|idle
	END
}

@test "execCPUAffinity.initial: exec is born with it, and keeps it where nothing says otherwise" {
	make_bundle '.process.execCPUAffinity = {initial: "0"}'
	start_container "$TAG"
	[ "$(proc_status self Cpus_allowed_list)" != 0 ] || skip "needs more than one CPU"
	case $(rt exec "$TAG" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status) in
	0) ;;
	# Moving into another cpuset of v1 sets all CPUs of the group.
	"$(proc_status "$PID" Cpus_allowed_list)") [ -e /sys/fs/cgroup/cpuset ] ;;
	*) false ;;
	esac
	config '.process.execCPUAffinity.initial = "many"'
	run --separate-stderr rt exec "$TAG" true
	assert_refused /process/execCPUAffinity/initial
}

@test "a caller that is pinned to a cpu doesn't pin the container, nor what exec puts beside it" {
	requires taskset
	local all first
	all=$(proc_status self Cpus_allowed_list)
	first=${all%%[-,]*}
	[ "$all" != "$first" ] || skip "needs more than one CPU"
	make_bundle
	taskset -c "$first" "$MXCRUN" --root "$STATE" run --detach --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	equal "$(proc_status "$(rt state "$TAG" | jq .pid)" Cpus_allowed_list)" "$all"
	equal "$(taskset -c "$first" "$MXCRUN" --root "$STATE" exec "$TAG" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)" "$all"
}

# ---- linux ----

@test "devices: each type" {
	make_bundle '.linux.devices = [{path: "/dev/c", type: "c", major: 1, minor: 3}, {path: "/dev/u", type: "u", major: 1, minor: 5},
		{path: "/dev/b", type: "b", major: 7, minor: 9, fileMode: 384}, {path: "/dev/p", type: "p"}]'
	script 'cd /dev && stat -c "%n %F %t:%T" c u b p'
	run_bundle
	equal "$output" "c character special file 1:3
u character special file 1:5
b block special file 7:9
p fifo 0:0"
	config '.linux.devices = [{path: "/dev/x", type: "q"}]'
	run_bundle
	assert_refused /linux/devices/0
}

@test "domainname is the config's, and the host's stays" {
	local before
	before=$(cat /proc/sys/kernel/domainname)
	make_bundle '.domainname = "example.org"'
	script 'cat /proc/sys/kernel/domainname'
	run_bundle
	equal "$output" example.org
	equal "$(cat /proc/sys/kernel/domainname)" "$before"
	config '.linux.namespaces |= map(select(.type != "uts")) | del(.hostname)'
	run_bundle
	assert_refused /domainname
}

@test "memoryPolicy: each mode and each flag" {
	[ -e /proc/self/numa_maps ] || skip "needs a kernel with NUMA"
	local mode shown
	while IFS='|' read -r filter shown; do
		make_bundle ".linux.memoryPolicy = {$filter}"
		if rt run --detach --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err"; then
			grep -qF -- "$shown" "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/numa_maps"
			rt delete --force "$TAG"
		else
			# Modes and flags that are younger than the kernel.
			grep -q /linux/memoryPolicy "$BATS_TEST_TMPDIR/err"
			[[ $filter == *WEIGHTED* || $filter == *BALANCING* ]]
		fi
	done <<-'END'
		mode: "MPOL_DEFAULT"|default
		mode: "MPOL_PREFERRED", nodes: "0"|prefer:0
		mode: "MPOL_BIND", nodes: "0"|bind:0
		mode: "MPOL_INTERLEAVE", nodes: "0"|interleave:0
		mode: "MPOL_LOCAL"|local
		mode: "MPOL_PREFERRED_MANY", nodes: "0"|prefer (many):0
		mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0"|weighted interleave:0
		mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]|bind=static:0
		mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]|bind=relative:0
		mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]|bind=balancing:0
	END
}

@test "namespaces: each kind by path is joined" {
	local first type
	make_userns_bundle '.linux.namespaces += [{type: "cgroup"}, {type: "time"}] | .linux.namespaces |= unique_by(.type)'
	start_container "$TAG-first"
	first=$PID
	config --arg ns "/proc/$first/ns" 'del(.hostname, .linux.uidMappings, .linux.gidMappings)
		| .linux.namespaces |= map(if .type == "mount" then . elif .type == "network" then .path = $ns + "/net" else .path = $ns + "/" + .type end)'
	start_container "$TAG"
	for type in user cgroup ipc uts net pid time; do
		equal "$type $(readlink "/proc/$PID/ns/$type")" "$type $(readlink "/proc/$first/ns/$type")"
	done
	rt delete --force "$TAG"
	kill -0 "$first"
}

@test "personality: flags, of which the specification has none, are refused" {
	make_bundle '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
	run_bundle
	assert_refused /linux/personality/flags
}

@test "in a user namespace the root and the sources of binds are opened as the caller, who alone may enter their folder" {
	local closed=$BATS_TEST_TMPDIR/closed first
	make_userns_bundle
	mkdir -p "$closed/source"
	echo bound >"$closed/source/file"
	mv "$BUNDLE/rootfs" "$closed/rootfs"
	chmod 700 "$closed"
	config --arg closed "$closed" '.root.path = $closed + "/rootfs" | .mounts += [{destination: "/m", type: "bind", source: ($closed + "/source"), options: ["rbind", "ro"]},
		{destination: "/f", type: "bind", source: ($closed + "/source/file"), options: ["bind"]}]'
	start_container "$TAG-first"
	first=$PID
	equal "$(rt exec "$TAG-first" sh -c 'id -u; cat /m/file /f; touch /m/x 2>/dev/null || echo read-only')" "0
bound
bound
read-only"
	# The folder itself stays closed to the container's root.
	run setpriv --reuid 100000 --regid 100000 --clear-groups cat "$closed/source/file"
	[ "$status" -ne 0 ]
	# And where the namespace is another container's.
	config --arg ns "/proc/$first/ns/user" 'del(.linux.uidMappings, .linux.gidMappings)
		| .linux.namespaces |= map(if .type == "user" then .path = $ns else . end)'
	start_container "$TAG"
	equal "$(rt exec "$TAG" cat /m/file /f)" "bound
bound"
	rm -r "$closed/source"
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG-2"
	assert_refused /mounts/ "$closed/source"
}
