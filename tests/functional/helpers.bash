# helpers.bash - what every functional test stands on; loaded by each bats file.
#
# Environment: MXCRUN is the runtime's path, MXCRUN_TEST_BIN the folder of mountview, recvtty and the other test programs,
# MXCRUN_TEST_ENGINE the engine that carries out what is tested (all but what is of one engine only), MXCRUN_TEST_SLOW a factor for all time limits (20 in an emulated machine), MXCRUN_TEST_FLAGS global options of the runtime
# for all tests (--systemd-cgroup).
#
# A test has its own folder, its own state directory and its own TAG; every container id and
# every workload's environment bears the TAG, so that teardown can delete all of them and then look for
# anything left: cgroups, mounts, processes, records. What a test compares is read from /proc,
# from the cgroup files or by a workload's own attempt, never from what mxcrun says alone.
# shellcheck shell=bash disable=SC2034

bats_require_minimum_version 1.5.0

here=$(dirname "${BASH_SOURCE[0]}")
: "${MXCRUN:=$here/../../build/gcc/mxcrun}"
: "${MXCRUN_TEST_BIN:=$(dirname "$MXCRUN")/tests/functional}"
: "${MXCRUN_TEST_SLOW:=1}"

for program in "$MXCRUN" "$MXCRUN_TEST_BIN"/{mountview,recvtty,syscall_at,old_kernel,agent,probe}; do
	[ -x "$program" ] || {
		echo "helpers.bash: $program is missing; build it, or set MXCRUN and MXCRUN_TEST_BIN" >&2
		exit 1
	}
done

# The engine that carries out what is tested, as options; the tests of engines choose it themselves.
BY=(${MXCRUN_TEST_ENGINE:+--engine "$MXCRUN_TEST_ENGINE"})

# ---- guards ----

have() { command -v "$1" >/dev/null; }

# criu check is content with a criu that ends what it should save, as 4.1 does on Linux 6.18.
criu_saves() {
	local pid images=$BATS_RUN_TMPDIR/criu saves=no
	mkdir "$images"
	setsid sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	! criu dump --tree "$pid" --images-dir "$images" >/dev/null 2>&1 || saves=yes
	kill -KILL "$pid" 2>/dev/null || true
	echo "$saves"
}

# Tried once in a run of the tests.
criu_works() {
	local word=$BATS_RUN_TMPDIR/criu-works
	[ -e "$word" ] || criu_saves >"$word"
	grep -qx yes "$word"
}

# True when the host has what the word says; the reason for skipping otherwise is in $missing.
host_has() {
	missing="needs $1"
	case $1 in
	root) [ "$(id -u)" = 0 ] ;;
	rootless) [ "$(id -u)" != 0 ] ;;
	cgroup_v1) [ -e /sys/fs/cgroup/memory/tasks ] ;;
	cgroup_v2) [ -e /sys/fs/cgroup/cgroup.controllers ] ;;
	systemd) [ -d /run/systemd/system ] ;;
	freezer) [ -e /sys/fs/cgroup/freezer/tasks ] || [ -e /sys/fs/cgroup/cgroup.controllers ] ;;
	working_criu) missing="needs a criu that works on this kernel" && have criu && criu_works ;;
	apparmor) [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && have apparmor_parser ;;
	# What only the cgroupfs manager does, as it is written.
	cgroupfs) [[ ${MXCRUN_TEST_FLAGS-} != *systemd* ]] ;;
	# Not another runtime that the tests themselves are being tried with.
	mxcrun) [ "${MXCRUN##*/}" = mxcrun ] ;;
	bwrap_overlay) missing="needs bubblewrap 0.11 or later" && have bwrap && bwrap --help | grep -q -e ' --tmp-overlay ' ;;
	# What the engines other than ours refuse; the reason is in docs/engines-matrix.md.
	native) [ "${MXCRUN_TEST_ENGINE:-native}" = native ] ;;
	*) have "$1" ;;
	esac
}

requires() {
	local need missing
	for need; do
		host_has "$need" || skip "$missing"
	done
}

# What docs/engines-matrix.md has of an item, as the program itself prints it: "**refused**: ...", "differs: ...".
matrix_of() { # ENGINE ITEM
	"$MXCRUN" emit --matrix | awk -F' *[|] *' -v column="--engine $1" -v item="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		$2 == item { print $at }'
}

# Does the matrix say of this item that the engine under test refuses it, or does it differently? Then its words are in $row. An item
# that the matrix does not have is 2.
differs_by() {
	row=
	[ -n "${MXCRUN_TEST_ENGINE-}" ] || return 1
	row=$(matrix_of "$MXCRUN_TEST_ENGINE" "$1")
	[ -n "$row" ] || {
		echo "the matrix has no item \"$1\"" >&2
		return 2
	}
	[[ $row = '**refused**'* || $row = 'differs: '* ]]
}

# The one way in which a test of policies is left out for the engine that carries them out.
requires_item() {
	local row status=0
	differs_by "$1" || status=$?
	[ "$status" -ne 0 ] || skip "by $MXCRUN_TEST_ENGINE: $1: $row"
	[ "$status" -eq 1 ]
}

# ---- time ----

# Seconds, stretched for slow machines.
slow() { echo $(($1 * MXCRUN_TEST_SLOW)); }

# Run until it succeeds, for at most so many seconds.
wait_for() {
	local end=$((SECONDS + $(slow "$1")))
	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "waited in vain for: $*" >&2
			return 1
		}
		sleep 0.05
	done
}

# ---- root file systems and bundles ----

# A folder with static busybox and all its names, and with probe. The names are links to where the host
# has busybox: that is what its --install writes.
make_rootfs() {
	local dir=$1 busybox
	busybox=$(readlink -f "$(command -v busybox)")
	mkdir -p "$dir"/{bin,dev,etc,proc,root,sys,tmp,usr,var} "$dir${busybox%/*}"
	chmod 1777 "$dir/tmp"
	busybox --install -s "$dir/bin"
	cp --remove-destination "$busybox" "$dir/bin/busybox"
	[ -f "$dir$busybox" ] || cp "$busybox" "$dir$busybox"
	cp "$MXCRUN_TEST_BIN/probe" "$dir/bin/probe"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$dir/etc/passwd"
	printf 'root:x:0:\n' >"$dir/etc/group"
}

# Filter config.json of the bundle by jq.
config() {
	jq "$@" "$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# The workload: a shell script.
script() { config --arg script "$1" '.process.args = ["/bin/sh", "-c", $script]'; }

# A bundle as `spec` makes it, without a terminal, whose workload sleeps; then the given jq filter.
make_bundle() {
	BUNDLE=${BUNDLE_DIR:-$BATS_TEST_TMPDIR/bundle}
	mkdir -p "$BUNDLE"
	[ -d "$BUNDLE/rootfs" ] || make_rootfs "$BUNDLE/rootfs"
	rm -f "$BUNDLE/config.json"
	rt spec --bundle "$BUNDLE"
	config --arg tag "MXCRUN_TEST_TAG=$TAG" '.process.terminal = false | .process.env += [$tag]
		| .process.args = ["/bin/sleep", "1000"] | .root.readonly = false'
	[ $# -eq 0 ] || config "$@"
}

# The same in a user namespace whose ids 0 to 999 are 100000 to 100999 outside, with a root of theirs; then the filter.
make_userns_bundle() {
	make_bundle '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]'
	[ $# -eq 0 ] || config "$@"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BUNDLE" 2>/dev/null || true
}

# ---- the runtime ----

# The runtime on the test's own state directory; never longer than half a minute, and without bats' descriptors.
rt() {
	# shellcheck disable=SC2086 # words
	timeout --foreground -k 5 "$(slow 30)" "$MXCRUN" ${MXCRUN_TEST_FLAGS-} "${BY[@]}" --root "$STATE" "$@" 3>&- 4>&-
}

# Create and start a container whose streams are files: out and err in the test's folder.
create_container() {
	local id=$1
	shift
	rt create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$@" "$id" \
		</dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || {
		cat "$BATS_TEST_TMPDIR/err" >&2
		return 1
	}
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
}

start_container() {
	create_container "$@"
	rt start "$1"
	wait_for 10 has_exec
}

# Has init become the workload?
has_exec() { ! readlink "/proc/$PID/exe" 2>/dev/null | grep -q 'memfd:\|runc'; }

# Run the bundle in the foreground; bats' $status, $output, $stderr are the result.
run_bundle() {
	run --separate-stderr rt run --bundle "$BUNDLE" "$@" "$TAG"
}

# ---- MXC ----

# policy COMMAND [jq arguments]: an MXC configuration in $POLICY whose command line is a shell script, then the filter.
policy() {
	local command=$1
	shift
	[ $# -gt 0 ] || set -- .
	POLICY=$BATS_TEST_TMPDIR/policy.json
	jq -n --arg command "$command" --arg tag "MXCRUN_TEST_TAG=$TAG" --argjson timeout "$(($(slow 20) * 1000))" \
		'{version: "0.8.0-alpha", process: {commandLine: $command, timeout: $timeout,
			env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", $tag]}}' | jq "$@" >"$POLICY"
}

# Run it; bats' $status, $output, $stderr are the result.
run_policy() {
	run --separate-stderr rt mxc run "$@" "$POLICY" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

# The configuration itself is wrong: a heading and one line.
assert_mxc_malformed() {
	local word
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	equal "$(head -n 1 <<<"$stderr")" "Request error"
	equal "$(grep -c "^Configuration parse error: ." <<<"$stderr")" 1
	[ ${#stderr} -lt 4096 ]
	for word; do contains "$stderr" "$word"; done
}

# The policy can't be or may not be enforced: a line for people and one for programs.
assert_mxc_refused() {
	local word message
	equal "$status" 255
	[ -z "$output" ]
	message=$(grep '^{' <<<"$stderr" | jq -r 'select(.error.code == "backend_error") | .error.message')
	[ -n "$message" ]
	equal "$(wc -l <<<"$stderr")" 2
	for word; do contains "$message" "$word"; done
}

# ---- as an ordinary user ----

# A folder that an ordinary user reaches and owns; with the runtime and the test programs in it.
make_user() {
	if [ "$(id -u)" = 0 ]; then USER_ID=65534; else USER_ID=$(id -u); fi
	USERDIR=$(mktemp -d "/tmp/$TAG.XXXXXX")
	cp "$MXCRUN" "$USERDIR/mxcrun"
	cp "$MXCRUN_TEST_BIN/probe" "$USERDIR/probe"
	chmod 755 "$USERDIR" "$USERDIR/mxcrun" "$USERDIR/probe"
	[ "$(id -u)" != 0 ] || chown -R "$USER_ID:$USER_ID" "$USERDIR"
}

as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups env -i PATH="$PATH" HOME="$USERDIR" \
			XDG_RUNTIME_DIR="$USERDIR" "$@"
	else
		"$@"
	fi
}

# The runtime as that user, in that user's folder.
user_rt() {
	(cd "$USERDIR" && as_user timeout --foreground -k 5 "$(slow 30)" "$USERDIR/mxcrun" \
		"${BY[@]}" --root "$USERDIR/state" "$@" 3>&- 4>&-)
}

status_of() { rt state "$1" | jq -r .status; }
is_status() { [ "$(status_of "$1" 2>/dev/null)" = "$2" ]; }

# The last `run` failed as every failure should: not 0, one line for people, nothing on stdout.
assert_refused() {
	echo "status $status; stdout: ${output:0:500}; stderr: ${stderr:0:2000}" >&2
	# Neither a crash nor a time limit.
	[ "$status" -ne 0 ]
	[ "$status" -lt 124 ] || [ "$status" -eq 255 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[ -n "$stderr" ]
	[ ${#stderr} -lt 4096 ]
	local word
	for word; do
		[[ $stderr == *"$word"* ]]
	done
}

# ---- comparing ----

equal() {
	[ "$1" = "$2" ] || {
		printf 'have: %s\nwant: %s\n' "$1" "$2" >&2
		return 1
	}
}

contains() {
	local want
	for want in "${@:2}"; do
		[[ $1 == *"$want"* ]] || {
			printf 'have: %s\nwant in it: %s\n' "$1" "$want" >&2
			return 1
		}
	done
}

lacks() {
	[[ $1 != *"$2"* ]] || {
		printf 'have: %s\nwant not in it: %s\n' "$1" "$2" >&2
		return 1
	}
}

refused() { ! "$@"; }

# A field of /proc/PID/status.
proc_status() { awk -F ':[ \t]*' -v key="$2" '$1 == key { print $2 }' "/proc/$1/status"; }

open_descriptors() { find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' '; }

# Run the bundle in $BATS_TEST_TMPDIR/emitted by another runtime, on one kind of cgroups: crun knows no mixture. Its input is an
# empty file: crun gives standard input to a container's root in a user namespace, and that would be the host's /dev/null.
run_emitted() { # RUNTIME
	: >"$BATS_TEST_TMPDIR/no-input"
	run --separate-stderr timeout -k 5 "$(slow 30)" unshare -m --propagation private sh -c '
		umount /sys/fs/cgroup/unified 2>/dev/null
		cd "$1" && exec "$2" --root "$3" run "$4"' sh "$BATS_TEST_TMPDIR/emitted" "$1" "$BATS_TEST_TMPDIR/$1.state" "$TAG" \
		<"$BATS_TEST_TMPDIR/no-input" 3>&- 4>&-
	echo "$1: status $status; stdout: ${output:0:3000}; stderr: ${stderr:0:1000}"
}

# The folder of a process's cgroup for a controller, whatever the layout.
cgroup_dir() {
	local pid=$1 controller=$2 path
	path=$(awk -F: -v want="$controller" '
		{ n = split($2, names, ","); for (i = 1; i <= n; i++) if (names[i] == want) { print $3; exit } }' \
		"/proc/$pid/cgroup")
	if [ -n "$path" ] && [ -d "/sys/fs/cgroup/$controller" ]; then
		echo "/sys/fs/cgroup/$controller$path"
		return
	fi
	path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		echo "/sys/fs/cgroup$path"
	else
		echo "/sys/fs/cgroup/unified$path"
	fi
}

# cgroup_value PID CONTROLLER V1FILE V2FILE
cgroup_value() {
	local dir
	dir=$(cgroup_dir "$1" "$2")
	cat "$dir/$3" 2>/dev/null || cat "$dir/$4"
}

# Does the host have this controller in v1 or in v2?
has_controller() {
	[ -d "/sys/fs/cgroup/$1" ] || grep -qw "$1" /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null
}

# ---- nothing is left ----

# Processes that bear the test's tag or live in its folder: by environment, by mounts, by root.
tagged_processes() {
	local file pid
	for file in $(grep -lsa "MXCRUN_TEST_TAG=$TAG" /proc/[0-9]*/environ
		grep -ls "$BATS_TEST_TMPDIR" /proc/[0-9]*/mountinfo); do
		pid=${file#/proc/}
		pid=${pid%%/*}
		[ "$(readlink "/proc/$pid/ns/mnt" 2>/dev/null)" = "$(readlink /proc/self/ns/mnt)" ] &&
			! grep -qsa "MXCRUN_TEST_TAG=$TAG" "/proc/$pid/environ" && continue
		grep -q '^State:.*zombie' "/proc/$pid/status" 2>/dev/null && continue
		[ -e "/proc/$pid" ] && echo "$pid"
	done | sort -u
}

tagged_cgroups() { find /sys/fs/cgroup -type d -name "*$TAG*" 2>/dev/null; }
tagged_mounts() { grep -F -e "$BATS_TEST_TMPDIR" -e "$TAG" /proc/self/mountinfo; }
records_in() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null; }
tagged_records() {
	{
		records_in "$STATE"
		[ -z "${USERDIR-}" ] || records_in "$USERDIR/state"
	} | sort -u
}

# Sandboxes have ids of their own: their groups are told from those of others by being new, and by staying.
sandbox_cgroups() { find /sys/fs/cgroup -type d -name 'sandbox-*' 2>/dev/null | sort; }
remember_sandboxes() { SANDBOXES=$(sandbox_cgroups); }
assert_no_new_sandboxes() {
	local new
	new=$(comm -13 <(echo "$SANDBOXES") <(sandbox_cgroups))
	are_gone() { ! comm -12 <(echo "$new") <(sandbox_cgroups) | grep -q .; }
	wait_for 5 are_gone || equal "$(sandbox_cgroups)" "$SANDBOXES"
}

nothing_left() {
	[ -z "$(tagged_processes)" ] && [ -z "$(tagged_cgroups)" ] && [ -z "$(tagged_mounts)" ] &&
		[ -z "$(tagged_records)" ]
}

# Fails, and says what there is.
assert_nothing_left() {
	local pid
	wait_for 5 nothing_left && return
	for pid in $(tagged_processes); do
		echo "left process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
	done
	tagged_cgroups | sed 's/^/left cgroup /' >&2
	tagged_mounts | sed 's/^/left mount /' >&2
	tagged_records | sed 's/^/left record /' >&2
	return 1
}

# ---- every test ----

setup() {
	TAG=mxt-$$-${BATS_SUITE_TEST_NUMBER}x
	STATE=$BATS_TEST_TMPDIR/state
	local guard
	for guard in ${GUARDS-}; do requires "$guard"; done
	if declare -F test_setup >/dev/null; then test_setup; fi
}

remove_userdir() { [ -z "${USERDIR-}" ] || rm -rf "$USERDIR"; }

teardown() {
	local id pid mount failed=0
	[ -n "${TAG-}" ] || return 0
	if declare -F test_teardown >/dev/null; then test_teardown || failed=1; fi
	for id in $([ -z "${USERDIR-}" ] || records_in "$USERDIR/state"); do
		user_rt delete --force "$id" >/dev/null || echo "delete --force $id failed" >&2
	done
	for id in $(records_in "$STATE"); do
		rt delete --force "$id" >/dev/null || echo "delete --force $id failed" >&2
	done
	assert_nothing_left || {
		# The next tests must not suffer from it.
		for pid in $(tagged_processes); do kill -9 "$pid" 2>/dev/null; done
		find /sys/fs/cgroup -depth -type d -path "*$TAG*" -exec rmdir {} + 2>/dev/null
		for mount in $(tagged_mounts | cut -d ' ' -f 5 | tac); do umount -l "$mount"; done
		failed=1
	}
	remove_userdir
	return "$failed"
}
