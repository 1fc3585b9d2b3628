# compare.bash - a process against its config.json: one function a property, each fails on the first difference.
#
# All is read from /proc, the cgroup files and the process's root, from outside. compare_all PID is the sum.
# shellcheck shell=bash

conf() { jq -r "$@" "$BUNDLE/config.json"; }

# ---- namespaces ----

compare_namespaces() {
	local pid=$1 type file path want have
	while read -r type file; do
		path=$(conf --arg type "$type" '[.linux.namespaces[]? | select(.type == $type) | .path // "new"][0] // "host"')
		have=$(readlink "/proc/$pid/ns/$file") || continue
		case $path in
		new) [ "$have" != "$(readlink "/proc/self/ns/$file")" ] || {
			echo "$type namespace should be a new one" >&2
			return 1
		} ;;
		host) equal "$have" "$(readlink "/proc/self/ns/$file")" || return 1 ;;
		*)
			want=$(stat -Lc %i "$path")
			equal "$have" "$file:[$want]" || return 1
			;;
		esac
	done <<-'END'
		pid pid
		network net
		ipc ipc
		uts uts
		mount mnt
		user user
		cgroup cgroup
		time time
	END
}

# ---- mounts, masked and read-only paths ----

compare_mounts() {
	local pid=$1 path exists differences
	exists=$(conf '(.linux.maskedPaths // []) + (.linux.readonlyPaths // []) | .[]' |
		while read -r path; do
			[ ! -e "/proc/$pid/root$path" ] || echo "$path"
		done | jq -R . | jq -s .)
	differences=$(conf --argjson mounts "$("$MXCRUN_TEST_BIN/mountview" "$pid")" --argjson exists "$exists" \
		-f "$here/mounts.jq") || return 1
	equal "$differences" ""
}

# A masked file reads as nothing, a masked folder is empty.
compare_masks() {
	local pid=$1 path object
	for path in $(conf '.linux.maskedPaths // [] | .[]'); do
		object=/proc/$pid/root$path
		if [ -d "$object" ]; then
			equal "$(ls -A "$object")" "" || return 1
		elif [ -e "$object" ]; then
			equal "$path $(stat -c %t:%T "$object")" "$path 1:3" || return 1
		fi
	done
}

compare_root() {
	equal "$(stat -Lc %d:%i "/proc/$1/root")" "$(stat -c %d:%i "$BUNDLE/rootfs")"
}

# ---- devices ----

compare_devices() {
	local pid=$1 want have
	want=$({
		conf '.linux.devices[]? | select(.path | startswith("/dev/")) | "\(.path[5:]) \(.major):\(.minor)"'
		printf '%s\n' 'null 1:3' 'zero 1:5' 'full 1:7' 'random 1:8' 'urandom 1:9' 'tty 5:0'
	} | sort)
	# By stat and not by find's -type, which believes the folder's entry: under a bound device that is a file.
	have=$(cd "/proc/$pid/root/dev" && find . ! -type d ! -type l ! -name console ! -path './pts/*' -printf '%P\n' |
		while read -r name; do
			[ -c "$name" ] || [ -b "$name" ] || continue
			printf '%s %d:%d\n' "$name" "0x$(stat -c %t "$name")" "0x$(stat -c %T "$name")"
		done | sort)
	equal "$have" "$want" || return 1
	equal "$(cd "/proc/$pid/root/dev" && readlink fd stdin stdout stderr ptmx | tr '\n' ' ')" \
		"/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx "
}

# ---- capabilities, seccomp, no_new_privs ----

capability_names=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
	SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
	AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
	PERFMON BPF CHECKPOINT_RESTORE)

# The names on stdin as a mask, without those that this host lacks.
capability_mask() {
	local name bit mask=0 host
	host=$((0x$(proc_status self CapBnd)))
	[ "${HAS_USERNS-}" ] && host=-1
	while read -r name; do
		for bit in "${!capability_names[@]}"; do
			[ "CAP_${capability_names[bit]}" != "$name" ] || mask=$((mask | 1 << bit))
		done
	done
	printf '%016x' $((mask & host))
}

# The kernel has nothing ambient that is not permitted and inheritable as well.
compare_capabilities() {
	local pid=$1 set field
	while read -r set field; do
		equal "$field $(proc_status "$pid" "$field")" "$field $(conf --arg set "$set" '
			(.process.capabilities // {}) as $c | $c[$set] // []
			| if $set == "ambient" then . - (. - ($c.permitted // [])) | . - (. - ($c.inheritable // [])) else . end
			| .[]' | capability_mask)" || return 1
	done <<-'END'
		bounding CapBnd
		effective CapEff
		permitted CapPrm
		inheritable CapInh
		ambient CapAmb
	END
}

compare_privileges() {
	local pid=$1 want=0
	[ "$(conf '.process.noNewPrivileges')" != true ] || want=1
	equal "NoNewPrivs $(proc_status "$pid" NoNewPrivs)" "NoNewPrivs $want" || return 1
	want=0
	[ "$(conf '.linux.seccomp != null')" = false ] || want=2
	equal "Seccomp $(proc_status "$pid" Seccomp)" "Seccomp $want"
}

# ---- ids, umask, limits ----

# A container's id as the host sees it.
mapped_id() {
	conf --argjson id "$2" --arg maps "$1Mappings" \
		'[.linux[$maps][]? | select(.containerID <= $id and $id < .containerID + .size)
			| .hostID + $id - .containerID][0] // $id'
}

compare_ids() {
	local pid=$1 uid gid groups=' ' id
	uid=$(mapped_id uid "$(conf .process.user.uid)")
	gid=$(mapped_id gid "$(conf .process.user.gid)")
	for id in $(conf '.process.user.additionalGids // [] | unique | .[]'); do
		groups+="$(mapped_id gid "$id") "
	done
	equal "Uid $(proc_status "$pid" Uid | tr '\t' ' ')" "Uid $uid $uid $uid $uid" || return 1
	equal "Gid $(proc_status "$pid" Gid | tr '\t' ' ')" "Gid $gid $gid $gid $gid" || return 1
	# Rootless: the caller's groups stay, for setgroups is denied.
	[ "$(id -u)" != 0 ] || equal "Groups  $(proc_status "$pid" Groups)" "Groups $groups" || return 1
	id=$(conf '.process.user.umask // empty')
	[ -z "$id" ] || equal "Umask $(proc_status "$pid" Umask)" "Umask $(printf %04o "$id")"
}

limit_name() {
	case $1 in
	RLIMIT_CPU) echo "Max cpu time" ;;
	RLIMIT_FSIZE) echo "Max file size" ;;
	RLIMIT_DATA) echo "Max data size" ;;
	RLIMIT_STACK) echo "Max stack size" ;;
	RLIMIT_CORE) echo "Max core file size" ;;
	RLIMIT_RSS) echo "Max resident set" ;;
	RLIMIT_NPROC) echo "Max processes" ;;
	RLIMIT_NOFILE) echo "Max open files" ;;
	RLIMIT_MEMLOCK) echo "Max locked memory" ;;
	RLIMIT_AS) echo "Max address space" ;;
	RLIMIT_LOCKS) echo "Max file locks" ;;
	RLIMIT_SIGPENDING) echo "Max pending signals" ;;
	RLIMIT_MSGQUEUE) echo "Max msgqueue size" ;;
	RLIMIT_NICE) echo "Max nice priority" ;;
	RLIMIT_RTPRIO) echo "Max realtime priority" ;;
	RLIMIT_RTTIME) echo "Max realtime timeout" ;;
	esac
}

# Those in the config are as they say, all others as the caller's.
compare_rlimits() {
	local pid=$1 type soft hard name named=''
	while read -r type soft hard; do
		name=$(limit_name "$type")
		equal "$name $(awk -v name="$name" 'index($0, name) == 1 { $0 = substr($0, 27); print $1, $2 }' "/proc/$pid/limits")" \
			"$name ${soft/18446744073709551615/unlimited} ${hard/18446744073709551615/unlimited}" || return 1
		named+="${named:+|}^$name"
	done < <(conf '.process.rlimits // [] | .[] | "\(.type) \(.soft) \(.hard)"')
	equal "$(grep -vE "${named:-^$}" "/proc/$pid/limits")" "$(grep -vE "${named:-^$}" /proc/self/limits)"
}

# ---- the process itself ----

compare_process() {
	local pid=$1
	equal "$(tr '\0' '\n' <"/proc/$pid/cmdline")" "$(conf '.process.args[]')" || return 1
	equal "$(readlink "/proc/$pid/cwd")" "$(conf .process.cwd)" || return 1
	# HOME may be added, from the root's passwd file; nothing else.
	equal "$(tr '\0' '\n' <"/proc/$pid/environ" | grep -v '^HOME=' | sort)" \
		"$(conf '.process.env[]' | grep -v '^HOME=' | sort)" || return 1
	equal "$(cat "/proc/$pid/oom_score_adj")" \
		"$(conf --arg own "$(cat /proc/self/oom_score_adj)" '.process.oomScoreAdj // $own')" || return 1
	equal "fds $(open_descriptors "$pid")" "fds 0 1 2 "
}

compare_hostname() {
	local pid=$1 want
	want=$(conf --arg host "$(hostname)" '.hostname // $host')
	equal "$(nsenter --uts="/proc/$pid/ns/uts" hostname)" "$want"
}

# ---- cgroup ----

compare_cgroup() {
	local pid=$1 path value v2
	path=$(conf '.linux.cgroupsPath // empty')
	case $path in
	/*)
		# On a hybrid host the controllers count; the cgroup2 tree may be left at its root.
		equal "$(grep -v "$path\$" "/proc/$pid/cgroup" | grep -v '^0::/$')" "" || return 1
		;;
	esac
	value=$(conf '.linux.resources.memory.limit // empty')
	[ -z "$value" ] || equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" "$value" || return 1
	value=$(conf '.linux.resources.pids.limit // empty')
	[ -z "$value" ] || equal "$(cgroup_value "$pid" pids pids.max pids.max)" "$value" || return 1
	value=$(conf '.linux.resources.cpu.quota // empty')
	[ -n "$value" ] || return 0
	v2="$value $(conf '.linux.resources.cpu.period // 100000')"
	if host_has cgroup_v2; then
		equal "$(cgroup_value "$pid" cpu cpu.cfs_quota_us cpu.max)" "$v2"
	else
		equal "$(cgroup_value "$pid" cpu cpu.cfs_quota_us -) $(cgroup_value "$pid" cpu cpu.cfs_period_us -)" "$v2"
	fi
}

compare_all() {
	compare_namespaces "$1" && compare_mounts "$1" && compare_masks "$1" && compare_root "$1" &&
		compare_devices "$1" && compare_capabilities "$1" && compare_privileges "$1" && compare_ids "$1" &&
		compare_rlimits "$1" && compare_process "$1" && compare_hostname "$1" && compare_cgroup "$1"
}
