#!/usr/bin/env bats
# doctor: what it says of this host has to be what happens, and what it says of a policy too.

load helpers
GUARDS="jq mxcrun"

test_setup() { make_user; }

finding() { jq -c --arg subject "$1" '.host[] | select(.subject == $subject) | [.available, .remedy]' <<<"$output"; }

@test "what it calls available works" {
	requires root
	run --separate-stderr rt doctor --json
	equal "$status" 0
	equal "$(finding "user namespaces")" "[true,null]"
	equal "$(finding "seccomp")" "[true,null]"
	equal "$(finding "cgroup memory")" "[true,null]"
	policy 'echo ran' '.bubblewrap = {resources: {memoryMb: 64}}'
	run_policy
	equal "$output" ran
	run --separate-stderr rt doctor
	equal "$status" 0
	equal "$(grep -c '^user namespaces  *yes: ' <<<"$output")" 1
}

@test "where user namespaces are off it says so, and how to switch them on" {
	requires root
	run --separate-stderr unshare -U -r sh -c "echo 0 >/proc/sys/user/max_user_namespaces; exec '$MXCRUN' --root '$STATE' doctor --json"
	equal "$status" 0
	equal "$(finding "user namespaces")" '[false,"sysctl -w user.max_user_namespaces=15000"]'
	run --separate-stderr unshare -U -r sh -c "echo 0 >/proc/sys/user/max_user_namespaces; exec '$MXCRUN' --root '$STATE' doctor"
	contains "$output" "to have it: sysctl -w user.max_user_namespaces=15000"
}

@test "a policy that can be enforced, one that can't, and one that is none" {
	requires root
	policy true
	run --separate-stderr rt doctor "$POLICY"
	equal "$status" 0
	contains "$output" "$POLICY: can be enforced on this host"
	policy true '.filesystem.readonlyPaths = ["/absent/path"]'
	run --separate-stderr rt doctor "$POLICY"
	equal "$status" 1
	contains "$output" "/filesystem/readonlyPaths/0"
	contains "$output" "does not exist"
	policy true '.filesystems = {}'
	run --separate-stderr rt doctor "$POLICY"
	assert_refused filesystems
}

@test "each obstacle is named, with its remedy" {
	requires root cgroup_v1
	policy true '.bubblewrap = {resources: {pids: 10}} | .filesystem.readonlyPaths = ["/root"]'
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr user_rt doctor --json "$USERDIR/policy.json"
	equal "$status" 1
	equal "$(jq .policy.enforceable <<<"$output")" false
	equal "$(jq -r '[.policy.obstacles[].subject] | sort | join(" ")' <<<"$output")" "/bubblewrap/resources /filesystem/readonlyPaths/0"
	contains "$(jq -r '.policy.obstacles[] | select(.subject == "/bubblewrap/resources") | .remedy' <<<"$output")" "Delegate="
	equal "$(finding "cgroup pids" | jq '.[0]')" false
	# What it says is what happens.
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	assert_mxc_refused
}
