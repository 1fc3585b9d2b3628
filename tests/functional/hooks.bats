#!/usr/bin/env bats
# Hooks: when each kind runs, where, what it gets on stdin, and what its failure means.

load helpers
GUARDS="root jq"

# A hook of the host that writes a line "KIND STATUS PID MNT-NAMESPACE" into $HOOKS.
test_setup() {
	HOOKS=$BATS_TEST_TMPDIR/hooks
	: >"$HOOKS"
	cat >"$BATS_TEST_TMPDIR/hook" <<-END
		#!/bin/sh
		state=\$(cat)
		printf '%s %s %s %s\n' "\$1" "\$(printf %s "\$state" | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p')" \
			"\$(printf %s "\$state" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')" "\$(readlink /proc/self/ns/mnt)" >>"$HOOKS"
		exit "\${2:-0}"
	END
	chmod 755 "$BATS_TEST_TMPDIR/hook"
}

# with_hook KIND [EXIT-CODE]
with_hook() {
	config --arg kind "$1" --arg path "$BATS_TEST_TMPDIR/hook" --arg code "${2:-0}" \
		'.hooks[$kind] = [{path: $path, args: ["hook", $kind, $code], env: ["PATH=/bin:/usr/bin"]}]'
}

kinds() { cut -d ' ' -f 1 "$HOOKS" | tr '\n' ' '; }
field() { awk -v kind="$1" -v n="$2" '$1 == kind { print $n }' "$HOOKS"; }

@test "a hook stands in the bundle's folder, createContainer's in the new root, startContainer's in the workload's folder" {
	make_bundle '.process.cwd = "/tmp" | .process.args = ["ls", "/from-hook"]'
	local kind
	for kind in prestart createRuntime poststart poststop; do
		config --arg kind "$kind" --arg to "$HOOKS" '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo \($kind) $(/bin/pwd) >>\($to)"]}]'
	done
	config '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "touch ./from-hook"]}]
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "pwd >/tmp/start"]}]'
	cd /
	run_bundle
	equal "$status $output" "0 /from-hook"
	equal "$(cat "$HOOKS")" "$(for kind in prestart createRuntime poststart poststop; do echo "$kind $(readlink -f "$BUNDLE")"; done)"
	equal "$(cat "$BUNDLE/rootfs/tmp/start")" /tmp
	# a folder that is gone by then holds up nothing
	: >"$HOOKS"
	config '.process.args = ["sleep", "1000"]'
	start_container "$TAG"
	mv "$BUNDLE" "$BUNDLE.gone"
	rt delete --force "$TAG"
	equal "$(kinds)" "prestart createRuntime poststart poststop "
}

@test "a hook without an environment gets the runtime's, in the container the workload's, and an empty one is empty" {
	make_bundle '.process.env += ["INSIDE=workload", "TWICE=a", "TWICE=b"]'
	local kind file out=$BATS_TEST_TMPDIR/seen
	mkdir "$out"
	for kind in prestart createRuntime createContainer poststart poststop; do
		config --arg kind "$kind" --arg out "$out" '.hooks[$kind] = [
			{path: "/bin/sh", args: ["sh", "-c", "tr \\\\0 \\\\n </proc/self/environ >\($out)/\($kind)"]},
			{path: "/bin/sh", args: ["sh", "-c", "tr \\\\0 \\\\n </proc/self/environ >\($out)/\($kind).empty"], env: []}]'
	done
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "env >/tmp/env"]}]'
	OUTSIDE=runtime create_container "$TAG"
	OUTSIDE=runtime rt start "$TAG"
	OUTSIDE=runtime rt delete --force "$TAG"
	for kind in prestart createRuntime poststart poststop; do
		grep -qx OUTSIDE=runtime "$out/$kind"
		grep -q INSIDE "$out/$kind" && return 1
		[ -e "$out/$kind.empty" ] && [ ! -s "$out/$kind.empty" ]
	done
	grep -qx INSIDE=workload "$out/createContainer"
	grep -qx INSIDE=workload "$BUNDLE/rootfs/tmp/env"
	equal "$(grep TWICE "$BUNDLE/rootfs/tmp/env")" TWICE=b
	for file in "$out/createContainer" "$BUNDLE/rootfs/tmp/env"; do lacks "$(cat "$file")" OUTSIDE; done
}

@test "each kind at its time, with the state on stdin, in its namespace" {
	make_bundle
	local kind host
	for kind in prestart createRuntime createContainer poststart poststop; do with_hook "$kind"; done
	printf '#!/bin/sh\ncat >/tmp/state\necho "$HOOK" >/tmp/env\n' >"$BUNDLE/rootfs/bin/inner"
	chmod 755 "$BUNDLE/rootfs/bin/inner"
	config '.hooks.startContainer = [{path: "/bin/inner", args: ["inner"], env: ["HOOK=here", "PATH=/bin"]}]'
	create_container "$TAG"
	equal "$(kinds)" "prestart createRuntime createContainer "
	[ ! -e "$BUNDLE/rootfs/tmp/state" ]
	rt start "$TAG"
	equal "$(kinds)" "prestart createRuntime createContainer poststart "
	equal "$(jq -r '"\(.id) \(.status) \(.bundle)"' "$BUNDLE/rootfs/tmp/state")" "$TAG created $BUNDLE"
	equal "$(cat "$BUNDLE/rootfs/tmp/env")" here
	rt delete --force "$TAG"
	equal "$(kinds)" "prestart createRuntime createContainer poststart poststop "
	host=$(readlink /proc/self/ns/mnt)
	for kind in prestart createRuntime poststart poststop; do equal "$kind $(field "$kind" 4)" "$kind $host"; done
	[ "$(field createContainer 4)" != "$host" ]
	for kind in prestart createRuntime createContainer poststart; do equal "$kind $(field "$kind" 3)" "$kind $PID"; done
	equal "$(field createRuntime 2) $(field poststart 2) $(field poststop 2)" "creating running stopped"
}

@test "a failing hook before the start ends the creation, and nothing is left" {
	local kind
	for kind in prestart createRuntime createContainer; do
		make_bundle
		with_hook "$kind" 3
		run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
		assert_refused "$kind"
		assert_nothing_left
	done
}

@test "what a hook says before it fails is in the error and in the log; of one that does not fail it is passed on only" {
	local kind
	for kind in prestart createContainer; do
		make_bundle
		config --arg kind "$kind" '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo no driver >&2; echo found >&2; exit 3"]}]'
		run --separate-stderr rt --log "$BATS_TEST_TMPDIR/log" --log-format json create --bundle "$BUNDLE" "$TAG" </dev/null
		equal "$status" 1
		equal "$(head -n 2 <<<"$stderr")" "no driver
found"
		contains "$(jq -r .msg "$BATS_TEST_TMPDIR/log")" "/hooks/$kind/0" "exit status 3 (it said: no driver found)"
		rm "$BATS_TEST_TMPDIR/log"
		assert_nothing_left
	done
	# more than a pipe holds, without a newline; to a full pipe that nobody reads
	config '.hooks = {prestart: [{path: "/bin/sh", args: ["sh", "-c", "head -c 200000 /dev/zero | tr \\\\0 x >&2; exit 3"]}]}'
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
	equal "$status" 1
	[ ${#stderr} -gt 200000 ]
	[ "$(tail -n 1 <<<"$stderr" | wc -c)" -lt 201000 ]
	mkfifo "$BATS_TEST_TMPDIR/full"
	sleep 5 <>"$BATS_TEST_TMPDIR/full" 3>&- &
	status=0
	rt create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/full" || status=$?
	equal "$status" 1
	assert_nothing_left
	config '.hooks = {prestart: [{path: "/bin/sh", args: ["sh", "-c", "echo warning >&2"]}]}'
	rt create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/said"
	equal "$(cat "$BATS_TEST_TMPDIR/said")" warning
}

# What a process may do: ids, capabilities, no_new_privs, filters, and whether it can make a folder.
RIGHTS='{ grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; ulimit -n; umask
	mkdir /tmp/folder 2>/dev/null && echo made; rmdir /tmp/folder 2>/dev/null; chown 1:1 /tmp/own 2>/dev/null && echo given; true; }'

@test "a startContainer hook has the rights of the workload, and no more" {
	local new_privs
	make_bundle '.process.user = {uid: 5, gid: 6, additionalGids: [7], umask: 23} | .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}]
		| .process.capabilities |= map_values(["CAP_KILL"])
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"},
			{names: ["pidfd_open", "clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38}]}'
	for new_privs in true false; do
		rm -f "$BUNDLE"/rootfs/tmp/{hook,workload}
		touch "$BUNDLE/rootfs/tmp/own"
		config --arg rights "$RIGHTS" --argjson no "$new_privs" '.process.noNewPrivileges = $no
			| .process.args = ["/bin/sh", "-c", "\($rights) >/tmp/workload"]
			| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "\($rights) >/tmp/hook"]}]'
		run_bundle
		equal "$status" 0
		equal "$(cat "$BUNDLE/rootfs/tmp/hook")" "$(cat "$BUNDLE/rootfs/tmp/workload")"
		contains "$(cat "$BUNDLE/rootfs/tmp/hook")" $'Seccomp:\t2'
		refused grep -qE 'made|given' "$BUNDLE/rootfs/tmp/hook"
	done
	# what the workload may, it may
	rm -f "$BUNDLE"/rootfs/tmp/{hook,workload}
	config 'del(.linux.seccomp) | .process.user.uid = 0 | .process.capabilities |= map_values(["CAP_CHOWN"])'
	run_bundle
	equal "$status" 0
	contains "$(cat "$BUNDLE/rootfs/tmp/hook")" $'made\ngiven'
	# a filter that leaves no way to start one ends the start, by name
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["clone", "clone3", "fork", "vfork"], action: "SCMP_ACT_ERRNO"}]}
		| .process.args = ["/bin/touch", "/tmp/ran"]'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /hooks/startContainer/0 "Operation not permitted"
	[ ! -e "$BUNDLE/rootfs/tmp/ran" ]
}

@test "a failing startContainer hook: the program is not run" {
	make_bundle
	script 'touch /tmp/ran; sleep 1000'
	config '.hooks.startContainer = [{path: "/bin/false"}]'
	create_container "$TAG"
	run --separate-stderr rt start "$TAG"
	assert_refused startContainer
	[ ! -e "$BUNDLE/rootfs/tmp/ran" ]
	rt delete --force "$TAG"
	assert_nothing_left
}

@test "a failing poststop hook does not keep the container, nor the hooks after it" {
	make_bundle
	config --arg hook "$BATS_TEST_TMPDIR/hook" '.hooks.poststop = [{path: "/bin/false"}, {path: $hook, args: ["hook", "poststop"]}]'
	start_container "$TAG"
	rt delete --force "$TAG" 2>"$BATS_TEST_TMPDIR/warning"
	grep -q poststop "$BATS_TEST_TMPDIR/warning"
	equal "$(kinds)" "poststop "
	assert_nothing_left
}

@test "a hook that is too slow is ended, and so is the creation" {
	make_bundle '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "987"], timeout: 1}]'
	local start=$SECONDS
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused createRuntime
	[ $((SECONDS - start)) -lt "$(slow 10)" ]
	assert_nothing_left
	refused pgrep -f "^sleep 987"
}

@test "hooks that make no sense are refused" {
	local wrong
	for wrong in '[{path: "relative"}]' '[{path: ""}]' '[{args: ["x"]}]' '[{path: "/bin/true", timeout: -1}]' '[{path: "/bin/true", env: ["NOVALUE"]}]'; do
		make_bundle ".hooks.prestart = $wrong"
		run_bundle
		assert_refused /hooks/prestart/0
	done
	make_bundle '.hooks.createRuntime = [{path: "/absent/hook"}]'
	run_bundle
	assert_refused /absent/hook
	assert_nothing_left
}

@test "annotations send what hooks print to files, also that of poststop, and not to those in the container" {
	local kind expected=()
	make_bundle
	for kind in prestart createRuntime createContainer poststart poststop; do
		config --arg kind "$kind" '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo out \($kind); echo err \($kind) >&2"]}]'
		expected+=("$kind")
	done
	config --arg dir "$BATS_TEST_TMPDIR" '.annotations["run.oci.hooks.stdout"] = $dir + "/printed" | .annotations["run.oci.hooks.stderr"] = "err"'
	echo before >"$BATS_TEST_TMPDIR/printed"
	start_container "$TAG"
	rt delete --force "$TAG"
	equal "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/printed")" "before $(printf 'out %s ' "${expected[@]}")"
	equal "$(tr '\n' ' ' <"$BUNDLE/err")" "$(printf 'err %s ' "${expected[@]}")"
	equal "$(stat -c %a "$BUNDLE/err")" 600
	config '.hooks = {startContainer: [{path: "/bin/true"}]}'
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused run.oci.hooks.stdout startContainer
	config '.hooks = {prestart: [{path: "/bin/true"}]} | .annotations["run.oci.hooks.stdout"] = "/proc/absent/out"'
	run --separate-stderr rt create --bundle "$BUNDLE" "$TAG" </dev/null
	assert_refused /hooks/prestart /proc/absent/out
	assert_nothing_left
}

@test "hooks that read nothing, read slowly, or leave a child with their streams hold nobody up" {
	local start kind
	make_bundle '.annotations.large = ("x" * 300000)'
	for kind in prestart poststart poststop; do
		config --arg kind "$kind" '.hooks[$kind] = [{path: "/bin/true"},
			{path: "/bin/sh", args: ["sh", "-c", "exec <&-; true"]},
			{path: "/bin/sh", args: ["sh", "-c", "sleep 5 & true"]}]'
	done
	start=$SECONDS
	start_container "$TAG"
	rt delete --force "$TAG"
	[ $((SECONDS - start)) -lt "$(slow 12)" ]
}

@test "a state of some hundred kilobytes reaches hooks of every kind" {
	make_bundle '.annotations.large = ("x" * 300000)'
	local kind
	for kind in prestart createRuntime createContainer poststart; do
		config --arg kind "$kind" --arg out "$BATS_TEST_TMPDIR/length" \
			'.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "wc -c >>$0", $out]}]'
	done
	printf '#!/bin/sh\nwc -c >/tmp/length\n' >"$BUNDLE/rootfs/bin/inner"
	chmod 755 "$BUNDLE/rootfs/bin/inner"
	config '.hooks.startContainer = [{path: "/bin/inner"}]'
	start_container "$TAG"
	equal "$(awk '$1 > 300000' "$BATS_TEST_TMPDIR/length" | wc -l)" 4
	[ "$(cat "$BUNDLE/rootfs/tmp/length")" -gt 300000 ]
}
