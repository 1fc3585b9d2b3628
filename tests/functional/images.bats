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
	[ -z "${SERVER-}" ] || kill "$SERVER" 2>/dev/null || true
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
	for word in "tiny|1|$SOURCE|already" "tiny|2|$SOURCE/etc|no root file system" "tiny|2|/absent|No such file" \
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

# ---- an image server, by LXC's download template ----

TEMPLATE=/usr/share/lxc/templates/lxc-download

architecture() { uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/'; }

# A server of this machine with tiny 1 and, never to be had whole, slow 1; its certificate is trusted by whom $TRUST is put before.
start_image_server() {
	local folder=$USERDIR/server name
	requires "$TEMPLATE" openssl wget xz sha256sum /usr/bin/python3
	mkdir -p "$folder"/meta/1.0 "$folder"/images/{tiny,slow} "$USERDIR/meta"
	: >"$USERDIR/meta/config"
	echo 9999999999 >"$USERDIR/meta/expiry"
	for name in tiny slow; do
		tar -C "$SOURCE" -cJf "$folder/images/$name/rootfs.tar.xz" .
		tar -C "$USERDIR/meta" -cJf "$folder/images/$name/meta.tar.xz" .
		echo "$name;1;$(architecture);default;20260101_01:02;/images/$name/"
	done >"$folder/meta/1.0/index-system"
	SUM=$(sha256sum "$folder/images/tiny/rootfs.tar.xz" | cut -d ' ' -f 1)
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$USERDIR/key" -out "$USERDIR/certificate" 2>/dev/null
	cat "$USERDIR/key" "$USERDIR/certificate" >"$USERDIR/both"
	/usr/bin/python3 "$here/imageserver.py" "$folder" "$USERDIR/both" "$USERDIR/log" </dev/null >"$USERDIR/server.err" 2>&1 3>&- 4>&- &
	SERVER=$!
	wait_for 10 test -s "$USERDIR/log"
	SERVER_ADDRESS=127.0.0.1:$(head -n 1 "$USERDIR/log")
	echo "ca_certificate = $USERDIR/certificate" >"$USERDIR/wgetrc"
	chmod -R a+rX "$folder" "$USERDIR/certificate" "$USERDIR/wgetrc"
	TRUST=(env "WGETRC=$USERDIR/wgetrc")
	OUTSIDE=$(outside)
}

stop_image_server() {
	kill "$SERVER"
	wait "$SERVER" || true
}

# What the template leaves elsewhere when nobody tells it where.
outside() { find /var/cache/lxc /tmp -maxdepth 1 \( -name 'tmp.*' -o -name 'lxc*' -o -name download \) 2>/dev/null | sort; }

# download [option]... DISTRIBUTION RELEASE: bats' $status, $output, $stderr are the result.
download() {
	run --separate-stderr timeout -k 5 "$(slow 60)" "${TRUST[@]}" "$MXCRUN" image import --download --server "$SERVER_ADDRESS" "$@" </dev/null 3>&- 4>&-
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

store_is_empty() { [ -z "$(find "$MXCRUN_IMAGES" -mindepth 1 ! -name .lock 2>/dev/null)" ]; }

@test "an image is downloaded when the flag says so, with the sum of what came, and nothing is left elsewhere" {
	chmod 6755 "$SOURCE/bin/busybox"
	start_image_server
	download tiny 1
	equal "$status $output" "0 tiny 1: build 20260101_01:02 of $SERVER_ADDRESS, sha256 $SUM"
	equal "$(cat "$(rootfs tiny 1)/etc/release")" image
	equal "$(find "$MXCRUN_IMAGES" -perm /6000)" ""
	equal "$(ls "$(rootfs tiny 1)/..")" rootfs
	equal "$(outside)" "$OUTSIDE"
	download tiny 1
	assert_refused "already"
	rt image remove tiny 1
	download --sha256 "$SUM" tiny 1
	equal "$status" 0
	if [ "$(id -u)" = 0 ]; then
		lxc_policy 'cat /etc/release'
		run_policy
		equal "$status $output" "0 image"
	fi
	stop_image_server
}

@test "nothing is fetched without the flag, and nothing that belongs to it is taken without" {
	start_image_server
	run --separate-stderr "${TRUST[@]}" "$MXCRUN" image import tiny 1
	assert_refused "--download"
	run --separate-stderr "${TRUST[@]}" "$MXCRUN" image import --server "$SERVER_ADDRESS" tiny 1 "$SOURCE"
	assert_refused "--download"
	download tiny 1 "$SOURCE"
	assert_refused "too much"
	lxc_policy 'cat /etc/release'
	run --separate-stderr "${TRUST[@]}" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null
	assert_mxc_refused "image import"
	equal "$(tail -n +2 "$USERDIR/log")" ""
	store_is_empty
	stop_image_server
}

@test "a download that fails, or brings something else than was asked for, says so and leaves nothing" {
	start_image_server
	download absent 1
	assert_refused "matching image"
	download --variant other tiny 1
	assert_refused "matching image"
	download --sha256 "${SUM//[0-9]/0}" tiny 1
	assert_refused "$SUM" --sha256
	TRUST=(env)
	download tiny 1
	assert_refused "Failed to download"
	for words in "--server|-x|takes a host" "--server|a b|takes a host" "--variant|../x|--variant takes" "--sha256|12|--sha256 takes"; do
		IFS='|' read -r option value message <<<"$words"
		download "$option=$value" tiny 1
		assert_refused "$message"
	done
	store_is_empty
	equal "$(outside)" "$OUTSIDE"
	stop_image_server
}

@test "without the template a download says what to install" {
	requires root
	[ -e "$TEMPLATE" ] || {
		run --separate-stderr "$MXCRUN" image import --download tiny 1
		assert_refused "install the package lxc"
		return
	}
	: >"$USERDIR/none"
	run --separate-stderr unshare -m --propagation private sh -c 'mount --bind "$1" "$2"; exec "$3" image import --download tiny 1' \
		sh "$USERDIR/none" "$TEMPLATE" "$MXCRUN"
	assert_refused "install the package lxc"
	store_is_empty
}

@test "killed in the middle of a download: what it has started ends with it, and gc takes the rest away" {
	start_image_server
	"${TRUST[@]}" "$MXCRUN" image import --download --server "$SERVER_ADDRESS" slow 1 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	local importer=$!
	wait_for 20 grep -q stalled "$USERDIR/log"
	[ -d "$MXCRUN_IMAGES/.work/download" ]
	kill -9 "$importer"
	wait "$importer" || true
	no_fetcher() { ! pgrep -f "$SERVER_ADDRESS" >/dev/null; }
	wait_for 5 no_fetcher
	run --separate-stderr rt gc
	equal "$status $output" "0 reclaimed an unfinished image"
	store_is_empty
	equal "$(outside)" "$OUTSIDE"
	stop_image_server
}

# ---- sandboxes ----

@test "the root is the image, writable, and keeps nothing" {
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
	mkdir -p "$USERDIR/data/var/secret"
	echo host >"$USERDIR/data/var/secret/file"
	import
	lxc_policy "cat /var/secret/file; cat $USERDIR/data/var/secret/file" --arg d "$USERDIR/data" \
		'.filesystem = {deniedPaths: [$d + "/var/secret"], readonlyPaths: [$d]}'
	run_policy
	equal "$status $output" "1 secret"
	contains "$stderr" "Permission denied"
}

@test "the section of the sandbox counts on an image too: limits, capabilities, filter, binds, links, sizes" {
	requires root
	import
	mkdir -p "$USERDIR/extra"
	echo extra >"$USERDIR/extra/file"
	lxc_policy 'cat /mnt/file; touch /mnt/new 2>/dev/null || echo read-only; readlink /link; df -k /data | tail -n 1 | grep -o " 2048 .*/" | cut -d " " -f 2
		probe call keyctl; grep CapEff /proc/self/status | cut -f 2; exec sleep 3' --arg d "$USERDIR/extra" \
		'.bubblewrap = {resources: {memoryMb: 64, pids: 20}, customBinds: [{source: $d, destination: "/mnt", readOnly: true}],
			tmpfsMounts: [{path: "/data", sizeMb: 2}], symlinks: [{path: "/tmp/link", target: "/data"}], keepCaps: ["CAP_KILL"], seccompProfile: "denylist"}'
	sed -i "s|readlink /link|readlink /tmp/link|; s|sleep 3|sleep $(slow 3)|" "$POLICY"
	rt mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
	wait_for 5 grep -q 0000000000000020 "$BATS_TEST_TMPDIR/out"
	local pid
	pid=$(tagged_processes | tail -n 1)
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max) $(cgroup_value "$pid" pids pids.max pids.max)" "67108864 20"
	wait
	equal "$(cat "$BATS_TEST_TMPDIR/out")" $'extra\nread-only\n/data\n2048\nEPERM\n0000000000000020'
	[ ! -e "$(rootfs tiny 1)/mnt/file" ]
	# the section of LXC itself has no limits
	lxc_policy true '.lxc.memoryMb = 64'
	run_policy
	assert_mxc_malformed "lxc.memoryMb"
}

@test "an image in use is not removed" {
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
