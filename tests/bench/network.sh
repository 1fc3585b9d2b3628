#!/bin/bash
# What a network policy costs with 10, 1,000 and 50,000 blocks: time of `mxc run true`, the kernel's memory for the runtime and its
# filter, as their cgroup counts it, and the time of the first packet of a new flow (socket, sendto, close) to an allowed address.
# Each in turns, the least of them; of the flows the least of short runs, which other work seldom hits. As root. Usage: network.sh MXCRUN [REPEAT]
set -euo pipefail
mxcrun=$(realpath "$1") repeat=${2:-5}
dir=$(mktemp -d) group=/sys/fs/cgroup/mxcrun-bench.$$
[ ! -d /sys/fs/cgroup/memory ] || group=/sys/fs/cgroup/memory/mxcrun-bench.$$
mkdir "$group"
trap 'rm -rf "$dir"; rmdir "$group"' EXIT

policy() {
	jq -n --argjson n "$1" --arg command "$2" '{version: "1.0.0", containment: "process", process: {commandLine: $command},
		network: {egress: {allow: [{to: ([{cidr: "198.51.100.10"}] + [range(0; $n - 1)
		| {cidr: "\(20 + . / 62500 | floor).\(. / 250 % 250 | floor).\(. % 250).0/25"}])}]}}}' >"$dir/policy.json"
}
run() { "$mxcrun" --root "$dir/state" mxc run "$dir/policy.json" </dev/null; }
kernel_kib() {
	if [ -e "$group/memory.kmem.usage_in_bytes" ]; then
		echo $(($(cat "$group/memory.kmem.usage_in_bytes") / 1024))
	else
		awk '$1 == "kernel" { print int($2 / 1024) }' "$group/memory.stat"
	fi
}

cat >"$dir/flows" <<'END'
import socket, time
best = 1e9
for turn in range(200):
    start = time.perf_counter()
    for i in range(100):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(b"x", ("198.51.100.10", 9))
        s.close()
    best = min(best, time.perf_counter() - start)
print("%.2f" % (best / 100 * 1e6))
END
# lower NAME VALUE: the least so far.
declare -A least
lower() { [ -n "${least[$1]-}" ] && [ "$(printf '%s\n' "$2" "${least[$1]}" | sort -n | head -n 1)" != "$2" ] || least[$1]=$2; }
counts=(10 1000 50000)
for ((i = 0; i < repeat; i++)); do
	for n in "${counts[@]}"; do
		policy "$n" true
		start=$(date +%s%N)
		run
		lower "time $n" $((($(date +%s%N) - start) / 10000))
		policy "$n" "/usr/bin/python3 -c '$(cat "$dir/flows")'"
		lower "flow $n" "$(run)"
	done
done
for n in "${counts[@]}"; do
	policy "$n" "echo up; sleep 1"
	: >"$dir/up"
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		run
	) >"$dir/up" &
	until grep -q up "$dir/up"; do sleep 0.05; done
	least["memory $n"]=$(kernel_kib)
	wait
done
printf '%8s %14s %14s %14s\n' blocks 'run, ms' 'memory, KiB' 'new flow, us'
for n in "${counts[@]}"; do
	took=${least["time $n"]}
	printf '%8d %11d.%02d %14d %14s\n' "$n" $((took / 100)) $((took % 100)) "${least["memory $n"]}" "${least["flow $n"]}"
done
