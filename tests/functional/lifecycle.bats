#!/usr/bin/env bats
# The life cycle of a container: create, start, state, kill, delete, run, list, and the flags of each.
# GUARDS: what every test here needs.

load helpers
GUARDS="root jq"

# ---- create and start ----

@test "create makes a waiting process and runs nothing of the workload" {
	make_bundle
	script 'echo ran >/tmp/ran; sleep 1000'
	create_container "$TAG"
	[ -d "/proc/$PID" ]
	equal "$(status_of "$TAG")" created
	[ ! -e "$BUNDLE/rootfs/tmp/ran" ]
	rt start "$TAG"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/ran"
	equal "$(status_of "$TAG")" running
}

@test "start of a container that runs is refused" {
	make_bundle
	start_container "$TAG"
	run --separate-stderr rt start "$TAG"
	assert_refused
	equal "$(status_of "$TAG")" running
}

@test "start of a stopped container is refused" {
	make_bundle '.process.args = ["/bin/true"]'
	create_container "$TAG"
	rt start "$TAG"
	wait_for 10 is_status "$TAG" stopped
	run --separate-stderr rt start "$TAG"
	assert_refused
}

@test "an id is taken until its container is deleted" {
	make_bundle
	create_container "$TAG"
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG"
	assert_refused "$TAG"
	[ -d "/proc/$PID" ]
	rt delete --force "$TAG"
	create_container "$TAG"
}

@test "ids that are paths or options are refused by every command" {
	make_bundle
	local id command
	for id in ../x a/b . .. '' 'a b' $'a\nb' "$(printf 'x%.0s' {1..2000})"; do
		for command in create run; do
			run --separate-stderr rt "$command" --bundle "$BUNDLE" "$id"
			assert_refused
		done
		for command in start state delete pause resume; do
			run --separate-stderr rt "$command" "$id"
			assert_refused
		done
		run --separate-stderr rt delete --force "$id"
		assert_refused
	done
	[ -z "$(tagged_records)" ]
}

@test "the pid file holds the pid of init as the caller sees it" {
	make_bundle
	create_container "$TAG"
	equal "$(rt state "$TAG" | jq .pid)" "$PID"
	equal "$(proc_status "$PID" NSpid | awk '{ print $NF }')" 1
}

@test "a pid file that can't be written leaves nothing" {
	make_bundle
	run --separate-stderr rt create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/absent/pid" "$TAG"
	assert_refused absent
	assert_nothing_left
}

@test "create without a bundle takes the current folder" {
	make_bundle
	cd "$BUNDLE"
	rt create "$TAG" </dev/null >/dev/null 2>&1
	equal "$(status_of "$TAG")" created
	equal "$(rt state "$TAG" | jq -r .bundle)" "$BUNDLE"
}

@test "the workload is exactly one process below the runtime's caller" {
	make_bundle
	start_container "$TAG"
	equal "$(cat "/proc/$PID/comm")" sleep
	# Nothing of the runtime stays: no other process has the container's pid namespace.
	local ns
	ns=$(readlink "/proc/$PID/ns/pid")
	equal "$(readlink /proc/[0-9]*/ns/pid 2>/dev/null | grep -cF "$ns")" 1
}

# ---- state ----

@test "state tells id, status, pid, bundle and annotations" {
	make_bundle '.annotations = {"org.example.key": "a \"quoted\" väl", "empty": ""}'
	create_container "$TAG"
	rt state "$TAG" >"$BATS_TEST_TMPDIR/state.json"
	jq -e --arg id "$TAG" --arg bundle "$BUNDLE" --argjson pid "$PID" '
		.id == $id and .status == "created" and .pid == $pid and .bundle == $bundle
		and .annotations["org.example.key"] == "a \"quoted\" väl" and .annotations.empty == ""
		and (.ociVersion | test("^1\\.[0-9]"))' "$BATS_TEST_TMPDIR/state.json"
}

@test "state of a killed init is stopped, and its pid is not told" {
	make_bundle
	start_container "$TAG"
	kill -9 "$PID"
	wait_for 10 is_status "$TAG" stopped
	equal "$(rt state "$TAG" | jq '.pid // 0')" 0
}

@test "state of an unknown container is refused" {
	run --separate-stderr rt state "$TAG"
	assert_refused "does not exist"
}

# ---- kill and delete ----

@test "kill sends the signal, by number and by each spelling of its name" {
	make_bundle
	local signal
	script 'for s in USR1 USR2 TERM; do trap "echo $s >>/tmp/got" $s; done; echo ready >/tmp/got
		while :; do sleep 0.1; done'
	start_container "$TAG"
	wait_for 10 grep -q ready "$BUNDLE/rootfs/tmp/got"
	local count=1
	got_lines() { [ "$(wc -l <"$BUNDLE/rootfs/tmp/got")" -eq "$1" ]; }
	for signal in USR1 SIGUSR1 10 sigusr1 12 15; do
		rt kill "$TAG" "$signal"
		wait_for 10 got_lines $((++count))
	done
	equal "$(tr '\n' ' ' <"$BUNDLE/rootfs/tmp/got")" "ready USR1 USR1 USR1 USR1 USR2 TERM "
}

@test "kill with no signal named is TERM" {
	make_bundle
	script 'trap "exit 3" TERM; echo ready >/tmp/ready; while :; do sleep 0.1; done'
	start_container "$TAG"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/ready"
	rt kill "$TAG"
	wait_for 10 is_status "$TAG" stopped
}

@test "kill with a signal that does not exist is refused and sends nothing" {
	make_bundle
	start_container "$TAG"
	local signal
	for signal in NOPE 0x9 999 -1 9x; do
		run --separate-stderr rt kill "$TAG" "$signal"
		assert_refused
	done
	equal "$(status_of "$TAG")" running
}

@test "kill of a stopped container is refused" {
	make_bundle '.process.args = ["/bin/true"]'
	create_container "$TAG"
	rt start "$TAG"
	wait_for 10 is_status "$TAG" stopped
	run --separate-stderr rt kill "$TAG" KILL
	assert_refused "not running"
}

@test "a created container can be killed before it was started" {
	local signal
	make_bundle
	# what asks it to end does so too, as with runc: nobody has to wait for the KILL of who stops it
	for signal in KILL TERM INT HUP; do
		create_container "$TAG"
		rt kill "$TAG" USR1
		rt kill "$TAG" "$signal"
		wait_for 10 is_status "$TAG" stopped
		rt delete "$TAG"
		assert_nothing_left
	done
}

@test "delete of a running container is refused, with --force it is killed" {
	make_bundle
	start_container "$TAG"
	run --separate-stderr rt delete "$TAG"
	assert_refused
	[ -d "/proc/$PID" ]
	rt delete --force "$TAG"
	assert_nothing_left
	wait_for 5 refused test -d "/proc/$PID"
}

@test "delete of a stopped container leaves nothing" {
	make_bundle '.process.args = ["/bin/true"]'
	create_container "$TAG"
	rt start "$TAG"
	wait_for 10 is_status "$TAG" stopped
	rt delete "$TAG"
	assert_nothing_left
	run --separate-stderr rt state "$TAG"
	assert_refused
}

@test "delete of an unknown container is refused, with --force it is a success" {
	run --separate-stderr rt delete "$TAG"
	assert_refused "does not exist"
	rt delete --force "$TAG"
}

# ---- run ----

@test "run gives the workload's streams byte for byte and its exit code" {
	make_bundle
	script 'cat; echo to stderr >&2; exit 7'
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	local code=0
	rt run --bundle "$BUNDLE" "$TAG" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	equal "$code" 7
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	equal "$(cat "$BATS_TEST_TMPDIR/err")" "to stderr"
	assert_nothing_left
}

@test "run of a workload that a signal kills exits with 128 + signal" {
	make_bundle
	# pid 1 of a namespace is immune against its own signals; its child is not, and a shell passes that on.
	script 'sh -c "kill -9 \$\$"; exit $?'
	run_bundle
	equal "$status" 137
	script 'echo ready; exec sleep 1000'
	local code=0
	rt run --bundle "$BUNDLE" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 &
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	rt kill "$TAG" KILL
	wait $! || code=$?
	equal "$code" 137
}

@test "run of a program that does not exist exits with 127, of one that is not executable with 126" {
	requires mxcrun
	make_bundle '.process.args = ["/bin/absent"]'
	run -127 --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" "no such file"
	config '.process.args = ["absent"]'
	run -127 --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" 'executable file not found in $PATH'
	: >"$BUNDLE/rootfs/bin/plain"
	config '.process.args = ["/bin/plain"]'
	run_bundle
	contains "$stderr" "permission denied"
	equal "$status" 126
	assert_nothing_left
}

@test "a program that the mode bits give to its owner alone is another user's with CAP_DAC_OVERRIDE only" {
	make_bundle '.process.args = ["/bin/own", "cwd"] | .process.user = {uid: 1000, gid: 1000}'
	cp "$BUNDLE/rootfs/bin/probe" "$BUNDLE/rootfs/bin/own"
	chmod 700 "$BUNDLE/rootfs/bin/own"
	run_bundle
	equal "$status" 126
	config '.process.capabilities |= with_entries(.value = ((.value // []) + ["CAP_DAC_OVERRIDE"]))
		| .process.capabilities.inheritable = ["CAP_DAC_OVERRIDE"] | .process.capabilities.ambient = ["CAP_DAC_OVERRIDE"]'
	run_bundle
	equal "$status $output" "0 /"
}

@test "run finds the program in the PATH of the container's environment" {
	make_bundle '.process.args = ["only-here"] | .process.env = ["PATH=/nowhere:/opt/own"]'
	mkdir -p "$BUNDLE/rootfs/opt/own"
	printf '#!/bin/sh\necho found\n' >"$BUNDLE/rootfs/opt/own/only-here"
	chmod +x "$BUNDLE/rootfs/opt/own/only-here"
	run_bundle
	equal "$output" found
}

@test "run --detach returns while the workload goes on" {
	make_bundle
	rt run --detach --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" \
		</dev/null >/dev/null 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	[ -d "/proc/$PID" ]
	equal "$(status_of "$TAG")" running
}

@test "run forwards signals to the workload" {
	make_bundle
	script 'trap "echo got TERM; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	local code=0 runner
	# The bare program, so that the pid is the runtime's.
	"$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	runner=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM "$runner"
	wait "$runner" || code=$?
	equal "$code" 9
	contains "$(cat "$BATS_TEST_TMPDIR/out")" "got TERM"
}

# ---- list ----

@test "list shows every container as table, as JSON, and as ids" {
	make_bundle
	equal "$(rt list -q)" ""
	equal "$(rt list -f json | jq 'length')" 0
	create_container "$TAG-a"
	create_container "$TAG-b"
	rt start "$TAG-b"
	equal "$(rt list -q | sort | tr '\n' ' ')" "$TAG-a $TAG-b "
	equal "$(rt list --quiet | wc -l)" 2
	equal "$(rt list -f json | jq -r 'sort_by(.id) | map(.id + " " + .status) | join(",")')" \
		"$TAG-a created,$TAG-b running"
	equal "$(rt list --format json | jq -r --arg id "$TAG-b" '.[] | select(.id == $id) | .pid')" "$PID"
	rt list | awk 'NR == 1 { exit !($1 == "ID" && $2 == "PID" && $3 == "STATUS" && $4 == "BUNDLE") }'
	equal "$(rt list | awk -v id="$TAG-b" '$1 == id { print $2, $3 }')" "$PID running"
}

@test "list refuses a format that it does not know" {
	run --separate-stderr rt list -f yaml
	assert_refused
}

# ---- spec, features, version ----

@test "spec writes a bundle that runs, and never overwrites one" {
	mkdir -p "$BATS_TEST_TMPDIR/b"
	cd "$BATS_TEST_TMPDIR/b"
	rt spec
	[ -s config.json ]
	cp config.json before
	run --separate-stderr rt spec
	assert_refused
	cmp config.json before
}

@test "spec means the same as that of runc" {
	requires runc mxcrun
	mkdir -p "$BATS_TEST_TMPDIR"/{a,b}
	rt spec --bundle "$BATS_TEST_TMPDIR/a"
	runc spec --bundle "$BATS_TEST_TMPDIR/b"
	diff <(jq -S 'del(.ociVersion, .hostname)' "$BATS_TEST_TMPDIR/a/config.json") \
		<(jq -S 'del(.ociVersion, .hostname)' "$BATS_TEST_TMPDIR/b/config.json")
}

@test "features is JSON that names what the kernel tests here rely on" {
	rt features >"$BATS_TEST_TMPDIR/features"
	jq -e '.ociVersionMin != null and .ociVersionMax != null
		and (.linux.namespaces | index("pid") and index("user") and index("mount"))
		and (.linux.capabilities | index("CAP_CHOWN"))
		and (.mountOptions | index("rbind") and index("ro") and index("nosuid"))
		and (.linux.seccomp.enabled == true) and (.linux.seccomp.actions | index("SCMP_ACT_ERRNO"))
		and (.linux.cgroup.v1 != null)' "$BATS_TEST_TMPDIR/features"
}

@test "features names libseccomp's version, and each annotation that changes something" {
	requires mxcrun
	local name
	rt features >"$BATS_TEST_TMPDIR/features"
	jq -r '.annotations["io.github.seccomp.libseccomp.version"]' "$BATS_TEST_TMPDIR/features" | grep -qxE '[0-9]+[.][0-9]+[.][0-9]+'
	sed -n '/^## Annotations that change/,/^All others/s/^| `\([^`]*\)` | \([a-z]*\).*/\1 \2/p' "$here/../../docs/oci.md" |
		awk '$2 != "refused" { sub("NAME$", "", $1); print $1 }' >"$BATS_TEST_TMPDIR/names"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/names")" -ge 8 ]
	while read -r name; do
		jq -e --arg name "$name" '.potentiallyUnsafeConfigAnnotations
			| any(. == $name or (endswith(".") and (. as $prefix | $name | startswith($prefix))))' "$BATS_TEST_TMPDIR/features"
	done <"$BATS_TEST_TMPDIR/names"
}

@test "--version names the program" {
	requires mxcrun
	run --separate-stderr "$MXCRUN" --version
	equal "$status" 0
	[[ ${lines[0]} =~ ^mxcrun\ version\ [0-9]+\.[0-9]+ ]]
	contains "$output" "spec: 1."
}

@test "unknown commands, flags and missing arguments are usage errors" {
	local line args
	for line in frobnicate "run --frob x" "create" "state" "kill" "list --frob" "delete --force"; do
		read -ra args <<<"$line"
		run --separate-stderr rt "${args[@]}"
		[ "$status" -ne 0 ]
		[ -n "$stderr" ]
	done
}

# ---- logs ----

@test "--log-format json writes the error as one JSON line that engines read" {
	run --separate-stderr rt --log "$BATS_TEST_TMPDIR/log" --log-format json state "$TAG"
	[ "$status" -ne 0 ]
	jq -e -s 'length >= 1 and (.[-1] | .level == "error" and (.msg | test("does not exist"))
		and (.time | test("^[0-9]{4}-")))' "$BATS_TEST_TMPDIR/log"
}

@test "--log writes text when no format is asked for, and appends" {
	echo before >"$BATS_TEST_TMPDIR/log"
	run --separate-stderr rt --log "$BATS_TEST_TMPDIR/log" state "$TAG"
	[ "$status" -ne 0 ]
	equal "$(head -n 1 "$BATS_TEST_TMPDIR/log")" before
	contains "$(cat "$BATS_TEST_TMPDIR/log")" "does not exist"
}

# ---- terminal, descriptors, other flags ----

@test "--console-socket gets the terminal's master, and the workload its slave" {
	make_bundle '.process.terminal = true | .process.consoleSize = {height: 17, width: 91}'
	script 'test -t 0 && test -t 1 && test -t 2 && echo is a tty; stty size; readlink /proc/self/fd/0
		ls -l /dev/console; read line; echo "got $line"'
	local socket=$BATS_TEST_TMPDIR/tty.sock receiver
	mkfifo "$BATS_TEST_TMPDIR/keys"
	"$MXCRUN_TEST_BIN/recvtty" "$socket" <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/tty" 2>&1 3>&- &
	receiver=$!
	exec 9>"$BATS_TEST_TMPDIR/keys"
	wait_for 5 test -S "$socket"
	rt create --bundle "$BUNDLE" --console-socket "$socket" "$TAG" </dev/null
	rt start "$TAG"
	wait_for 10 grep -q /dev/console "$BATS_TEST_TMPDIR/tty"
	echo hello >&9
	wait_for 10 grep -q 'got hello' "$BATS_TEST_TMPDIR/tty"
	exec 9>&-
	wait "$receiver"
	grep -q 'is a tty' "$BATS_TEST_TMPDIR/tty"
	grep -q '17 91' "$BATS_TEST_TMPDIR/tty"
	grep -q '^/dev/pts/' "$BATS_TEST_TMPDIR/tty"
}

@test "create with a terminal and no console socket is refused" {
	make_bundle '.process.terminal = true'
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG"
	assert_refused
	assert_nothing_left
}

@test "create with a console socket and no terminal is refused" {
	make_bundle
	run --separate-stderr rt create --bundle "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/absent" "$TAG"
	assert_refused
	assert_nothing_left
}

@test "--preserve-fds hands on exactly that many descriptors" {
	make_bundle '.process.args = ["/bin/probe", "fds"]'
	echo three >"$BATS_TEST_TMPDIR/three"
	local out
	out=$("$MXCRUN" --root "$STATE" run --preserve-fds 2 --bundle "$BUNDLE" "$TAG" \
		3<"$BATS_TEST_TMPDIR/three" 4</dev/null 5</dev/zero 7</dev/zero </dev/null | awk '{ print $1 }' | tr '\n' ' ')
	equal "$out" "0 1 2 3 4 "
	out=$("$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG-b" \
		3<"$BATS_TEST_TMPDIR/three" 9</dev/null </dev/null | awk '{ print $1 }' | tr '\n' ' ')
	equal "$out" "0 1 2 "
}

@test "--preserve-fds of a descriptor that is not open is refused" {
	make_bundle
	run --separate-stderr rt run --preserve-fds 5 --bundle "$BUNDLE" "$TAG"
	assert_refused
	assert_nothing_left
}

@test "LISTEN_FDS passes through with its descriptors" {
	make_bundle
	script 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3'
	echo three >"$BATS_TEST_TMPDIR/three"
	local out
	# As a service manager does it: the pid is that of the runtime itself.
	out=$(sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' sh "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG" \
		3<"$BATS_TEST_TMPDIR/three" </dev/null)
	equal "$out" "1 1
three"
}

@test "--no-pivot: the root is the container's all the same" {
	make_bundle
	echo inside >"$BUNDLE/rootfs/etc/where"
	script 'cat /etc/where; ls /'
	run_bundle --no-pivot
	equal "$status" 0
	contains "$output" inside
	lacks "$output" home
}

@test "a container has a session keyring of its own, unless --no-new-keyring" {
	make_bundle '.process.args = ["/bin/probe", "keyring"]'
	local host new kept
	host=$("$MXCRUN_TEST_BIN/probe" keyring)
	new=$(rt run --bundle "$BUNDLE" "$TAG" </dev/null)
	kept=$(rt run --no-new-keyring --bundle "$BUNDLE" "$TAG" </dev/null)
	[[ $new =~ ^[0-9]+$ ]] && [ "$new" != "$host" ]
	equal "$kept" "$host"
}

# ---- pause ----

@test "pause stops every process of the container, resume lets it go on" {
	requires freezer
	make_bundle
	script 'while :; do echo . >>/tmp/ticks; sleep 0.05; done'
	start_container "$TAG"
	wait_for 10 test -s "$BUNDLE/rootfs/tmp/ticks"
	rt pause "$TAG"
	equal "$(status_of "$TAG")" paused
	local before
	before=$(wc -l <"$BUNDLE/rootfs/tmp/ticks")
	sleep 2
	equal "$(wc -l <"$BUNDLE/rootfs/tmp/ticks")" "$before"
	rt resume "$TAG"
	equal "$(status_of "$TAG")" running
	more_ticks() { [ "$(wc -l <"$BUNDLE/rootfs/tmp/ticks")" -gt "$before" ]; }
	wait_for 10 more_ticks
}

@test "a paused container can be killed and deleted" {
	requires freezer
	make_bundle
	start_container "$TAG"
	rt pause "$TAG"
	rt delete --force "$TAG"
	assert_nothing_left
}

@test "resume of a container that is not paused, and pause of a stopped one, are refused" {
	requires freezer
	make_bundle
	start_container "$TAG"
	run --separate-stderr rt resume "$TAG"
	assert_refused
	kill -9 "$PID"
	wait_for 10 is_status "$TAG" stopped
	run --separate-stderr rt pause "$TAG"
	assert_refused
}

@test "--config names another configuration, which exec knows, too" {
	make_bundle
	config '.process.env += ["WHICH=own"]'
	jq '.process.env += ["WHICH=other"]' "$BUNDLE/config.json" >"$BATS_TEST_TMPDIR/other.json"
	echo '{' >"$BUNDLE/config.json"
	cd "$BATS_TEST_TMPDIR"
	rt create --bundle "$BUNDLE" --config other.json "$TAG" </dev/null >/dev/null 2>&1
	rt start "$TAG"
	equal "$(rt exec "$TAG" sh -c 'echo $WHICH')" other
	run --separate-stderr rt run --bundle "$BUNDLE" --config absent.json "$TAG-2"
	assert_refused absent.json
}

@test "--regex of kill and delete: all containers whose id matches, and no others" {
	make_bundle
	rt create --bundle "$BUNDLE" "$TAG-a1" </dev/null >/dev/null 2>&1
	rt create --bundle "$BUNDLE" "$TAG-a2" </dev/null >/dev/null 2>&1
	start_container "$TAG-b"
	rt kill --regex "^$TAG-a[0-9]+\$" KILL
	wait_for 10 is_status "$TAG-a1" stopped
	wait_for 10 is_status "$TAG-a2" stopped
	equal "$(status_of "$TAG-b")" running
	# One that fails keeps none of the others.
	run --separate-stderr rt delete --regex "$TAG-(a|b)"
	equal "$status" 1
	contains "$stderr" "$TAG-b"
	equal "$(rt list -q)" "$TAG-b"
	run --separate-stderr rt kill --regex '(' KILL
	assert_refused --regex
	rt delete --force --regex "$TAG"
	equal "$(rt list -q)" ""
	rt delete --regex nothing
}

@test "spec --file writes under another name, in the bundle, and overwrites nothing" {
	mkdir "$BATS_TEST_TMPDIR/b"
	rt spec --bundle "$BATS_TEST_TMPDIR/b" --file other.json
	equal "$(ls "$BATS_TEST_TMPDIR/b")" other.json
	jq -e .ociVersion "$BATS_TEST_TMPDIR/b/other.json" >/dev/null
	run --separate-stderr rt spec --bundle "$BATS_TEST_TMPDIR/b" --file other.json
	assert_refused other.json
}

@test "run --keep leaves the ended container for state and delete" {
	make_bundle '.process.args = ["/bin/false"]'
	run --separate-stderr rt run --keep --bundle "$BUNDLE" "$TAG" </dev/null
	equal "$status" 1
	equal "$(status_of "$TAG")" stopped
	rt delete "$TAG"
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG" </dev/null
	run --separate-stderr rt state "$TAG"
	assert_refused "does not exist"
}

@test "flags that runc's callers give: in one dash or two, with = or without, and none of them in the way" {
	make_bundle '.process.args = ["/bin/echo", "hello"]'
	run --separate-stderr rt --debug=true --rootless false -log-format json --log "$BATS_TEST_TMPDIR/log" \
		run -no-subreaper=true -bundle "$BUNDLE" -no-new-keyring "$TAG" </dev/null
	equal "$status $output" "0 hello"
	# --debug: what is done is in the log.
	[ "$(jq -s 'map(select(.level == "debug")) | length' "$BATS_TEST_TMPDIR/log")" -ge 1 ]
	run --separate-stderr rt --rootless maybe list
	assert_refused --rootless
}

@test "a state directory that is full or read-only: errors say where, and nothing is left" {
	requires root
	make_bundle '.process.args = ["/bin/sleep", "1000"]'
	local STATE=$BATS_TEST_TMPDIR/full/state options what
	mkdir "$BATS_TEST_TMPDIR/full"
	for options in nr_inodes=2 nr_inodes=3 nr_inodes=4 nr_inodes=5 size=4k ro; do
		mount -t tmpfs -o "$options" tmpfs "$BATS_TEST_TMPDIR/full"
		for what in create run; do
			run --separate-stderr rt "$what" --bundle "$BUNDLE" "$TAG" </dev/null
			echo "$options $what: $status $stderr"
			[ "$status" -ne 0 ]
			contains "$stderr" "$STATE"
			[[ $stderr == *"No space left"* || $stderr == *"Read-only file system"* ]]
			equal "$(ls "$STATE" 2>/dev/null)" ""
		done
		umount "$BATS_TEST_TMPDIR/full"
	done
	# one that fills up, or becomes read-only, later
	mount -t tmpfs -o size=64k tmpfs "$BATS_TEST_TMPDIR/full"
	rt create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	head -c 1M /dev/zero >"$BATS_TEST_TMPDIR/full/fill" 2>/dev/null || true
	rt start "$TAG"
	rt exec "$TAG" /bin/true </dev/null
	mount -o remount,ro "$BATS_TEST_TMPDIR/full"
	equal "$(rt state "$TAG" | jq -r .status)" running
	run --separate-stderr rt delete --force "$TAG"
	[ "$status" -ne 0 ]
	contains "$stderr" "$STATE/$TAG"
	mount -o remount,rw "$BATS_TEST_TMPDIR/full"
	rt delete --force "$TAG"
	equal "$(ls "$STATE")" ""
	umount "$BATS_TEST_TMPDIR/full"
}
