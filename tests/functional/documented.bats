#!/usr/bin/env bats
# The documents against the program and the tests: docs/oci.md has a row for each command and flag, so have the man
# pages, and each test that docs/oci.md, docs/security.md and docs/network.md name exists. (Fields: tests/unit/test_documented.)

load helpers

test_setup() {
	DOCS=$here/../../docs
	[ -e "$DOCS/oci.md" ] || skip "needs the source tree"
}

# First cells of a document's rows, without backticks.
keys() { sed -n 's/^| `\([^`]*\)` |.*/\1/p' "$DOCS/oci.md"; }

long_options() { sed -n 's/^ *\(--[a-z0-9-]*\).*/\1/p' | grep -vx -e --help; }

@test "each command and each flag has a row, and no row is of a flag that is not there" {
	local command
	{
		for command in $("$MXCRUN" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
			case $command in
			plan | emit | doctor | mxc | image) continue ;; # no part of the specification
			esac
			echo "$command"
			"$MXCRUN" "$command" --help | long_options | sed "s/^/$command /"
		done
		"$MXCRUN" --help | long_options
	} | sort >"$BATS_TEST_TMPDIR/there"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/there")" -gt 100 ]
	keys | grep -E '^([a-z]+( --[a-z0-9-]+)?|--[a-z-]+)$' | grep -vxE 'hostname|domainname|annotations|mxc' | sort >"$BATS_TEST_TMPDIR/documented"
	diff "$BATS_TEST_TMPDIR/there" "$BATS_TEST_TMPDIR/documented"
}

# The man page of a command's group.
page_of() {
	case $1 in
	mxc\ * | mxc) echo mxcrun-mxc.1 ;;
	plan | doctor | gc) echo mxcrun-host.1 ;;
	emit | image) echo "mxcrun-$1.1" ;;
	*) echo mxcrun-oci.1 ;;
	esac
}

@test "each command and each flag is in its group's man page, and the pages refer to pages that are there" {
	local command flag page missing=0
	for command in $("$MXCRUN" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }') "mxc run"; do
		page=$DOCS/$(page_of "$command").md
		grep -q "$command" "$page"
		# shellcheck disable=SC2086 # "mxc run" is two words
		for flag in $("$MXCRUN" $command --help | long_options); do
			grep -qF -- "$flag" "$page" || {
				echo "$page: nothing of $command $flag" >&2
				missing=1
			}
		done
	done
	for flag in $("$MXCRUN" --help | long_options); do grep -qF -- "\`$flag" "$DOCS/mxcrun.1.md"; done
	for page in $(cat "$DOCS"/*.[0-9].md | grep -oE 'mxcrun(-[a-z]+)?\([0-9]\)' | tr '()' '. ' | sort -u); do
		[ -e "$DOCS/$page.md" ] || {
			echo "no page $page" >&2
			missing=1
		}
	done
	equal "$missing" 0
}

# The tests that a document names, as lines "file beginning": 'file: "a", "b"; other: "c"' in the last cell of a row.
named_tests() {
	sed -n 's/^|.*| \([^|]*\) |$/\1/p' "$1" | sed 's/; */\n/g' | awk '
		match($0, /^(.*[ (])?[a-z_]+: "/) {
			file = substr($0, 1, index($0, ":") - 1); sub(/.*[ (.]/, "", file)
			n = split($0, part, "\"")
			for (i = 2; i <= n; i += 2) print file "\t" part[i]
		}'
}

@test "each test that the documents name exists, and each row names one" {
	local document file beginning missing=0
	for document in oci security network; do
		named_tests "$DOCS/$document.md" >"$BATS_TEST_TMPDIR/named"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/named")" -gt 50 ]
		while IFS=$'\t' read -r file beginning; do
			grep -qF -- "@test \"$beginning" "$here/$file.bats" || {
				echo "$document.md: no test in $file.bats begins with: $beginning" >&2
				missing=1
			}
		done <"$BATS_TEST_TMPDIR/named"
	done
	[ "$missing" -eq 0 ]
	equal "$(grep '^| `' "$DOCS/oci.md" | grep -vE '(: "|unit)[^|]* \|$')" ""
	equal "$(grep '^| ' "$DOCS/network.md" | grep -vE '(: "[^|]*|unit [a-z_]+|tests) \|$')" ""
}
