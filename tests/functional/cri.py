#!/usr/bin/python3
"""cri.py SOCKET METHOD: one call of the Container Runtime Interface, as a kubelet makes it; request and answer are JSON.

Only those messages and fields that the tests use; an answer's other fields are left out. A refusal goes to standard error, with status 1.
Their numbers are those of runtime.v1 (kubernetes/cri-api, pkg/apis/runtime/v1/api.proto).
"""
import json
import sys

import grpc

# message: {field: (number, kind)}. A kind is text, number, flag, map (of texts) or a message; in a list: repeated.
MESSAGES = {
    "Metadata": {"name": (1, "text"), "uid": (2, "text"), "namespace": (3, "text"), "attempt": (4, "number")},
    "Value": {"value": (1, "number")},
    "IdMapping": {"host_id": (1, "number"), "container_id": (2, "number"), "length": (3, "number")},
    "UserNamespace": {"mode": (1, "number"), "uids": (2, ["IdMapping"]), "gids": (3, ["IdMapping"])},
    "Namespaces": {"network": (1, "number"), "pid": (2, "number"), "ipc": (3, "number"), "target_id": (4, "text"),
                   "userns_options": (5, "UserNamespace")},
    "Profile": {"profile_type": (1, "number"), "localhost_ref": (2, "text")},
    "PodSecurity": {"namespace_options": (1, "Namespaces"), "privileged": (6, "flag"), "seccomp": (9, "Profile"),
                    "apparmor": (10, "Profile")},
    "PodLinux": {"cgroup_parent": (1, "text"), "security_context": (2, "PodSecurity"), "sysctls": (3, "map")},
    "Pod": {"metadata": (1, "Metadata"), "hostname": (2, "text"), "log_directory": (3, "text"), "labels": (6, "map"),
            "annotations": (7, "map"), "linux": (8, "PodLinux")},
    "Image": {"image": (1, "text")},
    "KeyValue": {"key": (1, "text"), "value": (2, "text")},
    "Resources": {"cpu_period": (1, "number"), "cpu_quota": (2, "number"), "cpu_shares": (3, "number"),
                  "memory_limit_in_bytes": (4, "number"), "oom_score_adj": (5, "number"), "unified": (9, "map")},
    "Capabilities": {"add_capabilities": (1, ["text"]), "drop_capabilities": (2, ["text"])},
    "Security": {"capabilities": (1, "Capabilities"), "privileged": (2, "flag"), "namespace_options": (3, "Namespaces"),
                 "run_as_user": (5, "Value"), "run_as_group": (12, "Value"), "readonly_rootfs": (7, "flag"),
                 "supplemental_groups": (8, ["number"]), "no_new_privs": (11, "flag"), "masked_paths": (13, ["text"]),
                 "readonly_paths": (14, ["text"]), "seccomp": (15, "Profile"), "apparmor": (16, "Profile")},
    "Linux": {"resources": (1, "Resources"), "security_context": (2, "Security")},
    "Mount": {"container_path": (1, "text"), "host_path": (2, "text"), "readonly": (3, "flag"), "propagation": (5, "number")},
    "Container": {"metadata": (1, "Metadata"), "image": (2, "Image"), "command": (3, ["text"]), "args": (4, ["text"]),
                  "working_dir": (5, "text"), "envs": (6, ["KeyValue"]), "mounts": (7, ["Mount"]), "annotations": (10, "map"),
                  "log_path": (11, "text"), "tty": (14, "flag"), "linux": (15, "Linux")},
    "Status": {"id": (1, "text"), "state": (3, "number"), "exit_code": (7, "number"), "reason": (10, "text"), "message": (11, "text")},
    "Ip": {"ip": (1, "text")},
    "PodStatus": {"id": (1, "text"), "state": (3, "number"), "network": (5, "Ip")},
    "Used": {"usage_core_nano_seconds": (2, "Value"), "working_set_bytes": (2, "Value")},
    "Stats": {"cpu": (2, "Used"), "memory": (3, "Used")},
}

POD = {"pod_sandbox_id": (1, "text")}
CONTAINER = {"container_id": (1, "text")}

# method: (request, answer)
METHODS = {
    "RunPodSandbox": ({"config": (1, "Pod"), "runtime_handler": (2, "text")}, POD),
    "PodSandboxStatus": (POD, {"status": (1, "PodStatus")}),
    "StopPodSandbox": (POD, {}),
    "RemovePodSandbox": (POD, {}),
    "CreateContainer": ({**POD, "config": (2, "Container"), "sandbox_config": (3, "Pod")}, CONTAINER),
    "StartContainer": (CONTAINER, {}),
    "ContainerStatus": ({**CONTAINER, "verbose": (2, "flag")}, {"status": (1, "Status"), "info": (2, "map")}),
    "ContainerStats": (CONTAINER, {"stats": (1, "Stats")}),
    "UpdateContainerResources": ({**CONTAINER, "linux": (2, "Resources")}, {}),
    "ExecSync": ({**CONTAINER, "cmd": (2, ["text"]), "timeout": (3, "number")},
                 {"stdout": (1, "text"), "stderr": (2, "text"), "exit_code": (3, "number")}),
    "StopContainer": ({**CONTAINER, "timeout": (2, "number")}, {}),
    "RemoveContainer": (CONTAINER, {}),
}


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def encode_one(number, kind, value):
    if kind in ("number", "flag"):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if kind == "text" else encode(MESSAGES[kind], value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(fields, message):
    out = b""
    for name, value in message.items():
        number, kind = fields[name]
        if kind == "map":
            entry = MESSAGES["KeyValue"]
            for key, text in value.items():
                data = encode(entry, {"key": key, "value": text})
                out += varint(number << 3 | 2) + varint(len(data)) + data
        elif isinstance(kind, list):
            out += b"".join(encode_one(number, kind[0], item) for item in value)
        else:
            out += encode_one(number, kind, value)
    return out


def read_varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def parts(data):
    """Each field on the wire: its number, and its value as a number or bytes."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        else:
            size, at = {1: (8, at), 5: (4, at)}.get(tag & 7) or read_varint(data, at)
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def decode(fields, data):
    by_number = {}
    for name, (number, kind) in fields.items():
        by_number.setdefault(number, []).append((name, kind))
    out = {}
    for number, value in parts(data):
        for name, kind in by_number.get(number, ()):
            if kind == "map":
                entry = decode(MESSAGES["KeyValue"], value)
                out.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
            elif kind == "text":
                out[name] = value.decode(errors="replace")
            else:
                out[name] = value if kind in ("number", "flag") else decode(MESSAGES[kind], value)
    return out


def main():
    socket, method = sys.argv[1:]
    request, answer = METHODS[method]
    with grpc.insecure_channel("unix://" + socket) as channel:
        call = channel.unary_unary("/runtime.v1.RuntimeService/" + method)
        try:
            data = call(encode(request, json.load(sys.stdin)), timeout=60)
        except grpc.RpcError as refused:
            sys.exit(f"cri.py: {method}: {refused.details()}")
    json.dump(decode(answer, data), sys.stdout)


main()
