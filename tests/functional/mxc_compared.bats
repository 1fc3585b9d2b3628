#!/usr/bin/env bats
# mxc_compared.bats - what a workload finds under MXC's own executor and under ours, by the same attempts, as a table: it is
# docs/mxc-compared.md. MXC's side is what its executor starts, run by the real bwrap: new user, pid, ipc, uts and network namespaces, the view,
# the lists in their order, the variables, the shell (since 1.0 with --die-with-parent). UPDATE_DOCS=1 writes the table anew.

load helpers
GUARDS="root jq mxcrun native bwrap"

test_setup() {
	PAGE=$here/../../docs/mxc-compared.md
	[ -e "$PAGE" ] || [ -n "${UPDATE_DOCS-}" ] || skip "needs the source tree"
	make_user
	# caller's secret and descriptor
	export MXT_SECRET=from-the-caller
	remember_sandboxes
}

test_teardown() { assert_no_new_sandboxes; }

# A fresh folder of the policy's, owned by whoever calls.
make_place() {
	D=$USERDIR/$1
	mkdir -p "$D"/{ro,rw/denied}
	echo hidden >"$D/secret"
	echo hidden >"$D/rw/denied/file"
	ln "$D/secret" "$D/rw/link"
	echo kept >"$D/ro/file"
	[ "$2" = root ] || chown -R "$USER_ID:$USER_ID" "$D"
}

# What the workload tries: a line "what: word" each.
attempts='
status() { awk -F ":[ \t]*" -v key="$1" "\$1 == key { print \$2 }" /proc/self/status; }
is() { echo "$1: $2"; }
set_of() { [ "$(status "$1" | tr -d 0)" ] && echo held || echo none; }
try() { what=$1 yes=$2 no=$3; shift 3; if "$@" >/dev/null 2>&1; then is "$what" "$yes"; else is "$what" "$no"; fi; }
is "capabilities it can use" "$(set_of CapEff)"
is "capabilities it could get (bounding set)" "$(set_of CapBnd)"
is "no_new_privs" "$([ "$(status NoNewPrivs)" = 1 ] && echo set || echo "not set")"
is "system call filter" "$([ "$(status Seccomp)" = 2 ] && echo yes || echo none)"
try "a user namespace of its own, with every capability" "made" "refused" unshare -U true
try "io_uring, bpf and others of their kind" "reachable" "refused" sh -c "python3 -c \"import ctypes, errno, sys; l = ctypes.CDLL(None, use_errno=True); l.syscall(425, 1, 0); sys.exit(ctypes.get_errno() in (errno.ENOSYS, errno.EPERM))\""
is "session" "$([ "$(awk "{ print \$6 }" /proc/self/stat)" = 0 ] && echo "the caller'"'"'s" || echo "its own")"
is "descriptors beside 0, 1 and 2" "$(ls /proc/$$/fd | grep -qx 37 && echo "the caller'"'"'s" || echo none)"
try "the caller'"'"'s environment, in /proc/1/environ" "readable" "not there" grep -qsa from-the-caller /proc/1/environ
try "a value of env, on the command line of pid 1" "shown" "not there" grep -qsa given-value /proc/1/cmdline
is "a denied folder" "$(if ls "$D/rw/denied" >/dev/null 2>&1; then echo "empty"; else echo "permission denied"; fi)"
try "a file made in a denied folder" "made" "refused" touch "$D/rw/denied/new"
try "a denied file, by a hard link in a granted folder" "read" "refused" grep -q hidden "$D/rw/link"
try "umount of what covers a denied folder, and its content" "read" "refused" sh -c "umount $D/rw/denied && grep -q hidden $D/rw/denied/file"
try "remount of a read-only grant, and a change of the host'"'"'s file" "changed" "refused" sh -c "mount -o remount,bind,rw $D/ro; echo changed >$D/ro/file"
'

by_whom() {
	if [ "$1" = root ]; then shift; "$@"; else shift; as_user "$@"; fi
}

# The executor of MXC: its helper's arguments, and a shell in its own place.
mxc_arguments() {
	local path
	printf '%s\n' --unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-net "$@" --tmpfs /
	for path in /bin /sbin /usr/bin /usr/sbin /lib /lib32 /lib64 /libx32 /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/share /etc \
		/run/systemd/resolve; do
		[ ! -e "$path" ] || printf '%s\n' --ro-bind "$(readlink -f "$path")" "$path"
	done
	printf '%s\n' --symlink /run /var/run --dev /dev --proc /proc --tmpfs /tmp \
		--bind "$D/rw" "$D/rw" --ro-bind "$D/ro" "$D/ro" --tmpfs "$D/rw/denied" --ro-bind /dev/null "$D/secret" \
		--chdir / --unsetenv PWD
}

run_mxc() { # WHO COMMAND [argument of bwrap]...
	local who=$1 command=$2 arguments
	shift 2
	mapfile -t arguments < <(mxc_arguments "$@")
	by_whom "$who" timeout -k 5 "$(slow 30)" env MXT_SECRET=from-the-caller bwrap "${arguments[@]}" --clearenv \
		--setenv PATH /usr/bin:/bin:/usr/sbin:/sbin --setenv D "$D" --setenv VALUE given-value --setenv MXCRUN_TEST_TAG "$TAG" \
		-- sh -c "$command" 37</ </dev/null 3>&- 4>&-
}

run_ours() { # WHO COMMAND
	local who=$1 command=$2
	policy "$command" --arg d "$D" '.process.env = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "D=" + $d, "VALUE=given-value"] + [.process.env[1]]
		| .filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"], deniedPaths: [$d + "/rw/denied", $d + "/secret"]}'
	cp "$POLICY" "$D.json"
	chmod 644 "$D.json"
	by_whom "$who" timeout -k 5 "$(slow 30)" env MXT_SECRET=from-the-caller "$USERDIR/mxcrun" --root "$(state_of "$who")" mxc run "$D.json" \
		37</ </dev/null 3>&- 4>&-
}
state_of() { if [ "$1" = root ]; then echo "$STATE"; else echo "$USERDIR/state"; fi; }

# Does the workload outlive an executor that is killed?
after_kill() { # COMMAND...: in the background, ends up as "sleep 1234"
	local executor
	"$@" >/dev/null 2>&1 &
	sleeper() { pgrep -f '^sleep 1234$'; }
	wait_for 10 sleeper >&2
	# Its helper's parent is what MXC's executor would be.
	executor=$(pgrep -f "^(/bin/sh )?$USERDIR/(executor|mxcrun)" | head -n 1)
	kill -9 "$executor"
	if wait_for 3 refused sleeper >/dev/null 2>&1; then echo ends; else echo "lives on"; fi
	pkill -9 -f '^sleep 1234$' || true
	wait 2>/dev/null || true
}

executor_mxc() {
	local arguments
	printf '#!/bin/sh\nbwrap "$@"; :\n' >"$USERDIR/executor"
	chmod 755 "$USERDIR/executor"
	mapfile -t arguments < <(mxc_arguments "${@:2}")
	by_whom "$1" "$USERDIR/executor" "${arguments[@]}" --setenv MXCRUN_TEST_TAG "$TAG" -- sh -c 'exec sleep 1234' </dev/null 3>&- 4>&-
}
executor_ours() { run_ours "$1" 'exec sleep 1234'; }

# The words of one who: a line "what<TAB>0.8<TAB>1.0<TAB>ours".
lines_of() {
	local who=$1 version
	for version in old new ours; do
		make_place "$who-$version" "$who"
		case $version in
		old) run_mxc "$who" "$attempts" ;;
		new) run_mxc "$who" "$attempts" --die-with-parent ;;
		ours) run_ours "$who" "$attempts" ;;
		esac >"$BATS_TEST_TMPDIR/$who.$version"
		case $version in
		old) echo "the workload, when the executor is killed: $(after_kill executor_mxc "$who")" ;;
		new) echo "the workload, when the executor is killed: $(after_kill executor_mxc "$who" --die-with-parent)" ;;
		ours) echo "the workload, when the executor is killed: $(after_kill executor_ours "$who")" ;;
		esac >>"$BATS_TEST_TMPDIR/$who.$version"
	done
	# of the one that was killed
	by_whom "$who" "$USERDIR/mxcrun" --root "$(state_of "$who")" gc >/dev/null
	paste -d '\t' "$BATS_TEST_TMPDIR/$who.old" <(sed 's/.*: //' "$BATS_TEST_TMPDIR/$who.new") <(sed 's/.*: //' "$BATS_TEST_TMPDIR/$who.ours") |
		sed 's/: \([^:]*\)$/\t\1/'
}

table() {
	local what old new ours user_old user_new user_ours
	echo "| what the workload finds or tries | MXC 0.8, root | MXC 1.0, root | mxcrun, root | MXC 0.8, user | MXC 1.0, user | mxcrun, user |"
	echo "|---|---|---|---|---|---|---|"
	lines_of root >"$BATS_TEST_TMPDIR/root.lines"
	lines_of user >"$BATS_TEST_TMPDIR/user.lines"
	equal "$(cut -f 1 "$BATS_TEST_TMPDIR/root.lines")" "$(cut -f 1 "$BATS_TEST_TMPDIR/user.lines")" >&2
	paste "$BATS_TEST_TMPDIR/root.lines" <(cut -f 2- "$BATS_TEST_TMPDIR/user.lines") |
		while IFS=$'\t' read -r what old new ours user_old user_new user_ours; do
			echo "| $what | $old | $new | $ours | $user_old | $user_new | $user_ours |"
		done
}

@test "MXC's executor and ours: the table in docs/mxc-compared.md is what a workload finds" {
	requires unshare python3 setpriv
	table >"$BATS_TEST_TMPDIR/table"
	cat "$BATS_TEST_TMPDIR/table"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -eq 18 ]
	if [ -n "${UPDATE_DOCS-}" ]; then
		sed -i '/^|/d' "$PAGE"
		cat "$BATS_TEST_TMPDIR/table" >>"$PAGE"
	fi
	diff <(grep '^|' "$PAGE") "$BATS_TEST_TMPDIR/table"
}
