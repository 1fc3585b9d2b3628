#!/bin/bash
# What the relay of a proxy-only sandbox costs beside a direct connection over the same host's loopback: a bulk transfer both ways, a
# round trip of one byte, a connection made and answered. Both in turns; medians. Usage: relay.sh MXCRUN [ROUNDS [MEGABYTES]]
set -euo pipefail
mxcrun=$(realpath "$1") rounds=${2:-7} megabytes=${3:-1000}
dir=$(mktemp -d) port=3987
trap 'kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT

cat >"$dir/peer.py" <<'END_OF_PEER'
import socket, sys, time
SIZE = 1 << 18
buffer = memoryview(bytearray(SIZE))


def take(s, count):
    while count > 0:
        n = s.recv_into(buffer)
        if not n:
            sys.exit("the other end is gone")
        count -= n


def give(s, count):
    for i in range(count // SIZE):
        s.sendall(buffer)


def serve(port):
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        s = listener.accept()[0]
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        what, count = s.recv(64).split()
        count = int(count)
        s.sendall(b"k")
        if what == b"down":
            give(s, count)
        elif what == b"up":
            take(s, count)
            s.sendall(b"k")
        else:
            for i in range(count):
                s.sendall(s.recv(1))
        s.close()


def ask(port, what, count):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(b"%s %d" % (what, count))
    s.recv(1)
    return s


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(port, count):
    s = ask(port, b"down", count)
    down = count / timed(lambda: take(s, count)) / 1e6
    s = ask(port, b"up", count)
    up = count / timed(lambda: (give(s, count), s.recv(1))) / 1e6
    s = ask(port, b"echo", 5000)
    trip = timed(lambda: [(s.sendall(b"x"), s.recv(1)) for i in range(5000)]) / 5000 * 1e6
    made = timed(lambda: [ask(port, b"echo", 0).close() for i in range(500)]) / 500 * 1e6
    print("%.0f %.0f %.1f %.1f" % (down, up, trip, made))


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    measure(int(sys.argv[2]), int(sys.argv[3]) * 1000000 // SIZE * SIZE)
END_OF_PEER

jq -n --arg dir "$dir" --arg command "exec /usr/bin/python3 $dir/peer.py measure $port $megabytes" --arg proxy "http://127.0.0.1:$port" \
	'{version: "1.0.0", process: {commandLine: $command}, filesystem: {readonlyPaths: [$dir]}, runtimeConfig: {networkProxy: $proxy}}' \
	>"$dir/policy.json"
/usr/bin/python3 "$dir/peer.py" serve "$port" &
server=$!
sleep 0.5
for ((i = 0; i < rounds; i++)); do
	echo "direct $(/usr/bin/python3 "$dir/peer.py" measure "$port" "$megabytes")"
	echo "relay $("$mxcrun" --root "$dir/state" mxc run "$dir/policy.json" </dev/null)"
done >"$dir/out"

median() { awk -v way="$1" -v field="$2" '$1 == way { print $field }' "$dir/out" | sort -n | sed -n "$((rounds / 2 + 1))p"; }
printf '%-8s %12s %12s %16s %16s\n' way 'down, MB/s' 'up, MB/s' 'round trip, us' 'connection, us'
for way in direct relay; do
	printf '%-8s %12s %12s %16s %16s\n' "$way" "$(median "$way" 2)" "$(median "$way" 3)" "$(median "$way" 4)" "$(median "$way" 5)"
done
