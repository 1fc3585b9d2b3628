#!/usr/bin/env bats
# checkpoint and restore, by the criu program.

load helpers
GUARDS="root jq"

# The workload counts in a file of its root, which says whether it goes on from where it was.
counting_bundle() {
	make_bundle '.mounts |= map(select(.destination != "/tmp"))' "$@"
	script 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/next; mv /tmp/next /tmp/count; sleep 0.05; done'
}
# Standard I/O that criu can save or give back: the null device, pipes. Files of the host are neither.
start_saveable() {
	rt run --detach --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$1" </dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
}
count() { cat "$BUNDLE/rootfs/tmp/count"; }
counts_on() { [ "$(count)" -gt "$1" ]; }

@test "a container goes on from where it was, with its limits, and is one like others" {
	requires working_criu
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

@test "--criu names another criu, by its path or in PATH, which is refused where it is none or doesn't work" {
	make_bundle
	start_saveable "$TAG"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/mycriu"
	chmod 755 "$BATS_TEST_TMPDIR/mycriu"
	run --separate-stderr rt --criu "$BATS_TEST_TMPDIR/mycriu" checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused "$BATS_TEST_TMPDIR/mycriu does not work"
	PATH=$BATS_TEST_TMPDIR:$PATH run --separate-stderr rt --criu mycriu checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused "$BATS_TEST_TMPDIR/mycriu does not work"
	run --separate-stderr rt --criu mycriu checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused "mycriu is not in PATH"
	run --separate-stderr rt --criu "$BATS_TEST_TMPDIR/absent" checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused "$BATS_TEST_TMPDIR/absent is not a program"
	is_status "$TAG" running
	refused test -e "$BATS_TEST_TMPDIR/image"
}

@test "--leave-running leaves it, and restore in the foreground has its exit code" {
	requires working_criu
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

# As containerd does with every checkpoint, and Docker by it.
@test "a paused container is saved, stays paused where it is left, and comes back running" {
	requires working_criu
	counting_bundle
	start_saveable "$TAG"
	wait_for 10 counts_on 5
	rt pause "$TAG"
	before=$(count)
	rt checkpoint --leave-running --image-path "$BATS_TEST_TMPDIR/left" "$TAG"
	equal "$(status_of "$TAG") $(count)" "paused $before"
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach "$TAG-2" </dev/null >/dev/null 2>&1
	equal "$(status_of "$TAG-2")" running
	wait_for 10 counts_on "$before"
}

@test "criu is told of the group that holds a paused container" {
	local group
	make_bundle
	start_saveable "$TAG"
	fake_criu 0
	rt pause "$TAG"
	with_fake checkpoint --leave-running --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	group=$(sed -n 's/^--freeze-cgroup=//p' "$BATS_TEST_TMPDIR/called")
	contains "$group" "$TAG"
	grep -qx -e 'frozen 1' -e FROZEN "$group/cgroup.events" "$group/freezer.state" 2>/dev/null
}

@test "a pipe of the one who ran it becomes a pipe of the one who restores it" {
	requires working_criu
	make_bundle
	script 'while :; do echo alive; sleep 0.1; done'
	# Whoever reads is not what this is about.
	# shellcheck disable=SC2216
	rt run --detach --bundle "$BUNDLE" "$TAG" </dev/null 2>/dev/null | sleep "$(slow 2)" 3>&- &
	running() { is_status "$TAG" running; }
	wait_for 10 running
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	contains "$(jq -r '.[1]' "$BATS_TEST_TMPDIR/image/descriptors.json")" pipe:
	run timeout "$(slow 3)" sh -c '"$0" --root "$1" restore --bundle "$2" --image-path "$3" --detach "$4" </dev/null 2>/dev/null | head -n 2' \
		"$MXCRUN" "$STATE" "$BUNDLE" "$BATS_TEST_TMPDIR/image" "$TAG"
	equal "$output" "alive
alive"
	rt delete --force "$TAG"
}

@test "bind mounts and a network namespace by path are bound again, not saved" {
	requires working_criu
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
	requires working_criu
	counting_bundle
	start_saveable "$TAG"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent"}'
	run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused /linux/seccomp/listenerPath
	run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG-absent"
	assert_refused "does not exist"
	config 'del(.linux.seccomp)'
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
	requires working_criu
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

@test "a notifying listener can't be saved: refused by name, and the container goes on" {
	fake_criu 0
	make_bundle
	start_saveable "$TAG"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent"}'
	run --separate-stderr with_fake checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused /linux/seccomp/listenerPath
	[ ! -e "$BATS_TEST_TMPDIR/called" ]
	is_status "$TAG" running
}

# A shell on a terminal, whose other end recvtty holds: type sends it a line, sees waits for what it prints.
terminal_bundle() {
	make_bundle '.mounts |= map(select(.destination != "/tmp")) | .process.args = ["/bin/sh"] | .process.terminal = true
		| .process.consoleSize = {height: 33, width: 99}'
}
hold_terminal() {
	rm -rf "$BATS_TEST_TMPDIR"/{socket,keys}
	mkfifo "$BATS_TEST_TMPDIR/keys"
	: >"$BATS_TEST_TMPDIR/tty"
	"$MXCRUN_TEST_BIN/recvtty" "$BATS_TEST_TMPDIR/socket" <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/tty" 2>&1 3>&- 4>&- &
	exec 7>"$BATS_TEST_TMPDIR/keys"
	wait_for 10 test -S "$BATS_TEST_TMPDIR/socket"
}
type_line() { echo "$1" >&7; }
sees() { grep -q "$1" "$BATS_TEST_TMPDIR/tty"; }
start_on_terminal() {
	hold_terminal
	rt run --detach --bundle "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/socket" "$TAG" </dev/null >/dev/null 2>&1 7>&-
	type_line 'word=remembered; echo sum $((40 + 2))'
	wait_for 10 sees "^sum 42"
}
restore_on_terminal() {
	hold_terminal
	rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach --console-socket "$BATS_TEST_TMPDIR/socket" "$@" \
		</dev/null >/dev/null 2>&1 7>&-
}
answers() {
	type_line 'echo "it is $word on $(tty), $(stty size), $(ls -l /dev/console | grep -o "136, *0")"'
	wait_for 10 sees "^it is remembered on /dev/pts/0, $1, 136, *0"
}

@test "a shell on a terminal answers on a new one, of the same size, which is its controlling terminal" {
	requires working_criu
	terminal_bundle
	start_on_terminal
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG" 7>&-
	exec 7>&-
	restore_on_terminal "$TAG"
	wait_for 10 sees "^name /dev/pts/0"
	wait_for 10 sees "^size 33 99"
	answers "33 99"
	# an interrupt reaches the foreground group, and a new size the shell
	type_line 'trap "echo caught" INT; sleep 100'
	sleep 0.5
	printf '\003' >&7
	wait_for 10 sees "^.*caught"
	"$MXCRUN" --root "$STATE" exec "$TAG" stty -F /dev/console rows 44 cols 77 </dev/null 7>&- 3>&- 4>&-
	answers "44 77"
	type_line 'exit 3'
	stopped() { is_status "$TAG" stopped; }
	wait_for 10 stopped
	exec 7>&-
	rt delete "$TAG"
}

@test "a terminal: --leave-running leaves the shell on the old one, and the image has one as well" {
	local parent=()
	requires working_criu
	terminal_bundle
	start_on_terminal
	if criu check --feature mem_dirty_track >/dev/null 2>&1; then
		rt checkpoint --image-path "$BATS_TEST_TMPDIR/before" --pre-dump "$TAG" 7>&-
		parent=(--parent-path ../before)
	fi
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" --leave-running "${parent[@]}" "$TAG" 7>&-
	answers "33 99"
	exec 7>&-
	rt delete --force "$TAG"
	restore_on_terminal "$TAG-2"
	answers "33 99"
	exec 7>&-
	rt delete --force "$TAG-2"
}

@test "a terminal: restore in the foreground relays it and has the exit code; without a socket it does not detach" {
	requires working_criu
	terminal_bundle
	start_on_terminal
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG" 7>&-
	exec 7>&-
	run --separate-stderr rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach "$TAG" </dev/null
	assert_refused "console socket"
	run --separate-stderr rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --console-socket /nonexistent "$TAG" </dev/null
	assert_refused "console socket"
	run rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" "$TAG" <<<'echo $word in front; exit 7'
	equal "$status" 7
	contains "$output" "remembered in front"
}

@test "hooks that prepare the namespaces from outside run again at a restore; a failing one leaves nothing" {
	requires working_criu
	requires ip
	counting_bundle
	# shellcheck disable=SC2016 # for the hook
	printf '%s\n' '#!/bin/sh' 'read -r state' 'echo "$state" >"$1"' 'pid=${state##*\"pid\":}' 'pid=${pid%%[!0-9]*}' \
		'readlink /proc/$pid/ns/net >>"$1"' 'nsenter -t $pid -n ip link add hooked type bridge' 'exit $2' >"$BATS_TEST_TMPDIR/hook"
	chmod 755 "$BATS_TEST_TMPDIR/hook"
	hooks() {
		config --arg hook "$BATS_TEST_TMPDIR/hook" --arg told "$BATS_TEST_TMPDIR/told" --arg code "$1" \
			'.hooks = {createRuntime: [{path: $hook, args: ["hook", $told, $code], env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}'
	}
	start_saveable "$TAG"
	hooks 0
	rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" \
		</dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(head -n 1 "$BATS_TEST_TMPDIR/told" | jq -r '"\(.status) \(.id) \(.pid)"')" "creating $TAG $PID"
	equal "$(tail -n 1 "$BATS_TEST_TMPDIR/told")" "$(readlink "/proc/$PID/ns/net")"
	rt exec "$TAG" grep -q hooked: /proc/net/dev
	rt delete --force "$TAG"
	hooks 5
	run --separate-stderr rt restore --bundle "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/image" --detach "$TAG" </dev/null
	assert_refused hook
	refused rt state "$TAG"
	assert_nothing_left
}
