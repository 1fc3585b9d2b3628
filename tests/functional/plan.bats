#!/usr/bin/env bats
# What `plan` prints is what runs: its JSON against the running process, for bundles and for policies.

load helpers
load compare
GUARDS="root jq mxcrun"

plan() { rt plan --bundle "$BUNDLE" "$TAG" >"$BATS_TEST_TMPDIR/plan.json"; }
planned() { jq -r "$@" "$BATS_TEST_TMPDIR/plan.json"; }

# Each of the plan's properties against /proc of the process.
plan_is_what_runs() {
	local pid=$1 type file mode set field
	while read -r type file; do
		mode=$(planned --arg t "$type" '.namespaces[$t].mode')
		if [ "$(readlink "/proc/$pid/ns/$file")" = "$(readlink "/proc/self/ns/$file")" ]; then
			equal "$type $mode" "$type host" || return 1
		else
			equal "$type $mode" "$type new" || return 1
		fi
	done <<-'END'
		user user
		cgroup cgroup
		ipc ipc
		uts uts
		network net
		pid pid
		mount mnt
	END
	while read -r set field; do
		equal "$set $(planned --arg set "$set" '.process.capabilities[$set][]' | capability_mask)" \
			"$set $(proc_status "$pid" "$field")" || return 1
	done <<-'END'
		bounding CapBnd
		effective CapEff
		permitted CapPrm
		inheritable CapInh
		ambient CapAmb
	END
	equal "$(planned .process.noNewPrivileges | sed 's/true/1/;s/false/0/')" "$(proc_status "$pid" NoNewPrivs)" || return 1
	equal "$(planned 'if .process.seccomp.instructionCount > 0 then 2 else 0 end')" "$(proc_status "$pid" Seccomp)" || return 1
	equal "$(planned '.mounts[] | select(.kind == "bind" or .kind == "filesystem" or .kind == "cgroup" or .kind == "deny") | .destination' | sort -u)" \
		"$("$MXCRUN_TEST_BIN/mountview" "$pid" | jq -r '.[].target' | sort -u |
			grep -vxF "$(planned '(.maskedPaths + .readonlyPaths)[].path, "/"')" | grep -v '^/sys/fs/cgroup/')"
}

@test "the plan of a bundle is what runs" {
	make_bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
		| .linux.resources.pids.limit = 31 | .process.user = {uid: 0, gid: 13} | .process.oomScoreAdj = 5'
	plan
	start_container "$TAG"
	plan_is_what_runs "$PID"
	equal "$(planned '.process.args | join(" ")')" "$(tr '\0' ' ' <"/proc/$PID/cmdline" | sed 's/ $//')"
	equal "$(planned '.process | .env[], if .homeFromPasswd then "HOME=/root" else empty end' | sort)" "$(tr '\0' '\n' <"/proc/$PID/environ" | sort)"
	equal "$(planned '"\(.process.uid) \(.process.gid)"')" \
		"$(proc_status "$PID" Uid | cut -f 1) $(proc_status "$PID" Gid | cut -f 1)"
	equal "$(planned .hostname)" "$(nsenter --uts="/proc/$PID/ns/uts" hostname)"
	equal "$(planned .process.oomScoreAdj)" "$(cat "/proc/$PID/oom_score_adj")"
	contains "$(cat "/proc/$PID/cgroup")" "$(planned .cgroup.path)"
	local controller file value
	while read -r controller file value; do
		equal "$file $(cat "$(cgroup_dir "$PID" "$controller")/$file")" "$file $value"
	done < <(planned '.cgroup.writes[] | select(.optional | not) | "\(.controller) \(.file) \(.value)"')
}

@test "the plan changes with each field of the config" {
	make_bundle
	plan
	cp "$BATS_TEST_TMPDIR/plan.json" "$BATS_TEST_TMPDIR/first"
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config"
	local filter
	while read -r filter; do
		cp "$BATS_TEST_TMPDIR/config" "$BUNDLE/config.json"
		config "$filter"
		plan
		refused cmp -s "$BATS_TEST_TMPDIR/plan.json" "$BATS_TEST_TMPDIR/first" || {
			echo "the plan does not see: $filter" >&2
			return 1
		}
	done <<-'END'
		.process.args += ["x"]
		.process.env += ["X=y"]
		.process.cwd = "/tmp"
		.process.user.uid = 1
		.process.user.gid = 1
		.process.user.additionalGids = [7]
		.process.user.umask = 7
		.process.capabilities.bounding += ["CAP_CHOWN"]
		.process.capabilities.inheritable = ["CAP_KILL"]
		.process.rlimits = []
		.process.noNewPrivileges = false
		.process.oomScoreAdj = 7
		.root.readonly = true
		.hostname = "other"
		.mounts |= map(select(.destination != "/dev/shm"))
		.mounts[1].options += ["noexec"]
		.linux.namespaces |= if any(.type == "cgroup") then map(select(.type != "cgroup")) else . + [{type: "cgroup"}] end
		.linux.maskedPaths = []
		.linux.readonlyPaths += ["/etc"]
		.linux.resources.memory.limit = 100000000
		.linux.resources.cpu.quota = 50000
		.linux.resources.pids.limit = 9
		.linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "rwm"}]
		.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		.linux.sysctl = {"kernel.msgmax": "1000"}
		.linux.cgroupsPath = "/other"
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
		.linux.rootfsPropagation = "rshared"
		.annotations = {"a": "b"}
		.hooks.poststop = [{path: "/bin/true"}]
	END
}

@test "the plan of a policy is what runs" {
	local d=$BATS_TEST_TMPDIR/d
	mkdir -p "$d"/{rw,ro,no}
	policy 'echo ready; exec sleep 1000' --arg d "$d" '.filesystem = {readwritePaths: [$d + "/rw"],
		readonlyPaths: [$d + "/ro"], deniedPaths: [$d + "/no"]}'
	rt plan --mxc "$POLICY" >"$BATS_TEST_TMPDIR/plan.json"
	"$MXCRUN" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	local pid
	is_sleep() { pid=$(tagged_processes | tail -n 1) && [ "$(cat "/proc/$pid/comm")" = sleep ]; }
	wait_for 10 is_sleep
	plan_is_what_runs "$pid"
	equal "$(planned '.process.env | sort | join(",")')" "$(tr '\0' '\n' <"/proc/$pid/environ" | grep -v ^PWD= | sort | paste -sd ,)"
	equal "$(planned .network)" none
	equal "$(planned .lifecycle.sandbox)" true
	equal "$(planned --arg d "$d" '.mounts[] | select(.destination | startswith($d)) | "\(.kind) \(.destination)"' | sort)" \
		"bind $d/ro
bind $d/rw
deny $d/no"
	kill -9 $!
}

@test "plan and mxc plan print the same, stable but for the id" {
	policy 'true'
	rt plan --mxc "$POLICY" | jq 'del(.id, .cgroup.path, .cgroup.scope)' >"$BATS_TEST_TMPDIR/a"
	rt mxc plan "$POLICY" | jq 'del(.id, .cgroup.path, .cgroup.scope)' >"$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	make_bundle
	equal "$(rt plan --bundle "$BUNDLE" "$TAG" | md5sum)" "$(rt plan --bundle "$BUNDLE" "$TAG" | md5sum)"
}

@test "plan makes nothing on the host" {
	make_bundle
	local before
	before=$(find /sys/fs/cgroup -type d | wc -l)
	plan
	equal "$(find /sys/fs/cgroup -type d | wc -l)" "$before"
	equal "$(tagged_records)" ""
	equal "$(find "$BUNDLE/rootfs/dev" | wc -l)" 1
}
