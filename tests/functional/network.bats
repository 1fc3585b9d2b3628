#!/usr/bin/env bats
# Network policies of sandboxes.

load helpers
load networld
load carriers
GUARDS="root jq mxcrun slirp4netns ip /usr/bin/python3"

test_setup() {
	make_world
	remember_sandboxes
}

test_teardown() {
	end_world
	assert_no_new_sandboxes
}

# Each program that carries packets, in turn: the others are hidden.
for_each_carrier() {
	local carrier
	for carrier in pasta slirp4netns; do
		have "$carrier" || continue
		echo "# by $carrier"
		HIDDEN=$([ "$carrier" = pasta ] && echo slirp4netns || echo pasta)
		"$@"
	done
}

lacks() { ! grep -q "$1" <<<"$output"; }

# ---- filtered ----

default_deny() {
	attempts '.network.egress = {default: "deny", allow: [
			{to: [{cidr: "198.51.100.10"}], ports: [{protocol: "tcp", port: 80}]},
			{to: [{cidr: "10.0.0.0/8"}, {cidr: "fd00::/8"}]}]}' \
		tcp 198.51.100.10 80 tcp ::ffff:198.51.100.10 80 tcp 198.51.100.10 81 udp 198.51.100.10 90 \
		dns 198.51.100.10 53 big 198.51.100.10 90 icmp 198.51.100.10 0 tcp 203.0.113.7 80 tcp 169.254.169.254 80 \
		tcp 2001:db8:1::10 80 udp 2001:db8:1::10 90 tcp 64:ff9b::198.51.100.10 80 tcp 198.51.100.1 71 \
		tcp 10.0.2.2 70 tcp 10.0.2.77 70 tcp fd00::2 70 tcp fd00::77 70 tcp ::ffff:10.0.2.2 70 \
		tcp 127.0.0.1 70 tcp ::1 70
	run_there
	equal "$status" 0
	result "tcp 198.51.100.10 80" web
	result "tcp ::ffff:198.51.100.10 80" web
	local way
	for way in "tcp 198.51.100.10 81" "tcp 203.0.113.7 80" "tcp 169.254.169.254 80" "tcp 198.51.100.1 71" \
		"tcp 10.0.2.2 70" "tcp 10.0.2.77 70" "tcp ::ffff:10.0.2.2 70"; do
		result "$way" ECONNREFUSED
	done
	for way in "tcp 2001:db8:1::10 80" "tcp 64:ff9b::198.51.100.10 80" "tcp fd00::2 70" "tcp fd00::77 70"; do
		result "$way" ECONNREFUSED
	done
	for way in "udp 198.51.100.10 90" "dns 198.51.100.10 53" "big 198.51.100.10 90" "udp 2001:db8:1::10 90"; do
		result "$way" EPERM
	done
	# the second rule is for any protocol, so the workload has echo sockets
	result "icmp 198.51.100.10 0" EPERM
	result "tcp 127.0.0.1 70" ECONNREFUSED
	result "tcp ::1 70" ECONNREFUSED
}
@test "default deny: what a rule names is reached, and nothing else by any way" {
	start_servers
	for_each_carrier default_deny
}

default_allow() {
	attempts '.network.egress = {default: "allow", allow: [{to: [{cidr: "203.0.113.7"}]}], deny: [
			{to: [{cidr: "203.0.113.0/24"}]},
			{to: [{cidr: "198.51.100.0/24", except: ["198.51.100.0/29"]}], ports: [{protocol: "tcp", port: 81, endPort: 99}]}]}' \
		tcp 198.51.100.10 80 tcp 198.51.100.10 81 udp 198.51.100.10 90 big 198.51.100.10 90 dns 10.0.2.3 53 \
		tcp 203.0.113.7 80 tcp ::ffff:203.0.113.7 80 tcp 169.254.169.254 80 tcp 2001:db8:1::10 80 \
		udp 2001:db8:1::10 90 tcp 198.51.100.1 71 tcp 10.0.2.2 70 tcp fd00::2 70 tcp fe80::2%tap0 70 tcp fe80::1%tap0 70
	run_there
	result "tcp 198.51.100.10 80" web
	result "tcp 198.51.100.10 81" ECONNREFUSED
	result "udp 198.51.100.10 90" udp
	result "big 198.51.100.10 90" udp
	result "dns 10.0.2.3 53" 192.0.2.99
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp ::ffff:203.0.113.7 80" ECONNREFUSED
	result "tcp 169.254.169.254 80" metadata
	result "tcp 2001:db8:1::10 80" web6
	result "udp 2001:db8:1::10 90" udp6
	result "tcp 198.51.100.1 71" own
	result "tcp 10.0.2.2 70" ECONNREFUSED
	result "tcp fd00::2 70" ECONNREFUSED
	result "tcp fe80::2%tap0 70" ECONNREFUSED
	result "tcp fe80::1%tap0 70" ECONNREFUSED
}
@test "default allow: both families and udp pass, and a denial wins over every permission and spelling" {
	start_servers
	for_each_carrier default_allow
}

resolver() {
	attempts '.network.egress = {allow: [{to: [{cidr: "10.0.2.3"}], ports: [{protocol: "udp", port: 53}]}]}' \
		dns 10.0.2.3 53 dns fd00::3 53
	run_there
	result "dns 10.0.2.3 53" 192.0.2.99
	result "dns fd00::3 53" EPERM
	attempts '.network.egress = {allow: [{to: [{cidr: "203.0.113.7"}]}]}' dns 10.0.2.3 53
	run_there
	result "dns 10.0.2.3 53" EPERM
}
# Each answer has to be the reading's.
random_rules() {
	local seed egress expected
	for seed in $(seq "$1" "$2"); do
		{ read -r egress && expected=$(cat); } < <(python3 "$here/rules.py" "$seed")
		# shellcheck disable=SC2046 # words
		attempts ".network.egress = $egress" $(cut -d' ' -f1-3 <<<"$expected")
		run_there
		equal "$egress $output" "$egress $expected"
	done
}
@test "random rules let through what a naive reading of them does" {
	start_servers
	random_rules 1 20
}

@test "the resolver answers when a rule allows it, and only then" {
	start_servers
	for_each_carrier resolver
}

@test "what is refused is refused at once, whether the socket blocks or not" {
	cat >"$BATS_TEST_TMPDIR/quick.py" <<-'END'
		import errno, socket, time
		for address in "203.0.113.7", "2001:db8:1::10":
		    for limit in None, 9:
		        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET); s.settimeout(limit)
		        start = time.monotonic()
		        try: s.connect((address, 80)); result = "connected"
		        except OSError as e: result = errno.errorcode.get(e.errno, str(e))
		        print(result, "at once" if time.monotonic() - start < 0.9 else "late")
	END
	start_servers
	policy "exec /usr/bin/python3 $BATS_TEST_TMPDIR/quick.py" --arg d "$BATS_TEST_TMPDIR" '.version = "1.0.0"
		| .filesystem.readonlyPaths = [$d] | .network.egress.allow = [{to: [{cidr: "198.51.100.10"}]}]'
	run_there
	equal "$output" "$(printf 'ECONNREFUSED at once\n%.0s' 1 2 3 4)"
}

@test "the older lists: blocked before allowed before the default" {
	start_servers
	attempts '.version = "0.8.0-alpha" | .network = {enforcementMode: "firewall", defaultPolicy: "block",
			allowedHosts: ["198.51.100.10/24", "203.0.113.7"], blockedHosts: ["203.0.113.7"]}' \
		tcp 198.51.100.10 80 tcp 203.0.113.7 80 tcp 169.254.169.254 80
	run_there
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 169.254.169.254 80" ECONNREFUSED
}

# What MXC gives the host's network with a warning: here the lists are rules, and nobody comes in.
before_0_8() {
	attempts '.version = "0.7.0-alpha" | .network = {defaultPolicy: "allow"}' tcp 198.51.100.10 80 dns 10.0.2.3 53 tcp 2001:db8:1::10 80
	run_there
	result "tcp 198.51.100.10 80" web
	result "dns 10.0.2.3 53" 192.0.2.99
	result "tcp 2001:db8:1::10 80" web6
	attempts '.version = "0.6.0-alpha" | .network = {defaultPolicy: "allow", blockedHosts: ["203.0.113.7"]}' \
		tcp 198.51.100.10 80 tcp 203.0.113.7 80
	run_there
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
	attempts '.version = "0.7.0-alpha" | .network = {defaultPolicy: "block", allowedHosts: ["198.51.100.10"]}' \
		tcp 198.51.100.10 80 tcp 203.0.113.7 80
	run_there
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
}
@test "documents before 0.8: what they say holds in a namespace of the sandbox's own" {
	start_servers
	for_each_carrier before_0_8
	# nor is a proxy only a matter of variables
	serve host tcp 127.0.0.1 3128 proxy
	attempts '.version = "0.7.0-alpha" | .network = {defaultPolicy: "allow", proxy: {localhost: 3128}}' \
		tcp 127.0.0.1 3128 tcp 198.51.100.10 80
	run_there
	result "tcp 127.0.0.1 3128" proxy
	result "tcp 198.51.100.10 80" ENETUNREACH
}

@test "documents before 0.8: a host by name has the addresses that it had at the start" {
	# no label of a name is longer than 63 letters
	local absent
	absent=$(printf 'a%.0s' {1..70}).test
	start_servers
	printf '%s\n' "198.51.100.10 web.test" "2001:db8:1::10 web.test" "203.0.113.7 far.test" >"$BATS_TEST_TMPDIR/hosts"
	attempts '.version = "0.7.0-alpha" | .network = {allowedHosts: ["web.test", "'"$absent"'"]}' \
		tcp web.test 80 tcp 198.51.100.10 80 tcp 2001:db8:1::10 80 tcp 203.0.113.7 80 dns 10.0.2.3 53
	run_there
	result "tcp web.test 80" web
	result "tcp 198.51.100.10 80" web
	result "tcp 2001:db8:1::10 80" web6
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "dns 10.0.2.3 53" EPERM
	run_there --debug
	contains "$stderr$output" "could not resolve host '$absent'"
	attempts '.version = "0.7.0-alpha" | .network = {defaultPolicy: "allow", blockedHosts: ["far.test"]}' \
		tcp 203.0.113.7 80 tcp 198.51.100.10 80
	run_there
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 198.51.100.10 80" web
	attempts '.version = "0.7.0-alpha" | .network = {defaultPolicy: "allow", blockedHosts: ["'"$absent"'"]}' tcp 203.0.113.7 80
	run_there
	equal "$status" 255
	contains "$stderr" /network/blockedHosts/0
	attempts '.version = "0.8.0-alpha" | .network = {enforcementMode: "firewall", allowedHosts: ["web.test"]}' tcp 203.0.113.7 80
	run_there
	equal "$status" 255
	contains "$stderr" "is not an IP address or CIDR"
}

# Whose abstract sockets lead to programs of the host that trust whoever may connect (CVE-2020-15257).
@test "the host's own network is for who lets everything out and in, without the host's abstract sockets" {
	start_servers
	serve host abstract "mxt-$$" 0 unix
	local version
	for version in 0.7.0-alpha 0.8.0-alpha; do
		attempts ".version = \"$version\" | .ui = {disable: true} | .network = {defaultPolicy: \"allow\", allowLocalNetwork: true}" \
			tcp 127.0.0.1 70 tcp ::1 70 tcp 198.51.100.10 80 abstract "mxt-$$" 0
		run_there
		result "tcp 127.0.0.1 70" lo
		result "tcp ::1 70" lo6
		result "tcp 198.51.100.10 80" web
		[[ $(sed -n "s/^abstract mxt-$$ 0 //p" <<<"$output") =~ ^(EACCES|EPERM)$ ]]
	done
	attempts '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow"}' tcp 127.0.0.1 70
	run_there
	equal "$status" 255
	contains "$stderr" allowLocalNetwork
	# what would take them back
	policy true '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", allowLocalNetwork: true} | .bubblewrap = {keepCaps: ["CAP_NET_RAW"]}'
	run_there
	equal "$status" 255
	contains "$stderr" /bubblewrap/keepCaps/0
}

@test "the owner's rules hold for who asks for the host's own network, in another one" {
	start_servers
	make_admin
	owners 10 '{"network": {"egress": {"default": "allow", "deny": [{"to": [{"cidr": "203.0.113.0/24"}]}]}}}'
	BY+=(--admin-config "$ADMIN")
	attempts '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", allowLocalNetwork: true}' \
		tcp 203.0.113.7 80 tcp 198.51.100.10 80
	run_there
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "tcp 198.51.100.10 80" web
}

own_resolver() {
	attempts '.network.egress = {default: "allow"}' dns 10.0.2.3 53 tcp 10.0.2.3 70 udp 10.0.2.3 70 tcp fd00::3 70
	run_there
	result "dns 10.0.2.3 53" 192.0.2.99
	lacks ' lo$\| lo6$\| lou$'
}
@test "a resolver on the host's loopback is asked by DNS, and is no way to what else is there" {
	serve host dns 127.0.0.1 53 dns tcp 0.0.0.0 70 lo udp 0.0.0.0 70 lou tcp :: 70 lo6
	echo nameserver 127.0.0.1 >"$BATS_TEST_TMPDIR/resolv.conf"
	for_each_carrier own_resolver
}

echo_requests() {
	attempts '.network.egress = {allow: [{to: [{cidr: "198.51.100.10"}, {cidr: "2001:db8:1::/64"}], ports: [{protocol: "icmp"}]}]}' \
		icmp 198.51.100.10 0 icmp 2001:db8:1::10 0 icmp 203.0.113.7 0 icmp 10.0.2.2 0 udp 198.51.100.10 90
	run_there
	result "icmp 198.51.100.10 0" echo
	# not every slirp4netns carries those of IPv6
	if [ "$HIDDEN" = pasta ]; then
		grep -qE '^icmp 2001:db8:1::10 0 (echo|TIMEOUT)$' <<<"$output"
	else
		result "icmp 2001:db8:1::10 0" echo
	fi
	result "icmp 203.0.113.7 0" EPERM
	result "icmp 10.0.2.2 0" EPERM
	result "udp 198.51.100.10 90" EPERM
}
@test "echo requests of both families leave when a rule lets them, and only then" {
	start_servers
	# as hosts have it; the program that carries them needs it there
	in_host sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	for_each_carrier echo_requests
}

address_plan() {
	policy 'cat /etc/resolv.conf /proc/net/fib_trie /proc/net/if_inet6 /proc/net/route' '.version = "1.0.0" | .network.egress = {default: "allow"}'
	run_there
	contains "$output" 10.0.2.100
	contains "$output" "fd000000000000000000000000000100"
	contains "$output" "0202000A"
	equal "${lines[0]}" "nameserver 10.0.2.3"
}
@test "the address plan is MXC's, with IPv6 beside it" {
	for_each_carrier address_plan
}

# The workload sees a namespace that belongs to another user namespace, and has no right there.
@test "the workload can neither change the rules nor pass them by" {
	start_servers
	policy 'exec /usr/bin/python3 -c "
import socket, os, ctypes
def attempt(name, *args):
    try:
        socket.socket(*args); print(name, \"made\")
    except OSError as e:
        print(name, e.strerror)
attempt(\"packet\", socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
attempt(\"raw4\", socket.AF_INET, socket.SOCK_RAW, 255)
attempt(\"raw6\", socket.AF_INET6, socket.SOCK_RAW, 58)
attempt(\"netlink\", socket.AF_NETLINK, socket.SOCK_RAW, 12)
libc = ctypes.CDLL(None, use_errno=True)
print(\"unshare\", libc.unshare(0x10000000))
print(\"caps\", [l for l in open(\"/proc/self/status\") if l.startswith(\"CapEff\")][0].split()[1])
try:
    open(\"/proc/sys/net/ipv4/ip_forward\", \"w\").write(\"1\"); print(\"sysctl written\")
except OSError as e:
    print(\"sysctl\", e.strerror)
"' '.version = "1.0.0" | .network.egress = {default: "allow", deny: [{to: [{cidr: "203.0.113.0/24"}]}]}'
	run_there
	equal "$status" 0
	lacks 'made\|written\|unshare 0'
	equal "$(grep -c 'raw\|packet\|netlink' <<<"$output")" 4
	contains "$output" "caps 0000000000000000"
}

@test "nobody from outside comes in, and one sandbox is not another's neighbour" {
	policy "$(PEER serve tcp 0.0.0.0 7575 inside)" --arg here "$(realpath "$here")" \
		'.version = "1.0.0" | .filesystem.readonlyPaths = [$here] | .network.egress = {default: "allow"}'
	nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- 4>&- &
	local first=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/first" || { cat "$BATS_TEST_TMPDIR/first" >&2; return 1; }
	attempts '.network.egress = {default: "allow"}' tcp 10.0.2.100 7575 tcp 10.0.2.2 7575 tcp 198.51.100.1 7575
	run_there
	result "tcp 10.0.2.100 7575" ECONNREFUSED
	result "tcp 10.0.2.2 7575" ECONNREFUSED
	lacks ' inside$'
	run in_host /usr/bin/python3 "$here/netpeer.py" try tcp 127.0.0.1 7575 tcp 198.51.100.1 7575
	lacks ' inside$'
	kill -TERM "$first"
	wait "$first" || true
}

@test "events --network: packets of each rule, and what was refused, by which rule, how often and when" {
	start_servers
	policy "$(PEER try tcp 198.51.100.10 80 tcp 203.0.113.7 80); sleep 1.1; $(PEER try tcp 203.0.113.7 80 udp 169.254.169.254 53 \
		udp 2001:db8:1::10 90 tcp 10.0.2.2 70); echo tried; sleep 30" --arg here "$(realpath "$here")" '.version = "1.0.0"
		| .filesystem.readonlyPaths = [$here] | .network.egress = {allow: [{to: [{cidr: "198.51.100.10"}]}],
			deny: [{to: [{cidr: "192.0.2.0/24"}]}, {to: [{cidr: "203.0.113.0/24"}], ports: [{protocol: "tcp"}]}]}'
	nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local first=$! before
	before=$(date +%s)
	wait_for 20 grep -q tried "$BATS_TEST_TMPDIR/out"
	run --separate-stderr rt events --network "$(ls "$STATE")"
	echo "$output $stderr"
	kill -TERM "$first"
	wait "$first" || true
	equal "$(jq -c '.data.rules[] | select(.packets > 0) | [.rule, .packets]' <<<"$output" | sort)" '["egress.allow[0]",1]
["egress.default",2]
["egress.deny[1]",2]
["ingress.hostLoopback",1]'
	equal "$(jq -c '.data.refused[] | [.address, .port, .protocol, .rule, .count]' <<<"$output" | sort)" \
		'["10.0.2.2",70,"tcp","ingress.hostLoopback",1]
["169.254.169.254",53,"udp","egress.default",1]
["2001:db8:1::10",90,"udp","egress.default",1]
["203.0.113.7",80,"tcp","egress.deny[1]",2]'
	# of one packet they are the same, of two a second apart
	jq -e --argjson before "$before" '[.data.refused[] | ((.first, .last) |= (sub("[.][0-9]+Z"; "Z") | fromdate)) | (.last - .first) as $span
		| .first >= $before - 1 and .last <= now + 1 and $span >= .count - 1 and (.count > 1 or $span <= 1)] | all' <<<"$output"
}

@test "--report: at the end the record has what each rule let through, and which destinations were refused" {
	start_servers
	attempts '.network.egress = {allow: [{to: [{cidr: "198.51.100.10"}]}]}' tcp 198.51.100.10 80 tcp 203.0.113.7 80
	REPORT=$BATS_TEST_TMPDIR/report.json
	run_there --report "$REPORT"
	jq -c . "$REPORT"
	equal "$(jq -r .status "$REPORT")" stopped
	equal "$(jq -c '.network.rules[] | select(.rule == "egress.allow[0]") | .packets' "$REPORT")" 1
	equal "$(jq -c '.network.refused[] | [.address, .port, .protocol, .rule, .first <= .last]' "$REPORT")" \
		'["203.0.113.7",80,"tcp","egress.default",true]'
	equal "$(jq -c '.items[] | select(.subject == "network") | [.enforced, .mechanism]' "$REPORT")" '["filtered","nf_tables"]'
}

@test "events --network of a sandbox without rules says so" {
	policy 'sleep 30'
	"$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	local first=$!
	wait_for 10 has_workload
	run --separate-stderr rt events --network "$(ls "$STATE")"
	kill -TERM "$first"
	wait "$first" || true
	assert_refused "no network policy"
}

# ---- proxy only ----

# Of this test's host: what carries packets or connections.
carriers() {
	local pid
	for pid in $(ps -eo pid=,comm= | awk '$2 ~ /^(slirp4netns|pasta|passt|pasta[.]avx2|passt[.]avx2|mxcrun-relay)$/ { print $1 }'); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink "/proc/$HOST/ns/net")" ] || echo "$pid"
	done
}

@test "a proxy answers as it is written and at the gateway's address; nothing else does" {
	start_servers
	serve host tcp 127.0.0.1 3128 proxy
	attempts '.runtimeConfig = {networkProxy: "http://localhost:3128"}' \
		tcp 127.0.0.1 3128 tcp ::1 3128 tcp 10.0.2.2 3128 tcp 127.0.0.1 70 tcp 10.0.2.2 70 tcp ::1 70 \
		tcp 198.51.100.10 80 tcp 2001:db8:1::10 80 udp 198.51.100.10 90 dns 10.0.2.3 53 tcp 198.51.100.1 71 \
		tcp 169.254.169.254 80
	run_there
	equal "$status" 0
	result "tcp 127.0.0.1 3128" proxy
	result "tcp ::1 3128" proxy
	result "tcp 10.0.2.2 3128" proxy
	local way
	for way in "tcp 127.0.0.1 70" "tcp 10.0.2.2 70" "tcp ::1 70"; do result "$way" ECONNREFUSED; done
	for way in "tcp 198.51.100.10 80" "tcp 2001:db8:1::10 80" "udp 198.51.100.10 90" "dns 10.0.2.3 53" \
		"tcp 198.51.100.1 71" "tcp 169.254.169.254 80"; do
		result "$way" ENETUNREACH
	done
}

@test "the older form of a proxy, and one that only listens in IPv6" {
	serve host tcp ::1 3128 six
	serve world tcp 198.51.100.10 3128 outside
	attempts '.runtimeConfig = {networkProxy: "http://localhost:3128/path"}' tcp 127.0.0.1 3128
	run_there
	result "tcp 127.0.0.1 3128" six
	attempts '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", proxy: {url: "http://198.51.100.10:3128"}}' \
		tcp 198.51.100.10 3128 tcp 10.0.2.2 3128 tcp 198.51.100.10 80
	run_there
	result "tcp 198.51.100.10 3128" outside
	result "tcp 10.0.2.2 3128" outside
	result "tcp 198.51.100.10 80" ECONNREFUSED
}

# By names, which it looks up itself; the servers of this test speak no HTTP, and answer whoever connects.
ask_proxy() { printf %s "curl -sS -m 10 -o /dev/null -w '%{http_connect} %{http_code} $1\\n' $1 2>&1;"; }
@test "the built-in test proxy: listed hosts by name, tunnels and plain requests, and no other way out" {
	requires curl
	# not by a function: its shell would end, and not the server
	nsenter -t "$WORLD" -n /usr/bin/python3 -m http.server 8080 --bind 198.51.100.10 --directory "$BATS_TEST_TMPDIR" >/dev/null 2>&1 3>&- 4>&- &
	SERVERS+=($!)
	start_servers
	printf '%s\n' "198.51.100.10 web.test" "198.51.100.10 other.test" >"$BATS_TEST_TMPDIR/hosts"
	echo found >"$BATS_TEST_TMPDIR/page"
	policy "curl -sS -m 10 http://web.test:8080/page; curl -sS -m 10 -p http://web.test:8080/page; $(ask_proxy http://other.test:8080/page)
		$(ask_proxy http://198.51.100.10:8080/page) $(ask_proxy https://other.test:8080/) curl -sS -m 5 --noproxy '*' http://198.51.100.10:8080/page 2>&1" \
		'.version = "0.8.0-alpha" | .network = {proxy: {builtinTestServer: true}, allowedHosts: ["Web.test"], blockedHosts: ["198.51.100.10"]}'
	run_there --allow-testing-features
	equal "$(grep -c '^found$' <<<"$output")" 2
	contains "$output" "000 403 http://other.test:8080/page"
	contains "$output" "000 403 http://198.51.100.10:8080/page"
	contains "$output" "403 000 https://other.test:8080/"
	contains "$output" "Failed to connect to 198.51.100.10"
	equal "$(carriers)" ""
	run_there
	equal "$status" 255
	contains "$stderr" "--allow-testing-features"
}

no_other_way() {
	local filter
	for filter in '.network.egress = {default: "allow"}' '.runtimeConfig = {networkProxy: "http://localhost:3128"}' '.network = {}'; do
		attempts "$filter" abstract "mxt-$$" 0 tcp fe80::1%lo 70 tcp 224.0.0.1 70 udp 255.255.255.255 90 tcp 0.0.0.0 70 tcp 127.1.2.3 70
		run_there
		equal "$status" 0
		result "abstract mxt-$$ 0" ECONNREFUSED
		equal "$(grep -c ' lo$\| own$\| udp$' <<<"$output")" 0
	done
}

@test "abstract sockets, link-local, multicast and broadcast addresses lead nowhere, by any way out" {
	start_servers
	serve host abstract "mxt-$$" 0 unix
	equal "$(in_host /usr/bin/python3 "$here/netpeer.py" try abstract "mxt-$$" 0)" "abstract mxt-$$ 0 unix"
	for_each_carrier no_other_way
}

named_proxy() { echo '.version = "0.8.0-alpha" | .network = {defaultPolicy: "allow", proxy: {url: "http://'"$1"':3128"}}'; }

@test "a proxy by name is looked up once, pinned in /etc/hosts, and reached by its name" {
	serve world tcp 198.51.100.10 3128 outside
	printf '127.0.0.1 localhost\n198.51.100.10 proxy.test alias.test Proxy.test # proxy.test\n203.0.113.7 proxy.test\n' >"$BATS_TEST_TMPDIR/hosts"
	attempts "$(named_proxy proxy.test)" tcp proxy.test 3128 tcp alias.test 3128 tcp 10.0.2.2 3128 tcp 198.51.100.10 80 dns 198.51.100.10 53
	jq '.process.commandLine += "; cat /etc/hosts; echo $https_proxy; echo x >/etc/hosts"' "$POLICY" >"$POLICY.new"
	mv "$POLICY.new" "$POLICY"
	run_there
	result "tcp proxy.test 3128" outside
	result "tcp alias.test 3128" outside
	result "tcp 10.0.2.2 3128" outside
	result "tcp 198.51.100.10 80" ECONNREFUSED
	grep -qxE 'dns 198.51.100.10 53 (ECONNREFUSED|TIMEOUT)' <<<"$output"
	contains "$output" "198.51.100.10 proxy.test
127.0.0.1 localhost
198.51.100.10 alias.test
http://proxy.test:3128"
	contains "$stderr" /etc/hosts
	grep -q '^203.0.113.7 proxy.test$' "$BATS_TEST_TMPDIR/hosts"
}

@test "a proxy by name: DNS, the host's own loopback, no answer, a denied /etc/hosts" {
	serve world dns 198.51.100.10 53 dns
	policy 'head -n 1 /etc/hosts' "$(named_proxy proxy.example)"
	run_there
	equal "$output" "192.0.2.99 proxy.example"
	serve host tcp 127.0.0.1 3128 mine
	echo '127.0.0.1 localhost proxy.test' >"$BATS_TEST_TMPDIR/hosts"
	attempts "$(named_proxy proxy.test)" tcp proxy.test 3128 tcp 10.0.2.2 3128
	run_there
	result "tcp proxy.test 3128" mine
	result "tcp 10.0.2.2 3128" mine
	policy 'echo ran' "$(named_proxy proxy.test)"' | .filesystem.deniedPaths = ["/etc/hosts"]'
	run_there
	assert_mxc_refused /network/proxy deniedPaths
	echo >"$BATS_TEST_TMPDIR/resolv.conf"
	policy 'echo ran' "$(named_proxy absent.invalid)"
	run_there
	assert_mxc_refused /network/proxy "could not resolve proxy host 'absent.invalid'"
}

@test "all proxy variables lead to the proxy, and no other spelling stays" {
	policy 'env | grep -i proxy | sort' '.version = "1.0.0" | .runtimeConfig = {networkProxy: "http://127.0.0.1:3128/p"}
		| .process.env += ["no_proxy=*", "NO_PROXY=*", "Http_Proxy=http://evil:1", "HTTPS_PROXY=http://evil:1", "MY_PROXY=mine"]'
	run_there
	equal "$(grep -c '=http://127.0.0.1:3128/p$' <<<"$output")" 8
	equal "$(grep -vc '=http://127.0.0.1:3128/p$' <<<"$output")" 1
	contains "$output" MY_PROXY=mine
}

proxy_listens() { in_host ss -Hltn | grep -q :3128; }

# A proxy that is that Python text, and a policy with it as the only way out, whose workload is the file.
proxied() { # PYTHON FILE
	nsenter -t "$HOST" -n /usr/bin/python3 -c "$1" 3>&- 4>&- &
	SERVERS+=($!)
	policy "exec /usr/bin/python3 $2" --arg d "$BATS_TEST_TMPDIR" '.version = "1.0.0"
		| .filesystem.readonlyPaths = [$d] | .runtimeConfig = {networkProxy: "http://127.0.0.1:3128"}'
	wait_for 10 proxy_listens
}

@test "the relay carries much, to many, past those that take nothing, and from a dead proxy" {
	cat >"$BATS_TEST_TMPDIR/flood.py" <<-'END'
		import socket, sys
		mute = [socket.create_connection(("127.0.0.1", 3128)) for i in range(60)]
		total = 0
		for i in range(20):
		    s = socket.create_connection(("127.0.0.1", 3128)); s.settimeout(20); n = 0
		    while data := s.recv(1 << 18): n += len(data)
		    total += n
		print(total)
	END
	proxied '
import socket, threading
s = socket.create_server(("127.0.0.1", 3128), backlog=200)
def one(c):
    try: c.sendall(bytes(4 << 20))
    except OSError: pass
    c.close()
while True: threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()' "$BATS_TEST_TMPDIR/flood.py"
	run_there
	equal "$output" $((20 * 4 << 20))
	attempts '.runtimeConfig = {networkProxy: "http://127.0.0.1:3999"}' tcp 127.0.0.1 3999
	run_there
	[[ "$output" == *closed || "$output" == *ECONNRESET ]]
}

@test "what goes through the relay comes out the same past a slow reader, and those that take nothing cost it little memory" {
	cat >"$BATS_TEST_TMPDIR/echo.py" <<-'END'
		import os, random, socket, threading, time
		def connect(how):
		    s = socket.create_connection(("127.0.0.1", 3128)); s.sendall(how); return s
		mute = [connect(b"m") for i in range(24)]
		much = bytes(1 << 18)
		for s in mute:
		    s.setblocking(False)
		for turn in range(3):
		    for s in mute:
		        try:
		            while s.send(much): pass
		        except BlockingIOError: pass
		    time.sleep(0.1)
		data = os.urandom(4 << 20)
		s = connect(b"e")
		threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)), daemon=True).start()
		back = bytearray()
		while part := s.recv(random.choice((100, 5000, 100000))):
		    back += part
		    if random.random() < 0.05: time.sleep(0.01)
		print("same" if back == data else "changed: %d bytes" % len(back), flush=True)
		s = connect(b"e")
		for part, flags in (b"before", 0), (b"!", socket.MSG_OOB), (b"after", 0):
		    s.send(part, flags); time.sleep(0.1)
		s.shutdown(socket.SHUT_WR)
		print(b"".join(iter(lambda: s.recv(100), b"")).decode(), flush=True)
		time.sleep(60)
	END
	proxied '
import socket, threading
s = socket.create_server(("127.0.0.1", 3128), backlog=300)
mute = []
def one(c):
    if c.recv(1) == b"m": return mute.append(c)
    while data := c.recv(1 << 16): c.sendall(data)
    c.close()
while True: threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()' "$BATS_TEST_TMPDIR/echo.py"
	nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local first=$! relay
	wait_for 30 grep -q after "$BATS_TEST_TMPDIR/out"
	relay=$(carriers)
	echo "$(proc_status "$relay" VmRSS) $(cat "$BATS_TEST_TMPDIR/out")"
	equal "$(cat "$BATS_TEST_TMPDIR/out")" "same
beforeafter"
	[ "$(proc_status "$relay" VmRSS | cut -d ' ' -f 1)" -lt 24000 ]
	# large socket buffers are for eight: what they hold is under no limit of the sandbox's
	[ "$(nsenter -t "$HOST" -n ss -tmnH "dport = :3128" | grep -c "rb262144,.*tb262144")" -ge 16 ]
	kill -TERM "$first"
	wait "$first" || true
}

# ---- the host's loopback, ports ----

both_directions() {
	policy "$(PEER serve tcp 0.0.0.0 7575 inside tcp :: 7575 inside6) & sleep 1; $(PEER try tcp 10.0.2.2 70 tcp fd00::2 70 \
		tcp 198.51.100.10 80); echo tried; sleep 30" --arg here "$(realpath "$here")" '.version = "1.0.0"
		| .filesystem.readonlyPaths = [$here] | .network.ingress.hostLoopback = "allow"
		| .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 7575}, {hostPort: 8081, containerPort: 7575, protocol: "tcp",
			hostAddress: "::1"}]'
	unshare -m --propagation private nsenter -t "$HOST" -n sh -c 'mount --bind /dev/null "$(realpath "/usr/bin/$1")"; shift; exec "$@"' sh \
		"$HIDDEN" "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local first=$!
	wait_for 20 grep -q tried "$BATS_TEST_TMPDIR/out"
	output=$(in_host /usr/bin/python3 "$here/netpeer.py" try tcp 127.0.0.1 8080 tcp ::1 8081 tcp 198.51.100.1 8080 tcp 127.0.0.1 7575
		in_world /usr/bin/python3 "$here/netpeer.py" try tcp 198.51.100.1 8081
		cat "$BATS_TEST_TMPDIR/out")
	kill -TERM "$first"
	wait "$first" || true
	result "tcp 127.0.0.1 8080" inside
	result "tcp ::1 8081" inside
	result "tcp 198.51.100.1 8080" ECONNREFUSED
	result "tcp 198.51.100.1 8081" ECONNREFUSED
	result "tcp 127.0.0.1 7575" ECONNREFUSED
	result "tcp 10.0.2.2 70" lo
	result "tcp fd00::2 70" lo6
	result "tcp 198.51.100.10 80" ECONNREFUSED
}

@test "hostLoopback in both directions: the gateway leads to the host's loopback, a mapped port into the sandbox, and no other" {
	start_servers
	for_each_carrier both_directions
}

@test "a denial beats hostLoopback" {
	start_servers
	attempts '.network = {ingress: {hostLoopback: "allow"}, egress: {default: "allow", deny: [{to: [{cidr: "10.0.2.2"}]}]}}' \
		tcp 10.0.2.2 70 tcp fd00::2 70
	run_there
	result "tcp 10.0.2.2 70" ECONNREFUSED
	result "tcp fd00::2 70" lo6
}

# From the address that was written to, or a connected socket takes nothing.
asks() { nsenter -t "$1" -n /usr/bin/python3 -c '
import socket, sys
address, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5); s.connect((address, port)); s.send(bytes(size))
print(address, port, s.recv(65536).decode())' "$2" "$3" "${4-1}"; }

@test "datagrams of a mapped port: both host addresses, each client its own answers, large ones, a second address of the host" {
	in_host ip addr add 198.51.100.2/24 dev h0
	policy "$(PEER serve udp 127.0.0.1 7575 inside udp ::1 7676 inside6 tcp 127.0.0.1 7575 stream)" --arg here "$(realpath "$here")" \
		'.version = "1.0.0" | .filesystem.readonlyPaths = [$here] | .network.ingress = {hostLoopback: "allow", default: "allow"}
		| .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 7575, protocol: "udp"}, {hostPort: 8080, containerPort: 7575},
			{hostPort: 8081, containerPort: 7676, protocol: "udp", hostAddress: "::1"},
			{hostPort: 8082, containerPort: 7575, protocol: "udp", hostAddress: "0.0.0.0"},
			{hostPort: 8083, containerPort: 7777, protocol: "udp"}]'
	nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local first=$! relay
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	equal "$(asks "$HOST" 127.0.0.1 8080)" "127.0.0.1 8080 inside"
	equal "$(in_host /usr/bin/python3 "$here/netpeer.py" try tcp 127.0.0.1 8080)" "tcp 127.0.0.1 8080 stream"
	equal "$(asks "$HOST" ::1 8081)" "::1 8081 inside6"
	equal "$(asks "$WORLD" 198.51.100.1 8082 60000)" "198.51.100.1 8082 inside"
	equal "$(asks "$WORLD" 198.51.100.2 8082)" "198.51.100.2 8082 inside"
	equal "$(in_world /usr/bin/python3 "$here/netpeer.py" try udp 198.51.100.1 8080)" "udp 198.51.100.1 8080 TIMEOUT"
	# a flood of clients of a port that nobody serves takes no more than its places, and not those of one that is answered
	equal "$(in_host /usr/bin/python3 -c '
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.settimeout(5); one.connect(("127.0.0.1", 8080))
one.send(b"x"); print(one.recv(100).decode())
for i in range(900):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("127.0.0.1", 8083)); s.close()
one.send(b"x"); print(one.recv(100).decode())')" "inside
inside"
	relay=$(pgrep -P "$first" -x mxcrun-relay)
	echo "$(open_descriptors "$relay" | wc -w) descriptors"
	[ "$(open_descriptors "$relay" | wc -w)" -lt 210 ]
	kill -TERM "$first"
	wait "$first" || true
}

@test "ingress.default: a port that others reach" {
	policy "$(PEER serve tcp 0.0.0.0 7575 inside)" --arg here "$(realpath "$here")" '.version = "1.0.0"
		| .filesystem.readonlyPaths = [$here] | .network.ingress.default = "allow"
		| .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 7575, hostAddress: "198.51.100.1"},
			{hostPort: 8081, containerPort: 7575, hostAddress: "2001:db8:1::1"}]'
	nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local first=$!
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	output=$(in_world /usr/bin/python3 "$here/netpeer.py" try tcp 198.51.100.1 8080 tcp 2001:db8:1::1 8081
		in_host /usr/bin/python3 "$here/netpeer.py" try tcp 127.0.0.1 8080)
	kill -TERM "$first"
	wait "$first" || true
	result "tcp 198.51.100.1 8080" inside
	result "tcp 2001:db8:1::1 8081" inside
	result "tcp 127.0.0.1 8080" ECONNREFUSED
}

@test "a port that ingress doesn't open, one that is taken, and ports beside a proxy are refused by name" {
	local mapping='.version = "1.0.0" | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 7575}]'
	policy 'echo ran' "$mapping"
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "hostLoopback='allow'"
	policy 'echo ran' "$mapping"' | .runtimeConfig.portMappings[0].hostAddress = "198.51.100.1" | .network.ingress.hostLoopback = "allow"'
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "ingress.default='allow'"
	policy 'echo ran' "$mapping"' | .runtimeConfig.portMappings[0].hostAddress = "0.0.0.0" | .network.ingress.default = "allow"'
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "hostLoopback='allow'"
	policy 'echo ran' "$mapping"' | .runtimeConfig.networkProxy = "http://localhost:3128"'
	run_there
	assert_mxc_refused /runtimeConfig/portMappings "beside a proxy"
	serve host tcp 127.0.0.1 8080 taken
	policy 'echo ran' "$mapping"' | .network.ingress.hostLoopback = "allow"'
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "127.0.0.1 tcp port 8080"
	policy 'echo ran' "$mapping"' | .runtimeConfig.portMappings[0].protocol = "icmp"'
	run_there
	assert_mxc_malformed "must be 'tcp' or 'udp'"
	mapping+=' | .runtimeConfig.portMappings[0].protocol = "udp"'
	policy 'echo ran' "$mapping"
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "hostLoopback='allow'"
	serve host udp 127.0.0.1 8080 taken
	policy 'echo ran' "$mapping"' | .network.ingress.hostLoopback = "allow"'
	run_there
	assert_mxc_refused /runtimeConfig/portMappings/0 "127.0.0.1 udp port 8080"
	policy 'echo ran' "$mapping"' | .network.ingress.hostLoopback = "allow" | .runtimeConfig.portMappings += .runtimeConfig.portMappings'
	run_there
	assert_mxc_malformed "hostPort 8080 is mapped twice"
}

# ---- refused, and the ends ----

@test "a host without a program that carries packets is told so, and nothing runs" {
	policy 'echo ran' '.version = "1.0.0" | .network.egress = {default: "allow"}'
	HIDDEN="slirp4netns pasta"
	run_there
	assert_mxc_refused /network/egress/default "install pasta (of passt) or slirp4netns"
}

@test "a host without a default route is served by slirp4netns, which needs none" {
	requires pasta
	start_servers
	in_host ip route del default
	in_host ip -6 route del default
	attempts '.network.egress = {default: "allow"}' tcp 198.51.100.10 80
	run_there
	result "tcp 198.51.100.10 80" web
}

@test "too many different ports are refused; fifty thousand blocks are not" {
	jq -n '[range(0; 5000) | {to: [{cidr: "198.51.100.10"}], ports: [{protocol: "any", port: (. * 2 + 1)}]}]' \
		>"$BATS_TEST_TMPDIR/ports.json"
	policy 'echo ran' --slurpfile p "$BATS_TEST_TMPDIR/ports.json" '.version = "1.0.0" | .network.egress = {allow: $p[0]}'
	run_there
	assert_mxc_refused "too many different"
	start_servers
	jq -n '[range(0; 50000) | {to: [{cidr: "\(20 + . / 10000 | floor).\(. / 250 % 250 | floor).\(. % 250).0/25"}]}]' \
		>"$BATS_TEST_TMPDIR/blocks.json"
	policy "$(PEER try tcp 198.51.100.10 80 tcp 203.0.113.7 80)" --arg here "$(realpath "$here")" \
		--slurpfile b "$BATS_TEST_TMPDIR/blocks.json" '.version = "1.0.0" | .filesystem.readonlyPaths = [$here]
		| .network.egress = {allow: ([{to: [{cidr: "198.51.100.10"}]}] + $b[0])}'
	run_there
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
}

has_carrier() { [ -n "$(carriers)" ]; }
has_no_carrier() { [ -z "$(carriers)" ]; }

# By its place: the sandbox's first process, what that runs, and each program beside it.
one_of() {
	local supervisor=$1 pid init
	for pid in $(pgrep -P "$supervisor"); do
		[ "$(awk '$1 == "NSpid:" && NF > 2 { print $NF }' "/proc/$pid/status")" != 1 ] || init=$pid
	done
	case $2 in
	supervisor) echo "$supervisor" ;;
	init) echo "$init" ;;
	workload) pgrep -P "$init" | head -n 1 ;;
	first) carriers | sed -n 1p ;;
	second) pgrep -P "$supervisor" -x mxcrun-relay ;; # of ports: it has gone inside
	esac
}

@test "SIGKILL of any one process leaves no other: no carrier, no workload, no record" {
	local mode who supervisor
	for mode in '.network.egress = {default: "allow"}' '.runtimeConfig = {networkProxy: "http://127.0.0.1:3128"}' \
		'.network.ingress.hostLoopback = "allow" | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 80}]'; do
		for who in supervisor init workload first second; do
			[ "$who" != second ] || [[ $mode == *portMappings* ]] || continue
			policy 'sleep 500' ".version = \"1.0.0\" | .process.timeout = 0 | $mode"
			nsenter -t "$HOST" -n "$MXCRUN" "${BY[@]}" --root "$STATE" mxc run "$POLICY" </dev/null >/dev/null 2>&1 3>&- 4>&- &
			supervisor=$!
			wait_for 10 has_carrier
			wait_for 10 has_workload
			echo "$mode: $who is $(one_of "$supervisor" "$who")"
			kill -9 "$(one_of "$supervisor" "$who")"
			if [[ $who == first || $who == second ]]; then
				sleep 0.2
				kill -TERM "$supervisor"
			fi
			wait "$supervisor" || true
			wait_for 5 has_no_carrier
			wait_for 5 no_workload
			rt gc >/dev/null
			equal "$(ls -A "$STATE")" ""
			wait_for 5 port_is_closed
		done
	done
}
port_is_closed() { [ "$(in_host ss -Hltn | grep -c :8080)" = 0 ]; }
has_workload() { tagged_processes | grep -q .; }
no_workload() { ! has_workload; }

# What a sandbox of that user brings back: a server of its own at port 7575, then attempts.
users_run() { # FILTER ATTEMPTS...
	local filter=$1 here=$USERDIR
	shift
	policy "$(PEER serve tcp 127.0.0.1 7575 inside) >/tmp/ready & until grep -q ready /tmp/ready; do sleep 0.1; done; $(PEER try "$@")" \
		--arg d "$USERDIR" ".version = \"1.0.0\" | .filesystem.readonlyPaths = [\$d] | $filter"
	cp "$POLICY" "$USERDIR/policy.json"
	chmod 644 "$USERDIR/policy.json"
	run --separate-stderr unshare -m --propagation private nsenter -t "$HOST" -n sh -c '
		mount --bind "$1" /dev/net/tun
		for program in $2; do [ ! -e "/usr/bin/$program" ] || mount --bind /dev/null "$(realpath "/usr/bin/$program")"; done
		cd "$3"; shift 3; exec "$@"' sh "$BATS_TEST_TMPDIR/tun" "${HIDDEN-}" "$USERDIR" \
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups env -i PATH="$PATH" HOME="$USERDIR" XDG_RUNTIME_DIR="$USERDIR" \
		timeout -k 5 "$(slow 60)" "$USERDIR/mxcrun" "${BY[@]}" --root "$USERDIR/state" mxc run policy.json </dev/null 3>&- 4>&-
	echo "$status $output $stderr"
}

users_filters() {
	users_run '.network.egress = {allow: [{to: [{cidr: "198.51.100.10"}]}]}' \
		tcp 198.51.100.10 80 tcp 203.0.113.7 80 icmp 198.51.100.10 0 tcp 10.0.2.2 70
	result "tcp 198.51.100.10 80" web
	result "tcp 203.0.113.7 80" ECONNREFUSED
	result "icmp 198.51.100.10 0" echo
	result "tcp 10.0.2.2 70" ECONNREFUSED
	# by the host's loopback and back in
	users_run '.network.ingress.hostLoopback = "allow" | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 7575}]' \
		tcp 10.0.2.2 70 tcp 10.0.2.2 8080 tcp 198.51.100.10 80
	result "tcp 10.0.2.2 70" lo
	result "tcp 10.0.2.2 8080" inside
	result "tcp 198.51.100.10 80" ECONNREFUSED
}

@test "as an ordinary user: filters, the host's loopback in both directions, a proxy" {
	make_user
	start_servers
	serve host tcp 127.0.0.1 3128 proxy
	cp "$here/netpeer.py" "$USERDIR"
	chmod 644 "$USERDIR/netpeer.py"
	in_host sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	# as it is on hosts with udev
	mknod -m 666 "$BATS_TEST_TMPDIR/tun" c 10 200
	for_each_carrier users_filters
	users_run '.runtimeConfig = {networkProxy: "http://127.0.0.1:3128"}' tcp 127.0.0.1 3128 tcp 198.51.100.10 80 tcp 10.0.2.2 70
	result "tcp 127.0.0.1 3128" proxy
	result "tcp 198.51.100.10 80" ENETUNREACH
	result "tcp 10.0.2.2 70" ECONNREFUSED
}
