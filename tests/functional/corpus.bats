#!/usr/bin/env bats
# A corpus of MXC configurations, each run and compared with what corpus.tsv says: exit code, standard output, words
# of standard error, and what became of the host's files. Refusals are half of it, and each tries to leave a file behind.
#
# In the configurations @D@ is a folder of the host and @ROOTONLY@ one that only root may enter. A line of corpus.tsv:
# name; who runs it (* or root or user); exit code; standard output; words that standard error has, or with a "!" has
# not; the changes of @D@ (+new -gone =changed). "-" is nothing.

load helpers
GUARDS="root jq mxcrun"

CORPUS=$here/corpus

test_setup() {
	remember_sandboxes
	make_user
	# Not below /tmp, which is the sandbox's own even where the whole root is granted.
	D=$(mktemp -d "/var/tmp/$TAG.XXXXXX")
	ROOTONLY=$D.root
	mkdir -m 700 "$ROOTONLY"
	: >"$ROOTONLY/file"
}

test_teardown() {
	rm -rf "${D:?}" "${ROOTONLY:?}"
	assert_no_new_sandboxes
}

# The tree that every case starts from.
make_tree() {
	local owner=$1
	find "$D" -mindepth 1 -delete
	mkdir -p "$D"/{rw,ro,secret,hard,tree/a/b/c,"sp ace",ünï}
	echo top >"$D/file"
	echo rw >"$D/rw/file"
	echo ro >"$D/ro/file"
	echo secret >"$D/secret/file"
	ln "$D/secret/file" "$D/hard/name"
	echo other >"$D/hard/other"
	ln "$D/hard/other" "$D/hard/again"
	echo blank >"$D/sp ace/file"
	echo uni >"$D/ünï/file"
	echo a >"$D/tree/a/f"
	echo deep >"$D/tree/a/b/c/f"
	printf '#!/bin/sh\necho ran\n' >"$D/prog"
	chmod 755 "$D" "$D/prog"
	ln -s secret/file "$D/link"
	ln -s link "$D/link2"
	ln -s secret "$D/dirlink"
	ln -s ro "$D/rolink"
	ln -s loop "$D/loop"
	ln -s rw/none "$D/dangling"
	chown -R -h "$owner" "$D"
	TREE=$(tree)
}

# One line a file, with what changes when it is written to.
tree() { find "$D" -mindepth 1 \( -type d -printf '%P\t%y %m %U\n' \) -o -printf '%P\t%y %m %U %n %i %s %T@ %l\n'; }

# What became of it, as the table writes it.
changes() {
	join -t $'\t' -a 1 -a 2 -e - -o 0,1.2,2.2 <(sort -t $'\t' -k 1,1 <<<"$TREE") <(sort -t $'\t' -k 1,1 <<<"$1") |
		awk -F '\t' '$2 != $3 { printf "%s%s%s", sep, $2 == "-" ? "+" : $3 == "-" ? "-" : "=", $1; sep = "," }'
}

problem() { PROBLEMS+="$1; "; }

# Is it what the contract says of a failure? The lines of JSON are looked at all together in the end.
check_error() {
	case $1:$2 in
	"1:Request error"$'\n'*"Configuration parse error: "?*) ;;
	"1:error: "*) ;;
	255:*$'\n'\{*) printf '{%s\n' "${2##*$'\n'\{}" >>"$CASES/json" ;;
	*) problem "malformed error" ;;
	esac
}

# run_case NAME EXIT STDOUT WORDS CHANGES PROGRAM...: what is wrong is in $PROBLEMS.
run_case() {
	local name=$1 exit=$2 want=$3 words=$4 want_changes=$5 code=0 word stdout now got=-
	shift 5
	PROBLEMS=
	CORPUS_SECRET=leaked "$@" mxc run "$CASES/$name.json" </dev/null >"$CASES/out" 2>"$CASES/err" 7</etc/passwd 251</ || code=$?
	IFS= read -r -d '' stdout <"$CASES/out" || true
	IFS= read -r -d '' STDERR <"$CASES/err" || true
	STDERR=${STDERR%$'\n'}
	[ "$code" = "$exit" ] || problem "exit $code, not $exit"
	[ "$want" = - ] && want= || printf -v want %b "$want"
	[ "$stdout" = "$want" ] || problem "stdout: ${stdout:0:200}"
	printf -v words %b "$words"
	while read -r -d '|' word; do
		case $word in
		- | '') ;;
		!*) [[ $stdout$STDERR != *"${word#!}"* ]] || problem "has ${word#!}" ;;
		*) [[ $STDERR == *"$word"* ]] || problem "stderr lacks '$word'" ;;
		esac
	done <<<"$words|"
	if [[ $STDERR == "Request error"* || $STDERR == "error: "* || $STDERR == *'{"error"'* ]]; then
		REFUSALS=$((REFUSALS + 1))
		check_error "$code" "$STDERR"
	fi
	now=$(tree)
	[ "$now" = "$TREE" ] || got=$(changes "$now")
	[ "$got" = "$want_changes" ] || problem "changes: $got"
	[[ $stdout$STDERR != *leaked* ]] || problem "the caller's secret is in the output"
}

# run_corpus WHO UID PROGRAM...
run_corpus() {
	local who=$1 uid=$2 name user exit stdout words want failed=0 count=0 begin=$SECONDS
	shift 2
	REFUSALS=0
	CASES=$USERDIR/cases
	mkdir -p "$CASES"
	cp "$CORPUS"/*.json "$CASES/"
	sed -i "s|@D@|$D|g; s|@ROOTONLY@|$ROOTONLY|g" "$CASES"/*.json
	chmod 755 "$CASES"
	chmod 644 "$CASES"/*.json
	make_tree "$uid"
	while IFS=$'\t' read -r name user exit stdout words want; do
		[[ $name != \#* && ($user = '*' || $user = "$who") ]] || continue
		# what the engine under test refuses by a row of the matrix
		[[ $name != denied-proc ]] || ! differs_by "denied /proc" || continue
		stdout=${stdout//@D@/$D}
		run_case "$name" "$exit" "${stdout//@UID@/$uid}" "$words" "$want" "$@"
		count=$((count + 1))
		[[ $want = - && -z $PROBLEMS ]] || make_tree "$uid"
		[ -n "$PROBLEMS" ] || continue
		printf '%s: %s\n    %s\n' "$name" "$PROBLEMS" "${STDERR:0:600}" >&2
		failed=$((failed + 1))
	done <"$here/corpus.tsv"
	echo "$count cases, $REFUSALS refused, $failed failed, $((SECONDS - begin)) s" >&2
	[ "$count" -ge 150 ]
	[ $((REFUSALS * 2)) -ge "$count" ]
	[ "$failed" -eq 0 ]
	equal "$(jq -c 'select((.error.code == "backend_error" and (.error.message | length > 0)) | not)' "$CASES/json")" ""
	equal "$(grep -ls "$D" /proc/[0-9]*/mountinfo)" ""
}

@test "every configuration has a line, and every line a configuration" {
	equal "$(cut -f 1 "$here/corpus.tsv" | grep -v '^#' | sort)" "$(cd "$CORPUS" && printf '%s\n' *.json | sed 's/[.]json$//' | sort)"
	equal "$(grep -v '^#' "$here/corpus.tsv" | awk -F '\t' 'NF != 6')" ""
}

@test "the corpus as root" { run_corpus root 0 "$MXCRUN" "${BY[@]}" --root "$STATE"; }

@test "the corpus as an ordinary user" {
	mkdir "$USERDIR/state"
	chown "$USER_ID" "$USERDIR" "$USERDIR/state"
	cd "$USERDIR"
	run_corpus user "$USER_ID" as_user env CORPUS_SECRET=leaked "$USERDIR/mxcrun" "${BY[@]}" --root "$USERDIR/state"
}
