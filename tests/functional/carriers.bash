# carriers.bash - policies that come with a bundle: the host owner's folder, and the ways to bring one.
# shellcheck shell=bash disable=SC2034

# The folder of a host's owner, empty, and its file as $ADMIN.
make_admin() {
	ADMIN=$BATS_TEST_TMPDIR/admin/mxcrun.json
	mkdir -p "$BATS_TEST_TMPDIR"/admin/{policy.d,policies}
	echo '{}' >"$ADMIN"
}

owners() { echo "$2" >"$BATS_TEST_TMPDIR/admin/policy.d/$1.json"; }
annotate() { config --arg policy "$1" '.annotations["mxc.policy"] = $policy'; }
section() { config --argjson policy "$1" '.mxc = $policy'; }
capabilities() { config --arg caps "$1" '.process.capabilities |= map_values($caps | split(" "))'; }

# Run the bundle under the owner's configuration.
run_carried() {
	run --separate-stderr rt --admin-config "$ADMIN" run --bundle "$BUNDLE" "$@" "$TAG" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}
plan_carried() { rt --admin-config "$ADMIN" plan --bundle "$BUNDLE" "$TAG"; }
