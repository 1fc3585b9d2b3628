#!/usr/bin/env bats
# update: other limits for a container that runs, read back from the cgroup files. ps: who is in it.

load helpers
GUARDS="root jq"

test_setup() {
	make_bundle '.linux.resources = {memory: {limit: 104857600}, pids: {limit: 50}}'
	start_container "$TAG"
}

memory_limit() { cgroup_value "$PID" memory memory.limit_in_bytes memory.max; }

@test "options: memory up and down, cpu, pids, cpuset" {
	rt update --memory 256m --pids-limit 77 --cpu-quota 20000 --cpu-period 50000 --cpuset-cpus 0 "$TAG"
	equal "$(memory_limit)" 268435456
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 77
	if [ -e "$(cgroup_dir "$PID" cpu)/cpu.cfs_quota_us" ]; then
		equal "$(cgroup_value "$PID" cpu cpu.cfs_quota_us) $(cgroup_value "$PID" cpu cpu.cfs_period_us)" "20000 50000"
	else
		equal "$(cgroup_value "$PID" cpu cpu.max cpu.max)" "20000 50000"
	fi
	equal "$(cgroup_value "$PID" cpuset cpuset.cpus cpuset.cpus)" 0
	rt update --memory 67108864 "$TAG"
	equal "$(memory_limit)" 67108864
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 77
	rt update --pids-limit -1 "$TAG"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" max
}

@test "--resources from a file and from standard input" {
	echo '{"memory": {"limit": 134217728}}' >"$BATS_TEST_TMPDIR/resources.json"
	rt update --resources "$BATS_TEST_TMPDIR/resources.json" "$TAG"
	equal "$(memory_limit)" 134217728
	echo '{"pids": {"limit": 33}}' | rt update --resources - "$TAG"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 33
	equal "$(memory_limit)" 134217728
}

@test "memory and swap are raised together on v1" {
	[ -e "$(cgroup_dir "$PID" memory)/memory.memsw.limit_in_bytes" ] || skip "needs cgroup v1 with swap accounting"
	rt update --memory 64m --memory-swap 64m "$TAG"
	rt update --memory 128m --memory-swap 256m "$TAG"
	equal "$(memory_limit) $(cgroup_value "$PID" memory memory.memsw.limit_in_bytes)" "134217728 268435456"
}

@test "schemata of resctrl for a container that has no class are refused" {
	local option
	for option in --l3-cache-schema=L3:0=f --mem-bw-schema=MB:0=50; do
		run --separate-stderr rt update "$option" "$TAG"
		assert_refused /linux/intelRdt
	done
}

@test "what can't be is refused and changes nothing" {
	local wrong
	for wrong in "--memory lots" "--memory 1x" "--pids-limit 1.5" "--cpu-period -5" "--cpuset-cpus 99999" "--memory 99999999999g"; do
		# shellcheck disable=SC2086
		run --separate-stderr rt update $wrong "$TAG"
		assert_refused
	done
	run --separate-stderr rt update --resources - "$TAG" <<<'{"memory": {"limit": "1"}}'
	assert_refused /memory/limit
	run --separate-stderr rt update --memory 1g "$TAG-absent"
	assert_refused "does not exist"
	equal "$(memory_limit)" 104857600
	rt kill "$TAG" KILL
	stopped() { is_status "$TAG" stopped; }
	wait_for 5 stopped
	run --separate-stderr rt update --memory 1g "$TAG"
	assert_refused stopped
}

@test "ps: numbers, and lines of the host's ps" {
	requires ps
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/exec.pid" "$TAG" sleep 1000 </dev/null >/dev/null 2>&1
	equal "$(rt ps --format json "$TAG" | jq -c sort)" "$(jq -nc --argjson a "$PID" --argjson b "$(cat "$BATS_TEST_TMPDIR/exec.pid")" '[$a, $b] | sort')"
	run --separate-stderr rt ps "$TAG"
	equal "$status ${#lines[@]}" "0 3"
	contains "${lines[0]}" PID
	run --separate-stderr rt ps "$TAG" -o pid,comm
	equal "${#lines[@]}" 3
	# Options of ours before it must not come back as ps's.
	run --separate-stderr rt --debug --log /dev/null ps "$TAG" -o pid,comm
	equal "${#lines[@]}" 3
	equal "$(tr -s " " <<<"${lines[0]}")" " PID COMMAND"
	run --separate-stderr rt ps "$TAG" -o comm
	[ "$status" -ne 0 ]
	run --separate-stderr rt ps "$TAG-absent"
	assert_refused "does not exist"
}
