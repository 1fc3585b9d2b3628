#!/usr/bin/env bats
# podman, containerd and Docker run containers through mxcrun.

load helpers
load networld
load enginebox
GUARDS="root jq"

# Of tests with a world of their own, in which one may have a daemon.
test_teardown() {
	stop_daemon "$E/docker-there.pid"
	[ -z "${WORLD-}" ] || end_world
}

# What an engine leaves in the runtime's default state directory.
default_records() { ls -A /run/mxcrun 2>/dev/null; }

# ---- podman ----

# Limits above the host's own need a capability that not every root has, so they are named. THERE: words before it.
podman_() {
	# shellcheck disable=SC2086 # words
	timeout --foreground -k 5 "$(slow 60)" ${THERE-} podman --root "$E/store" --runroot "$E/run" --tmpdir "$E/tmp" --storage-driver vfs \
		--cgroup-manager "${MANAGER:-cgroupfs}" --runtime "$MXCRUN" "$@" 3>&- 4>&-
}

podman_image() {
	requires podman
	[ -e "$E/podman-image" ] || {
		podman_ import "$E/image.tar" localhost/mxt-image:latest >/dev/null 2>&1
		: >"$E/podman-image"
	}
}

podman_run() {
	podman_ run --rm --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "${NETWORK:---network=none}" "$@"
}

@test "podman run: output and exit code" {
	podman_image
	run --separate-stderr podman_run localhost/mxt-image echo hello
	echo "$stderr"
	equal "$status $output" "0 hello"
	run --separate-stderr podman_run localhost/mxt-image sh -c 'echo out; exit 5'
	equal "$status $output" "5 out"
	equal "$(default_records)" ""
}

@test "podman run: a program that does not exist is 127, one that can't be executed 126" {
	podman_image
	run -127 podman_run localhost/mxt-image /bin/absent
	run -126 podman_run localhost/mxt-image /etc/passwd
	equal "$(default_records)" ""
}

@test "podman run: limits, user, read-only root and capabilities reach the kernel" {
	podman_image
	run --separate-stderr podman_run --memory 48m --pids-limit 77 --user 12:34 --read-only --cap-drop all --hostname podhost \
		localhost/mxt-image sh -c 'id -u; id -g; hostname; touch /x 2>/dev/null || echo read-only; grep CapBnd /proc/self/status
			cat /proc/self/cgroup | head -n 1; d=/sys/fs/cgroup; cat $d/memory/memory.limit_in_bytes $d/memory.max 2>/dev/null; cat $d/pids/pids.max $d/pids.max 2>/dev/null'
	echo "$output $stderr"
	equal "${lines[0]} ${lines[1]} ${lines[2]} ${lines[3]}" "12 34 podhost read-only"
	contains "${lines[4]}" 0000000000000000
	grep -qx 50331648 <<<"$output"
	grep -qx 77 <<<"$output"
}

@test "podman run: a volume whose option idmap has maps shows mapped ids, also relative to the container's" {
	local source=$BATS_TEST_TMPDIR/source
	podman_image
	mkdir -p "$source"
	chown 5:6 "$source"
	run --separate-stderr podman_run -v "$source:/m:idmap=uids=0-1-10;gids=0-100-10" localhost/mxt-image stat -c %u:%g /m
	equal "$status $output" "0 6:106"
	run --separate-stderr podman_run --uidmap 0:100000:1000 --gidmap 0:100000:1000 -v "$source:/m:idmap=uids=@0-1-10;gids=@0-100-10" \
		mxt-image stat -c %u:%g /m
	equal "$status $output" "0 6:106"
	run --separate-stderr podman_run -v "$source:/m:idmap=uids=0-1-10" localhost/mxt-image true
	refused [ "$status" = 0 ]
	# podman 5 makes the spec's fields of it
	grep -qE 'expected uids=RANGES;gids=RANGES, found "uids=0-1-10" alone|uidMappings and gidMappings, are needed' <<<"$stderr"
}

# A policy as an argument of --annotation. podman 4 takes the whole as a line of comma-separated values.
annotated() {
	local text="mxc.policy=$1"
	case $(podman --version) in
	*" version 4."*) printf '"%s"' "${text//\"/\"\"}" ;;
	*) printf '%s' "$text" ;;
	esac
}

@test "podman run: a policy in an annotation denies to root, keeps read-only, and can't grant" {
	podman_image
	run --separate-stderr podman_run --annotation "$(annotated '{"filesystem": {"deniedPaths": ["/etc/group"], "readonlyPaths": ["/var"]}}')" \
		localhost/mxt-image sh -c 'id -u; ls /etc | grep group; cat /etc/group; touch /var/new; touch /etc/new && echo written'
	equal "$status" 0
	equal "$output" $'0\ngroup\nwritten'
	contains "$stderr" "/etc/group': Permission denied"
	contains "$stderr" "/var/new: Read-only file system"
	run --separate-stderr podman_run --annotation "$(annotated '{"filesystem": {"readwritePaths": ["/srv"]}}')" localhost/mxt-image true
	[ "$status" -ne 0 ]
	contains "$stderr" "may only restrict"
	run --separate-stderr podman_run --annotation "$(annotated '{"filesystem": ')" localhost/mxt-image true
	[ "$status" -ne 0 ]
	contains "$stderr" "mxc.policy"
}

sleepers() { pgrep -f '^sleep 98[67]$'; }

@test "podman run --detach: the time limit of a policy in an annotation ends all of it" {
	podman_image
	podman_ run -d --name "$TAG" --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none \
		--annotation "$(annotated "{\"process\": {\"timeout\": $(($(slow 1) * 4000))}}")" localhost/mxt-image \
		sh -c 'setsid sleep 987 & exec sleep 986' >/dev/null
	wait_for 3 sleepers
	is_exited() { [ "$(podman_ inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$TAG")" = "exited 137" ]; }
	wait_for 15 is_exited
	refused sleepers
	podman_ rm "$TAG" >/dev/null
	equal "$(default_records)" ""
}

@test "podman run --detach, logs, kill, inspect, rm" {
	podman_image
	podman_ run -d --name "$TAG" --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none localhost/mxt-image \
		sh -c 'echo started; sleep 1000' >/dev/null
	logged() { [ "$(podman_ logs "$TAG")" = started ]; }
	wait_for 10 logged
	equal "$(podman_ inspect "$TAG" | jq -r '.[0].State.Status')" running
	podman_ pause "$TAG" >/dev/null
	equal "$(podman_ inspect "$TAG" | jq -r '.[0].State.Status')" paused
	podman_ unpause "$TAG" >/dev/null
	podman_ kill "$TAG" >/dev/null
	equal "$(podman_ wait "$TAG")" 137
	podman_ rm -f -t 0 "$TAG" >/dev/null
	equal "$(default_records)" ""
}

@test "podman build: each step runs in a container, a failing one ends it" {
	podman_image
	mkdir "$BATS_TEST_TMPDIR/build"
	build() { podman_ build --isolation oci --network none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --force-rm \
		--tag localhost/mxt-built "$BATS_TEST_TMPDIR/build" </dev/null; }
	cat >"$BATS_TEST_TMPDIR/build/Containerfile" <<-'END'
		FROM localhost/mxt-image
		ENV PATH=/bin
		RUN id -u >/who && grep ^CapEff /proc/self/status >/caps
		RUN --mount=type=tmpfs,target=/mnt grep -c ' /mnt ' /proc/self/mountinfo >/mounts
	END
	build
	run --separate-stderr podman_run localhost/mxt-built sh -c 'cat /who /caps /mounts'
	echo "$output $stderr"
	equal "${lines[0]} ${lines[2]}" "0 1"
	equal $((0x${lines[1]##*[[:space:]]} >> 21 & 1)) 0 # CAP_SYS_ADMIN
	echo 'RUN exit 9' >>"$BATS_TEST_TMPDIR/build/Containerfile"
	run build
	echo "$output"
	[ "$status" -ne 0 ]
	contains "$output" "exit status 9"
	podman_ rmi localhost/mxt-built >/dev/null
	equal "$(default_records)" ""
	equal "$(find /sys/fs/cgroup -maxdepth 2 -name 'buildah-*')" ""
}

@test "podman exec, update, top and stop" {
	podman_image
	podman_ run -d --name "$TAG" --memory 48m --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none localhost/mxt-image \
		sleep 1000 >/dev/null
	local pid
	pid=$(podman_ inspect "$TAG" | jq -r '.[0].State.Pid')
	run --separate-stderr podman_ exec -e A=b --user 7:8 -w /tmp "$TAG" sh -c 'echo $A; id -u; id -g; pwd; exit 6'
	echo "$stderr"
	equal "$status $output" "6 b
7
8
/tmp"
	run -127 podman_ exec "$TAG" /bin/absent
	run -126 podman_ exec "$TAG" /etc/passwd
	equal "$(echo in | podman_ exec -i "$TAG" cat)" in
	podman_ update --memory 64m "$TAG" >/dev/null
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 67108864
	podman_ exec -d "$TAG" sleep 999
	contains "$(podman_ top "$TAG" args)" "sleep 999"
	podman_ stop -t 1 "$TAG" >/dev/null
	equal "$(podman_ wait "$TAG")" 137
	podman_ rm "$TAG" >/dev/null
	equal "$(default_records)" ""
}

@test "podman run in a user namespace of its own" {
	podman_image
	run --separate-stderr podman_run --uidmap 0:100000:1000 --gidmap 0:100000:1000 mxt-image sh -c 'id -u; cat /proc/self/uid_map'
	equal "$status" 0
	equal "$(tr -s " \n" " " <<<"$output")" "0 0 100000 1000 "
}

@test "podman pods, attach, health checks, pause and stats" {
	podman_image
	podman_ pod create --infra=false --name "$TAG-pod" >/dev/null
	podman_ run --detach --pod "$TAG-pod" --name "$TAG" --network none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
		--env "MXCRUN_TEST_TAG=$TAG" --health-cmd 'test -e /tmp' --health-interval disable mxt-image \
		sh -c 'while :; do echo tick; sleep 0.2; done' >/dev/null
	# A second one of the pod, in the namespaces of the first, sees its process.
	run --separate-stderr podman_run --pod "$TAG-pod" --pid "container:$TAG" --ipc "container:$TAG" mxt-image ps
	contains "$output" "echo tick"
	contains "$(timeout 10 podman --root "$E/store" --runroot "$E/run" --tmpdir "$E/tmp" --storage-driver vfs --runtime "$MXCRUN" \
		attach --sig-proxy=false "$TAG" 3>&- 4>&- | head -n 1)" tick
	podman_ healthcheck run "$TAG"
	podman_ pause "$TAG"
	equal "$(podman_ inspect --format '{{.State.Status}}' "$TAG")" paused
	podman_ unpause "$TAG"
	contains "$(podman_ stats --no-stream --format '{{.Name}}' "$TAG")" "$TAG"
	podman_ pod rm --force --time 0 "$TAG-pod" >/dev/null
}

# The infra container's limits can be named in podman's configuration only.
use_podman_conf() {
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n' >"$E/containers.conf"
	export CONTAINERS_CONF=$E/containers.conf
}

@test "podman pods with an infra container: shared namespaces, stop, a user namespace, and Kubernetes' form" {
	requires catatonit
	podman_image
	use_podman_conf
	podman_ pod create --name "$TAG-pod" --network none --hostname podhost --share pid,ipc,uts,net --uidmap 0:100000:1000 --gidmap 0:100000:1000 >/dev/null
	podman_ run --detach --pod "$TAG-pod" --name "$TAG" mxt-image sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
	run --separate-stderr podman_run --pod "$TAG-pod" mxt-image sh -c 'hostname; tr -s " " </proc/self/uid_map; tr "\0" " " </proc/1/cmdline; ps'
	contains "$output" podhost " 0 100000 1000" "catatonit -P" "sleep 0.1"
	# by itself: `pod stop` may end the infra container, and with it their pid namespace, first
	podman_ stop --time 10 "$TAG" >/dev/null
	equal "$(podman_ inspect --format '{{.State.ExitCode}}' "$TAG")" 0
	podman_ pod stop --time 10 "$TAG-pod" >/dev/null
	podman_ pod rm --force --time 0 "$TAG-pod" >/dev/null
	cat >"$BATS_TEST_TMPDIR/pod.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $TAG-kube}
		spec:
		  hostname: kubehost
		  restartPolicy: Never
		  containers:
		  - name: main
		    image: localhost/mxt-image:latest
		    command: [sh, -c, "hostname; id -u; touch /x || echo read-only; exec sleep 100"]
		    securityContext: {runAsUser: 7, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
		    resources: {limits: {memory: 64Mi}}
	END
	podman_ kube play --network none "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
	has_said() { [ "$(podman_ logs "$TAG-kube-main" 2>/dev/null | wc -l)" -eq 3 ]; }
	wait_for 10 has_said
	equal "$(podman_ logs "$TAG-kube-main" 2>/dev/null)" "kubehost
7
read-only"
	equal "$(cgroup_value "$(podman_ inspect --format '{{.State.Pid}}' "$TAG-kube-main")" memory memory.limit_in_bytes memory.max)" 67108864
	podman_ kube down "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null
	equal "$(default_records)" ""
}

@test "podman run with a terminal" {
	podman_image
	run command script -qec "$(declare -f podman_ podman_run slow); MXCRUN='$MXCRUN' MXCRUN_TEST_SLOW=$MXCRUN_TEST_SLOW; podman_run -t localhost/mxt-image sh -c 'test -t 0 && echo is a tty; exit 3'" /dev/null
	contains "$output" "is a tty"
}

@test "podman run with its default network, where the host can do that" {
	podman_image
	# Another runtime tells whether the host can.
	local other
	other=$(command -v crun || command -v runc) || skip "needs another runtime to compare with"
	NETWORK=--network=podman MXCRUN=$other podman_run localhost/mxt-image true >/dev/null 2>&1 ||
		NETWORK=--network=podman MXCRUN=$(command -v runc) podman_run localhost/mxt-image true >/dev/null 2>&1 ||
		skip "needs a host on which podman can make networks"
	NETWORK=--network=podman run --separate-stderr podman_run localhost/mxt-image sh -c 'ip -o link | grep -c eth0'
	equal "$output" 1
}

# A namespace that plays the host, with a bridge at 10.99.0.1 and servers there.
make_bridge() {
	requires ip nft /usr/bin/python3
	SERVERS=()
	hold_namespace HOST
	in_host ip link set lo up
	in_host ip link add mxt0 type bridge
	in_host ip addr add 10.99.0.1/24 dev mxt0
	in_host ip link set mxt0 up
	serve host tcp 10.99.0.1 8000 open tcp 10.99.0.1 8001 closed
}

end_bridge() {
	kill "${SERVERS[@]}" "$HOST"
	wait "${SERVERS[@]}" "$HOST" 2>/dev/null || true
}

bridge_policy='{"network": {"egress": {"allow": [{"to": [{"cidr": "10.99.0.1"}], "ports": [{"protocol": "tcp", "port": 8000}]}]}}}'
bridge_script='nc -w 3 10.99.0.1 8000; nc -w 3 10.99.0.1 8001; ip -o -4 addr show dev eth0 | grep -c 10.99.0'

@test "podman run under a network policy: CNI makes the bridge, what the policy doesn't name is out of reach" {
	requires podman
	[[ $(podman --version) == *" version 4."* && -x /usr/lib/cni/bridge ]] || skip "needs podman 4, the last with CNI, and the CNI plugins"
	podman_image
	make_bridge
	mkdir -p "$E/cni"
	jq -n --arg data "$E/ipam" '{cniVersion: "0.4.0", name: "mxt", plugins: [{type: "bridge", bridge: "mxt0", isGateway: true,
		ipam: {type: "host-local", dataDir: $data, routes: [{dst: "0.0.0.0/0"}],
			ranges: [[{subnet: "10.99.0.0/24", gateway: "10.99.0.1"}]]}}]}' >"$E/cni/mxt.conflist"
	printf '[network]\nnetwork_backend = "cni"\nnetwork_config_dir = "%s"\ncni_plugin_dirs = ["/usr/lib/cni"]\n' "$E/cni" >"$E/containers.conf"
	export CONTAINERS_CONF=$E/containers.conf
	THERE="nsenter -t $HOST -n" NETWORK=--network=mxt
	run --separate-stderr podman_run --annotation "$(annotated "$bridge_policy")" localhost/mxt-image sh -c "$bridge_script" </dev/null
	echo "$output $stderr"
	end_bridge
	equal "${lines[0]} ${lines[1]} ${#lines[@]}" "open 1 2"
}

# Servers of a host whose bridge is still to be made, and where the world is beyond it.
make_engine_world() {
	requires ip nft iptables /usr/bin/python3
	make_world
	serve host tcp 0.0.0.0 8000 open tcp 0.0.0.0 8001 closed tcp :: 8000 open6 tcp :: 8001 closed6
	serve world tcp 198.51.100.10 80 web
	in_world ip route add 10.99.0.0/24 via 198.51.100.1
}

# In an engine's container: attempts in a bridge's network, "tried" at the end; and a server that stays.
engine_tries='for to in "10.99.0.1 8000" "10.99.0.1 8001" "fd99::1 8000" "fd99::1 8001" "198.51.100.10 80"; do
	echo "$to: $(nc -w 3 $to 2>/dev/null)"; done; echo tried'
engine_script="nc -ll -p 7575 -e echo inside & $engine_tries; while :; do sleep 0.1; done"
engine_tried="10.99.0.1 8000: open
10.99.0.1 8001: 
fd99::1 8000: open6
fd99::1 8001: 
198.51.100.10 80: 
tried"
# What its host serves at one port of each family, and a resolver when one is named.
engine_policy() { # INGRESS [RESOLVER]
	jq -nc --arg ingress "$1" --arg dns "${2-}" '{network: {ingress: {default: $ingress}, egress: {allow: (
		[{to: [{cidr: "10.99.0.1"}, {cidr: "fd99::1"}], ports: [{protocol: "tcp", port: 8000}]}]
		+ if $dns == "" then [] else [{to: [{cidr: $dns}], ports: [{protocol: "udp", port: 53}]}] end)}}}'
}

# A published port, and the container's own address, from the world.
published() { in_world /usr/bin/python3 "$here/netpeer.py" try tcp 198.51.100.1 8080 tcp 10.99.0.2 7575; }

# look_from_both_sides ENGINE: what the container has tried is as it must be, and what is published is in $output.
look_from_both_sides() {
	said_tried() { "$1" logs "$TAG" 2>/dev/null | grep -q tried; }
	wait_for 30 said_tried "$1"
	equal "$("$1" logs "$TAG")" "$engine_tried"
	output=$(published)
	echo "$output"
}

has_resolver() { [ -x /usr/lib/podman/aardvark-dns ] || [ -x /usr/libexec/podman/aardvark-dns ]; }

use_netavark() {
	requires podman
	[ -x /usr/lib/podman/netavark ] || [ -x /usr/libexec/podman/netavark ] || skip "needs netavark"
	podman_image
	make_engine_world
	mkdir -p "$E/netavark"
	printf '[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "%s"\n' "$E/netavark" >"$E/containers.conf"
	export CONTAINERS_CONF=$E/containers.conf
	THERE="nsenter -t $HOST -n" NETWORK=--network=mxt
	# without its resolver netavark can't take down a network that has names
	local names=()
	has_resolver || names=(--disable-dns)
	podman_ network exists mxt ||
		podman_ network create "${names[@]}" --subnet 10.99.0.0/24 --ipv6 --subnet fd99::/64 mxt >/dev/null
}

@test "podman under a network policy, on netavark's bridge: egress in both families, and published ports as ingress says" {
	use_netavark
	local ingress
	for ingress in allow deny; do
		podman_ run -d --name "$TAG" --env "MXCRUN_TEST_TAG=$TAG" --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 "$NETWORK" \
			--ip 10.99.0.2 -p 8080:7575 --annotation "$(annotated "$(engine_policy $ingress)")" localhost/mxt-image sh -c "$engine_script" >/dev/null
		look_from_both_sides podman_
		if [ $ingress = allow ]; then
			result "tcp 198.51.100.1 8080" inside
			result "tcp 10.99.0.2 7575" inside
		else
			result "tcp 198.51.100.1 8080" TIMEOUT
			result "tcp 10.99.0.2 7575" TIMEOUT
		fi
		podman_ rm -f -t 0 "$TAG" >/dev/null
	done
}

@test "podman under a network policy, on netavark's bridge: its resolver by a rule only, and no capability to change the rules" {
	use_netavark
	has_resolver || skip "needs aardvark-dns"
	local dns
	for dns in "" 10.99.0.1; do
		run --separate-stderr podman_run --name "$TAG-dns" --annotation "$(annotated "$(engine_policy deny $dns)")" localhost/mxt-image \
			sh -c "nslookup -type=a $TAG-dns.dns.podman 10.99.0.1 2>&1 | tail -n +3" </dev/null
		echo "$dns: $output $stderr"
		equal "$(grep -c 'Address: 10[.]99[.]0[.]' <<<"$output")" "$([ -z "$dns" ] && echo 0 || echo 1)"
	done
	local what
	for what in --cap-add=NET_ADMIN --privileged; do
		run --separate-stderr podman_run $what --annotation "$(annotated "$(engine_policy allow)")" localhost/mxt-image echo ran </dev/null
		echo "$output $stderr"
		[ "$status" -ne 0 ]
		equal "$output" ""
		# conmon loses a runtime's words now and then
		grep -q "CAP_NET_ADMIN\|no logs from conmon" <<<"$stderr"
	done
	run --separate-stderr podman_run --uidmap 0:100000:1000 --gidmap 0:100000:1000 --annotation "$(annotated "$(engine_policy allow)")" \
		localhost/mxt-image sh -c 'ip link set eth0 down || echo kept; ip route del default || echo kept; nc -w 3 10.99.0.1 8000; nc -w 3 10.99.0.1 8001' </dev/null
	echo "$output $stderr"
	equal "$output" "kept
kept
open"
}

@test "podman run with the systemd manager" {
	requires systemd
	podman_image
	MANAGER=systemd run --separate-stderr podman_run --pids-limit 55 localhost/mxt-image sh -c 'cat /sys/fs/cgroup/pids.max; exit 4'
	equal "$status $output" "4 55"
}

# ---- containerd ----

# shellcheck disable=SC2086 # words
ctr_() { timeout -k 5 "$(slow 60)" ${THERE-} ctr --address "$E/c.sock" --namespace mxt "$@" 3>&- 4>&-; }

# Without Kubernetes' interface; it is started once.
start_containerd() {
	requires containerd ctr
	[ -e "$E/containerd.pid" ] || make_containerd mxt </dev/null
}

ctr_run() {
	ctr_ run --snapshotter native --runc-binary "$MXCRUN" --runc-root "$E/runc-root" "$@"
}

@test "ctr run: output and exit code, nothing left" {
	start_containerd
	run --separate-stderr ctr_run --rm localhost/mxt-image:latest "$TAG" echo hello
	echo "$stderr"
	equal "$status $output" "0 hello"
	run --separate-stderr ctr_run --rm localhost/mxt-image:latest "$TAG" sh -c 'exit 9'
	equal "$status" 9
	equal "$(ls -A "$E"/runc-root/mxt 2>/dev/null)" ""
}

@test "ctr run: a program that does not exist is an error, not a success" {
	start_containerd
	run --separate-stderr ctr_run --rm localhost/mxt-image:latest "$TAG" /bin/absent
	[ "$status" -ne 0 ]
	contains "$stderr" "no such file"
	equal "$(ls -A "$E"/runc-root/mxt 2>/dev/null)" ""
}

@test "ctr run under a network policy, in a namespace on a bridge" {
	start_containerd
	make_bridge
	hold_namespace POD
	ip link add "v$$" type veth peer name eth0 netns "$POD"
	ip link set "v$$" netns "$HOST" name pod0
	in_host ip link set pod0 master mxt0 up
	nsenter -t "$POD" -n sh -c 'ip link set lo up; ip addr add 10.99.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.99.0.1'
	run --separate-stderr ctr_run --rm --with-ns "network:/proc/$POD/ns/net" --annotation "mxc.policy=$bridge_policy" \
		localhost/mxt-image:latest "$TAG" sh -c "$bridge_script"
	echo "$output $stderr"
	equal "$(nsenter -t "$POD" -n nft list tables)" ""
	kill "$POD"
	end_bridge
	equal "${lines[0]} ${lines[1]} ${#lines[@]}" "open 1 2"
}

# ctr looks for CNI at two fixed places.
@test "ctr run under a network policy, by CNI's bridge: it is connected after create" {
	[[ -x /usr/lib/cni/bridge && -d /etc/cni ]] || skip "needs the CNI plugins"
	start_containerd
	make_engine_world
	mkdir -p "$E/cni-etc/net.d" "$E/cni-opt/cni"
	ln -sfn /usr/lib/cni "$E/cni-opt/cni/bin"
	jq -n --arg data "$E/ctr-ipam" '{cniVersion: "0.4.0", name: "mxt", plugins: [{type: "bridge", bridge: "mxt0", isDefaultGateway: true,
		ipam: {type: "host-local", dataDir: $data, ranges: [[{subnet: "10.99.0.0/24", gateway: "10.99.0.1"}],
			[{subnet: "fd99::/64", gateway: "fd99::1"}]]}}]}' >"$E/cni-etc/net.d/10-mxt.conflist"
	printf '#!/bin/sh\nmount --bind "%s/cni-etc" /etc/cni && mount --bind "%s/cni-opt" /opt || exit 1\nexec "$@"\n' "$E" "$E" >"$E/with-cni"
	chmod 755 "$E/with-cni"
	THERE="unshare -m --propagation private nsenter -t $HOST -n $E/with-cni"
	run --separate-stderr ctr_run --rm --cni --annotation "mxc.policy=$(engine_policy deny)" localhost/mxt-image:latest "$TAG" \
		sh -c "$engine_tries" </dev/null
	echo "$output $stderr"
	equal "$output" "$engine_tried"
}

@test "ctr run --detach, task ls, kill, rm" {
	start_containerd
	ctr_run --detach --env "MXCRUN_TEST_TAG=$TAG" --memory-limit 50331648 localhost/mxt-image:latest "$TAG" sleep 1000
	local pid
	pid=$(ctr_ task ls | awk -v id="$TAG" '$1 == id { print $2 }')
	equal "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 1000 "
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 50331648
	ctr_ task pause "$TAG"
	equal "$(ctr_ task ls | awk -v id="$TAG" '$1 == id { print $3 }')" PAUSED
	ctr_ task resume "$TAG"
	equal "$(ctr_ task exec --exec-id e1 "$TAG" echo from exec)" "from exec"
	run --separate-stderr ctr_ task exec --exec-id e2 "$TAG" sh -c 'exit 8'
	equal "$status" 8
	run --separate-stderr ctr_ task exec --exec-id e3 "$TAG" /bin/absent
	[ "$status" -ne 0 ]
	contains "$stderr" "no such file"
	contains "$(ctr_ task ps "$TAG")" "$pid"
	ctr_ task kill -s KILL "$TAG"
	stopped() { [ "$(ctr_ task ls | awk -v id="$TAG" '$1 == id { print $3 }')" = STOPPED ]; }
	wait_for 10 stopped
	ctr_ task rm "$TAG" || true
	ctr_ container rm "$TAG"
	equal "$(ls -A "$E"/runc-root/mxt 2>/dev/null)" ""
}

@test "ctr run --detach: the time limit of a policy in an annotation ends all of it" {
	start_containerd
	ctr_run --detach --env "MXCRUN_TEST_TAG=$TAG" --annotation "mxc.policy={\"process\":{\"timeout\":$(($(slow 1) * 4000))}}" \
		localhost/mxt-image:latest "$TAG" sh -c 'setsid sleep 987 & exec sleep 986'
	wait_for 3 sleepers
	stopped() { [ "$(ctr_ task ls | awk -v id="$TAG" '$1 == id { print $3 }')" = STOPPED ]; }
	wait_for 15 stopped
	refused sleepers
	ctr_ task rm "$TAG" || true
	ctr_ container rm "$TAG"
	equal "$(ls -A "$E"/runc-root/mxt 2>/dev/null)" ""
}

# ---- Docker ----

docker_() { DOCKER_HOST=unix://$E/${DOCKER-docker}.sock timeout --foreground -k 5 "$(slow 60)" docker --config "$E/docker-config" "$@" 3>&- 4>&-; }

# A daemon by the name in DOCKER, with everything in the test's folder.
start_dockerd() {
	local name=$E/${DOCKER-docker}
	# shellcheck disable=SC2086 # words
	${THERE-} dockerd --data-root "$name" --exec-root "$name-run" --pidfile "$name.pid" --host "unix://$name.sock" \
		--storage-driver=vfs --default-runtime mxcrun "$@" >"$name.log" 2>&1 </dev/null 3>&- 4>&- &
	disown
	docker_answers() { docker_ version >/dev/null 2>&1; }
	wait_for 30 docker_answers || skip "needs a host on which dockerd starts: $(grep -o 'failed to start.*' "$name.log" | tail -n 1)"
	docker_ import "$E/image.tar" mxt-image:latest >/dev/null
}

# Once, and with no network of its own.
start_docker() {
	requires dockerd docker
	[ ! -e "$E/docker-answers" ] || return 0
	[ ! -e "$E/docker.log" ] || skip "needs a host on which dockerd starts"
	start_dockerd --iptables=false --bridge=none --add-runtime "mxcrun=$MXCRUN"
	: >"$E/docker-answers"
}

docker_run() { docker_ run --rm --network none "$@"; }

@test "docker run: output, exit codes, a program that is absent" {
	start_docker
	run --separate-stderr docker_run mxt-image /bin/sh -c 'echo hello; exit 3'
	echo "$stderr"
	equal "$status $output" "3 hello"
	run -127 docker_run mxt-image /absent
	contains "$output" "no such file"
}

@test "docker run: limits, user, read-only root, terminal, init and --privileged" {
	start_docker
	run --separate-stderr docker_run --read-only --tmpfs /tmp --user 1000:1000 --ulimit nofile=99 --memory 64m mxt-image \
		/bin/sh -c 'id -u; ulimit -n; touch /x || touch /tmp/y && echo wrote'
	equal "$output" "1000
99
wrote"
	contains "$(docker_run --tty mxt-image /bin/sh -c tty)" /dev/pts/0
	contains "$(docker_run --init mxt-image /bin/sh -c 'tr "\0" " " </proc/1/cmdline')" init
	equal "$(docker_run --privileged mxt-image /bin/sh -c 'mount -t tmpfs t /tmp && echo mounted')" mounted
	refused docker_run mxt-image mount -t tmpfs t /tmp
}

@test "docker run --detach, exec, health, pause, update, top, stats, stop, logs, rm" {
	local pid
	start_docker
	docker_ run --detach --name "$TAG" --network none --env "MXCRUN_TEST_TAG=$TAG" --memory 64m --health-cmd true \
		--health-interval 1s mxt-image /bin/sh -c 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'
	pid=$(docker_ inspect --format '{{.State.Pid}}' "$TAG")
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 67108864
	run --separate-stderr docker_ exec "$TAG" /bin/sh -c 'echo inside; exit 4'
	equal "$status $output" "4 inside"
	run docker_ exec "$TAG" /absent
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ]
	docker_ pause "$TAG"
	equal "$(docker_ inspect --format '{{.State.Status}}' "$TAG")" paused
	docker_ unpause "$TAG"
	docker_ update --memory 128m --memory-swap 128m "$TAG"
	equal "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max)" 134217728
	contains "$(docker_ top "$TAG")" "$pid"
	contains "$(docker_ stats --no-stream --format '{{.Name}} {{.MemUsage}}' "$TAG")" "$TAG"
	healthy() { [ "$(docker_ inspect --format '{{.State.Health.Status}}' "$TAG")" = healthy ]; }
	wait_for 20 healthy
	docker_ stop "$TAG"
	equal "$(docker_ inspect --format '{{.State.ExitCode}}' "$TAG")" 0
	equal "$(docker_ logs "$TAG")" "up
bye"
	docker_ rm "$TAG"
}

# In the host that the test plays, whose resolver is on its loopback, with the owner's policies in force.
start_docker_there() {
	requires dockerd docker
	make_engine_world
	serve host dns 127.0.0.1 53 dns
	echo nameserver 127.0.0.1 >"$BATS_TEST_TMPDIR/resolv.conf"
	DOCKER=docker-there
	mkdir -p "$E/owner/policy.d"
	echo '{}' >"$E/owner/mxcrun.json"
	jq -n --arg path "$MXCRUN" --arg admin "$E/owner/mxcrun.json" '{runtimes: {mxcrun: {path: $path, runtimeArgs: ["--admin-config", $admin]}}}' \
		>"$E/daemon.json"
	THERE="unshare -m --propagation private nsenter -t $HOST -n $E/in-there"
	printf '#!/bin/sh\nmount --bind "%s/resolv.conf" /etc/resolv.conf\nexec "$@"\n' "$BATS_TEST_TMPDIR" >"$E/in-there"
	chmod 755 "$E/in-there"
	start_dockerd --config-file "$E/daemon.json" --bridge none
	unset THERE
	docker_ network create --subnet 10.99.0.0/24 --ipv6 --subnet fd99::/64 mxt >/dev/null
}

@test "docker under an owner's network policy, on its bridge: egress, published ports, its resolver, capabilities" {
	start_docker_there
	local ingress what
	for ingress in allow deny; do
		engine_policy $ingress >"$E/owner/policy.d/10.json"
		docker_ run -d --name "$TAG" --env "MXCRUN_TEST_TAG=$TAG" --network mxt --ip 10.99.0.2 -p 8080:7575 mxt-image /bin/sh -c "$engine_script" >/dev/null
		look_from_both_sides docker_
		if [ $ingress = allow ]; then
			result "tcp 198.51.100.1 8080" inside
		else
			result "tcp 198.51.100.1 8080" TIMEOUT
		fi
		# who asks the engine's resolver is answered from the host's namespace
		run docker_ exec "$TAG" nslookup -type=a example.org
		echo "$output"
		equal "$(grep -c 192.0.2.99 <<<"$output")" 0
		docker_ rm -f "$TAG" >/dev/null
	done
	engine_policy deny 127.0.0.11 >"$E/owner/policy.d/10.json"
	run docker_ run --rm --network mxt mxt-image nslookup -type=a example.org
	echo "$output"
	contains "$output" 192.0.2.99
	for what in --cap-add=NET_ADMIN --privileged; do
		run docker_ run --rm --network mxt $what mxt-image /bin/true
		[ "$status" -ne 0 ]
		contains "$output" CAP_NET_ADMIN
	done
}

@test "podman container checkpoint and restore: a container with a terminal goes on, and podman reads the new one" {
	podman_image
	requires working_criu
	podman_ run -dt --name "$TAG" --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none localhost/mxt-image \
		sh -c 'i=0; while :; do i=$((i + 1)); echo "line $i"; sleep 0.1; done' >/dev/null
	logged() { [ "$(podman_ logs "$TAG" | wc -l)" -gt "$1" ]; }
	wait_for 10 logged 3
	podman_ container checkpoint "$TAG" >/dev/null
	equal "$(podman_ inspect -f '{{.State.Status}}' "$TAG")" exited
	before=$(podman_ logs "$TAG" | wc -l)
	podman_ container restore "$TAG" >/dev/null
	wait_for 10 logged $((before + 3))
	# on from where it was, not from the beginning
	[ "$(podman_ logs "$TAG" | tail -n 1 | tr -dc 0-9)" -gt "$before" ]
	equal "$(podman_ exec "$TAG" sh -c 'readlink /proc/1/fd/0')" /dev/pts/0
	podman_ rm -f -t 0 "$TAG" >/dev/null
}
