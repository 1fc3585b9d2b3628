#!/usr/bin/env bats
# Pods as a kubelet asks for them, by containerd's Container Runtime Interface: mxcrun is the handler of a RuntimeClass.

load helpers
load networld
load enginebox
GUARDS="root jq containerd ctr ip /usr/bin/python3"

# containerd makes its bridge in the namespace of this one, which outlives the tests.
start_kubernetes_containerd() {
	/usr/bin/python3 -c 'import grpc' 2>/dev/null || skip "needs python3-grpcio"
	[ -x /usr/lib/cni/bridge ] || skip "needs the CNI plugins"
	[ ! -e "$E/host.pid" ] || {
		HOST=$(cat "$E/host.pid")
		return 0
	}
	hold_namespace HOST
	disown
	echo "$HOST" >"$E/host.pid"
	in_host ip link set lo up
	mkdir "$E/cni" "$E/logs"
	jq -n --arg data "$E/ipam" '{cniVersion: "0.4.0", name: "mxt", plugins: [{type: "bridge", bridge: "mxt0", isDefaultGateway: true,
		ipam: {type: "host-local", dataDir: $data, ranges: [[{subnet: "10.99.0.0/24", gateway: "10.99.0.1"}],
			[{subnet: "fd99::/64", gateway: "fd99::1"}]]}}]}' >"$E/cni/mxt.conflist"
	THERE="nsenter -t $HOST -n" make_containerd k8s.io <<-END
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "localhost/mxt-image:latest"
		# an infra container asks for a lower oom_score_adj than a root without CAP_SYS_RESOURCE may give
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "$E/cni"
		[plugins."io.containerd.grpc.v1.cri".containerd]
		snapshotter = "native"
		default_runtime_name = "mxcrun"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mxcrun]
		runtime_type = "io.containerd.runc.v2"
		pod_annotations = ["mxc.*"]
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mxcrun.options]
		BinaryName = "$MXCRUN"
		Root = "$E/records"
	END
}

test_setup() { start_kubernetes_containerd; }

# Whatever a failed test has left of its pods.
test_teardown() {
	local pod
	for pod in ${PODS-}; do
		cri StopPodSandbox '{pod_sandbox_id: $id}' --arg id "$pod" >/dev/null || true
		cri RemovePodSandbox '{pod_sandbox_id: $id}' --arg id "$pod" >/dev/null || true
	done
	find /sys/fs/cgroup -depth -path "*/$TAG*" -type d -exec rmdir {} + 2>/dev/null || true
	kill ${SERVERS+"${SERVERS[@]}"} 2>/dev/null || true
}

# cri METHOD JQ-FILTER [JQ-OPTION...]: one call, whose request the filter makes.
cri() {
	local method=$1 filter=$2
	shift 2
	jq -n "$filter" "$@" | /usr/bin/python3 "$here/cri.py" "$E/c.sock" "$method"
}

# run_pod JQ-FILTER: a pod, changed by the filter; its id is in $POD, the groups of all that is in it are below $TAG.
run_pod() {
	POD_CONFIG=$(jq -n --arg tag "$TAG" --arg logs "$E/logs" '{metadata: {name: $tag, uid: $tag, namespace: "mxt"}, hostname: "podhost",
		log_directory: $logs, linux: {cgroup_parent: "/\($tag)", security_context: {namespace_options: {pid: 1}}}} | '"$1")
	POD=$(cri RunPodSandbox '{config: $pod, runtime_handler: "mxcrun"}' --argjson pod "$POD_CONFIG" | jq -r .pod_sandbox_id)
	PODS="${PODS-} $POD"
	[ -n "$POD" ]
}

# create_container NAME JQ-FILTER WORD...: its id is in $ID.
create_container() {
	local name=$1 filter=$2
	shift 2
	ID=$(cri CreateContainer '{pod_sandbox_id: $id, sandbox_config: $pod, config: ({metadata: {name: $name}, command: $ARGS.positional,
			image: {image: "localhost/mxt-image:latest"}, log_path: "\($name).log", linux: {security_context: {namespace_options: {pid: 1}}}} | '"$filter"')}' \
		--arg id "$POD" --argjson pod "$POD_CONFIG" --arg name "$name" --args -- "$@" | jq -r .container_id)
	[ -n "$ID" ]
}
start_container() {
	create_container "$@"
	of_container StartContainer
}

of_container() { # METHOD [MORE]
	cri "$1" "{container_id: \$id} + (${2-{\}})" --arg id "$ID"
}
exec_in() { # WORD...: what it printed; its status is in the last line
	cri ExecSync '{container_id: $id, cmd: $ARGS.positional, timeout: 20}' --arg id "$ID" --args -- "$@" | jq -r '"\(.stdout // "")\(.stderr // "")\(.exit_code // 0)"'
}
has_ended() { [ "$(of_container ContainerStatus | jq .status.state)" = 2 ]; }
ended_with() { # the exit code and the reason
	wait_for 20 has_ended
	of_container ContainerStatus | jq -r '"\(.status.exit_code // 0) \(.status.reason)"'
}
pid_of() { of_container ContainerStatus '{verbose: true}' | jq -r '.info.info | fromjson.pid'; }

remove_pod() {
	cri StopPodSandbox '{pod_sandbox_id: $id}' --arg id "$POD"
	cri RemovePodSandbox '{pod_sandbox_id: $id}' --arg id "$POD"
	PODS=${PODS/ $POD/}
	equal "$(ls -A "$E/records/k8s.io")" ""
	equal "$(find /sys/fs/cgroup -path "*/$TAG/*" -type d)" ""
}

@test "a pod: limits, user, capabilities, filter and read-only root of a container reach the kernel; exec, stats, log, stop" {
	local pid
	run_pod .
	start_container one '.envs = [{key: "GREETING", value: "hello there"}] | .linux.resources = {memory_limit_in_bytes: 67108864, cpu_shares: 512}
		| .linux.security_context += {run_as_user: {value: 1000}, run_as_group: {value: 1001}, supplemental_groups: [5, 6], readonly_rootfs: true,
			no_new_privs: true, capabilities: {add_capabilities: ["NET_RAW"], drop_capabilities: ["ALL"]}, seccomp: {profile_type: 0},
			masked_paths: ["/proc/keys"], readonly_paths: ["/proc/sys"]}' \
		/bin/sh -c 'echo begun; trap "exit 7" TERM; while :; do sleep 0.1; done'
	pid=$(pid_of)
	equal "$(proc_status "$pid" CapBnd) $(proc_status "$pid" CapEff) $(proc_status "$pid" NoNewPrivs) $(proc_status "$pid" Seccomp)" \
		"0000000000002000 0000000000000000 1 2"
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 67108864
	run exec_in /bin/sh -c 'id; hostname; echo $GREETING; wc -c </proc/keys; touch /x; exit 3'
	echo "$output"
	equal "${lines[0]}" "uid=1000 gid=1001 groups=5,6,1001"
	equal "${lines[1]} ${lines[2]} ${lines[3]}" "podhost hello there 0"
	equal "${lines[4]}" "touch: /x: Read-only file system"
	equal "${lines[5]}" 3
	[ "$(of_container ContainerStats | jq .stats.memory.working_set_bytes.value)" -gt 10000 ]
	of_container UpdateContainerResources '{linux: {memory_limit_in_bytes: 33554432}}'
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 33554432
	of_container StopContainer '{timeout: 10}'
	equal "$(ended_with)" "7 Error"
	equal "$(cut -d ' ' -f 2- "$E/logs/one.log")" "stdout F begun"
	remove_pod
}

@test "a pod: an absent program is named, out of memory is told, an ended container can be removed and made again" {
	run_pod .
	create_container absent . /absent
	run --separate-stderr of_container StartContainer
	echo "$stderr"
	[ "$status" -ne 0 ]
	contains "$stderr" "no such file or directory"
	start_container greedy '.linux.resources = {memory_limit_in_bytes: 8388608}' /bin/sh -c 'x=x; while :; do x=$x$x; done'
	equal "$(ended_with)" "137 OOMKilled"
	of_container RemoveContainer
	start_container greedy . /bin/true
	equal "$(ended_with)" "0 Completed"
	remove_pod
}

@test "pods: namespaces of the pod, of a container, and of the node" {
	run_pod '.linux.security_context.namespace_options.pid = 0'
	start_container first '.linux.security_context.namespace_options.pid = 0' /bin/sleep 1000
	local first=$ID
	start_container second '.linux.security_context.namespace_options.pid = 0' /bin/sleep 1000
	run exec_in /bin/sh -c 'ps -o args | grep -c "^/bin/sleep 1000"; cat /proc/1/comm'
	echo "$output"
	equal "$output" "3
sleep
0"
	local second=$ID ns
	for ns in pid net ipc uts; do
		equal "$(readlink "/proc/$(pid_of)/ns/$ns")" "$(ID=$first && readlink "/proc/$(pid_of)/ns/$ns")"
	done
	remove_pod
	run_pod '.hostname = "" | .metadata.uid += "-node" | .linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}'
	start_container node '.linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}' /bin/sleep 1000
	equal "$(readlink "/proc/$(pid_of)/ns/net")" "$(readlink "/proc/$HOST/ns/net")"
	for ns in pid ipc; do
		equal "$(readlink "/proc/$(pid_of)/ns/$ns")" "$(readlink "/proc/self/ns/$ns")"
	done
	remove_pod
}

@test "a pod's annotation restricts all its containers, and can't grant" {
	run_pod '.annotations = {"mxc.policy": "{\"filesystem\": {\"deniedPaths\": [\"/etc/group\"], \"readonlyPaths\": [\"/var\"]}}"}'
	start_container one . /bin/sleep 1000
	run exec_in /bin/sh -c 'id -u; ls /etc | grep group; cat /etc/group; touch /var/new; touch /etc/new && echo written'
	echo "$output"
	equal "${lines[0]} ${lines[1]} ${lines[2]}" "0 group written"
	contains "$output" "/etc/group': Permission denied"
	contains "$output" "/var/new: Read-only file system"
	remove_pod
	run --separate-stderr run_pod '.annotations = {"mxc.policy": "{\"filesystem\": {\"readwritePaths\": [\"/srv\"]}}"}'
	echo "$stderr"
	contains "$stderr" "may only restrict"
}

@test "a pod's annotation limits its network, on a bridge that CNI makes" {
	SERVERS=()
	run_pod '.annotations = {"mxc.policy": "{\"network\": {\"egress\": {\"allow\": [{\"to\": [{\"cidr\": \"10.99.0.1\"}, {\"cidr\": \"fd99::1\"}], \"ports\": [{\"protocol\": \"tcp\", \"port\": 8000}]}]}}}"}'
	serve host tcp 0.0.0.0 8000 open tcp 0.0.0.0 8001 closed tcp :: 8000 open6 tcp :: 8001 closed6
	start_container one . /bin/sleep 1000
	run exec_in /bin/sh -c 'for to in "10.99.0.1 8000" "10.99.0.1 8001" "fd99::1 8000" "fd99::1 8001"; do echo "$to: $(nc -w 3 $to 2>/dev/null)"; done'
	echo "$output"
	equal "$output" "10.99.0.1 8000: open
10.99.0.1 8001: 
fd99::1 8000: open6
fd99::1 8001: 
0"
	remove_pod
}

@test "a privileged container has its devices and may mount; one that is not may not" {
	run_pod '.linux.security_context.privileged = true'
	start_container plain . /bin/sleep 1000
	contains "$(exec_in /bin/mount -t tmpfs t /tmp)" "ermission denied"
	start_container privileged '.linux.security_context.privileged = true' /bin/sleep 1000
	equal "$(exec_in /bin/mount -t tmpfs t /tmp)" 0
	remove_pod
}
