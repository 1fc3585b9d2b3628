#!/usr/bin/env bats
# What `emit` prints runs elsewhere with the same effect: the same workload looks at itself under mxcrun and under each
# runtime that is given the emitted form, and what they saw is compared.

load helpers
GUARDS="root jq mxcrun"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{rw,ro,secret,reopened/deep}
	echo ro >"$D/ro/file"
	echo secret >"$D/secret/file"
	echo deep >"$D/reopened/deep/file"
	echo hidden >"$D/hidden"
	remember_sandboxes
}

test_teardown() { assert_no_new_sandboxes; }

# What a workload sees of itself, one fact a line.
LOOK='id -u; id -g; id -G; env | grep -v "^\(PWD\|_\|SHLVL\|HOME\|MXCRUN_TEST_TAG\)=" | sort; pwd; umask
grep -E "^(Cap...|NoNewPrivs|Seccomp):" /proc/self/status
ls /proc/self/ns | sort; wc -l </proc/net/dev
unshare -U true 2>/dev/null; echo "unshare $?"'

# Flags of the mounts that both have: what a runtime adds of its own (its device nodes, its masks) is named here.
MOUNTS='awk '\''{ print $5, $6 }'\'' /proc/self/mountinfo | grep -v " / \|^/ \|^/dev/\(null\|zero\|full\|random\|urandom\|tty\) \|^/proc/\|^/dev/mqueue\|^/sys" | sort'

emit_policy() {
	rm -rf "$BATS_TEST_TMPDIR/emitted"
	rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted" 2>"$BATS_TEST_TMPDIR/notes"
}

# crun and runc, given what was emitted, end with 0 and print TEXT.
both_print() { # TEXT
	local runtime
	for runtime in crun runc; do
		have "$runtime" || skip "needs $runtime"
		run_emitted "$runtime"
		equal "$status" 0
		equal "$output" "$1"
	done
}

# The policy gives the same under mxcrun and under each runtime.
same_everywhere() {
	local seen
	run_policy
	equal "$status" 0
	seen=$output
	emit_policy
	both_print "$seen"
}

@test "emit oci: crun and runc show the workload the same ids, rights, environment and mounts" {
	policy "$LOOK; $MOUNTS" --arg d "$D" '.process.cwd = "/tmp" | .process.env += ["A=b c", "Q=it'\''s"] | .filesystem = {readwritePaths: [$d + "/rw"],
		readonlyPaths: [$d + "/ro"]}'
	same_everywhere
	contains "$output" "CapBnd:	0000000000000000"
	contains "$output" "Seccomp:	2"
	contains "$output" "A=b c"
	contains "$output" "$D/ro ro,nosuid,nodev"
}

@test "emit oci: what is denied, read-only and granted again is so under crun and runc" {
	policy "cat $D/secret/file 2>/dev/null || echo 1; ls $D | tr '\n' ' '; echo x 2>/dev/null >$D/ro/x || echo 2; cat $D/ro/file
		cat $D/hidden 2>/dev/null || echo 3; cat $D/reopened/deep/file; touch $D/reopened/x 2>/dev/null || echo 4; touch $D/rw/x && echo 5
		chmod 777 $D/secret 2>/dev/null || echo 6; mv $D/secret $D/elsewhere 2>/dev/null || echo 7" --arg d "$D" '.filesystem = {
		readwritePaths: [$d, $d + "/reopened/deep"], readonlyPaths: [$d + "/ro"],
		deniedPaths: [$d + "/secret", $d + "/hidden", $d + "/reopened"]}'
	same_everywhere
	equal "$output" "1
hidden reopened ro rw secret 2
ro
3
deep
4
5
6
7"
}

@test "emit oci: limits of a policy are in the cgroup that runc makes" {
	requires cgroup_v1 runc
	policy 'cat /proc/self/cgroup | grep :memory:' '.version = "1.0.0" | .bubblewrap.resources = {memoryMb: 64, pids: 33}'
	emit_policy
	equal "$(jq -c '.linux.resources | [.memory.limit, .pids.limit]' "$BATS_TEST_TMPDIR/emitted/config.json")" "[67108864,33]"
	jq '.process.args = ["/bin/sleep", "1000"]' "$BATS_TEST_TMPDIR/emitted/config.json" >"$BATS_TEST_TMPDIR/c" &&
		mv "$BATS_TEST_TMPDIR/c" "$BATS_TEST_TMPDIR/emitted/config.json"
	(cd "$BATS_TEST_TMPDIR/emitted" && timeout -k 5 30 runc --root "$BATS_TEST_TMPDIR/runc" run -d --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" \
		</dev/null >/dev/null 2>&1 3>&- 4>&-)
	local pid limit pids
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	limit=$(cat "$(cgroup_dir "$pid" memory)/memory.limit_in_bytes")
	pids=$(cat "$(cgroup_dir "$pid" pids)/pids.max")
	runc --root "$BATS_TEST_TMPDIR/runc" delete --force "$TAG"
	equal "$limit $pids" "67108864 33"
}

@test "emit oci: an OCI bundle becomes one with the same effect" {
	make_bundle '.process.noNewPrivileges = true | .process.user = {uid: 5, gid: 6, additionalGids: [7], umask: 23}
		| .hostname = "emitted" | .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}] | .process.cwd = "/tmp"
		| .linux.sysctl = {"net.ipv4.ping_group_range": "3 4"} | .linux.resources.pids = {limit: 44}'
	script 'id; hostname; ulimit -n; pwd; umask; cat /proc/sys/net/ipv4/ping_group_range; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status
		awk "{ print \$5, \$6 }" /proc/self/mountinfo | grep -v "^/proc/\|^/ \|^/dev/null\|^/sys/firmware\|cgroup" | sort'
	run_bundle
	equal "$status" 0
	local seen=$output
	rt emit oci --bundle "$BUNDLE" --output "$BATS_TEST_TMPDIR/emitted" "$TAG"
	both_print "$seen"
	contains "$seen" "uid=5 gid=6 groups=7"
}

# The policy as a bwrap command, run from where we are.
run_command() {
	rm -rf "$BATS_TEST_TMPDIR/command"
	rt mxc emit bwrap "$POLICY" --output "$BATS_TEST_TMPDIR/command" 2>"$BATS_TEST_TMPDIR/notes"
	run --separate-stderr timeout -k 5 "$(slow 30)" "$BATS_TEST_TMPDIR/command/run" </dev/null 3>&- 4>&-
	echo "bwrap: status $status; stdout: ${output:0:3000}; stderr: ${stderr:0:1000}"
}

@test "emit bwrap: the command shows the workload what mxcrun shows it" {
	requires bwrap
	policy "$LOOK; $MOUNTS" --arg d "$D" '.process.env += ["A=b c", "Q=it'\''s"] | .filesystem = {readwritePaths: [$d + "/rw"],
		readonlyPaths: [$d + "/ro"]}'
	run_policy
	equal "$status" 0
	local seen
	# the reviewed difference: bwrap has no noexec for its /dev, and says nothing of its size
	seen=${output/"/dev rw,nosuid,noexec,relatime"/"/dev rw,nosuid,nodev,relatime"}
	run_command
	equal "$status" 0
	equal "$output" "$seen"
	grep -q "noexec in /dev: " "$BATS_TEST_TMPDIR/notes"
}

@test "emit bwrap: what is denied, read-only and granted again is so under bwrap; exit codes are the command's" {
	requires bwrap
	policy "cat $D/secret/file 2>/dev/null || echo 1; ls $D | tr '\n' ' '; echo x 2>/dev/null >$D/ro/x || echo 2; cat $D/ro/file
		cat $D/hidden 2>/dev/null || echo 3; cat $D/reopened/deep/file; touch $D/reopened/x 2>/dev/null || echo 4; touch $D/rw/x && echo 5
		chmod 777 $D/secret 2>/dev/null || echo 6; mv $D/secret $D/elsewhere 2>/dev/null || echo 7
		chmod 777 $D/hidden 2>/dev/null || echo 8; cat /proc/kcore 2>/dev/null | wc -c; echo 1 2>/dev/null >/proc/sys/kernel/panic || echo 9
		exit 7" --arg d "$D" '.filesystem = {readwritePaths: [$d, $d + "/reopened/deep"], readonlyPaths: [$d + "/ro"],
		deniedPaths: [$d + "/secret", $d + "/hidden", $d + "/reopened"]}'
	run_policy
	equal "$status" 7
	local seen=$output
	contains "$seen" "8
0
9"
	run_command
	equal "$status" 7
	equal "$output" "$seen"
}

@test "emit bwrap: the host's whole root, read-only, with a part of it denied" {
	requires bwrap
	policy "cat $D/ro/file; touch /usr/x 2>/dev/null || echo 1; cat $D/secret/file 2>/dev/null || echo 2; touch /tmp/x && echo 3" \
		--arg d "$D" '.filesystem = {readonlyPaths: ["/"], deniedPaths: [$d + "/secret"], readwritePaths: [$d + "/ro"]}'
	run_command
	equal "$status" 0
	equal "$output" "ro
1
2
3"
}

@test "emit bwrap: an ordinary user runs the command, too" {
	requires bwrap
	make_user
	policy 'id -u; cat /etc/hostname 2>/dev/null || echo 1; grep CapBnd /proc/self/status; unshare -U true 2>/dev/null || echo 2' \
		'.filesystem.deniedPaths = ["/etc/hostname"] | .process.cwd = "/"'
	cp "$POLICY" "$USERDIR/policy.json"
	user_rt mxc emit bwrap "$USERDIR/policy.json" --output "$USERDIR/command" 2>/dev/null
	run --separate-stderr as_user timeout -k 5 30 "$USERDIR/command/run" </dev/null
	echo "$stderr"
	equal "$status" 0
	equal "$output" "$USER_ID
1
CapBnd:	0000000000000000
2"
}

# For a bubblewrap of that version, or the usual one: the words.
emit_for() { # VERSION
	rt mxc emit bwrap ${1:+--bwrap-version "$1"} --form nul "$POLICY" 2>"$BATS_TEST_TMPDIR/notes" | tr '\0' ' '
}

@test "emit bwrap: --bwrap-version: what newer ones have is used for them, and refused for older ones" {
	local version
	policy true '.bubblewrap.argv0 = "agent"'
	contains "$(emit_for 0.9)" " --argv0 agent -- /bin/sh -c true"
	contains "$(emit_for 0.11.2)" " --argv0 agent -- "
	for version in "" 0.7 0.8.0; do
		run --separate-stderr rt mxc emit bwrap ${version:+--bwrap-version "$version"} "$POLICY"
		assert_refused "argv[0] that is no name of the program" "--bwrap-version 0.9"
	done
	policy true
	refused grep -q -e '--argv0' <<<"$(emit_for 0.8)"
	grep -q 'program other than argv' "$BATS_TEST_TMPDIR/notes"
	contains "$(emit_for 0.9)" " --argv0 sh -- /bin/sh -c true"
	refused grep -q 'program other than argv' "$BATS_TEST_TMPDIR/notes"
	contains "$(emit_for 1.0)" " --argv0 sh -- "
	run --separate-stderr rt mxc emit bwrap --bwrap-version 0.6 "$POLICY"
	assert_refused "size of a tmpfs" "--bwrap-version 0.7"
	for version in 0.4 0 8 v0.8 0.8-1; do
		run --separate-stderr rt mxc emit bwrap --bwrap-version "$version" "$POLICY"
		assert_refused --bwrap-version
	done
	run --separate-stderr rt mxc emit oci --bwrap-version 0.9 "$POLICY"
	assert_refused 'goes only with "emit bwrap"'
}

# An image as the root, which MXCRUN_ROOTFS names.
image_policy() {
	make_rootfs "$BATS_TEST_TMPDIR/image"
	mkdir "$BATS_TEST_TMPDIR/image/var/secret"
	echo image >"$BATS_TEST_TMPDIR/image/etc/release"
	export MXCRUN_ROOTFS=$BATS_TEST_TMPDIR/image
	policy 'cat /etc/release; echo mine >/etc/release; cat /etc/release; ls /var/secret 2>/dev/null || echo denied
		awk "\$5 == \"/\" { print \$6, \$8 }" /proc/self/mountinfo; ls /; exit 7' \
		'.containment = "lxc" | .lxc = {distribution: "any", release: "1"} | .filesystem.deniedPaths = ["/var/secret"]'
}

@test "emit bwrap: an image is written for a bubblewrap with overlays, and refused for others" {
	image_policy
	contains "$(emit_for 0.11)" " --overlay-src $MXCRUN_ROOTFS --tmp-overlay / "
	grep -q 'an image as root: .*no size limits' "$BATS_TEST_TMPDIR/notes"
	run --separate-stderr rt mxc emit bwrap "$POLICY"
	assert_refused "an image as root: it has no overlay" "--bwrap-version 0.11"
}

@test "emit bwrap: an image under bwrap's own overlay is what it is under ours, and stays as it is" {
	requires bwrap_overlay
	image_policy
	run_policy
	equal "$status" 7
	local seen=$output
	rt mxc emit bwrap --bwrap-version 0.11 "$POLICY" --output "$BATS_TEST_TMPDIR/command" 2>/dev/null
	run --separate-stderr timeout -k 5 "$(slow 30)" "$BATS_TEST_TMPDIR/command/run" </dev/null 3>&- 4>&-
	echo "$stderr"
	equal "$status" 7
	equal "$output" "$seen"
	contains "$seen" $'image\nmine\ndenied\nrw,nosuid,nodev,relatime overlay'
	equal "$(cat "$MXCRUN_ROOTFS/etc/release")" image
}

@test "emit bwrap: the three ways of writing are the same words" {
	policy 'echo "a  b"; exit 3' '.process.env += ["Q=it'\''s \"x\" $HOME"] | .filesystem.deniedPaths = ["/etc/passwd"]'
	rt mxc emit bwrap "$POLICY" --form json >"$BATS_TEST_TMPDIR/json" 2>/dev/null
	rt mxc emit bwrap "$POLICY" --form nul >"$BATS_TEST_TMPDIR/nul" 2>/dev/null
	rt mxc emit bwrap "$POLICY" >"$BATS_TEST_TMPDIR/shell" 2>/dev/null
	jq -r '.argv[1:][] + "\u0000"' -j "$BATS_TEST_TMPDIR/json" | cmp - "$BATS_TEST_TMPDIR/nul"
	# what a shell makes of it, with bwrap being a printer of its arguments, and no seccomp program to read
	(cd "$BATS_TEST_TMPDIR" && touch seccomp.bpf && bash -c "bwrap() { printf '%s\0' \"\$@\"; }; $(cat shell)") | cmp - "$BATS_TEST_TMPDIR/nul"
	equal "$(jq -c '[.descriptors[].content]' "$BATS_TEST_TMPDIR/json")" '["nothing","seccomp program"]'
	jq -e '.descriptors[1].program | length > 10' "$BATS_TEST_TMPDIR/json"
	run --separate-stderr rt mxc emit bwrap "$POLICY" --form xml
	[ "$status" -ne 0 ]
}

# A bundle of what bwrap has options for; then the filter.
make_plain_bundle() {
	make_bundle '.mounts = [{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"]}]
		| .process.capabilities = {} | .process.noNewPrivileges = true | del(.linux.maskedPaths, .linux.readonlyPaths)
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		| .linux.gidMappings = .linux.uidMappings | .hostname = "plain"'
	[ $# -eq 0 ] || config "$@"
}

@test "emit bwrap: a bundle runs by bwrap, too" {
	requires bwrap
	make_plain_bundle '.process.cwd = "/tmp" | .process.env += ["A=it'"'"'s"]'
	script 'id -u; hostname; pwd; echo "$A"; ls -d /bin/probe; grep CapEff /proc/self/status; exit 5'
	run_bundle
	equal "$status" 5
	local seen=$output
	rt emit bwrap --bundle "$BUNDLE" --output "$BATS_TEST_TMPDIR/command"
	run --separate-stderr timeout -k 5 30 "$BATS_TEST_TMPDIR/command/run" </dev/null
	echo "$stderr"
	equal "$status" 5
	equal "$output" "$seen"
}

# Lines "WORD FILTER": a plain bundle is emitted for TARGET, and with each filter it is refused, by that word.
emit_refuses() { # TARGET
	local word filter
	make_plain_bundle
	rt emit "$1" --bundle "$BUNDLE" >/dev/null
	while read -r word filter; do
		make_plain_bundle "$filter"
		run --separate-stderr rt emit "$1" --bundle "$BUNDLE"
		assert_refused "$1: " "$word"
	done
}

@test "emit bwrap: what bwrap can't do is refused by name" {
	requires bwrap
	emit_refuses bwrap <<-'END'
		no_new_privs .process.noNewPrivileges = false
		sysctls .linux.sysctl = {"net.ipv4.ping_group_range": "0 0"}
		hooks .hooks.poststop = [{path: "/bin/true"}]
		domain .domainname = "x"
		capabilities .process.capabilities.bounding = ["CAP_CHOWN"]
		terminal .process.terminal = true
		map .linux.uidMappings[0].size = 9
		joined .linux.namespaces += [{type: "network", path: "/proc/self/ns/net"}] | .linux.namespaces |= (map(select(.type != "network" or .path)))
		sysfs .mounts += [{destination: "/sys", type: "sysfs", source: "sysfs"}]
		flags .mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs", options: ["noexec"]}]
		propagation .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared"]}]
		below .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["bind"]}]
		/sys/firmware .linux.maskedPaths = ["/sys/firmware"]
		AppArmor .process.apparmorProfile = "unconfined"
		groups .process.user.additionalGids = [0]
	END
}

# The policy as a container of LXC. It writes to what are its standard streams, and leaves cgroups behind. It is elsewhere than what
# the policies of these tests grant.
run_container() {
	local name
	rm -rf "$BATS_TEST_TMPDIR/container"
	rt mxc emit lxc "$POLICY" --output "$BATS_TEST_TMPDIR/container" 2>"$BATS_TEST_TMPDIR/notes"
	run --separate-stderr timeout -k 5 "$(slow 30)" "$BATS_TEST_TMPDIR/container/run" </dev/null 3>&- 4>&-
	echo "lxc: status $status; stdout: ${output:0:3000}; stderr: ${stderr:0:1000}"
	name=$(sed -n 's/^lxc.cgroup.dir = //p' "$BATS_TEST_TMPDIR/container/config")
	[ -z "$name" ] || find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} \;
}

@test "emit lxc: the container shows the workload what mxcrun shows it" {
	requires lxc-execute
	policy "$LOOK; $MOUNTS" --arg d "$D" '.process.cwd = "/tmp" | .process.env += ["A=b  c", "Q=it'\''s"] | .filesystem = {readonlyPaths: [$d + "/ro"]}'
	run_policy
	equal "$status" 0
	local seen=$output
	run_container
	equal "$status" 0
	# the reviewed differences
	equal "$(grep -v '^container=lxc$\|^/dev/ptmx ' <<<"$output")" "$seen"
	contains "$output" "$D/ro ro,nosuid,nodev"
	contains "$output" "A=b  c"
	contains "$output" "Seccomp:	2"
	grep -q "bind mount: " "$BATS_TEST_TMPDIR/notes"
}

@test "emit lxc: what is denied, read-only and granted again is so under LXC; exit codes are the command's" {
	requires lxc-execute
	policy "cat $D/secret/file 2>/dev/null || echo 1; ls $D | tr '\n' ' '; echo x 2>/dev/null >$D/ro/x || echo 2; cat $D/ro/file
		cat $D/hidden 2>/dev/null || echo 3; cat $D/reopened/deep/file; touch $D/reopened/x 2>/dev/null || echo 4; touch $D/rw/x && echo 5
		chmod 777 $D/secret 2>/dev/null || echo 6; mv $D/secret $D/elsewhere 2>/dev/null || echo 7
		chmod 777 $D/hidden 2>/dev/null || echo 8; cat /proc/timer_list 2>/dev/null | wc -c; echo 1 2>/dev/null >/proc/sys/kernel/panic || echo 9
		unshare -U true 2>/dev/null || echo 10; script -qc 'echo 11' /dev/null; exit 7" --arg d "$D" '.process.cwd = "/" | .filesystem = {
		readwritePaths: [$d, $d + "/reopened/deep"], readonlyPaths: [$d + "/ro"],
		deniedPaths: [$d + "/secret", $d + "/hidden", $d + "/reopened"]}'
	run_policy
	equal "$status" 7
	local seen=$output
	contains "$seen" "8
0
9
10
11"
	run_container
	equal "$status" 7
	equal "$output" "$seen"
}

@test "emit lxc: limits and device rules are in the cgroup that LXC makes" {
	requires lxc-execute cgroup_v1
	policy 'grep :pids: /proc/self/cgroup >/dev/null; sleep 5' '.process.cwd = "/" | .version = "1.0.0" | .bubblewrap.resources = {memoryMb: 64, pids: 33}'
	rt mxc emit lxc "$POLICY" --output "$BATS_TEST_TMPDIR/container" 2>/dev/null
	local name
	name=$(sed -n 's/^lxc.cgroup.dir = //p' "$BATS_TEST_TMPDIR/container/config")
	timeout -k 5 30 "$BATS_TEST_TMPDIR/container/run" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	limit_is_there() { [ -n "$(find "/sys/fs/cgroup/pids/$name" -name pids.max -exec grep -lx 33 {} + 2>/dev/null)" ]; }
	wait_for 10 limit_is_there
	find "/sys/fs/cgroup/memory/$name" -name memory.limit_in_bytes -exec cat {} + | grep -qx 67108864
	wait
	find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} \;
}

@test "emit lxc: a bundle runs by LXC, too; its ways of writing say the same" {
	requires lxc-start
	make_plain_bundle '.process.cwd = "/tmp" | .process.env += ["A=it'"'"'s"] | .linux.sysctl = {"net.ipv4.ping_group_range": "0 0"}
		| .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 66}] | .process.oomScoreAdj = 44
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
			{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13},
			{names: ["personality"], action: "SCMP_ACT_ERRNO", errnoRet: 95, args: [{index: 0, value: 262144, op: "SCMP_CMP_EQ"}]}]}'
	script 'id -u; hostname; pwd; echo "$A"; ls -d /bin/probe; grep -E "CapEff|NoNew" /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj
		cat /proc/sys/net/ipv4/ping_group_range; mkdir /tmp/x 2>/dev/null || echo denied'
	run_bundle
	equal "$status" 0
	local seen=$output
	contains "$seen" "44
0	0
denied"
	rt emit lxc --bundle "$BUNDLE" --output "$BATS_TEST_TMPDIR/container" "$TAG"
	run --separate-stderr timeout -k 5 30 "$BATS_TEST_TMPDIR/container/run" </dev/null
	find /sys/fs/cgroup -depth -type d -path "*/$TAG*" -exec rmdir {} \;
	echo "$stderr"
	equal "$output" "$seen"
	rt emit lxc --bundle "$BUNDLE" --form json "$TAG" 2>/dev/null >"$BATS_TEST_TMPDIR/json"
	rt emit lxc --bundle "$BUNDLE" --form nul "$TAG" 2>/dev/null >"$BATS_TEST_TMPDIR/nul"
	jq -r '.argv[1:][] + "\u0000"' -j "$BATS_TEST_TMPDIR/json" | cmp - "$BATS_TEST_TMPDIR/nul"
	rt emit lxc --bundle "$BUNDLE" "$TAG" 2>/dev/null | grep -v '^#' | cmp - <(jq -rj .config "$BATS_TEST_TMPDIR/json")
}

@test "emit lxc: what LXC can't do is refused by name" {
	emit_refuses lxc <<-'END'
		hooks .hooks.poststop = [{path: "/bin/true"}]
		domain .domainname = "x"
		differ .process.capabilities.bounding = ["CAP_CHOWN"]
		terminal .process.terminal = true
		joined .linux.namespaces += [{type: "network", path: "/proc/self/ns/net"}] | .linux.namespaces |= (map(select(.type != "network" or .path)))
		propagation .mounts += [{destination: "/x", type: "bind", source: "/usr", options: ["rbind", "rshared"]}]
		/etc/x .linux.maskedPaths = ["/etc/x"]
		/dev .mounts |= map(select(.destination != "/dev"))
		environment .process.env += ["A=b "]
		SCMP_ACT_TRACE .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_TRACE"}]}
		cgroup .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"}]
	END
	policy true --arg d "$BATS_TEST_TMPDIR" '.filesystem.readonlyPaths = [$d]'
	run --separate-stderr rt mxc emit lxc "$POLICY" --output "$BATS_TEST_TMPDIR/container"
	assert_refused "write it elsewhere"
}

@test "emit: what a form can't say is refused by name, and nothing is written" {
	policy 'true' '.filesystem.readonlyPaths = ["/"]'
	run --separate-stderr rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted"
	assert_refused "whole root"
	[ ! -e "$BATS_TEST_TMPDIR/emitted" ]
	make_bundle '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 4}'
	run --separate-stderr rt emit oci --bundle "$BUNDLE"
	assert_refused "I/O priority"
	run --separate-stderr rt emit nonsense --bundle "$BUNDLE"
	assert_refused oci bwrap lxc
	run --separate-stderr rt mxc emit oci "$POLICY.absent"
	assert_refused absent
}

@test "emit: what the text carries with a difference is named on stderr, and a folder is never overwritten" {
	policy 'true' '.process.timeout = 60000'
	emit_policy
	grep -q "time limit: " "$BATS_TEST_TMPDIR/notes"
	grep -q "view of the host as root: " "$BATS_TEST_TMPDIR/notes"
	run --separate-stderr rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted"
	[ "$status" -ne 0 ]
	contains "$stderr" "emitted"
	policy 'true' 'del(.process.timeout)'
	rm -r "$BATS_TEST_TMPDIR/emitted"
	emit_policy
	refused grep -q "time limit: " "$BATS_TEST_TMPDIR/notes"
}
