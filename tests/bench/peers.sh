#!/usr/bin/env bash
# peers.sh - mxcrun beside the runtimes that are installed: the same bundles, in turns, medians and ratios.
#
#     sudo tests/bench/peers.sh MXCRUN [ROUNDS]
#
# crun and runc are taken from PATH, or from CRUN and RUNC. MXCRUN_BENCH_CGROUP=v1 or v2 hides the other kind of hierarchy (a
# hybrid host's own layout is refused by some). Prints Markdown. It works in a mount namespace with a /run of its
# own. Needs jq and busybox-static; takes some minutes.
set -euo pipefail

[ $# -ge 1 ] || {
	echo "usage: tests/bench/peers.sh MXCRUN [ROUNDS]" >&2
	exit 2
}
if [ -z "${MXCRUN_BENCH_INSIDE-}" ]; then
	MXCRUN_BENCH_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
here=$(cd "$(dirname "$0")" && pwd)
mxcrun=$(readlink -f "$1")
rounds=${2:-31}
# shellcheck disable=SC2034 # by name
crun=${CRUN:-$(command -v crun || true)}
# shellcheck disable=SC2034
runc=${RUNC:-$(command -v runc || true)}

mount -t tmpfs -o mode=755 tmpfs /run
case ${MXCRUN_BENCH_CGROUP-} in
v1) umount /sys/fs/cgroup/unified ;;
v2)
	umount -R /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	;;
esac
dir=/run/bench
mkdir -p "$dir/rootfs"/{bin,dev,etc,proc,sys,tmp}
cc -O2 -Wall -Wextra -o "$dir/measure" "$here/measure.c"
cp "$(command -v busybox)" "$dir/rootfs/bin/busybox"
printf 'int main(void){return 0;}' | ${MUSL_CC:-musl-gcc} -x c -static -O2 -o "$dir/rootfs/bin/true" -
ln -s busybox "$dir/rootfs/bin/sleep"

# ---- bundles ----

# bundle NAME [jq filter]: the runtime-spec version is one that old releases know.
bundle() {
	mkdir -p "$dir/$1"
	rm -f "$dir/$1/config.json"
	"$mxcrun" spec --bundle "$dir/$1"
	jq ".ociVersion = \"1.0.2\" | .process.terminal = false | .process.args = [\"/bin/true\"] | .root.path = \"$dir/rootfs\"
		| ${2:-.}" "$dir/$1/config.json" >"$dir/config"
	mv "$dir/config" "$dir/$1/config.json"
}
bundle plain
bundle sleep '.process.args = ["/bin/sleep", "100000"]'
bundle host-network '.linux.namespaces |= map(select(.type != "network"))
	| .mounts |= map(if .type == "sysfs" then .type = "none" | .source = "/sys" | .options = ["rbind", "ro"] else . end)
	| .mounts |= map(select(.type != "cgroup"))'
bundle userns '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}]
	| .linux.gidMappings = .linux.uidMappings'
bundle mounts '.mounts += [range(200) | {destination: "/tmp/m\(.)", type: "bind", source: "/tmp", options: ["bind", "ro"]}]'
profile=${MXCRUN_BENCH_PROFILE:-/usr/share/containers/seccomp.json}
[ ! -e "$profile" ] || bundle seccomp "$(jq -c '{defaultAction, defaultErrnoRet: 38, architectures: [.archMap[]? | select(.architecture
	== "SCMP_ARCH_X86_64") | .architecture, .subArchitectures[]], syscalls: [.syscalls[] | select((.includes.caps // []) == [])
	| {names, action, errnoRet, args} | with_entries(select(.value != null and .value != []))]}' "$profile" |
	sed 's/^/.linux.seccomp = /')"

# ---- rows ----

# alternatives WORD...: "E" becomes the runtime with its own state directory.
alternatives() {
	local name program word
	for name in mxcrun crun runc; do
		program=${!name}
		[ -n "$program" ] || continue
		echo --
		echo "$name"
		for word; do
			if [ "$word" = E ]; then
				printf '%s\n' "$program" --root "$dir/$name"
			else
				echo "$word"
			fi
		done
	done
}

# row TITLE [-p N] WORD...
row() {
	local title=$1 parallel=() words
	shift
	if [ "$1" = -p ]; then
		parallel=(-p "$2")
		shift 2
	fi
	mapfile -t words < <(alternatives "$@")
	"$dir/measure" "${parallel[@]}" "$rounds" "${words[@]}" | awk -v title="$title" '
		NR == 1 { base = $3 }
		{ printf "| %s | %s | %.2f | %.2f | %s | %s |%s\n", title, $1, $2 / 1000, $3 / 1000,
			base && $3 ? sprintf("%.2f", $3 / base) : "-", $5, $6 ? " " $6 " failed" : "" }'
}

each() {
	local name
	for name in mxcrun crun runc; do
		[ -z "${!name}" ] || "$@" "$name" "${!name}"
	done
}
start_one() { "$2" --root "$dir/$1" run --detach --bundle "$dir/sleep" one </dev/null >/dev/null 2>&1 || true; }
fill_store() {
	local i
	for i in $(seq 200); do
		"$2" --root "$dir/$1" create --bundle "$dir/sleep" "many$i" </dev/null >/dev/null 2>&1 || true
	done
}
empty_store() {
	local id
	for id in one $(seq -f 'many%.0f' 200); do
		"$2" --root "$dir/$1" delete --force "$id" >/dev/null 2>&1 || true
	done
}
trap 'each empty_store' EXIT

# The least memory limit, in KiB, under which /bin/true runs.
least_limit() {
	local low=16 high=16384 middle
	while [ $((high - low)) -gt 16 ]; do
		middle=$(((low + high) / 2))
		bundle limit ".linux.resources.memory.limit = $((middle * 1024))"
		if "$2" --root "$dir/$1" run --bundle "$dir/limit" "limit$middle" </dev/null >/dev/null 2>&1; then
			high=$middle
		else
			low=$middle
			"$2" --root "$dir/$1" delete --force "limit$middle" >/dev/null 2>&1 || true
		fi
	done
	echo "| least memory limit, KiB | $1 | | $high | | |"
}

echo "Linux $(uname -r), $(nproc) CPUs, $rounds rounds; milliseconds, peak memory of one process in KiB."
# shellcheck disable=SC2016 # the inner shell's
each sh -c '"$1" --version 2>/dev/null | head -n 1 | sed "s/^/- $0: /"'
echo
echo "| what | runtime | least | median | x mxcrun | peak KiB |"
echo "|---|---|---|---|---|---|"
row "run" E run --bundle "$dir/plain" 'a{}'
row "create, start, delete" E create --bundle "$dir/plain" 'b{}' ';' E start 'b{}' ';' E delete --force 'b{}'
each start_one
row "exec" E exec one /bin/true
[ ! -d "$dir/seccomp" ] || row "run, an engine's seccomp profile" E run --bundle "$dir/seccomp" 'c{}'
row "run, 200 mounts" E run --bundle "$dir/mounts" 'd{}'
row "run, user namespace" E run --bundle "$dir/userns" 'e{}'
row "run, host network" E run --bundle "$dir/host-network" 'f{}'
rounds=$((rounds > 5 ? 5 : rounds)) row "50 runs at once" -p 50 E run --bundle "$dir/plain" 'g{}'
each fill_store
row "state, 200 containers" E state many100
row "list, 200 containers" E list -q
each least_limit
