#!/usr/bin/env bats
# The runtime is killed at points spread over all system calls of a run; then `delete --force`, or `gc`, leaves
# nothing: no process, no cgroup, no mount, no record; and the id can be used again.

load helpers
load networld
GUARDS="root jq mxcrun"

# How many points of each command; few where each costs seconds.
points() { if [ "$MXCRUN_TEST_SLOW" -gt 1 ]; then echo 5; else echo 25; fi; }

test_setup() {
	"$MXCRUN_TEST_BIN/syscall_at" count /dev/null true >/dev/null 2>&1 || skip "needs ptrace"
	remember_sandboxes
}

test_teardown() {
	[ -z "${POD-}" ] || kill "$POD"
	assert_no_new_sandboxes
}

# Number of system calls that a command makes in the runtime itself; its exit is not looked at.
count_calls() {
	at_call count "$BATS_TEST_TMPDIR/count" "$@" || true
	cat "$BATS_TEST_TMPDIR/count"
}

# at_call count FILE|kill N|fail N COMMAND...
at_call() {
	local what=("$1" "$2")
	shift 2
	timeout -k 5 "$(slow 30)" "$MXCRUN_TEST_BIN/syscall_at" "${what[@]}" \
		"$MXCRUN" --root "$STATE" "$@" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&-
}

# Run a command and kill the runtime as it enters its Nth system call.
kill_at() { at_call kill "$@" || [ $? -eq 137 ]; }

# Every record away by gc, or by name.
clear_all() {
	local id
	if [ "$1" = gc ]; then
		rt gc >/dev/null
	else
		for id in $(tagged_records); do rt delete --force "$id"; done
		# A crash may have come before there was a record at all.
		rt delete --force "$TAG"
	fi
}

# crash_points CLEANER PREPARE COMMAND...: PREPARE is a function that makes what the command works on.
crash_points() {
	local cleaner=$1 prepare=$2 total n step
	shift 2
	"$prepare"
	total=$(count_calls "$@")
	clear_all delete
	assert_nothing_left
	[ "$total" -gt 20 ]
	step=$((total / $(points) + 1))
	for ((n = 1; n <= total; n += step)); do
		"$prepare"
		kill_at "$n" "$@"
		clear_all "$cleaner" || {
			echo "killed at system call $n of $total of: $*" >&2
			return 1
		}
		# gc leaves alone what was complete when the runtime died.
		[ "$cleaner" != gc ] || clear_all delete
		assert_nothing_left || {
			echo "killed at system call $n of $total of: $*" >&2
			return 1
		}
	done
}

nothing() { :; }
created() { rt create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1; }
running() { created && rt start "$TAG"; }

@test "killed during create, then delete --force" {
	make_bundle '.linux.resources.pids.limit = 100 | .linux.resources.memory.limit = 67108864'
	crash_points delete nothing create --bundle "$BUNDLE" "$TAG"
	created
	equal "$(status_of "$TAG")" created
}

@test "killed during create, then gc takes what was not complete" {
	make_bundle
	local total n
	total=$(count_calls create --bundle "$BUNDLE" "$TAG")
	rt delete --force "$TAG"
	# Well before the record says that the container is there.
	for n in 10 $((total / 4)) $((total / 3)) $((total / 2)); do
		kill_at "$n" create --bundle "$BUNDLE" "$TAG"
		rt gc
		assert_nothing_left || {
			echo "killed at $n of $total" >&2
			return 1
		}
	done
}

@test "a damaged record: one line that says so, and delete --force finds all of the container" {
	local file percent
	make_bundle
	for percent in 0 20 50; do
		start_container "$TAG"
		for file in record journal; do
			truncate -s $(($(stat -c %s "$STATE/$TAG/$file") * percent / 100)) "$STATE/$TAG/$file"
		done
		run --separate-stderr rt state "$TAG"
		assert_refused "the record of container $TAG is broken" "delete --force"
		run --separate-stderr rt delete --force "$TAG"
		equal "$status$output$stderr" 0
		assert_nothing_left
	done
}

@test "gc leaves running containers alone" {
	make_bundle
	start_container "$TAG"
	rt gc
	equal "$(status_of "$TAG")" running
}

no_table() { equal "$(nsenter -t "$POD" -n nft list tables)" ""; }

@test "killed while it creates a container under network rules, in a namespace that lives on" {
	requires nft
	hold_namespace POD
	make_bundle --arg path "/proc/$POD/ns/net" '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)
		| .annotations["mxc.policy"] = "{\"network\": {\"egress\": {\"default\": \"allow\"}}}"'
	crash_points delete no_table create --bundle "$BUNDLE" "$TAG"
	no_table
	created
	equal "$(nsenter -t "$POD" -n nft list tables)" "table inet mxcrun-$TAG"
}

@test "killed during start" {
	make_bundle
	crash_points delete created start "$TAG"
}

@test "killed during start of a container with a time limit" {
	make_bundle '.annotations["mxc.policy"] = "{\"process\": {\"timeout\": 600000}}"'
	crash_points delete created start "$TAG"
	is_watched() { pgrep -f "$STATE start"; }
	wait_for 5 refused is_watched
}

@test "killed during run" {
	make_bundle
	script 'sleep 1000 & sleep 0.2'
	crash_points delete nothing run --bundle "$BUNDLE" "$TAG"
}

@test "killed during delete --force of a running container" {
	make_bundle
	script 'sleep 1000 & sleep 1000'
	crash_points delete running delete --force "$TAG"
}

@test "killed during mxc run, then gc" {
	policy 'sleep 1000 & exit 0'
	local total n step
	total=$(count_calls mxc run "$POLICY")
	assert_nothing_left
	step=$((total / $(points) + 1))
	for ((n = 1; n <= total; n += step)); do
		kill_at "$n" mxc run "$POLICY"
		rt gc
		assert_nothing_left || {
			echo "killed at system call $n of $total" >&2
			return 1
		}
	done
}

@test "a failing system call at any point is an error with nothing left, or a success with everything in force" {
	make_bundle '.process.args = ["/bin/true"]'
	local total n step code
	total=$(count_calls run --bundle "$BUNDLE" "$TAG")
	clear_all delete
	step=$((total / $(points) + 1))
	for ((n = 1; n <= total; n += step)); do
		code=0
		at_call fail "$n" run --bundle "$BUNDLE" "$TAG" || code=$?
		[ "$code" -lt 124 ] || [ "$code" -eq 255 ] || {
			echo "EIO at system call $n of $total: exit code $code" >&2
			cat "$BATS_TEST_TMPDIR/err" >&2
			return 1
		}
		clear_all delete
		assert_nothing_left
	done
}

# A run of the bundle of which a call of init's is counted, or refused: what it prints in out and err.
below() { # [-l FILE] WHAT NUMBER|FILE
	timeout -k 5 "$(slow 30)" "$MXCRUN_TEST_BIN/syscall_at" -b -e 1 "$@" "$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG" \
		</dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&-
}

# As root has it, an init that isn't allowed a call: another error than a disk's, and other ways to go on.
@test "a call that is refused to the container's init is an error with one line and nothing left, or a success with everything in force" {
	make_bundle '.linux.maskedPaths += ["/masked"] | .linux.readonlyPaths += ["/kept"] | .process.noNewPrivileges = true | .hostname = "inside"
		| .process.args = ["/bin/sh", "-c", "grep -E \"^(Cap|NoNewPrivs|Groups)\" /proc/self/status; ls /masked; touch /kept/x 2>/dev/null || echo kept; hostname"]'
	mkdir "$BUNDLE/rootfs"/{masked,kept}
	touch "$BUNDLE/rootfs/masked/file"
	local out=$BATS_TEST_TMPDIR/out want total n step code
	below count "$BATS_TEST_TMPDIR/count"
	want=$(cat "$out")
	contains "$want" $'NoNewPrivs:\t1' kept inside
	lacks "$want" file
	total=$(cat "$BATS_TEST_TMPDIR/count")
	[ "$total" -gt 100 ]
	step=$((total / (2 * $(points)) + 1))
	# not the last, which is the workload's execve
	for ((n = 1; n < total; n += step)); do
		code=0
		below fail "$n" || code=$?
		if [ "$code" -eq 0 ]; then
			equal "$(cat "$out")" "$want"
		else
			# 126: of what is the program's own, its folder, its path and its execution
			[[ $code == 1 || $code == 126 ]] && equal "$(cat "$out")" "" &&
				equal "$(grep -c '^mxcrun: .' "$BATS_TEST_TMPDIR/err") $(wc -l <"$BATS_TEST_TMPDIR/err")" "1 1" &&
				assert_nothing_left
		fi || {
			echo "EPERM at system call $n of $total below: exit code $code, $(cat "$BATS_TEST_TMPDIR/err")" >&2
			return 1
		}
		clear_all delete
		assert_nothing_left
	done
}

@test "where the number of the container's process can't be told, it ends, and nobody waits for it" {
	make_bundle '.process.args = ["/bin/true"]'
	local which=$BATS_TEST_TMPDIR/which n code made=0 refused=0 clone3=435 write=64
	[ "$(uname -m)" != x86_64 ] || write=1
	# where there is one processor the write may come much later than the birth
	for ((n = 10; n < 160 && (!made || n < made + 24 || !refused); n++)); do
		code=0
		below -l "$which" fail "$n" || code=$?
		[ "$code" -le 1 ] || {
			echo "call $(cat "$which"), number $n below: exit code $code" >&2
			return 1
		}
		case $(cat "$which") in
		"$clone3") [ "$made" -gt 0 ] || made=$n ;;
		"$write") refused=$((refused + code)) ;;
		esac
		clear_all delete
		assert_nothing_left
	done
	[ "$made" -gt 0 ]
	[ "$refused" -gt 0 ]
}

# too_few FILES COMMAND...: what it leaves, because it can't open what it would clean, it says so of, and gc takes it.
too_few() {
	(ulimit -n "$1"; shift; exec timeout -k 5 "$(slow 30)" "$MXCRUN" --root "$STATE" "$@") </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- ||
		{ refused=$((refused + 1)); grep -q . "$BATS_TEST_TMPDIR/err"; }
	[ -z "$(tagged_records)" ] || grep -q "warning: " "$BATS_TEST_TMPDIR/err"
	clear_all gc
	clear_all delete
	assert_nothing_left
}

@test "too few descriptors: an error, and nothing is left without a word" {
	make_bundle '.process.args = ["/bin/true"] | del(.process.rlimits)'
	policy 'exit 0'
	local files refused=0
	for files in 4 5 6 7 8 9 10 11 12 13 14 64; do
		too_few "$files" mxc run "$POLICY"
		too_few "$files" run --bundle "$BUNDLE" "$TAG"
	done
	[ "$refused" -gt 2 ]
	[ "$refused" -lt 23 ]
}

# By a pipe: what can't be written to a file can be said there.
too_large() { # LIMIT COMMAND...
	(ulimit -f "$1"; shift; exec timeout -k 5 "$(slow 30)" "$MXCRUN" --root "$STATE" "$@") </dev/null 2>&1 3>&- 4>&- | cat
	[ "${PIPESTATUS[0]}" -ne 0 ]
}

@test "a limit on the size of files: an error, nothing is left, and the workload's signals are the usual ones" {
	make_bundle '.process.args = ["/bin/true"] | del(.process.rlimits)'
	policy 'exit 0'
	local limit
	for limit in 0 1; do
		run too_large "$limit" mxc run "$POLICY"
		[ "$status" -eq 0 ]
		contains "$output" "File too large" backend_error
		run too_large "$limit" run --bundle "$BUNDLE" "$TAG"
		[ "$status" -eq 0 ]
		contains "$output" "File too large"
		equal "$(wc -l <<<"$output")" 1
		assert_nothing_left
	done
	config '.process.args = ["/bin/grep", "SigIgn", "/proc/self/status"]'
	equal "$(trap '' XFSZ PIPE HUP USR1 && rt run --bundle "$BUNDLE" "$TAG" </dev/null)" $'SigIgn:\t0000000000000000'
}

@test "the caller dies while the container is being created: init goes by itself" {
	make_bundle
	local total
	total=$(count_calls create --bundle "$BUNDLE" "$TAG")
	rt delete --force "$TAG"
	kill_at $((total * 2 / 3)) create --bundle "$BUNDLE" "$TAG"
	# Before "created" is recorded a child without its parent ends; after it, it waits to be started.
	no_processes() { [ -z "$(tagged_processes)" ] || is_status "$TAG" created; }
	wait_for 10 no_processes
}
