#!/usr/bin/env bats
# MXC configurations that are wrong in every way: one clear line under its heading, exit code 1, in short time,
# and nothing left behind.

load helpers
GUARDS="root jq mxcrun"

test_setup() {
	remember_sandboxes
	policy 'echo ran'
}

test_teardown() { assert_no_new_sandboxes; }

assert_malformed_policy() {
	local start=$SECONDS
	run --separate-stderr rt mxc run "$POLICY" </dev/null
	echo "status $status; stdout: ${output:0:500}; stderr: ${stderr:0:2000}"
	[ $((SECONDS - start)) -le "$(slow 5)" ]
	assert_mxc_malformed "$@"
	assert_nothing_left
}

write() { printf %b "$1" >"$POLICY"; }
change() { jq "$@" "$POLICY" >"$POLICY.new" && mv "$POLICY.new" "$POLICY"; }

# Each line of stdin: a word that the answer has, and a filter that spoils a fresh policy.
each_is_malformed() {
	local word filter
	while read -r word filter; do
		policy 'echo ran' "$filter"
		assert_malformed_policy "$word"
	done
}

@test "the policy that all others are spoilt from runs" {
	run_policy
	equal "$status $output" "0 ran"
}

@test "comments, schemas and null for optional fields are no error" {
	policy 'echo ran' '.["$schema"] = "x" | ._comment = {any: [1]} | .filesystem = null | .ui = null | .containerId = "any/text"
		| .experimental = {unknown: {a: 1}, telemetry: {enabled: true}}'
	run_policy
	equal "$status $output" "0 ran"
}

# ---- the file ----

@test "no file, a folder, a FIFO, a device" {
	rm "$POLICY"
	assert_malformed_policy
	mkdir "$POLICY"
	assert_malformed_policy
	rmdir "$POLICY"
	mkfifo "$POLICY"
	# A pipe is a fair source; one that nobody writes to has to be given up, or refused.
	(sleep 1; : >"$POLICY") 3>&- &
	run --separate-stderr rt mxc run "$POLICY"
	[ "$status" -ne 0 ]
	rm "$POLICY"
	ln -s /dev/zero "$POLICY"
	assert_malformed_policy
}

@test "empty, white space only" {
	write ''
	assert_malformed_policy
	write ' \n'
	assert_malformed_policy
}

@test "truncated at many places" {
	cp "$POLICY" "$BATS_TEST_TMPDIR/whole"
	local length
	for length in 1 5 20 50 80; do
		head -c "$length" "$BATS_TEST_TMPDIR/whole" >"$POLICY"
		assert_malformed_policy
	done
}

@test "50 MB" {
	{
		printf '{"process":{"commandLine":"'
		head -c 50000000 /dev/zero | tr '\0' a
		printf '"}}'
	} >"$POLICY"
	assert_malformed_policy
}

@test "nesting without end" {
	{
		printf '{"process":{"commandLine":"true"},"_comment":'
		head -c 100000 /dev/zero | tr '\0' '['
	} >"$POLICY"
	assert_malformed_policy
}

@test "not JSON, something after it, not an object" {
	local text
	for text in 'x' '{"process":{"commandLine":"true"},}' "{'process':1}" '{"process":{"commandLine":"true"}} {}' \
		'{"process":{"commandLine":"true"}}x' '[]' 'null' '"x"' '7'; do
		write "$text"
		assert_malformed_policy
	done
}

@test "bad UTF-8, NUL" {
	local bytes
	for bytes in '\xff' '\xc0\xaf' '\xed\xa0\x80' '\x00' '\\u0000'; do
		write "{\"process\":{\"commandLine\":\"echo $bytes\"}}"
		assert_malformed_policy
	done
}

@test "duplicate keys" {
	write '{"version":"0.8.0-alpha","version":"0.8.0-alpha","process":{"commandLine":"true"}}'
	assert_malformed_policy duplicate
	write '{"process":{"commandLine":"true","commandLine":"false"}}'
	assert_malformed_policy duplicate
	write '{"process":{"commandLine":"true"},"filesystem":{"deniedPaths":[],"denied\\u0050aths":[]}}'
	assert_malformed_policy duplicate
	write '{"process":{"commandLine":"true"},"filesystem":{"readonlyPaths":["/a"]},"filesystem":{}}'
	assert_malformed_policy duplicate
}

# ---- shape ----

@test "unknown keys at each level" {
	each_is_malformed <<-'END'
		frobnicate .frobnicate = 1
		frobnicate .process.frobnicate = 1
		frobnicate .filesystem = {frobnicate: []}
		frobnicate .network = {frobnicate: true}
		frobnicate .lifecycle = {frobnicate: true}
		FileSystem .FileSystem = {}
	END
}

@test "wrong types" {
	each_is_malformed <<-'END'
		version .version = 8
		process .process = "true"
		commandLine .process.commandLine = ["true"]
		timeout .process.timeout = "5"
		env .process.env = {"A": "b"}
		env .process.env = ["A=b", 1]
		cwd .process.cwd = 1
		filesystem .filesystem = []
		readonlyPaths .filesystem = {readonlyPaths: "/etc"}
		deniedPaths .filesystem = {deniedPaths: [["/etc"]]}
		destroyOnExit .lifecycle = {destroyOnExit: "yes"}
		containment .containment = true
	END
}

@test "numbers that are negative, fractions, or too large" {
	each_is_malformed <<-'END'
		timeout .process.timeout = -1
		timeout .process.timeout = 1.5
		timeout .process.timeout = 4294967296
		timeout .process.timeout = 99999999999999999999
	END
}

@test "words that nobody knows" {
	each_is_malformed <<-'END'
		variant .containment = "cardboard"
		variant .containment = "Process"
		variant .network = {defaultPolicy: "maybe"}
	END
}

@test "unknown versions" {
	each_is_malformed <<-'END'
		semver .version = "0.8"
		semver .version = "v0.8.0"
		semver .version = "latest"
		ersion .version = "0.5.0-alpha"
		ersion .version = "1.2.0"
		ersion .version = "99.0.0"
	END
}

@test "required members that are missing, and empty commands" {
	each_is_malformed <<-'END'
		process del(.process)
		commandLine del(.process.commandLine)
		commandLine .process.commandLine = ""
	END
}

@test "paths that are empty, blank, or have forbidden characters" {
	each_is_malformed <<-'END'
		empty .filesystem = {readonlyPaths: [""]}
		empty .filesystem = {deniedPaths: ["  "]}
		character .filesystem = {readwritePaths: ["/a\"b"]}
	END
}

@test "mixed network shapes, and directional ones in old contracts" {
	each_is_malformed <<-'END'
		mix .network = {defaultPolicy: "block", egress: {default: "deny"}}
		0.8 .version = "0.7.0-alpha" | .network = {egress: null}
		0.8 .version = "0.6.0-alpha" | .runtimeConfig = null
	END
}

@test "exact contracts: null, legacy keys and experimental are errors" {
	each_is_malformed <<-'END'
		filesystem .version = "1.0.0" | .filesystem = null
		experimental .version = "1.0.0" | .experimental = {}
		defaultPolicy .version = "1.1.0-alpha" | .network = {defaultPolicy: "block"}
		appContainer .version = "1.0.0" | .appContainer = {}
		null .version = "0.9.0-alpha" | .process.cwd = null
	END
}

@test "state-aware keys in a one-shot document" {
	policy 'echo ran' '.sandboxId = "x"'
	assert_malformed_policy sandboxId
	policy 'echo ran' '.phase = "exec"'
	run_policy
	# a request, and answered as one
	equal "$status $(jq -r .error.code <<<"$output")" "1 malformed_request"
	[ -z "$stderr" ]
}

@test "secrets are not echoed, strings without end neither" {
	policy 'echo ran' '.experimental = {telemetry: {enabled: "s3cr3t"}} | .process.password = "s3cr3t"'
	run_policy
	equal "$status" 1
	lacks "$stderr" s3cr3t
	policy 'echo ran' --arg long "$(head -c 60000 /dev/zero | tr '\0' x)" '.containment = $long'
	assert_malformed_policy
	policy 'echo ran' '.["bad\u001b[31m\nkey"] = 1'
	run_policy
	refused grep -q $'\e' <<<"$stderr"
}
