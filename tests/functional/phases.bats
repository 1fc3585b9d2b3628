#!/usr/bin/env bats
# phases.bats - sandboxes that live across calls (MXC's state-aware requests): provision, start, exec, stop, deprovision, each a call of
# its own. Effects are seen by what joins the sandbox, and from outside.

load helpers
GUARDS="jq mxcrun"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{rw,ro,secret}
	echo secret >"$D/secret/file"
	REQUEST=$BATS_TEST_TMPDIR/request.json
	ID=
}

test_teardown() {
	local file
	for file in "$STATE"/.sandboxes/*-*; do
		[ -e "$file" ] || continue
		file=$(basename "$file" .started)
		ID=${file/-/:} ask deprovision
	done
	assert_nothing_left
}

# ask PHASE [FILTER [jq arguments]]: one request; bats' $status, $output, $stderr are the result.
ask() {
	local phase=$1 filter=${2-.}
	shift "$(($# > 1 ? 2 : 1))"
	jq -n --arg phase "$phase" --arg id "$ID" --arg tag "MXCRUN_TEST_TAG=$TAG" --arg d "$D" "$@" '{version: "0.8.0-alpha", phase: $phase} +
		(if $phase == "provision" then {containment: "process"} else {sandboxId: $id} end) +
		(if $phase == "exec" then {process: {commandLine: "true", env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", $tag]}} else {} end) | '"$filter" >"$REQUEST"
	run --separate-stderr rt mxc run ${DRY+--dry-run} "$REQUEST" </dev/null
	echo "$phase: status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

# The answer is one line of JSON, and nothing else is on stdout.
answers() { # FIELD VALUE
	equal "$(wc -l <<<"$output")" 1
	equal "$(jq -r "$1" <<<"$output")" "$2"
}

done_well() {
	equal "$status" 0
	answers .result "{}"
}

refused_as() { # CODE [words in the message]
	local word
	equal "$status" 1
	answers .error.code "$1"
	for word in "${@:2}"; do contains "$(jq -r .error.message <<<"$output")" "$word"; done
}

provision() { # [FILTER]
	ask provision "${1-.}"
	equal "$status" 0
	ID=$(jq -r .result.sandboxId <<<"$output")
}

# started [FILTER]: a sandbox that runs.
started() {
	provision "${1-.}"
	ask start
	done_well
}

execute() { # COMMAND [FILTER]
	ask exec ".process.commandLine = \$command | ${2-.}" --arg command "$1"
}

# execute, and wait for nobody: its output goes to a file.
execute_beside() { # COMMAND FILE
	jq -n --arg id "$ID" --arg tag "MXCRUN_TEST_TAG=$TAG" --arg command "$1" \
		'{version: "0.8.0-alpha", phase: "exec", sandboxId: $id, process: {commandLine: $command, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", $tag]}}' >"$2.json"
	rt mxc run "$2.json" </dev/null >"$2" 2>"$2.err" &
}

init_pid() { rt state "${ID/:/-}" | jq -r .pid; }
supervisor_pid() { proc_status "$(init_pid)" PPid; }
sleepers() { pgrep -cf "^sleep $1" || true; }
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*zombie' "/proc/$1/status"; }
none_sleeps() { [ "$(sleepers "$1")" = 0 ]; }

@test "a sandbox lives across calls: processes join it, what they write in it stays over a stop, and deprovision leaves nothing" {
	provision '.filesystem.readwritePaths = [$d + "/rw"]'
	[[ $ID =~ ^native:[0-9a-f]{32}$ ]]
	ask start
	done_well
	execute "echo one >/tmp/file; echo two >$D/rw/file; exit 7"
	equal "$status $output$stderr" "7 "
	execute 'cat /tmp/file; cat; echo error >&2'
	equal "$status $output $stderr" "0 one error"
	ask stop
	done_well
	ask start
	done_well
	execute 'cat /tmp/file'
	equal "$status $output" "0 one"
	equal "$(cat "$D/rw/file")" two
	ask deprovision
	done_well
	assert_nothing_left
	equal "$(find /sys/fs/cgroup -type d -name "*${ID#*:}*")" ""
	ask start
	refused_as not_provisioned
}

@test "each phase asks for its state, and says by MXC's word what is amiss" {
	ID=native:00000000000000000000000000000000
	for phase in start exec stop deprovision; do
		ask "$phase"
		refused_as not_provisioned
	done
	provision
	local first=$ID
	ask exec
	refused_as not_started
	ask stop
	refused_as already_stopped
	ask start
	done_well
	ask start
	refused_as already_started
	ask stop
	done_well
	ask stop
	refused_as already_stopped
	ask exec
	refused_as not_started
	provision
	[ "$ID" != "$first" ]
	ask deprovision
	done_well
	ask deprovision
	refused_as not_provisioned
	ID=$first ask deprovision
	done_well
}

@test "what joins lives under the policy: paths, capabilities, filter, no way to init or to another's streams" {
	started '.filesystem = {readwritePaths: [$d], readonlyPaths: [$d + "/ro"], deniedPaths: [$d + "/secret"]}'
	execute "cat $D/secret/file; ls $D; echo x >$D/ro/x; cat $BATS_TEST_TMPDIR/request.json; cat /proc/1/environ; ls /proc/1/root/; kill -9 1; kill -USR1 1; echo x >/proc/1/comm
		grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\t\n' ' '"
	equal "$status" 0
	contains "$output" secret ro rw "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2"
	contains "$stderr" "$D/secret/file: Permission denied" "$D/ro/x: Read-only file system" "request.json: No such file" "/proc/1/environ: Permission denied"
	[ ! -e "$D/ro/x" ]
	equal "$(cat "/proc/$(init_pid)/comm")" mxcrun-init
	ask exec '.process = {commandLine: "echo joined"}'
	equal "$status $output" "0 joined"
}

@test "several join at once, and one may end what another one has left" {
	started
	local i
	for i in 1 2 3 4 5; do execute_beside "echo $i >/tmp/$i; sleep 0.$i; cat /tmp/$i" "$BATS_TEST_TMPDIR/out$i"; done
	wait
	equal "$(cat "$BATS_TEST_TMPDIR"/out[1-5])" $'1\n2\n3\n4\n5'
	execute 'setsid sleep 1061 </dev/null >/dev/null 2>&1 & echo $!'
	equal "$status" 0
	equal "$(sleepers 1061)" 1
	execute "kill $output"
	equal "$status" 0
	wait_for 5 none_sleeps 1061
}

@test "stop ends all that has joined, also what has daemonised and what makes new processes all the time" {
	started
	execute_beside 'while :; do (sleep 1062 &) ; sleep 0.01; done' "$BATS_TEST_TMPDIR/out"
	local storm=$! code=0
	execute '(setsid setsid sleep 1063 &) </dev/null >/dev/null 2>&1'
	wait_for 5 pgrep -f "^sleep 1062"
	ask stop
	done_well
	wait "$storm" || code=$?
	equal "$code" 137
	wait_for 5 none_sleeps 1062
	none_sleeps 1063
	ask start
	done_well
	execute 'ls -d /proc/[0-9]* | wc -l'
	contains "4 3" "$output"
}

@test "a time limit ends the process and its session, and not the sandbox; a signal to the command as well" {
	started
	execute "sleep 1064 & sleep 1064" ".process.timeout = $(($(slow 1) * 500))"
	equal "$status" 255
	contains "$stderr" "script timed out after $(($(slow 1) * 500))ms"
	wait_for 5 none_sleeps 1064
	execute_beside 'sleep 1065' "$BATS_TEST_TMPDIR/out"
	local command code=0
	wait_for 5 pgrep -f "^sleep 1065"
	command=$(pgrep -f "mxc run $BATS_TEST_TMPDIR/out.json" | tail -n 1)
	kill -TERM "$command"
	wait "$!" || code=$?
	equal "$code" 143
	wait_for 5 none_sleeps 1065
	execute 'echo still here'
	equal "$status $output" "0 still here"
}

@test "without its supervisor a sandbox is gone, and its id stale; without its command a process is gone" {
	started
	execute_beside 'exec sleep 1066' "$BATS_TEST_TMPDIR/out"
	wait_for 5 pgrep -f "^sleep 1066"
	kill -9 "$(pgrep -f "mxc run $BATS_TEST_TMPDIR/out.json" | tail -n 1)"
	wait_for 5 none_sleeps 1066
	execute_beside 'exec sleep 1066' "$BATS_TEST_TMPDIR/out"
	wait_for 5 pgrep -f "^sleep 1066"
	local init
	init=$(init_pid)
	kill -9 "$(supervisor_pid)"
	wait_for 5 none_sleeps 1066
	wait_for 5 is_gone "$init"
	for phase in start exec stop; do
		ask "$phase"
		refused_as stale_id
	done
	rt gc
	ask start
	refused_as stale_id
	ask deprovision
	done_well
}

@test "killed at any time of its start, deprovision takes all of it away" {
	local ms
	for ms in 0 2 4 6 8 11 14 18 25 40; do
		provision '.filesystem.readwritePaths = [$d + "/rw"]'
		jq -n --arg id "$ID" '{phase: "start", sandboxId: $id}' >"$BATS_TEST_TMPDIR/start.json"
		rt mxc run "$BATS_TEST_TMPDIR/start.json" </dev/null >/dev/null 2>&1 &
		sleep "$(printf '0.%03d' "$(($(slow 1) * ms))")"
		pkill -9 -f "mxc run $BATS_TEST_TMPDIR/start.json" || true # the supervisor, too
		wait "$!" || true
		ask deprovision
		done_well
		ask start
		refused_as not_provisioned
	done
	assert_nothing_left
}

@test "limits of the sandbox hold for what joins it" {
	requires root
	started '.bubblewrap.resources = {memoryMb: 64, pids: 20}'
	execute_beside 'sleep 1067' "$BATS_TEST_TMPDIR/out"
	wait_for 5 pgrep -f "^sleep 1067"
	local pid
	pid=$(pgrep -f "^sleep 1067" | tail -n 1)
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max) $(cgroup_value "$pid" pids pids.max pids.max)" "67108864 20"
}

@test "its rules for the network hold for what joins it, and its way out goes with it" {
	requires root pasta
	requires_item "network of another kind"
	started '.network.egress = {default: "deny", allow: [{to: [{cidr: "10.0.2.2/32"}], ports: [{protocol: "tcp", port: 9}]}]}'
	local helper
	helper=$(awk '$1 == "process" { print $2 }' "$STATE/${ID/:/-}/journal" | tail -n 1)
	[ -e "/proc/$helper" ]
	execute 'for port in 9 10; do timeout 2 bash -c "echo >/dev/tcp/10.0.2.2/$port"; done 2>/dev/null; ip -o addr show tap0 | grep -c "10.0.2.100/"'
	equal "$output" 1
	rt events --network "${ID/:/-}" | jq -e '[.data.refused[] | select(.address == "10.0.2.2" and .port == 10)] | length == 1'
	ask deprovision
	done_well
	wait_for 5 is_gone "$helper"
}

@test "a proxy for one process is in its variables, and nowhere else" {
	started
	execute 'env | grep -i _proxy | sort; env | grep -c LEAK' '.network.proxy.url = "http://127.0.0.1:3128" | .process.env += ["http_proxy=LEAK"]'
	contains "$output" "http_proxy=http://127.0.0.1:3128" "HTTPS_PROXY=http://127.0.0.1:3128"
	lacks "$output" LEAK
	execute 'env | grep -ci _proxy'
	equal "$output" 0
	ask exec 'del(.version) | .version = "1.0.0" | .runtimeConfig.networkProxy = "http://127.0.0.1:3128" | .process.commandLine = "echo $ALL_PROXY"'
	equal "$status $output" "0 http://127.0.0.1:3128"
	execute true '.network.proxy.url = "http://user:word@127.0.0.1:3128"'
	refused_as malformed_request "must not carry credentials"
	lacks "$output" word
}

@test "the exact contracts, and the containments that a client of theirs knows" {
	local containment prefix
	for containment in wslc:wslc bubblewrap:bwrap process:native; do
		prefix=${containment#*:}
		provision "{version: \"1.0.0\", phase: \"provision\", containment: \"${containment%:*}\", filesystem: {readonlyPaths: [\$d + \"/ro\"]}}"
		contains "$ID" "$prefix:"
		ask start '.version = "1.1.0-alpha"'
		done_well
		ask exec '.version = "1.0.0" | .process = {commandLine: "echo $TERM"}'
		equal "$status $output" "0 xterm-256color"
		ask deprovision '.version = "1.0.0"'
		done_well
	done
}

@test "an image is a root that lives across calls, too" {
	make_rootfs "$BATS_TEST_TMPDIR/source"
	MXCRUN_IMAGES=$BATS_TEST_TMPDIR/images
	export MXCRUN_IMAGES
	rt image import tiny 1 "$BATS_TEST_TMPDIR/source"
	started '.containment = "lxc" | .experimental.lxc.provision = {distribution: "tiny", release: "1"}'
	execute 'echo new >/etc/new'
	equal "$status" 0
	run --separate-stderr rt image remove tiny 1
	assert_refused "in use by a sandbox"
	ask stop
	ask start
	execute 'cat /etc/new'
	equal "$status $output" "0 new"
	ask deprovision
	rt image remove tiny 1
}

@test "a dry run checks everything and changes nothing" {
	DRY=yes ask provision
	done_well
	[ ! -e "$STATE/.sandboxes" ]
	DRY=yes ask provision '.filesystem.readwritePaths = ["/no/such/path"]'
	refused_as policy_validation /filesystem/readwritePaths/0
	provision
	DRY=yes ask start
	done_well
	ask exec
	refused_as not_started
	ask start
	DRY=yes execute "echo ran >$D/rw/ran"
	done_well
	DRY=yes ask deprovision
	done_well
	execute 'echo runs'
	equal "$output" runs
	[ ! -e "$D/rw/ran" ]
}

@test "a request that is wrong is told by code and field, and leaves nothing" {
	local phase filter code words
	ID=native:00000000000000000000000000000000
	while IFS='|' read -r phase filter code words; do
		ask "$phase" "${filter//%/|}"
		refused_as "$code" "$words"
	done <<-'EOF'
		start|.phase = null|malformed_request|invalid type: null
		start|.phase = 3|malformed_request|expected a string
		start|.phase = "jump"|malformed_request|Unsupported phase 'jump'
		start|.version = "9"|malformed_request|Invalid schema version
		start|del(.sandboxId)|malformed_request|sandboxId
		start|.sandboxId = "x"|malformed_id|PREFIX:TOKEN
		start|.sandboxId = ":x"|malformed_id|PREFIX:TOKEN
		start|.sandboxId = "native:x"|malformed_id|32 hexadecimal digits
		start|.sandboxId = "native:../../../../../../../../etc/pass"|malformed_id|32 hexadecimal digits
		start|.sandboxId = "zzz:00000000000000000000000000000000"|unsupported_containment|prefix
		start|.filesystem = {}|policy_validation|'filesystem'
		stop|.network = {}|policy_validation|'network'
		stop|.ui = {}|policy_validation|'ui'
		start|.version = "1.0.0" % .filesystem = {}|malformed_request|unknown field `filesystem`
		start|.version = "1.0.0" % .correlationVector = "x"|malformed_request|unknown field `correlationVector`
		start|.process = {}|malformed_request|unknown field `process`
		start|.containment = "process"|malformed_request|unknown field `containment`
		start|.experimental = {lxc: {start: {}}}|malformed_request|experimental.lxc
		start|.experimental = 3|malformed_request|experimental
		exec|del(.process)|malformed_request|process
		exec|del(.process.commandLine)|malformed_request|process.commandLine
		exec|.filesystem = {}|policy_validation|'filesystem'
		exec|.network = {egress: {default: "allow"}}|policy_validation|'network.egress'
		exec|.runtimeConfig = {portMappings: [{hostPort: 1, containerPort: 1}]}|policy_validation|portMappings
		provision|del(.containment)|malformed_request|containment
		provision|.containment = "vm"|unsupported_containment|'vm'
		provision|.containment = "jail"|malformed_request|containment
		provision|.sandboxId = "a:b"|malformed_request|unknown field `sandboxId`
		provision|.process = {commandLine: "true"}|malformed_request|unknown field `process`
		provision|.lifecycle = {}|malformed_request|unknown field `lifecycle`
		provision|.lxc = {}|malformed_request|unknown field `lxc`
		provision|.experimental = {lxc: {provision: {}}}|malformed_request|experimental.lxc
		provision|.containment = "lxc"|policy_validation|/lxc
		provision|.containment = "lxc" % .experimental = {lxc: {provision: {distribution: "none", release: "1"}}}|backend_unavailable|image import
		provision|.containment = "lxc" % .experimental = {lxc: {start: {}}}|malformed_request|unknown field `start`
		provision|.version = "1.0.0" % .containment = "wslc" % .wslc = {provision: {image: "x"}}|policy_validation|image
		provision|.version = "1.0.0" % .ui = {}|malformed_request|unknown field `ui`
		provision|.filesystem.readwritePaths = [""]|malformed_request|path is empty
		provision|.filesystem.readwritePaths = ["/no/such/path"]|policy_validation|/filesystem/readwritePaths/0
		provision|.network.proxy.url = "http://127.0.0.1:3128"|policy_validation|'exec' takes it
		provision|.bubblewrap.dieWithParent = true|policy_validation|/bubblewrap/dieWithParent
	EOF
	[ ! -e "$STATE/.sandboxes" ]
	printf '{"phase": "start"' >"$REQUEST"
	run --separate-stderr rt mxc run "$REQUEST" </dev/null
	assert_mxc_malformed
}

@test "--report is of the sandbox that is made, --debug leaves the answer alone, and gc sweeps what a killed command left" {
	provision
	run --separate-stderr rt mxc run --report "$BATS_TEST_TMPDIR/report" "$REQUEST" </dev/null
	refused_as malformed_request --report
	ask start
	ask stop
	jq -n --arg id "$ID" '{phase: "start", sandboxId: $id}' >"$REQUEST"
	run --separate-stderr rt mxc run --debug "$REQUEST" </dev/null
	done_well
	ask deprovision
	provision
	jq -n --arg id "$ID" '{phase: "start", sandboxId: $id}' >"$REQUEST"
	rt mxc run --report "$BATS_TEST_TMPDIR/report" "$REQUEST" </dev/null
	equal "$(jq -r .status "$BATS_TEST_TMPDIR/report")" running
	touch "$STATE/.sandboxes/"{.half,native-0123456789abcdef0123456789abcdef.started}
	rt gc
	equal "$(records_in "$STATE/.sandboxes" | sort)" "$(printf '%s\n' "${ID/:/-}" "${ID/:/-}.started")"
	execute 'echo runs'
	equal "$output" runs
}
