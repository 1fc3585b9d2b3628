#!/usr/bin/env bats
# AppArmor: the profile that the config names is in force in the workload, and only there.

load helpers
GUARDS="root jq"

load_profile() {
	printf 'profile %s flags=(attach_disconnected,mediate_deleted) {\n file,\n capability,\n network,\n mount,\n umount,\n signal,\n ptrace,\n deny /secret r,\n}\n' \
		"$TAG" >"$BATS_TEST_TMPDIR/profile"
	apparmor_parser --replace --skip-cache "$BATS_TEST_TMPDIR/profile"
}

test_teardown() { [ ! -e "$BATS_TEST_TMPDIR/profile" ] || apparmor_parser --remove "$BATS_TEST_TMPDIR/profile"; }

@test "the workload, and what exec adds, run under the profile" {
	requires apparmor
	load_profile
	make_bundle --arg profile "$TAG" '.process.apparmorProfile = $profile'
	echo secret >"$BUNDLE/rootfs/secret"
	start_container "$TAG"
	equal "$(tr -d '\0' <"/proc/$PID/attr/current")" "$TAG (enforce)"
	run --separate-stderr rt exec "$TAG" cat /secret
	[ "$status" -ne 0 ]
	contains "$stderr" "Permission denied"
	equal "$(rt exec "$TAG" cat /proc/self/attr/current | tr -d '\0')" "$TAG (enforce)"
	equal "$(rt exec --apparmor unconfined "$TAG" cat /secret)" secret
	rt delete --force "$TAG"
	# The neighbour: without a profile.
	make_bundle
	script 'cat /secret'
	run_bundle
	equal "$output" secret
}

# The profile of a process that exec starts by a file of its own, which is the container's process with the filter applied.
profile_of_process() { # jq arguments
	jq "$@" "$BUNDLE/config.json" | jq '.process.args = ["/bin/sleep", "1000"] | .process' >"$BATS_TEST_TMPDIR/process.json"
	rm -f "$BATS_TEST_TMPDIR/exec.pid"
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/exec.pid" --process "$BATS_TEST_TMPDIR/process.json" "$TAG" \
		</dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/exec.err" || return
	tr -d '\0' <"/proc/$(cat "$BATS_TEST_TMPDIR/exec.pid")/attr/apparmor/current"
}

@test "exec --process: a file without a profile gets the container's, one with a profile its own, --apparmor rules" {
	requires apparmor
	load_profile
	make_bundle --arg profile "$TAG" '.process.apparmorProfile = $profile'
	start_container "$TAG"
	equal "$(profile_of_process 'del(.process.apparmorProfile)')" "$TAG (enforce)"
	equal "$(profile_of_process '.process.apparmorProfile = ""')" "$TAG (enforce)"
	equal "$(profile_of_process '.process.apparmorProfile = "unconfined"')" unconfined
	refused profile_of_process '.process.apparmorProfile = "no-such-profile"'
	contains "$(cat "$BATS_TEST_TMPDIR/exec.err")" apparmorProfile no-such-profile
	run --separate-stderr rt exec --apparmor no-such-profile "$TAG" true
	assert_refused no-such-profile
	rt delete --force "$TAG"
	# The neighbour: the container has none, the process does.
	make_bundle
	start_container "$TAG"
	equal "$(profile_of_process .)" "$(tr -d '\0' <"/proc/$PID/attr/apparmor/current")"
	equal "$(profile_of_process --arg profile "$TAG" '.process.apparmorProfile = $profile')" "$TAG (enforce)"
	equal "$(rt exec --apparmor "$TAG" "$TAG" cat /proc/self/attr/apparmor/current | tr -d '\0')" "$TAG (enforce)"
}

@test "a profile that isn't loaded, or a host without AppArmor, is an error that names the field" {
	make_bundle '.process.apparmorProfile = "no-such-profile"'
	run_bundle
	assert_refused /process/apparmorProfile no-such-profile
	assert_nothing_left
}

@test "unconfined holds on a host without AppArmor as well, for the workload and for exec" {
	make_bundle '.process.apparmorProfile = "unconfined"'
	start_container "$TAG"
	rt exec --apparmor unconfined "$TAG" true
	run --separate-stderr rt exec --apparmor unconfined2 "$TAG" true
	assert_refused unconfined2
}

@test "an image whose /proc is no procfs doesn't take the profile away" {
	requires apparmor
	load_profile
	make_bundle --arg profile "$TAG" '.process.apparmorProfile = $profile | .mounts |= map(select(.destination != "/proc"))
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	mkdir -p "$BUNDLE/rootfs/proc/self/attr/apparmor" "$BUNDLE/rootfs/proc/thread-self/attr/apparmor"
	touch "$BUNDLE/rootfs/proc/self/attr/exec" "$BUNDLE/rootfs/proc/thread-self/attr/apparmor/exec"
	start_container "$TAG"
	equal "$(tr -d '\0' <"/proc/$PID/attr/current")" "$TAG (enforce)"
}
