#!/usr/bin/env bats
# time_limit.bats - the time limit of a policy that came with a bundle, under create and start, run --detach and run: all of the
# container ends in time, whoever of the runtime is still there, and the watcher that sees to it goes with the container.

load helpers

GUARDS="root jq mxcrun"

test_setup() { make_bundle; }

limit() { config --arg ms "$(($(slow 1) * $1))" '.annotations["mxc.policy"] = "{\"process\": {\"timeout\": \($ms)}}"'; }

# Init stays, a daemon in a session of its own stays too, and so does what is exec'd.
busy='setsid sleep 1001 & setsid setsid sleep 1002 & exec sleep 1003'

watcher() { awk '$1 == "watcher" { pid = $2 } END { print pid }' "$STATE/$TAG/journal"; }
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*zombie' "/proc/$1/status"; }
all_ended() { is_status "$TAG" stopped && [ -z "$(tagged_processes)" ]; }
now() { date +%s%3N; }

@test "create and start: all of it ends in time, counted from start" {
	limit 3000
	script "$busy"
	create_container "$TAG"
	sleep 3.5
	equal "$(status_of "$TAG")" created
	local from
	from=$(now)
	rt start "$TAG"
	wait_for 5 has_exec
	rt exec --detach "$TAG" /bin/sh -c 'setsid sleep 1004 & exec sleep 1005' </dev/null >/dev/null 2>&1
	[ "$(tagged_processes | wc -l)" -ge 4 ]
	wait_for 8 all_ended
	[ $(($(now) - from)) -ge "$(($(slow 1) * 3000))" ]
	[ $(($(now) - from)) -lt "$(($(slow 1) * 8000))" ]
	wait_for 5 is_gone "$(watcher)"
	run --separate-stderr rt exec "$TAG" /bin/true </dev/null
	assert_refused
	rt delete "$TAG"
}

@test "run --detach: the same" {
	limit 700
	script "$busy"
	rt run --detach --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	equal "$(status_of "$TAG")" running
	wait_for 5 all_ended
	wait_for 5 is_gone "$(watcher)"
}

@test "run: the supervisor says so, and without him it is ended all the same" {
	limit 500
	script "$busy"
	run_bundle </dev/null
	[ "$status" -ne 0 ]
	contains "$stderr" "timed out"
	assert_nothing_left
	limit 1500
	rt run --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >/dev/null 2>&1 &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	wait_for 5 has_exec
	local parent
	parent=$(awk '{ print $4 }' "/proc/$PID/stat")
	kill -9 "$parent"
	equal "$(status_of "$TAG")" running
	wait_for 6 all_ended
	equal "$(rt list -q)" "$TAG"
	wait 2>/dev/null || true
}

@test "a container that is paused, or paused before its start" {
	requires freezer
	limit 700
	create_container "$TAG"
	rt pause "$TAG"
	equal "$(status_of "$TAG")" paused
	rt gc
	rt resume "$TAG"
	equal "$(status_of "$TAG")" created
	rt start "$TAG"
	rt pause "$TAG"
	equal "$(status_of "$TAG")" paused
	wait_for 5 all_ended
}

@test "what ends before takes its watcher along, by itself and by delete" {
	limit 600000
	script 'exit 0'
	create_container "$TAG"
	rt start "$TAG"
	local first
	first=$(watcher)
	[ -n "$first" ]
	wait_for 5 is_gone "$first"
	rt delete "$TAG"
	script 'exec sleep 1000'
	start_container "$TAG"
	first=$(watcher)
	[ -d "/proc/$first" ]
	rt delete --force "$TAG"
	wait_for 5 is_gone "$first"
}

@test "the watcher is out of reach: of the container, of signals, of whoever waits for the lock or the pipes" {
	limit 600000
	script 'sleep 1000 & kill -9 -1; for i in 1 2 3 4 5 6 7 8 9; do ls -d /proc/[0-9]*; done | sort -u | wc -l >/tmp/seen; exec sleep 1000'
	create_container "$TAG"
	# a pipe that a watcher held would not come to its end
	equal "$(timeout 10 "$MXCRUN" --root "$STATE" start "$TAG" 2>&1 3>&- 4>&- | cat)" ""
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	local watcher
	watcher=$(watcher)
	equal "$(open_descriptors "$watcher")" "0 1 2 3 "
	equal "$(readlink "/proc/$watcher/fd/0" "/proc/$watcher/fd/1" "/proc/$watcher/fd/2" | sort -u)" /dev/null
	contains "$(readlink "/proc/$watcher/fd/3")" pidfd
	equal "$(readlink "/proc/$watcher/cwd")" /
	equal "$(awk '{ print $6 }' "/proc/$watcher/stat")" "$watcher"
	equal "$(readlink "/proc/$watcher/ns/pid")" "$(readlink /proc/self/ns/pid)"
	equal "$(cat "/proc/$watcher/cgroup")" "$(cat /proc/self/cgroup)"
	kill -TERM "$watcher"
	kill -HUP "$watcher"
	kill -INT "$watcher"
	rt update --pids-limit 100 "$TAG"
	equal "$(status_of "$TAG")" running
	is_status "$TAG" running
	[ -d "/proc/$watcher" ]
}

@test "a watcher that was killed: state ends the container, and says why" {
	limit 600000
	script "$busy"
	start_container "$TAG"
	equal "$(status_of "$TAG")" running
	kill -9 "$(watcher)"
	run --separate-stderr rt state "$TAG"
	equal "$(jq -r .status <<<"$output")" stopped
	contains "$stderr" "its time limit was not kept any more"
	wait_for 5 all_ended
	rt delete "$TAG"
}

@test "a watcher that was killed: gc ends the container, exec does not enter it" {
	limit 600000
	script "$busy"
	start_container "$TAG"
	rt gc
	equal "$(status_of "$TAG")" running
	kill -9 "$(watcher)"
	run --separate-stderr rt gc
	contains "$output" "$TAG"
	equal "$(tagged_processes)" ""
	equal "$(status_of "$TAG")" stopped
	rt delete "$TAG"
	start_container "$TAG"
	kill -9 "$(watcher)"
	run --separate-stderr rt exec "$TAG" /bin/touch /entered </dev/null
	[ "$status" -ne 0 ]
	contains "$stderr" "cannot exec in a stopped container"
	[ ! -e "$BUNDLE/rootfs/entered" ]
}

@test "in the pid namespace of another: what outlives its init ends in time too" {
	local other=$BATS_TEST_TMPDIR/other first
	BUNDLE_DIR=$other make_bundle
	rt run --detach --bundle "$other" "$TAG-other" </dev/null >/dev/null 2>&1
	first=$(rt state "$TAG-other" | jq .pid)
	make_bundle
	limit 1500
	config --arg path "/proc/$first/ns/pid" '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)'
	script 'setsid sleep 1001 & sleep 0.2'
	rt run --detach --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	daemons() { pgrep -f '^sleep 1001'; }
	wait_for 5 daemons
	wait_for 5 is_status "$TAG" stopped
	daemons
	wait_for 5 refused daemons
	equal "$(status_of "$TAG-other")" running
}

@test "refused where the container could end its watcher, or not all of it could be ended" {
	limit 1000
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_bundle </dev/null
	assert_refused /annotations/mxc.policy#/process/timeout "pid namespace"
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /annotations/mxc.policy#/process/timeout
	config '.linux.namespaces += [{type: "pid", path: "/proc/self/ns/pid"}]'
	run --separate-stderr rt --cgroup-manager disabled run --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /annotations/mxc.policy#/process/timeout "cgroup of the container's own"
}
