#!/usr/bin/env bats
# Mount options one by one, against the list that `features` gives; propagation; rootfsPropagation.

load helpers
GUARDS="root jq"

test_teardown() {
	local mount
	for mount in $(grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo | cut -d ' ' -f 5 | tac); do umount -l "$mount"; done
}

# option | what comes before it | where it shows (vfs: the mount, fs: the file system) | + or - and the word
plain_rows() {
	cat <<-'END'
		acl|=|refused|acl
		iversion|=|refused|iversion
		noacl|=|vfs|+rw
		noiversion|=|vfs|+rw
		async|sync|fs|-sync
		atime|noatime|vfs|-noatime
		defaults|=|vfs|+relatime
		dev|nodev|vfs|-nodev
		diratime|nodiratime|vfs|-nodiratime
		dirsync|=|fs|+dirsync
		exec|noexec|vfs|-noexec
		lazytime|=|fs|+lazytime
		loud|=|vfs|+rw
		mand|=|fs|+mand
		noatime|=|vfs|+noatime
		nodev|=|vfs|+nodev
		nodiratime|=|vfs|+nodiratime
		noexec|=|vfs|+noexec
		nolazytime|lazytime|fs|-lazytime
		nomand|mand|fs|-mand
		norelatime|=|vfs|+relatime
		nostrictatime|strictatime|vfs|+relatime
		nosuid|=|vfs|+nosuid
		nosymfollow|=|vfs|+nosymfollow
		relatime|noatime|vfs|+relatime
		ro|=|vfs|+ro
		rw|ro|vfs|-ro
		silent|=|vfs|+rw
		strictatime|=|vfs|-relatime
		suid|nosuid|vfs|-nosuid
		symfollow|nosymfollow|vfs|-nosymfollow
		sync|=|fs|+sync
		private|=|propagation|+private
		rprivate|=|propagation|+private
		shared|=|propagation|+shared
		rshared|=|propagation|+shared
		unbindable|=|propagation|+unbindable
		runbindable|=|propagation|+unbindable
	END
}

# The same for what reaches the mounts below a recursive bind. "=": the one below has all flags off, "!": it has them all.
recursive_rows() {
	cat <<-'END'
		ratime|!|vfs|-noatime
		rdev|!|vfs|-nodev
		rdiratime|!|vfs|-nodiratime
		rexec|!|vfs|-noexec
		rnoatime|=|vfs|+noatime
		rnodev|=|vfs|+nodev
		rnodiratime|=|vfs|+nodiratime
		rnoexec|=|vfs|+noexec
		rnorelatime|=|vfs|+relatime
		rnostrictatime|=|vfs|+relatime
		rnosuid|=|vfs|+nosuid
		rnosymfollow|=|vfs|+nosymfollow
		rrelatime|!|vfs|+relatime
		rro|=|vfs|+ro
		rrw|!|vfs|-ro
		rstrictatime|!|vfs|-noatime
		rsuid|!|vfs|-nosuid
		rsymfollow|!|vfs|-nosymfollow
	END
}

# These have tests of their own, here and in isolation.bats.
others="bind copy copy-symlink idmap nocopy rbind remount ridmap rslave slave tmpcopyup"

@test "no option of the parser's table is without a row here" {
	equal "$({
		plain_rows
		recursive_rows
		tr ' ' '\n' <<<"$others"
	} | cut -d '|' -f 1 | sort)" "$(rt features | jq -r '.mountOptions[]' | sort)"
}

# shown TARGET PLACE SIGN+WORD: against what the kernel has.
assert_option() {
	local words
	words=$(jq -r --arg target "$1" --arg place "$2" '[.[] | select(.target == $target)] | last | .[$place] | if type == "array" then join(",") else . end' \
		"$BATS_TEST_TMPDIR/view")
	case $3 in
	+*) [[ ",$words," == *",${3#+},"* ]] ;;
	-*) [[ ",$words," != *",${3#-},"* && $words != null ]] ;;
	esac || {
		echo "$1: $2 should have $3, has $words" >&2
		return 1
	}
}

@test "each option of a new file system reaches the kernel, or is refused by name" {
	local option base place want
	make_bundle
	while IFS='|' read -r option base place want; do
		[ "$place" != refused ] || continue
		[ "$base" != = ] || base=defaults
		config --arg o "$option" --arg b "$base" '.mounts += [{destination: "/o/\($o)", type: "tmpfs", source: "tmpfs", options: [$b, $o]}]'
	done < <(plain_rows)
	start_container "$TAG"
	"$MXCRUN_TEST_BIN/mountview" "$PID" >"$BATS_TEST_TMPDIR/view"
	while IFS='|' read -r option base place want; do
		[ "$place" = refused ] || assert_option "/o/$option" "$place" "$want"
	done < <(plain_rows)
	rt delete --force "$TAG"
	# Passed on to the file system; tmpfs knows neither.
	for option in acl iversion; do
		make_bundle --arg o "$option" '.mounts += [{destination: "/o", type: "tmpfs", source: "tmpfs", options: [$o]}]'
		run_bundle
		assert_refused "$option"
	done
}

@test "each recursive option reaches the mounts below" {
	local option base place want source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source"/{off,on}/below
	mount -t tmpfs tmpfs "$source/off/below"
	mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime,nodiratime tmpfs "$source/on/below"
	mount -o remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow "$source/on/below" 2>/dev/null || true
	make_bundle
	while IFS='|' read -r option base place want; do
		[ "$base" = = ] && base=off || base=on
		config --arg o "$option" --arg s "$source/$base" '.mounts += [{destination: "/o/\($o)", type: "none", source: $s, options: ["rbind", $o]}]'
	done < <(recursive_rows)
	start_container "$TAG"
	"$MXCRUN_TEST_BIN/mountview" "$PID" >"$BATS_TEST_TMPDIR/view"
	while IFS='|' read -r option base place want; do
		assert_option "/o/$option/below" "$place" "$want"
	done < <(recursive_rows)
	# The source's own mounts are as they were.
	contains "$(grep -F " $source/on/below " /proc/self/mountinfo)" noexec
	lacks "$(grep -F " $source/off/below " /proc/self/mountinfo)" noexec
}

# Rows of stdin: options | the flags of the mount. Each is a bind of a source that has SOURCE_FLAGS.
assert_bind_flags() { # make_bundle|make_userns_bundle SOURCE_FLAGS
	local options want rows source=$BATS_TEST_TMPDIR/source
	rows=$(cat)
	mountpoint -q "$source" || { mkdir -p "$source" && mount -t tmpfs tmpfs "$source"; }
	mount -o "remount,bind,$2" "$source"
	"$1"
	while IFS='|' read -r options want; do
		config --arg o "$options" --arg s "$source" '.mounts += [{destination: "/o/\($o)", type: "none", source: $s, options: ($o | split(","))}]'
	done <<<"$rows"
	start_container "$TAG"
	while IFS='|' read -r options want; do
		equal "$options $(grep -F " /o/$options " "/proc/$PID/mountinfo" | cut -d ' ' -f 6)" "$options $want"
	done <<<"$rows"
	rt delete --force "$TAG"
}

@test "of its source's flags a bind has those that its options name, or all where they name none" {
	assert_bind_flags make_bundle nosuid,nodev,noexec,noatime,nodiratime <<-'END'
		bind|rw,nosuid,nodev,noexec,noatime,nodiratime
		bind,rprivate,rnosuid|rw,nosuid,nodev,noexec,noatime,nodiratime
		bind,rw|rw,noatime,nodiratime
		bind,ro|ro,noatime,nodiratime
		bind,nosuid|rw,nosuid,noatime,nodiratime
		bind,exec|rw,noatime,nodiratime
		bind,ro,rnodev|ro,nodev,noatime,nodiratime
		bind,rw,rro|ro,noatime,nodiratime
		bind,ro,rrw|rw,noatime,nodiratime
		bind,relatime|rw,relatime
		bind,nodiratime|rw,nodiratime,relatime
	END
	assert_bind_flags make_bundle ro,diratime,noatime <<<"bind,noexec|rw,noexec,noatime"
	# What a policy grants keeps all.
	mount -o remount,bind,rw,noexec "$BATS_TEST_TMPDIR/source"
	policy 'grep /source /proc/self/mountinfo' --arg d "$BATS_TEST_TMPDIR/source" '.filesystem.readwritePaths = [$d]'
	run_policy
	contains "$output" "/source rw,nosuid,nodev,noexec,"
}

@test "in a user namespace a bind keeps the flags that are locked, and other access times are refused" {
	assert_bind_flags make_userns_bundle nosuid,nodev,noexec,noatime <<-'END'
		bind|rw,nosuid,nodev,noexec,noatime
		bind,rw|rw,nosuid,nodev,noexec,noatime
		bind,ro|ro,nosuid,nodev,noexec,noatime
		bind,exec,noatime|rw,nosuid,nodev,noexec,noatime
		bind,diratime,rro|ro,nosuid,nodev,noexec,noatime
	END
	config '.mounts[-1].options = ["bind", "relatime"]'
	run_bundle
	assert_refused /mounts/ "Operation not permitted"
}

@test "bind takes the folder alone, rbind what is mounted below it, too; remount changes what is there" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source/below"
	mount -t tmpfs tmpfs "$source/below"
	: >"$source/below/file"
	make_bundle --arg s "$source" '.mounts += [{destination: "/one", type: "none", source: $s, options: ["bind"]},
		{destination: "/all", type: "none", source: $s, options: ["rbind"]},
		{destination: "/all", type: "none", options: ["remount", "bind", "ro"]}]'
	script 'ls /one/below; echo --; ls /all/below; touch /one/made; touch /all/made 2>/dev/null || echo refused'
	run_bundle
	equal "$output" "--
file
refused"
	[ -e "$source/made" ]
}

@test "a source below an earlier mount of the container is what that shows; where sources are opened before, the host's" {
	local source=$BATS_TEST_TMPDIR/volume
	make_bundle
	mkdir -p "$source/below" "$BUNDLE/rootfs/first/below"
	touch "$source/below/of-the-mount" "$BUNDLE/rootfs/first/below/of-the-host"
	config --arg s "$source" --arg below "$BUNDLE/rootfs/first/below" '.mounts += [
		{destination: "/first", type: "none", source: $s, options: ["rbind"]},
		{destination: "/second", type: "none", source: $below, options: ["bind"]}]'
	script 'ls /second'
	run_bundle
	equal "$status $output" "0 of-the-mount"
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = .linux.uidMappings'
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BUNDLE"
	run_bundle
	equal "$status $output" "0 of-the-host"
}

@test "copy and nocopy, which podman leaves in the options of a volume, change nothing in a bind and are refused elsewhere" {
	local option source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source"
	echo there >"$source/file"
	for option in copy nocopy; do
		make_bundle --arg s "$source" --arg o "$option" '.mounts += [{destination: "/o", type: "bind", source: $s, options: ["bind", $o]}]'
		script 'echo /o/*; touch /o/new'
		run_bundle
		equal "$status $output" "0 /o/file"
		rm "$source/new"
		make_bundle --arg o "$option" '.mounts += [{destination: "/o", type: "tmpfs", source: "tmpfs", options: [$o]}]'
		run_bundle
		assert_refused "$option"
	done
}

@test "copy-symlink makes the link that the source is; without it the bind goes to its target" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir "$source"
	echo target >"$source/target"
	ln -s target "$source/link"
	make_bundle --arg s "$source/link" '.mounts += [{destination: "/link", type: "bind", source: $s, options: ["bind", "copy-symlink"]},
		{destination: "/file", type: "bind", source: $s, options: ["bind"]}]'
	script 'readlink /link; cat /file; readlink /file || echo no link'
	run_bundle
	equal "$output" "target
target
no link"
	# A link that is there already is one; any other thing is not covered.
	run_bundle
	equal "$status" 0
	rm "$BUNDLE/rootfs/link"
	mkdir "$BUNDLE/rootfs/link"
	run_bundle
	assert_refused /mounts/ /link
}

@test "a bind or a tmpfs may take the place of the root, for all mounts that follow" {
	local source=$BATS_TEST_TMPDIR/source
	make_bundle
	cp -a "$BUNDLE/rootfs" "$source"
	touch "$source/other"
	config --arg s "$source" '.mounts = [{destination: "/", type: "bind", source: $s, options: ["bind"]}] + .mounts | .root.readonly = true'
	script 'ls -d /other /proc/self/stat /dev/null; touch /new || cut -d " " -f 5 /proc/self/mountinfo | grep -cx /'
	run_bundle
	equal "$status $output" "0 /dev/null
/other
/proc/self/stat
1"
	# A copy, which is gone with the container.
	config '.mounts[0] = {destination: "/", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]} | .root.readonly = false'
	script 'touch /new; ls -d /new /proc/self/stat; cut -d " " -f 5 /proc/self/mountinfo | grep -cx /'
	run_bundle
	equal "$status $output" "0 /new
/proc/self/stat
1"
	[ ! -e "$BUNDLE/rootfs/new" ]
	config '.mounts[0] = {destination: "/", type: "bind", source: "config.json", options: ["bind"]}'
	run_bundle
	assert_refused /mounts/0 "is a file"
	config '.mounts[0] = {destination: "/", type: "cgroup"}'
	run_bundle
	assert_refused /mounts/0
}

# ---- propagation ----

# A shared mount of the host, bound with that option, in a container whose root has that propagation. Then the
# host mounts below it, and so does the container: who sees it?
propagated() {
	local source=$BATS_TEST_TMPDIR/source seen
	mkdir -p "$source"
	mount -t tmpfs tmpfs "$source"
	mount --make-shared "$source"
	mkdir "$source"/{host,inner}
	make_bundle --arg s "$source" --arg option "$1" --arg root "$2" '
		.mounts += [{destination: "/m", type: "none", source: $s, options: ["rbind", $option]}]
		| if $option == "idmap" then .mounts[-1] += {uidMappings: [{containerID: 0, hostID: 0, size: 1000}], gidMappings: [{containerID: 0, hostID: 0, size: 1000}]} else . end
		| if $root != "" then .linux.rootfsPropagation = $root else . end
		| .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	script 'while [ ! -e /tmp/go ]; do sleep 0.05; done; mount -t tmpfs tmpfs /m/inner && echo done >/tmp/mounted; sleep 1000'
	start_container "$TAG"
	mount -t tmpfs tmpfs "$source/host"
	: >"$BUNDLE/rootfs/tmp/go"
	wait_for 10 test -e "$BUNDLE/rootfs/tmp/mounted"
	seen=$(grep -c " /m/host " "/proc/$PID/mountinfo" || true)
	result="$seen $(grep -cF " $source/inner " /proc/self/mountinfo || true)"
	rm "$BUNDLE"/rootfs/tmp/{go,mounted}
	umount -l "$source/host"
	rt delete --force "$TAG"
	umount -R -l "$source"
}

@test "propagation of a bind: private hides, slave shows what the host mounts, shared shows both ways" {
	local option root want result
	while read -r option root want; do
		[ "$root" != - ] || root=
		propagated "$option" "$root"
		equal "$option $root: $result" "$option $root: $want"
	done <<-'END'
		rprivate - 0 0
		defaults - 1 0
		idmap - 1 0
		rslave - 1 0
		slave - 1 0
		rslave rslave 1 0
		rshared rshared 1 1
		shared rshared 1 1
	END
}

@test "rootfsPropagation: each word is what the root's mount has" {
	local word want
	while read -r word want; do
		make_bundle --arg word "$word" '.linux.rootfsPropagation = $word'
		start_container "$TAG"
		"$MXCRUN_TEST_BIN/mountview" "$PID" >"$BATS_TEST_TMPDIR/view"
		assert_option / propagation "$want"
		rt delete --force "$TAG"
	done <<-'END'
		private +private
		rprivate +private
		slave -shared
		rslave -shared
		shared +shared
		rshared +shared
		unbindable +unbindable
		runbindable +unbindable
	END
	make_bundle '.linux.rootfsPropagation = "sideways"'
	run_bundle
	assert_refused /linux/rootfsPropagation
}
