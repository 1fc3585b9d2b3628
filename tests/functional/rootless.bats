#!/usr/bin/env bats
# As an ordinary user: bundles with a user namespace of one id, and MXC policies. Started as root the tests become
# uid 65534, which has no subordinate ids and no cgroup of its own.

load helpers
load compare
GUARDS="jq mxcrun"

test_setup() {
	make_user
	STATE=$USERDIR/state
	BUNDLE_DIR=$USERDIR/bundle
}

own() { [ "$(id -u)" != 0 ] || chown -R "$USER_ID:$USER_ID" "$USERDIR"; }

user_bundle() {
	mkdir -p "$BUNDLE_DIR"
	[ -d "$BUNDLE_DIR/rootfs" ] || make_rootfs "$BUNDLE_DIR/rootfs"
	rm -f "$BUNDLE_DIR/config.json"
	own
	user_rt spec --rootless --bundle "$BUNDLE_DIR"
	BUNDLE=$BUNDLE_DIR
	config --arg tag "MXCRUN_TEST_TAG=$TAG" '.process.terminal = false | .process.env += [$tag]
		| .process.args = ["/bin/sleep", "1000"] | .root.readonly = false'
	config "$@"
	own
}

user_run() { run --separate-stderr user_rt run --bundle "$BUNDLE" "$@" "$TAG" </dev/null; }

user_start() {
	user_rt create --bundle "$BUNDLE" --pid-file "$USERDIR/pid" "$TAG" </dev/null >"$USERDIR/out" 2>"$USERDIR/err" || {
		cat "$USERDIR/err" >&2
		return 1
	}
	user_rt start "$TAG"
	PID=$(cat "$USERDIR/pid")
	wait_for 10 has_exec
}

@test "spec --rootless maps the caller to root" {
	user_bundle .
	equal "$(conf '.linux.uidMappings | map("\(.containerID) \(.hostID) \(.size)") | join(",")')" "0 $USER_ID 1"
	equal "$(conf '[.linux.namespaces[].type] | index("user") != null')" true
	equal "$(conf '.linux.resources.memory // "none"')" none
}

@test "run: exit code, streams, and root inside is the caller outside" {
	user_bundle '.process.args = ["/bin/sh", "-c", "id -u; cat /proc/self/uid_map; echo x >/made; exit 7"]'
	user_run
	equal "$status" 7
	equal "${lines[0]}" 0
	equal "$(awk '{ print $1, $2, $3 }' <<<"${lines[1]}")" "0 $USER_ID 1"
	equal "$(stat -c %u "$BUNDLE/rootfs/made")" "$USER_ID"
	assert_nothing_left
}

@test "namespaces, mounts, capabilities, limits are as the config says" {
	user_bundle .
	user_start
	HAS_USERNS=1
	if [ "$(id -u)" != 0 ]; then
		equal "$(proc_status "$PID" Uid | cut -f 1)" "$USER_ID"
		compare_mounts_allowed=1
	fi
	compare_namespaces "$PID"
	compare_mounts "$PID"
	compare_masks "$PID"
	compare_capabilities "$PID"
	compare_privileges "$PID"
	compare_ids "$PID"
	compare_devices "$PID"
}

@test "the life cycle: create, start, state, kill, delete" {
	user_bundle .
	user_start
	equal "$(user_rt state "$TAG" | jq -r .status)" running
	user_rt kill "$TAG" KILL
	user_stopped() { [ "$(user_rt state "$TAG" | jq -r .status)" = stopped ]; }
	wait_for 10 user_stopped
	user_rt delete "$TAG"
	assert_nothing_left
}

@test "without --root the state is in XDG_RUNTIME_DIR, closed to others" {
	local xdg=$USERDIR/xdg
	user_bundle '.process.args = ["/bin/true"]'
	as_user mkdir "$xdg"
	as_user env XDG_RUNTIME_DIR="$xdg" "$USERDIR/mxcrun" create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1 3>&-
	equal "$(stat -c '%a %u' "$xdg/mxcrun" "$xdg/mxcrun/$TAG" | sort -u)" "700 $USER_ID"
	as_user env XDG_RUNTIME_DIR="$xdg" "$USERDIR/mxcrun" delete --force "$TAG"
}

@test "files that only root may read stay closed" {
	user_bundle --arg dir "$USERDIR/roots" '.mounts += [{destination: "/m", type: "bind", source: $dir, options: ["rbind"]}]
		| .process.args = ["/bin/ls", "/m"]'
	[ "$(id -u)" = 0 ] || skip "needs root to make such a file"
	mkdir -m 700 "$USERDIR/roots"
	chown 0:0 "$USERDIR/roots"
	: >"$USERDIR/roots/secret"
	user_run
	lacks "$output" secret
	[ "$status" -ne 0 ]
}

@test "in a user namespace that somebody else made: a bundle without one of its own runs, its devices are bound" {
	[ "$(id -u)" = 0 ] || skip "needs root to write the maps"
	user_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)
		| .process.args = ["/bin/sh", "-c", "id -u; stat -c %t:%T /dev/null; echo x >/dev/null && head -c 4 /dev/zero | wc -c"]'
	# The engine's part: a namespace in which setgroups is allowed, which takes somebody outside to write its maps.
	as_user mkfifo "$USERDIR/go"
	# shellcheck disable=SC2016
	as_user unshare --user --mount sh -c 'cd "$1" && echo $$ >engine && read -r go <go &&
		exec setpriv --reuid 0 --regid 0 --clear-groups timeout --foreground 30 "$1/mxcrun" --root "$1/state" run --bundle "$2" "$3"' \
		sh "$USERDIR" "$BUNDLE" "$TAG" </dev/null >"$USERDIR/out" 2>&1 3>&- &
	written() { [ -s "$USERDIR/engine" ]; }
	wait_for 10 written
	echo "0 $USER_ID 1" >"/proc/$(cat "$USERDIR/engine")/uid_map"
	echo "0 $USER_ID 1" >"/proc/$(cat "$USERDIR/engine")/gid_map"
	echo go >"$USERDIR/go"
	wait
	equal "$(tr '\n' ' ' <"$USERDIR/out")" "0 1:3 4 "
}

@test "a bundle without a user namespace is refused, with the reason" {
	user_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	user_run
	assert_refused "user"
	assert_nothing_left
}

@test "ids that the caller has no right to are refused" {
	user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
	user_run
	assert_refused
	user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 1, size: 70000}]'
	user_run
	assert_refused
	assert_nothing_left
}

@test "limits without a delegated cgroup are refused, with the remedy, or really applied" {
	user_bundle '.linux.resources.pids.limit = 15 | .process.args = ["/bin/sh", "-c", "cat /proc/self/cgroup; sleep 1000"]'
	if user_start 2>/dev/null; then
		equal "$(cgroup_value "$PID" pids pids.max pids.max)" 15
	else
		user_run
		assert_refused cgroup
	fi
}

@test "setgroups is denied, and the caller's own groups give nothing more" {
	user_bundle '.process.args = ["/bin/cat", "/proc/self/setgroups"]'
	user_run
	equal "$output" deny
}

@test "in a user namespace made with setgroups denied: no groups are none more, others are refused by name" {
	user_bundle '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)
		| .process.args = ["/bin/sh", "-c", "cat /proc/self/setgroups; id -u"]'
	run --separate-stderr as_user unshare -Urm timeout --foreground "$(slow 30)" "$USERDIR/mxcrun" --root "$USERDIR/state" run --bundle "$BUNDLE" "$TAG" </dev/null 3>&-
	echo "$stderr" >&2
	equal "$output" "deny
0"
	config '.process.user.additionalGids = [0]'
	own
	run --separate-stderr as_user unshare -Urm timeout --foreground "$(slow 30)" "$USERDIR/mxcrun" --root "$USERDIR/state" run --bundle "$BUNDLE" "$TAG" </dev/null 3>&-
	assert_refused /process/user/additionalGids "setgroups denied"
}

@test "several ids through newuidmap, where the caller has them" {
	local user=${USER_NAME:-$(id -un "$USER_ID" 2>/dev/null)} first
	have newuidmap || skip "needs newuidmap"
	first=$(awk -F: -v user="$user" '$1 == user { print $2; exit }' /etc/subuid 2>/dev/null)
	[ -n "$first" ] || skip "needs subordinate ids of $user"
	user_bundle --argjson id "$USER_ID" --argjson first "$first" '
		.linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}, {containerID: 1, hostID: $first, size: 1000}]
		| .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 33, gid: 33}
		| .process.args = ["/bin/sh", "-c", "id -u; id -g; grep -c . /proc/self/uid_map"]'
	user_run
	equal "$output" "33
33
2"
}

# ---- MXC ----

user_policy() {
	policy "$@"
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

@test "mxc run: exit code, the view, no network, nothing left" {
	user_policy 'id -u; ls /home /root 2>/dev/null; grep -c : /proc/net/dev; echo x >/tmp/x; exit 6'
	equal "$status" 6
	equal "${lines[0]}" "$USER_ID"
	assert_nothing_left
}

@test "mxc run: read-write, read-only and denied paths" {
	mkdir -p "$USERDIR"/{rw,ro,no}
	echo secret >"$USERDIR/no/file"
	own
	user_policy "echo new >$USERDIR/rw/new; echo x >$USERDIR/ro/x || echo refused; ls $USERDIR/no || echo denied; ls $USERDIR" --arg d "$USERDIR" \
		'.filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"], deniedPaths: [$d + "/no"]}'
	equal "$status" 0
	equal "$output" "refused
denied
no
ro
rw"
	equal "$(stat -c %u "$USERDIR/rw/new")" "$USER_ID"
}

@test "mxc run: a timeout kills the tree" {
	user_policy 'setsid sleep 1000 & echo ready; sleep 1000' --argjson ms "$(($(slow 1) * 700))" '.process.timeout = $ms'
	equal "$status $output" "255 ready"
	assert_nothing_left
}
