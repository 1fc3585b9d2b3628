#!/usr/bin/env bats
# Each field of a policy has an effect, or is refused, or is one of the few that have none on Linux by the specification:
# a field is changed, and the plan has to change with it. Which fields there are the parser itself is asked.

load helpers
GUARDS="jq mxcrun"

test_setup() {
	D=$BATS_TEST_TMPDIR/data
	mkdir -p "$D"/{a,b,c}
}

# A line: version; the field, without indices; effect, none, or who (carries the plan out, which stays as it is); what the document is changed to before; the change.
FIELDS='
1.1.0-alpha|$schema|none|.|.["$schema"] = "x"
1.1.0-alpha|_comment|none|.|._comment = {a: [1]}
1.1.0-alpha|version|none|.|.version = "1.0.0"
1.1.0-alpha|containerId|none|.|.containerId = "x"
1.1.0-alpha|containment|effect|.|.containment = "lxc"
1.1.0-alpha|process|effect|.|.process = {commandLine: "false"}
1.1.0-alpha|process.commandLine|effect|.|.process.commandLine = "false"
1.1.0-alpha|process.cwd|effect|.|.process.cwd = "/etc"
1.1.0-alpha|process.env|effect|.|.process.env = ["A=2"]
1.1.0-alpha|process.inheritDefaultEnv|effect|.|.process.inheritDefaultEnv = true
1.1.0-alpha|process.timeout|effect|.|.process.timeout = 2000
1.1.0-alpha|lifecycle|none|.|.lifecycle = {}
1.1.0-alpha|lifecycle.destroyOnExit|none|.|.lifecycle.destroyOnExit = false
1.1.0-alpha|lifecycle.preservePolicy|none|.|.lifecycle.preservePolicy = true
1.1.0-alpha|filesystem|effect|.|del(.filesystem)
1.1.0-alpha|filesystem.readwritePaths|effect|.|.filesystem.readwritePaths = [$d + "/b"]
1.1.0-alpha|filesystem.readonlyPaths|effect|.|.filesystem.readonlyPaths = [$d + "/b"]
1.1.0-alpha|filesystem.deniedPaths|effect|.|.filesystem.deniedPaths = [$d]
1.1.0-alpha|filesystem.deniedPaths.path|effect|.filesystem.deniedPaths = [{path: $d, type: "directory"}]|.filesystem.deniedPaths[0].path = $d + "/c"
1.1.0-alpha|filesystem.deniedPaths.type|effect|.filesystem.deniedPaths = [{path: "/absent", type: "directory"}]|.filesystem.deniedPaths[0].type = "file"
1.1.0-alpha|network|effect|.|.network = {egress: {default: "allow"}}
1.1.0-alpha|network.egress|effect|.|.network.egress = {default: "allow"}
1.1.0-alpha|network.egress.default|effect|.|.network.egress.default = "allow"
1.1.0-alpha|network.egress.allow|effect|.|.network.egress.allow = [{to: [{cidr: "192.0.2.0/24"}]}]
1.1.0-alpha|network.egress.deny|effect|.network.egress.default = "allow"|.network.egress.deny = [{to: [{cidr: "192.0.2.0/24"}]}]
1.1.0-alpha|network.egress.allow.to|effect|.network.egress.allow = [{}]|.network.egress.allow[0].to = [{cidr: "192.0.2.0/24"}]
1.1.0-alpha|network.egress.allow.ports|effect|.network.egress.allow = [{}]|.network.egress.allow[0].ports = [{port: 80}]
1.1.0-alpha|network.egress.allow.to.cidr|effect|.network.egress.allow = [{to: [{cidr: "192.0.2.0/24"}]}]|.network.egress.allow[0].to[0].cidr = "192.0.2.0/25"
1.1.0-alpha|network.egress.allow.to.except|effect|.network.egress.allow = [{to: [{cidr: "192.0.2.0/24"}]}]|.network.egress.allow[0].to[0].except = ["192.0.2.8/29"]
1.1.0-alpha|network.egress.allow.ports.protocol|effect|.network.egress.allow = [{ports: [{port: 80}]}]|.network.egress.allow[0].ports[0].protocol = "udp"
1.1.0-alpha|network.egress.allow.ports.port|effect|.network.egress.allow = [{ports: [{port: 80}]}]|.network.egress.allow[0].ports[0].port = 81
1.1.0-alpha|network.egress.allow.ports.endPort|effect|.network.egress.allow = [{ports: [{port: 80}]}]|.network.egress.allow[0].ports[0].endPort = 90
1.1.0-alpha|network.egress.deny.to|effect|.network.egress = {default: "allow", deny: [{}]}|.network.egress.deny[0].to = [{cidr: "192.0.2.0/24"}]
1.1.0-alpha|network.egress.deny.to.cidr|effect|.network.egress = {default: "allow", deny: [{to: [{cidr: "192.0.2.0/24"}]}]}|.network.egress.deny[0].to[0].cidr = "192.0.2.0/25"
1.1.0-alpha|network.egress.deny.to.except|effect|.network.egress = {default: "allow", deny: [{to: [{cidr: "192.0.2.0/24"}]}]}|.network.egress.deny[0].to[0].except = ["192.0.2.8/29"]
1.1.0-alpha|network.egress.deny.ports|effect|.network.egress = {default: "allow", deny: [{}]}|.network.egress.deny[0].ports = [{port: 80}]
1.1.0-alpha|network.egress.deny.ports.protocol|effect|.network.egress = {default: "allow", deny: [{ports: [{port: 80}]}]}|.network.egress.deny[0].ports[0].protocol = "udp"
1.1.0-alpha|network.egress.deny.ports.port|effect|.network.egress = {default: "allow", deny: [{ports: [{port: 80}]}]}|.network.egress.deny[0].ports[0].port = 81
1.1.0-alpha|network.egress.deny.ports.endPort|effect|.network.egress = {default: "allow", deny: [{ports: [{port: 80}]}]}|.network.egress.deny[0].ports[0].endPort = 90
1.1.0-alpha|network.ingress|effect|.|.network.ingress = {default: "allow"}
1.1.0-alpha|network.ingress.default|effect|.|.network.ingress.default = "allow"
1.1.0-alpha|network.ingress.hostLoopback|effect|.|.network.ingress.hostLoopback = "allow"
1.1.0-alpha|runtimeConfig|effect|.|.runtimeConfig = {networkProxy: "http://127.0.0.1:3128"}
1.1.0-alpha|runtimeConfig.portMappings|effect|.network.ingress.hostLoopback = "allow"|.runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 80}]
1.1.0-alpha|runtimeConfig.portMappings.hostPort|effect|. * {network: {ingress: {hostLoopback: "allow"}}, runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80}]}}|.runtimeConfig.portMappings[0].hostPort = 8081
1.1.0-alpha|runtimeConfig.portMappings.containerPort|effect|. * {network: {ingress: {hostLoopback: "allow"}}, runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80}]}}|.runtimeConfig.portMappings[0].containerPort = 81
1.1.0-alpha|runtimeConfig.portMappings.protocol|effect|. * {network: {ingress: {hostLoopback: "allow"}}, runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80}]}}|.runtimeConfig.portMappings[0].protocol = "udp"
1.1.0-alpha|runtimeConfig.portMappings.hostAddress|effect|. * {network: {ingress: {hostLoopback: "allow"}}, runtimeConfig: {portMappings: [{hostPort: 8080, containerPort: 80}]}}|.runtimeConfig.portMappings[0].hostAddress = "::1"
1.1.0-alpha|runtimeConfig.networkProxy|effect|.|.runtimeConfig.networkProxy = "http://127.0.0.1:3128"
1.1.0-alpha|lxc|effect|.|.lxc = {distribution: "a", release: "1"}
1.1.0-alpha|ui|none|.|.ui = {}
1.1.0-alpha|ui.disable|effect|.process.env = ["DISPLAY=:0"]|.ui.disable = true
1.1.0-alpha|ui.clipboard|none|.|.ui.clipboard = "all"
1.1.0-alpha|ui.injection|none|.|.ui.injection = true
1.1.0-alpha|fallback|none|.|.fallback = {}
1.1.0-alpha|fallback.allowDaclMutation|none|.|.fallback.allowDaclMutation = false
1.1.0-alpha|telemetry|none|.|.telemetry = {}
1.1.0-alpha|telemetry.enabled|none|.|.telemetry.enabled = true
1.1.0-alpha|test|none|.|.test = {message: "x"}
1.1.0-alpha|processContainer|effect|.|.processContainer = {}
1.1.0-alpha|seatbelt|effect|.|.seatbelt = {}
1.1.0-alpha|wslc|effect|.|.wslc = {}
1.1.0-alpha|hyperlight|effect|.|.hyperlight = {}
1.1.0-alpha|windowsSandbox|effect|.|.windowsSandbox = {}
1.1.0-alpha|bubblewrap.resources.memoryMb|effect|.|.bubblewrap.resources.memoryMb = 64
1.1.0-alpha|bubblewrap.resources.cpuCount|effect|.|.bubblewrap.resources.cpuCount = 1
1.1.0-alpha|bubblewrap.resources.pids|effect|.|.bubblewrap.resources.pids = 64
1.1.0-alpha|bubblewrap.seccompProfile|effect|.|.bubblewrap.seccompProfile = "denylist"
1.1.0-alpha|bubblewrap.keepCaps|effect|.|.bubblewrap.keepCaps = ["CAP_KILL"]
1.1.0-alpha|bubblewrap.dropCaps|effect|.bubblewrap.keepCaps = ["CAP_KILL", "CAP_CHOWN"]|.bubblewrap.dropCaps = ["CAP_KILL"]
1.1.0-alpha|bubblewrap.namespaces|effect|.|.bubblewrap.namespaces = {ipc: false}
1.1.0-alpha|bubblewrap.namespaces.cgroup|effect|.|.bubblewrap.namespaces.cgroup = false
1.1.0-alpha|bubblewrap.namespaces.ipc|effect|.|.bubblewrap.namespaces.ipc = false
1.1.0-alpha|bubblewrap.namespaces.mount|effect|.|.bubblewrap.namespaces.mount = false
1.1.0-alpha|bubblewrap.namespaces.network|effect|.|.bubblewrap.namespaces.network = false
1.1.0-alpha|bubblewrap.namespaces.pid|effect|.|.bubblewrap.namespaces.pid = false
1.1.0-alpha|bubblewrap.namespaces.time|effect|.|.bubblewrap.namespaces.time = true
1.1.0-alpha|bubblewrap.namespaces.user|effect|.|.bubblewrap.namespaces.user = false
1.1.0-alpha|bubblewrap.namespaces.uts|effect|.|.bubblewrap.namespaces.uts = false
1.1.0-alpha|bubblewrap.newSession|effect|.bubblewrap.newSession = true|.bubblewrap.newSession = false
1.1.0-alpha|bubblewrap.dieWithParent|effect|.|.bubblewrap.dieWithParent = true
1.1.0-alpha|bubblewrap.argv0|effect|.|.bubblewrap.argv0 = "x"
1.1.0-alpha|bubblewrap.engine|who|.|.bubblewrap.engine = "native"
1.1.0-alpha|bubblewrap.customBinds|effect|.|.bubblewrap.customBinds = [{source: ($d + "/b"), destination: "/x"}]
1.1.0-alpha|bubblewrap.customBinds.source|effect|.bubblewrap.customBinds = [{source: ($d + "/b"), destination: "/x"}]|.bubblewrap.customBinds[0].source = $d + "/a"
1.1.0-alpha|bubblewrap.customBinds.destination|effect|.bubblewrap.customBinds = [{source: ($d + "/b"), destination: "/x"}]|.bubblewrap.customBinds[0].destination = "/y"
1.1.0-alpha|bubblewrap.customBinds.readOnly|effect|.bubblewrap.customBinds = [{source: ($d + "/b"), destination: "/x"}]|.bubblewrap.customBinds[0].readOnly = false
1.1.0-alpha|bubblewrap.tmpfsMounts|effect|.|.bubblewrap.tmpfsMounts = [{path: "/x"}]
1.1.0-alpha|bubblewrap.tmpfsMounts.path|effect|.bubblewrap.tmpfsMounts = [{path: "/x"}]|.bubblewrap.tmpfsMounts[0].path = "/y"
1.1.0-alpha|bubblewrap.tmpfsMounts.sizeMb|effect|.bubblewrap.tmpfsMounts = [{path: "/x"}]|.bubblewrap.tmpfsMounts[0].sizeMb = 1
1.1.0-alpha|bubblewrap.symlinks|effect|.|.bubblewrap.symlinks = [{path: "/x", target: "/tmp"}]
1.1.0-alpha|bubblewrap.symlinks.path|effect|.bubblewrap.symlinks = [{path: "/x", target: "/tmp"}]|.bubblewrap.symlinks[0].path = "/y"
1.1.0-alpha|bubblewrap.symlinks.target|effect|.bubblewrap.symlinks = [{path: "/x", target: "/tmp"}]|.bubblewrap.symlinks[0].target = "/etc"
1.1.0-alpha|bubblewrap.resources.io|effect|.|.bubblewrap.resources.io = {weight: 100}
1.1.0-alpha|bubblewrap.resources.io.weight|effect|.|.bubblewrap.resources.io.weight = 100
1.1.0-alpha|bubblewrap.resources.io.devices|effect|.|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]
1.1.0-alpha|bubblewrap.resources.io.devices.device|effect|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]|.bubblewrap.resources.io.devices[0].device = "8:1"
1.1.0-alpha|bubblewrap.resources.io.devices.readBps|effect|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]|.bubblewrap.resources.io.devices[0].readBps = 2
1.1.0-alpha|bubblewrap.resources.io.devices.writeBps|effect|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]|.bubblewrap.resources.io.devices[0].writeBps = 2
1.1.0-alpha|bubblewrap.resources.io.devices.readIops|effect|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]|.bubblewrap.resources.io.devices[0].readIops = 2
1.1.0-alpha|bubblewrap.resources.io.devices.writeIops|effect|.bubblewrap.resources.io.devices = [{device: "8:0", readBps: 1}]|.bubblewrap.resources.io.devices[0].writeIops = 2
1.1.0-alpha|bubblewrap.resources|effect|.|.bubblewrap.resources = {pids: 64}
1.1.0-alpha|bubblewrap|effect|.|.bubblewrap = {argv0: "x"}
0.8.0-alpha|experimental|none|.|.experimental = {telemetry: {enabled: true}}
0.8.0-alpha|appContainer|effect|.|.appContainer = {}
0.8.0-alpha|macos_sandbox|effect|.|.macos_sandbox = {}
0.8.0-alpha|phase|effect|.|.phase = "exec"
0.8.0-alpha|sandboxId|effect|.|.sandboxId = "x"
0.8.0-alpha|correlationVector|effect|.|.correlationVector = "x"
0.8.0-alpha|network.defaultPolicy|effect|.|.network.defaultPolicy = "allow"
0.8.0-alpha|network.enforcementMode|effect|.network = {allowedHosts: ["192.0.2.1"], enforcementMode: "firewall"}|.network.enforcementMode = "capabilities"
0.8.0-alpha|network.allowLocalNetwork|effect|.|.network.allowLocalNetwork = true
0.8.0-alpha|network.allowedHosts|effect|.|.network.allowedHosts = ["192.0.2.1"]
0.8.0-alpha|network.blockedHosts|effect|.|.network.blockedHosts = ["192.0.2.1"]
0.8.0-alpha|network.proxy|effect|.|.network.proxy = {localhost: 3128}
0.8.0-alpha|network.proxy.localhost|effect|.network = {defaultPolicy: "allow", proxy: {localhost: 3128}}|.network.proxy.localhost = 3129
0.8.0-alpha|network.proxy.url|effect|.network = {defaultPolicy: "allow", proxy: {url: "http://192.0.2.1:3128"}}|.network.proxy.url = "http://192.0.2.2:3128"
0.8.0-alpha|network.proxy.builtinTestServer|effect|.network = {defaultPolicy: "allow", proxy: {localhost: 3128}}|.network.proxy = {builtinTestServer: true}
'

base() {
	jq -n --arg v "$1" --arg d "$D" '{version: $v, process: {commandLine: "true", cwd: "/tmp", env: ["A=1"], timeout: 1000},
		filesystem: {readwritePaths: [$d + "/a"], readonlyPaths: [$d + "/c"]}}'
}

# The plan of a document on standard input, without what is new in every plan; nothing when it is refused.
plan_of() {
	"$MXCRUN" --root "$STATE" mxc plan /dev/stdin 2>"$BATS_TEST_TMPDIR/err" | sed 's/sandbox-[0-9a-f]\{16\}/ID/g' | jq -S .
}

@test "a changed field changes the plan or is refused by name; those without effect are known" {
	local version field class before change plan changed name failed=0 count=0
	while IFS='|' read -r version field class before change; do
		[ -n "$version" ] || continue
		count=$((count + 1))
		name=${field##*.}
		plan=$(base "$version" | jq --arg d "$D" "$before" | plan_of)
		# What this host lacks is no matter of fields: tests/unit/test_flips.c has a host with all of it.
		[ -n "$plan" ] || ! grep -qE "cgroup controller|no program on this host" "$BATS_TEST_TMPDIR/err" || continue
		changed=$(base "$version" | jq --arg d "$D" "$before" | jq --arg d "$D" "$change" | plan_of)
		case $class in
		none | who) [ -n "$plan" ] && [ "$plan" = "$changed" ] ;;
		effect) [ -n "$plan" ] && if [ -n "$changed" ]; then [ "$plan" != "$changed" ]; else [ -s "$BATS_TEST_TMPDIR/err" ]; fi ;;
		esac && continue
		echo "$version $field: not $class; $(head -c 300 "$BATS_TEST_TMPDIR/err") ($name)" >&2
		failed=$((failed + 1))
	done <<<"$FIELDS"
	[ "$count" -ge 60 ]
	[ "$failed" -eq 0 ]
}

# What the parser expects beside a key that nobody knows.
known_keys() {
	base "$1" | jq --arg d "$D" "$2" >"$BATS_TEST_TMPDIR/policy.json"
	"$MXCRUN" --root "$STATE" mxc plan "$BATS_TEST_TMPDIR/policy.json" 2>&1 >/dev/null | grep -o 'expected .*' | grep -o '`[^`]*`' | tr -d '`'
}

@test "no field that the parser knows is missing from that list" {
	local version prefix filter key missing=
	while read -r version prefix filter; do
		[ "$prefix" = . ] && prefix= || prefix+=.
		[ -n "$(known_keys "$version" "$filter")" ]
		for key in $(known_keys "$version" "$filter"); do
			grep -q "|$prefix${key//$/\\$}|" <<<"$FIELDS" || missing+=" $prefix$key"
		done
	done <<-'END'
		1.1.0-alpha . .zz = 1
		0.8.0-alpha . .zz = 1
		1.1.0-alpha process .process.zz = 1
		0.8.0-alpha process .process.zz = 1
		1.1.0-alpha lifecycle .lifecycle.zz = 1
		1.1.0-alpha filesystem .filesystem.zz = 1
		1.1.0-alpha filesystem.deniedPaths .filesystem.deniedPaths = [{zz: 1}]
		1.1.0-alpha network .network.zz = 1
		0.8.0-alpha network .network.zz = 1
		1.1.0-alpha network.egress .network.egress.zz = 1
		1.1.0-alpha network.egress.allow .network.egress.allow = [{zz: 1}]
		1.1.0-alpha network.egress.allow.to .network.egress.allow = [{to: [{zz: 1}]}]
		1.1.0-alpha network.egress.allow.ports .network.egress.allow = [{ports: [{zz: 1}]}]
		1.1.0-alpha network.ingress .network.ingress.zz = 1
		0.8.0-alpha network.proxy .network.proxy.zz = 1
		1.1.0-alpha runtimeConfig .runtimeConfig.zz = 1
		1.1.0-alpha runtimeConfig.portMappings .runtimeConfig.portMappings = [{zz: 1}]
		1.1.0-alpha ui .ui.zz = 1
		1.1.0-alpha bubblewrap .bubblewrap.zz = 1
		1.1.0-alpha bubblewrap.namespaces .bubblewrap.namespaces.zz = 1
		1.1.0-alpha bubblewrap.resources .bubblewrap.resources.zz = 1
		1.1.0-alpha bubblewrap.resources.io .bubblewrap.resources.io.zz = 1
		1.1.0-alpha bubblewrap.resources.io.devices .bubblewrap.resources.io.devices = [{zz: 1}]
		1.1.0-alpha bubblewrap.customBinds .bubblewrap.customBinds = [{zz: 1}]
		1.1.0-alpha bubblewrap.tmpfsMounts .bubblewrap.tmpfsMounts = [{zz: 1}]
		1.1.0-alpha bubblewrap.symlinks .bubblewrap.symlinks = [{zz: 1}]
		1.1.0-alpha fallback .fallback.zz = 1
		1.1.0-alpha telemetry .telemetry.zz = 1
	END
	equal "$(tr ' ' '\n' <<<"$missing" | grep -v '^$')" ""
}

@test "each test that the mapping of the specification names is there" {
	local page=$here/../../docs/mxc-mapping.md name suite words
	[ "$(grep -c '^| ' "$page")" -gt 60 ]
	while read -r name; do
		grep -q "^$name"$'\t' "$here/corpus.tsv" || { echo "corpus/$name" >&2 && false; }
	done < <(grep -o 'corpus/[A-Za-z0-9._-]*[A-Za-z0-9]' "$page" | cut -d / -f 2 | grep -vx NAME | sort -u)
	while IFS=: read -r suite words; do
		grep -qF "@test \"${words# }" "$here/$suite.bats" || { echo "$suite:$words" >&2 && false; }
	done < <(grep -oE '`[a-z_]+: [^`]+`' "$page" | tr -d '`' | grep -vx 'error: ' | sort -u)
}
