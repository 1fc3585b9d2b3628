#!/usr/bin/env bats
# carried_process.bats - what the policies of a bundle, and the host owner's for a sandbox, take from the process: seccomp filters
# that stand beside the container's own, and capabilities. Each is tried by the workload, and by what exec puts beside it.

load helpers
load carriers

GUARDS="root jq mxcrun"

test_setup() {
	make_bundle
	make_admin
	PROFILE=$BATS_TEST_TMPDIR/profile.json
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}' >"$PROFILE"
}

profile() { echo "{\"bubblewrap\": {\"seccompProfile\": \"$1\"}}"; }
own_filter() { config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["sethostname"], action: "SCMP_ACT_ERRNO", errnoRet: 6}]}'; }

# A word for each call, and how many filters the kernel asks.
tries='for c in mkdir keyctl sethostname; do printf "$c "; probe call $c; done; grep Seccomp_filters /proc/self/status'
items() { plan_carried | jq -r --arg subject "$1" '.policy.items[] | select(.subject == $subject)
	| "\(.carrier | split("/")[-1]): \(.object // "") \(.requested) -> \(.enforced) (\(.decidedBy | split("/")[-1]))"'; }

@test "each policy's filter stands beside the container's own, and the strictest answer counts" {
	own_filter
	script "$tries"
	annotate "$(profile denylist)"
	owners 10 "$(profile "$PROFILE")"
	run_carried
	equal "$status" 0
	contains "$output" "mkdir EIO"
	contains "$output" "keyctl EPERM"
	contains "$output" "sethostname E"
	lacks "$output" ok
	equal "$(tail -n 1 <<<"$output" | awk '{ print $2 }')" 3
	equal "$(items systemCalls)" "annotation mxc.policy:  denylist -> denylist (annotation mxc.policy)
10.json:  $PROFILE -> $PROFILE (10.json)"
	# the same words a second time are no second filter
	section "$(profile denylist)"
	run_carried
	equal "$(tail -n 1 <<<"$output" | awk '{ print $2 }')" 3
	# without them
	config 'del(.annotations, .mxc)'
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run_carried
	contains "$output" "mkdir ok"
	contains "$output" "keyctl ok"
	contains "$output" "sethostname ENXIO"
	equal "$(tail -n 1 <<<"$output" | awk '{ print $2 }')" 1
}

@test "the default profile: ordinary tools run, with and without no_new_privs, as root and as another user" {
	local privileges user
	annotate "$(profile default)"
	script "$tries; id -u; ls / >/dev/null && echo listed | cat; (sleep 0.1 & wait) && echo waited"
	for privileges in true false; do
		for user in 0 12; do
			config --argjson p "$privileges" --argjson u "$user" '.process.noNewPrivileges = $p | .process.user = {uid: $u, gid: $u}'
			run_carried
			equal "$status" 0
			contains "$output" "keyctl EPERM"
			contains "$output" $'Seccomp_filters:\t1'
			contains "$output" $'\n'"$user"$'\nlisted\nwaited'
		done
	done
}

@test "exec has the same filters, also when the file has changed since" {
	own_filter
	owners 10 "$(profile "$PROFILE")"
	rt --admin-config "$ADMIN" run --detach --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	echo '{"defaultAction": "SCMP_ACT_ALLOW"}' >"$PROFILE"
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run --separate-stderr rt --admin-config "$ADMIN" exec "$TAG" /bin/sh -c "$tries" </dev/null
	contains "$output" "mkdir EIO"
	contains "$output" "keyctl ok"
	contains "$output" "sethostname ENXIO"
	equal "$(tail -n 1 <<<"$output" | awk '{ print $2 }')" 2
}

@test "whose files may be named: the bundle's author's and the owner's, not a pod's" {
	script "$tries"
	section "$(profile "$PROFILE")"
	run_carried
	contains "$output" "mkdir EIO"
	config 'del(.mxc)'
	annotate "$(profile "$PROFILE")"
	run_carried
	assert_refused "/annotations/mxc.policy#/bubblewrap/seccompProfile" "by its word"
	profile "$PROFILE" >"$BATS_TEST_TMPDIR/admin/policies/strict.json"
	config '.annotations = {"mxc.policy-name": "strict"}'
	run_carried
	contains "$output" "mkdir EIO"
	chmod o+w "$PROFILE"
	run_carried
	assert_refused "$PROFILE" "writable by others"
}

@test "profiles that can't be" {
	annotate "$(profile none)"
	run_carried
	assert_refused /annotations/mxc.policy#/bubblewrap/seccompProfile denylist
	config 'del(.annotations)'
	section "$(profile /absent.json)"
	run_carried
	assert_refused /absent.json
	section "$(profile "$PROFILE")"
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}' >"$PROFILE"
	run_carried
	assert_refused NOTIFY
	# A filter that keeps the container's own from being loaded ends the start.
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["seccomp"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}' >"$PROFILE"
	own_filter
	run_carried
	assert_refused seccomp
}

@test "dropCaps takes, keepCaps leaves at most, and neither gives one" {
	capabilities "CAP_KILL CAP_CHOWN CAP_SETUID CAP_SETGID CAP_FOWNER"
	script 'grep ^CapBnd /proc/self/status | cut -f 2; grep ^CapEff /proc/self/status | cut -f 2 | grep -vxF "$(grep ^CapBnd /proc/self/status | cut -f 2)"; chown 5 /etc/group 2>/dev/null && echo chowned'
	annotate '{"bubblewrap": {"dropCaps": ["CAP_KILL"]}}'
	run_carried
	equal "$output" $'00000000000000c9\nchowned'
	owners 10 '{"bubblewrap": {"keepCaps": ["CAP_KILL", "CAP_SETUID", "CAP_NET_ADMIN"]}}'
	run_carried
	equal "$output" 0000000000000080
	equal "$(items capabilities)" "annotation mxc.policy: CAP_KILL dropped -> dropped (annotation mxc.policy)
10.json:  CAP_KILL CAP_SETUID CAP_NET_ADMIN -> CAP_SETUID CAP_NET_ADMIN (annotation mxc.policy)"
	config 'del(.annotations)'
	owners 10 '{"bubblewrap": {"keepCaps": []}}'
	run_carried
	equal "$output" 0000000000000000
	owners 10 '{"bubblewrap": {"dropCaps": ["ALL"]}}'
	run_carried
	equal "$output" 0000000000000000
	for wrong in '{"keepCaps": ["CAP_NOTHING"]}' '{"dropCaps": ["kill"]}' '{"keepCaps": ["ALL"]}'; do
		owners 10 "{\"bubblewrap\": $wrong}"
		run_carried
		assert_refused "no capability is named" 10.json
	done
}

@test "a capability that would undo a policy is taken where the policy says so, and exec can't ask for it" {
	mkdir "$BUNDLE/rootfs/secret"
	capabilities "CAP_SYS_ADMIN CAP_KILL"
	annotate '{"filesystem": {"deniedPaths": ["/secret"]}}'
	run_carried
	assert_refused CAP_SYS_ADMIN
	annotate '{"filesystem": {"deniedPaths": ["/secret"]}, "bubblewrap": {"dropCaps": ["CAP_SYS_ADMIN"]}}'
	script 'umount /secret 2>/dev/null || echo mounted; exec sleep 1000'
	start_container "$TAG"
	wait_for 5 grep -q mounted "$BATS_TEST_TMPDIR/out"
	equal "$(proc_status "$PID" CapBnd)" 0000000000000020
	run --separate-stderr rt exec "$TAG" /bin/sh -c 'grep CapEff /proc/self/status | cut -f 2' </dev/null
	equal "$output" 0000000000000020
	run --separate-stderr rt exec --cap CAP_SYS_ADMIN "$TAG" /bin/true </dev/null
	assert_refused CAP_SYS_ADMIN
}

@test "the owner's policies take from sandboxes too" {
	local D=$BATS_TEST_TMPDIR/granted
	mkdir -p "$D/bin"
	cp "$MXCRUN_TEST_BIN/probe" "$D/bin"
	owners 10 "{\"bubblewrap\": {\"seccompProfile\": \"$PROFILE\", \"dropCaps\": [\"CAP_KILL\"]}}"
	policy "$D/bin/probe call mkdir; $D/bin/probe call keyctl; grep -h '^CapEff\|^Seccomp_filters' /proc/self/status | cut -f 2" --arg d "$D" \
		'.filesystem.readonlyPaths = [$d] | .bubblewrap.keepCaps = ["CAP_KILL", "CAP_CHOWN"]'
	local engine
	for engine in native bwrap lxc; do
		[ "$engine" = native ] || have "${engine/lxc/lxc-start}" || continue
		run --separate-stderr rt --engine "$engine" --admin-config "$ADMIN" mxc run --report "$BATS_TEST_TMPDIR/report" "$POLICY" </dev/null
		echo "$engine: $stderr"
		equal "$(head -n 3 <<<"$output")" $'EIO\nEPERM\n0000000000000001'
		[ "$(tail -n 1 <<<"$output")" -ge 2 ]
	done
	run --separate-stderr rt --admin-config "$ADMIN" mxc emit oci "$POLICY"
	[ "$status" -ne 0 ]
	contains "$stderr" "one filter"
	equal "$(jq -r '.items[] | select(.subject == "capabilities") | "\(.requested) \(.enforced) \(.decidedBy | split("/")[-1])"' "$BATS_TEST_TMPDIR/report")" \
		$'CAP_CHOWN CAP_KILL CAP_CHOWN 10.json\ndropped dropped 10.json'
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run --separate-stderr rt --admin-config "$ADMIN" mxc run "$POLICY" </dev/null
	equal "$(tail -n 2 <<<"$output")" $'0000000000000021\n1'
}
