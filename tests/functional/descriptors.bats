#!/usr/bin/env bats
# Descriptors for others: the listener of a seccomp filter (SCMP_ACT_NOTIFY), and the pidfd of --pidfd-socket.

load helpers
GUARDS="root jq"

test_teardown() { [ -z "${AGENT-}" ] || kill "$AGENT" 2>/dev/null || true; }

# The test's supervisor: each call gets that errno, 0 lets it go on.
start_agent() {
	SOCKET=$BATS_TEST_TMPDIR/agent
	"$MXCRUN_TEST_BIN/agent" "$SOCKET" "$1" >"$BATS_TEST_TMPDIR/told" 3>&- &
	AGENT=$!
	wait_for 5 test -S "$SOCKET"
}

notifying_bundle() {
	make_bundle --arg socket "$SOCKET" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $socket,
		listenerMetadata: "the metadata", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
	[ $# -eq 0 ] || config "$@"
}

agent_state() { jq -r "$1" "$BATS_TEST_TMPDIR/told"; }

@test "the supervisor answers for the call, and knows whose it is" {
	start_agent 18
	notifying_bundle
	script 'probe call mkdir; probe call getppid; sleep 1000'
	start_container "$TAG"
	wait_for 5 grep -q ok "$BATS_TEST_TMPDIR/out"
	equal "$(cat "$BATS_TEST_TMPDIR/out")" "EXDEV
ok"
	equal "$(agent_state .pid)" "$PID"
	equal "$(agent_state '.fds | join(",")')" seccompFd
	equal "$(agent_state .metadata)" "the metadata"
	equal "$(agent_state '.state.id')" "$TAG"
	equal "$(agent_state '.state.bundle')" "$BUNDLE"
	equal "$(proc_status "$PID" Threads)" 1
	rt delete --force "$TAG"
	wait "$AGENT"
}

@test "the filter may notify every call there is, with and without no_new_privs" {
	local privileges
	for privileges in true false; do
		start_agent 0
		notifying_bundle --argjson p "$privileges" '.process.noNewPrivileges = $p
			| .linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY" | .linux.seccomp.syscalls = []'
		script 'mkdir /tmp/new && ls -d /tmp/new'
		run_bundle
		equal "$status" 0
		equal "$output" /tmp/new
		wait "$AGENT"
		rm -r "$SOCKET" "$BUNDLE/rootfs/tmp/new"
	done
}

@test "exec is under the same supervisor" {
	start_agent 0
	notifying_bundle
	start_container "$TAG"
	wait_for 5 test -s "$BATS_TEST_TMPDIR/told"
	rm "$SOCKET"
	start_agent 18
	run --separate-stderr rt exec "$TAG" probe call mkdir
	equal "$output" EXDEV
	equal "$(agent_state '.state.pid')" "$PID"
	[ "$(agent_state .pid)" != "$PID" ]
}

@test "the receiver may come by annotation" {
	start_agent 18
	notifying_bundle --arg socket "$SOCKET" 'del(.linux.seccomp.listenerPath)
		| .annotations["run.oci.seccomp.receiver"] = $socket'
	script 'probe call mkdir'
	run_bundle
	equal "$output" EXDEV
}

@test "without a supervisor nothing starts" {
	SOCKET=$BATS_TEST_TMPDIR/nobody
	notifying_bundle
	run_bundle
	assert_refused /linux/seccomp/listenerPath "$SOCKET"
	config 'del(.linux.seccomp.listenerPath)'
	run_bundle
	assert_refused /linux/seccomp/listenerPath
}

# The test's agent takes the descriptor, and waits until it becomes readable: a pidfd does at the process's end.
@test "--pidfd-socket gets a pidfd of the process, for create, run and exec" {
	start_agent 0
	make_bundle
	create_container "$TAG" --pidfd-socket "$SOCKET"
	wait_for 5 grep -qx pidfd "$BATS_TEST_TMPDIR/told"
	rt start "$TAG"
	kill -0 "$AGENT"
	rm "$SOCKET"
	rt kill "$TAG" KILL
	wait "$AGENT"
	rt delete "$TAG"

	start_agent 0
	rt run --bundle "$BUNDLE" --detach --pidfd-socket "$SOCKET" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
	rm "$SOCKET"
	kill -0 "$AGENT"
	rt delete --force "$TAG"
	wait "$AGENT"

	start_container "$TAG"
	start_agent 0
	rt exec --pidfd-socket "$SOCKET" "$TAG" true
	wait "$AGENT"
	equal "$(cat "$BATS_TEST_TMPDIR/told")" pidfd

	run --separate-stderr rt exec --pidfd-socket "$BATS_TEST_TMPDIR/nobody" "$TAG" true
	assert_refused nobody
}
