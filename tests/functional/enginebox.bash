# enginebox.bash - the box in which tests run real engines: their stores, states and sockets are in one temporary folder, $E, with an image made
# from busybox, and a containerd of its own. Nothing is pulled, and nothing that the engines make on the host is left.
# shellcheck shell=bash disable=SC2034

# Groups that the engines make for themselves and leave, and what is in them, innermost first: those that were not there before are removed at
# the end. A group that goes while find reads it is no fault. For controllers of v1 that no hierarchy has podman makes plain folders.
engine_cgroups() {
	find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d \( -name libpod_parent -o -name default -o -name mxt -o -name docker \) \
		-exec find {} -depth -type d \; 2>/dev/null || true
	[ "$(stat -f -c %T /sys/fs/cgroup)" != tmpfs ] || find /sys/fs/cgroup -xdev -mindepth 1 -maxdepth 1 -type d
}

# On a file system of cgroups no file can be removed but with its group.
remove_engine_cgroups() {
	local dir
	engine_cgroups | grep -vxFf "$E/cgroups" | while read -r dir; do
		rm -f "$dir/tasks" 2>/dev/null || true
		rmdir "$dir" 2>/dev/null || true
	done
}

setup_file() {
	# Socket paths have to be short.
	E=$(mktemp -d /tmp/mxt-engines.XXXXXX)
	export E
	engine_cgroups >"$E/cgroups"
	# the folder may be there without being what podman makes of it
	! mountpoint -q /run/netns || touch "$E/netns-is-mounted"
	ls -d /run/containerd /run/containers /run/netns /run/libpod /var/lib/cni /var/lib/containers >"$E/dirs" 2>/dev/null || true
	make_rootfs "$E/rootfs"
	tar -C "$E/rootfs" -cf "$E/image.tar" .
}

teardown_file() {
	local dir mount
	# bats calls this after a set-up that failed as well: what it has not noted down is the host's, and without $E every mount would be ours
	[ -n "${E-}" ] || return 0
	[ -e "$E/dirs" ] || {
		rm -rf "$E"
		return 0
	}
	stop_daemon "$E/containerd.pid"
	stop_daemon "$E/docker.pid"
	stop_daemon "$E/host.pid"
	for mount in $(grep -F "$E" /proc/self/mountinfo | cut -d ' ' -f 5 | tac); do umount -l "$mount"; done
	remove_engine_cgroups
	# podman's networks mount it over itself.
	[ -e "$E/netns-is-mounted" ] || umount -l /run/netns 2>/dev/null || true
	for dir in /run/containerd /run/containers /run/netns /run/libpod /var/lib/containers; do
		grep -qx "$dir" "$E/dirs" || rm -rf "$dir"
	done
	rm -rf "$E"
}

stop_daemon() { # PIDFILE
	[ -s "$1" ] || return 0
	kill "$(cat "$1")" 2>/dev/null
	wait_for 20 refused kill -0 "$(cat "$1")"
	rm -f "$1"
}

# ---- containerd ----

# Without Kubernetes' interface, unless standard input configures it, and without what needs other parts of the host. The image is in NAMESPACE.
make_containerd() { # NAMESPACE
	local config here_only
	config=$(cat)
	cat >"$E/containerd.toml" <<-END
		version = 2
		root = "$E/c-root"
		state = "$E/c-state"
		disabled_plugins = [$([ -n "$config" ] || echo '"io.containerd.grpc.v1.cri",')
			"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
			"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
		[grpc]
		address = "$E/c.sock"
		[ttrpc]
		address = "$E/c.ttrpc"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$E/c-opt"
		$config
	END
	# shellcheck disable=SC2086 # words
	${THERE-} containerd --config "$E/containerd.toml" >"$E/containerd.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$E/containerd.pid"
	disown
	containerd_answers() { in_containerd "$1" version >/dev/null 2>&1; }
	wait_for 30 containerd_answers "$1"
	make_oci_image
	# containerd 2 would have it unpacked as its own configuration says
	in_containerd "$1" image import --help | grep -q -e --local && here_only=--local
	in_containerd "$1" image import ${here_only-} --snapshotter native "$E/oci.tar" >/dev/null 2>&1
	in_containerd "$1" image ls -q | grep -qx localhost/mxt-image:latest
}

in_containerd() { # NAMESPACE WORD...
	timeout -k 5 "$(slow 60)" ctr --address "$E/c.sock" --namespace "$@" 3>&- 4>&-
}

# An OCI image of one layer, as an archive.
make_oci_image() {
	local dir=$E/oci layer config manifest
	mkdir -p "$dir/blobs/sha256"
	put_blob() { # file -> its digest
		local digest
		digest=$(sha256sum <"$1" | cut -d ' ' -f 1)
		mv "$1" "$dir/blobs/sha256/$digest"
		echo "$digest"
	}
	size_of() { stat -c %s "$dir/blobs/sha256/$1"; }
	cp "$E/image.tar" "$E/layer"
	layer=$(put_blob "$E/layer")
	jq -n --arg layer "sha256:$layer" '{architecture: "amd64", os: "linux", config: {Env: ["PATH=/bin"], Cmd: ["/bin/sleep", "1000"]},
		rootfs: {type: "layers", diff_ids: [$layer]}}' >"$E/config"
	config=$(put_blob "$E/config")
	jq -n --arg config "sha256:$config" --arg layer "sha256:$layer" --argjson c "$(size_of "$config")" --argjson l "$(size_of "$layer")" '
		{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $c},
		layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: $l}]}' >"$E/manifest"
	manifest=$(put_blob "$E/manifest")
	jq -n --arg manifest "sha256:$manifest" --argjson m "$(size_of "$manifest")" '{schemaVersion: 2,
		manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $manifest, size: $m,
			platform: {architecture: "amd64", os: "linux"},
			annotations: {"io.containerd.image.name": "localhost/mxt-image:latest", "org.opencontainers.image.ref.name": "latest"}}]}' >"$dir/index.json"
	echo '{"imageLayoutVersion": "1.0.0"}' >"$dir/oci-layout"
	tar -C "$dir" -cf "$E/oci.tar" .
}
