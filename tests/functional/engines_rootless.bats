#!/usr/bin/env bats
# podman of an ordinary user, through mxcrun: its store and sockets are in a temporary folder, and the image is made from
# busybox. Run by that user himself, in a session that systemd has given him where there is systemd.

load helpers
GUARDS="jq"

setup_file() {
	# Socket paths have to be short.
	E=$(mktemp -d /tmp/mxt-rootless.XXXXXX)
	export E
	make_rootfs "$E/rootfs"
	tar -C "$E/rootfs" -cf "$E/image.tar" .
}

teardown_file() {
	[ ! -d "$E/store" ] || timeout 60 podman --root "$E/store" unshare rm -rf "$E/store" "$E/run" "$E/tmp"
	rm -rf "$E"
}

test_setup() {
	[ "$(id -u)" -ne 0 ] || skip "needs an ordinary user"
	requires podman
	grep -q "^$(id -un):" /etc/subuid || skip "needs subordinate ids"
	[ -e "$E/image" ] || {
		podman_ import "$E/image.tar" localhost/mxt-image:latest >/dev/null 2>&1
		: >"$E/image"
	}
}

test_teardown() { [ ! -e "$E/image" ] || podman_ rm --all --force --time 0 >/dev/null 2>&1; }

# The systemd manager where the user has a systemd of his own.
manager() { if [ -S "${XDG_RUNTIME_DIR:-/absent}/systemd/private" ]; then echo systemd; else echo cgroupfs; fi; }

podman_() {
	timeout --foreground -k 5 "$(slow 60)" podman --root "$E/store" --runroot "$E/run" --tmpdir "$E/tmp" --storage-driver vfs \
		--cgroup-manager "$(manager)" --events-backend file --runtime "$MXCRUN" "$@" 3>&- 4>&-
}
podman_run() { podman_ run --ulimit host --network none "$@" </dev/null; }

@test "rootless podman run: output, exit codes, ids" {
	run --separate-stderr podman_run --rm localhost/mxt-image sh -c 'id -u; cat /proc/self/uid_map; exit 5'
	equal "$status" 5
	equal "${lines[0]}" 0
	equal "$(awk '{ print $1, $2; exit }' <<<"${lines[1]}")" "0 $(id -u)"
	run --separate-stderr podman_run --rm --user 7 localhost/mxt-image sh -c 'id -u; touch /x'
	equal "$status ${lines[0]}" "1 7"
	run -127 --separate-stderr podman_run --rm localhost/mxt-image absent
	equal "$status" 127
}

@test "rootless podman: exec, logs, terminal, stop, kill, rm" {
	podman_run --detach --name one localhost/mxt-image sh -c 'trap "exit 3" TERM; echo begun; while :; do sleep 0.1; done'
	says() { equal "$(podman_ logs one)" begun; }
	wait_for 20 says
	run --separate-stderr podman_ exec one sh -c 'echo in; exit 6'
	equal "$status $output" "6 in"
	contains "$(podman_ exec --tty one tty </dev/null)" /dev/pts/
	podman_ stop --time 10 one
	equal "$(podman_ inspect --format '{{.State.ExitCode}}' one)" 3
	podman_run --detach --name two localhost/mxt-image sleep 1000
	podman_ kill two
	equal "$(podman_ wait two)" 137
	podman_ rm one two
}

@test "rootless podman: limits, update, pause, stats, where the user's groups are delegated" {
	[ "$(manager)" = systemd ] || skip "needs a systemd of the user's"
	podman_run --detach --name five --memory 64m --pids-limit 44 localhost/mxt-image sleep 1000
	PID=$(podman_ inspect --format '{{.State.Pid}}' five)
	equal "$(cgroup_value "$PID" memory memory.max memory.max) $(cgroup_value "$PID" pids pids.max pids.max)" "67108864 44"
	podman_ update --memory 96m five
	equal "$(cgroup_value "$PID" memory memory.max memory.max)" 100663296
	podman_ pause five
	equal "$(podman_ inspect --format '{{.State.Status}}' five)" paused
	podman_ unpause five
	contains "$(podman_ stats --no-stream --format '{{.Name}} {{.PIDs}}' five)" "five 1"
}

@test "rootless podman: --userns keep-id, --uidmap, and volumes of the user's own" {
	local shared=$E/shared
	mkdir -p "$shared"
	chmod 700 "$shared"
	echo mine >"$shared/file"
	run --separate-stderr podman_run --rm --userns keep-id --volume "$shared:/shared" localhost/mxt-image sh -c 'id -u; cat /shared/file; echo new >/shared/new'
	echo "$stderr" >&2
	equal "$output" "$(id -u)
mine"
	equal "$(stat -c %u "$shared/new")" "$(id -u)"
	run --separate-stderr podman_run --rm --uidmap 0:1:2000 --uidmap 2000:0:1 localhost/mxt-image sh -c 'id -u; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map'
	echo "$stderr" >&2
	equal "$output" "0
0 1 2000
2000 0 1"
}

@test "rootless podman: attach, health checks, top, and a second process by exec with a user and a folder" {
	podman_run --detach --name six --health-cmd 'test -e /tmp/healthy' --health-interval disable localhost/mxt-image \
		sh -c 'while :; do echo tick; sleep 0.2; done'
	contains "$(timeout "$(slow 10)" podman --root "$E/store" --runroot "$E/run" --tmpdir "$E/tmp" --storage-driver vfs --cgroup-manager "$(manager)" \
		--events-backend file --runtime "$MXCRUN" attach --sig-proxy=false six </dev/null 3>&- 4>&- | head -n 1)" tick
	run podman_ healthcheck run six
	[ "$status" -ne 0 ]
	equal "$(podman_ exec --user 7 --workdir /tmp six sh -c 'id -u; pwd' </dev/null)" "7
/tmp"
	podman_ exec six touch /tmp/healthy </dev/null
	podman_ healthcheck run six
	contains "$(podman_ top six args)" "echo tick"
}

@test "rootless podman: a pod's containers share its namespaces" {
	podman_ pod create --infra=false --name "$TAG-pod" >/dev/null
	podman_run --detach --pod "$TAG-pod" --name seven localhost/mxt-image sleep 1000
	run --separate-stderr podman_run --rm --pod "$TAG-pod" --pid container:seven --ipc container:seven localhost/mxt-image ps
	echo "$stderr" >&2
	contains "$output" "sleep 1000"
	podman_ pod rm --force --time 0 "$TAG-pod" >/dev/null
}
