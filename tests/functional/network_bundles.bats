#!/usr/bin/env bats
# Network policies of containers made from bundles: rules of every carrier, in a namespace that somebody else made and connected, and in
# one of their own that is connected later. What passes is what the workload's attempts bring back.

load helpers
load networld
GUARDS="root jq mxcrun ip nft /usr/bin/python3"

test_setup() {
	make_world
	hold_namespace POD
	connect "$POD"
	start_servers
	make_bundle
	# the host's programs, beside busybox
	ln -s usr/lib "$BUNDLE/rootfs/lib"
	ln -s usr/lib64 "$BUNDLE/rootfs/lib64"
	mkdir -p "$BUNDLE/rootfs/tests"
	mount_host_programs
	join_pod
	ADMIN=$BATS_TEST_TMPDIR/admin/mxcrun.json
	mkdir -p "$BATS_TEST_TMPDIR"/admin/{policy.d,policies}
	echo '{}' >"$ADMIN"
}

test_teardown() {
	kill "$POD"
	wait "$POD" 2>/dev/null
	end_world
}

mount_host_programs() {
	config --arg here "$(realpath "$here")" '.mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]},
		{destination: "/tests", type: "bind", source: $here, options: ["bind", "ro"]}]'
}

in_pod() { nsenter -t "$POD" -n "$@"; }
join_pod() {
	config --arg path "/proc/$POD/ns/net" '.linux.namespaces |= (map(select(.type != "network")) + [{type: "network", path: $path}])'
}
tables() { in_pod nft list tables; }

owners() { echo "$2" >"$BATS_TEST_TMPDIR/admin/policy.d/$1.json"; }
named() { config --arg n "$1" '.annotations["mxc.policy-name"] = $n'; echo "$2" >"$BATS_TEST_TMPDIR/admin/policies/$1.json"; }
annotate() { config --arg policy "$1" '.annotations["mxc.policy"] = $policy'; }
section() { config --argjson policy "$1" '.mxc = $policy'; }
capabilities() { config --arg caps "$1" '.process.capabilities |= map_values($caps | split(" "))'; }
tries() { script "exec /usr/bin/env MXCRUN_TEST_SLOW=$MXCRUN_TEST_SLOW /usr/bin/python3 /tests/netpeer.py try $*"; }

art() { rt --admin-config "$ADMIN" "$@"; }
run_carried() {
	run --separate-stderr art run --bundle "$BUNDLE" "$@" "$TAG" </dev/null
	echo "status $status; stdout: ${output:0:2000}; stderr: ${stderr:0:2000}"
}

everything=(tcp 198.51.100.10 80 tcp ::ffff:198.51.100.10 80 tcp 198.51.100.10 81 tcp 203.0.113.7 80 udp 198.51.100.10 90
	big 198.51.100.10 90 icmp 198.51.100.10 0 dns 198.51.100.10 53 tcp 169.254.169.254 80 tcp 2001:db8:1::10 80
	udp 2001:db8:1::10 90 tcp 192.0.2.1 80)

@test "without a policy all is reached, and no table is made" {
	tries "${everything[@]}"
	run_carried
	equal "$status" 0
	equal "$(grep -v '^icmp' <<<"$output" | grep -c 'EACCES\|EPERM\|EHOSTUNREACH\|TIMEOUT')" 0
	result "tcp 2001:db8:1::10 80" web6
	equal "$(tables)" ""
}

@test "each carrier's rules are in force, in both families, and the table goes with the container" {
	local carrier
	for carrier in section annotate 'owners 10-base' 'named strict'; do
		config 'del(.mxc, .annotations["mxc.policy"], .annotations["mxc.policy-name"])'
		rm -f "$BATS_TEST_TMPDIR"/admin/policy.d/*
		$carrier '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}], "ports": [{"protocol": "tcp", "port": 80}]},
			{"to": [{"cidr": "2001:db8:1::/64"}], "ports": [{"protocol": "udp"}]}]}}}'
		tries "${everything[@]}"
		run_carried
		equal "$status" 0
		result "tcp 198.51.100.10 80" web
		result "tcp ::ffff:198.51.100.10 80" web
		result "udp 2001:db8:1::10 90" udp6
		local way
		for way in "tcp 198.51.100.10 81" "tcp 203.0.113.7 80" "tcp 169.254.169.254 80" "tcp 192.0.2.1 80"; do
			result "$way" ECONNREFUSED
		done
		for way in "udp 198.51.100.10 90" "big 198.51.100.10 90" "dns 198.51.100.10 53"; do result "$way" EPERM; done
		result "icmp 198.51.100.10 0" EACCES
		result "tcp 2001:db8:1::10 80" ECONNREFUSED
		equal "$(tables)" ""
	done
}

@test "of several carriers a packet passes that all let pass" {
	section '{"network": {"egress": {"default": "allow", "deny": [{"ports": [{"protocol": "tcp", "port": 81}]}]}}}'
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.0/24"}, {"cidr": "203.0.113.0/24"}, {"cidr": "2001:db8::/32"}]}]}}}'
	owners 10-base '{"network": {"enforcementMode": "both", "defaultPolicy": "allow", "blockedHosts": ["203.0.113.7"]}}'
	tries "${everything[@]}"
	run_carried
	equal "$status" 0
	result "tcp 198.51.100.10 80" web
	result "udp 198.51.100.10 90" udp
	result "tcp 2001:db8:1::10 80" web6
	result "tcp 198.51.100.10 81" ECONNREFUSED
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 169.254.169.254 80" ECONNREFUSED
	run --separate-stderr art plan --bundle "$BUNDLE" "$TAG"
	equal "$(jq -c '[.networkPolicy.egress[] | .carrier | split("/")[-1]]' <<<"$output")" \
		'["mxc of config.json","annotation mxc.policy","10-base.json"]'
}

@test "no network at all, also in a namespace that has one" {
	annotate '{"network": {}}'
	tries "${everything[@]}" tcp 127.0.0.1 9
	run_carried
	equal "$status" 0
	equal "$(grep -c 'EACCES\|EPERM\|ECONNREFUSED' <<<"$output")" 13
	result "tcp 127.0.0.1 9" ECONNREFUSED
}

# As podman does it for a container with a user namespace: the network comes between create and start.
connect_later() {
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}]}]}}}'
	tries "${everything[@]}"
	in_world ip link del p0
	create_container "$TAG"
	connect "$PID"
	rt start "$TAG"
	wait_for 20 grep -q "192.0.2.1 80" "$BATS_TEST_TMPDIR/out"
	output=$(cat "$BATS_TEST_TMPDIR/out")
	echo "$output"
	result "tcp 198.51.100.10 80" web
	result "udp 198.51.100.10 90" udp
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 2001:db8:1::10 80" ECONNREFUSED
}

@test "a namespace of its own that is connected after create is under the rules" {
	config '.linux.namespaces |= map(if .type == "network" then {type} else . end)'
	connect_later
}

@test "a container in a user namespace is under the rules, also against its own root" {
	BUNDLE_DIR=$BUNDLE make_userns_bundle
	mount_host_programs
	connect_later
	rt delete --force "$TAG"
	script '/usr/sbin/nft flush ruleset && echo flushed; /usr/sbin/ip link add x type veth && echo added; exit 0'
	run_carried
	equal "$status $output" "0 "
}

@test "run: the program starts after the rules in a namespace of its own as well, and not without them" {
	requires mxcrun strace
	config '.linux.namespaces |= map(if .type == "network" then {type} else . end)'
	annotate '{"network": {"egress": {"default": "allow"}}}'
	script 'echo started'
	run_carried
	equal "$status $output" "0 started"
	# the second of the two sockets by which rules are loaded: each process counts its own
	run -1 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=socket -e inject=socket:error=EPROTONOSUPPORT:delay_enter=200000:when=2+ \
		"$MXCRUN" --root "$STATE" --admin-config "$ADMIN" run --bundle "$BUNDLE" "$TAG" </dev/null
	contains "$(cat "$BATS_TEST_TMPDIR/trace")" INJECTED
	contains "$output" "network namespace: Protocol not supported"
	refused grep started <<<"$output"
}

# The first program that is found to answer.
answers_from_world() { equal "$(in_world /usr/bin/python3 "$here/netpeer.py" try tcp "$1" 7575)" "tcp $1 7575 $2"; }

@test "connections from outside come in where ingress.default says so, and every carrier does" {
	config '.process.args = ["/usr/bin/python3", "/tests/netpeer.py", "serve", "tcp", "192.0.2.2", "7575", "inside", "tcp",
		"2001:db8:2::2", "7575", "inside6"]'
	annotate '{"network": {"egress": {"default": "deny"}, "ingress": {"default": "allow"}}}'
	start_container "$TAG"
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	answers_from_world 192.0.2.2 inside
	answers_from_world 2001:db8:2::2 inside6
	rt delete --force "$TAG"
	section '{"network": {"egress": {"default": "allow"}}}'
	start_container "$TAG"
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	answers_from_world 192.0.2.2 TIMEOUT
	answers_from_world 2001:db8:2::2 TIMEOUT
}

@test "a capability that could undo the rules is refused by name, also for exec; CAP_NET_RAW is held back" {
	annotate '{"network": {"egress": {"default": "allow"}}}'
	local cap
	for cap in CAP_NET_ADMIN CAP_SYS_ADMIN CAP_SYS_MODULE; do
		capabilities "CAP_KILL $cap"
		run_carried
		assert_refused "$cap" /process/capabilities
		equal "$(tables)" ""
	done
	capabilities "CAP_KILL CAP_NET_RAW"
	start_container "$TAG"
	contains "$(cat "$BATS_TEST_TMPDIR/err")" "CAP_NET_RAW is withheld"
	equal "$(proc_status "$PID" CapBnd)" 0000000000000020
	run --separate-stderr rt exec --cap CAP_NET_ADMIN "$TAG" true
	assert_refused CAP_NET_ADMIN
	run --separate-stderr rt exec --cap CAP_NET_RAW "$TAG" true
	assert_refused CAP_NET_RAW
	run --separate-stderr rt exec "$TAG" grep CapEff /proc/self/status
	contains "$output" 0000000000000020
}

@test "the workload can neither change the rules nor send past them, by raw or packet sockets, by namespaces of its own" {
	capabilities "CAP_NET_RAW CAP_SETUID CAP_SETGID CAP_DAC_OVERRIDE"
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}]}]}}}'
	script 'try() { "$@" >/dev/null 2>&1 && echo "did: $*" || echo no; }
		try /usr/sbin/nft flush ruleset
		try /usr/sbin/nft list ruleset
		try unshare -U -r /usr/sbin/nft flush ruleset
		try unshare -U -r -n true
		try unshare -U -r /usr/sbin/ip link set eth0 down
		for type in AF_PACKET AF_INET AF_INET6; do
			try /usr/bin/python3 -c "import socket; socket.socket(socket.$type, socket.SOCK_RAW, 255)"
			try unshare -U -r /usr/bin/python3 -c "import socket; socket.socket(socket.$type, socket.SOCK_RAW, 255)"
		done
		/usr/bin/python3 /tests/netpeer.py try tcp 203.0.113.7 80 tcp 198.51.100.10 80'
	run_carried
	equal "$status" 0
	# a namespace of one's own is one's own, and empty
	equal "$(grep 'did: ' <<<"$output" | grep -v 'unshare -U -r -n true')" ""
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 198.51.100.10 80" web
}

# What servers of the world there are beside the usual ones, and the kinds that this kernel has.
other_kinds() {
	in_pod sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	in_pod ip addr add fe80::2/64 dev eth0 nodad
	in_world ip addr add fe80::1/64 dev p0 nodad
	serve world tcp fe80::1%p0 71 link udp fe80::1%p0 71 linku
	kinds=(icmp 198.51.100.10 0 icmp 2001:db8:1::10 0 icmp 203.0.113.7 0 icmp fe80::1%eth0 0 tcp fe80::1%eth0 71 udp fe80::1%eth0 71
		mptcp 198.51.100.10 80 mptcp 198.51.100.10 81)
	local kind
	for kind in sctp udplite; do
		[[ $(in_world /usr/bin/python3 "$here/netpeer.py" try "$kind" 127.0.0.1 72) != *EPROTONOSUPPORT ]] || continue
		serve world "$kind" 198.51.100.10 72 "$kind"
		kinds+=("$kind" 198.51.100.10 72)
	done
}

@test "echo requests, addresses of the link, and protocols beside tcp and udp: what a rule names, and nothing else" {
	local kinds way
	other_kinds
	tries "${kinds[@]}"
	run_carried
	for way in "icmp 198.51.100.10 0" "icmp 2001:db8:1::10 0" "icmp 203.0.113.7 0" "icmp fe80::1%eth0 0"; do result "$way" echo; done
	result "tcp fe80::1%eth0 71" link
	result "udp fe80::1%eth0 71" linku
	result "mptcp 198.51.100.10 80" web
	local without=$output total=$((${#kinds[@]} / 3)) refusals='EACCES\|EPERM\|ECONNREFUSED\|TIMEOUT'
	equal "$(grep -c "$refusals" <<<"$output")" 0
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}], "ports": [{"protocol": "tcp", "port": 80}]}]}}}'
	run_carried
	# the kernel tells nobody of a refused echo request in IPv6, nor a stream to an address of the link
	equal "$(grep -c "$refusals" <<<"$output")" $((total - 1))
	result "mptcp 198.51.100.10 80" web
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}, {"cidr": "2001:db8:1::/64"}], "ports": [{"protocol": "icmp"}]},
		{"to": [{"cidr": "fe80::/64"}], "ports": [{"protocol": "udp"}]}]}}}'
	run_carried
	result "icmp 198.51.100.10 0" echo
	result "icmp 2001:db8:1::10 0" echo
	result "udp fe80::1%eth0 71" linku
	equal "$(grep -c "$refusals" <<<"$output")" $((total - 3))
	# a rule without ports is about every protocol; not every kernel tracks UDP-Lite, so its answer may be no reply that is known
	annotate '{"network": {"ingress": {"default": "allow"}, "egress": {"allow": [{"to": [{"cidr": "0.0.0.0/0"}, {"cidr": "2000::/3"}, {"cidr": "fe80::/10"}]}]}}}'
	run_carried
	equal "$output" "$without"
}

# A router that heeds them is an address that the policy allows; what is behind it is one that it doesn't.
@test "source routes by options of a socket lead past no rule, neither of new connections nor of known ones" {
	in_world sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.p0.accept_source_route=1 \
		net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.p0.seg6_enabled=1
	in_world ip addr add 2001:db8:9::7/128 dev lo
	serve world tcp 2001:db8:9::7 80 far6 udp 203.0.113.7 90 faru udp 192.0.2.1 90 near
	cat >"$BATS_TEST_TMPDIR/routed.py" <<-'END'
		import errno, socket, struct
		def option(family):
		    if family == socket.AF_INET:
		        return socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x83\x07\x04" + socket.inet_aton("192.0.2.1") + b"\x01"
		    hop = socket.inet_pton(socket.AF_INET6, "2001:db8:2::1")
		    return socket.IPPROTO_IPV6, socket.IPV6_RTHDR, struct.pack("!BBBBBBH", 0, 4, 4, 1, 1, 0, 0) + bytes(16) + hop
		def attempt(name, kind, address, port, first=None):
		    family = socket.AF_INET6 if ":" in address else socket.AF_INET
		    s = socket.socket(family, kind)
		    s.settimeout(2)
		    try:
		        if first:
		            s.sendto(b"x", first)
		            print(name, "first", s.recv(100).decode(), flush=True)
		        s.setsockopt(*option(family))
		        if kind == socket.SOCK_DGRAM: s.sendto(b"x", (address, port))
		        else: s.connect((address, port))
		        result = s.recv(100).decode().strip()
		    except OSError as e:
		        result = errno.errorcode.get(e.errno, str(e))
		    print(name, result, flush=True)
		attempt("tcp", socket.SOCK_STREAM, "203.0.113.7", 80)
		attempt("udp", socket.SOCK_DGRAM, "203.0.113.7", 90)
		attempt("known", socket.SOCK_DGRAM, "203.0.113.7", 90, ("192.0.2.1", 90))
		attempt("tcp6", socket.SOCK_STREAM, "2001:db8:9::7", 80)
	END
	config --arg d "$BATS_TEST_TMPDIR/routed.py" '.mounts += [{destination: "/routed.py", type: "bind", source: $d, options: ["bind", "ro"]}]'
	# newer kernels want CAP_NET_RAW for those of IPv4; without rules they lead there
	equal "$(in_pod /usr/bin/python3 "$BATS_TEST_TMPDIR/routed.py")" "tcp far
udp faru
known first near
known faru
tcp6 far6"
	script 'exec /usr/bin/python3 /routed.py'
	run_carried
	contains "$output" "tcp6 far6"
	annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "192.0.2.1"}, {"cidr": "2001:db8:2::1"}]}]}}}'
	run_carried
	contains "$output" "known first near"
	lacks "$output" far
	# the kernel can't always tell the socket that its packet is refused
	grep -qxE 'tcp6 (ECONNREFUSED|timed out)' <<<"$output"
	config '.process.args = ["/bin/sleep", "1000"]'
	start_container "$TAG"
	equal "$(in_pod /usr/bin/python3 "$BATS_TEST_TMPDIR/routed.py" | sed 's/ECONNREFUSED\|timed out/refused/')" "tcp refused
udp EPERM
known first near
known EPERM
tcp6 refused"
	run --separate-stderr rt events --network "$TAG"
	jq -e '.data.refused[] | select(.rule == "source route" and .address == "192.0.2.1" and .protocol == "udp" and .count > 0)' <<<"$output"
}

# redirect DESTINATION: as the router, tell the pod that another one is nearer.
redirect() { in_world /usr/bin/python3 -c '
import socket, struct, sys
def total(data):
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s >> 16) + (s & 0xffff); s += s >> 16
    return ~s & 0xffff
a = socket.inet_aton
head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, a("192.0.2.2"), a(sys.argv[1])) + struct.pack("!HHHH", 4000, 90, 8, 0)
body = struct.pack("!BBH4s", 5, 1, 0, a("192.0.2.9")) + head
body = struct.pack("!BBH4s", 5, 1, total(body), a("192.0.2.9")) + head
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.bind(("192.0.2.1", 0)); s.sendto(body, ("192.0.2.2", 0))' "$1"; }

# fragments PORT: a datagram in pieces of 8 bytes from that port, which makes it of no known connection; the first has no more of it than the ports. Made by hand, as by one who wants to pass a filter.
fragments() { in_world /usr/bin/python3 -c '
import socket, struct, sys
a = socket.inet_aton
port = int(sys.argv[1])
data = struct.pack("!HHHH", port, 7575, 24, 0) + b"x" * 16
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("192.0.2.1", port)); u.settimeout(2)
for i in range(0, 24, 8):
    more = 0x2000 if i < 16 else 0
    s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 77, more | i // 8, 64, 17, 0, a("192.0.2.1"), a("192.0.2.2")) + data[i:i + 8], ("192.0.2.2", 0))
try: print(u.recv(100).decode())
except socket.timeout: print("TIMEOUT")' "$1"; }

@test "redirects and fragments lead past no rule" {
	local ingress port=4001
	for ingress in allow deny; do
		annotate '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.10"}]}]}, "ingress": {"default": "'$ingress'"}}}'
		script "/usr/bin/python3 /tests/netpeer.py serve udp 192.0.2.2 7575 inside & while [ ! -e /go ]; do sleep 0.1; done
			exec /usr/bin/python3 /tests/netpeer.py try tcp 203.0.113.7 80 big 203.0.113.7 90 tcp 198.51.100.10 80 big 198.51.100.10 90"
		rm -f "$BUNDLE/rootfs/go"
		start_container "$TAG"
		wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
		equal "$(fragments $port)" "$([ $ingress = allow ] && echo inside || echo TIMEOUT)"
		port=4002
		redirect 203.0.113.7
		redirect 198.51.100.10
		touch "$BUNDLE/rootfs/go"
		wait_for 20 grep -q "big 198.51.100.10" "$BATS_TEST_TMPDIR/out"
		output=$(cat "$BATS_TEST_TMPDIR/out")
		echo "$output"
		result "tcp 203.0.113.7 80" ECONNREFUSED
		result "big 203.0.113.7 90" EPERM
		result "tcp 198.51.100.10 80" web
		result "big 198.51.100.10 90" udp
		rt delete --force "$TAG"
	done
}

@test "a connection that the namespace remembers from before is judged as a new one" {
	# one client's address and port, so that the kernel takes the second container's packets for those of the first
	local ask="import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('192.0.2.2', 5555)); s.settimeout(5)
for i in range(3):
    try: s.sendto(b'x', ('198.51.100.10', 90)); print(s.recv(99).decode())
    except PermissionError: print('EPERM')"
	config --arg ask "$ask" '.process.args = ["/usr/bin/python3", "-c", $ask]'
	section '{"network": {"egress": {"allow": [{"ports": [{"protocol": "udp", "port": 90}]}]}}}'
	run_carried
	equal "$output" "udp
udp
udp"
	section '{"network": {"egress": {"allow": [{"ports": [{"protocol": "tcp", "port": 80}]}]}}}'
	run_carried
	equal "$output" "EPERM
EPERM
EPERM"
}

@test "the host's namespace is refused, by whichever name, and stays as it is" {
	local before
	before=$(nft list tables)
	annotate '{"network": {"egress": {"default": "allow"}}}'
	config '.linux.namespaces |= map(if .type == "network" then .path = "/proc/1/ns/net" else . end)'
	[ "$(readlink /proc/1/ns/net)" != "$(readlink /proc/self/ns/net)" ] || {
		run_carried
		assert_refused /linux/namespaces "the host's"
	}
	ln -sf "/proc/$$/ns/net" "$BATS_TEST_TMPDIR/another-name"
	config --arg p "$BATS_TEST_TMPDIR/another-name" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	run_carried
	assert_refused /linux/namespaces "the host's"
	config '.linux.namespaces |= map(select(.type != "network"))'
	run_carried
	assert_refused "mxc.policy#/network" "network namespace"
	join_pod
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_carried
	assert_refused "mxc.policy#/network" "pid namespace"
	equal "$(nft list tables)" "$before"
	equal "$(tables)" ""
}

@test "two containers in one namespace: both policies hold, and each takes only its own away" {
	annotate '{"network": {"egress": {"default": "allow", "deny": [{"to": [{"cidr": "203.0.113.7"}]}]}}}'
	start_container "$TAG"
	annotate '{"network": {"egress": {"default": "allow", "deny": [{"to": [{"cidr": "169.254.0.0/16"}]}]}}}'
	tries "${everything[@]}"
	run --separate-stderr art run --bundle "$BUNDLE" "$TAG-2" </dev/null
	echo "$output"
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 169.254.169.254 80" ECONNREFUSED
	equal "$(tables)" "table inet mxcrun-$TAG"
	rt kill "$TAG" KILL
	wait_for 10 is_status "$TAG" stopped
	rt delete "$TAG"
	equal "$(tables)" ""
}

@test "killed between any two steps, delete and gc take the table away" {
	annotate '{"network": {"egress": {"default": "allow"}}}'
	start_container "$TAG"
	contains "$(cat "$STATE/$TAG/journal")" "table "
	equal "$(tables)" "table inet mxcrun-$TAG"
	# as a creator that died before it could say that it was done
	jq '.complete = false' "$STATE/$TAG/record" >"$BATS_TEST_TMPDIR/record" 2>/dev/null && cp "$BATS_TEST_TMPDIR/record" "$STATE/$TAG/record"
	kill -9 "$PID"
	wait_for 10 refused kill -0 "$PID"
	rt gc >/dev/null
	[ -z "$(ls -A "$STATE")" ] || rt delete --force "$TAG"
	equal "$(tables)" ""
	# the file is gone, the namespace is not
	mkdir "$BATS_TEST_TMPDIR/ns"
	touch "$BATS_TEST_TMPDIR/ns/pod"
	mount --bind "/proc/$POD/ns/net" "$BATS_TEST_TMPDIR/ns/pod"
	config --arg p "$BATS_TEST_TMPDIR/ns/pod" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	start_container "$TAG"
	umount "$BATS_TEST_TMPDIR/ns/pod"
	rt delete --force "$TAG"
	equal "$(tables)" ""
}

has_table() { [ -n "$(tables)" ]; }
has_no_table() { ! has_table; }

@test "SIGKILL of the supervisor, or of the workload: the table goes from the namespace that lives on" {
	annotate '{"network": {"egress": {"default": "allow"}}}'
	local who first
	for who in workload supervisor; do
		"$MXCRUN" --root "$STATE" --admin-config "$ADMIN" run --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$TAG" \
			</dev/null >/dev/null 2>&1 3>&- 4>&- &
		first=$!
		wait_for 10 has_table
		wait_for 10 is_status "$TAG" running
		if [ $who = workload ]; then
			kill -9 "$(cat "$BATS_TEST_TMPDIR/pid")"
			wait "$first" || equal $? 137
		else
			kill -9 "$first"
			wait "$first" || true
			rt delete --force "$TAG"
		fi
		has_no_table
	done
}

@test "a program that can't be started leaves no table" {
	annotate '{"network": {"egress": {"default": "allow"}}}'
	config '.process.args = ["/absent"]'
	run -127 --separate-stderr art run --bundle "$BUNDLE" "$TAG" </dev/null
	equal "$(tables)" ""
}

@test "events --network tells the carriers' rules apart" {
	annotate '{"network": {"egress": {"default": "allow", "deny": [{"to": [{"cidr": "203.0.113.7"}]}]}}}'
	section '{"network": {"egress": {"allow": [{"to": [{"cidr": "198.51.100.0/24"}, {"cidr": "203.0.113.0/24"}]}]}}}'
	script "/usr/bin/python3 /tests/netpeer.py try tcp 198.51.100.10 80 tcp 203.0.113.7 80 tcp 169.254.169.254 80; sleep 1000"
	start_container "$TAG"
	wait_for 20 grep -q 169.254 "$BATS_TEST_TMPDIR/out"
	run --separate-stderr rt events --network "$TAG"
	echo "$output"
	equal "$(jq -c '.data.refused[] | [.address, .rule]' <<<"$output" | sort)" \
		'["169.254.169.254","mxc of config.json: egress.default"]
["203.0.113.7","annotation mxc.policy: egress.deny[0]"]'
	equal "$(jq -c '.data.rules[] | select(.rule == "mxc of config.json: egress.allow[0]") | .packets' <<<"$output")" 2
}

@test "checkpoint and restore of a container under rules are refused" {
	requires criu
	annotate '{"network": {"egress": {"default": "allow"}}}'
	start_container "$TAG"
	run --separate-stderr rt checkpoint --image-path "$BATS_TEST_TMPDIR/image" "$TAG"
	assert_refused policy
}
