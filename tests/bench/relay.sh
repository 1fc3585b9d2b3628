#!/bin/bash
# What the relay of a proxy-only sandbox costs beside a direct connection over the same host's loopback: a bulk transfer both ways, as fast
# as both ends can; with a server that gives and takes 1 and 10 Gbit/s, as if a wire were behind it; a round trip of one byte; a connection
# made and answered; a file that a web server reads and curl fetches, plain and by TLS. All in turns; medians. The last two rows are of
# programs that choose reno for themselves, whatever the machine's congestion control is. Usage: relay.sh MXCRUN [ROUNDS [MEGABYTES]]
set -euo pipefail
mxcrun=$(realpath "$1") rounds=${2:-7} megabytes=${3:-1000}
dir=$(mktemp -d) port=3987 http=3988 https=3989 reno=3990
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; rm -rf "$dir"' EXIT

cat >"$dir/peer.py" <<'END_OF_PEER'
import socket, sys, time
SIZE = 1 << 18
buffer = memoryview(bytearray(SIZE))


class Wire:
    """Holds its user back to so many bytes a second; 0: to none."""

    def __init__(self, rate):
        self.rate, self.moved, self.start = rate, 0, time.perf_counter()

    def move(self, count):
        self.moved += count
        ahead = self.rate and self.moved / self.rate - (time.perf_counter() - self.start)
        if ahead > 0:
            time.sleep(ahead)


def take(s, count, rate=0):
    wire = Wire(rate)
    while count > 0:
        n = s.recv_into(buffer)
        if not n:
            sys.exit("the other end is gone")
        count -= n
        wire.move(n)


def give(s, count, rate=0):
    wire = Wire(rate)
    for i in range(count // SIZE):
        s.sendall(buffer)
        wire.move(SIZE)


def tune(s):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if "reno" in sys.argv:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def serve(port):
    listener = socket.create_server(("127.0.0.1", port))
    tune(listener)
    while True:
        s = listener.accept()[0]
        what, count, rate = s.recv(64).split()
        count, rate = int(count), int(rate)
        s.sendall(b"k")
        if what == b"down":
            give(s, count, rate)
        elif what == b"up":
            take(s, count, rate)
            s.sendall(b"k")
        else:
            for i in range(count):
                s.sendall(s.recv(1))
        s.close()


def ask(port, what, count, rate=0):
    s = socket.socket()
    tune(s)
    s.connect(("127.0.0.1", port))
    s.sendall(b"%s %d %d" % (what, count, rate))
    s.recv(1)
    return s


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bulk(port, count, rate=0):
    s = ask(port, b"down", count, rate)
    down = count / timed(lambda: take(s, count)) / 1e6
    s = ask(port, b"up", count, rate)
    return [down, count / timed(lambda: (give(s, count), s.recv(1))) / 1e6]


def measure(port, count):
    moved = bulk(port, count) + bulk(port, 400 * SIZE, 125000000) + bulk(port, 2000 * SIZE, 1250000000)
    s = ask(port, b"echo", 5000)
    trip = timed(lambda: [(s.sendall(b"x"), s.recv(1)) for i in range(5000)]) / 5000 * 1e6
    made = timed(lambda: [ask(port, b"echo", 0).close() for i in range(500)]) / 500 * 1e6
    print(*("%.1f" % value for value in moved + [trip, made]))


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    measure(int(sys.argv[2]), int(sys.argv[3]) * 1000000 // SIZE * SIZE)
END_OF_PEER

cat >"$dir/web.py" <<'END_OF_WEB'
import functools, http.server, ssl, sys

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END_OF_WEB

# A policy for each way: a sandbox has one proxy.
policy() { # PORT COMMAND
	jq -n --arg dir "$dir" --arg command "exec $2" --arg proxy "http://127.0.0.1:$1" '{version: "1.0.0", process: {commandLine: $command},
		filesystem: {readonlyPaths: [$dir]}, runtimeConfig: {networkProxy: $proxy}}' >"$dir/policy.$1.json"
}
relayed() { "$mxcrun" --root "$dir/state" mxc run "$dir/policy.$1.json" </dev/null; }
serve() {
	/usr/bin/python3 "$@" >/dev/null 2>&1 &
	servers+=($!)
}

mkdir "$dir/www"
head -c "$((megabytes * 1000000))" /dev/zero >"$dir/www/file"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$dir/key" -out "$dir/pem" 2>/dev/null
cat "$dir/key" >>"$dir/pem"
measure="/usr/bin/python3 $dir/peer.py measure $port $megabytes"
fetch="/usr/bin/curl -sk --noproxy * -o /dev/null -w %{speed_download}"
policy "$port" "$measure"
policy "$reno" "${measure/$port/$reno} reno"
policy "$http" "${fetch/\*/"'*'"} http://127.0.0.1:$http/file"
policy "$https" "${fetch/\*/"'*'"} https://127.0.0.1:$https/file"
serve "$dir/peer.py" serve "$port"
serve "$dir/peer.py" serve "$reno" reno
serve "$dir/web.py" "$http" "$dir/www"
serve "$dir/web.py" "$https" "$dir/www" "$dir/pem"
sleep 1
set -f
for ((i = 0; i < rounds; i++)); do
	echo "direct $($measure) $($fetch http://127.0.0.1:$http/file) $($fetch https://127.0.0.1:$https/file)"
	echo "relay $(relayed $port) $(relayed $http) $(relayed $https)"
	echo "direct,reno $(${measure/$port/$reno} reno)"
	echo "relay,reno $(relayed $reno)"
done | awk 'NF > 10 { $10 /= 1e6; $11 /= 1e6 } 1' >"$dir/out"

median() { awk -v way="$1" -v field="$2" '$1 == way && $field != "" { print $field }' "$dir/out" | sort -n | sed -n "$((rounds / 2 + 1))p"; }
printf '| %s ' way 'down, MB/s' 'up, MB/s' 'down at 1 Gbit/s' 'up at 1 Gbit/s' 'down at 10 Gbit/s' 'up at 10 Gbit/s' 'round trip, us' \
	'connection, us' 'http, MB/s' 'https, MB/s'
echo '|'
for way in direct relay direct,reno relay,reno; do
	printf '| %s ' "$way"
	for field in 2 3 4 5 6 7 8 9 10 11; do
		value=$(median "$way" "$field")
		printf '| %.0f ' "${value:-0}"
	done
	echo '|'
done
