#!/usr/bin/env bats
# checkpoint and restore, by the criu program.

load helpers
GUARDS="root jq"

# A criu that is older than the kernel does not work.
requires_criu() {
	requires criu
	criu check >/dev/null 2>&1 || skip "needs a criu that works on this kernel"
}

# The workload counts in a file of its root, which says whether it goes on from where it was.
counting_bundle() {
	make_bundle '.mounts |= map(select(.destination != "/tmp"))' "$@"
	script 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.05; done'
}
# Standard I/O that criu can save or give back: the null device, pipes. Files of the host are neither.
start_saveable() {
	rt run --detach --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$1" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
}
# The file is empty for the moment between its opening and the writing.
count() {
	local count=
	until [ -n "$count" ]; do count=$(cat "$BUNDLE/rootfs/tmp/count"); done
	echo "$count"
}
counts_on() { [ "$(count)" -gt "$1" ]; }

@test "a container goes on from where it was, with its limits, and is one like others" {
	requires_criu
	counting_bundle
	config '.linux.resources.memory.limit = 104857600 | .linux.resources.pids.limit = 50'
	start_saveable "$TAG"
	wait_for 10 counts_on 5
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	run --separate-stderr rt state "$TAG"
	assert_refused "does not exist"
	before=$(count)
	rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG-2" \
		</dev/null >/dev/null 2>&1
	wait_for 10 counts_on "$before"
	[ "$(count)" -lt $((before + 200)) ]
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(status_of "$TAG-2")" running
	equal "$(rt state "$TAG-2" | jq .pid)" "$PID"
	contains "$(cgroup_dir "$PID" memory)" "$TAG-2"
	equal "$(cgroup_value "$PID" memory memory.limit_in_bytes memory.max)" 104857600
	equal "$(rt exec "$TAG-2" cat /proc/1/comm)" sh
	rt pause "$TAG-2"
	rt resume "$TAG-2"
	rt kill "$TAG-2" KILL
	stopped() { is_status "$TAG-2" stopped; }
	wait_for 10 stopped
	rt delete "$TAG-2"
}

@test "--leave-running leaves it, and restore in the foreground has its exit code" {
	requires_criu
	make_bundle '.mounts |= map(select(.destination != "/tmp"))'
	script 'while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 7'
	start_saveable "$TAG"
	cd "$BATS_TEST_TMPDIR"
	rt checkpoint --leave-running "$TAG"
	equal "$(status_of "$TAG")" running
	rt delete --force "$TAG"
	touch "$BUNDLE/rootfs/tmp/end"
	run rt restore --bundle "$BUNDLE" "$TAG" </dev/null
	equal "$status" 7
}

@test "a pipe of the one who ran it becomes a pipe of the one who restores it" {
	requires_criu
	make_bundle
	script 'while :; do echo alive; sleep 0.1; done'
	# Whoever reads is not what this is about.
	# shellcheck disable=SC2216
	rt run --detach --bundle "$BUNDLE" "$TAG" </dev/null 2>/dev/null | sleep 2 3>&- &
	running() { is_status "$TAG" running; }
	wait_for 10 running
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	contains "$(jq -r '.[1]' "$BATS_TEST_TMPDIR/image/descriptors.json")" pipe:
	run timeout 3 sh -c '"$0" --root "$1" restore --bundle "$2" --image-path "$3" --detach "$4" </dev/null 2>/dev/null | head -n 2' \
		"$MXCRUN" "$STATE" "$BUNDLE" "$BATS_TEST_TMPDIR/image" "$TAG"
	equal "$output" "alive
alive"
	rt delete --force "$TAG"
}

@test "bind mounts and a network namespace by path are bound again, not saved" {
	requires_criu
	requires ip
	mkdir "$BATS_TEST_TMPDIR/bound"
	ip netns add "$TAG"
	counting_bundle
	config --arg source "$BATS_TEST_TMPDIR/bound" --arg net "/run/netns/$TAG" '
		.mounts += [{destination: "/bound", type: "bind", source: $source, options: ["bind", "rw"]}]
		| .linux.namespaces |= map(if .type == "network" then .path = $net else . end)'
	start_saveable "$TAG"
	wait_for 10 counts_on 2
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach "$TAG" </dev/null >/dev/null 2>&1
	rt exec "$TAG" touch /bound/new
	[ -e "$BATS_TEST_TMPDIR/bound/new" ]
	equal "$(stat -L -c %i "/proc/$(rt state "$TAG" | jq .pid)/ns/net")" "$(stat -L -c %i "/run/netns/$TAG")"
	rt delete --force "$TAG"
	ip netns delete "$TAG"
}

@test "what can't be saved is refused by name, and goes on" {
	requires_criu
	counting_bundle
	start_saveable "$TAG"
	config '.hooks.startContainer = [{path: "/bin/true"}]'
	run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused /hooks
	run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG-absent"
	assert_refused "does not exist"
	config 'del(.hooks)'
	run --separate-stderr rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/absent" "$TAG-2"
	assert_refused cgroups.json
	is_status "$TAG" running
	rt delete --force "$TAG"
}

@test "without criu both commands say what they need" {
	make_bundle
	start_container "$TAG"
	run --separate-stderr env PATH=/nonexistent "$MXCRUN" --root "$STATE" checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused criu
	run --separate-stderr env PATH=/nonexistent "$MXCRUN" --root "$STATE" restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" "$TAG-2"
	assert_refused criu
	[ ! -e "$BATS_TEST_TMPDIR/image" ]
	is_status "$TAG" running
}

@test "--page-server: the pages go to the server, and the container comes back from both directories" {
	local port=27391 server
	requires_criu
	make_bundle '.mounts |= map(select(.destination != "/tmp"))'
	script 'read line </dev/null; while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 8'
	start_saveable "$TAG"
	mkdir "$BATS_TEST_TMPDIR/pages"
	criu page-server --images-dir "$BATS_TEST_TMPDIR/pages" --address 127.0.0.1 --port $port </dev/null >/dev/null 2>&1 3>&- &
	server=$!
	listens() { grep -q "0100007F:$(printf %04X $port) 00000000:0000 0A" /proc/net/tcp; }
	wait_for 10 listens
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" --page-server "127.0.0.1:$port" "$TAG"
	wait "$server"
	ls "$BATS_TEST_TMPDIR/pages"/pages-*.img
	refused ls "$BATS_TEST_TMPDIR/image"/pages-*.img
	mv "$BATS_TEST_TMPDIR/pages"/*.img "$BATS_TEST_TMPDIR/image/"
	touch "$BUNDLE/rootfs/tmp/end"
	run rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" "$TAG" </dev/null
	equal "$status" 8
}

@test "a page server or a status descriptor that can't be is refused before anything happens" {
	local wrong
	make_bundle
	start_saveable "$TAG"
	for wrong in --page-server=localhost --page-server=:80 --page-server=a:0 --page-server=a:65536 --page-server=a:1x --status-fd=x --status-fd=-1 \
		--status-fd=99; do
		run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$wrong" "$TAG"
		assert_refused "${wrong%%=*}"
	done
	[ ! -e "$BATS_TEST_TMPDIR/image" ]
	equal "$(status_of "$TAG")" running
}

# A criu that only writes down how it was called, in place of the real one.
fake_criu() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/criu" <<-END
		#!/bin/sh
		[ "\$1" != check ] || exit 0
		printf '%s\n' "\$@" >"$BATS_TEST_TMPDIR/called"
		exit $1
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/criu"
}
with_fake() { (PATH="$BATS_TEST_TMPDIR/bin:$PATH" && rt "$@"); }

# The call has this word for that option, and without the option it has not.
assert_passed_on() {
	local option=$1 want=$2
	shift 2
	rm -f "$BATS_TEST_TMPDIR/called"
	# shellcheck disable=SC2086 # an option and its value
	with_fake "$@" $option "$TAG" </dev/null >/dev/null 2>&1 || true
	grep -qxF -- "$want" "$BATS_TEST_TMPDIR/called" || {
		echo "$option: want $want in: $(tr '\n' ' ' <"$BATS_TEST_TMPDIR/called")" >&2
		return 1
	}
	rm "$BATS_TEST_TMPDIR/called"
	with_fake "$@" "$TAG" </dev/null >/dev/null 2>&1 || true
	refused grep -qxF -- "$want" "$BATS_TEST_TMPDIR/called"
}

@test "each flag reaches criu in criu's own words" {
	local option want image=$BATS_TEST_TMPDIR/image
	make_bundle --arg conf "$BATS_TEST_TMPDIR/criu.conf" '.annotations["org.criu.config"] = $conf'
	start_saveable "$TAG"
	fake_criu 0
	while IFS='|' read -r option want; do
		assert_passed_on "$option" "$want" checkpoint --leave-running --image-path "$image"
	done <<-END
		--work-path $BATS_TEST_TMPDIR/work|--work-dir=$BATS_TEST_TMPDIR/work
		--parent-path ../parent|--prev-images-dir=../parent
		--pre-dump|--track-mem
		--tcp-established|--tcp-established
		--tcp-skip-in-flight|--skip-in-flight
		--ext-unix-sk|--ext-unix-sk
		--shell-job|--shell-job
		--file-locks|--file-locks
		--link-remap|--link-remap
		--lazy-pages|--lazy-pages
		--auto-dedup|--auto-dedup
		--manage-cgroups-mode soft|--manage-cgroups=soft
		--empty-ns network|--empty-ns=net
		--page-server 127.0.0.1:80|--port=80
	END
	grep -qx -- "--config=$BATS_TEST_TMPDIR/criu.conf" "$BATS_TEST_TMPDIR/called"
	is_status "$TAG" running
	rt delete --force "$TAG"
	fake_criu 1
	while IFS='|' read -r option want; do
		assert_passed_on "$option" "$want" restore --bundle "$BUNDLE" --image-path "$image"
	done <<-END
		--work-path $BATS_TEST_TMPDIR/work|--work-dir=$BATS_TEST_TMPDIR/work
		--tcp-established|--tcp-established
		--ext-unix-sk|--ext-unix-sk
		--shell-job|--shell-job
		--file-locks|--file-locks
		--lazy-pages|--lazy-pages
		--auto-dedup|--auto-dedup
		--manage-cgroups-mode soft|--manage-cgroups=soft
		--empty-ns network|--empty-ns=net
		--lsm-profile apparmor:other|--lsm-profile=apparmor:other
		--lsm-mount-context other|--lsm-mount-context=other
	END
	assert_nothing_left
}

@test "a terminal, hooks and a listener can't be saved: refused by name, and the container goes on" {
	local filter pointer
	fake_criu 0
	make_bundle
	start_saveable "$TAG"
	while IFS='|' read -r filter pointer; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/good"
		config "$filter"
		run --separate-stderr with_fake checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
		assert_refused "$pointer"
		[ ! -e "$BATS_TEST_TMPDIR/called" ]
		mv "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	done <<-'END'
		.process.terminal = true|/process/terminal
		.hooks.createRuntime = [{path: "/bin/true"}]|/hooks
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent"}|/linux/seccomp/listenerPath
	END
	is_status "$TAG" running
}
