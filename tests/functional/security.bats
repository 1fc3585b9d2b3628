#!/usr/bin/env bats
# Hostile images and hostile workloads: what broke other runtimes, tried against this one.

load helpers
load compare
GUARDS="root jq"

# A victim outside the root that must stay as it is.
test_setup() {
	VICTIM=$BATS_TEST_TMPDIR/victim
	mkdir -p "$VICTIM/dir"
	echo untouched >"$VICTIM/file"
}

victim_is_untouched() {
	equal "$(cd "$VICTIM" && find . | sort | tr '\n' ' ')" ". ./dir ./file "
	equal "$(cat "$VICTIM/file")" untouched
	refused grep -F "$VICTIM" /proc/self/mountinfo
}

# ---- images that are full of symlinks ----

@test "mount destinations that are symlinks stay inside the root" {
	make_bundle --arg src "$BATS_TEST_TMPDIR/src" '.mounts += [
		{destination: "/abs/new", type: "tmpfs", source: "tmpfs"},
		{destination: "/up/new", type: "bind", source: $src, options: ["bind"]},
		{destination: "/filelink", type: "bind", source: ($src + "/f"), options: ["bind"]}]'
	mkdir "$BATS_TEST_TMPDIR/src" && echo src >"$BATS_TEST_TMPDIR/src/f"
	ln -s "$VICTIM" "$BUNDLE/rootfs/abs"
	ln -s "../../../../../../../../../../..$VICTIM/dir" "$BUNDLE/rootfs/up"
	ln -s "$VICTIM/file" "$BUNDLE/rootfs/filelink"
	script 'true'
	run_bundle
	victim_is_untouched
	# Either it was resolved inside the root, or refused.
	[ "$status" -eq 0 ] && [ -d "$BUNDLE/rootfs$VICTIM/new" ] || [ -n "$stderr" ]
}

@test "/dev, /proc and /sys that are symlinks out of the root" {
	local name
	for name in dev proc sys; do
		make_bundle '.process.args = ["/bin/true"]'
		rm -rf "$BUNDLE/rootfs/$name"
		ln -s "$VICTIM/dir" "$BUNDLE/rootfs/$name"
		run_bundle
		victim_is_untouched
		rm "$BUNDLE/rootfs/$name"
		mkdir "$BUNDLE/rootfs/$name"
	done
	assert_nothing_left
}

@test "device nodes, console and links in a hostile /dev" {
	make_bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .process.args = ["/bin/true"]'
	ln -s "$VICTIM/file" "$BUNDLE/rootfs/dev/null"
	ln -s "$VICTIM/new" "$BUNDLE/rootfs/dev/zero"
	ln -s "$VICTIM/file" "$BUNDLE/rootfs/dev/console"
	ln -s "$VICTIM/dir" "$BUNDLE/rootfs/dev/pts"
	run_bundle
	victim_is_untouched
}

@test "masked and read-only paths that are symlinks: the host is not touched, and it fails closed" {
	make_bundle '.linux.maskedPaths = ["/mask", "/maskdir"] | .linux.readonlyPaths = ["/fixed"]'
	ln -s "$VICTIM/file" "$BUNDLE/rootfs/mask"
	ln -s "$VICTIM/dir" "$BUNDLE/rootfs/maskdir"
	ln -s "$VICTIM" "$BUNDLE/rootfs/fixed"
	script 'cat /mask && echo READ'
	run_bundle
	lacks "$output" READ
	victim_is_untouched
}

@test "a mask source that the image offers as /dev/null is not used" {
	make_bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/secret"]'
	echo secret >"$BUNDLE/rootfs/secret"
	echo "from the image" >"$BUNDLE/rootfs/dev/null"
	script 'cat /secret; exit 0'
	run_bundle
	lacks "$output" secret
	lacks "$output" "from the image"
}

@test "nothing is mounted over /proc or below it" {
	local filter
	for filter in '{destination: "/proc", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc/self", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc/sys/kernel", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/tmp/../proc/self", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/sys", type: "tmpfs", source: "tmpfs"}'; do
		make_bundle ".mounts += [$filter]"
		script 'cat /proc/self/status'
		run_bundle
		assert_refused
	done
	make_bundle '.mounts += [{destination: "/alias/self", type: "tmpfs", source: "tmpfs"}]'
	ln -s /proc "$BUNDLE/rootfs/alias"
	run_bundle
	assert_refused
}

@test "rootfs that is swapped for a symlink while the container is made" {
	local i
	make_bundle '.process.args = ["/bin/probe", "cwd"]'
	mkdir -p "$VICTIM/dir"
	: >"$BATS_TEST_TMPDIR/go"
	(
		while [ -e "$BATS_TEST_TMPDIR/go" ]; do
			mv -T "$BUNDLE/rootfs" "$BUNDLE/kept" && ln -s / "$BUNDLE/rootfs"
			rm "$BUNDLE/rootfs" && mv -T "$BUNDLE/kept" "$BUNDLE/rootfs"
		done
	) 2>/dev/null 3>&- &
	for i in $(seq 15); do
		run_bundle
		# It ran in the bundle's root, or in none.
		[ "$status" -ne 0 ] || equal "$output" /
		[ ! -e /bin/probe ]
	done
	rm "$BATS_TEST_TMPDIR/go"
	wait
	[ -d "$BUNDLE/rootfs/bin" ] || mv "$BUNDLE/kept" "$BUNDLE/rootfs"
	refused grep -q "$TAG" /proc/self/mountinfo
}

# ---- the host's device nodes ----

# Bound, where none can be made. The same modes as they have, lest a failure of this test should be one of the host.
@test "root of a user namespace who is the host's changes no device node of the host, and uses them" {
	requires root
	make_bundle '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1000}]'
	script 'for f in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /proc/keys /proc/timer_list /dev/stdin; do
			[ ! -c $f ] || { chmod 666 $f 2>/dev/null && echo changed $f; }; done
		echo x >/dev/null && echo x >/dev/zero && echo written'
	run_bundle
	equal "$status $output" "0 written"
}

# ---- the runtime's own binary and descriptors ----

@test "the host's runtime can't be reached or overwritten from inside (CVE-2019-5736)" {
	requires mxcrun
	local copy=$BATS_TEST_TMPDIR/runtime sum
	cp "$MXCRUN" "$copy"
	sum=$(sha256sum <"$copy")
	# /proc/self/exe as the program makes the runtime execute itself, if it can be executed at all.
	make_bundle '.process.args = ["/proc/self/exe"]'
	MXCRUN=$copy run_bundle
	equal "$(sha256sum <"$copy")" "$sum"
	# A second process looks through /proc/PID/exe of everything that it sees while others start.
	make_bundle '.linux.namespaces |= map(select(.type != "pid"))'
	script 'for p in /proc/[0-9]*/exe; do case $(readlink $p) in *runtime*) (echo x >>$p) 2>/dev/null && echo WRITTEN $p;; esac; done; exit 0'
	MXCRUN=$copy run_bundle
	lacks "$output" WRITTEN
	equal "$(sha256sum <"$copy")" "$sum"
}

@test "while it waits for start, init is not the host's binary and holds nothing of the host" {
	requires mxcrun
	make_bundle
	create_container "$TAG"
	local fd target
	lacks "$(readlink "/proc/$PID/exe")" "$MXCRUN"
	refused grep -F "$MXCRUN" "/proc/$PID/maps"
	for fd in "/proc/$PID/fd/"*; do
		target=$(readlink "$fd") || continue
		# No folder of the host, and no file but the streams.
		refused test -d "$fd" || {
			echo "descriptor ${fd##*/} is the folder $target" >&2
			return 1
		}
		case $target in
		/dev/null | "$BATS_TEST_TMPDIR"/out | "$BATS_TEST_TMPDIR"/err | "$BATS_TEST_TMPDIR"/bats* | pipe:* | socket:* | */start | /memfd:* | /) ;;
		*)
			echo "descriptor ${fd##*/} is $target" >&2
			return 1
			;;
		esac
	done
	equal "$(stat -c %u "/proc/$PID/fd")" 0
}

@test "init is not dumpable while it waits" {
	requires mxcrun strace
	make_userns_bundle
	# Who may look into a process that is not dumpable can't be told from outside: the kernel asks for capabilities
	# in the same user namespace as well. So what init says to the kernel itself is what is looked at.
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=execve,execveat,prctl \
		"$MXCRUN" --root "$STATE" create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" \
		</dev/null >/dev/null 2>&1 3>&- &
	wait_for 10 is_status "$TAG" created
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	equal "$(grep "^$PID .*PR_SET_DUMPABLE" "$BATS_TEST_TMPDIR/trace" | tail -n 1 | grep -o 'SUID_DUMP_[A-Z]*')" SUID_DUMP_DISABLE
	rt delete --force "$TAG"
	wait
}

@test "a working directory through a leaked descriptor is refused (CVE-2024-21626)" {
	local i
	for i in 3 4 5 6 7 8 9 10 11 12; do
		make_bundle --arg cwd "/proc/self/fd/$i" '.process.cwd = $cwd'
		script 'pwd -P; ls -la .; cat ../../../../etc/hostname'
		run --separate-stderr rt run --bundle "$BUNDLE" "$TAG" 7<"$VICTIM/dir" </dev/null
		[ "$status" -ne 0 ]
		[ -z "$output" ]
	done
	# The same through a link of the image.
	ln -s /proc/self/fd/7 "$BUNDLE/rootfs/cwd"
	make_bundle '.process.cwd = "/cwd"'
	run --separate-stderr rt run --bundle "$BUNDLE" "$TAG" 7<"$VICTIM/dir" </dev/null
	[ "$status" -ne 0 ]
}

@test "stray descriptors of the caller don't reach the workload, whatever their numbers" {
	make_bundle '.process.args = ["/bin/probe", "fds"]'
	local out
	out=$("$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG" </dev/null 3<"$VICTIM/dir" 4<"$VICTIM/file" 9</ 77</etc 200<"$VICTIM/dir")
	equal "$(awk '{ print $1 }' <<<"$out" | tr '\n' ' ')" "0 1 2 "
}

@test "closed standard streams are not filled with files of the runtime" {
	make_bundle '.process.args = ["/bin/sh", "-c", "readlink /proc/self/fd/0 /proc/self/fd/2 >/out; ls /proc/self/fd >>/out"]'
	"$MXCRUN" --root "$STATE" run --bundle "$BUNDLE" "$TAG" <&- 2>&- 3>&- || true
	if [ -e "$BUNDLE/rootfs/out" ]; then
		refused grep -vE '^(/dev/null|[0-3])$' "$BUNDLE/rootfs/out"
	fi
}

# ---- what the workload may not undo ----

@test "a workload with CAP_SYS_ADMIN in its own user namespace can't undo masks" {
	make_userns_bundle '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'cat /proc/keys; unshare -Urm sh -c "umount /proc/keys; umount /proc/timer_list; mount -o remount,rw,bind /proc/sys; cat /proc/keys; echo 1 >/proc/sys/kernel/domainname" ; cat /proc/timer_list; exit 0'
	run_bundle
	equal "$output" ""
}

@test "a terminal's input can't be faked by a workload on the caller's terminal" {
	make_bundle '.process.args = ["/bin/probe", "tty"]'
	run --separate-stderr command script -qec "$MXCRUN --root $STATE run --bundle $BUNDLE $TAG" /dev/null
	[[ $output != *ok* ]]
}

@test "signals, ptrace and /proc of the host are out of reach" {
	make_bundle
	script 'ls /proc | grep -c "^[0-9]"; kill -0 -1 2>/dev/null; cat /proc/1/comm; ls -l /proc/1/root/ | grep -c victim'
	run_bundle
	[ "${lines[0]}" -le 4 ]
	lacks "$output" systemd
}

# ---- the state directory ----

@test "the state directory is closed to others whatever the umask" {
	make_bundle
	(umask 0 && create_container "$TAG")
	equal "$(stat -c %a "$STATE")" 700
	equal "$(find "$STATE" -type f -perm /077 -o -type d -perm /077 | wc -l)" 0
}

@test "state that is empty, truncated, foreign or gone: delete --force still clears everything" {
	requires mxcrun
	local damage file
	for damage in truncate random remove directory; do
		make_bundle
		start_container "$TAG"
		for file in "$STATE/$TAG"/*; do
			[ -f "$file" ] || continue
			case $damage in
			truncate) : >"$file" ;;
			random) head -c 300 /dev/urandom >"$file" ;;
			remove) rm "$file" ;;
			directory) rm "$file" && mkdir "$file" ;;
			esac
			# The journal is damaged in another turn: the record alone must do, and the other way round.
			[ "$damage" != random ] || break
		done
		rt delete --force "$TAG" || {
			echo "damage: $damage" >&2
			return 1
		}
		assert_nothing_left
	done
}

@test "a container that waits, one that runs and an exec leave no socket that others could connect to" {
	make_bundle
	sockets() { awk '$4 ~ /^0001/ { print $8 }' /proc/net/unix | sort; }
	local before
	before=$(sockets)
	create_container "$TAG"
	equal "$(sockets)" "$before"
	rt start "$TAG"
	rt exec --detach "$TAG" sleep 1000 </dev/null >/dev/null 2>&1
	equal "$(sockets)" "$before"
}
