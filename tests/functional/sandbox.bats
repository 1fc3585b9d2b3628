#!/usr/bin/env bats
# The section of the back end: what a policy may say of the sandbox itself. Effects are seen by the workload's attempts and from
# outside in /proc.

load helpers
GUARDS="jq mxcrun"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{bin,rw,secret}
	cp "$MXCRUN_TEST_BIN/probe" "$D/bin"
	echo secret >"$D/secret/file"
	remember_sandboxes
}

test_teardown() { assert_no_new_sandboxes; }

# A policy whose section is what the filter makes of {}, with the probes in its view.
section() { # COMMAND FILTER [JQ-ARGUMENTS]...
	local command=$1 filter=$2
	shift 2
	policy "$command" --arg d "$D" "$@" ".filesystem.readonlyPaths = [\$d + \"/bin\"] | .bubblewrap = {} | $filter"
}

# What the section refuses, and how.
refuses() { # FILTER WORD...
	section 'echo ran' "$1"
	run_policy
	shift
	assert_mxc_refused "$@"
}

calls() { echo "for c in $*; do echo \$c \$($D/bin/probe call \$c); done"; }

# ---- seccompProfile ----

@test "the default profile: ordinary tools run" {
	local tools='cd /tmp; set -e; export HOME=/tmp PATH=/usr/local/bin:/usr/bin:/bin
printf "a\nb\n" | sort -r | sed 1q | awk "{ print \"shell\" }"
mkfifo f; (echo fifo >f &) ; cat f; find . | tar cf - -T - 2>/dev/null | wc -c | grep -qv "^0$"
mkdir r; cp -a f r/; mv r s; ln -s s t; touch -d yesterday s/f; stat -c %F s >/dev/null; timeout 5 sleep 0.01; nice true' want=$'shell\nfifo'
	if have bash; then
		tools+=$'\nbash -c \'coproc cat; echo x >&${COPROC[1]}; read -ru ${COPROC[0]} v; echo bash $v; kill %1\''
		want+=$'\nbash x'
	fi
	if have python3; then
		tools+=$'\npython3 -c \'
import asyncio, multiprocessing, socket, subprocess, threading
threading.Thread(target=lambda: None).start()
assert subprocess.run(["true"]).returncode == 0
assert multiprocessing.Pool(2).map(abs, [-1, -2]) == [1, 2]
a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname())
socket.getaddrinfo("127.0.0.1", 80); asyncio.run(asyncio.sleep(0)); print("python")\''
		want+=$'\npython'
	fi
	if have node; then
		tools+=$'\nnode -e \'const { Worker } = require("worker_threads"); require("child_process").execSync("true");
require("fs").writeFileSync("n", "1"); require("os").networkInterfaces();
new Worker("", { eval: true }).on("exit", () => console.log("node"))\''
		want+=$'\nnode'
	fi
	if have git; then
		tools+=$'\ngit init -q g; cd g; git -c user.name=a -c user.email=b commit -q --allow-empty -m git; git gc -q; git log --format=%s; cd ..'
		want+=$'\ngit'
	fi
	if have gcc; then
		tools+=$'\nprintf "int main(void) { return 7; }" >c.c; gcc -O2 -pipe c.c -o c; ./c || echo gcc $?; rm c'
		want+=$'\ngcc 7'
	fi
	if have npm; then
		tools+=$'\nmkdir p; cd p; npm init -y >/dev/null 2>&1; npm pack 2>/dev/null; cd ..'
		want+=$'\np-1.0.0.tgz'
	fi
	if have dpkg-deb; then
		tools+=$'\nmkdir -p d/DEBIAN; printf "Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n" >d/DEBIAN/control
dpkg-deb -b d p.deb >/dev/null; dpkg-deb -f p.deb Package; apt-get --version >/dev/null'
		want+=$'\np'
	fi
	# Some are links to where a user has put them.
	local extra
	extra=$(for tool in python3 node npm; do readlink -f "$(command -v $tool)" 2>/dev/null; done | grep -v ^/usr/bin | sed 's,/bin/.*,,' | sort -u | jq -R . | jq -s .)
	policy "PATH=$PATH; $tools" --argjson extra "$extra" '.filesystem.readonlyPaths = ["/usr"] + $extra'
	run_policy
	equal "$status" 0
	equal "$output" "$want"
}

@test "the default profile: what nobody listed does not exist; what is dangerous is refused" {
	section "$(calls newer mount umount unshare_user bpf keyctl io_uring raw_socket packet_socket alg_socket sethostname chroot)" .
	run_policy
	equal "$output" "newer ENOSYS
mount EPERM
umount EPERM
unshare_user EPERM
bpf EPERM
keyctl EPERM
io_uring ENOSYS
raw_socket EPERM
packet_socket EPERM
alg_socket EAFNOSUPPORT
sethostname EPERM
chroot EPERM"
}

@test "denylist: the same is refused, and everything else passes to the kernel" {
	section "$(calls newer mount umount unshare_user bpf keyctl io_uring raw_socket packet_socket alg_socket sethostname chroot)" \
		'.bubblewrap.seccompProfile = "denylist"'
	run_policy
	contains "$output" "mount EPERM"
	contains "$output" "io_uring ENOSYS"
	contains "$output" "alg_socket EAFNOSUPPORT"
	lacks "$output" ok
	# They differ in what they do with what neither names.
	local listed denied
	listed=$(rt mxc plan "$POLICY" | jq .process.seccomp.rules)
	contains "$listed" '\"defaultAction\":\"SCMP_ACT_ALLOW\"'
	section true '.bubblewrap.seccompProfile = "default"'
	denied=$(rt mxc plan "$POLICY" | jq .process.seccomp.rules)
	contains "$denied" '\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38'
}

@test "a profile from a file takes the place of the named ones; still nobody types into the terminal" {
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 5}]}' >"$D/profile.json"
	section "$(calls mkdir keyctl); $D/bin/probe tty" '.bubblewrap.seccompProfile = $d + "/profile.json"'
	run_policy
	equal "$output" "mkdir EIO
keyctl ok
EPERM"
}

@test "a profile from a file that permits ioctl plainly: nobody types into a terminal, under crun and runc either" {
	requires root
	local runtime want='EPERM
not a terminal'
	jq -n '{defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38, syscalls: [{names: ["ioctl", "mkdir"], action: "SCMP_ACT_ALLOW"}]}' >"$D/profile.json"
	# All that the default profile permits beside it.
	section true .
	rt mxc plan "$POLICY" | jq --slurpfile own "$D/profile.json" '.process.seccomp.rules | fromjson
		| .syscalls |= (map(select(.names != ["ioctl"])) + $own[0].syscalls) | del(.architectures)' >"$D/all.json"
	section "$D/bin/probe tty; stty -g </dev/null 2>&1 | grep -q Inappropriate && echo not a terminal" '.bubblewrap.seccompProfile = $d + "/all.json"'
	run_policy
	equal "$output" "$want"
	rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted" 2>/dev/null
	for runtime in crun runc; do
		have $runtime || continue
		run_emitted "$runtime"
		equal "$output" "$want"
	done
}

@test "a profile from a file that compares the request of ioctl: one request a rule, TIOCSTI never" {
	ioctl_profile() { jq -n --argjson args "[{\"index\": 1, $1}]" '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["ioctl"], action: "SCMP_ACT_LOG", args: $args}]}' >"$D/profile.json"; }
	ioctl_profile '"value": 21522, "op": "SCMP_CMP_EQ"'
	section "$D/bin/probe tty" '.bubblewrap.seccompProfile = $d + "/profile.json"'
	run_policy
	equal "$output" EPERM
	ioctl_profile '"value": 0, "op": "SCMP_CMP_NE"'
	refuses '.bubblewrap.seccompProfile = $d + "/profile.json"' profile.json ioctl TIOCSTI
}

@test "a profile that can't be: unknown, absent, with a listener, of another format" {
	refuses '.bubblewrap.seccompProfile = "none"' seccompProfile denylist
	refuses '.bubblewrap.seccompProfile = "/absent.json"' /absent.json
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}' >"$D/profile.json"
	refuses '.bubblewrap.seccompProfile = $d + "/profile.json"' NOTIFY
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", archMap: []}' >"$D/profile.json"
	refuses '.bubblewrap.seccompProfile = $d + "/profile.json"' archMap
	jq -n '{defaultAction: "SCMP_ACT_NOTHING"}' >"$D/profile.json"
	refuses '.bubblewrap.seccompProfile = $d + "/profile.json"' profile.json SCMP_ACT_NOTHING
}

@test "a profile that its caller may not read himself is refused" {
	requires root
	make_user
	echo '{"defaultAction": "SCMP_ACT_ALLOW"}' >"$D/profile.json"
	chmod 600 "$D/profile.json"
	section 'echo ran' '.bubblewrap.seccompProfile = $d + "/profile.json" | .filesystem = {}'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	equal "$status $output" "255 "
	contains "$stderr" profile.json
}

# ---- capabilities ----

@test "kept capabilities are in every set and count in the sandbox; a dropped one is not" {
	section 'grep ^Cap /proc/self/status' '.bubblewrap.keepCaps = ["CAP_NET_BIND_SERVICE", "CAP_KILL"] | .bubblewrap.dropCaps = ["ALL", "CAP_KILL"]'
	run_policy
	equal "$(cut -f 2 <<<"$output" | sort -u)" 0000000000000400
	section "$(calls raw_socket packet_socket mount unshare_user)" '.bubblewrap.keepCaps = ["CAP_NET_RAW"]'
	run_policy
	equal "$output" "raw_socket ok
packet_socket ok
mount EPERM
unshare_user EPERM"
	section "$(calls chroot)" '.bubblewrap.keepCaps = ["CAP_SYS_CHROOT"]'
	run_policy
	equal "$output" "chroot ok"
}

@test "an ordinary user's workload binds a low port by a kept capability, and not without" {
	requires python3
	make_user
	local bind='python3 -c "
import socket
s = socket.socket(); s.bind((\"127.0.0.1\", 80)); print(\"bound\")" 2>&1 | tail -n 1'
	section "PATH=$PATH; $bind" '.filesystem = {readonlyPaths: ["/usr"]} | .bubblewrap.keepCaps = ["CAP_NET_BIND_SERVICE"]'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	[ "$output" = bound ] || skip "python3 can't be run by an ordinary user here: $output"
	section "PATH=$PATH; $bind" '.filesystem = {readonlyPaths: ["/usr"]}'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	contains "$output" "Permission denied"
}

@test "capabilities that would take a wall down are refused by name" {
	refuses '.bubblewrap.keepCaps = ["CAP_SYS_ADMIN"]' keepCaps/0 CAP_SYS_ADMIN
	refuses '.bubblewrap.keepCaps = ["CAP_KILL", "CAP_SYS_PTRACE"]' keepCaps/1 CAP_SYS_PTRACE
	refuses '.bubblewrap.keepCaps = ["KILL"]' keepCaps/0 KILL
	refuses '.bubblewrap.dropCaps = ["CAP_NOTHING"]' dropCaps/0 CAP_NOTHING
	refuses '.bubblewrap.keepCaps = ["CAP_DAC_OVERRIDE"] | .filesystem.deniedPaths = [$d + "/secret"]' CAP_DAC_OVERRIDE denies
	refuses '.bubblewrap.keepCaps = ["CAP_DAC_READ_SEARCH"] | .filesystem.deniedPaths = [$d + "/secret"]' CAP_DAC_READ_SEARCH
	refuses '.bubblewrap.keepCaps = ["CAP_NET_RAW"] | .version = "1.0.0" | .network = {egress: {default: "allow"}}' CAP_NET_RAW
}

@test "with all that can be kept beside denied paths these stay denied, as root and as a user" {
	local try='cat '$D'/secret/file; chmod 755 '$D'/secret; chown 0 '$D'/secret; umount '$D'/secret; rmdir '$D'/secret; mv '$D'/secret '$D'/s2; ls '$D'/secret; kill -9 1; echo alive'
	section "{ $try; } 2>/dev/null" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d + "/secret"]}
		| .bubblewrap.keepCaps = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_CHROOT"]'
	run_policy
	equal "$status $output" "0 alive"
	requires_item "CAP_SETGID where setgroups is denied"
	make_user
	chown -R "$USER_ID" "$D"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	equal "$status $output" "0 alive"
	equal "$(cat "$D/secret/file")" secret
}

# ---- customBinds, tmpfsMounts, symlinks ----

@test "a custom bind shows a part of the host at another place, as the caller's right and the lists allow" {
	mkdir "$D/tool" "$D/tool/hidden" "$D/tool/kept"
	echo tool >"$D/tool/file"
	echo hidden >"$D/tool/hidden/file"
	section 'cat /opt/t/file; echo new >/opt/t/new || echo read-only; cat /opt/t/hidden/file || ls -d /opt/t/hidden; echo w >/srv/w/new; echo x >/srv/w/kept/x || echo kept; ls '"$D"'/tool 2>/dev/null || echo absent' \
		'.filesystem.deniedPaths = [$d + "/tool/hidden"] | .filesystem.readonlyPaths += [$d + "/tool/kept"]
		| .bubblewrap.customBinds = [{source: ($d + "/tool"), destination: "/opt/t"}, {source: ($d + "/tool"), destination: "/srv/w", readOnly: false}]'
	run_policy
	equal "$status $output" "0 tool
read-only
/opt/t/hidden
kept
hidden
kept"
	equal "$(cat "$D/tool/new")" w
	[ ! -e "$D/tool/kept/x" ]
	# Over one file of the system's.
	echo mine >"$D/hosts"
	section 'cat /etc/hosts; ls /etc/passwd' '.bubblewrap.customBinds = [{source: ($d + "/hosts"), destination: "/etc/hosts"}]'
	run_policy
	equal "$output" "mine
/etc/passwd"
}

@test "a custom bind opens nothing that is denied, and nothing that its caller may not reach" {
	ln "$D/secret/file" "$D/link"
	refuses '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: ($d + "/secret"), destination: "/x"}]' customBinds/0 denied
	refuses '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: ($d + "/secret/file"), destination: "/x"}]' customBinds/0 denied
	refuses '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: ($d + "/link"), destination: "/x"}]' denied
	refuses '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: ($d + "/rw"), destination: ($d + "/secret/rw")}]' customBinds/0 "lies in what is denied"
	refuses '.bubblewrap.customBinds = [{source: ($d + "/absent"), destination: "/x"}]' customBinds/0 "does not exist"
	[ "$(id -u)" = 0 ] || return 0
	make_user
	chmod 700 "$D/secret"
	section 'echo ran' '.filesystem = {} | .bubblewrap.customBinds = [{source: ($d + "/secret"), destination: "/x"}]'
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	assert_mxc_refused "your own rights"
}

@test "a custom bind opens nothing that is denied by the name of another mount" {
	requires root
	ln "$D/secret/file" "$D/link"
	mkdir "$D/again"
	mount --bind "$D/secret" "$D/again"
	refuses '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: ($d + "/again/file"), destination: "/x"}]' denied
	section 'cat /x/again/file || cat /x/secret/file || cat /x/link || ls /x' '.filesystem.deniedPaths = [$d + "/secret"] | .bubblewrap.customBinds = [{source: $d, destination: "/x"}]'
	run_policy
	umount "$D/again"
	equal "$output" "again
bin
link
rw
secret"
}

@test "a place for a bind, a tmpfs or a link is never made on the host" {
	refuses '.filesystem.readwritePaths = [$d + "/rw"] | .bubblewrap.customBinds = [{source: ($d + "/bin"), destination: ($d + "/rw/new")}]' customBinds/0 trace
	refuses '.filesystem.readwritePaths = [$d + "/rw"] | .bubblewrap.tmpfsMounts = [{path: ($d + "/rw/new")}]' tmpfsMounts/0 trace
	refuses '.filesystem.readwritePaths = [$d + "/rw"] | .bubblewrap.symlinks = [{path: ($d + "/rw/new"), target: "/tmp"}]' symlinks/0 trace
	equal "$(ls -A "$D/rw")" ""
	mkdir "$D/rw/there"
	section "echo x >$D/rw/there/x; ls $D/rw/there" '.filesystem.readwritePaths = [$d + "/rw"] | .bubblewrap.tmpfsMounts = [{path: ($d + "/rw/there")}]'
	run_policy
	equal "$status $output" "0 x"
	equal "$(ls -A "$D/rw/there")" ""
}

@test "tmpfsMounts: of the size that is asked for, also in place of /tmp and /dev/shm" {
	local fill='head -c 3m /dev/zero >$d/f 2>/dev/null || echo full $d; stat -c %a $d'
	section "for d in /scratch /tmp /dev/shm /big; do $fill; done" \
		'.bubblewrap.tmpfsMounts = [{path: "/scratch", sizeMb: 2}, {path: "/tmp", sizeMb: 2}, {path: "/dev/shm", sizeMb: 2}, {path: "/big"}]'
	run_policy
	equal "$output" "full /scratch
1777
full /tmp
1777
full /dev/shm
1777
1777"
}

@test "symlinks lead where they say, and what is there already is not replaced" {
	section 'readlink /opt/a /b; cat /opt/a/passwd | grep -c ^root:' '.bubblewrap.symlinks = [{path: "/opt/a", target: "../etc"}, {path: "/b", target: "/nowhere"}]'
	run_policy
	equal "$output" "../etc
/nowhere
1"
	refuses '.bubblewrap.symlinks = [{path: "/usr", target: "/tmp"}]' symlinks/0
	refuses '.bubblewrap.symlinks = [{path: "/tmp", target: "/x"}]' symlinks/0
}

@test "the same by an ordinary user, by crun and by bwrap" {
	requires root
	local show='cat /opt/t/file; echo new >/opt/t/new || echo read-only; readlink /opt/l; head -c 3m /dev/zero >/scratch/f 2>/dev/null || echo full' want='tool
read-only
bin
full'
	mkdir "$D/tool"
	echo tool >"$D/tool/file"
	chmod -R go+rX "$BATS_RUN_TMPDIR"
	section "{ $show; } 2>/dev/null" '.bubblewrap = {customBinds: [{source: ($d + "/tool"), destination: "/opt/t"}], tmpfsMounts: [{path: "/scratch", sizeMb: 2}], symlinks: [{path: "/opt/l", target: "bin"}]}'
	run_policy
	equal "$output" "$want"
	if have bwrap; then
		run --separate-stderr rt --engine bwrap mxc run "$POLICY" </dev/null
		equal "$output" "$want"
		rt mxc emit bwrap "$POLICY" --output "$BATS_TEST_TMPDIR/command" 2>/dev/null
		run --separate-stderr timeout -k 5 "$(slow 30)" sh "$BATS_TEST_TMPDIR/command/run" </dev/null 3>&- 4>&-
		equal "$output" "$want"
	fi
	if have crun; then
		rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted" 2>/dev/null
		run_emitted crun
		equal "$output" "$want"
	fi
	make_user
	cp "$POLICY" "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json"
	equal "$output" "$want"
}

@test "resources.io is in the sandbox's cgroup, or refused by name" {
	local device file
	device=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
	[ -n "$device" ] || skip "this host has no block device"
	section 'sleep 5' '.bubblewrap.resources.io.devices = [{device: $dev, readBps: 1048576, writeIops: 77}]' --arg dev "$device"
	run --separate-stderr rt mxc plan "$POLICY"
	if [ "$status" -ne 0 ]; then
		grep -q "controller io\|none is delegated" <<<"$stderr"
		return
	fi
	equal "$(jq -c '[.policy.items[] | select(.mechanism == "cgroup: io") | [.subject, .enforced]]' <<<"$output")" \
		'[["readBps '"$device"'","1048576"],["writeIops '"$device"'","77"]]'
	file=$(jq -r '.cgroup.writes[] | select(.value | contains("77")) | .file' <<<"$output")
	section 'echo ready; sleep 5' '.bubblewrap.resources.io.devices = [{device: $dev, readBps: 1048576, writeIops: 77}]' --arg dev "$device"
	rt mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	wait_for 10 grep -q . "$BATS_TEST_TMPDIR/out"
	equal "$(cat "$BATS_TEST_TMPDIR/out")" ready
	contains "$(sandbox_cgroups | sed "s,\$,/$file," | xargs cat 2>/dev/null)" 77
	wait
	refuses '.bubblewrap.resources.io.devices = [{device: "999:999", readBps: 1}]' resources/io
}

# ---- namespaces, session, leash ----

@test "namespaces that a sandbox can do without are the host's where that is asked for" {
	local all='for n in cgroup ipc time uts mnt net pid user; do readlink /proc/self/ns/$n; done'
	section "$all" '.bubblewrap.namespaces = {cgroup: false, ipc: false, uts: false, time: false, mount: true, network: true, pid: true, user: true}'
	run_policy
	equal "$(head -n 4 <<<"$output")" "$(for n in cgroup ipc time uts; do readlink /proc/self/ns/$n; done)"
	lacks "$output" "$(readlink /proc/self/ns/mnt)"
	lacks "$output" "$(readlink /proc/self/ns/net)"
	lacks "$output" "$(readlink /proc/self/ns/pid)"
	lacks "$output" "$(readlink /proc/self/ns/user)"
	section "$all" '.bubblewrap.namespaces = {time: true}'
	run_policy
	for n in cgroup ipc time uts; do lacks "$output" "$(readlink /proc/self/ns/$n)"; done
	for n in mount network pid user; do refuses ".bubblewrap.namespaces.$n = false" "namespaces/$n"; done
}

@test "newSession: a session of its own, or the caller's" {
	requires_item "the caller's session"
	section 'cut -d " " -f 6 /proc/self/stat' '.bubblewrap.newSession = false'
	# The sid of a session from outside the pid namespace reads 0.
	run_policy
	equal "${output// /}" 0
	section 'cut -d " " -f 6 /proc/self/stat' '.bubblewrap.newSession = true'
	run_policy
	[ "$output" -gt 0 ]
}

@test "dieWithParent: the sandbox ends with whoever started mxcrun" {
	local caller
	section 'echo ready; sleep 1000' '.bubblewrap.dieWithParent = true'
	sh -c 'out=$1; shift; "$@" >"$out" 2>&1 & wait' sh "$BATS_TEST_TMPDIR/out" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null 3>&- 4>&- &
	caller=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	[ -n "$(tagged_processes)" ]
	kill -9 "$caller"
	no_processes() { [ -z "$(tagged_processes)" ]; }
	wait_for 10 no_processes
	# It ended in order: nothing is left for gc.
	wait_for 10 assert_no_new_sandboxes
	equal "$(records_in "$STATE")" ""
}

@test "argv0 is the shell's own name for itself" {
	section 'echo "$0"; tr "\0" " " </proc/$$/cmdline' '.bubblewrap.argv0 = "agent"'
	run_policy
	contains "$output" "agent
agent -c "
}

# ---- what is so without a word of the policy ----

@test "the sandbox's own file systems have a size" {
	section 'stat -f -c "%b %S" / /tmp /dev/shm; head -c 20m /dev/zero >/f 2>/dev/null || echo full' .
	run_policy
	equal "$(awk '{ print $2 ? $1 * $2 / 1048576 : $1 }' <<<"$output")" "16
2048
1024
full"
}

@test "no value of the environment is on a command line, nor that of init" {
	policy 'echo ready; sleep 3' '.process.env += ["KEY=value-that-nobody-sees"]'
	rt mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	[ -n "$(tagged_processes)" ]
	equal "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -c '^KEY=value-that-\|value-that-nobody-see[s]')" 0
	wait
}

# ---- Landlock ----

requires_landlock() {
	rt doctor --json | jq -e '.host[] | select(.subject == "Landlock") | .available' >/dev/null || skip "this kernel has no Landlock, or before version 2 of it"
}

@test "Landlock: the record and doctor say whether there is a second wall" {
	local there
	there=$(rt doctor --json | jq '.host[] | select(.subject == "Landlock") | .available')
	section true .
	run_policy --report "$BATS_TEST_TMPDIR/report"
	case $there in
	true) equal "$(jq -r '.items[] | select(.subject == "files") | .enforced' "$BATS_TEST_TMPDIR/report")" "second wall" ;;
	false) equal "$(jq -r '.items[] | select(.subject == "files") | .enforced' "$BATS_TEST_TMPDIR/report")" "mounts alone" ;;
	esac
	[ "$there" = true ] || grep -qvw landlock /sys/kernel/security/lsm 2>/dev/null || [ ! -e /sys/kernel/security/lsm ]
}

@test "Landlock: nobody in a sandbox changes mounts, even where no filter and no capability would forbid it" {
	requires_landlock
	requires unshare
	jq -n '{defaultAction: "SCMP_ACT_ALLOW"}' >"$D/profile.json"
	# In a namespace that it makes itself it has every right, also to mount.
	section "unshare -U --keep-caps --propagation unchanged -m sh -c 'grep -c CapEff:.*fff /proc/self/status; for c in mount umount; do $D/bin/probe call \$c; echo; done'" \
		'.bubblewrap.seccompProfile = $d + "/profile.json" | .filesystem.deniedPaths = [$d + "/secret"]'
	run_policy
	equal "$(head -n 2 <<<"$output")" "1
EPERM"
	lacks "$output" ok
}

@test "Landlock: a directory as standard input leads nowhere, a file can be opened again" {
	requires_landlock
	section 'ls /proc/self/fd/0/ /proc/self/fd/0/..; cat /proc/self/fd/0/../secret/file; echo end' .
	run --separate-stderr rt mxc run "$POLICY" <"$D/rw"
	equal "$output" end
	section 'read line </dev/stdin; echo "$line"; echo two >>/dev/stdout; echo three >>/dev/stderr' .
	rt mxc run "$POLICY" <"$D/secret/file" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&-
	equal "$(cat "$BATS_TEST_TMPDIR/out")" "secret
two"
	equal "$(cat "$BATS_TEST_TMPDIR/err")" three
}

@test "Landlock: what mounts allow stays allowed: renames, links, nodes, truncation, programs, in each file system" {
	local try='for d in '"$D"'/rw /tmp /dev/shm /scratch /new; do
	mkdir -p $d/a $d/b; echo 1 >$d/a/f; mv $d/a/f $d/b/f; ln $d/b/f $d/a/g; mkfifo $d/p; ln -s a $d/l; : >$d/b/f; (cat $d/p &); echo fifo >$d/p
	cp /bin/true $d/t; $d/t && rm -r $d/a $d/b $d/l $d/p $d/t && echo ok; done; mv '"$D"'/rw/x /tmp/x 2>/dev/null; cat /proc/self/comm'
	section "$try" '.filesystem.readwritePaths = [$d + "/rw"] | .bubblewrap.tmpfsMounts = [{path: "/scratch"}]'
	run_policy
	equal "$status" 0
	equal "$(sort <<<"$output" | uniq -c | awk '{ print $1, $2 }')" "1 cat
5 fifo
5 ok"
}

# ---- ui ----

@test "ui.disable: no socket of a display or bus is reached, by name, by variable, by an abstract name" {
	requires python3
	local runtime=$D/run server
	mkdir -p "$runtime"
	# A bus and a display of the caller's, and an X display by its abstract name.
	python3 -c '
import os, socket, sys, time
held = []
for name in (sys.argv[1] + "/bus", sys.argv[1] + "/wayland-7", "\0/tmp/.X11-unix/X77"):
    s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen(); held.append(s)
open(sys.argv[1] + "/ready", "w").close()
time.sleep(60)' "$runtime" 3>&- 4>&- &
	server=$!
	wait_for 10 test -e "$runtime/ready"
	local try='env | grep -c "DISPLAY\|DBUS\|XDG"; /usr/bin/python3 -c "
import socket, sys
for name in (sys.argv[1] + \"/bus\", sys.argv[1] + \"/wayland-7\", \"\\0/tmp/.X11-unix/X77\"):
    try:
        s = socket.socket(socket.AF_UNIX); s.connect(name); print(\"connected\")
    except OSError as e:
        print(e.strerror)" '$runtime
	policy "$try" --arg d "$D" --arg r "$runtime" '.filesystem.readwritePaths = [$d] | .filesystem.readonlyPaths = ["/usr"]
		| .process.env += ["DISPLAY=:77", "WAYLAND_DISPLAY=wayland-7", "XDG_RUNTIME_DIR=" + $r, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + $r + "/bus"]'
	XDG_RUNTIME_DIR=$runtime run_policy
	equal "$output" "4
connected
connected
Connection refused"
	jq '.ui.disable = true' "$POLICY" >"$POLICY.new"
	mv "$POLICY.new" "$POLICY"
	XDG_RUNTIME_DIR=$runtime run_policy
	equal "$output" "0
Permission denied
Permission denied
Connection refused"
	# By a variable of one bus alone.
	DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime/bus,guid=1 run_policy
	equal "$output" "0
Permission denied
connected
Connection refused"
	kill "$server"
	wait "$server" || true
}

@test "ui.disable: a grant of a desktop's own folder is refused" {
	local runtime=$D/run
	mkdir -p "$runtime"
	: >"$runtime/bus"
	ln -s "$runtime" "$D/link"
	policy 'echo ran' --arg r "$D/link/bus" '.ui.disable = true | .filesystem.readwritePaths = [$r]'
	XDG_RUNTIME_DIR=$runtime run_policy
	assert_mxc_refused readwritePaths/0 /ui/disable
	XDG_RUNTIME_DIR=/absent run_policy
	equal "$status $output" "0 ran"
}

# ---- elsewhere ----

@test "emit carries the section: crun and bwrap show what mxcrun shows, or it is refused by name" {
	requires root
	local look='grep -E "^(Cap|Seccomp:|NoNew)" /proc/self/status; readlink /proc/self/ns/ipc; unshare -U true 2>/dev/null; echo $?; echo typed >/dev/null'
	section "$look" '.bubblewrap = {keepCaps: ["CAP_KILL", "CAP_CHOWN"], namespaces: {ipc: false}, newSession: true, seccompProfile: "default"}'
	run_policy
	local seen=$output
	contains "$seen" "CapEff:	0000000000000021"
	contains "$seen" "$(readlink /proc/self/ns/ipc)"
	rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/emitted" 2>/dev/null
	if have crun; then
		run_emitted crun
		equal "$output" "$seen"
	fi
	rt mxc emit bwrap "$POLICY" --output "$BATS_TEST_TMPDIR/command" 2>/dev/null
	if have bwrap; then
		run --separate-stderr timeout -k 5 "$(slow 30)" sh "$BATS_TEST_TMPDIR/command/run" </dev/null 3>&- 4>&-
		equal "$output" "$seen"
	fi
	section true '.bubblewrap.argv0 = "agent"'
	run --separate-stderr rt mxc emit oci "$POLICY" --output "$BATS_TEST_TMPDIR/refused"
	assert_refused argv0
	run --separate-stderr rt mxc emit bwrap "$POLICY"
	assert_refused argv0
}

@test "the record says what of it is enforced" {
	section true '.bubblewrap = {keepCaps: ["CAP_KILL"], seccompProfile: "denylist", namespaces: {uts: false}}'
	run_policy --report "$BATS_TEST_TMPDIR/report"
	equal "$(jq -c '[.items[] | select(.subject | IN("capabilities", "systemCalls", "namespace")) | [.subject, .object, .enforced]]' "$BATS_TEST_TMPDIR/report")" \
		'[["capabilities",null,"CAP_KILL"],["systemCalls",null,"denylist"],["namespace","uts","the host'"'"'s"]]'
}

# Some of its namespaces are made before there is a plan, some beside the mounts: each that the host's limits don't give ends it.
@test "a namespace that the host's limits don't give is an error that says so, with nothing left" {
	requires root
	section 'echo ran' .
	for limit in user mnt ipc uts net pid; do
		run --separate-stderr timeout -k 5 "$(slow 30)" unshare -Ur sh -c 'echo 0 >"/proc/sys/user/max_$1_namespaces" && shift && exec "$@"' sh "$limit" \
			"$MXCRUN" "${BY[@]}" --root "$BATS_TEST_TMPDIR/limited" mxc run "$POLICY" </dev/null 3>&- 4>&-
		equal "$limit $status $output" "$limit 255 "
		# bwrap's own words are other ones
		grep -q "No space left on device\|ENOSPC" <<<"$stderr"
		[ "$limit" = user ] || lacks "$stderr" "user.max_user_namespaces"
		equal "$(records_in "$BATS_TEST_TMPDIR/limited")" ""
	done
}
