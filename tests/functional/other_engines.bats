#!/usr/bin/env bats
# The engines beside native: how one is chosen, what it says when it can't, and that a sandbox is the same whoever made it.
# The suites of policies also run wholly with each of them (MXCRUN_TEST_ENGINE, contrib/check policies).

load helpers
load networld
GUARDS="root jq mxcrun native bwrap"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{rw,ro,secret,reopened/deep}
	echo ro >"$D/ro/file"
	echo hidden >"$D/hidden"
	remember_sandboxes
}

test_teardown() {
	[ -z "${WORLD-}" ] || end_world
	assert_no_new_sandboxes
}

# by ENGINE [option]...: run the policy; bats' $status, $output, $stderr are the result.
by() {
	local engine=$1
	shift
	run --separate-stderr rt --engine "$engine" mxc run "$@" "$POLICY" </dev/null
	echo "$engine: status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

# The engines beside native that this host has.
others() { echo bwrap; ! have lxc-start || echo lxc; }

# The program of an engine.
tool_of() {
	case $1 in
	bwrap) echo /usr/bin/bwrap ;;
	lxc) echo /usr/bin/lxc-start ;;
	esac
}

# Run what follows where an engine's program is another file.
with_tool() {
	local engine=$1 file=$2
	shift 2
	run --separate-stderr unshare -m --propagation private sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$file" "$(tool_of "$engine")" \
		timeout -k 5 "$(slow 30)" "$MXCRUN" --root "$STATE" "$@" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

fake_tool() {
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/fake"
	chmod 755 "$BATS_TEST_TMPDIR/fake"
}

# ---- the suites of policies by each engine ----

POLICY_SUITES=("$here"/{mxc,sandbox,network,images,corpus,mxc_fields}.bats)

@test "what the suites of policies leave out by an engine is a row of the matrix, and they start nothing without that engine" {
	local item left count=0
	# guards that ask for the engine in another way
	equal "$(grep -nE 'MXCRUN_TEST_ENGINE|requires .*native' "${POLICY_SUITES[@]}")" ""
	# the program itself, but for what carries nothing out
	left=$(grep -nE '"\$(MXCRUN|USERDIR/mxcrun)"|\$MXCRUN ' "${POLICY_SUITES[@]}" | grep -vF '{BY[' |
		grep -vE '" image import|mxc plan |(cp|cmp|ln -s) "\$MXCRUN" |"\$TEMPLATE" "\$MXCRUN"$' || true)
	equal "$left" ""
	# and each row exists: an item that no engine refuses or does differently leaves nothing out
	while read -r item; do
		[[ "$(matrix_of bwrap "$item") $(matrix_of lxc "$item")" == *@(refused|differs)* ]]
		count=$((count + 1))
	done < <(grep -hoE 'requires_item "[^"]*"' "${POLICY_SUITES[@]}" | cut -d '"' -f 2)
	[ "$count" -ge 3 ]
}

# ---- which one ----

# Who has carried it out, as the enforcement record says it.
engine_of() {
	rm -f "$BATS_TEST_TMPDIR/report"
	rt "$@" mxc run --report "$BATS_TEST_TMPDIR/report" "$POLICY" </dev/null >&2
	jq -r .engine "$BATS_TEST_TMPDIR/report"
}

@test "the engine is the command line's, else the host owner's, else native" {
	policy true
	echo '{"engine": "bwrap"}' >"$BATS_TEST_TMPDIR/admin.json"
	equal "$(engine_of)" native
	equal "$(engine_of --engine bwrap)" bwrap
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json")" bwrap
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json" --engine native)" native
	! have lxc-start || equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json" --engine lxc)" lxc
	# behind the command it is the same, and the last one counts
	rt --engine native mxc run --engine bwrap --report "$BATS_TEST_TMPDIR/behind" "$POLICY" </dev/null
	equal "$(jq -r .engine "$BATS_TEST_TMPDIR/behind")" bwrap
	run --separate-stderr rt --engine nonsense mxc run "$POLICY"
	[ "$status" -ne 0 ]
	contains "$stderr" "native, bwrap, lxc"
	run --separate-stderr rt mxc run --engine nonsense "$POLICY"
	equal "$status" 2
	contains "$stderr" "native, bwrap, lxc"
	echo '{"engine": "nonsense"}' >"$BATS_TEST_TMPDIR/admin.json"
	run --separate-stderr rt --admin-config "$BATS_TEST_TMPDIR/admin.json" mxc run "$POLICY"
	assert_mxc_refused '/engine: unknown variant `nonsense`'
}

@test "a policy may name its engine, in every contract: before the host owner's, after the command line's" {
	local version
	echo '{"engine": "native"}' >"$BATS_TEST_TMPDIR/admin.json"
	for version in 0.6.0-alpha 0.8.0-alpha 0.9.0-alpha 1.0.0 1.1.0-alpha; do
		policy true --arg v "$version" '.version = $v | .bubblewrap.engine = "bwrap"'
		equal "$version $(engine_of)" "$version bwrap"
	done
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json")" bwrap
	equal "$(engine_of --engine native)" native
	echo '{"engine": "bwrap"}' >"$BATS_TEST_TMPDIR/admin.json"
	policy true '.bubblewrap.engine = "native"'
	equal "$(engine_of --admin-config "$BATS_TEST_TMPDIR/admin.json")" native
	# containment says what a sandbox looks like, not who makes it
	policy true '.containment = "bubblewrap"'
	equal "$(engine_of)" native
	# what it asks for is done by the one named, or by nobody
	policy 'echo ran' '.bubblewrap.engine = "bwrap" | .bubblewrap.namespaces.time = true'
	run --separate-stderr rt mxc run "$POLICY" </dev/null
	assert_mxc_refused "bwrap: new time namespace"
	: >"$BATS_TEST_TMPDIR/none"
	policy 'echo ran' '.bubblewrap.engine = "bwrap"'
	with_tool bwrap "$BATS_TEST_TMPDIR/none" mxc run "$POLICY"
	assert_mxc_refused "the engine bwrap needs the program bwrap" "install the package bubblewrap"
	# the text of another engine is written whoever the policy names
	with_tool bwrap "$BATS_TEST_TMPDIR/none" mxc emit bwrap "$POLICY"
	equal "$status ${output%% *}" "0 bwrap"
}

@test "an engine that nobody knows, or of the wrong type, is an error of the policy; a policy for a container has none to name" {
	policy 'echo ran' '.bubblewrap.engine = "bubblewrap"'
	run --separate-stderr rt mxc run "$POLICY" </dev/null
	equal "$status $output" "1 "
	contains "$stderr" 'Invalid configuration at `bubblewrap.engine`: unknown variant `bubblewrap`'
	policy 'echo ran' '.bubblewrap.engine = 1'
	run --separate-stderr rt mxc run "$POLICY" </dev/null
	equal "$status $output" "1 "
	contains "$stderr" 'Invalid configuration at `bubblewrap.engine`: invalid type'
	make_bundle '.mxc = {bubblewrap: {engine: "native"}}'
	script 'echo ran'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	assert_refused 'bubblewrap.engine' 'unknown field'
}

@test "the engines that the host's owner allows are all that anybody gets, by whatever way he asks" {
	local admin=$BATS_TEST_TMPDIR/admin.json
	policy 'echo ran'
	echo '{"allowedEngines": ["native"]}' >"$admin"
	equal "$(engine_of --admin-config "$admin")" native
	run --separate-stderr rt --admin-config "$admin" --engine bwrap mxc run "$POLICY" </dev/null
	assert_mxc_refused "the host's owner does not allow the engine bwrap" allowedEngines
	policy 'echo ran' '.bubblewrap.engine = "bwrap"'
	run --separate-stderr rt --admin-config "$admin" mxc run "$POLICY" </dev/null
	assert_mxc_refused "the host's owner does not allow the engine bwrap" /bubblewrap/engine
	run --separate-stderr rt --admin-config "$admin" mxc validate "$POLICY" </dev/null
	[ "$status" -ne 0 ]
	# nobody carries a text out
	rt --admin-config "$admin" mxc emit bwrap "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/text"
	contains "$(cat "$BATS_TEST_TMPDIR/text")" "bwrap "
	echo '{"allowedEngines": ["bwrap"], "engine": "bwrap"}' >"$admin"
	equal "$(engine_of --admin-config "$admin")" bwrap
	run --separate-stderr rt --admin-config "$admin" --engine native mxc run "$POLICY" </dev/null
	assert_mxc_refused "the host's owner does not allow the engine native"
	make_bundle '.annotations["mxc.engine"] = "bwrap"'
	script 'echo ran'
	echo '{"allowedEngines": ["native", "lxc"]}' >"$admin"
	run --separate-stderr rt --admin-config "$admin" run --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /annotations/mxc.engine "does not allow the engine bwrap"
	config 'del(.annotations)'
	equal "$(rt --admin-config "$admin" run --bundle "$BUNDLE" "$TAG" </dev/null)" ran
	# a list that rules out what is taken by default, or that nobody can read
	echo '{"allowedEngines": ["bwrap"]}' >"$admin"
	run --separate-stderr rt --admin-config "$admin" run --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /allowedEngines 'native is not among them'
	echo '{"allowedEngines": ["native", "docker"]}' >"$admin"
	run --separate-stderr rt --admin-config "$admin" run --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /allowedEngines/1 docker
}

@test "a bundle may name its engine, where nobody above its author does" {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .annotations["mxc.engine"] = "bwrap"'
	script true
	echo '{"engine": "native"}' >"$BATS_TEST_TMPDIR/admin.json"
	by_bundle() {
		rm -f "$BATS_TEST_TMPDIR/report"
		rt "$@" run --report "$BATS_TEST_TMPDIR/report" --bundle "$BUNDLE" "$TAG" </dev/null >&2
		jq -r .engine "$BATS_TEST_TMPDIR/report"
	}
	equal "$(by_bundle)" bwrap
	equal "$(by_bundle --engine native)" native
	equal "$(by_bundle --admin-config "$BATS_TEST_TMPDIR/admin.json")" native
	# what it names does it, or nobody
	config '.process.noNewPrivileges = false'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	assert_refused "bwrap: no_new_privs not set"
	config '.annotations["mxc.engine"] = "docker"'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	assert_refused /annotations/mxc.engine 'no engine "docker"'
}

@test "a tool that is missing, too old or no tool is an error that says what to install; nothing else is taken" {
	policy 'echo ran'
	: >"$BATS_TEST_TMPDIR/none"
	with_tool bwrap "$BATS_TEST_TMPDIR/none" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "this host has none" "install the package bubblewrap"
	fake_tool 'echo "    --info-fd FD  x"; echo "    --userns-block-fd FD x"; echo "    --ro-bind-data FD DEST x"; echo "    --as-pid-1 x"'
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "too old" "--perms" "bubblewrap, version 0.5"
	fake_tool 'exit 1'
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "too old"
	fake_tool 'sleep 1000'
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "asking /usr/bin/bwrap for its --help" "timed out"
	if have lxc-start; then
		with_tool lxc "$BATS_TEST_TMPDIR/none" --engine lxc mxc run "$POLICY"
	else
		run --separate-stderr rt --engine lxc mxc run "$POLICY"
	fi
	assert_mxc_refused "this host has none" "install the package lxc"
	# the other engine doesn't care
	with_tool bwrap "$BATS_TEST_TMPDIR/none" mxc run "$POLICY"
	equal "$status $output" "0 ran"
}

@test "an LXC that is too old is an error that says what to install" {
	requires lxc-start
	policy 'echo ran'
	fake_tool 'echo 4.0.12'
	with_tool lxc "$BATS_TEST_TMPDIR/fake" --engine lxc mxc run "$POLICY"
	assert_mxc_refused "too old" "4.0.12" "lxc, version 5.0"
	fake_tool 'exit 1'
	with_tool lxc "$BATS_TEST_TMPDIR/fake" --engine lxc mxc run "$POLICY"
	assert_mxc_refused "too old, or none"
}

@test "what the tool says when it fails is in our error, and nothing is left" {
	policy 'echo ran'
	fake_tool '[ "$1" = --help ] && exec '"$BATS_TEST_TMPDIR"'/bwrap --help; echo "bwrap: the reason" >&2; exit 1'
	cp /usr/bin/bwrap "$BATS_TEST_TMPDIR/bwrap"
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "bwrap: the reason"
	fake_tool '[ "$1" = --help ] && exec '"$BATS_TEST_TMPDIR"'/bwrap --help; exit 3'
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "bwrap ended by exit code 3"
	# in the middle of its work: a path that is there for us and not for it
	policy 'echo ran' --arg d "$D" '.filesystem.readonlyPaths = [$d + "/ro"]'
	fake_tool 'mount -t tmpfs none '"$D"'/ro; rm -rf '"$D"'/absent; exec '"$BATS_TEST_TMPDIR"'/bwrap "$@"'
	with_tool bwrap "$BATS_TEST_TMPDIR/fake" --engine bwrap mxc run "$POLICY"
	assert_mxc_refused "$D/ro is no longer the object"
}

@test "what lxc-start says when it fails is in our error, and so is what goes wrong before; nothing is left" {
	requires lxc-start
	policy 'echo ran'
	cp /usr/bin/lxc-start "$BATS_TEST_TMPDIR/lxc-start"
	fake_tool '[ "$1" = --version ] && echo 5.0.2 && exit; echo "lxc-start: NAME: ../src/a.c: place: 12 the reason" >&2; exit 1'
	with_tool lxc "$BATS_TEST_TMPDIR/fake" --engine lxc mxc run "$POLICY"
	assert_mxc_refused "lxc: the reason"
	fake_tool '[ "$1" = --version ] && echo 5.0.2 && exit; exit 3'
	with_tool lxc "$BATS_TEST_TMPDIR/fake" --engine lxc mxc run "$POLICY"
	assert_mxc_refused "lxc ended by exit code 3"
	# a path that is another object in the end
	policy 'echo ran' --arg d "$D" '.filesystem.readonlyPaths = [$d + "/ro"]'
	fake_tool '[ "$1" = --version ] && echo 5.0.2 && exit; for tree in /run/lxc/tree/*; do [ ! -e "$tree/file" ] || mount -t tmpfs none "$tree"; done; exec '"$BATS_TEST_TMPDIR"'/lxc-start "$@"'
	with_tool lxc "$BATS_TEST_TMPDIR/fake" --engine lxc mxc run "$POLICY"
	assert_mxc_refused "is no longer the object"
	equal "$(records_in "$STATE")" ""
}

@test "LXC makes no cgroups, and leaves streams and files of the host as they are" {
	requires lxc-start
	policy 'echo seen'
	before=$(find /sys/fs/cgroup -name 'lxc*' | sort)
	: >"$BATS_TEST_TMPDIR/stream"
	chmod 644 "$BATS_TEST_TMPDIR/stream"
	rt --engine lxc mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/stream"
	equal "$(stat -c '%a %u' "$BATS_TEST_TMPDIR/stream") $(cat "$BATS_TEST_TMPDIR/stream")" "644 0 seen"
	equal "$(find /sys/fs/cgroup -name 'lxc*' | sort)" "$before"
	[ ! -e /run/lxc/state ]
	refused grep -q /run/lxc /proc/self/mountinfo
}

@test "what the engine can't do is refused by name before anything starts" {
	policy 'echo ran' '.filesystem.deniedPaths = ["/proc"]'
	by native
	equal "$status $output" "0 ran"
	by bwrap
	assert_mxc_refused "bwrap: denied /proc: "
	equal "$(records_in "$STATE")" ""
}

# ---- the same sandbox ----

# What is seen of a running sandbox from outside, one fact a line.
facts_of() {
	local pid=$1 file
	# of several at one place the last is what is seen
	awk '{ flags[$5] = $6 } END { for (place in flags) print "mount", place, flags[place] }' "/proc/$pid/mountinfo" | sort
	tr '\0' '\n' <"/proc/$pid/environ" | sed 's/^/env /'
	grep -E '^(Uid|Gid|Groups|NSpid|NoNewPrivs|Seccomp|Cap...|SigIgn|Umask):' "/proc/$pid/status" | sed 's/^NSpid:.*\t/NSpid: /'
	sed 's/^/limit /' "/proc/$pid/limits"
	echo "oom $(cat "/proc/$pid/oom_score_adj") cwd $(readlink "/proc/$pid/cwd") exe $(readlink "/proc/$pid/exe")"
	sed 's/^/uid_map /' "/proc/$pid/uid_map"
	sed 's/^/gid_map /' "/proc/$pid/gid_map"
	echo "setgroups $(cat "/proc/$pid/setgroups") loginuid $(cat "/proc/$pid/sessionid")"
	for file in "/proc/$pid/ns/"*; do
		[ "$(readlink "$file")" = "$(readlink "/proc/self/ns/${file##*/}")" ] && echo "${file##*/} of the host" || echo "${file##*/} own"
	done
	# controllers share the group's name
	cat "$(cgroup_dir "$pid" memory)"/memory.{limit_in_bytes,max} "$(cgroup_dir "$pid" pids)/pids.max" \
		"$(cgroup_dir "$pid" cpu)"/cpu.{cfs_quota_us,max} 2>/dev/null | sed 's/^/cgroup /'
	readlink "/proc/$pid/fd/"* | sed "s|$BATS_TEST_TMPDIR/[a-z]*\.|fd |" | sort
}

# What other users of the same reading have in common is no difference of the sandboxes.
reviewed() {
	# bwrap's own --proc makes these two read-only for every user, also where the host has no settings in them
	sed '/^mount \/proc\/\(bus\|irq\) ro,/d'
}

# observe ENGINE: the facts of the policy's sandbox, into a file of the engine's name.
observe() {
	local pid supervisor
	rt --engine "$1" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/$1.out" 2>"$BATS_TEST_TMPDIR/$1.err" &
	supervisor=$!
	is_there() { pid=$(pgrep -n -f '^sleep 987$'); [ -n "$pid" ] && grep -qa "MXCRUN_TEST_TAG=$TAG" "/proc/$pid/environ"; }
	wait_for 10 is_there
	facts_of "$pid" | reviewed >"$BATS_TEST_TMPDIR/$1"
	kill "$pid"
	wait "$supervisor" || true
	cat "$BATS_TEST_TMPDIR/$1.err"
}

same_by_all() {
	local engine
	observe native
	for engine in $(others); do
		observe "$engine"
		diff -u "$BATS_TEST_TMPDIR/native" "$BATS_TEST_TMPDIR/$engine"
	done
}

@test "the sandbox is the same: mounts, environment, ids, rights, limits, cgroup, descriptors" {
	mkfifo "$D/fifo"	# which whoever opens it would wait at
	policy 'exec sleep 987' --arg d "$D" '.process.env += ["A=b c"] | .bubblewrap.resources = {memoryMb: 64, cpuCount: 2, pids: 20}
		| .filesystem = {readwritePaths: [$d + "/rw", $d + "/reopened/deep"], readonlyPaths: [$d + "/ro"],
		deniedPaths: [$d + "/hidden", $d + "/fifo", $d + "/secret", $d + "/reopened", "/etc/passwd", "/usr/share"]}'
	same_by_all
	# and it is what was asked for
	local engine
	for engine in $(others); do
		grep -qx "cgroup 67108864" "$BATS_TEST_TMPDIR/$engine"
		grep -q "^mount $D/ro ro,nosuid,nodev" "$BATS_TEST_TMPDIR/$engine"
		grep -q "^mount $D/hidden ro,nosuid,nodev,noexec" "$BATS_TEST_TMPDIR/$engine"
		grep -qx "CapBnd:	0000000000000000" "$BATS_TEST_TMPDIR/$engine"
		grep -qx "Seccomp:	2" "$BATS_TEST_TMPDIR/$engine"
		grep -qx "net own" "$BATS_TEST_TMPDIR/$engine"
	done
}

@test "the sandbox is the same on the host's whole root" {
	mkfifo "$D/fifo"
	policy 'exec sleep 987' --arg d "$D" '.filesystem = {readonlyPaths: ["/"], deniedPaths: [$d + "/secret", $d + "/fifo"], readwritePaths: [$d + "/rw"]}'
	same_by_all
}

# And of a bundle, by the matrix's rows that say so.
reviewed_in_bundles() {
	# "bind mount with set-user-ID programs": by bwrap the root is nosuid, and so are binds. "device nodes": by bwrap, and in a user namespace by all, they
	# are the host's own, bound one by one. What covers masked files is one of them. bwrap's own --proc covers sysrq-trigger too.
	reviewed | sed -E 's/^(mount \/(sys\/[^ ]*)? r[ow]),nosuid/\1/
		s/^(mount \/proc\/sysrq-trigger ro),nosuid,nodev,noexec/\1/
		/^mount \/dev\/(full|null|random|tty|urandom|zero) /d
		s/^(mount \/proc\/(kcore|keys|latency_stats|sched_debug|timer_list|timer_stats) .*),relatime$/\1/'
}

# The same for a bundle.
observe_bundle() {
	local BY=(--engine "$1")
	start_container "$TAG"
	facts_of "$PID" | reviewed_in_bundles >"$BATS_TEST_TMPDIR/$1"
	rt delete --force "$TAG"
}

# same_bundle [engine]...: by these, and by native.
same_bundle() {
	local engine
	observe_bundle native
	for engine; do
		observe_bundle "$engine"
		diff -u "$BATS_TEST_TMPDIR/native" "$BATS_TEST_TMPDIR/$engine"
	done
}

@test "a bundle's container is the same: mounts, environment, ids, rights, limits, cgroup, descriptors" {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .linux.resources = {pids: {limit: 44}, memory: {limit: 67108864}} | .hostname = "same" | .process.oomScoreAdj = 44
		| .process.user = {uid: 5, gid: 6, additionalGids: [7], umask: 23} | .process.cwd = "/tmp" | .process.env += ["A=b c"]
		| .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}]
		| .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
			inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
		| .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev"]},
			{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["noexec", "nosuid", "nodev", "size=64k"]}]'
	# shellcheck disable=SC2046 # words
	same_bundle $(others)
	grep -qx "cgroup 44" "$BATS_TEST_TMPDIR/native"
	grep -qx "Seccomp:	2" "$BATS_TEST_TMPDIR/native"
	grep -q "^mount /t rw,nosuid,nodev,noexec" "$BATS_TEST_TMPDIR/native"
}

@test "a bundle's container in a user namespace is the same" {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}, {type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 9}, {containerID: 9, hostID: 100009, size: 100}] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))'
	# shellcheck disable=SC2046 # words
	same_bundle $(others)
	grep -qx "user own" "$BATS_TEST_TMPDIR/native"
}

# What a workload of an ordinary user says of itself.
SELF='id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; grep -E "Cap|Groups|NoNew|Seccomp:" /proc/self/status; awk "{ print \$5, \$6 }" /proc/self/mountinfo | sort'

users_same() {
	local engine seen=
	for engine in native $(others); do
		run --separate-stderr user_rt --engine "$engine" "$@" </dev/null
		echo "$engine: $stderr"
		equal "$status" 0
		output=$(reviewed_in_bundles <<<"mount ${output//$'\n'/$'\n'mount }")
		if [ "$engine" = native ]; then seen=$output; else diff -u <(echo "$seen") <(echo "$output"); fi
	done
}

@test "an ordinary user's sandbox is the same, by whichever engine" {
	make_user
	mkdir "$USERDIR/rw"
	chown "$USER_ID" "$USERDIR/rw"
	policy "$SELF; echo x >$USERDIR/rw/file; cat /etc/shadow 2>&1" --arg d "$USERDIR" '.filesystem = {readwritePaths: [$d + "/rw"], deniedPaths: ["/etc/passwd"]}
		| .process.commandLine += "; cat /etc/passwd || true"'
	cp "$POLICY" "$USERDIR/policy.json"
	users_same mxc run "$USERDIR/policy.json"
	equal "$(find "$USERDIR/state" -mindepth 1 -maxdepth 1)" ""
}

@test "an ordinary user's container is the same, by whichever engine; LXC leaves CAP_SETGID out, and says so" {
	make_user
	BUNDLE_DIR=$USERDIR/bundle make_bundle
	rm "$BUNDLE/config.json"
	chown "$USER_ID" "$BUNDLE"
	user_rt spec --rootless --bundle "$USERDIR/bundle"
	config '.process.terminal = false | .process.noNewPrivileges = true | .mounts |= map(select(.type != "cgroup"))'
	script "$SELF"
	chown -R "$USER_ID:$USER_ID" "$USERDIR/bundle"
	users_same run --bundle "$USERDIR/bundle" "$TAG"
	! have lxc-start || {
		config '.process.capabilities |= map_values(. + ["CAP_SETGID"])'
		run --separate-stderr user_rt --engine lxc run --bundle "$USERDIR/bundle" "$TAG"
		assert_refused "lxc: CAP_SETGID where setgroups is denied: "
	}
}

# ---- the same world ----

# reached_by ENGINE: what the attempts of the policy bring back, into a file of the engine's name.
reached_by() {
	local BY=(--engine "$1")
	run_there
	equal "$status" 0
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/$1"
}

# same_world FILTER: the policy lets all engines reach the same, which is not nothing.
same_world() {
	local engine
	attempts "$1" tcp 198.51.100.10 80 tcp 198.51.100.10 81 tcp 203.0.113.7 80 tcp 169.254.169.254 80 tcp 198.51.100.1 71 \
		tcp 10.0.2.2 70 tcp 127.0.0.1 70 udp 198.51.100.10 90 dns 198.51.100.10 53 icmp 198.51.100.10 0 \
		tcp 2001:db8:1::10 80 udp 2001:db8:1::10 90 tcp ::1 70 tcp ::ffff:198.51.100.10 80
	for engine in native $(others); do
		reached_by "$engine"
		diff -u "$BATS_TEST_TMPDIR/native" "$BATS_TEST_TMPDIR/$engine"
	done
	equal "$(wc -l <"$BATS_TEST_TMPDIR/native")" 14
}

@test "the sandbox reaches the same addresses, and is refused the same in the same way" {
	requires ip /usr/bin/python3
	have pasta || requires slirp4netns
	make_world
	start_servers
	same_world '.network.egress = {default: "deny", allow: [{to: [{cidr: "198.51.100.10"}], ports: [{protocol: "tcp", port: 80}]}]}'
	grep -qx "tcp 198.51.100.10 80 web" "$BATS_TEST_TMPDIR/native"
	same_world '.network.egress = {default: "allow", deny: [{to: [{cidr: "203.0.113.7"}]}]}'
	grep -qx "tcp 198.51.100.10 81 other" "$BATS_TEST_TMPDIR/native"
	# without a word of the network there is none
	same_world .
	refused grep -qE " (web|other|far)$" "$BATS_TEST_TMPDIR/native"
}

# ---- bundles ----

# The engine of the test is $ENGINE.
by_engine() { rt --engine "$ENGINE" "$@"; }

whole_life() {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}]) | .linux.resources.pids = {limit: 44}
		| .process.user = {uid: 5, gid: 6, additionalGids: [7], umask: 23} | .process.cwd = "/tmp"
		| .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}] | .process.oomScoreAdj = 44
		| .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
			inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}
		| .linux.sysctl = {"net.ipv4.ping_group_range": "3 4"} | .domainname = "its.own"
		| .hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >>$0/hooks", $dir]}]' --arg dir "$BATS_TEST_TMPDIR"
	by_engine create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(status_of "$TAG")" created
	# ours to reap, as an engine expects: the tool that made it is gone
	refused pgrep -f "bwrap.*--info-fd|lxc-start.*/run/lxc"
	rt start "$TAG"
	wait_for 10 has_exec
	equal "$(status_of "$TAG")" running
	equal "$(proc_status "$PID" Uid)" "$(printf '5\t5\t5\t5')"
	equal "$(proc_status "$PID" Groups)" "7 "
	equal "$(proc_status "$PID" CapBnd) $(proc_status "$PID" CapEff) $(proc_status "$PID" NoNewPrivs)" "0000000000000021 0000000000000020 1"
	equal "$(proc_status "$PID" Umask)" 0027
	grep -q "^Max open files *66 *77 " "/proc/$PID/limits"
	equal "$(cat "/proc/$PID/oom_score_adj") $(readlink "/proc/$PID/cwd") $(nsenter -t "$PID" -u cat /proc/sys/kernel/domainname)" "44 /tmp its.own"
	equal "$(cgroup_value "$PID" pids pids.max pids.max)" 44
	equal "$(cat "$BATS_TEST_TMPDIR/hooks")" hook
	equal "$(rt exec --user 0 "$TAG" /bin/sh -c 'echo in; cat /proc/sys/net/ipv4/ping_group_range; touch /sys/x 2>/dev/null || echo ro')" "in
3	4
ro"
	contains "$(rt list -q)" "$TAG"
	rt kill "$TAG" KILL
	wait_for 10 is_status "$TAG" stopped
	rt delete "$TAG"
}

@test "by bwrap: a bundle's whole life: create, start, state, exec, list, kill, delete" {
	ENGINE=bwrap
	whole_life
}

@test "by lxc: a bundle's whole life: create, start, state, exec, list, kill, delete" {
	requires lxc-start
	ENGINE=lxc
	whole_life
}

in_foreground() {
	make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	script 'echo out; echo err >&2; exit 7'
	run --separate-stderr by_engine run --bundle "$BUNDLE" "$TAG"
	equal "$status $output $stderr" "7 out err"
	script 'kill -9 $$'
	run --separate-stderr by_engine run --bundle "$BUNDLE" "$TAG"
	# pid 1 can't kill itself
	equal "$status" 0
	config '.process.args = ["/absent"]'
	run -127 --separate-stderr by_engine run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" 'exec: "/absent"'
	script 'test -t 0 && tty; ls -l /dev/console | cut -c 1'
	config '.process.terminal = true'
	# --foreground: where the shell does not exec its only command, timeout would be in a group of its own, away from the terminal
	run env script -qec "timeout --foreground -k 5 30 $MXCRUN --root $STATE --engine $ENGINE run --bundle $BUNDLE $TAG" /dev/null
	contains "$output" /dev/pts/0
	equal "$(tail -n 1 <<<"$output" | tr -d '\r')" c
}

@test "by bwrap: a bundle in the foreground: exit code, a signal, a terminal, and a program that is not there" {
	ENGINE=bwrap
	in_foreground
}

@test "by lxc: a bundle in the foreground: exit code, a signal, a terminal, and a program that is not there" {
	requires lxc-start
	ENGINE=lxc
	in_foreground
}

# refuses TARGET: the bundles on stdin, each a word of the error and a filter.
refuses() {
	local word filter
	while read -r word filter; do
		make_bundle '.process.noNewPrivileges = true | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
		config "$filter"
		run --separate-stderr by_engine run --bundle "$BUNDLE" "$TAG"
		assert_refused "$ENGINE: " "$word"
		equal "$(records_in "$STATE")" ""
	done
}

@test "of a bundle, too, what bwrap can't do is refused by name before anything starts" {
	ENGINE=bwrap
	refuses <<-'END'
		no_new_privs .process.noNewPrivileges = false
		joined .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)
		createContainer .hooks.createContainer = [{path: "/bin/true"}]
		view .linux.namespaces |= map(select(.type != "cgroup"))
		propagation .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared"]}]
		below .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind"]}]
		upon .mounts += [{destination: "/sys/fs/x", type: "tmpfs", source: "tmpfs"}]
		device .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		AppArmor .process.apparmorProfile = "unconfined"
		sysfs .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		/proc .mounts |= map(select(.destination != "/proc"))
	END
}

@test "of a bundle, too, what LXC can't do is refused by name before anything starts" {
	requires lxc-start
	ENGINE=lxc
	refuses <<-'END'
		joined .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)
		time .linux.namespaces += [{type: "time"}]
		createContainer .hooks.createContainer = [{path: "/bin/true"}]
		view .linux.namespaces |= map(select(.type != "cgroup"))
		shared .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared"]}]
		fills .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]
		AppArmor .process.apparmorProfile = "unconfined"
		/dev .mounts |= map(select(.destination | startswith("/dev") | not))
	END
}

# What bwrap has no option for.
@test "by lxc: a bundle keeps its devices, its rights without no_new_privs, mounts alone and all their flags" {
	requires lxc-start
	make_bundle '.process.noNewPrivileges = false | .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 384, uid: 3, gid: 4}]
		| .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind", "rro", "rnoexec", "nosuid"]},
			{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["noexec", "size=64k", "nr_inodes=9"]}]
		| .linux.maskedPaths += ["/x/share"] | .root.readonly = true | .linux.readonlyPaths += ["/t"]'
	script 'stat -c "%t %T %a %u %g" /dev/fuse; grep NoNew /proc/self/status; awk "\$5 ~ /^.(x|t)/ { print \$5, \$6 }" /proc/self/mountinfo
		ls /x/share | wc -l; touch /y 2>/dev/null || echo ro; df -i /t | tail -n 1 | tr -s " " | cut -d " " -f 2; ls /dev | tr "\n" " "'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	equal "$status" 0
	local seen=$output
	contains "$seen" "a e5 600 3 4" "/x ro,nosuid,noexec"
	run --separate-stderr rt --engine lxc run --bundle "$BUNDLE" "$TAG"
	echo "$stderr"
	equal "$status $output" "0 $seen"
}

@test "by lxc: a bundle in a user namespace with a range of ids" {
	requires lxc-start
	make_userns_bundle '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	script 'id -u; cat /proc/self/uid_map; stat -c %u /bin /dev/null; ls -l /dev/null | cut -c 1'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	equal "$status" 0
	local seen=$output
	run --separate-stderr rt --engine lxc run --bundle "$BUNDLE" "$TAG"
	echo "$stderr"
	equal "$status $output" "0 $seen"
}

# ---- nothing is left ----

killed_at_any_moment() {
	policy 'exec sleep 987'
	local delay pid
	for delay in "$@"; do
		# shellcheck disable=SC2016 # expanded by the shell that is killed
		setsid sh -c 'exec "$0" --root "$1" --engine "$3" mxc run "$2"' "$MXCRUN" "$STATE" "$POLICY" "$ENGINE" </dev/null >/dev/null 2>&1 3>&- 4>&- &
		pid=$!
		sleep "$delay"
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		no_sleeper() { ! pgrep -f 'sleep 987' >/dev/null; }
		wait_for 10 no_sleeper
	done
	rt gc >/dev/null
	equal "$(records_in "$STATE")" ""
	nothing_runs() { ! pgrep -f "mxcrun-init|--info-fd|by=lxc" >/dev/null; }
	wait_for 5 nothing_runs
}

@test "by bwrap: killed at any moment: gc takes away what the engine has begun" {
	ENGINE=bwrap
	killed_at_any_moment 0.004 0.008 0.012 0.016 0.02 0.03 0.05 0.1
}

@test "by lxc: killed at any moment: gc takes away what the engine has begun" {
	requires lxc-start
	ENGINE=lxc
	killed_at_any_moment 0.005 0.01 0.02 0.03 0.04 0.06 0.08 0.1 0.15 0.2
	[ ! -e /run/lxc/state ]
	equal "$(find /sys/fs/cgroup -name 'lxc*')" ""
}
