#!/usr/bin/env bats
# Path lists at random: what a sandbox shows of a tree with links of all kinds, beside what a naive reading of the specification says.

load helpers
GUARDS="jq mxcrun python3"

# random_paths SEED COUNT [option of paths.py]
random_paths() {
	run python3 "$BATS_TEST_DIRNAME/paths.py" "$BATS_TEST_TMPDIR/tree" "$@" -- \
		timeout --foreground -k 5 "$(slow 30)" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run -
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "random lists over a tree of folders, files, hard links and symbolic links are enforced as they read" {
	random_paths 1 40
	lacks "$output" refused
	lacks "$output" difference
	[ "$(grep -c '^ran$' <<<"$output")" -ge 25 ]
}

@test "the reading finds denials that were not handed on" {
	random_paths 1 20 --forget-denials
	contains "$output" "is denied, and is not"
}
