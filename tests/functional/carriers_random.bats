#!/usr/bin/env bats
# Policies of several carriers at random: what a container can do under them, beside what a naive reading of policy-in-bundles.md says.

load helpers
load networld
GUARDS="root jq mxcrun ip nft /usr/bin/python3"

test_setup() {
	make_world
	hold_namespace POD
	connect "$POD"
	# A function in the background would be a shell, whose end leaves who knocks.
	nsenter -t "$WORLD" -n /usr/bin/python3 "$here/carriers_random.py" knock 192.0.2.2 7575 3>&- 4>&- &
	KNOCKER=$!
	make_bundle '.mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]}]'
	ln -s usr/lib "$BUNDLE/rootfs/lib"
	ln -s usr/lib64 "$BUNDLE/rootfs/lib64"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BUNDLE"
}

test_teardown() {
	kill "$POD" "$KNOCKER"
	wait "$POD" "$KNOCKER" 2>/dev/null
	end_world
}

# random_carriers SEED COUNT [option of carriers_random.py]
random_carriers() {
	# shellcheck disable=SC2086 # words
	run env TAG="$TAG" /usr/bin/python3 "$here/carriers_random.py" "$BATS_TEST_TMPDIR" "$@" --network "$POD" -- \
		timeout --foreground -k 5 "$(slow 30)" "$MXCRUN" ${MXCRUN_TEST_FLAGS-} --root "$STATE" 3>&- 4>&-
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "random policies of several carriers are enforced, and decided, as they read" {
	random_carriers 1 30
	lacks "$output" difference
	[ "$(grep -c '^ran' <<<"$output")" -ge 15 ]
	[ "$(grep -c '^refused' <<<"$output")" -ge 5 ]
}

@test "random policies: no further carrier opens anything, an empty one changes nothing, and the order of the owner's means nothing" {
	random_carriers 100 5 --deep
	lacks "$output" difference
	contains "$output" ran
}

@test "the reading finds a carrier that was not asked" {
	random_carriers 1 15 --forget policy.d/10.json
	contains "$output" "and is not"
}
