#!/usr/bin/python3
"""Egress rules at random, and what a naive reading of them lets through (network.bats).

rules.py SEED   a line of JSON, network.egress; then a line for each server of the tests' world: KIND ADDRESS PORT and what `netpeer.py
                try` says: the server's name, or the error of a refusal
"""
import ipaddress
import json
import random
import sys

# Those of networld.bash.
SERVERS = (("tcp", "198.51.100.10", 80, "web"), ("tcp", "198.51.100.10", 81, "other"), ("tcp", "203.0.113.7", 80, "far"),
           ("tcp", "169.254.169.254", 80, "metadata"), ("udp", "198.51.100.10", 90, "udp"),
           ("tcp", "2001:db8:1::10", 80, "web6"), ("udp", "2001:db8:1::10", 90, "udp6"))
BLOCKS = ("0.0.0.0/0", "198.51.100.0/24", "198.51.100.8/29", "198.51.100.10", "198.51.100.11", "203.0.113.0/25", "203.0.113.7/32",
          "128.0.0.0/1", "169.254.0.0/16", "2000::/3", "2001:db8::/32", "2001:db8:1::/64", "2001:db8:1::10", "2001:db8:1::11/128")


def make_peer():
    block = random.choice(BLOCKS)
    outer = ipaddress.ip_network(block)
    inner = [b for b in BLOCKS if b != block and ipaddress.ip_network(b).version == outer.version
             and ipaddress.ip_network(b).subnet_of(outer)]
    peer = {"cidr": block}
    if inner and random.random() < 0.4:
        peer["except"] = random.sample(inner, random.randint(1, min(2, len(inner))))
    return peer


def make_port():
    port = {}
    if random.random() < 0.7:
        port["protocol"] = random.choice(("tcp", "udp", "any"))
    if random.random() < 0.7:
        port["port"] = random.choice((1, 79, 80, 81, 90))
        if random.random() < 0.4:
            port["endPort"] = random.choice((port["port"], 85, 65535))
            port["port"] = min(port["port"], port["endPort"])
    return port


def make_rule():
    rule = {}
    if random.random() < 0.9:
        rule["to"] = [make_peer() for _ in range(random.randint(1, 3))]
    if random.random() < 0.6:
        rule["ports"] = [make_port() for _ in range(random.randint(1, 2))]
    return rule


def is_in(address, peer):
    address = ipaddress.ip_address(address)
    return address in ipaddress.ip_network(peer["cidr"]) and not any(
        address in ipaddress.ip_network(block) for block in peer.get("except", ()))


def is_port(kind, number, port):
    first = port.get("port", 0)
    last = port.get("endPort", port.get("port", 65535))
    return port.get("protocol", "any") in (kind, "any") and first <= number <= last


def hits(rule, kind, address, number):
    return ("to" not in rule or any(is_in(address, peer) for peer in rule["to"])) and (
        "ports" not in rule or any(is_port(kind, number, port) for port in rule["ports"]))


def main():
    random.seed(int(sys.argv[1]))
    egress = {"default": random.choice(("allow", "deny")), "allow": [make_rule() for _ in range(random.randint(1, 3))],
              "deny": [make_rule() for _ in range(random.randint(0, 2))]}
    print(json.dumps(egress))
    for kind, address, number, name in SERVERS:
        allowed = any(hits(rule, kind, address, number) for rule in egress["allow"]) or egress["default"] == "allow"
        if any(hits(rule, kind, address, number) for rule in egress["deny"]):
            allowed = False
        print(kind, address, number, name if allowed else {"tcp": "ECONNREFUSED", "udp": "EPERM"}[kind])


main()
