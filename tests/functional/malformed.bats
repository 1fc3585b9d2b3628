#!/usr/bin/env bats
# Bundles that are wrong in every way: one clear line, not 0, in short time, and nothing left behind.

load helpers
GUARDS="root jq mxcrun"

# run, create and plan all refuse what config.json is now; the words are in the line.
assert_malformed() {
	local command start
	for command in run create plan; do
		start=$SECONDS
		run --separate-stderr rt "$command" --bundle "$BUNDLE" "$TAG" </dev/null
		[ $((SECONDS - start)) -le "$(slow 5)" ]
		assert_refused "$@"
		# Control characters of the input never reach the terminal.
		refused grep -q '[[:cntrl:]]' <<<"$stderr"
	done
	assert_nothing_left
}

# Text in place of config.json.
write() { printf %b "$1" >"$BUNDLE/config.json"; }

# A first edit by sed on the text itself, for what jq can't write.
edit() { sed -i "$1" "$BUNDLE/config.json"; }

bundle() { make_bundle '.process.args = ["/bin/true"]'; }

@test "the bundle that all others are spoilt from runs" {
	bundle
	run_bundle
	equal "$status$output$stderr" 0
}

@test "unknown members are no error, as the specification says" {
	bundle
	config '.["x-vendor"] = {deep: [1, {a: null}]} | .linux.futureThing = true | .process.more = "x"'
	run_bundle
	equal "$status" 0
}

@test "a config of some hundred kilobytes runs" {
	bundle
	config '.process.env += [range(2000) | "VARIABLE_\(.)=some value of variable \(.)"]
		| .annotations = ([range(2000) | {"org.example.\(.)": "value \(.)"}] | add)'
	[ "$(stat -c %s "$BUNDLE/config.json")" -gt 150000 ]
	run_bundle
	equal "$status" 0
}

# ---- the file ----

@test "no config.json, no bundle" {
	bundle
	rm "$BUNDLE/config.json"
	assert_malformed config.json
	BUNDLE=$BATS_TEST_TMPDIR/absent assert_malformed absent
}

@test "config.json is a FIFO" {
	bundle
	rm "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	assert_malformed config.json
}

@test "config.json is a folder, a device, a symlink loop" {
	bundle
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	assert_malformed config.json
	rmdir "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	assert_malformed config.json
	ln -sf config.json "$BUNDLE/config.json"
	assert_malformed config.json
}

@test "an empty file, white space only" {
	bundle
	write ''
	assert_malformed
	write ' \n\t '
	assert_malformed
}

@test "truncated at many places" {
	bundle
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/whole"
	local length
	for length in 1 10 100 500 1000 1999; do
		head -c "$length" "$BATS_TEST_TMPDIR/whole" >"$BUNDLE/config.json"
		assert_malformed
	done
}

@test "50 MB" {
	bundle
	{
		printf '{"ociVersion":"1.0.0","x":"'
		head -c 50000000 /dev/zero | tr '\0' a
		printf '"}'
	} >"$BUNDLE/config.json"
	assert_malformed
	# A sparse file of the same size.
	truncate -s 50M "$BUNDLE/config.json"
	assert_malformed
}

@test "nesting without end" {
	bundle
	{
		printf '{"ociVersion":"1.0.0","x":'
		head -c 100000 /dev/zero | tr '\0' '['
	} >"$BUNDLE/config.json"
	assert_malformed
	{
		printf '{"ociVersion":"1.0.0","x":'
		printf '{"a":%.0s' {1..5000}
		printf 1
		printf '}%.0s' {1..5000}
		printf '}'
	} >"$BUNDLE/config.json"
	assert_malformed
}

# ---- JSON ----

@test "text that is not JSON" {
	bundle
	local text
	for text in 'hello' '<xml/>' "{'a':1}" '{"a":1,}' '{"a":01}' '{"a":.5}' '{"a":+1}' '{a:1}' '{"a":NaN}' '{"a" 1}' \
		'// comment\n{}' '{"a":"\\x41"}' '{"a":"line\nbreak"}' '{"a":tru}'; do
		write "$text"
		assert_malformed
	done
}

@test "something after the object" {
	bundle
	echo '{}' >>"$BUNDLE/config.json"
	assert_malformed
	bundle
	echo 'x' >>"$BUNDLE/config.json"
	assert_malformed
}

@test "not an object" {
	bundle
	local text
	for text in '[]' '"text"' 'null' '1' 'true'; do
		write "$text"
		assert_malformed
	done
}

@test "duplicate keys, at the top and deep inside" {
	bundle
	edit '0,/"ociVersion"/s/"ociVersion"/"ociVersion": "1.0.0",\n"ociVersion"/'
	assert_malformed ociVersion
	bundle
	edit 's/"noNewPrivileges": true/"noNewPrivileges": true, "noNewPrivileges": false/'
	assert_malformed noNewPrivileges
	# The same key, once written with an escape.
	bundle
	edit 's/"noNewPrivileges": true/"noNewPrivileges": true, "noNew\\u0050rivileges": false/'
	assert_malformed
}

@test "bad UTF-8: stray bytes, overlong forms, surrogates, too large" {
	bundle
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/whole"
	local bytes
	for bytes in '\xff' '\xc3' '\xc0\xaf' '\xe0\x80\xaf' '\xed\xa0\x80' '\xf4\x90\x80\x80' '\x80'; do
		cp "$BATS_TEST_TMPDIR/whole" "$BUNDLE/config.json"
		LC_ALL=C edit "s/\"hostname\": \"[^\"]*\"/\"hostname\": \"a${bytes}b\"/"
		assert_malformed
	done
}

@test "NUL, as a byte and as an escape; lone surrogates" {
	bundle
	LC_ALL=C edit 's/"hostname": "[^"]*"/"hostname": "a\x00b"/'
	assert_malformed
	bundle
	edit 's/"hostname": "[^"]*"/"hostname": "a\\u0000b"/'
	assert_malformed
	bundle
	edit 's/"hostname": "[^"]*"/"hostname": "a\\ud800b"/'
	assert_malformed
}

# ---- types and numbers ----

@test "wrong types, each named by its place" {
	bundle
	local filter pointer
	while read -r pointer filter; do
		bundle
		config "$filter"
		assert_malformed "$pointer"
	done <<-'END'
		/ociVersion .ociVersion = 1
		/process/args .process.args = "sh"
		/process/args/1 .process.args = ["sh", 1]
		/process/user/uid .process.user.uid = "0"
		/process/terminal .process.terminal = "false"
		/process/env .process.env = {"A": "b"}
		/root .root = "rootfs"
		/mounts .mounts = {}
		/mounts/2/options .mounts[2].options = "ro"
		/linux/namespaces .linux.namespaces = ["pid"]
		/linux/namespaces/0/type .linux.namespaces[0].type = 7
		/linux/resources/memory/limit .linux.resources.memory.limit = "64M"
		/hostname .hostname = ["a"]
		/annotations .annotations = {"a": 1}
	END
}

@test "numbers that are negative, fractions, or too large" {
	local filter pointer
	while read -r pointer filter; do
		bundle
		config "$filter"
		assert_malformed "$pointer"
	done <<-'END'
		/process/user/uid .process.user.uid = -1
		/process/user/gid .process.user.gid = -5
		/process/user/uid .process.user.uid = 1.5
		/process/user/uid .process.user.uid = 4294967296
		/process/user/additionalGids .process.user.additionalGids = [-1]
		/process/rlimits .process.rlimits[0].soft = -3
		/linux/uidMappings .linux.uidMappings = [{containerID: -1, hostID: 0, size: 1}]
	END
	local number
	for number in 99999999999999999999999999 1e400 -0x1 18446744073709551616; do
		bundle
		edit "s/\"uid\": 0/\"uid\": $number/"
		assert_malformed
	done
}

@test "an id of 2^32-1 is no id" {
	bundle
	config '.process.user.uid = 4294967295'
	assert_malformed uid
}

# ---- what is missing, and what nobody knows ----

@test "unknown, malformed and missing versions" {
	local version
	for version in '"9.0.0"' '"0.1"' '""' '"latest"' '"1.0.0; rm"' 'null'; do
		bundle
		config --argjson v "$version" '.ociVersion = $v'
		assert_malformed ersion
	done
	bundle
	config 'del(.ociVersion)'
	assert_malformed ociVersion
}

@test "required members that are missing" {
	local filter word
	while read -r word filter; do
		bundle
		config "$filter"
		assert_malformed "$word"
	done <<-'END'
		root del(.root)
		path del(.root.path)
		args .process.args = []
		args del(.process.args)
		cwd del(.process.cwd)
		destination del(.mounts[0].destination)
		type del(.linux.namespaces[0].type)
		type del(.process.rlimits[0].type)
	END
}

@test "words that nobody knows" {
	local filter word
	while read -r word filter; do
		bundle
		config "$filter"
		assert_malformed "$word"
	done <<-'END'
		galaxy .linux.namespaces += [{type: "galaxy"}]
		RLIMIT_MOOD .process.rlimits += [{type: "RLIMIT_MOOD", soft: 1, hard: 1}]
		RLIMIT_NOFILE .process.rlimits += [{type: "RLIMIT_NOFILE", soft: 1, hard: 1}]
		soft .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 5}]
		sideways .linux.rootfsPropagation = "sideways"
		type .linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 1}]
		cwd .process.cwd = "relative"
		access .linux.resources.devices = [{allow: true, type: "c", major: 1, minor: 3}]
	END
}

@test "a value that does not fit is told, with what was expected" {
	local filter pointer found expected
	while read -r pointer found expected filter; do
		bundle
		config "$filter"
		assert_malformed "$pointer: " "$found" "$expected"
	done <<-'END'
		/process/args "" program .process.args = [""]
		/process/env/0 "A" NAME=value .process.env = ["A"]
		/process/user/umask 1023 0777 .process.user.umask = 1023
		/process/oomScoreAdj 1001 1000 .process.oomScoreAdj = 1001
		/process/rlimits/0 20 10 .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 20, hard: 10}]
		/process/rlimits/0 "NOFILE" RLIMIT_NOFILE .process.rlimits = [{type: "NOFILE", soft: 1, hard: 1}]
		/process/capabilities/effective CAP_KILL permitted .process.capabilities = {bounding: ["CAP_KILL"], effective: ["CAP_KILL"]}
		/hostname 65 64 .hostname = "a" * 65
		/linux/resources/cpu/shares 1 262144 .linux.resources.cpu.shares = 1
		/linux/resources/cpu/quota 10 1000 .linux.resources.cpu.quota = 10
		/linux/resources/cpu/period 7 1000 .linux.resources.cpu.period = 7
		/linux/resources/memory/limit -2 -1 .linux.resources.memory.limit = -2
		/linux/resources/memory/swap 20000 30000 .linux.resources.memory = {limit: 30000, swap: 20000}
		/linux/resources/memory/swappiness 101 100 .linux.resources.memory.swappiness = 101
		/linux/devices/0 9999:3 4095: .linux.devices = [{path: "/dev/x", type: "c", major: 9999, minor: 3}]
		/linux/devices/0 minor numbers .linux.devices = [{path: "/dev/x", type: "c", major: 1}]
		/hooks/prestart/0 -1 seconds .hooks.prestart = [{path: "/bin/true", timeout: -1}]
	END
}

@test "what is asked for and can't be is told in the words of the config" {
	requires native
	local filter pointer found why
	while read -r pointer found why filter; do
		bundle
		config "$filter"
		run_bundle
		echo "$stderr"
		assert_refused "$pointer: " "$found" "${why//_/ }"
		assert_nothing_left
	done <<-'END'
		/mounts/7 /data/absent source .mounts += [{destination: "/data", type: "bind", source: "/data/absent", options: ["bind"]}]
		/mounts/7 /etc/passwd is_a_file .mounts += [{destination: "/etc/passwd", type: "tmpfs", source: "tmpfs"}]
		/mounts/7 /etc/passwd/x below_one .mounts += [{destination: "/etc/passwd/x", type: "tmpfs", source: "tmpfs"}]
		/mounts/7 /tmp a_directory .mounts += [{destination: "/tmp", type: "bind", source: "/etc/passwd", options: ["bind"]}]
		/mounts/7 "nosuchfs" no_file_system .mounts += [{destination: "/data", type: "nosuchfs", source: "x"}]
		/mounts/7 "size=abc" tmpfs .mounts += [{destination: "/data", type: "tmpfs", source: "x", options: ["size=abc"]}]
		/linux/namespaces/0 /etc/passwd /proc/PID/ns/net .linux.namespaces |= [{type: "network", path: "/etc/passwd"}] + map(select(.type != "network"))
		/linux/namespaces/0 /proc/self/ns/ipc another_type .linux.namespaces |= [{type: "network", path: "/proc/self/ns/ipc"}] + map(select(.type != "network"))
		/linux/sysctl/net.ipv4.ip_forward "maybe" not_take .linux.sysctl = {"net.ipv4.ip_forward": "maybe"}
		/linux/sysctl/net.absent absent no_such_sysctl .linux.sysctl = {"net.absent": "1"}
		/process/scheduler policy priority .process.scheduler = {policy: "SCHED_OTHER", priority: 5}
	END
}

@test "a program that is there and can't start: what it lacks is said" {
	bundle
	printf '#!/absent/interpreter\n' >"$BUNDLE/rootfs/bin/script"
	echo text >"$BUNDLE/rootfs/bin/text"
	chmod 755 "$BUNDLE"/rootfs/bin/{script,text}
	config '.process.args = ["script"]'
	run -127 --separate-stderr rt run --bundle "$BUNDLE" "$TAG"
	contains "$stderr" /process/args "no such file or directory" interpreter
	config '.process.args = ["text"]'
	run_bundle
	equal "$status" 126
	contains "$stderr" /process/args "xec format error" "#!"
	assert_nothing_left
}

@test "a memory limit of less than a page is named when it kills" {
	requires native
	bundle
	config '.linux.resources.memory.limit = 1024'
	run_bundle
	assert_refused /linux/resources/memory/limit "too low"
}

@test "an empty mount option is none; one that the file system lacks is refused" {
	bundle
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["", "ro"]}]'
	config '.process.args = ["sh", "-c", "grep -c \" /tmp tmpfs ro\" /proc/mounts"]'
	run_bundle
	equal "$status $output" "0 1"
	config '.mounts[-1].options = ["", "bogus"]'
	run_bundle
	assert_refused /mounts/7 bogus
}

@test "a remount of what the config has not mounted is refused" {
	bundle
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["remount"]}]'
	run_bundle
	assert_refused /mounts/7 /tmp "not mounted"
	config '.mounts[-1].destination = "/dev"'
	run_bundle
	equal "$status" 0
}

@test "strings without end are not echoed without end" {
	bundle
	config --arg long "$(head -c 60000 /dev/zero | tr '\0' x)" '.linux.namespaces += [{type: $long}]'
	assert_malformed
	bundle
	config '.process.args = ["/bin/true"] | .hostname = "bad\u001b[31m\nname"'
	run_bundle
	refused grep -q '[[:cntrl:]]' <<<"$stderr"
}

@test "what a config says is neither a format nor a terminal's escape in an error" {
	bundle
	config '.process.cwd = "%n%s%s\u001b[31m\nsecond\r"'
	assert_malformed /process/cwd "%n%s%s"
	bundle
	config '.linux.namespaces += [{type: "%n\u001b]0;x\u0007"}]'
	assert_malformed /linux/namespaces "%n"
}

# unheard WORDS...: what it would print, it can't: to a full device, and to a standard output that is closed.
unheard() {
	local status=0
	"$MXCRUN" --root "$STATE" "$@" </dev/null >/dev/full 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
	[ "$status" -ne 0 ]
	grep -q "cannot write standard output: No space left on device" "$BATS_TEST_TMPDIR/err"
	status=0
	"$MXCRUN" --root "$STATE" "$@" </dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- >&- || status=$?
	[ "$status" -ne 0 ]
	grep -q "cannot write standard output: Bad file descriptor" "$BATS_TEST_TMPDIR/err"
}

@test "a result that can't be printed is a failure with a line" {
	make_bundle
	policy true
	rt create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null 2>&1
	local words
	for words in list "list -q" "list -f json" "state $TAG" "ps $TAG" "events --stats $TAG" features --version --help "kill --help" \
		"spec --help" "plan --bundle $BUNDLE" "emit oci --bundle $BUNDLE" "emit --matrix" "doctor" "doctor --json" "mxc --help" \
		"mxc run --available-backends" "mxc run --help"; do
		# shellcheck disable=SC2086 # words
		unheard $words
	done
	for words in plan validate "run --dry-run" "emit bwrap"; do
		# shellcheck disable=SC2086 # words
		unheard mxc $words "$POLICY"
	done
}
