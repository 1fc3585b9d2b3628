# networld.bash - a world for tests of networks, one for each test: a namespace that plays the host, joined by a veth to one
# that plays the rest of the world, with servers in both. What a policy lets through is what a workload's attempts bring back.
# shellcheck shell=bash disable=SC2034

PEER() { echo "/usr/bin/env MXCRUN_TEST_SLOW=$MXCRUN_TEST_SLOW /usr/bin/python3 $here/netpeer.py $*"; }

# A namespace that lives as long as the process in the variable.
hold_namespace() {
	unshare -n sleep 1000 3>&- 4>&- &
	printf -v "$1" %s $!
	wait_for 5 has_own_network $!
}
has_own_network() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
in_host() { nsenter -t "$HOST" -n "$@"; }
in_world() { nsenter -t "$WORLD" -n "$@"; }

# Servers, until the test's end: "host" or "world", then what netpeer.py takes.
serve() {
	local pid=$HOST ready=$BATS_TEST_TMPDIR/ready.$RANDOM
	[ "$1" = host ] || pid=$WORLD
	shift
	# A function in the background would be a shell, whose end leaves the server.
	# shellcheck disable=SC2046 # words
	nsenter -t "$pid" -n $(PEER serve "$@") >"$ready" 2>&1 3>&- 4>&- &
	SERVERS+=($!)
	wait_for 10 grep -q ready "$ready" || cat "$ready" >&2
}

# Addresses of the world; it also routes for whoever is joined to it.
make_world() {
	SERVERS=()
	hold_namespace HOST
	hold_namespace WORLD
	ip link add "v$$" type veth peer name w0 netns "$WORLD"
	ip link set "v$$" netns "$HOST" name h0
	in_host ip link set lo up
	in_host ip addr add 198.51.100.1/24 dev h0
	in_host ip addr add 2001:db8:1::1/64 dev h0 nodad
	in_host ip link set h0 up
	in_world ip link set lo up
	in_world ip addr add 198.51.100.10/24 dev w0
	in_world ip addr add 203.0.113.7/32 dev lo
	in_world ip addr add 169.254.169.254/32 dev lo
	in_world ip addr add 2001:db8:1::10/64 dev w0 nodad
	in_world ip link set w0 up
	in_host ip route add default via 198.51.100.10
	in_host ip -6 route add default via 2001:db8:1::10
	echo nameserver 198.51.100.10 >"$BATS_TEST_TMPDIR/resolv.conf"
}

# Give the process's namespace an interface and routes to the world.
connect() {
	ip link add "p$$" type veth peer name p0 netns "$WORLD"
	ip link set "p$$" netns "$1" name eth0
	in_world ip addr add 192.0.2.1/24 dev p0
	in_world ip addr add 2001:db8:2::1/64 dev p0 nodad
	in_world ip link set p0 up
	nsenter -t "$1" -n sh -c 'ip link set lo up; ip addr add 192.0.2.2/24 dev eth0; ip addr add 2001:db8:2::2/64 dev eth0 nodad
		ip link set eth0 up; ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:2::1'
}

end_world() {
	kill "${SERVERS[@]}" "$HOST" "$WORLD" 2>/dev/null || true
	wait "${SERVERS[@]}" "$HOST" "$WORLD" 2>/dev/null || true
	no_server
}
no_server() { ! pgrep -f "$here/netpeer.py serve" >/dev/null; }

# The result of one attempt, in the order of `try`.
result() { equal "$(sed -n "s|^$1 ||p" <<<"$output")" "$2"; }

start_servers() {
	serve world tcp 198.51.100.10 80 web tcp 198.51.100.10 81 other tcp 203.0.113.7 80 far \
		tcp 169.254.169.254 80 metadata udp 198.51.100.10 90 udp dns 198.51.100.10 53 dns \
		tcp 2001:db8:1::10 80 web6 udp 2001:db8:1::10 90 udp6
	serve host tcp 127.0.0.1 70 lo tcp ::1 70 lo6 tcp 198.51.100.1 71 own
}

# The policy with a workload that makes the attempts, and the jq filter for the rest.
attempts() {
	local filter=$1
	shift
	policy "$(PEER try "$@")" --arg here "$(realpath "$here")" ".version = \"1.0.0\" | .containment = \"process\"
		| .filesystem.readonlyPaths = [\$here] | $filter"
}

# As run_policy, with that host's network and resolver, and without the programs in $HIDDEN.
run_there() {
	run --separate-stderr unshare -m --propagation private nsenter -t "$HOST" -n sh -c '
		mount --bind "$1/resolv.conf" /etc/resolv.conf
		[ ! -e "$1/hosts" ] || mount --bind "$1/hosts" /etc/hosts
		for program in $2; do [ ! -e "/usr/bin/$program" ] || mount --bind /dev/null "$(realpath "/usr/bin/$program")"; done
		shift 2; exec "$@"' sh "$BATS_TEST_TMPDIR" "${HIDDEN-}" \
		timeout --foreground -k 5 "$(slow 60)" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$@" "$POLICY" </dev/null 3>&- 4>&-
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}
