#!/usr/bin/env bash
# sandbox.sh - `mxc run` of a policy by each engine, beside bwrap alone with the same view: in turns, medians and ratios.
#
#     tests/bench/sandbox.sh MXCRUN [ROUNDS]
#
# "mxcrun+bwrap" is --engine bwrap; "mxcrun+lxc" is --engine lxc, where LXC is installed. As root or as an ordinary user. "bwrap" is given what an MXC executor gives it: the same
# namespaces, folders, device nodes, /proc, /tmp, environment and shell. "bwrap+filter+masks" is bwrap with the whole of the policy, as
# `mxc emit bwrap` writes it: it has the seccomp filter, the masks in /proc, a session and a cgroup namespace, too.
# MXC's own executor joins in where LXC_EXEC names it. Prints Markdown.
set -euo pipefail

[ $# -ge 1 ] || {
	echo "usage: tests/bench/sandbox.sh MXCRUN [ROUNDS]" >&2
	exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
mxcrun=$(readlink -f "$1")
rounds=${2:-31}
dir=$(mktemp -d)
shm=/dev/shm # where /run is a tmpfs, as on most hosts, no record waits for a disk
[ "$(stat -f -c %T "$shm" 2>/dev/null)" = tmpfs ] || shm=$dir
state=$(mktemp -d -p "$shm")
trap 'rm -rf "$dir" "$state"' EXIT
mkdir "$dir/rw"
cc -O2 -Wall -Wextra -o "$dir/measure" "$here/measure.c"

view=()
for folder in /bin /sbin /usr/bin /usr/sbin /lib /lib32 /lib64 /libx32 /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/share /etc \
	/run/systemd/resolve /run/NetworkManager /run/resolvconf /mnt/wsl/resolv.conf; do
	[ ! -e "$folder" ] || view+=(--ro-bind "$folder" "$folder")
done
common=(bwrap --unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net --die-with-parent "${view[@]}"
	--symlink /run /var/run --dev /dev --proc /proc --tmpfs /tmp)
end=(--clearenv --setenv PATH /usr/bin:/bin sh -c true)

# policy FILE FILESYSTEM
policy() {
	printf '{"version":"1.0.0","process":{"commandLine":"true","env":["PATH=/usr/bin:/bin"]},"filesystem":{%s}}' "$2" >"$dir/$1"
}

# The words of bwrap that carry out the whole of a policy, and its files in FOLDER; "--" separates words for measure.
emitted() { # POLICY FOLDER
	local options=(mxc emit bwrap "$1" --bwrap-version "$(bwrap --version | grep -o '[0-9.]*')")
	"$mxcrun" "${options[@]}" --output "$2" 2>/dev/null
	"$mxcrun" "${options[@]}" --form json 2>/dev/null |
		jq -j --arg program "$2/seccomp.bpf" '
			((.argv[] | select(. != "--")), (.descriptors[] | "\(.number)<" + if .content == "nothing" then "/dev/null" else $program end))
			+ "\u0000"'
}

# row TITLE POLICY BWRAP...
row() {
	local title=$1 policy=$dir/$2 words whole
	shift 2
	mapfile -d '' -t whole < <(emitted "$policy" "$policy.emitted")
	words=(-- mxcrun "$mxcrun" --root "$state" mxc run "$policy"
		-- mxcrun+bwrap "$mxcrun" --root "$state" --engine bwrap mxc run "$policy" -- bwrap "$@"
		-- bwrap+filter+masks "${whole[@]}")
	if command -v lxc-start >/dev/null; then
		words+=(-- mxcrun+lxc "$mxcrun" --root "$state" --engine lxc mxc run "$policy")
	fi
	[ -z "${LXC_EXEC-}" ] || words+=(-- lxc-exec "$LXC_EXEC" "$policy")
	"$dir/measure" "$rounds" "${words[@]}" | awk -v title="$title" '
		NR == 1 { base = $3 }
		{ printf "| %s | %s | %.2f | %.2f | %.2f |%s\n", title, $1, $2 / 1000, $3 / 1000, $3 / base, $6 ? " " $6 " failed" : "" }'
}

echo "Linux $(uname -r), $(nproc) CPUs, $rounds rounds, uid $(id -u); milliseconds. $(bwrap --version)."
echo
echo "| what | program | least | median | x mxcrun |"
echo "|---|---|---|---|---|"
policy plain ''
row "true, nothing granted" plain "${common[@]}" "${end[@]}"
policy rules "\"readwritePaths\":[\"$dir/rw\"],\"deniedPaths\":[\"/etc/ssl\",\"/etc/passwd\"]"
row "true, one grant, two denials" rules "${common[@]}" --bind "$dir/rw" "$dir/rw" --tmpfs /etc/ssl --ro-bind /dev/null /etc/passwd "${end[@]}"
