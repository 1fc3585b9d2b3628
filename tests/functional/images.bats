#!/usr/bin/env bats
# The store of images, and policies whose root is one of them.

load helpers
GUARDS="jq mxcrun"

test_setup() {
	make_user
	# of an ordinary user: his folder is the only place that both can reach
	export MXCRUN_IMAGES=$USERDIR/images
	SOURCE=$USERDIR/source
	make_rootfs "$SOURCE"
	mkdir -p "$SOURCE/var/secret"
	echo image >"$SOURCE/etc/release"
	echo secret >"$SOURCE/var/secret/file"
	chmod -R a+rX "$SOURCE"
	[ "$(id -u)" != 0 ] || remember_sandboxes
}

test_teardown() {
	[ "$(id -u)" != 0 ] || assert_no_new_sandboxes
	rm -rf "$USERDIR"
}

images() { rt image list --format json | jq -rc '.[] | "\(.distribution) \(.release)"'; }
rootfs() { rt image list --format json | jq -r --arg d "$1" --arg r "$2" '.[] | select(.distribution == $d and .release == $r).path'; }

import() { rt image import "${1-tiny}" "${2-1}" "${3-$SOURCE}"; }

# lxc_policy COMMAND [jq arguments]: a policy on the image "tiny 1".
lxc_policy() {
	local command=$1
	shift
	policy "$command" '.containment = "lxc" | .lxc = {distribution: "tiny", release: "1"}'
	[ $# -eq 0 ] || { jq "$@" "$POLICY" >"$POLICY.new" && mv "$POLICY.new" "$POLICY"; }
}

# ---- the store ----

@test "a directory and a tarball become images, are listed, and go again" {
	import tiny 1
	tar -C "$SOURCE" -czf "$USERDIR/root.tar.gz" .
	import tiny 2.0-rc_1 "$USERDIR/root.tar.gz"
	equal "$(images)" $'tiny 1\ntiny 2.0-rc_1'
	equal "$(cat "$(rootfs tiny 1)/etc/release") $(cat "$(rootfs tiny 2.0-rc_1)/etc/release")" "image image"
	rt image remove tiny 1
	equal "$(images)" "tiny 2.0-rc_1"
	rt image remove tiny 2.0-rc_1
	equal "$(images)" ""
	equal "$(find "$MXCRUN_IMAGES" -mindepth 1 ! -name .lock)" ""
}

@test "what is no root file system, is there already or has a wrong name is refused, and leaves nothing" {
	local word
	import tiny 1
	for word in "tiny|1|$SOURCE|already" "tiny|2|/etc|no root file system" "tiny|2|/absent|No such file" \
		"tiny|2|/dev/null|neither a directory nor a file" "tiny|2|$SOURCE/etc/release|tar failed" \
		"..|2|$SOURCE|expected a distribution" "tiny|a/b|$SOURCE|expected a release" "|1|$SOURCE|expected a distribution"; do
		IFS='|' read -r distribution release source message <<<"$word"
		run --separate-stderr rt image import "$distribution" "$release" "$source"
		assert_refused "$message"
	done
	run --separate-stderr rt image remove tiny 2
	assert_refused "no image of tiny 2"
	equal "$(find "$MXCRUN_IMAGES" -maxdepth 3 -mindepth 1 ! -name .lock | sort)" \
		"$(printf '%s\n' "$MXCRUN_IMAGES"/tiny "$MXCRUN_IMAGES"/tiny/1 "$MXCRUN_IMAGES"/tiny/1/*)"
}

@test "an image keeps no set-id bit and no device node, whatever brings them" {
	requires root
	chmod 6755 "$SOURCE/bin/busybox"
	mknod "$SOURCE/etc/null" c 1 3
	chmod 666 "$SOURCE/etc/null"
	tar -C "$SOURCE" -cf "$USERDIR/root.tar" .
	import tiny 1
	import tiny 2 "$USERDIR/root.tar"
	equal "$(find "$MXCRUN_IMAGES" -perm /6000 -o -type c)" ""
	[ -x "$(rootfs tiny 1)/bin/busybox" ]
	[ -x "$(rootfs tiny 2)/bin/busybox" ]
}

@test "what a killed import leaves goes with gc" {
	mkdir -p "$MXCRUN_IMAGES/.work/rootfs/etc"
	echo half >"$MXCRUN_IMAGES/.work/rootfs/etc/file"
	run --separate-stderr rt gc
	equal "$status $output" "0 reclaimed an unfinished image"
	[ ! -e "$MXCRUN_IMAGES/.work" ]
	run --separate-stderr rt gc
	equal "$status $output" "0 "
}

# ---- sandboxes ----

@test "the root is the image, writable, and keeps nothing" {
	requires root
	import
	lxc_policy 'cat /etc/release; echo new >/etc/release; rm -r /var/secret; cat /etc/release; ls -d /home /usr 2>&1 | wc -l; exit 3'
	run_policy
	equal "$status" 3
	equal "$output" $'image\nnew\n2'
	equal "$(cat "$(rootfs tiny 1)/etc/release") $(cat "$(rootfs tiny 1)/var/secret/file")" "image secret"
}

@test "an ordinary user has images of his own" {
	requires root
	tar -C "$SOURCE" -cf "$USERDIR/root.tar" .
	chmod 644 "$USERDIR/root.tar"
	user_rt image import tiny 1 "$USERDIR/root.tar"
	[ -d "$USERDIR/.local/share/mxcrun/images/tiny/1" ]
	lxc_policy 'cat /etc/release; echo x >/etc/new && cat /etc/new; id -u'
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr user_rt mxc run "$USERDIR/policy.json" </dev/null
	equal "$status $output" $'0 image\nx\n'"$USER_ID"
}

@test "host paths are granted on it as elsewhere, and nothing else of the host is there" {
	requires root
	import
	mkdir -p "$USERDIR/rw" "$USERDIR/ro"
	echo ro >"$USERDIR/ro/file"
	lxc_policy "cat $USERDIR/ro/file; echo x >$USERDIR/rw/made; echo y >$USERDIR/ro/made; cat $BATS_TEST_TMPDIR/policy.json" --arg d "$USERDIR" \
		'.filesystem = {readwritePaths: [$d + "/rw"], readonlyPaths: [$d + "/ro"]}'
	run_policy
	equal "$status $output" "1 ro"
	equal "$(cat "$USERDIR/rw/made")" x
	[ ! -e "$USERDIR/ro/made" ]
	equal "$(ls "$(rootfs tiny 1)/tmp")" ""
}

@test "a denied path is denied in the image, through symlinks and hard links too" {
	requires root
	ln -s /var/secret "$SOURCE/lnk"
	ln "$SOURCE/var/secret/file" "$SOURCE/etc/other"
	import
	lxc_policy 'cat /var/secret/file; cat /lnk/file; cat /etc/other; rm -r /var/secret; mv /var/secret /x; ls -d /var/secret; cat /etc/release' \
		'.filesystem.deniedPaths = ["/lnk"]'
	run_policy
	equal "$status $output" $'0 /var/secret\nimage'
	lacks "$stderr" "No such file"
}

@test "a denied path that neither has is held free, and a grant opens a denied one" {
	requires root
	import
	mkdir -p "$USERDIR/open"
	echo open >"$USERDIR/open/file"
	lxc_policy 'mkdir -p /absent/there; echo x >/absent/file; ls /absent; cat /open/file; ls /absent; echo end' \
		--arg d "$USERDIR" '.filesystem = {deniedPaths: ["/absent"]}'
	run_policy
	equal "$status $output" "0 end"
	lxc_policy "cat $USERDIR/open/file; ls $USERDIR" --arg d "$USERDIR" \
		'.filesystem = {deniedPaths: [$d], readonlyPaths: [$d + "/open"]}'
	run_policy
	equal "$status $output" $'0 open\nopen'
}

@test "a denied path of the host is denied where a grant shows it, not in the image" {
	requires root
	mkdir -p "$USERDIR/data/var/secret"
	echo host >"$USERDIR/data/var/secret/file"
	import
	lxc_policy "cat /var/secret/file; cat $USERDIR/data/var/secret/file" --arg d "$USERDIR/data" \
		'.filesystem = {deniedPaths: [$d + "/var/secret"], readonlyPaths: [$d]}'
	run_policy
	equal "$status $output" "1 secret"
	contains "$stderr" "Permission denied"
}

@test "an image in use is not removed" {
	requires root
	import
	mkfifo "$BATS_TEST_TMPDIR/in"
	lxc_policy 'echo ready; cat'
	rt mxc run "$POLICY" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 &
	local pid=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	run --separate-stderr rt image remove tiny 1
	assert_refused "in use by a sandbox"
	exec 9>&-
	wait "$pid"
	rt image remove tiny 1
	equal "$(images)" ""
}

@test "what can't be held is refused: no image, a wrong name, the image's own folder, dangling links, the host's root" {
	requires root
	ln -s /nowhere "$SOURCE/dangling"
	import
	lxc_policy 'echo ran' '.lxc.release = "9"'
	run_policy
	assert_mxc_refused "no image of tiny 9" "mxcrun image import tiny 9"
	lxc_policy 'echo ran' '.lxc.release = "../1"'
	run_policy
	assert_mxc_refused /lxc/release
	lxc_policy 'echo ran' '.filesystem.deniedPaths = ["/dangling"]'
	run_policy
	assert_mxc_refused /filesystem/deniedPaths/0 "can't be resolved in the image"
	lxc_policy 'echo ran' --arg p "$(rootfs tiny 1)" '.filesystem.deniedPaths = [$p]'
	run_policy
	assert_mxc_refused "is listed itself"
	lxc_policy 'echo ran' '.filesystem.readonlyPaths = ["/"]'
	run_policy
	assert_mxc_refused "the host's root"
}

@test "MXCRUN_ROOTFS is the root without a store" {
	requires root
	lxc_policy 'cat /etc/release'
	MXCRUN_ROOTFS=$SOURCE run_policy
	equal "$status $output" "0 image"
	MXCRUN_ROOTFS=/ run_policy
	assert_mxc_refused "can't be the image"
}

@test "the plan and the report name the image" {
	requires root
	import
	lxc_policy true
	run --separate-stderr rt mxc plan "$POLICY"
	equal "$(jq -r '.root.kind + " " + .root.path' <<<"$output")" "image $(rootfs tiny 1)"
	rt mxc run --report "$BATS_TEST_TMPDIR/report" "$POLICY" </dev/null
	equal "$(jq -r '.. | objects | select(.subject == "image") | .mechanism' "$BATS_TEST_TMPDIR/report")" "overlay on tmpfs"
}
