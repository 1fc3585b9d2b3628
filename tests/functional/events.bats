#!/usr/bin/env bats
# events: what a container uses, as its cgroup files tell it, and its out-of-memory kills.

load helpers
GUARDS="root jq"

@test "--stats tells what the cgroup files tell" {
	make_bundle '.linux.resources.memory = {limit: 104857600} | .linux.resources.pids = {limit: 32}'
	script 'i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done; sleep 1000; :'
	start_container "$TAG"
	asleep() { grep -q '^State:.*sleeping' "/proc/$PID/status" && pgrep -P "$PID" sleep; }
	wait_for 20 asleep
	rt events --stats "$TAG" >"$BATS_TEST_TMPDIR/stats"
	equal "$(wc -l <"$BATS_TEST_TMPDIR/stats")" 1
	stat() { jq -r "$1" "$BATS_TEST_TMPDIR/stats"; }
	equal "$(stat '.type + " " + .id')" "stats $TAG"
	equal "$(stat .data.memory.usage.limit)" 104857600
	[ "$(stat .data.memory.usage.usage)" -gt 0 ]
	[ "$(stat .data.memory.usage.usage)" -le "$(stat .data.memory.usage.max)" ]
	equal "$(stat .data.pids.current)" 2
	equal "$(stat .data.pids.limit)" 32
	[ "$(stat .data.cpu.usage.total)" -gt 1000000 ]
	# v1 counts the user's part by the tick, 10 ms at most
	[ "$(stat .data.cpu.usage.user)" -le $(($(stat .data.cpu.usage.total) + 10000000)) ]
	[ "$(stat '.data.memory.raw | length')" -gt 10 ]
}

@test "--stats has the members of runc's, with what the files of each controller tell" {
	make_bundle '.linux.resources.cpu = {cpus: "0"}'
	script "head -c 20000000 /dev/zero | md5sum >/dev/null; echo done >/tmp/done; exec sleep 1000"
	start_container "$TAG"
	wait_for 20 test -s "$BUNDLE/rootfs/tmp/done"
	rt events --stats "$TAG" >"$BATS_TEST_TMPDIR/stats"
	stat() { jq -c "$1" "$BATS_TEST_TMPDIR/stats"; }
	equal "$(stat '.data | keys')" '["blkio","cpu","cpuset","hugetlb","intel_rdt","memory","network_interfaces","pids"]'
	equal "$(stat '.data.memory | del(.psi) | keys')" '["cache","kernel","kernelTCP","raw","swap","usage"]'
	equal "$(stat '.data.cpuset | keys')" '["cpu_exclusive","cpus","mem_exclusive","mem_hardwall","memory_migrate","memory_pressure","memory_spread_page","memory_spread_slab","mems","sched_load_balance","sched_relax_domain_level"]'
	equal "$(stat '[.data.cpuset.cpus, .data.intel_rdt, .data.network_interfaces]')" '[[0],{},null]'
	[ "$(stat '.data.cpuset.mems | length')" -ge 1 ]
	stat '.data.cpu.usage | .kernel + .user <= .total + 20000000' | grep -qx true
	local dir what
	for what in cpu memory io; do
		dir=$(cgroup_dir "$PID" "${what/#io/blkio}")
		if cat "$dir/$what.pressure" >/dev/null 2>&1; then
			equal "$(stat ".data.${what/#io/blkio}.psi.some | keys")" '["avg10","avg300","avg60","total"]'
			# the sum of microseconds only grows
			[ "$(stat ".data.${what/#io/blkio}.psi.some.total")" -le "$(sed -n 's/^some .*total=//p' "$dir/$what.pressure")" ]
		else
			equal "$(stat ".data.${what/#io/blkio} | has(\"psi\")")" false
		fi
	done
	[ -e "$(cgroup_dir "$PID" cpuset)/cpuset.sched_load_balance" ] || return 0
	equal "$(stat '[.data.cpuset.sched_load_balance, .data.cpuset.sched_relax_domain_level]')" \
		"[$(cgroup_value "$PID" cpuset cpuset.sched_load_balance),$(cgroup_value "$PID" cpuset cpuset.sched_relax_domain_level)]"
	equal "$(stat '.data.cpu.usage.percpu_user, .data.cpu.usage.percpu_kernel')" \
		"$(cgroup_value "$PID" cpuacct cpuacct.usage_all | jq -Rcn '[inputs | split(" ") | select(.[0] != "cpu") | map(tonumber)] | map(.[1]), map(.[2])')"
	equal "$(stat '.data.cpu.usage.user')" "$(cgroup_value "$PID" cpuacct cpuacct.stat | awk '$1 == "user" { print $2 * 10000000 }')"
}

@test "each interval a report, to the container's end" {
	make_bundle
	script "sleep $(slow 1)"
	start_container "$TAG"
	rt events --interval 300ms "$TAG" >"$BATS_TEST_TMPDIR/events"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -ge 1 ]
	equal "$(jq -r .type "$BATS_TEST_TMPDIR/events" | sort -u)" stats
}

@test "an out-of-memory kill is reported" {
	make_bundle '.linux.resources.memory = {limit: 33554432, swap: 33554432}'
	script 'sleep 0.5; /bin/probe dirty 100000000; sleep 1'
	start_container "$TAG"
	rt events --interval 1h "$TAG" >"$BATS_TEST_TMPDIR/events"
	equal "$(cat "$BATS_TEST_TMPDIR/events")" "{\"type\":\"oom\",\"id\":\"$TAG\"}"
}

@test "containers that are stopped or absent, and odd intervals, are refused" {
	make_bundle '.process.args = ["/bin/true"]'
	run --separate-stderr rt events "$TAG"
	assert_refused "does not exist"
	start_container "$TAG"
	stopped() { is_status "$TAG" stopped; }
	wait_for 10 stopped
	run --separate-stderr rt events --stats "$TAG"
	assert_refused "not running"
	for interval in 0 5 -1s 1x 2000h ""; do
		run --separate-stderr rt events --interval "$interval" "$TAG"
		assert_refused interval
	done
}
