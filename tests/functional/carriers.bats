#!/usr/bin/env bats
# carriers.bats - policies that come with a bundle: who carries them, what they come to together, what they may not do.
# Each restriction is tried by the workload itself, beside what it leaves alone.
# shellcheck disable=SC2030,SC2031

load helpers
load carriers

GUARDS="root jq mxcrun"

test_setup() {
	make_bundle
	mkdir -p "$BUNDLE/rootfs"/data/{open,deep/er} "$BUNDLE/rootfs/secret"
	echo public >"$BUNDLE/rootfs/data/file"
	echo open >"$BUNDLE/rootfs/data/open/file"
	echo deep >"$BUNDLE/rootfs/data/deep/er/file"
	echo hidden >"$BUNDLE/rootfs/secret/file"
	make_admin
}

# What each of these does to a path, as the workload sees it: "read=ok list=EACCES ...".
try_script='try() { # PATH
	[ -e "$1" ] && printf "seen "
	if [ -d "$1" ]; then ls "$1" >/dev/null 2>/tmp/e; else cat "$1" >/dev/null 2>/tmp/e; fi && printf "read " || { grep -q "Permission denied" /tmp/e && printf "eacces "; }
	if [ -d "$1" ]; then touch "$1/new" 2>/tmp/e; else echo x 2>/tmp/e >>"$1"; fi 2>/tmp/e && printf "write" || { grep -q "Read-only" /tmp/e && printf "erofs"; }
	echo
}
'

@test "an annotation denies: visible, and EACCES for root with his capabilities" {
	capabilities "CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_KILL"
	annotate '{"filesystem": {"deniedPaths": ["/secret", "/data/file"]}}'
	script "$try_script"'id -u; grep CapEff /proc/self/status; try /secret; try /data/file; ls /data | tr "\n" " "; try /data/open
		mv /secret /other 2>/dev/null || echo stays; umount /secret 2>/dev/null || echo mounted; chmod 777 /secret 2>/dev/null || echo fixed'
	run_carried
	equal "$status" 0
	equal "${lines[0]}" 0
	equal "$(echo "${lines[1]}" | awk '{print $2}')" 000000000000002b
	[[ ${lines[2]} == "seen eacces "* ]]
	[[ ${lines[3]} == "seen eacces "* ]]
	equal "${lines[4]}" "deep file open seen read write"
	equal "${lines[5]} ${lines[6]} ${lines[7]}" "stays mounted fixed"
	[ "$(cat "$BUNDLE/rootfs/secret/file")" = hidden ]
}

@test "root of a user namespace is denied as well" {
	make_userns_bundle
	capabilities "CAP_DAC_OVERRIDE CAP_CHOWN"
	annotate '{"filesystem": {"deniedPaths": ["/secret"], "readonlyPaths": ["/data"]}}'
	script "$try_script"'try /secret; try /data/file'
	run_carried
	equal "$status" 0
	[[ ${lines[0]} == "seen eacces "* ]]
	equal "${lines[1]}" "seen read erofs"
}

@test "read-only regions are recursive; the most specific path of a carrier wins" {
	annotate '{"filesystem": {"readonlyPaths": ["/data"], "readwritePaths": ["/data/open"], "deniedPaths": ["/data/open/shut"]}}'
	mkdir "$BUNDLE/rootfs/data/open/shut" "$BATS_TEST_TMPDIR/volume"
	config --arg source "$BATS_TEST_TMPDIR/volume" '.mounts += [{destination: "/data/volume", type: "bind", source: $source, options: ["bind"]}]'
	script "$try_script"'try /data; try /data/file; try /data/deep/er; try /data/volume; try /data/open; try /data/open/shut; try /secret'
	run_carried
	equal "$status" 0
	equal "${lines[0]}" "seen read erofs"
	equal "${lines[1]}" "seen read erofs"
	equal "${lines[2]}" "seen read erofs"
	equal "${lines[3]}" "seen read erofs"
	equal "${lines[4]}" "seen read write"
	[[ ${lines[5]} == "seen eacces "* ]]
	equal "${lines[6]}" "seen read write"
	[ -z "$(ls "$BATS_TEST_TMPDIR/volume")" ]
}

# What one start moves away would be open to the next, which restricts by name.
@test "the folders above what a policy restricts can't be moved away for the next start" {
	local kind round
	for kind in make_bundle make_userns_bundle; do
		"$kind"
		mkdir -p "$BUNDLE/rootfs"/data/{deep/er,open}
		echo deep >"$BUNDLE/rootfs/data/deep/er/file"
		echo open >"$BUNDLE/rootfs/data/open/file"
		annotate '{"filesystem": {"deniedPaths": ["/data/deep/er/file"], "readonlyPaths": ["/data/open/file"]}}'
		script 'mv /data /gone && echo moved; mv /data/deep /data/gone && echo moved; mv /data/deep/er /data/gone && echo moved
			mkdir -p /data/deep/er; cat /gone/deep/er/file /data/gone/er/file /data/gone/file; echo x >>/gone/open/file; mv /data/open /free && echo moved
			mkdir /data/free && mv /data/free /data/freed && echo free && rmdir /data/freed'
		for round in 1 2; do
			run_carried
			equal "$status $output" "0 free"
		done
		equal "$(cat "$BUNDLE/rootfs/data/deep/er/file" "$BUNDLE/rootfs/data/open/file")" "deep
open"
	done
}

@test "a sandbox: the folders above what the host's owner restricts can't be moved away, either" {
	local data=$BATS_TEST_TMPDIR/data round
	mkdir -p "$data/deep/er"
	echo hidden >"$data/deep/er/file"
	owners a "{\"version\": \"1.0.0\", \"filesystem\": {\"deniedPaths\": [\"$data/deep/er/file\"]}}"
	policy "cd $data; mv deep gone && echo moved; mv deep/er deep/gone && echo moved; mkdir -p deep/er; touch deep/er/file; cat gone/er/file deep/gone/file; echo fine" \
		--arg d "$data" '.filesystem.readwritePaths = [$d]'
	for round in 1 2; do
		run --separate-stderr rt --admin-config "$ADMIN" mxc run "$POLICY" </dev/null
		equal "$status $output" "0 fine"
	done
	equal "$(cat "$data/deep/er/file")" hidden
}

@test "a path inside of a denied one can be left open" {
	annotate '{"filesystem": {"deniedPaths": ["/data"], "readwritePaths": ["/data/open"], "readonlyPaths": ["/data/deep/er/file"]}}'
	script "$try_script"'ls /data | tr "\n" " "; echo; try /data/open; try /data/deep/er/file; try /data/file; touch /data/x 2>/dev/null || echo closed'
	run_carried
	equal "$status" 0
	equal "${lines[0]}" "deep open "
	equal "${lines[1]}" "seen read write"
	equal "${lines[2]}" "seen read erofs"
	[[ ${lines[3]} != seen* ]]
	equal "${lines[4]}" closed
}

@test "a read-only / leaves /dev and /proc, and what is named, as they are" {
	annotate '{"filesystem": {"readonlyPaths": ["/"], "readwritePaths": ["/tmp"]}}'
	script "$try_script"'try /data; try /dev/shm; try /tmp; echo x >/dev/null && cat /proc/self/comm'
	run_carried
	equal "$status" 0
	equal "${lines[0]}" "seen read erofs"
	equal "${lines[1]}" "seen read write"
	equal "${lines[2]}" "seen read write"
	equal "${lines[3]}" cat
}

@test "what stays open in a read-only root stays read-only" {
	config '.root.readonly = true'
	annotate '{"filesystem": {"deniedPaths": ["/data"], "readwritePaths": ["/data/open"]}}'
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	script "$try_script"'try /data/open'
	run_carried
	equal "$status" 0
	equal "$output" "seen read erofs"
}

@test "a read-only root stays so beside what a policy restricts, and around it" {
	local lists
	config '.root.readonly = true | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	script "$try_script"'try /data/deep/er/file; try /data/deep/er; try /data/deep; try /data; try /; try /data/open'
	for lists in '{"deniedPaths": ["/data/deep/er/file"]}' '{"readonlyPaths": ["/data/deep/er/file"]}' \
		'{"deniedPaths": ["/data/deep/er/file", "/data/later"]}' '{"deniedPaths": ["/data/deep"], "readonlyPaths": ["/data/deep/er/file"]}'; do
		annotate "{\"filesystem\": $lists}"
		run_carried
		equal "$status" 0
		lacks "$output" write
		[ "${#lines[@]}" -ge 6 ]
		equal "$(tail -n 3 <<<"$output" | sort -u)" "seen read erofs"
	done
}

@test "a denied path that does not exist can't be made by the container" {
	annotate '{"filesystem": {"deniedPaths": ["/data/later", "/nowhere/at/all"]}}'
	script "$try_script"'mkdir /data/later 2>/dev/null || echo taken; try /data/later; try /nowhere/at/all'
	run_carried
	equal "$status" 0
	equal "${lines[0]}" taken
	[[ ${lines[1]} == "seen eacces "* ]]
	[[ ${lines[2]} == "seen eacces "* ]]
}

@test "the host owner's policies apply to every container, and nobody loosens them" {
	owners 10-base '{"filesystem": {"deniedPaths": ["/secret"]}}'
	owners 20-more '{"filesystem": {"readonlyPaths": ["/data"]}}'
	section '{"filesystem": {"readwritePaths": ["/secret", "/secret/file", "/data/open"]}}'
	script "$try_script"'try /secret; try /data/open'
	run_carried
	equal "$status" 0
	[[ ${lines[0]} == "seen eacces "* ]]
	equal "${lines[1]}" "seen read erofs"
	run --separate-stderr plan_carried
	equal "$(jq -r '.policy.items[] | select(.carrier == "mxc of config.json") | "\(.object) \(.requested) \(.enforced) \(.decidedBy | split("/")[-1])"' <<<"$output")" \
		"/secret readwrite denied 10-base.json
/secret/file readwrite denied 10-base.json
/data/open readwrite readonly 20-more.json"
}

@test "a policy by name is one of the host owner's" {
	echo '{"filesystem": {"deniedPaths": ["/secret"]}}' >"$BATS_TEST_TMPDIR/admin/policies/strict.json"
	config '.annotations["mxc.policy-name"] = "strict"'
	script "$try_script"'try /secret'
	run_carried
	[[ $output == "seen eacces "* ]]
	config '.annotations["mxc.policy-name"] = "absent"'
	run_carried
	assert_refused "mxc.policy-name" absent.json
	config '.annotations["mxc.policy-name"] = "../policy.d/x"'
	run_carried
	assert_refused "is no name of a policy"
}

@test "what does not parse stops the container" {
	local text
	for text in '' '{' '[]' '{"filesystem": {"deniedPath": ["/x"]}}' '{"process": {"commandLine": "id"}}' \
		'{"containment": "lxc"}' '{"version": "0.7.0"}' '{"filesystem": {"deniedPaths": ["relative"]}}' \
		'{"filesystem": {"deniedPaths": ["/"]}}' '{"filesystem": {"deniedPaths": ["/data/../secret"]}}' \
		'{"filesystem": {"deniedPaths": ["/proc/self/fd"]}}' '{"network": {"ingress": {"hostLoopback": "allow"}}}'; do
		annotate "$text"
		run_carried
		assert_refused
		[[ $stderr == *mxc.policy* ]]
	done
	config 'del(.annotations) | .annotations["mxc.other"] = "x"'
	run_carried
	assert_refused mxc.other
	config 'del(.annotations)'
	section '{"ui": {"disable": true}}'
	run_carried
	assert_refused "mxc of config.json" ui
}

@test "grants: the bundle's author may, an annotation only what the host's owner lists" {
	mkdir -p "$BATS_TEST_TMPDIR/shared/sub"
	echo shared >"$BATS_TEST_TMPDIR/shared/file"
	script "$try_script""try '$BATS_TEST_TMPDIR/shared'; cat '$BATS_TEST_TMPDIR/shared/file'"
	section "{\"filesystem\": {\"readwritePaths\": [\"$BATS_TEST_TMPDIR/shared\"]}}"
	run_carried
	equal "$output" $'seen read write\nshared'
	[ -e "$BATS_TEST_TMPDIR/shared/new" ]
	rm "$BATS_TEST_TMPDIR/shared/new"

	config 'del(.mxc)'
	annotate "{\"filesystem\": {\"readwritePaths\": [\"$BATS_TEST_TMPDIR/shared\"]}}"
	run_carried
	assert_refused "annotation mxc.policy may only restrict" "$BATS_TEST_TMPDIR/shared"
	echo "{\"annotationGrants\": {\"readonlyPaths\": [\"$BATS_TEST_TMPDIR/shared\"]}}" >"$ADMIN"
	run_carried
	assert_refused "may only restrict"

	annotate "{\"filesystem\": {\"readonlyPaths\": [\"$BATS_TEST_TMPDIR/shared\"]}}"
	run_carried
	equal "$output" $'seen read erofs\nshared'
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$BATS_TEST_TMPDIR/shared/file\"]}}"
	run_carried
	[[ $output == "seen read erofs"* ]]
	[[ $output != *shared ]]

	config 'del(.annotations)'
	section '{"filesystem": {"readonlyPaths": ["/not/anywhere"]}}'
	run_carried
	assert_refused /mxc/filesystem/readonlyPaths/0 "neither in the container (or empty there) nor on the host"
}

@test "an empty folder that a bundle's author leaves open in what he restricts is the container's; elsewhere it is a place for the host's" {
	local hollow=$BATS_TEST_TMPDIR/hollow absent=$BATS_TEST_TMPDIR/absent
	mkdir -p "$hollow" "$absent" "$BUNDLE/rootfs$hollow" "$BUNDLE/rootfs/data/empty"
	echo host | tee "$hollow/file" >"$absent/file"
	script "$try_script""try $hollow; cat $hollow/file $absent/file 2>/dev/null"
	local list
	for list in readonlyPaths deniedPaths; do
		section "{\"filesystem\": {\"$list\": [\"$BATS_TEST_TMPDIR\"], \"readwritePaths\": [\"$hollow\"]}}"
		run_carried
		equal "$output" "seen read write"
		[ ! -e "$hollow/new" ]
		[ -e "$BUNDLE/rootfs$hollow/new" ]
		rm "$BUNDLE/rootfs$hollow/new"
	done
	# what the image has not can only be the host's; and without a restriction around it an empty folder is a place
	section "{\"filesystem\": {\"readonlyPaths\": [\"$BATS_TEST_TMPDIR\"], \"readwritePaths\": [\"$absent\"]}}"
	run_carried
	equal "$output" $'seen read erofs\nhost'
	section "{\"filesystem\": {\"readonlyPaths\": [\"$hollow\"]}}"
	run_carried
	equal "$output" $'seen read erofs\nhost'
	# and what the host has not is the image's, however empty
	section '{"filesystem": {"readonlyPaths": ["/data/empty"]}}'
	script "$try_script""try /data/empty; try /data"
	run_carried
	equal "$output" $'seen read erofs\nseen read write'
}

decided() { plan_carried | jq -r '.policy.items[] | "\(.carrier | split("/")[-1]): \(.subject) \(.requested) -> \(.enforced) (\(.decidedBy | split("/")[-1]))"'; }

@test "plan: who decides is who is strictest: config.json too, and each for itself where another says the same" {
	config '.linux.resources.memory.limit = 33554432 | .linux.resources.cpu = {quota: 150000, period: 100000}'
	annotate '{"bubblewrap": {"resources": {"memoryMb": 64, "cpuCount": 2, "pids": 30}}}'
	equal "$(decided)" "annotation mxc.policy: memoryBytes 67108864 -> 33554432 (config.json)
annotation mxc.policy: cpus 2 -> 1.5 (config.json)
annotation mxc.policy: pids 30 -> 30 (annotation mxc.policy)"
	equal "$(plan_carried | jq -c '.cgroup | [.memoryBytes, .cpuQuotaUs, .cpuPeriodUs, .pids]')" '[33554432,150000,100000,30]'
	annotate '{"filesystem": {"readonlyPaths": ["/data"]}, "network": {"egress": {"default": "allow"}}}'
	owners 10 '{"filesystem": {"readonlyPaths": ["/data", "/data/open"], "deniedPaths": ["/data/open"]}, "network": {"ingress": {"default": "allow"}}}'
	owners 20 '{"network": {"egress": {"default": "allow"}}}'
	equal "$(decided)" "annotation mxc.policy: path readonly -> readonly (annotation mxc.policy)
10.json: path denied -> denied (10.json)
10.json: path readonly -> readonly (10.json)
10.json: path readonly -> denied (10.json)
annotation mxc.policy: network filtered -> isolated (10.json)
10.json: network isolated -> isolated (10.json)
20.json: network filtered -> isolated (10.json)"
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	equal "$(decided | grep network)" "annotation mxc.policy: network filtered -> filtered (annotation mxc.policy)
20.json: network filtered -> filtered (20.json)"
}

@test "limits: the smallest counts, and update can't raise it" {
	requires cgroup_v1
	owners 10 '{"bubblewrap": {"resources": {"memoryMb": 64, "pids": 50}}}'
	annotate '{"bubblewrap": {"resources": {"memoryMb": 128, "cpuCount": 1}}}'
	config '.linux.resources.memory.limit = 268435456 | .linux.resources.cpu = {quota: 300000, period: 100000}'
	rt --admin-config "$ADMIN" create --bundle "$BUNDLE" "$TAG" </dev/null >/dev/null
	local dir
	dir=/sys/fs/cgroup/memory$(awk -F: '$2 == "memory" { print $3 }' "/proc/$(rt state "$TAG" | jq .pid)/cgroup")
	equal "$(cat "$dir/memory.limit_in_bytes")" 67108864
	run --separate-stderr rt update --memory 134217728 "$TAG"
	assert_refused "policy allows at most 67108864"
	run --separate-stderr rt update --memory 33554432 "$TAG"
	equal "$status" 0
	equal "$(cat "$dir/memory.limit_in_bytes")" 33554432
	run --separate-stderr plan_carried
	equal "$(jq -r '.policy.items[] | "\(.subject) \(.requested) \(.enforced) \(.decidedBy | split("/")[-1])"' <<<"$output" | sort)" \
		"cpus 1 1 annotation mxc.policy
memoryBytes 134217728 67108864 10.json
memoryBytes 67108864 67108864 10.json
pids 50 50 10.json"
	equal "$(jq '.cgroup.cpuQuotaUs' <<<"$output")" 100000
}

@test "of two time limits the earlier counts" {
	owners 10 '{"process": {"timeout": 60000}}'
	annotate '{"process": {"timeout": 300}}'
	run_carried
	[ "$status" -ne 0 ]
	contains "$stderr" "timed out"
	equal "$(plan_carried | jq .lifecycle.timeoutMs)" 300
}

@test "no network: a namespace of its own is needed" {
	annotate '{"network": {"egress": {"default": "deny"}}}'
	script 'ip link | grep -c ^[0-9]'
	run_carried
	equal "$output" 1
	config '.linux.namespaces |= map(select(.type != "network"))'
	run_carried
	assert_refused "/annotations/mxc.policy#/network" "network namespace"
}

@test "capabilities that undo a restriction are refused, for exec too" {
	annotate '{"filesystem": {"deniedPaths": ["/secret"]}}'
	capabilities "CAP_SYS_ADMIN CAP_KILL"
	run_carried
	assert_refused CAP_SYS_ADMIN
	capabilities "CAP_DAC_READ_SEARCH"
	run_carried
	assert_refused CAP_DAC_READ_SEARCH
	capabilities "CAP_DAC_OVERRIDE"
	start_container "$TAG"
	run --separate-stderr rt exec "$TAG" /bin/ls /secret </dev/null
	[ "$status" -ne 0 ]
	contains "$stderr" "Permission denied"
	run --separate-stderr rt exec --cap CAP_SYS_ADMIN "$TAG" /bin/umount /secret </dev/null
	assert_refused CAP_SYS_ADMIN
}

@test "links in the container can't make a region reach elsewhere" {
	ln -s /data "$BUNDLE/rootfs/alias"
	script "$try_script"'try /data/file; try /alias/file'
	annotate '{"filesystem": {"deniedPaths": ["/alias"]}}'
	run_carried
	equal "$status" 0
	[[ ${lines[0]} != *read* ]]
	[[ ${lines[1]} != *read* ]]
	# Another carrier's name for the same place does not open it.
	owners 10 '{"filesystem": {"deniedPaths": ["/alias"]}}'
	annotate '{"filesystem": {"readonlyPaths": ["/data"], "readwritePaths": ["/data/open"]}}'
	run_carried
	assert_refused "by a link" 10.json
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	annotate '{"filesystem": {"readonlyPaths": ["/alias"], "readwritePaths": ["/alias/open"]}}'
	run_carried
	assert_refused "by a link" /alias/open
}

@test "what a link in the container leads to stays restricted, whatever else is restricted around the link" {
	mkdir -p "$BUNDLE/rootfs/run/secrets"
	echo hidden >"$BUNDLE/rootfs/run/secrets/file"
	ln -s /run "$BUNDLE/rootfs/var/run"
	ln -s ../secret "$BUNDLE/rootfs/data/link"
	script "$try_script"'try /run/secrets; try /run/secrets/file; try /secret/file; try /data/file; try /run'
	# the pod's policy closes the name, not the place
	owners 10 '{"filesystem": {"deniedPaths": ["/var/run/secrets"], "readonlyPaths": ["/data/link"]}}'
	annotate '{"filesystem": {"deniedPaths": ["/var", "/data"]}}'
	run_carried
	equal "$status" 0
	[[ ${lines[0]} == "seen eacces "* ]]
	lacks "${lines[1]}" read
	equal "${lines[2]}" "seen read erofs"
	lacks "${lines[3]}" read
	equal "${lines[4]}" "seen read write"
	equal "$(plan_carried | jq -r '.policy.regionsByLink[] | "\(.kind) \(.path)"')" $'readonly /data/link\ndenied /var/run/secrets'
	# read-only in read-only, by one carrier, and a part that the name's region leaves as open as it is
	owners 10 '{"filesystem": {"readonlyPaths": ["/var", "/var/run/secrets"]}}'
	config 'del(.annotations)'
	run_carried
	equal "${lines[0]} ${lines[1]} ${lines[4]}" "seen read erofs seen read erofs seen read write"
	# the place is restricted as much already, or inside of it
	annotate '{"filesystem": {"deniedPaths": ["/var", "/run/secrets/file", "/secret"]}}'
	owners 10 '{"filesystem": {"deniedPaths": ["/var/run/secrets"], "readonlyPaths": ["/data/link", "/data"]}}'
	run_carried
	equal "$status" 0
	[[ ${lines[0]} == "seen eacces "* ]]
	lacks "${lines[1]}${lines[2]}" read
	equal "${lines[3]}" "seen read erofs"
	# what the other one leaves open there is refused
	annotate '{"filesystem": {"deniedPaths": ["/var", "/run"], "readwritePaths": ["/run/secrets/file"]}}'
	run_carried
	assert_refused "by a link" 10.json
	# and names without a link say what they said: nothing is made for them
	annotate '{"filesystem": {"deniedPaths": ["/data"]}}'
	owners 10 '{"filesystem": {"deniedPaths": ["/data/later", "/data/file"]}}'
	run_carried
	equal "$status" 0
	[ ! -e "$BUNDLE/rootfs/data/later" ]
}

@test "a mount that is shared with the host is not covered" {
	annotate '{"filesystem": {"deniedPaths": ["/secret"]}}'
	mkdir "$BATS_TEST_TMPDIR/volume"
	config --arg source "$BATS_TEST_TMPDIR/volume" '.mounts += [{destination: "/data", type: "bind", source: $source, options: ["rbind", "rshared"]}]'
	run_carried
	assert_refused "shared mounts are refused" /mounts/
}

@test "nobody but root can have written the owner's files" {
	script true
	owners 10 '{}'
	run_carried
	equal "$status" 0
	chmod o+w "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run_carried
	assert_refused 10.json "writable by others"
	chmod o-w "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	chown 1234 "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run_carried
	assert_refused "belongs to user 1234"
	chown 0 "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	chmod g+w "$BATS_TEST_TMPDIR/admin/policy.d"
	run_carried
	assert_refused policy.d "writable by others"
	chmod g-w "$BATS_TEST_TMPDIR/admin/policy.d"
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	ln -s /dev/null "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	run_carried
	assert_refused 10.json
	rm "$BATS_TEST_TMPDIR/admin/policy.d/10.json"
	echo '{"policyFolders": 1}' >"$ADMIN"
	run_carried
	assert_refused policyFolders
	ADMIN=$BATS_TEST_TMPDIR/none.json
	run_carried
	assert_refused none.json
}

# ---- stand-alone policies ----

owned_policy() { # command, then jq
	policy "$@"
	run --separate-stderr rt --admin-config "$ADMIN" mxc run "$POLICY" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

@test "a sandbox is under the host owner's policies, whatever names a grant uses" {
	mkdir -p "$BATS_TEST_TMPDIR"/{tree/secret/inner,tree/data}
	echo hidden >"$BATS_TEST_TMPDIR/tree/secret/inner/file"
	echo public >"$BATS_TEST_TMPDIR/tree/data/file"
	ln "$BATS_TEST_TMPDIR/tree/secret/inner/file" "$BATS_TEST_TMPDIR/hard"
	ln -s tree/secret "$BATS_TEST_TMPDIR/soft"
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$BATS_TEST_TMPDIR/soft\", \"$BATS_TEST_TMPDIR/hard\"], \"readonlyPaths\": [\"$BATS_TEST_TMPDIR/tree/data\"]}}"
	local look="$try_script"'for path; do try "$path"; done'
	owned_policy "set -- $BATS_TEST_TMPDIR/tree $BATS_TEST_TMPDIR/tree/secret $BATS_TEST_TMPDIR/tree/data; $look" \
		--arg dir "$BATS_TEST_TMPDIR" '.filesystem.readwritePaths = [$dir + "/tree"]'
	equal "${lines[0]}" "seen read write"
	[[ ${lines[1]} == "seen eacces "* ]]
	equal "${lines[2]}" "seen read erofs"
	# Deeper grants, by a link's name and by a hard link's object.
	owned_policy "set -- $BATS_TEST_TMPDIR/soft/inner $BATS_TEST_TMPDIR/tree/secret/inner/file $BATS_TEST_TMPDIR/tree/data/file; $look" \
		--arg dir "$BATS_TEST_TMPDIR" '.filesystem.readwritePaths = [$dir + "/soft/inner", $dir + "/tree/secret/inner/file", $dir + "/tree/data/file"]'
	[[ ${lines[0]} != *read* ]]
	[[ ${lines[1]} != *read* ]]
	equal "${lines[2]}" "seen read erofs"
	[ "$(cat "$BATS_TEST_TMPDIR/hard")" = hidden ]
	run --separate-stderr rt --admin-config "$ADMIN" plan --mxc "$POLICY"
	equal "$(jq -r '.policy.items[] | select(.pointer == "/filesystem/readwritePaths/0") | "\(.requested) \(.enforced) \(.decidedBy | split("/")[-1])"' <<<"$output")" "readwrite denied 10.json"
}

# Names that only the file system knows of: hard links, mounts. The folder holds what is denied and what is granted.
make_names() { # FOLDER
	mkdir -p "$1"/{secret/inner,tree/deep,alone,doc}
	echo hidden >"$1/secret/inner/file"
	echo public | tee "$1/doc/file" >"$1/tree/file"
	ln "$1/secret/inner/file" "$1/tree/deep/hard"
	ln "$1/secret/inner/file" "$1/alone/hard"
}

# status, then what is left to see of each of the names; the engine's name first.
look_at_names() { # FOLDER COMMAND...
	local dir=$1 engine
	shift
	policy "set -- $dir/tree/deep/hard $dir/alone/hard $dir/tree/file $dir/tree/bound/inner/file $dir/tree/doc/file; $try_script"'for path; do try "$path"; done; cat "$@" 2>/dev/null | grep hidden' \
		--arg dir "$dir" '.filesystem.readwritePaths = [$dir + "/tree", $dir + "/alone/hard"]'
	cp "$POLICY" "$dir/policy.json"
	chmod 644 "$dir/policy.json"
	for engine in native bwrap lxc; do
		[ "$engine" = native ] || have "${engine/lxc/lxc-start}" || continue
		run --separate-stderr "$@" --engine "$engine" --admin-config "$ADMIN" mxc run "$dir/policy.json" </dev/null
		echo "$engine: $status; ${output:0:2000}; ${stderr:0:2000}"
		lacks "$output" hidden
		# what the owner restricts there, those do not carry out
		[ "$engine" = native ] || contains "$stderr" "$engine: regions of a policy"
		[ "$engine" = native ] || continue
		[[ ${lines[0]} == "seen eacces "* ]]
		[[ ${lines[1]} == "seen eacces "* ]]
		equal "${lines[2]}" "seen read write"
		NATIVE=("${lines[@]}")
	done
}

@test "a sandbox: what the host's owner denies is so by every hard link and every mount that a grant shows" {
	local dir=$BATS_TEST_TMPDIR/names
	make_names "$dir"
	mkdir "$dir/tree/bound" "$dir/tree/doc"
	mount --bind "$dir/secret" "$dir/tree/bound"
	mount --bind "$dir/doc" "$dir/tree/doc"
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$dir/secret\"], \"readonlyPaths\": [\"$dir/doc\"]}}"
	look_at_names "$dir" rt
	[[ ${NATIVE[3]} != *read* ]]
	equal "${NATIVE[4]}" "seen read erofs"
	# what the owner leaves open inside is not denied by its other name, and a policy's own denial doesn't hide that of the owner
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$dir/secret\"], \"readwritePaths\": [\"$dir/secret/inner\"]}}"
	policy "cat $dir/tree/deep/hard" --arg dir "$dir" '.filesystem = {readwritePaths: [$dir + "/tree"], deniedPaths: [$dir + "/doc"]}'
	run --separate-stderr rt --admin-config "$ADMIN" mxc run "$POLICY" </dev/null
	equal "$output" hidden
	owners 20 "{\"filesystem\": {\"deniedPaths\": [\"$dir/alone/hard\"]}}"
	run --separate-stderr rt --admin-config "$ADMIN" mxc run "$POLICY" </dev/null
	contains "$stderr" "Permission denied"
	lacks "$output" hidden
	umount "$dir/tree/bound" "$dir/tree/doc"
	equal "$(cat "$dir/tree/deep/hard")" hidden
}

@test "a sandbox of an ordinary user: the same, and what can't be searched for is refused" {
	make_user
	local dir=$USERDIR/names
	make_names "$dir"
	mkdir -p "$USERDIR/admin/policy.d"
	ADMIN=$USERDIR/admin/mxcrun.json
	echo '{}' >"$ADMIN"
	echo "{\"filesystem\": {\"deniedPaths\": [\"$dir/secret\"]}}" >"$USERDIR/admin/policy.d/10.json"
	chown -R "$USER_ID" "$USERDIR"
	look_at_names "$dir" user_rt
	# root's folder, in which the user's grant may have a file
	chown -R 0 "$dir/secret"
	chmod 666 "$dir/secret/inner/file"
	chmod 700 "$dir/secret"
	run --separate-stderr user_rt --admin-config "$ADMIN" mxc run "$dir/policy.json" </dev/null
	equal "$status" 255
	contains "$stderr" "10.json#/filesystem/deniedPaths/0"
	contains "$stderr" "could not be searched"
	lacks "$output" hidden
}

@test "a container: what is denied is so by every name that a grant brings in" {
	local dir=$BATS_TEST_TMPDIR/names by
	make_names "$dir"
	mkdir "$dir/tree/bound" "$dir/tree/own"
	echo mine >"$dir/tree/own/file"
	ln "$dir/tree/own/file" "$dir/tree/own.link"
	ln -s tree "$dir/alias"
	mount --bind "$dir/secret" "$dir/tree/bound"
	script "set -- $dir/tree/deep/hard $dir/tree/bound/inner/file $dir/alias/deep/hard $dir/tree/own/file $dir/tree/own.link $dir/tree/file; $try_script"'for path; do try "$path"; done; cat "$@" 2>/dev/null'
	local grants="\"readwritePaths\": [\"$dir/tree\", \"$dir/alias\"]"
	section "{\"filesystem\": {$grants}}"
	run_carried
	equal "$(grep -c "read write" <<<"$output")" 6
	# by the owner, who means the host, and by the one who grants, of what he grants
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$dir/secret\"]}}"
	section "{\"filesystem\": {$grants, \"deniedPaths\": [\"$dir/tree/own\"]}}"
	run_carried
	umount "$dir/tree/bound"
	local i
	for i in 0 1 2 3 4; do [[ ${lines[i]} != *read* ]]; done
	equal "${lines[5]}" "seen read write"
	lacks "$output" hidden
	lacks "$output" mine
	run --separate-stderr plan_carried
	equal "$(jq -r --arg d "$dir/" '.policy.regions[] | "\(.kind) \(.path | ltrimstr($d))"' <<<"$output")" "denied alias/deep/hard
denied alias/own
denied alias/own.link
denied secret
denied tree/deep/hard
denied tree/own
denied tree/own.link"
}

# Both have covers of their own: those of the owner are put where the tree is finished, on names that are looked up then.
@test "a sandbox's own denied paths beside the owner's" {
	mkdir -p "$BATS_TEST_TMPDIR"/tree/{mine,theirs}
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$BATS_TEST_TMPDIR/tree/theirs\"]}}"
	local section
	for section in '{}' '{keepCaps: ["CAP_CHOWN"]}'; do
		owned_policy "set -- $BATS_TEST_TMPDIR/tree $BATS_TEST_TMPDIR/tree/mine $BATS_TEST_TMPDIR/tree/theirs; $try_script"'for path; do try "$path"; done' \
			--arg dir "$BATS_TEST_TMPDIR" "
			.filesystem = {readwritePaths: [\$dir + \"/tree\"], deniedPaths: [\$dir + \"/tree/mine\"]} | .bubblewrap = $section"
		equal "${lines[0]}" "seen read write"
		[[ ${lines[1]} == "seen eacces "* ]]
		[[ ${lines[2]} == "seen eacces "* ]]
	done
}

@test "a sandbox with / granted, the owner's limits and an absent path" {
	# Not below /tmp, of which a sandbox has its own.
	OUTSIDE=$(mktemp -d "/var/tmp/$TAG.XXXXXX")
	mkdir "$OUTSIDE/secret"
	owners 10 "{\"filesystem\": {\"deniedPaths\": [\"$OUTSIDE/secret\"]}, \"process\": {\"timeout\": 400}}"
	owned_policy "$try_script""try $OUTSIDE/secret; sleep 60" '.filesystem.readonlyPaths = ["/"] | .process.timeout = 20000'
	equal "$status" 255
	[[ ${lines[0]} == "seen eacces "* ]]
	contains "$stderr" "timed out after 400ms"
	owners 20 "{\"filesystem\": {\"deniedPaths\": [\"$OUTSIDE/later\"]}}"
	owned_policy true '.filesystem.readonlyPaths = ["/"]'
	equal "$status" 255
	contains "$stderr" "does not exist"
	owned_policy true
	equal "$status" 0
	rmdir "$OUTSIDE/secret" "$OUTSIDE"
}

# ---- the enforcement record ----

@test "--report: each item, requested and enforced, and by what" {
	local report=$BATS_TEST_TMPDIR/report.json
	annotate '{"filesystem": {"deniedPaths": ["/secret"]}, "bubblewrap": {"resources": {"pids": 30}}}'
	owners 10 '{"bubblewrap": {"resources": {"pids": 20}}}'
	rt --admin-config "$ADMIN" create --bundle "$BUNDLE" --report "$report" "$TAG" </dev/null >/dev/null
	equal "$(jq -r .status "$report")" created
	equal "$(jq .pid "$report")" "$(rt state "$TAG" | jq .pid)"
	equal "$(jq -r '.items[] | "\(.subject) \(.requested) \(.enforced)"' "$report" | sort)" $'path denied denied\npids 20 20\npids 30 20'
	equal "$(stat -c %a "$report")" 600
	grep -q "/secret .* denied " "/proc/$(rt state "$TAG" | jq .pid)/mountinfo"
	rt delete --force "$TAG"
	script true
	jq --arg begun "$BATS_TEST_TMPDIR/begun" '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "touch \($begun)"]}]' \
		"$BUNDLE/config.json" >"$BUNDLE/with-hook"
	mv "$BUNDLE/with-hook" "$BUNDLE/config.json"
	run_carried --report "$BATS_TEST_TMPDIR/absent/report"
	assert_refused "enforcement record"
	[ ! -e "$BATS_TEST_TMPDIR/begun" ]
	run_carried --report "$BATS_TEST_TMPDIR/report"
	equal "$status" 0
	[ -e "$BATS_TEST_TMPDIR/begun" ]
	policy true '.filesystem.readonlyPaths = ["/usr/share"]'
	rt mxc run --report "$report" "$POLICY"
	equal "$(jq -r .status "$report")" running
	equal "$(jq -r '.items[] | select(.subject == "path") | "\(.object) \(.enforced) \(.mechanism)"' "$report")" "/usr/share readonly read-only mount"
	equal "$(jq -r '[.items[].subject] | sort | join(" ")' "$report")" "capabilities files network newPrivileges path systemCalls timeoutMs"
}
