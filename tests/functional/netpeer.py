#!/usr/bin/python3
"""Both ends of network.bats.

serve KIND ADDRESS PORT NAME ...   answer NAME to whoever connects (tcp, abstract) or sends (udp); dns: any question with 192.0.2.99
try KIND ADDRESS PORT ...          one line each: what came back, or the name of the error
bulk ADDRESS PORT                  read to the end and print the bytes
"""
import errno
import select
import socket
import struct
import sys


def make(kind, address):
    if kind == "abstract":
        return socket.socket(socket.AF_UNIX)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if kind == "icmp":
        proto = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        return socket.socket(family, socket.SOCK_DGRAM, proto)
    return socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)


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
        s.bind("\0" + address if kind == "abstract" else (address, int(port)))
        if kind in ("tcp", "abstract"):
            s.listen(64)
        sockets[s] = kind, name.encode()
    print("ready", flush=True)
    while True:
        for s in select.select(list(sockets), [], [])[0]:
            kind, name = sockets[s]
            if kind in ("tcp", "abstract"):
                c = s.accept()[0]
                c.sendall(name + b"\n")
                c.close()
                continue
            data, peer = s.recvfrom(65536)
            s.sendto(answer(data) if kind == "dns" else name, peer)


def attempt(kind, address, port):
    s = make("udp" if kind in ("dns", "big") else kind, address)
    s.settimeout(2)
    if kind in ("tcp", "abstract"):
        s.connect("\0" + address if kind == "abstract" else (address, port))
        return s.recv(100).decode().strip() or "closed"
    data = {"dns": question(), "big": bytes(8000), "icmp": struct.pack("!BBHHH", 8, 0, 0, 0, 1)}.get(kind, b"x")
    s.sendto(data, (address, port))
    data = s.recv(65536)
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
