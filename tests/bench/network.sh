#!/bin/bash
# What a network policy costs with 10, 1,000 and 50,000 blocks: time of `mxc run true`, the memory that the filter takes, and the
# time of the first packet of a new flow (socket, sendto, close) to an allowed address. Usage: network.sh MXCRUN [REPEAT]
set -euo pipefail
mxcrun=$(realpath "$1") repeat=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

policy() {
	jq -n --argjson n "$1" --arg command "$2" '{version: "1.0.0", containment: "process", process: {commandLine: $command},
		network: {egress: {allow: [{to: ([{cidr: "198.51.100.10"}] + [range(0; $n - 1)
		| {cidr: "\(20 + . / 62500 | floor).\(. / 250 % 250 | floor).\(. % 250).0/25"}])}]}}}' >"$dir/policy.json"
}
run() { "$mxcrun" --root "$dir/state" mxc run "$dir/policy.json" </dev/null; }
slab() { awk '/^(Slab|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo; }

cat >"$dir/flows" <<'END'
import socket, time
best = 1e9
for turn in range(5):
    start = time.perf_counter()
    for i in range(4000):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(b"x", ("198.51.100.10", 9))
        s.close()
    best = min(best, time.perf_counter() - start)
print("%.2f" % (best / 4000 * 1e6))
END
printf '%8s %14s %14s %14s\n' blocks 'run, ms' 'memory, KiB' 'new flow, us'
for n in 10 1000 50000; do
	policy "$n" true
	best=
	for ((i = 0; i < repeat; i++)); do
		start=$(date +%s%N)
		run
		took=$((($(date +%s%N) - start) / 10000))
		[ -n "$best" ] && [ "$best" -lt "$took" ] || best=$took
	done
	policy "$n" "/usr/bin/python3 -c '$(cat "$dir/flows")'"
	flow=$(run)
	policy "$n" "sleep 2"
	before=$(slab)
	run &
	sleep 1.5
	after=$(slab)
	wait
	printf '%8d %11d.%02d %14d %14s\n' "$n" $((best / 100)) $((best % 100)) $((after - before)) "$flow"
done
