#!/usr/bin/python3
"""Both ends of network.bats.

serve KIND ADDRESS PORT NAME ...   answer NAME to whoever connects (tcp, sctp, abstract) or sends (udp, udplite); dns: any question
                                   with 192.0.2.99
try KIND ADDRESS PORT ...          one line each: what came back, or the name of the error; also icmp, mptcp, big (a datagram in fragments)
bulk ADDRESS PORT                  read to the end and print the bytes
"""
import errno
import os
import select
import socket
import struct
import sys


STREAMS = "tcp", "mptcp", "sctp"


def make(kind, address):
    if kind == "abstract":
        return socket.socket(socket.AF_UNIX)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if kind == "icmp":
        proto = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        return socket.socket(family, socket.SOCK_DGRAM, proto)
    protocol = {"mptcp": 262, "sctp": socket.IPPROTO_SCTP, "udplite": 136}.get(kind, 0)
    return socket.socket(family, socket.SOCK_STREAM if kind in STREAMS else socket.SOCK_DGRAM, protocol)


def place(address, port):
    """With the number of the interface behind the address of a link."""
    at, _, interface = address.partition("%")
    return (at, port, 0, socket.if_nametoindex(interface)) if interface else (address, port)


def question(name=b"\x07example\x03org\x00"):
    return b"\x12\x34\x01\x00\x00\x01" + bytes(6) + name + b"\x00\x01\x00\x01"


def answer(data):
    return data[:2] + b"\x81\x80\x00\x01\x00\x01" + bytes(4) + data[12:] + b"\xc0\x0c\x00\x01\x00\x01" + \
        bytes(3) + b"\x3c\x00\x04" + socket.inet_aton("192.0.2.99")


def serve(words):
    sockets = {}
    for kind, address, port, name in zip(*[iter(words)] * 4):
        s = make("udp" if kind == "dns" else kind, address)
        if kind != "abstract":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if s.family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind("\0" + address if kind == "abstract" else place(address, int(port)))
        if kind in STREAMS + ("abstract",):
            s.listen(64)
        sockets[s] = kind, name.encode()
    print("ready", flush=True)
    while True:
        for s in select.select(list(sockets), [], [])[0]:
            kind, name = sockets[s]
            if kind in STREAMS + ("abstract",):
                c = s.accept()[0]
                c.sendall(name + b"\n")
                c.close()
                continue
            data, peer = s.recvfrom(65536)
            s.sendto(answer(data) if kind == "dns" else name, peer)


def attempt(kind, address, port):
    s = make("udp" if kind in ("dns", "big") else kind, address)
    s.settimeout(2 * float(os.environ.get("MXCRUN_TEST_SLOW", 1)))
    if kind in STREAMS + ("abstract",):
        s.connect("\0" + address if kind == "abstract" else place(address, port))
        return s.recv(100).decode().strip() or "closed"
    echo = struct.pack("!BBHHH", 128 if s.family == socket.AF_INET6 else 8, 0, 0, 0, 1)
    data = {"dns": question(), "big": bytes(8000), "icmp": echo}.get(kind, b"x")
    s.sendto(data, place(address, port))
    data = s.recv(65536)
    if kind == "icmp":
        return "echo" if data[0] in (0, 129) else "ICMP %d" % data[0]
    return "192.0.2.99" if kind == "dns" and data.endswith(socket.inet_aton("192.0.2.99")) else data.decode("latin1")


def try_all(words):
    for kind, address, port in zip(*[iter(words)] * 3):
        try:
            result = attempt(kind, address, int(port))
        except socket.timeout:
            result = "TIMEOUT"
        except OSError as e:
            result = errno.errorcode.get(e.errno, str(e))
        print(kind, address, port, result, flush=True)


def bulk(address, port):
    s = socket.create_connection((address, int(port)))
    count = 0
    while data := s.recv(1 << 18):
        count += len(data)
    print(count)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    elif sys.argv[1] == "try":
        try_all(sys.argv[2:])
    elif sys.argv[1] == "bulk":
        bulk(sys.argv[2], sys.argv[3])
    else:
        sys.exit("what?")
