#!/usr/bin/env bats
# MXC policies: process, filesystem, network, and what every sandbox is denied. Effects are seen by the
# workload's attempts, from outside in /proc, and on the host's files.

load helpers
GUARDS="jq mxcrun"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{rw,ro,secret,bin}
	echo rw >"$D/rw/file"
	echo ro >"$D/ro/file"
	echo secret >"$D/secret/file"
	echo top >"$D/file"
	cp "$MXCRUN_TEST_BIN/probe" "$D/bin/probe"
	remember_sandboxes
}

test_teardown() { assert_no_new_sandboxes; }

# The pid of the workload, once it has written "ready" to its output.
sandbox_pid() { tagged_processes | tail -n 1; }

# ---- process ----

@test "exit codes are the command's, and nothing is added to its streams" {
	policy 'exit 7'
	run_policy
	equal "$status $output $stderr" "7  "
	policy 'cat; echo out; echo err >&2'
	local code=0
	echo in | rt mxc run "$POLICY" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	equal "$code $(cat "$BATS_TEST_TMPDIR/out") $(cat "$BATS_TEST_TMPDIR/err")" "0 in
out err"
}

@test "a command that a signal kills exits with 128 + signal, an absent one with 127" {
	policy 'kill -9 $$'
	run_policy
	equal "$status" 137
	policy '/absent/command'
	run -127 --separate-stderr rt mxc run "$POLICY" </dev/null
	policy '/etc/passwd'
	run_policy
	equal "$status" 126
}

@test "the working directory is the one asked for" {
	policy 'pwd -P; echo x >made-here' --arg d "$D" '.process.cwd = ($d + "/rw") | .filesystem.readwritePaths = [$d + "/rw"]'
	run_policy
	equal "$status $output" "0 $D/rw"
	equal "$(cat "$D/rw/made-here")" x
}

@test "a working directory that is not in the view is refused" {
	policy 'echo ran' --arg d "$D" '.process.cwd = ($d + "/ro")'
	run_policy
	assert_mxc_refused
}

@test "the environment is what is listed, and nothing of the caller's" {
	policy 'env' '.process.env += ["A=1", "EMPTY=", "no equals sign", "A=2", "SP=a b"]'
	SECRET=leak run_policy
	equal "$status" 0
	contains "$output" "A=2"
	lacks "$output" "A=1"
	contains "$output" "SP=a b"
	grep -qx 'EMPTY=' <<<"$output"
	lacks "$output" leak
	lacks "$output" equals
	lacks "$output" HOME=
}

@test "an empty variable name never crashes it" {
	policy 'env' '.process.env += ["=x"]'
	run_policy
	[ "$status" -eq 0 ] && lacks "$output" "=x" || [ "$status" -eq 255 ] || [ "$status" -eq 1 ]
}

@test "1.1.0-alpha: the default environment, unless env is given" {
	policy 'echo "$PATH|$TERM|$HOME"' '.version = "1.1.0-alpha" | del(.process.env) | .process.cwd = "/tmp"'
	run_policy
	equal "$output" "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|xterm-256color|/tmp"
	policy 'echo "${TERM-unset}|$A"' '.version = "1.1.0-alpha" | .process.env += ["A=b"]'
	run_policy
	equal "$output" "unset|b"
	policy 'echo "$TERM|$A"' '.version = "1.1.0-alpha" | .process.env += ["A=b"] | .process.inheritDefaultEnv = true'
	run_policy
	equal "$output" "xterm-256color|b"
}

@test "a timeout kills the whole tree, also what daemonised" {
	policy "$D/bin/probe daemon 1000; (trap '' TERM HUP INT; while :; do sleep 1; done) & echo ready; sleep 1000" \
		--arg d "$D" --argjson ms "$(($(slow 1) * 700))" '.process.timeout = $ms | .filesystem.readonlyPaths = [$d + "/bin"]'
	local before=$SECONDS
	run_policy
	equal "$output" ready
	equal "$status" 255
	[ $((SECONDS - before)) -le "$(slow 5)" ]
	contains "$(grep '^{' <<<"$stderr" | jq -r .error.message)" "timed out after $(($(slow 1) * 700))ms"
	assert_nothing_left
}

@test "a command that ends before its timeout is not touched by it" {
	policy 'exit 3' '.process.timeout = 60000'
	local before=$SECONDS
	run_policy
	equal "$status" 3
	[ $((SECONDS - before)) -le "$(slow 10)" ]
}

@test "background children end with the shell" {
	policy "$D/bin/probe daemon 1000; sleep 1000 & setsid sleep 1000 & exit 4" --arg d "$D" '.filesystem.readonlyPaths = [$d + "/bin"]'
	run_policy
	equal "$status" 4
	assert_nothing_left
}

@test "the sandbox dies with its supervisor" {
	policy 'echo ready; sleep 1000 & sleep 1000'
	"$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local supervisor=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	[ -n "$(tagged_processes)" ]
	kill -9 "$supervisor"
	no_processes() { [ -z "$(tagged_processes)" ]; }
	wait_for 10 no_processes
	rt gc
	assert_nothing_left
}

@test "TERM, INT and HUP to the supervisor end the sandbox, with 128 + signal" {
	local signal number supervisor code
	for signal in TERM:15 INT:2 HUP:1; do
		number=${signal#*:}
		policy 'trap "" TERM INT HUP; echo ready; while :; do sleep 1; done'
		# A shell makes its background jobs ignore INT.
		: >"$BATS_TEST_TMPDIR/out"
		env --default-signal=INT "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		supervisor=$!
		wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
		kill "-${signal%:*}" "$supervisor"
		code=0
		wait "$supervisor" || code=$?
		equal "$signal $code" "$signal $((128 + number))"
		assert_nothing_left
	done
}

@test "a timeout that strikes during set-up is not lost, and leaves nothing" {
	local ms i
	for ms in 1 3 6 10; do
		policy 'sleep 30; echo late' --argjson ms "$ms" '.process.timeout = $ms'
		for i in 1 2 3 4 5 6 7 8; do
			run_policy
			equal "$status $output" "255 "
		done
	done
	assert_nothing_left
}

@test "a terminal: the workload is on it, hears of its size, and keeps its own traps" {
	requires_item "the caller's session"
	[ -x /usr/bin/script ] || skip "needs script"
	local fifo=$BATS_TEST_TMPDIR/keys
	policy 'trap "echo resized; stty size" WINCH; trap "echo interrupted; exit 9" INT; test -t 0 && test -t 1 && echo on-a-terminal
		stty rows 33 cols 44; echo ready; while :; do sleep 0.1; done'
	mkfifo "$fifo"
	sleep 100 3>&- 1<>"$fifo" &
	local holder=$!
	command script -qefc "$MXCRUN ${BY[*]} --root $STATE mxc run $POLICY" /dev/null <"$fifo" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local terminal=$! code=0
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	wait_for 10 grep -q "33 44" "$BATS_TEST_TMPDIR/out"
	printf '\003' >"$fifo"
	wait "$terminal" || code=$?
	kill "$holder"
	contains "$(cat "$BATS_TEST_TMPDIR/out")" on-a-terminal
	contains "$(cat "$BATS_TEST_TMPDIR/out")" interrupted
	equal "$code" 9
}

# On the terminal it is in the process group of whoever started mxcrun.
@test "a terminal: a workload's signals end with the sandbox" {
	requires_item "the caller's session"
	[ -x /usr/bin/script ] || skip "needs script"
	policy 'kill -9 0'
	[ "$(rt plan --mxc "$POLICY" | jq .process.landlockAbi)" -ge 6 ] || skip "needs Landlock in version 6"
	command script -qec "$MXCRUN ${BY[*]} --root $STATE mxc run $POLICY; echo \"the caller goes on: \$?\"" /dev/null </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
	contains "$(cat "$BATS_TEST_TMPDIR/out")" "the caller goes on: 137"
}

@test "a workload can't end its sandbox by signals to pid 1" {
	policy 'kill -9 1; kill 1; kill -INT 1; kill -HUP 1; sleep 0.2; echo alive; exit 3'
	run_policy
	equal "$status $output" "3 alive"
}

@test "a working directory that is denied is refused, also by another name" {
	ln -s secret "$D/door"
	local cwd
	for cwd in secret door rw/../secret; do
		policy 'echo ran' --arg d "$D" --arg cwd "$D/$cwd" '.process.cwd = $cwd | .filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/secret"]}'
		run_policy
		assert_mxc_refused /process/cwd
	done
}

@test "the host's whole root: with /proc, /dev and /tmp of the sandbox's own" {
	# of the host's /tmp only the way to the records is there, which are denied
	policy "ls /proc | grep -c '^[0-9]'; echo x >/tmp/x; ls -A /tmp | grep -vx ${BATS_RUN_TMPDIR##*/}; ls /dev/kmsg; echo x >/etc/x || echo refused" \
		'.filesystem.readonlyPaths = ["/"]'
	run_policy
	[ "${lines[0]}" -le 5 ]
	equal "${lines[1]} ${lines[2]}" "x refused"
	equal "$(wc -l <<<"$output")" 3
}

@test "a dry run says that the policy is good and runs nothing" {
	policy 'echo ran >>'"$D/rw/ran" --arg d "$D" '.filesystem.readwritePaths = [$d + "/rw"]'
	run_policy --dry-run
	equal "$status" 0
	contains "$output" "validation passed"
	[ ! -e "$D/rw/ran" ]
	policy 'echo ran' '.filesystem.readonlyPaths = ["/absent/path"]'
	run_policy --dry-run
	[ "$status" -eq 255 ] || [ "$status" -eq 0 ]
}

@test "a config may come in base64 or from standard input" {
	policy 'exit 9'
	run rt mxc run --config-base64 "$(base64 -w 0 "$POLICY")"
	equal "$status" 9
	run rt mxc run /dev/stdin <"$POLICY"
	equal "$status" 9
	run rt mxc run --config "$POLICY"
	equal "$status" 9
	run --separate-stderr rt mxc run --config-base64 '%%%'
	assert_mxc_malformed
	run --separate-stderr rt mxc run
	equal "$status" 1
	run --separate-stderr rt mxc run --frob "$POLICY"
	equal "$status" 2
}

@test "contracts from 0.6 to 1.1.0-alpha run, others are refused" {
	local version
	for version in 0.6.0-alpha 0.7.0-alpha 0.8.0-alpha 0.9.0-alpha 1.0.0 1.1.0-alpha; do
		policy 'exit 5' --arg v "$version" '.version = $v'
		run_policy
		equal "$version $status" "$version 5"
	done
	policy 'exit 5' 'del(.version)'
	run_policy
	equal "$status" 5
	for version in 0.5.0-alpha 0.8 1.0 v1.0.0 2.0.0 1.2.0-alpha x; do
		policy 'exit 5' --arg v "$version" '.version = $v'
		run_policy
		assert_mxc_malformed
	done
}

# ---- what no sandbox has ----

@test "no capability, no_new_privs, seccomp, nothing but fds 0 to 2, all namespaces new" {
	policy 'echo ready; exec sleep 1000'
	"$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>/dev/null 7</dev/zero 9</etc/passwd &
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	local pid set ns
	is_sleep() { pid=$(sandbox_pid) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = sleep ]; }
	wait_for 10 is_sleep
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		equal "$set $(proc_status "$pid" "$set")" "$set 0000000000000000"
	done
	equal "$(proc_status "$pid" NoNewPrivs)$(proc_status "$pid" Seccomp)" 12
	equal "$(open_descriptors "$pid")" "0 1 2 "
	for ns in user mnt pid net ipc uts cgroup; do
		[ "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ] || {
			echo "the $ns namespace is the host's" >&2
			return 1
		}
	done
	# What the policy lists; PWD is the shell's own.
	equal "$(tr '\0' '\n' <"/proc/$pid/environ" | cut -d = -f 1 | grep -vx PWD | sort | xargs)" "MXCRUN_TEST_TAG PATH"
	kill $!
	wait $! || true
}

@test "system calls that lead out of a sandbox are refused" {
	local call
	policy "for c in mount umount unshare_user unshare_mount sethostname bpf keyctl io_uring packet_socket alg_socket raw_socket mknod; do
		echo \$c \$($D/bin/probe call \$c); done" --arg d "$D" '.filesystem.readonlyPaths = [$d + "/bin"]'
	run_policy
	equal "$(wc -l <<<"$output")" 12
	refused grep ' ok$' <<<"$output"
	policy "$D/bin/probe call getppid; $D/bin/probe call mkdir" --arg d "$D" '.filesystem.readonlyPaths = [$d + "/bin"]'
	run_policy
	equal "$output" "ok
ok"
}

@test "pid 1 of the sandbox is not the workload, and other processes are not seen" {
	policy 'ls /proc | grep -c "^[0-9]"; test $$ -gt 1 && echo child'
	run_policy
	[ "${lines[0]}" -le 4 ]
	equal "${lines[1]}" child
}

# ---- filesystem: the view ----

@test "the baseline view: system folders read-only, nothing else of the host" {
	policy 'ls -A / | tr "\n" " "; echo; ls -A /tmp /home /root /opt /srv /sys /boot /usr/local /var/lib 2>/dev/null
		touch /usr/bin/x /etc/x /usr/lib/x 2>/dev/null && echo WRITTEN; echo t >/tmp/t && cat /tmp/t; readlink /var/run
		for d in null zero full random urandom; do test -c /dev/$d && printf "%s " $d; done; test -e /dev/sda -o -e /dev/vda || echo none'
	run_policy
	equal "$status" 0
	lacks "${lines[0]}" home
	lacks "${lines[0]}" root
	lacks "${lines[0]}" sys
	lacks "$output" WRITTEN
	contains "$output" "t
/run
null zero full random urandom none"
	[ ! -e /tmp/t ] || lacks "$(cat /tmp/t)" t
}

@test "every mount of the view is nosuid and nodev" {
	policy 'echo ready; exec sleep 1000'
	"$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	"$MXCRUN_TEST_BIN/mountview" "$(sandbox_pid)" >"$BATS_TEST_TMPDIR/mounts"
	equal "$(jq -r '.[] | select((.target | startswith("/dev")) or .target == "/" | not)
		| select((.vfs | index("nosuid") and index("nodev")) | not) | .target' "$BATS_TEST_TMPDIR/mounts")" ""
	equal "$(jq -r '.[] | select(.target | test("^/(usr|bin|lib|sbin|etc)")) | select(.vfs | index("ro") | not) | .target' \
		"$BATS_TEST_TMPDIR/mounts")" ""
	equal "$(jq -r '.[] | select(.propagation | index("shared")) | .target' "$BATS_TEST_TMPDIR/mounts")" ""
	kill $!
	wait $! || true
}

# ---- filesystem: grants and denials ----

@test "readwritePaths can be written, and the host has it; nothing beside them is there" {
	policy "cat $D/rw/file; echo new >$D/rw/new; ls $D; cat $D/file" --arg d "$D" '.filesystem.readwritePaths = [$d + "/rw"]'
	run_policy
	equal "$output" "rw
rw"
	equal "$(cat "$D/rw/new")" new
	contains "$stderr" "No such file"
}

@test "readonlyPaths can be read and not written, also not in mounts below" {
	requires root
	mount -t tmpfs tmpfs "$D/ro" && mkdir "$D/ro/sub" && mount -t tmpfs tmpfs "$D/ro/sub" && echo deep >"$D/ro/sub/file"
	policy "cat $D/ro/sub/file; $D/bin/probe open $D/ro/sub/file w; echo x >$D/ro/x || echo refused; echo x >$D/ro/sub/x || echo refused" \
		--arg d "$D" '.filesystem.readonlyPaths = [$d + "/ro", $d + "/bin"]'
	run_policy
	umount "$D/ro/sub" "$D/ro"
	equal "$output" "deep
EROFS
refused
refused"
}

@test "single files can be granted" {
	policy "cat $D/rw/file $D/ro/file; echo more >>$D/rw/file; echo more >>$D/ro/file" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d + "/rw/file"], readonlyPaths: [$d + "/ro/file"]}'
	run_policy
	equal "$output" "rw
ro"
	equal "$(cat "$D/rw/file")" "rw
more"
	equal "$(cat "$D/ro/file")" ro
}

# What a denied folder and a denied file are to the workload, whoever runs it.
denied_script() {
	echo "ls $D; for p in $D/secret/file $D/file; do $D/bin/probe open \$p r; $D/bin/probe open \$p w; done
		ls $D/secret && echo LISTED; cat $D/secret/file $D/file && echo READ; cd $D/secret && echo ENTERED
		echo x >$D/secret/new && echo WRITTEN; mv $D/secret $D/moved && echo MOVED; mv $D/file $D/moved && echo MOVED
		rm -rf $D/secret $D/file && echo REMOVED; chmod 777 $D/secret $D/file && echo CHANGED
		umount $D/secret && echo UNMOUNTED; cat $D/rw/file"
}

assert_denied() {
	equal "$output" "bin
file
ro
rw
secret
EACCES
EACCES
EACCES
EACCES
rw"
	contains "$stderr" "Permission denied"
}

@test "a grant around the runtime's records doesn't show them, and they are not granted themselves" {
	local around=$BATS_TEST_TMPDIR/around
	mkdir "$around"
	policy "touch $around/fine && echo granted; ls $around/state; touch $around/state/forged || echo refused; mv $around/state $around/away || echo fixed" \
		--arg d "$around" '.filesystem.readwritePaths = [$d]'
	STATE=$around/state run_policy
	equal "$status $output" "0 granted
refused
fixed"
	[ -e "$around/fine" ]
	[ ! -e "$around/state/forged" ]
	policy 'echo ran' --arg d "$around" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/state"]}'
	STATE=$around/state run_policy
	equal "$status $output" "0 ran"
	policy 'echo ran' --arg d "$around" '.filesystem.readonlyPaths = [$d + "/state"]'
	STATE=$around/state run_policy
	equal "$status" 255
	contains "$stderr" "the runtime's own records"
	lacks "$output" ran
}

# What belongs to the runtime, all in one granted folder. The policy reads what it tries to write to.
own_folder() { # FOLDER
	mkdir -p "$1"/{owner/policy.d,images/debian,bin,deep/er}
	cp "$MXCRUN" "$1/bin/mxcrun"
	echo '{}' | tee "$1/owner/mxcrun.json" >"$1/owner/policy.d/a.json"
	policy "cd $1"'
for f in deep/er/policy.json owner/mxcrun.json owner/policy.d/a.json owner/policy.d/new images/new bin/mxcrun; do
	{ echo x >>$f; } 2>/dev/null && echo wrote $f
	rm -f $f 2>/dev/null; { echo x >$f; } 2>/dev/null && echo replaced $f
done
for d in owner owner/policy.d images bin deep deep/er state; do mv $d $d.gone 2>/dev/null && echo moved $d; done
echo fine >fine && echo fine >deep/er/fine && cat fine && grep -c commandLine deep/er/policy.json' --arg d "$1" '.filesystem.readwritePaths = [$d]'
	cp "$POLICY" "$1/deep/er/policy.json"
}

own_options() { printf '%s\n' --root "$1/state" --admin-config "$1/owner/mxcrun.json" mxc "$2" "$1/deep/er/policy.json"; }

assert_own_kept() { # FOLDER
	equal "$status $output" "0 fine
1"
	cmp "$POLICY" "$1/deep/er/policy.json"
	cmp "$MXCRUN" "$1/bin/mxcrun"
	equal "$(cat "$1"/owner/mxcrun.json "$1"/owner/policy.d/*)" "{}
{}"
	equal "$(ls "$1/images")" debian
}

@test "a grant around the policy, the owner's configuration, the images or the program doesn't give them for writing" {
	local around=$BATS_TEST_TMPDIR/around args
	own_folder "$around"
	mapfile -t args < <(own_options "$around" run)
	run --separate-stderr env MXCRUN_IMAGES="$around/images" timeout -k 5 "$(slow 30)" "$around/bin/mxcrun" "${BY[@]}" "${args[@]}" </dev/null 3>&-
	assert_own_kept "$around"
	mapfile -t args < <(own_options "$around" plan)
	run --separate-stderr env MXCRUN_IMAGES="$around/images" "$around/bin/mxcrun" "${BY[@]}" "${args[@]}"
	equal "$(jq -c '[.policy.items[] | select(.carrier == "mxcrun" and .enforced != "readwrite") | .enforced + " " + (.object | ltrimstr($d))]
		| sort' --arg d "$around/" <<<"$output")" \
		'["denied state","readonly bin/mxcrun","readonly deep/er/policy.json","readonly images","readonly owner/mxcrun.json","readonly owner/policies","readonly owner/policy.d"]'
}

@test "an ordinary user's policy, images and program are as safe from what he grants" {
	make_user
	own_folder "$USERDIR/around"
	chown -R "$USER_ID" "$USERDIR/around"
	local args
	mapfile -t args < <(own_options "$USERDIR/around" run)
	run --separate-stderr as_user env MXCRUN_IMAGES="$USERDIR/around/images" timeout -k 5 "$(slow 30)" \
		"$USERDIR/around/bin/mxcrun" "${BY[@]}" "${args[@]}" </dev/null 3>&-
	assert_own_kept "$USERDIR/around"
}

@test "what is the runtime's own is not granted for writing by its name, and is for reading" {
	local around=$BATS_TEST_TMPDIR/around what
	own_folder "$around"
	for what in owner/policy.d images images/debian bin/mxcrun; do
		policy "cat $around/owner/mxcrun.json" --arg d "$around/$what" '.filesystem.readwritePaths = [$d]'
		run --separate-stderr env MXCRUN_IMAGES="$around/images" timeout -k 5 "$(slow 30)" "$around/bin/mxcrun" "${BY[@]}" \
			--root "$STATE" --admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null 3>&-
		assert_mxc_refused /filesystem/readwritePaths/0 "which no sandbox writes to"
	done
	policy "cat $around/owner/mxcrun.json" --arg d "$around" '.filesystem.readonlyPaths = [$d]'
	run --separate-stderr rt --admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null
	equal "$status $output" "0 {}"
}

# What is absent would be the sandbox's to make: an image, a policy, or the configuration itself for the next run.
plant_script() { # FOLDER
	echo "cd $1"'
for d in owner/policy.d owner/policies images images/debian share/mxcrun/images; do mkdir -p $d && touch $d/planted && echo planted $d; mv $d $d.gone && echo moved $d; done 2>/dev/null
for d in owner share share/mxcrun; do mv $d $d.gone 2>/dev/null && mkdir $d && echo replaced $d; done
echo fine >fine && cat fine'
}

@test "the owner's folders and the image store that don't exist can't be made by a sandbox" {
	local around=$BATS_TEST_TMPDIR/around
	mkdir -p "$around/owner" "$around/share"
	echo '{}' >"$around/owner/mxcrun.json"
	policy "$(plant_script "$around")" --arg d "$around" '.filesystem.readwritePaths = [$d]'
	# nothing is made for who only looks
	MXCRUN_IMAGES=$around/images rt --admin-config "$around/owner/mxcrun.json" mxc run --dry-run "$POLICY" </dev/null
	run --separate-stderr env MXCRUN_IMAGES="$around/images" "$MXCRUN" "${BY[@]}" --admin-config "$around/owner/mxcrun.json" plan --mxc "$POLICY"
	equal "$(jq -c '[.policy.items[] | select(.carrier == "mxcrun" and .enforced == "readonly") | .object | ltrimstr($d)] | sort' --arg d "$around/" <<<"$output")" \
		'["images","owner/mxcrun.json","owner/policies","owner/policy.d"]'
	equal "$(cd "$around" && find . | sort | tr '\n' ' ')" ". ./owner ./owner/mxcrun.json ./share "
	run --separate-stderr env MXCRUN_IMAGES="$around/images" timeout -k 5 "$(slow 30)" "$MXCRUN" "${BY[@]}" --root "$STATE" \
		--admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null 3>&-
	contains "$output" fine
	lacks "$output" "moved owner"
	lacks "$output" "moved images"
	equal "$(cd "$around" && find owner* images* | sort | tr '\n' ' ')" "images owner owner/mxcrun.json owner/policies owner/policy.d "
}

@test "the image store and the records in folders that don't exist: who only looks sees them held, a run makes them" {
	local around=$BATS_TEST_TMPDIR/around
	mkdir "$around"
	policy "mkdir $around/new/data/images/planted 2>/dev/null && echo planted; mv $around/new $around/gone 2>/dev/null && echo moved; echo fine" --arg d "$around" \
		'.filesystem.readwritePaths = [$d]'
	export MXCRUN_IMAGES=$around/new/data/images
	run --separate-stderr "$MXCRUN" "${BY[@]}" --root "$around/other/state" mxc run --dry-run "$POLICY"
	echo "$output $stderr"
	equal "$status" 0
	run --separate-stderr "$MXCRUN" "${BY[@]}" --root "$around/other/state" plan --mxc "$POLICY"
	equal "$(jq -c '[.policy.items[] | select(.carrier == "mxcrun" and (.object | startswith($d))) | [(.object | ltrimstr($d)), .enforced]] | sort' --arg d "$around/" <<<"$output")" \
		'[["new","readwrite"],["new/data","readwrite"],["new/data/images","readonly"],["other","readwrite"],["other/state","denied"]]'
	equal "$(ls -A "$around")" ""
	run --separate-stderr rt mxc run "$POLICY" </dev/null
	equal "$output" fine
	[ -d "$MXCRUN_IMAGES" ]
}

@test "the image store of an ordinary user who grants his home" {
	make_user
	mkdir "$USERDIR/home"
	policy "$(plant_script "$USERDIR/home")" --arg d "$USERDIR/home" '.filesystem.readwritePaths = [$d]'
	cp "$POLICY" "$USERDIR/policy.json"
	chown -R "$USER_ID" "$USERDIR/home" "$USERDIR/policy.json"
	run --separate-stderr as_user env -u MXCRUN_IMAGES XDG_DATA_HOME="$USERDIR/home/share" timeout -k 5 "$(slow 30)" \
		"$USERDIR/mxcrun" "${BY[@]}" --root "$USERDIR/state" mxc run "$USERDIR/policy.json" </dev/null 3>&-
	contains "$output" fine
	lacks "$output" "planted share"
	lacks "$output" "moved share"
	lacks "$output" "replaced share"
	equal "$(find "$USERDIR"/home/share* | wc -l)" 3
	[ -d "$USERDIR/home/share/mxcrun/images" ]
}

@test "/etc/mxcrun is not the sandbox's to make, nor to change" {
	requires root
	local etc=$BATS_TEST_TMPDIR/etc present
	policy 'mkdir /etc/mxcrun 2>/dev/null; echo "{}" >/etc/mxcrun/mxcrun.json && echo configured; mkdir -p /etc/mxcrun/policy.d && echo made; mv /etc/mxcrun /etc/gone && echo moved
		echo x >/etc/planted && echo wrote' '.filesystem.readwritePaths = ["/etc"]'
	mkdir "$etc"
	cp -a /etc/passwd /etc/group /etc/nsswitch.conf "$etc/" 2>/dev/null || true
	for present in no yes; do
		run --separate-stderr unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" /etc && shift && exec "$@"' sh "$etc" \
			timeout -k 5 "$(slow 30)" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null 3>&-
		echo "$present: $stderr"
		equal "$output" wrote
		equal "$(stat -c '%a %u' "$etc/mxcrun")" "755 0"
		equal "$(ls -A "$etc/mxcrun")" ""
	done
	# whoever grants nothing around it has nothing made
	rmdir "$etc/mxcrun"
	policy true --arg d "$D" '.filesystem = {readwritePaths: [$d], readonlyPaths: ["/etc"]}'
	unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" /etc && shift && exec "$@"' sh "$etc" \
		timeout -k 5 "$(slow 30)" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null 3>&-
	[ ! -e "$etc/mxcrun" ]
}

@test "a link to what is the runtime's own, in a folder that is granted for writing, is refused" {
	local around=$BATS_TEST_TMPDIR/around
	mkdir -p "$around" "$BATS_TEST_TMPDIR/elsewhere/owner"
	echo '{}' >"$BATS_TEST_TMPDIR/elsewhere/owner/mxcrun.json"
	ln -s ../elsewhere/owner "$around/owner"
	policy 'echo ran' --arg d "$around" '.filesystem.readwritePaths = [$d]'
	run --separate-stderr rt --admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null
	assert_mxc_refused "$around/owner" "could replace it"
	run --separate-stderr rt --admin-config "$BATS_TEST_TMPDIR/elsewhere/owner/mxcrun.json" mxc run "$POLICY" </dev/null
	equal "$output" ran
	policy 'echo ran' --arg d "$around" '.filesystem.readonlyPaths = [$d]'
	run --separate-stderr rt --admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null
	equal "$output" ran
}

# Whatever leads to it in a grant: mounts of all and of a part, and hard links.
other_names() { # FOLDER
	own_folder "$1"
	mkdir -p "$1/state/c" "$1/names/more"/{records,policies,links}
	echo secret >"$1/state/c/record"
	touch "$1/names/record" "$1/names/policy"
	ln "$1/state/c/record" "$1/names/more/links/record"
	ln "$1/deep/er/policy.json" "$1/names/more/links/policy"
	ln "$1/owner/policy.d/a.json" "$1/names/more/links/a"
	policy "cd $1/names"'
ls more/records; cat record more/records/c/record more/links/record
for f in policy more/policies/a.json more/policies/new more/links/policy more/links/a; do { echo x >>$f; } 2>/dev/null && echo wrote $f; done
mv more gone && echo moved; mv more/links more/others && echo moved; echo fine >more/fine; cat more/fine policy; grep -c commandLine more/links/policy' \
		--arg d "$1" '.filesystem.readwritePaths = [$d + "/names"]'
	cp "$POLICY" "$1/deep/er/policy.json"
}

mount_names() { # FOLDER COMMAND...: in a mount namespace of its own
	unshare -m sh -c 'mount --make-rprivate / && cd "$0" && mount --bind state names/more/records && mount --bind state/c/record names/record &&
		mount --bind owner/policy.d names/more/policies && mount --bind owner/policy.d/a.json names/policy && cd / && exec "$@"' "$@"
}

@test "another mount or a hard link of what is the runtime's own gives no more than its name does" {
	requires root
	local around=$BATS_TEST_TMPDIR/around args
	other_names "$around"
	mapfile -t args < <(own_options "$around" run)
	run --separate-stderr mount_names "$around" env MXCRUN_IMAGES="$around/images" timeout -k 5 "$(slow 30)" "$around/bin/mxcrun" "${BY[@]}" "${args[@]}" </dev/null 3>&-
	equal "$status $output" "0 fine
{}
1"
	lacks "$stderr" "No such file"
	cmp "$POLICY" "$around/deep/er/policy.json"
	equal "$(cat "$around"/owner/policy.d/*)" "{}"
	# what holds them is bound by identity: something else in its place is refused
	mapfile -t args < <(own_options "$around" plan)
	run --separate-stderr mount_names "$around" env MXCRUN_IMAGES="$around/images" "$around/bin/mxcrun" "${BY[@]}" "${args[@]}"
	equal "$(jq -c '[.mounts[] | select(.kind == "bind" and (.destination | startswith($d)) and .sourceIno == 0) | .destination]' --arg d "$around" <<<"$output")" "[]"
	# nor are they granted by such a name
	local name
	for name in more/records more/records/c record more/links/record; do
		policy 'echo ran' --arg d "$around/names/$name" '.filesystem.readonlyPaths = [$d]'
		run --separate-stderr mount_names "$around" "$around/bin/mxcrun" "${BY[@]}" --root "$around/state" mxc run "$POLICY" </dev/null 3>&-
		assert_mxc_refused /filesystem/readonlyPaths/0 "the runtime's own records"
	done
	policy 'echo ran' --arg d "$around/names" '.filesystem = {readwritePaths: [$d + "/more/policies"], readonlyPaths: [$d]}'
	run --separate-stderr mount_names "$around" "$around/bin/mxcrun" "${BY[@]}" --root "$STATE" --admin-config "$around/owner/mxcrun.json" mxc run "$POLICY" </dev/null 3>&-
	assert_mxc_refused /filesystem/readwritePaths/0 "which no sandbox writes to"
}

@test "an ordinary user's own things are held by their hard links, too" {
	make_user
	local around=$USERDIR/around args
	own_folder "$around"
	mkdir "$around/names"
	ln "$around/deep/er/policy.json" "$around/names/policy"
	policy "cd $around/names; echo x >>policy; echo fine >fine; cat fine" --arg d "$around/names" '.filesystem.readwritePaths = [$d]'
	cp "$POLICY" "$around/deep/er/policy.json"
	chown -R "$USER_ID" "$around"
	mapfile -t args < <(own_options "$around" run)
	run --separate-stderr as_user env MXCRUN_IMAGES="$around/images" timeout -k 5 "$(slow 30)" "$around/bin/mxcrun" "${BY[@]}" "${args[@]}" </dev/null 3>&-
	equal "$status $output" "0 fine"
	cmp "$POLICY" "$around/names/policy"
}

@test "with --root the records in the place that is nobody's choice are out of reach, too" {
	requires root
	local run=$BATS_TEST_TMPDIR/run present
	mkdir -p "$run"
	policy 'mkdir -p /run/mxcrun/forged && echo forged; ls /run/mxcrun && echo listed; mv /run/mxcrun /run/gone && echo moved; echo fine >/run/fine && cat /run/fine' \
		'.filesystem.readwritePaths = ["/run"]'
	on_run() { unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" /run && shift && exec "$@"' sh "$run" timeout -k 5 "$(slow 30)" \
		"$MXCRUN" "${BY[@]}" --root "$STATE" "$@" </dev/null 3>&-; }
	for present in no yes; do
		run --separate-stderr on_run mxc run "$POLICY"
		echo "$present: $stderr"
		equal "$status $output" "0 fine"
		equal "$(stat -c '%a %u' "$run/mxcrun") $(ls -A "$run/mxcrun")" "700 0 "
	done
	mkdir "$run/mxcrun/demo"
	policy 'echo ran' '.filesystem.readonlyPaths = ["/run/mxcrun/demo"]'
	run --separate-stderr on_run mxc run "$POLICY"
	assert_mxc_refused /filesystem/readonlyPaths/0 "the runtime's own records"
}

@test "with --root an ordinary user's records in XDG_RUNTIME_DIR are out of reach, too" {
	make_user
	mkdir "$USERDIR/session"
	policy "mkdir -p $USERDIR/session/mxcrun/forged && echo forged; mv $USERDIR/session/mxcrun $USERDIR/session/gone && echo moved; echo fine" \
		--arg d "$USERDIR/session" '.filesystem.readwritePaths = [$d]'
	cp "$POLICY" "$USERDIR/policy.json"
	chown -R "$USER_ID" "$USERDIR/session" "$USERDIR/policy.json"
	run --separate-stderr as_user env XDG_RUNTIME_DIR="$USERDIR/session" timeout -k 5 "$(slow 30)" "$USERDIR/mxcrun" "${BY[@]}" --root "$USERDIR/state" \
		mxc run "$USERDIR/policy.json" </dev/null 3>&-
	equal "$status $output" "0 fine"
	equal "$(stat -c %a "$USERDIR/session/mxcrun") $(ls -A "$USERDIR/session")" "700 mxcrun"
}

# As a sandbox with an earlier policy may have left it, in which the whole folder could be written to.
@test "a link out of what is granted for writing is not granted by its name in there" {
	local key
	mkdir "$D/rw/real" "$BATS_TEST_TMPDIR/outside"
	echo outside >"$BATS_TEST_TMPDIR/outside/file"
	ln -s "$BATS_TEST_TMPDIR/outside" "$D/rw/docs"
	ln -s real "$D/rw/inside"
	for key in readonlyPaths readwritePaths; do
		policy 'echo ran' --arg d "$D/rw" --arg k "$key" '.filesystem.readwritePaths = [$d] | .filesystem[$k] += [$d + "/docs"]'
		run_policy
		assert_mxc_refused "$D/rw/docs" "a sandbox could have made it"
	done
	# by its own path, or where it is granted anyhow, or where nobody could have made the link
	policy true --arg d "$D/rw" --arg o "$BATS_TEST_TMPDIR/outside" '.filesystem = {readwritePaths: [$d], readonlyPaths: [$o, $d + "/docs"]}'
	run_policy --dry-run
	equal "$status" 0
	policy "cat $D/rw/docs/file" --arg d "$D/rw" --arg o "$BATS_TEST_TMPDIR/outside" '.filesystem = {readwritePaths: [$d], readonlyPaths: [$o]}'
	run_policy
	equal "$status $output" "0 outside"
	policy true --arg d "$D/rw" '.filesystem = {readwritePaths: [$d], readonlyPaths: [$d + "/inside"]}'
	run_policy --dry-run
	equal "$status" 0
	policy "cat $D/rw/docs/file" --arg d "$D/rw" '.filesystem.readonlyPaths = [$d + "/docs"]'
	run_policy
	equal "$status $output" "0 outside"
}

@test "denied paths are listed and give EACCES to everything, also as root" {
	policy "$(denied_script)" --arg d "$D" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/secret", $d + "/file"]}'
	run_policy
	assert_denied
	equal "$(cat "$D/secret/file" "$D/file")" "secret
top"
}

@test "denied paths are the same to an ordinary user" {
	make_user
	cp -r "$D" "$USERDIR/data"
	chown -R "$USER_ID" "$USERDIR"
	D=$USERDIR/data
	policy "$(denied_script)" --arg d "$D" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/secret", $d + "/file"]}'
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	assert_denied
	equal "$(cat "$D/secret/file" "$D/file")" "secret
top"
}

# The same modes as they have, lest a failure of this test should be one of the host.
@test "root's sandbox changes nothing of the host's device nodes, and uses them" {
	requires root
	policy 'for f in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /proc/keys /proc/timer_list /dev/stdin; do
			chmod 666 $f 2>/dev/null && echo changed $f; chown 0 $f 2>/dev/null && echo owned $f; done
		touch -d 2020-01-01 /dev/zero 2>/dev/null && echo touched
		echo x >/dev/null && echo x >/dev/zero && echo x >/dev/urandom && echo written; head -c 2 /dev/zero | wc -c; cat'
	run_policy
	equal "$status $output" "0 written
2"
}

# Root's sandbox would leave a program by which anybody is root.
@test "no set-user-ID file is made by who may write to the host" {
	local script='for f in $DIR/file /tmp/file; do touch $f; chmod 4755 $f 2>/dev/null && echo made $f; chmod u+s $f 2>/dev/null && echo made $f
			chmod 2755 $f && chmod 1755 $f && chmod 700 $f || echo refused $f; done; cp /bin/sh $DIR/sh && chmod 755 $DIR/sh && $DIR/sh -c "echo fine"' profile
	local names='["chmod", "fchmod", "fchmodat", "fchmodat2", "mknod", "mknodat", "creat", "open", "openat", "openat2"]'
	jq -n '{defaultAction: "SCMP_ACT_ALLOW"}' >"$D/open.json"
	jq -n "{defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: ($names + [\"ioctl\", \"read\"]), action: \"SCMP_ACT_ALLOW\"}, {names: [\"mknod\"], action: \"SCMP_ACT_KILL\"}]}" >"$D/named.json"
	for profile in default denylist "$D/open.json" "$D/named.json"; do
		policy "DIR=$D/rw; $script" --arg d "$D/rw" --arg p "$profile" '.filesystem.readwritePaths = [$d] | .bubblewrap.seccompProfile = $p'
		run_policy
		equal "$status $output" "0 fine"
		equal "$(find "$D" -perm /4000)" ""
	done
	# what a file says of the mode would stand beside what is said of it here
	jq -n '{defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ["fchmodat"], action: "SCMP_ACT_ALLOW", args: [{index: 2, value: 511, op: "SCMP_CMP_LE"}]}]}' >"$D/mode.json"
	policy true --arg d "$D/rw" --arg p "$D/mode.json" '.filesystem.readwritePaths = [$d] | .bubblewrap.seccompProfile = $p'
	run_policy
	[ "$status" != 0 ] && contains "$stderr" "a rule that lets fchmodat pass can't ask for its argument 2"
	# what is the sandbox's own goes with it
	policy 'touch /tmp/file && chmod 4755 /tmp/file && stat -c %a /tmp/file' --arg d "$D/ro" '.filesystem.readonlyPaths = [$d]'
	run_policy
	equal "$status $output" "0 4755"
}

# What one run moves away would be open to the next, which restricts by name.
move_script() { # FOLDER
	echo "cd $1/rw; mv deep gone && echo moved; mv deep/er deep/gone && echo moved; mkdir -p deep/er/secret deep/er/docs
		cat gone/er/secret/file deep/gone/secret/file; echo x >gone/er/docs/file; echo x >deep/er/docs/file; echo fine >deep/er/fine && mv deep/er/fine . && cat fine && rm fine"
}

assert_not_moved() { # FOLDER
	equal "$status $output" "0 fine"
	equal "$(cat "$1/rw/deep/er/secret/file" "$1/rw/deep/er/docs/file")" "secret
docs"
}

deep_folders() { # FOLDER
	mkdir -p "$1/rw/deep/er/secret" "$1/rw/deep/er/docs"
	echo secret >"$1/rw/deep/er/secret/file"
	echo docs >"$1/rw/deep/er/docs/file"
	policy "$(move_script "$1")" --arg d "$1/rw" '.filesystem = {readwritePaths: [$d], readonlyPaths: [$d + "/deep/er/docs"], deniedPaths: [$d + "/deep/er/secret"]}'
}

@test "the folders above what is denied or read-only can't be moved away for the next run" {
	deep_folders "$D"
	local round
	for round in 1 2; do
		run_policy
		assert_not_moved "$D"
	done
	# nor from a grant inside of the grant
	policy "$(move_script "$D")" --arg d "$D/rw" '.filesystem = {readwritePaths: [$d, $d + "/deep/er"], readonlyPaths: [$d + "/deep/er/docs"], deniedPaths: [$d + "/deep/er/secret"]}'
	for round in 1 2; do
		run_policy
		assert_not_moved "$D"
	done
	# a folder above nothing restricted is free
	policy "cd $D/rw; mv deep gone && mv gone deep && echo moved" --arg d "$D/rw" '.filesystem.readwritePaths = [$d]'
	run_policy
	equal "$status $output" "0 moved"
}

@test "an ordinary user's sandbox moves no folder above what is denied, either" {
	make_user
	deep_folders "$USERDIR"
	cp "$POLICY" "$USERDIR/policy.json"
	chown -R "$USER_ID" "$USERDIR/rw" "$USERDIR/policy.json"
	local round
	for round in 1 2; do
		run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
		assert_not_moved "$USERDIR"
	done
}

@test "without the denial the same attempts succeed" {
	policy "$(denied_script)" --arg d "$D" '.filesystem = {readwritePaths: [$d]}'
	run_policy
	contains "$output" READ
	contains "$output" ENTERED
	contains "$output" MOVED
	lacks "$output" UNMOUNTED
}

@test "the most specific path wins, however the lists are written" {
	mkdir -p "$D/t/a/b/c"
	echo 1 >"$D/t/a/b/c/f"
	echo 2 >"$D/t/a/f"
	policy "cat $D/t/a/b/c/f; echo x >$D/t/new && echo top written; echo x >$D/t/a/b/c/new || echo deep refused
		cat $D/t/a/f || echo a denied; ls $D/t/a" --arg d "$D" '.filesystem = {
			deniedPaths: [$d + "/t/a"], readonlyPaths: [$d + "/t/a/b", $d + "/bin"], readwritePaths: [$d + "/t"]}'
	run_policy
	contains "$output" "1
top written
deep refused
a denied"
	policy "echo x >$D/t/a/b/c/w && echo deep written; echo x >$D/t/a/b/w || echo refused; echo x >$D/t/w || echo refused" \
		--arg d "$D" '.filesystem = {readwritePaths: [$d + "/t/a/b/c"], readonlyPaths: [$d + "/t"]}'
	run_policy
	equal "$output" "deep written
refused
refused"
	policy "cat $D/t/a/f; cat $D/t/a/b/c/f || echo denied" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d + "/t"], deniedPaths: [$d + "/t/a/b"]}'
	run_policy
	equal "$output" "2
denied"
}

@test "on one path denied beats read-only beats read-write, also with a slash at the end" {
	policy "cat $D/rw/file || echo denied; cat $D/ro/file; echo x >$D/ro/x || echo refused" --arg d "$D" '.filesystem = {
		readwritePaths: [$d + "/rw", $d + "/ro/"], readonlyPaths: [$d + "/rw/", $d + "/ro"], deniedPaths: [$d + "/rw"]}'
	run_policy
	equal "$output" "denied
ro
refused"
}

@test "denial follows the object: a symlink names its target, another name of it is denied too" {
	ln -s secret/file "$D/link"
	ln -s secret "$D/dirlink"
	policy "cat $D/link || echo 1; cat $D/secret/file || echo 2; cat $D/file" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/link"]}'
	run_policy
	equal "$output" "1
2
top"
	policy "cat $D/dirlink/file || echo 1; cat $D/secret/file || echo 2" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d, $d + "/dirlink"], deniedPaths: [$d + "/secret"]}'
	run_policy
	equal "$output" "1
2"
}

@test "a denied object is denied through every mount and every hard link that shows it" {
	requires root
	mkdir -p "$D"/{rw/all,rw/part,ro/again,deep/sub}
	echo deep >"$D/deep/sub/file"
	ln "$D/deep/sub/file" "$D/rw/hard"
	mount --bind "$D" "$D/rw/all"
	mount --bind "$D/deep/sub" "$D/rw/part"
	mount --bind "$D/secret" "$D/ro/again"
	local script="cat $D/rw/hard $D/rw/all/deep/sub/file $D/rw/part/file $D/ro/again/file $D/rw/all/secret/file; cat $D/rw/all/rw/hard; cat $D/rw/file"
	policy "$script" --arg d "$D" '.filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"]}'
	run_policy
	local before=$output
	policy "$script" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"], deniedPaths: [$d + "/deep", $d + "/secret"]}'
	run_policy
	umount "$D/ro/again" "$D/rw/part" "$D/rw/all"
	equal "$before" "deep
deep
deep
secret
secret
deep
rw"
	equal "$output" rw
	equal "$(grep -c "Permission denied" <<<"$stderr")" 6
}

@test "what is granted read-only stays so where another mount shows it" {
	requires root
	mkdir "$D/rw/ro"
	mount --bind "$D/ro" "$D/rw/ro"
	policy "echo x >$D/rw/ro/file || echo refused; echo x >$D/rw/new && echo written" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"]}'
	run_policy
	umount "$D/rw/ro"
	equal "$output" "refused
written"
	equal "$(cat "$D/ro/file")" ro
}

@test "what is refused without a search for other names is refused at once" {
	policy true '.filesystem.deniedPaths = ["/"]'
	local start=$SECONDS
	run_policy
	assert_mxc_refused /filesystem/deniedPaths/0 "leaves nothing that could run"
	# a walk over the whole host takes longer
	[ $((SECONDS - start)) -le "$(slow 3)" ]
}

@test "a denied path that leads to a name which isn't UTF-8 is denied as any other" {
	local odd
	printf -v odd '%s/odd\xff' "$D"
	mkdir "$odd"
	echo secret >"$odd/file"
	ln -s "$odd" "$D/link"
	policy "cat $D/odd*/file $D/link/file; echo end" --arg d "$D" '.filesystem.readonlyPaths = [$d]'
	run_policy
	equal "$output" $'secret\nsecret\nend'
	policy "cat $D/odd*/file $D/link/file; echo end" --arg d "$D" '.filesystem = {readonlyPaths: [$d], deniedPaths: [$d + "/link"]}'
	run_policy
	equal "$output" end
	rt plan --mxc "$POLICY" | jq -e '[.policy.items[] | select(.enforced == "denied")] | length == 1'
}

@test "a limit of the address space is named" {
	policy 'echo ran'
	run --separate-stderr bash -c 'ulimit -v 30000; exec "$@"' bash "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null 3>&-
	equal "$status" 255
	contains "$stderr" "raise ulimit -v"
}

@test "a hard link that can't be looked for: the policy is refused" {
	requires root
	make_user
	mkdir -p "$USERDIR"/{rw,closed}
	echo secret >"$USERDIR/closed/file"
	chmod 644 "$USERDIR/closed/file"
	chmod 700 "$USERDIR/closed"
	ln "$USERDIR/closed/file" "$USERDIR/rw/link"
	chown "$USER_ID" "$USERDIR/rw"
	policy "cat $USERDIR/rw/link" --arg d "$USERDIR" '.filesystem = {readonlyPaths: [$d + "/rw"], deniedPaths: [$d + "/closed"]}'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	assert_mxc_refused deniedPaths "$USERDIR/rw/link"
	rm "$USERDIR/rw/link"
	echo own >"$USERDIR/rw/link"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	equal "$output" own
}

@test "set-uid, or root on behalf of a user, it has no more rights than the one who asks" {
	requires root
	make_user
	mkdir -m 700 "$USERDIR/roots"
	chown 0:0 "$USERDIR/roots"
	cp "$MXCRUN" "$USERDIR/setuid"
	chmod 4755 "$USERDIR/setuid"
	policy 'id -u; cat /etc/shadow'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr as_user "$USERDIR/setuid" --root "$USERDIR/state" mxc run "$USERDIR/policy.json" </dev/null
	equal "$output" "$USER_ID"
	contains "$stderr" "Permission denied"
	policy 'echo ran' --arg d "$USERDIR" '.filesystem.readonlyPaths = [$d + "/roots"]'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr as_user "$USERDIR/setuid" --root "$USERDIR/state" mxc run "$USERDIR/policy.json" </dev/null
	assert_mxc_refused "exceeds your own rights"
	run --separate-stderr setpriv --ruid "$USER_ID" --clear-groups "$MXCRUN" "${BY[@]}" --root "$USERDIR/state" mxc run "$USERDIR/policy.json" </dev/null
	assert_mxc_refused "exceeds your own rights"
	run --separate-stderr "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$USERDIR/policy.json" </dev/null
	equal "$output" ran
}

@test "a denied path in the system's own folders" {
	policy "ls -d /etc/passwd /usr/share; cat /etc/passwd || echo 1; ls /usr/share || echo 2; cat /etc/group | wc -l | grep -v '^0'" \
		'.filesystem.deniedPaths = ["/etc/passwd", "/usr/share"]'
	run_policy
	contains "$output" "/etc/passwd
/usr/share
1
2"
}

@test "a denied path that does not exist stays out of reach, and leaves no trace on the host" {
	policy "mkdir -p $D/rw/later/x; echo x >$D/rw/later/x/f; cat $D/rw/later/x/f && echo READ; cat $D/rw/file" --arg d "$D" \
		'.filesystem = {readwritePaths: [$d + "/rw"], deniedPaths: [$d + "/rw/later"]}'
	run_policy
	if [ "$status" -eq 255 ]; then
		assert_mxc_refused later
	else
		lacks "$output" READ
		contains "$output" rw
	fi
	[ ! -e "$D/rw/later" ]
}

@test "a granted path that does not exist is refused by name" {
	policy 'echo ran' --arg d "$D" '.filesystem.readonlyPaths = [$d + "/absent"]'
	run_policy
	assert_mxc_refused absent
	policy 'echo ran' --arg d "$D" '.filesystem.readwritePaths = [$d + "/absent"]'
	run_policy
	assert_mxc_refused absent
	[ ! -e "$D/absent" ]
}

@test "a symlink loop among denied paths is refused" {
	ln -s loop-b "$D/loop-a"
	ln -s loop-a "$D/loop-b"
	policy 'echo ran' --arg d "$D" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/loop-a"]}'
	run_policy
	assert_mxc_refused loop-a
}

@test "a grant beyond what the user may do is refused; within, it works" {
	requires root
	make_user
	mkdir "$USERDIR/own"
	echo own >"$USERDIR/own/file"
	mkdir -m 700 "$USERDIR/roots"
	mkdir -m 755 "$USERDIR/readable"
	chown -R "$USER_ID" "$USERDIR/own"
	chown 0:0 "$USERDIR/roots" "$USERDIR/readable"
	local filter
	for filter in '{readonlyPaths: [$d + "/roots"]}' '{readwritePaths: [$d + "/readable"]}'; do
		policy 'echo ran' --arg d "$USERDIR" ".filesystem = $filter"
		cp "$POLICY" "$USERDIR/policy.json"
		run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
		assert_mxc_refused "$USERDIR"
	done
	policy "cat $USERDIR/own/file; echo new >$USERDIR/own/new; ls $USERDIR/readable" --arg d "$USERDIR" \
		'.filesystem = {readwritePaths: [$d + "/own"], readonlyPaths: [$d + "/readable"]}'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	equal "$output" own
	equal "$(cat "$USERDIR/own/new")" new
	equal "$(stat -c %u "$USERDIR/own/new")" "$USER_ID"
}

# ---- network ----

@test "isolated: loopback only, the host's ports and its abstract sockets are not reached" {
	local port=$((20000 + RANDOM % 20000)) listener
	busybox nc -l -p "$port" </dev/null >/dev/null 2>&1 3>&- &
	listener=$!
	listens() { grep -qi ":$(printf %04X "$port") .* 0A " /proc/net/tcp /proc/net/tcp6; }
	wait_for 5 listens
	policy "$D/bin/probe connect 127.0.0.1 $port; $D/bin/probe connect 192.0.2.1 80; grep -c . /proc/net/dev; cat /proc/net/route | wc -l" \
		--arg d "$D" '.filesystem.readonlyPaths = [$d + "/bin"]'
	run_policy
	[ -d "/proc/$listener" ]
	"$MXCRUN_TEST_BIN/probe" connect 127.0.0.1 "$port"
	kill "$listener" 2>/dev/null || true
	equal "${lines[0]}" ECONNREFUSED
	equal "${lines[1]}" ENETUNREACH
	[ "${lines[3]}" -le 1 ]
}

@test "the sandbox can use its own loopback" {
	policy '(echo pong | busybox nc -l -p 4444 >/dev/null) & sleep 1; busybox nc 127.0.0.1 4444 </dev/null'
	if ! [ -x /bin/busybox ]; then requires a-busybox-in-/bin; fi
	run_policy
	equal "$output" pong
}

@test "sections that can't be enforced yet are refused by name, never ignored" {
	local filter word
	while read -r word filter; do
		policy 'echo ran' "$filter"
		run_policy
		[ "$status" -eq 1 ] || [ "$status" -eq 255 ]
		[ -z "$output" ]
		contains "$stderr" "$word"
	done <<-'END'
		allowedHosts .network = {defaultPolicy: "block", allowedHosts: ["example.org"]}
		lxc .containment = "lxc" | .lxc = {distribution: "alpine", release: "3.23"}
		wslc .containment = "wslc"
		processcontainer .containment = "processcontainer"
		Multiple .lxc = {distribution: "alpine", release: "3.23"}
	END
}

# ---- beside running ----

@test "validate says whether a configuration is good, and runs nothing" {
	policy "touch $BATS_TEST_TMPDIR/ran"
	run --separate-stderr rt mxc validate "$POLICY"
	equal "$status" 0
	contains "$output" "0.8.0-alpha"
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
	policy true '.process.commandLine = 7'
	run --separate-stderr rt mxc validate "$POLICY"
	assert_mxc_malformed commandLine
	policy true '.filesystem = {readonlyPaths: ["/absent/path"]}'
	run --separate-stderr rt mxc validate "$POLICY"
	assert_mxc_refused /absent/path
	run --separate-stderr rt mxc validate
	equal "$status" 1
	contains "$stderr" "No config provided"
}

@test "as lxc-exec: --available-backends, --delete, and flags of other systems" {
	local name=$BATS_TEST_TMPDIR/lxc-exec
	ln -s "$MXCRUN" "$name"
	run --separate-stderr "$name" --available-backends
	equal "$status" 0
	equal "$(jq -r ".[].backend" <<<"$output")" $'bubblewrap\nlxc'
	equal "$(jq -c '[.[].capabilities]' <<<"$output")" '[["proxyEnforcement"],["proxyEnforcement"]]'
	run --separate-stderr "$name" --delete
	equal "$status" 1
	contains "$stderr" "Error: --containername"
	run --separate-stderr env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR" "$name" --delete --containername "$TAG-absent"
	equal "$status" 1
	equal "$output" "Container '$TAG-absent' does not exist."
	run --separate-stderr "$name" --available-backends "$POLICY" and more
	equal "$status" 0
	run --separate-stderr "$name" --force
	equal "$status" 2
	run --separate-stderr "$name" --setup-hyperlight --force
	equal "$status" 1
	contains "$stderr" hyperlight
}

# ---- limits: the section of our own ----

# The group of the sandbox, seen from outside while it runs.
sandbox_group() {
	local pid
	pid=$(grep -lsa "MXCRUN_TEST_TAG=$TAG" /proc/[0-9]*/environ | head -n 1)
	pid=${pid#/proc/}
	[ -z "$pid" ] || cgroup_dir "${pid%/environ}" "$1"
}

@test "resources: memory, cpus and processes are limited by the sandbox's cgroup" {
	requires root
	policy 'sleep 1000' '.bubblewrap = {resources: {memoryMb: 64, cpuCount: 2, pids: 20}}'
	rt mxc run "$POLICY" </dev/null >/dev/null 2>&1 &
	in_group() { [ -n "$(sandbox_group memory)" ]; }
	wait_for 10 in_group
	equal "$(cat "$(sandbox_group memory)"/memory.{limit_in_bytes,max} 2>/dev/null)" 67108864
	equal "$(cat "$(sandbox_group pids)/pids.max")" 20
	contains "$(cat "$(sandbox_group cpu)"/cpu.{cfs_quota_us,max} 2>/dev/null)" 200000
	kill "$(pgrep -f "mxc run $POLICY" | head -n 1)"
	wait
}

@test "resources have their effect: a hog is killed, a modest program is not" {
	requires root
	cp "$MXCRUN_TEST_BIN/probe" "$BATS_TEST_TMPDIR/probe"
	policy "$BATS_TEST_TMPDIR/probe dirty 100000000; echo \"hog \$?\"; $BATS_TEST_TMPDIR/probe dirty 1000000; echo \"modest \$?\"" \
		--arg dir "$BATS_TEST_TMPDIR" '.filesystem.readonlyPaths = [$dir] | .bubblewrap.resources.memoryMb = 32'
	run_policy
	contains "$output" "hog 137"
	contains "$output" "modest 0"
	policy 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done; echo all' '.bubblewrap.resources.pids = 6'
	run_policy
	lacks "$output" all
}

@test "resources that make no sense, or that this host can't limit, are refused by name" {
	policy true '.bubblewrap.resources.memoryMb = 0'
	run_policy
	assert_mxc_refused /bubblewrap/resources/memoryMb
	policy true '.bubblewrap.resources.memory = 5'
	run_policy
	assert_mxc_malformed memory
	policy true '.bubblewrap.resources.cpuCount = "two"'
	run_policy
	assert_mxc_malformed cpuCount
	policy true '.containment = "seatbelt" | .bubblewrap = {}'
	run_policy
	assert_mxc_malformed "Multiple containment backends configured"
	[ "$(id -u)" = 0 ] || return 0
	policy true '.bubblewrap.resources.pids = 5'
	run --separate-stderr rt --cgroup-manager disabled mxc run "$POLICY" </dev/null
	assert_mxc_refused /bubblewrap/resources/pids
}

@test "resources of an ordinary user without a delegated group are refused, not dropped" {
	requires root
	make_user
	policy true '.bubblewrap.resources.pids = 5'
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	equal "$status" 255
	contains "$stderr" /bubblewrap/resources
}
