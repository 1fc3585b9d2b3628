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

@test "sizes as runc takes them, and options with an empty value" {
	local row
	for row in 96MB=100663296 96MiB=100663296 98304K=100663296 0.125g=134217728 "128 m=134217728" 134217728b=134217728; do
		rt update --memory "${row%=*}" "$TAG"
		equal "$row ${row%=*}=$(memory_limit)" "$row $row"
	done
	rt update --memory "" --cpu-quota "" --cpuset-cpus "" --pids-limit 44 "$TAG"
	equal "$(memory_limit) $(cgroup_value "$PID" pids pids.max pids.max)" "134217728 44"
	for row in 1.m 1mm 1ix m -1.5g 1e3 9999999p; do
		run --separate-stderr rt update --memory "$row" "$TAG"
		assert_refused --memory
	done
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 44
}

@test "no limit of memory is none of memory and swap" {
	local unlimited=9223372036854771712
	[ -e "$(cgroup_dir "$PID" memory)/memory.limit_in_bytes" ] || unlimited=max
	rt update --memory 64m --memory-swap 64m "$TAG"
	rt update --memory -1 "$TAG"
	equal "$(memory_limit)" "$unlimited"
	if [ -e "$(cgroup_dir "$PID" memory)/memory.memsw.limit_in_bytes" ]; then
		equal "$(cgroup_value "$PID" memory memory.memsw.limit_in_bytes)" "$unlimited"
	elif [ -e "$(cgroup_dir "$PID" memory)/memory.swap.max" ]; then
		equal "$(cgroup_value "$PID" memory - memory.swap.max)" max
	fi
	rt update --memory 64m --memory-swap 64m "$TAG"
	rt update --resources - "$TAG" <<<'{"memory": {"limit": -1}}'
	equal "$(memory_limit)" "$unlimited"
}

@test "a limit that is refused takes back those that were set before it" {
	rt update --memory 80m --pids-limit 40 --cpu-quota 30000 "$TAG"
	run --separate-stderr rt update --memory 70m --pids-limit 41 --cpu-quota 20000 --cpuset-cpus 99999 "$TAG"
	assert_refused /linux/resources/cpu/cpus
	equal "$(memory_limit) $(cgroup_value "$PID" pids pids.max pids.max)" "83886080 40"
	equal "$(cgroup_value "$PID" cpu cpu.cfs_quota_us cpu.max | cut -d ' ' -f 1)" 30000
}

# What systemd has of the container's limits, and would set again.
unit_limits() {
	systemctl show -p MemoryMax,MemorySwapMax,TasksMax,CPUQuotaPerSecUSec,CPUQuotaPeriodUSec,CPUWeight,AllowedCPUs \
		"$(basename "$(cgroup_dir "$PID" memory)")"
}

@test "a limit that is refused is taken back from systemd, too: it would set it again" {
	! host_has cgroupfs || skip "needs the systemd manager"
	local before
	rt update --memory 80m --pids-limit 40 --cpu-quota 30000 --cpu-share 2048 "$TAG"
	before=$(unit_limits)
	contains "$before" MemoryMax=83886080 TasksMax=40
	run --separate-stderr rt update --memory 70m --memory-swap 90m --pids-limit 41 --cpu-quota 20000 --cpu-share 512 --cpuset-cpus 99 "$TAG"
	assert_refused /linux/resources/cpu/cpus
	equal "$(unit_limits)" "$before"
	# it does so when it gets to the unit after a reload
	systemctl daemon-reload
	systemctl set-property --runtime "$(basename "$(cgroup_dir "$PID" memory)")" IOWeight=200
	equal "$(memory_limit) $(cgroup_value "$PID" pids pids.max pids.max)" "83886080 40"
	equal "$(cgroup_value "$PID" cpu cpu.cfs_quota_us cpu.max | cut -d ' ' -f 1)" 30000
	# The neighbour: what is not refused is told.
	rt update --memory 70m --pids-limit 41 --cpuset-cpus 0 "$TAG"
	contains "$(unit_limits)" MemoryMax=73400320 TasksMax=41 AllowedCPUs=0
}

@test "a weight in BFQ's file is taken back, too" {
	local before weight
	weight=$(cgroup_dir "$PID" blkio)
	if [ -e "$weight/cgroup.controllers" ]; then weight+=/io.bfq.weight; else weight+=/blkio.bfq.weight; fi
	[ -e "$weight" ] || skip "needs BFQ"
	before=$(cat "$weight")
	run --separate-stderr rt update --blkio-weight 777 --cpuset-mems 99 "$TAG"
	assert_refused /linux/resources/cpu/mems
	equal "$(cat "$weight")" "$before"
	rt update --blkio-weight 777 "$TAG"
	[ "$(cat "$weight")" != "$before" ]
}

@test "a container that is paused takes new limits, and stays paused" {
	requires freezer
	rt pause "$TAG"
	rt update --memory 96m --pids-limit 33 "$TAG"
	is_status "$TAG" paused
	equal "$(memory_limit) $(cgroup_value "$PID" pids pids.max pids.max)" "100663296 33"
	rt resume "$TAG"
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
	assert_refused "container not running: stopped"
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
	rt kill "$TAG" KILL
	stopped() { is_status "$TAG" stopped; }
	wait_for 5 stopped
	equal "$(rt ps --format json "$TAG")" "[]"
	run --separate-stderr rt ps "$TAG"
	equal "$status ${#lines[@]}" "0 1"
}

# option | v1: controller, file, value | v2: file, value; "-": refused
option_rows() {
	cat <<-'END'
		--memory 96m|memory|memory.limit_in_bytes|100663296|memory.max|100663296
		--memory-reservation 32m|memory|memory.soft_limit_in_bytes|33554432|memory.low|33554432
		--kernel-memory 64m|memory|-||-|
		--kernel-memory-tcp 64m|memory|memory.kmem.tcp.limit_in_bytes|67108864|-|
		--cpu-quota 40000|cpu|cpu.cfs_quota_us|40000|cpu.max|40000 100000
		--cpu-period 80000|cpu|cpu.cfs_period_us|80000|cpu.max|40000 80000
		--cpu-quota 30000|cpu|cpu.cfs_quota_us|30000|cpu.max|30000 80000
		--cpu-burst 20000|cpu|cpu.cfs_burst_us|20000|cpu.max.burst|20000
		--cpu-burst 0|cpu|cpu.cfs_burst_us|0|cpu.max.burst|0
		--cpu-share 262144|cpu|cpu.shares|262144|cpu.weight|10000
		--cpu-idle 1|cpu|cpu.idle|1|cpu.idle|1
		--cpu-idle 0|cpu|cpu.idle|0|cpu.idle|0
		--cpu-rt-period 900000|cpu|cpu.rt_period_us|900000|-|
		--cpu-rt-runtime 4000|cpu|cpu.rt_runtime_us|4000|-|
		--cpuset-cpus 0|cpuset|cpuset.cpus|0|cpuset.cpus|0
		--cpuset-mems 0|cpuset|cpuset.mems|0|cpuset.mems|0
		--blkio-weight 500|blkio|blkio.bfq.weight|500|io.weight|default 4950
		--pids-limit 61|pids|pids.max|61|pids.max|61
	END
}

@test "each option stands in its file, or is refused by name where there is none" {
	local option controller v1_file v1_value v2_file v2_value file value dir
	while IFS='|' read -r option controller v1_file v1_value v2_file v2_value; do
		dir=$(cgroup_dir "$PID" "$controller")
		if [ -e "$dir/cgroup.controllers" ]; then file=$v2_file value=$v2_value; else file=$v1_file value=$v1_value; fi
		if [ "$file" != - ] && [ -e "$dir/$file" ]; then
			# shellcheck disable=SC2086
			rt update $option "$TAG"
			equal "$option $(head -n 1 "$dir/$file")" "$option $value"
		else
			# shellcheck disable=SC2086
			run --separate-stderr rt update $option "$TAG"
			assert_refused /linux/resources/
		fi
	done < <(option_rows)
	if host_has cgroup_v2; then
		rt update --memory 96m --memory-swap 128m "$TAG"
		equal "$(cgroup_value "$PID" memory - memory.swap.max)" 33554432
		rt update --memory-swap 160m "$TAG"
		equal "$(cgroup_value "$PID" memory - memory.swap.max)" 67108864
	elif [ -e "$(cgroup_dir "$PID" memory)/memory.memsw.limit_in_bytes" ]; then
		rt update --memory 96m --memory-swap 128m "$TAG"
		equal "$(cgroup_value "$PID" memory memory.memsw.limit_in_bytes -)" 134217728
		rt update --memory-swap 160m "$TAG"
		equal "$(cgroup_value "$PID" memory memory.memsw.limit_in_bytes -)" 167772160
	fi
	rt update --memory -1 --memory-swap -1 "$TAG"
	run --separate-stderr rt update --memory-swap 160m "$TAG"
	assert_refused "needs a memory limit"
}

@test "checkBeforeUpdate: a limit below what is in use is refused, and nobody is killed" {
	rt delete --force "$TAG"
	make_bundle '.linux.resources = {memory: {limit: 104857600}}'
	# What a tmpfs holds can't be reclaimed but to swap, of which there is to be none.
	config '.linux.resources.memory.swap = 104857600'
	script 'head -c 40000000 /dev/zero >/dev/shm/held; echo held >/tmp/ready; sleep 1000'
	start_container "$TAG"
	wait_for 20 test -s "$BUNDLE/rootfs/tmp/ready"
	run --separate-stderr rt update --resources - "$TAG" <<<'{"memory": {"limit": 8388608, "checkBeforeUpdate": true}}'
	assert_refused /linux/resources/memory/limit
	equal "$(memory_limit)" 104857600
	is_status "$TAG" running
	rt update --resources - "$TAG" <<<'{"memory": {"limit": 83886080, "swap": 83886080, "checkBeforeUpdate": true}}'
	equal "$(memory_limit)" 83886080
}

@test "an update of CPUs that is refused leaves those that the container has, and its memory nodes" {
	rt update --cpuset-cpus 0 --cpuset-mems 0 "$TAG"
	run --separate-stderr rt update --cpuset-cpus 9999 "$TAG"
	assert_refused /linux/resources/cpu/cpus
	equal "$(cgroup_value "$PID" cpuset cpuset.cpus cpuset.cpus)" 0
	rt update --cpuset-cpus 0 "$TAG"
	equal "$(cgroup_value "$PID" cpuset cpuset.cpus cpuset.cpus) $(cgroup_value "$PID" cpuset cpuset.mems cpuset.mems)" "0 0"
}
