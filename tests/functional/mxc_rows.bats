#!/usr/bin/env bats
# mxc_rows.bats - every row of the specification of MXC on Linux, and what stands for it here: mxc-rows.tsv has a line for each row of every
# table of both documents. Its last column names tests ("corpus/NAME", "SUITE: beginning", "unit test_NAME"), or a row of
# docs/mxc-mapping.md that says why ours differs ("docs: beginning"), or "terms" for what is no demand. And tests of rows that no other suite has.

load helpers
GUARDS="jq mxcrun"

test_setup() { ROWS=$here/mxc-rows.tsv; }

# Is what the reference names there?
is_there() {
	case $1 in
	terms) ;;
	corpus/*) grep -q "^${1#corpus/}"$'\t' "$here/corpus.tsv" ;;
	"unit test_"*) [ -e "$here/../unit/${1#unit }.c" ] ;;
	"docs: "*) grep -qF -- "| ${1#docs: }" "$here/../../docs/mxc-mapping.md" ;;
	*": "*) grep -qF -- "@test \"${1#*: }" "$here/${1%%: *}.bats" ;;
	*) false ;;
	esac
}

@test "each line names tests that are there, or why ours differs" {
	local reference missing=0
	[ -d "$here/../unit" ] || skip "needs the source tree"
	[ "$(wc -l <"$ROWS")" -gt 600 ]
	equal "$(awk -F '\t' 'NF != 3 || $2 == "" || $3 == ""' "$ROWS")" ""
	while IFS= read -r reference; do
		is_there "$reference" || {
			echo "nothing is called: $reference" >&2
			missing=1
		}
	done < <(cut -f 3 "$ROWS" | sed 's/; /\n/g' | sort -u)
	equal "$missing" 0
	refused is_there "corpus/no-such-line"
	refused is_there "mxc: no such test"
	refused is_there "docs: no such row"
}

# Rows of a document's tables: "VERSION SECTION<TAB>first cell", the second one after a number or a mark.
rows_of() {
	LC_ALL=C awk -v version="$1" '
		/^#+ [0-9.]+/ { section = $2; sub(/\.$/, "", section) }
		/^\|[-| ]+\|$/ { held = ""; next }
		held != "" { print held; held = "" }
		/^\|/ {
			line = substr($0, 3); sub(/ *\|$/, "", line); n = split(line, cell, / \| /); key = cell[1]
			gsub(/^ +| +$/, "", key)
			if (key ~ /^[0-9]+$/ || length(key) < 3) key = key " " cell[2]
			key = substr(key, 1, 70); sub(/ +$/, "", key)
			held = version (section == "" ? "" : " " section) "\t" key; next
		}
		END { if (held != "") print held }' "$2"
}

@test "each row of the specification has a line" {
	local spec=${MXCRUN_SPEC:-$here/../../../shared/mxc}
	[ -e "$spec/MXC.md" ] || skip "needs the specification: MXCRUN_SPEC"
	{
		rows_of 0.8 "$spec/MXC.md"
		rows_of 1.0 "$spec/MXC-1.0.md"
	} | sort >"$BATS_TEST_TMPDIR/rows"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/rows")" -gt 600 ]
	cut -f 1,2 "$ROWS" | sort | diff "$BATS_TEST_TMPDIR/rows" -
}

# ---- rows of diagnostics ----

@test "--debug: what is done is on stdout, live; on a malformed configuration the reason too" {
	policy 'echo out; echo err >&2; exit 3'
	run_policy --debug
	equal "$status $stderr" "3 err"
	for line in "Script code length: 30" "Working directory: " "Script timeout: " "Container name: " "Runner completed in " "Exit code: 3"; do
		contains "$output" "$line"
	done
	grep -qx out <<<"$output"
	run_policy
	equal "$status $output $stderr" "3 out err"
	echo '{"process": {}}' >"$POLICY"
	run_policy --debug
	equal "$status $stderr" "1 Request error"
	contains "$output" commandLine
}

@test "--log-file: a stamped line each, appended, beside the workload's own streams" {
	local log=$BATS_TEST_TMPDIR/log
	echo before >"$log"
	policy 'echo out' '.filesystem.deniedPaths = ["/absent/path"]'
	run_policy --log-file "$log"
	equal "$status $output $stderr" "0 out "
	equal "$(head -n 1 "$log")" before
	contains "$(cat "$log")" "Exit code: 0"
	contains "$(cat "$log")" "WARNING: filesystem path '/absent/path' does not exist on the host"
	equal "$(sed 1d "$log" | grep -cvE '^\[[0-9]+\] .')" 0
	refused grep -qE "^(\\[[0-9]+\\] )?out$" "$log"
	run_policy --log-file "$BATS_TEST_TMPDIR/absent/log"
	[ "$status" -ne 0 ]
	equal "$output" ""
	contains "$stderr" "$BATS_TEST_TMPDIR/absent/log"
}

# A sandbox may have made these in a folder that it was granted.
@test "--log-file: a link is refused, and so is a FIFO that nobody reads" {
	local there=$BATS_TEST_TMPDIR/there
	mkdir "$there"
	echo mine >"$BATS_TEST_TMPDIR/victim"
	ln -s "$BATS_TEST_TMPDIR/victim" "$there/link"
	mkfifo "$there/fifo"
	policy 'echo ran'
	run_policy --log-file "$there/link"
	equal "$status $output" "1 "
	contains "$stderr" "is a symbolic link"
	equal "$(cat "$BATS_TEST_TMPDIR/victim")" mine
	run_policy --log-file "$there/fifo"
	equal "$status $output" "1 "
	contains "$stderr" "nobody reads"
	# but the caller's own pipe is a log like any other
	run_policy --log-file >(cat >"$BATS_TEST_TMPDIR/read")
	equal "$status $output" "0 ran"
	wait_for 5 grep -q "Exit code: 0" "$BATS_TEST_TMPDIR/read"
}

@test "--log-file and --report in what is granted for writing: one is held, the other refused" {
	local there=$BATS_TEST_TMPDIR/there
	mkdir -p "$there/logs"
	policy "cd $there; rm -f logs/log; { echo forged >>logs/log; } 2>/dev/null && echo forged; mv logs gone && echo moved; echo fine >logs/fine && cat logs/fine" \
		--arg d "$there" '.filesystem.readwritePaths = [$d]'
	run_policy --log-file "$there/logs/log"
	equal "$status $output" "0 fine"
	contains "$(cat "$there/logs/log")" "Exit code: 0"
	refused grep -q forged "$there/logs/log"
	run_policy --report "$there/logs/report"
	assert_mxc_refused "$there/logs/report" "granted for writing"
	[ ! -e "$there/logs/report" ]
	policy 'echo ran' --arg d "$there" '.filesystem.readonlyPaths = [$d]'
	run_policy --report "$there/logs/report"
	equal "$status $output" "0 ran"
	equal "$(jq -r .status "$there/logs/report")" running
}

@test "the same path in two lists: the log says which intent holds" {
	mkdir "$BATS_TEST_TMPDIR/twice"
	policy 'true' --arg d "$BATS_TEST_TMPDIR/twice" '.filesystem = {readwritePaths: [$d], deniedPaths: [$d]}'
	run_policy --debug
	equal "$status" 0
	contains "$output" "applying most-restrictive intent"
}

@test "runtimeConfig on an image: the same proxy alone" {
	requires root
	make_rootfs "$BATS_TEST_TMPDIR/image"
	policy 'true' '.version = "1.0.0" | .containment = "lxc" | .lxc = {distribution: "any", release: "1"}
		| .runtimeConfig.networkProxy = "http://localhost:3128"'
	equal "$(MXCRUN_ROOTFS=$BATS_TEST_TMPDIR/image rt mxc plan "$POLICY" | jq -r '"\(.root.kind) \(.network)"')" "image proxy"
}

# Its records are in the place of every caller of that name.
@test "--delete of a container that is there" {
	requires root
	make_bundle
	run --separate-stderr unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs tmpfs /run && ln -s "$1" /run/lxc-exec &&
		"$1" create --bundle "$2" "$3" </dev/null >/dev/null 2>&1 && "$1" state "$3" | jq -r .status &&
		/run/lxc-exec --delete --containername "$3" && ls -A /run/mxcrun' sh "$MXCRUN" "$BUNDLE" "$TAG"
	equal "$status" 0
	equal "$output" "created
Container '$TAG' destroyed."
	equal "$stderr" ""
}
