/* items.c - the table of items.h, before it what each item asks of a plan.
 *
 * Who asks the table is in items_ask.c.
 */
#include "engine/items.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "plan/caps.h"

#define NOBODY 65534u	/* owns what covers denied paths */

/* ---- what a plan asks for ---- */

static const char *when(bool is_asked, const char *pointer)
{
	return !is_asked ? NULL : pointer ? pointer : "";
}

static const char *always(const struct plan *plan)
{
	(void)plan;
	return "";
}

static const char *asks_hostname(const struct plan *plan) { return when(plan->hostname != NULL, "/hostname"); }
static const char *asks_domainname(const struct plan *plan) { return when(plan->domainname != NULL, "/domainname"); }
static const char *asks_annotations(const struct plan *plan) { return when(plan->annotation_count > 0, "/annotations"); }

static const char *asks_ns(const struct plan *plan, enum plan_ns_kind kind)
{
	return when(plan->namespaces[kind].mode == NS_NEW, plan->namespaces[kind].pointer);
}

static const char *asks_new_ns(const struct plan *plan)
{
	const char *found = NULL;

	for (int kind = 0; kind < NS_MAX && !found; kind++)
		found = kind == NS_USER || kind == NS_TIME || kind == NS_CGROUP ? NULL : asks_ns(plan, kind);
	return found;
}

static const char *asks_userns(const struct plan *plan) { return asks_ns(plan, NS_USER); }
static const char *asks_cgroupns(const struct plan *plan) { return asks_ns(plan, NS_CGROUP); }
static const char *asks_timens(const struct plan *plan) { return asks_ns(plan, NS_TIME); }

static const char *asks_host_mountns(const struct plan *plan)
{
	return when(plan->namespaces[NS_MOUNT].mode == NS_HOST, "/linux/namespaces");
}

static const char *asks_joined_ns(const struct plan *plan)
{
	for (int kind = 0; kind < NS_MAX; kind++)
		if (plan->namespaces[kind].mode == NS_JOIN)
			return when(true, plan->namespaces[kind].pointer);
	return NULL;
}

static const char *asks_maps(const struct plan *plan)
{
	return when(plan->uid_maps.count || plan->gid_maps.count, "/linux/uidMappings");
}

static const char *asks_deny_setgroups(const struct plan *plan) { return when(plan->deny_setgroups, NULL); }
static const char *asks_offsets(const struct plan *plan) { return when(plan_has_time_offsets(plan), "/linux/timeOffsets"); }

static const char *asks_net_devices(const struct plan *plan)
{
	return plan->net_device_count ? when(true, plan->net_devices[0].pointer) : NULL;
}

static const char *asks_cgroup(const struct plan *plan)
{
	return when(plan->cgroup.manager != CGROUP_MANAGER_DISABLED, "/linux/cgroupsPath");
}

static const char *asks_systemd(const struct plan *plan)
{
	return when(plan->cgroup.manager == CGROUP_MANAGER_SYSTEMD, "/linux/cgroupsPath");
}

static const char *asks_limits(const struct plan *plan)
{
	return plan->cgroup.write_count ? when(true, plan->cgroup.writes[0].pointer) : NULL;
}

static const char *asks_device_rules(const struct plan *plan)
{
	return when(plan->cgroup.wants_devices && plan->cgroup.device_rule_count > 0, "/linux/resources/devices");
}

static const char *asks_rdt(const struct plan *plan) { return when(plan->rdt.is_set, "/linux/intelRdt"); }

static bool is_whole_root(const struct plan *plan)
{
	return plan->root.kind == ROOT_BUNDLE && plan->root.path && !strcmp(plan->root.path, "/");
}

static const char *asks_view(const struct plan *plan) { return when(plan->root.kind == ROOT_VIEW, NULL); }
static const char *asks_image(const struct plan *plan) { return when(plan->root.kind == ROOT_IMAGE, "/lxc"); }
static const char *asks_whole_root(const struct plan *plan) { return when(is_whole_root(plan), "/root/path"); }
static const char *asks_root(const struct plan *plan)
{
	return when(plan->root.kind == ROOT_BUNDLE && !is_whole_root(plan), "/root/path");
}
static const char *asks_readonly_root(const struct plan *plan) { return when(plan->root.is_readonly, "/root/readonly"); }
static const char *asks_root_propagation(const struct plan *plan)
{
	return when(plan->root.propagation != PLAN_PROPAGATION_UNSET, "/linux/rootfsPropagation");
}
static const char *asks_chroot(const struct plan *plan) { return when(plan->root.use_chroot, NULL); }

/* The first mount step for which is_meant holds. */
static const char *asks_mount(const struct plan *plan, bool (*is_meant)(const struct plan_mount *mount))
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (is_meant(&plan->mounts[i]))
			return when(true, plan->mounts[i].pointer);
	return NULL;
}

#define MOUNT_ITEM(name, condition)                                                       \
	static bool is_##name(const struct plan_mount *m) { return condition; }           \
	static const char *asks_##name(const struct plan *plan) { return asks_mount(plan, is_##name); }

MOUNT_ITEM(bind, m->kind == MOUNT_BIND)
MOUNT_ITEM(idmapped, m->is_idmapped)
MOUNT_ITEM(copied_symlink, m->copy_symlink)
MOUNT_ITEM(identity, m->source_dev || m->source_ino)
MOUNT_ITEM(filesystem, m->kind == MOUNT_FILESYSTEM)
MOUNT_ITEM(cgroup_view, m->kind == MOUNT_CGROUP)
MOUNT_ITEM(copy_up, m->copy_up)
MOUNT_ITEM(mount_propagation, m->propagation != PLAN_PROPAGATION_UNSET || m->propagation2 != PLAN_PROPAGATION_UNSET)
MOUNT_ITEM(remount, m->kind == MOUNT_REMOUNT)
MOUNT_ITEM(deny, m->kind == MOUNT_DENY)
MOUNT_ITEM(symlink, m->kind == MOUNT_SYMLINK)
MOUNT_ITEM(directory, m->kind == MOUNT_DIRECTORY)
MOUNT_ITEM(file, m->kind == MOUNT_FILE)

static const char *asks_denied_proc(const struct plan *plan)
{
	const struct plan_mount *last = mount_last_at(plan, "/proc");

	return last && last->kind == MOUNT_DENY ? when(true, last->pointer) : NULL;
}

static const char *asks_devices(const struct plan *plan)
{
	return plan->device_count ? when(true, plan->devices[0].pointer) : NULL;
}

static const char *asks_masked(const struct plan *plan) { return when(plan->masked.count > 0, "/linux/maskedPaths"); }
static const char *asks_readonly(const struct plan *plan) { return when(plan->readonly.count > 0, "/linux/readonlyPaths"); }
static const char *asks_sysctls(const struct plan *plan) { return when(plan->sysctl_count > 0, "/linux/sysctl"); }

static const char *asks_network(const struct plan *plan)
{
	return when(plan->network == NETWORK_HOST || plan->network == NETWORK_NONE || plan->network == NETWORK_JOINED, NULL);
}

/* Rules, a proxy, a way out of its own. */
static const char *asks_other_network(const struct plan *plan)
{
	const struct net_policy *policy = &plan->network_policy;

	return when(!asks_network(plan) || policy->egress.count, policy->pointer ? policy->pointer : "/network");
}

static const char *asks_program(const struct plan *plan)
{
	const struct plan_process *process = &plan->process;

	return when(process->program && strcmp(process->program, process->argv[0]) != 0, NULL);
}

static const char *asks_argv0(const struct plan *plan)
{
	const struct plan_process *process = &plan->process;
	const char *slash = process->program ? strrchr(process->program, '/') : NULL;

	return when(slash && strcmp(process->program, process->argv[0]) != 0 && strcmp(slash + 1, process->argv[0]) != 0,
		    "/bubblewrap/argv0");
}

static const char *asks_cwd_fallback(const struct plan *plan) { return when(plan->process.cwd_fallback_root, "/process/cwd"); }
static const char *asks_groups(const struct plan *plan)
{
	return when(plan->process.group_count > 0, "/process/user/additionalGids");
}
static const char *asks_kept_groups(const struct plan *plan) { return when(plan->process.keep_groups, NULL); }
static const char *asks_umask(const struct plan *plan)
{
	return when(plan->process.umask != PLAN_UNSET_ID, "/process/user/umask");
}
static const char *asks_rlimits(const struct plan *plan) { return when(plan->process.rlimit_count > 0, "/process/rlimits"); }
static const char *asks_no_new_privs(const struct plan *plan) { return when(plan->process.no_new_privileges, NULL); }
static const char *asks_oom_score(const struct plan *plan)
{
	return when(plan->process.has_oom_score_adj, "/process/oomScoreAdj");
}
static const char *asks_scheduler(const struct plan *plan) { return when(plan->process.scheduler.is_set, "/process/scheduler"); }
static const char *asks_io_priority(const struct plan *plan)
{
	return when(plan->process.io_priority != PLAN_UNSET_ID, "/process/ioPriority");
}
static const char *asks_memory_policy(const struct plan *plan)
{
	return when(plan->process.memory_policy.is_set, "/linux/memoryPolicy");
}
static const char *asks_affinity(const struct plan *plan)
{
	return when(plan->process.initial_cpus.count || plan->process.final_cpus.count, "/process/execCPUAffinity");
}
static const char *asks_all_cpus(const struct plan *plan) { return when(plan->process.all_cpus, NULL); }
static const char *asks_personality(const struct plan *plan)
{
	return when(plan->process.personality != PLAN_UNSET_ID, "/linux/personality");
}
static const char *asks_seccomp(const struct plan *plan)
{
	return when(plan->process.seccomp.program || plan->process.seccomp.instruction_count, "/linux/seccomp");
}
static const char *asks_policy_filters(const struct plan *plan)
{
	return when(plan->policy.filter_count > 0, plan->policy.process_pointer);
}
static const char *asks_sandbox_seccomp(const struct plan *plan)
{
	return plan->lifecycle.is_sandbox ? asks_seccomp(plan) : NULL;
}
static const char *asks_apparmor(const struct plan *plan)
{
	return when(plan->process.apparmor_profile != NULL, "/process/apparmorProfile");
}
static const char *asks_selinux(const struct plan *plan)
{
	return when(plan->process.selinux_label != NULL, "/process/selinuxLabel");
}
static const char *asks_terminal(const struct plan *plan) { return when(plan->process.terminal, "/process/terminal"); }
static const char *asks_keyring(const struct plan *plan) { return when(plan->process.new_keyring, NULL); }
static const char *asks_session(const struct plan *plan) { return when(plan->process.new_session, NULL); }
static const char *asks_same_session(const struct plan *plan) { return when(!plan->process.new_session, NULL); }

static bool has_capability(const struct plan *plan)
{
	const struct plan_capabilities *caps = &plan->process.capabilities;

	return caps->bounding | caps->effective | caps->inheritable | caps->permitted | caps->ambient;
}

static const char *asks_inner_userns(const struct plan *plan)
{
	return when(plan->process.inner_userns && !has_capability(plan) && plan->process.no_new_privileges, NULL);
}

/* There a capability means less than it would in the namespace that owns the mounts. */
static const char *asks_inner_capabilities(const struct plan *plan)
{
	return when(plan->process.inner_userns && !asks_inner_userns(plan), "/process/capabilities");
}

static const char *asks_landlock(const struct plan *plan) { return when(plan->process.landlock_abi > 0, NULL); }
static const char *asks_init(const struct plan *plan) { return when(plan->process.keep_init, NULL); }
static const char *asks_descriptors(const struct plan *plan) { return when(plan->process.preserve_fds > 0, NULL); }
static const char *asks_notify_socket(const struct plan *plan) { return when(plan->process.notify_socket != NULL, NULL); }

static const char *asks_hooks(const struct plan *plan)
{
	for (int kind = 0; kind < HOOK_MAX; kind++)
		if (plan->hooks[kind].count)
			return when(true, plan->hooks[kind].items[0].pointer);
	return NULL;
}

static const char *asks_inside_hooks(const struct plan *plan)
{
	const struct plan_hooks *hooks = &plan->hooks[HOOK_CREATE_CONTAINER];

	return hooks->count ? when(true, hooks->items[0].pointer) : NULL;
}

static const char *asks_regions(const struct plan *plan)
{
	return plan->policy.region_count ? when(true, plan->policy.regions[0].pointer) : NULL;
}

static const char *asks_later_limits(const struct plan *plan)
{
	const struct plan_policy *policy = &plan->policy;

	return when(!plan->lifecycle.is_sandbox && (policy->refused_capabilities || policy->withheld_capabilities ||
						    policy->memory_bytes || policy->cpus || policy->pids), NULL);
}

static const char *asks_timeout(const struct plan *plan) { return when(plan->lifecycle.timeout_ms > 0, "/process/timeout"); }
static const char *asks_sandbox(const struct plan *plan)
{
	return when(plan->lifecycle.is_sandbox || plan->lifecycle.die_with_parent, NULL);
}
static const char *asks_leash(const struct plan *plan)
{
	return when(plan->lifecycle.dies_with_caller, "/bubblewrap/dieWithParent");
}
static const char *asks_stay(const struct plan *plan) { return when(plan->lifecycle.stays, NULL); }
static const char *asks_exec(const struct plan *plan) { return when(plan->lifecycle.is_exec, NULL); }

/* ---- what only some can't ---- */

static const char *asks_plain_ids(const struct plan *plan)
{
	return when(plan->namespaces[NS_USER].mode != NS_NEW, "/process/user");
}

/* Beside the one that the workload has, and the owner of covers. */
static bool is_wide(const struct plan_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->items[i].count != 1 || (maps->items[i].inside != id && maps->items[i].inside != NOBODY))
			return true;
	return false;
}

static const char *asks_wide_map(const struct plan *plan)
{
	return when(is_wide(&plan->uid_maps, plan->process.uid) || is_wide(&plan->gid_maps, plan->process.gid),
		    "/linux/uidMappings");
}

static uint64_t attributes(const struct plan_mount *mount)
{
	return mount->attr_set | mount->attr_set_recursive;
}

static bool is_in_dev(const struct plan_mount *mount)
{
	return path_is_within(mount->destination, "/dev");
}

static bool is_mounted(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_BIND || mount->kind == MOUNT_FILESYSTEM;
}

/* bwrap has these by itself where they are said. */
static bool has_other_flags(const struct plan_mount *mount)
{
	uint64_t own = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV;

	if (mount->fstype && (!strcmp(mount->fstype, "proc") || !strcmp(mount->fstype, "mqueue")))
		own |= SYS_ATTR_NOEXEC;
	return (attributes(mount) & ~own) || mount->attr_clear || mount->attr_clear_recursive;
}

static bool is_tmpfs(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_FILESYSTEM && !strcmp(mount->fstype, "tmpfs");
}

static bool has_tmpfs_options(const struct plan_mount *mount)
{
	if (!is_tmpfs(mount))
		return false;
	for (size_t i = 0; i < mount->option_count; i++)
		if (!strcmp(mount->destination, "/dev") ||
		    (strcmp(mount->options[i].key, "size") != 0 && strcmp(mount->options[i].key, "mode") != 0))
			return true;
	return false;
}

MOUNT_ITEM(other_root, is_mounted(m) && !m->destination[1])
MOUNT_ITEM(exact, m->is_exact)
MOUNT_ITEM(flat_bind, m->kind == MOUNT_BIND && m->is_directory && !m->is_recursive)
MOUNT_ITEM(suid_bind, m->kind == MOUNT_BIND && !(attributes(m) & SYS_ATTR_NOSUID))
MOUNT_ITEM(noexec_dev, is_mounted(m) && is_in_dev(m) && (attributes(m) & SYS_ATTR_NOEXEC))
MOUNT_ITEM(other_flags, is_mounted(m) && !is_in_dev(m) && has_other_flags(m))
MOUNT_ITEM(tmpfs_options, has_tmpfs_options(m))
MOUNT_ITEM(tmpfs_of_any_mode, is_tmpfs(m) && strcmp(m->destination, "/dev") != 0 && !plan_mount_option(m, "mode"))
MOUNT_ITEM(tmpfs_size, is_tmpfs(m) && strcmp(m->destination, "/dev") != 0 && plan_mount_option(m, "size"))

MOUNT_ITEM(sysfs, m->kind == MOUNT_FILESYSTEM && !strcmp(m->fstype, "sysfs"))

/* mount_too_revealing() in the kernel. */
static const char *asks_users_sysfs(const struct plan *plan)
{
	return plan->namespaces[NS_USER].mode == NS_NEW ? asks_sysfs(plan) : NULL;
}

static bool is_after_left(const struct plan *plan, const struct plan_mount *mount)
{
	for (const struct plan_mount *before = plan->mounts; before < mount; before++)
		if (mount_is_left(before) && path_is_within(mount->destination, before->destination))
			return true;
	return false;
}

/* Of those that bwrap makes, one that comes upon what init makes later. */
static const char *asks_upon_left(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (!mount_is_left(&plan->mounts[i]) && is_after_left(plan, &plan->mounts[i]))
			return when(true, plan->mounts[i].pointer);
	return NULL;
}

static const char *asks_host_cgroup_view(const struct plan *plan)
{
	return plan->namespaces[NS_CGROUP].mode == NS_HOST ? asks_cgroup_view(plan) : NULL;
}

/* Init sets these when all mounts are there, so that they would reach what lies further down. */
static const char *asks_left_flags(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind != MOUNT_BIND || (!mount_flags_left(mount) && !mount->attr_clear_recursive))
			continue;
		for (size_t later = i + 1; later < plan->mount_count; later++)
			if (path_is_within(plan->mounts[later].destination, mount->destination))
				return when(true, mount->pointer);
	}
	return NULL;
}

static const char *asks_other_devices(const struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (!plan->devices[i].is_default)
			return when(true, plan->devices[i].pointer);
	return NULL;
}

/* The same in each set is what "--cap-add" gives. */
static bool has_one_set(const struct plan *plan)
{
	const struct plan_capabilities *caps = &plan->process.capabilities;

	return caps->bounding == caps->effective && caps->bounding == caps->permitted && caps->bounding == caps->inheritable &&
	       caps->bounding == caps->ambient;
}

static const char *asks_capabilities(const struct plan *plan)
{
	return when(has_capability(plan) && has_one_set(plan), "/process/capabilities");
}
static const char *asks_capability_sets(const struct plan *plan)
{
	return when(has_capability(plan) && !has_one_set(plan), "/process/capabilities");
}
static const char *asks_denied_setgid(const struct plan *plan)
{
	const struct plan_capabilities *caps = &plan->process.capabilities;
	uint64_t had = caps->permitted | caps->effective | caps->inheritable | caps->ambient;

	return when(plan->deny_setgroups && !plan->process.inner_userns && (had & caps_bit(CAP_SETGID)), "/process/capabilities");
}
static const char *asks_new_privs(const struct plan *plan)
{
	return when(!plan->process.no_new_privileges, "/process/noNewPrivileges");
}
static const char *asks_home(const struct plan *plan) { return when(plan->process.home_from_passwd, NULL); }
static const char *asks_notify(const struct plan *plan)
{
	return when(plan->process.seccomp.use_notify, "/linux/seccomp/listenerPath");
}
static const char *asks_filter_flags(const struct plan *plan)
{
	return when(plan->process.seccomp.flags != 0, "/linux/seccomp/flags");
}

/* ---- the table ---- */

#define CARRIED(text) { .how = ITEM_CARRIED, .what.raw = (text) }
#define DIFFERS(text) { .how = ITEM_DIFFERS, .what.raw = (text) }
#define OUTSIDE(text) { .how = ITEM_OUTSIDE, .what.raw = (text) }
#define REFUSED(text) { .how = ITEM_REFUSED, .what.raw = (text) }
#define NOTHING { .how = ITEM_NOTHING, .what.raw = "" }
#define SINCE(number, state, text) { .how = (state), .what.raw = (text), .since = (number) }

const struct engine_item IMAGE_ROWS engine_items[] = {
	{ { "identity" }, { "id bundle config ociVersion" }, { always }, { [TARGET_OCI] = NOTHING,
	    [TARGET_BWRAP] = NOTHING,
	    [TARGET_LXC] = NOTHING } },
	{ { "host name" }, { "hostname" }, { asks_hostname }, { [TARGET_OCI] = CARRIED("hostname"),
	    [TARGET_BWRAP] = CARRIED("--hostname"),
	    [TARGET_LXC] = CARRIED("lxc.uts.name"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "domain name" }, { "domainname" }, { asks_domainname }, { [TARGET_OCI] = CARRIED("domainname"),
	    [TARGET_BWRAP] = REFUSED("it has no option for it"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it has no key for it"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "annotations" }, { "annotations" }, { asks_annotations }, { [TARGET_OCI] = CARRIED("annotations"),
	    [TARGET_BWRAP] = NOTHING,
	    [TARGET_LXC] = NOTHING } },

	{ { "new user namespace" }, { "namespaces" }, { asks_userns }, { [TARGET_OCI] = CARRIED("linux.namespaces"),
	    [TARGET_BWRAP] = CARRIED("--unshare-user"),
	    [TARGET_LXC] = CARRIED("lxc.namespace.clone"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.namespace.clone; an ordinary user's it finds made") } },
	{ { "new cgroup namespace" }, { "namespaces" }, { asks_cgroupns }, { [TARGET_OCI] = CARRIED("linux.namespaces"),
	    [TARGET_BWRAP] = CARRIED("--unshare-cgroup"),
	    [TARGET_LXC] = CARRIED("lxc.namespace.clone"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "new ipc, uts, net, pid, mount namespace" }, { "namespaces" }, { asks_new_ns }, { [TARGET_OCI] = CARRIED("linux.namespaces"),
	    [TARGET_BWRAP] = CARRIED("--unshare-ipc, --unshare-uts, --unshare-net, --unshare-pid; mount always"),
	    [TARGET_LXC] = CARRIED("lxc.namespace.clone") } },
	{ { "new time namespace" }, { "namespaces" }, { asks_timens }, { [TARGET_OCI] = CARRIED("linux.namespaces"),
	    [TARGET_BWRAP] = REFUSED("it makes none"),
	    [TARGET_LXC] = CARRIED("lxc.namespace.clone"),
	    [TARGET_LXC_RUN] = REFUSED("our init makes it with its mounts, and here it makes none") } },
	{ { "joined namespace" }, { "namespaces" }, { asks_joined_ns }, { [TARGET_OCI] = CARRIED("linux.namespaces, with its path"),
	    [TARGET_BWRAP] = REFUSED("it makes namespaces and joins none"),
	    [TARGET_LXC] = REFUSED("it starts such a container by one more process, which stays in the namespaces of the caller") } },
	{ { "the host's mount namespace" }, { "namespaces" }, { asks_host_mountns }, { [TARGET_OCI] = REFUSED("a mount namespace is needed"),
	    [TARGET_BWRAP] = REFUSED("a mount namespace is needed"),
	    [TARGET_LXC] = REFUSED("a mount namespace is needed") } },
	{ { "id maps" }, { "uidMaps gidMaps" }, { asks_maps }, { [TARGET_OCI] = CARRIED("linux.uidMappings, linux.gidMappings"),
	    [TARGET_BWRAP] = CARRIED("--uid, --gid: the caller's own id under the one that is asked for"),
	    [TARGET_BWRAP_RUN] = CARRIED("uid_map, gid_map, written from outside"),
	    [TARGET_LXC] = CARRIED("lxc.idmap"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.idmap; an ordinary user's are written from outside") } },
	{ { "setgroups denied" }, { "denySetgroups" }, { asks_deny_setgroups },
	  { [TARGET_OCI] = CARRIED("what runtimes do by themselves for an ordinary user"),
	    [TARGET_BWRAP] = CARRIED("what it does by itself"),
	    [TARGET_BWRAP_RUN] = CARRIED("setgroups, written from outside"),
	    [TARGET_LXC] = REFUSED("it has no key for it"),
	    [TARGET_LXC_RUN] = CARRIED("setgroups, of a namespace of ours in which it starts") } },
	{ { "clock offsets" }, { "timeOffsets" }, { asks_offsets }, { [TARGET_OCI] = CARRIED("linux.timeOffsets"),
	    [TARGET_BWRAP] = REFUSED("it makes no time namespace"),
	    [TARGET_LXC] = CARRIED("lxc.time.offset.monotonic, lxc.time.offset.boot"),
	    [TARGET_LXC_RUN] = REFUSED("our init makes that namespace with its mounts, and here it makes none") } },
	{ { "network interfaces" }, { "netDevices" }, { asks_net_devices }, { [TARGET_OCI] = CARRIED("linux.netDevices"),
	    [TARGET_BWRAP] = REFUSED("it moves none"),
	    [TARGET_LXC] = REFUSED("it gives them back under other names") } },

	{ { "cgroup" }, { "cgroup.manager cgroup.path cgroup.required" }, { asks_cgroup }, { [TARGET_OCI] = CARRIED("linux.cgroupsPath"),
	    [TARGET_BWRAP] = OUTSIDE("put yourself into it before"),
	    [TARGET_BWRAP_RUN] = CARRIED("it is started in the group"),
	    [TARGET_LXC] = CARRIED("lxc.cgroup.dir; it makes groups below, and leaves lxc.pivot behind"),
	    [TARGET_LXC_RUN] = CARRIED("it is started in the group, and sees none that it could make others in") } },
	{ { "systemd's unit" }, { "cgroup.slice cgroup.scope cgroup.unitProperties" }, { asks_systemd },
	  { [TARGET_OCI] = REFUSED("the runtime's own --systemd-cgroup decides on it; use --cgroup-manager cgroupfs here"),
	    [TARGET_BWRAP] = OUTSIDE("put yourself into it before"),
	    [TARGET_BWRAP_RUN] = CARRIED("it is started in the group"),
	    [TARGET_LXC] = REFUSED("it makes none"),
	    [TARGET_LXC_RUN] = CARRIED("it is started in the group") } },
	{ { "cgroup limits" }, { "cgroup.writes cgroup.memoryBytes cgroup.cpuQuotaUs cgroup.cpuPeriodUs cgroup.pids" }, { asks_limits },
	  { [TARGET_OCI] = CARRIED("linux.resources; a limit that has no field there is refused by its file's name"),
	    [TARGET_BWRAP] = OUTSIDE("put yourself into a cgroup that has them"),
	    [TARGET_BWRAP_RUN] = CARRIED("it is started in the group"),
	    [TARGET_LXC] = CARRIED("lxc.cgroup, lxc.cgroup2"),
	    [TARGET_LXC_RUN] = CARRIED("it is started in the group") } },
	{ { "device rules" }, { "cgroup.wantsDevices cgroup.deviceRules" }, { asks_device_rules },
	  { [TARGET_OCI] = CARRIED("linux.resources.devices"),
	    [TARGET_BWRAP] = OUTSIDE("put yourself into a cgroup that has them"),
	    [TARGET_BWRAP_RUN] = CARRIED("it is started in the group"),
	    [TARGET_LXC] = CARRIED("lxc.cgroup.devices, lxc.cgroup2.devices"),
	    [TARGET_LXC_RUN] = CARRIED("it is started in the group") } },

	{ { "class of resctrl" }, { "intelRdt" }, { asks_rdt },
	  { [TARGET_OCI] = REFUSED("it has no lowering to config.json"),
	    [TARGET_BWRAP] = REFUSED("it makes none"),
	    [TARGET_BWRAP_RUN] = CARRIED("it is started in the class"),
	    [TARGET_LXC] = REFUSED("it makes none"),
	    [TARGET_LXC_RUN] = CARRIED("it is started in the class") } },

	{ { "a directory as root" }, { "root.kind root.path" }, { asks_root }, { [TARGET_OCI] = CARRIED("root.path"),
	    [TARGET_BWRAP] = CARRIED("--dev-bind"),
	    [TARGET_LXC] = CARRIED("lxc.rootfs.path") } },
	{ { "a view of the host as root" }, { "root.kind" }, { asks_view },
	  { [TARGET_OCI] = DIFFERS("the root is a directory of the bundle, and what is written to it stays there"),
	    [TARGET_BWRAP] = CARRIED("its own empty tmpfs"),
	    [TARGET_LXC] = DIFFERS("the root is a directory of the folder, and what is written to it stays there"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.rootfs.path: a tmpfs of ours, in a mount namespace that goes with it") } },
	{ { "an image as root" }, { "root.kind root.path" }, { asks_image },
	  { [TARGET_OCI] = REFUSED("what a bundle's container writes to its root stays there, and an image takes none"),
	    [TARGET_BWRAP] = REFUSED("it has no overlay"),
	    [TARGET_BWRAP_RUN] = CARRIED("--bind of an overlay of ours, in a mount namespace that goes with it"),
	    [TARGET_LXC] = REFUSED("what a container writes to its root stays there, and an image takes none"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.rootfs.path: an overlay of ours, in a mount namespace that goes with it"),
	    [ITEM_NEWER_BWRAP] = SINCE(BWRAP_OVERLAY, ITEM_DIFFERS, "--overlay-src, --tmp-overlay: no size limits what is written, but the memory of who runs it") } },
	{ { "the host's whole root" }, { "root.path" }, { asks_whole_root },
	  { [TARGET_OCI] = REFUSED("runtimes take no \"/\" of the host for a root"),
	    [TARGET_BWRAP] = CARRIED("--bind, --ro-bind"),
	    [TARGET_LXC] = REFUSED("read-only would not reach what is mounted below"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.rootfs.path: a copy of the host's mounts with the flags that are asked for") } },
	{ { "read-only root" }, { "root.readonly" }, { asks_readonly_root }, { [TARGET_OCI] = CARRIED("root.readonly"),
	    [TARGET_BWRAP] = CARRIED("--remount-ro"), [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("mount points are made in it when it runs"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "propagation of the root" }, { "root.propagation" }, { asks_root_propagation },
	  { [TARGET_OCI] = CARRIED("linux.rootfsPropagation"),
	    [TARGET_BWRAP] = REFUSED("it has no option for it"),
	    [TARGET_LXC] = REFUSED("it makes all mounts shared") } },
	{ { "no pivot_root" }, { "root.useChroot" }, { asks_chroot }, { [TARGET_OCI] = REFUSED("it is an option of the runtime, --no-pivot"),
	    [TARGET_BWRAP] = REFUSED("it always uses pivot_root"),
	    [TARGET_LXC] = REFUSED("it always uses pivot_root") } },

	{ { "bind mount" }, { "mounts.kind mounts.source mounts.destination mounts.recursive mounts.directory mounts.set "
	  "mounts.clear mounts.setRecursive mounts.clearRecursive mounts.pointer" }, { asks_bind },
	  { [TARGET_OCI] = CARRIED("mounts"),
	    [TARGET_BWRAP] = CARRIED("--bind, --ro-bind, --dev-bind"),
	    [TARGET_LXC] = DIFFERS("flags reach the topmost mount of a tree, and only with read-only: what is writable, or mounted below, keeps its own"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.mount.entry: of a clone that has all flags, in a mount namespace that goes with it") } },
	{ { "idmapped bind mount" }, { "mounts.idmapped mounts.idmapIsRecursive mounts.uidMaps mounts.gidMaps" }, { asks_idmapped },
	  { [TARGET_OCI] = CARRIED("mounts, with uidMappings and gidMappings"),
	    [TARGET_BWRAP] = REFUSED("it makes none"),
	    [TARGET_LXC] = REFUSED("it knows only the container's own map") } },
	{ { "copied symlink" }, { "mounts.copySymlink" }, { asks_copied_symlink }, { [TARGET_OCI] = CARRIED("mounts, option copy-symlink"),
	    [TARGET_BWRAP] = REFUSED("it copies none"),
	    [TARGET_LXC] = REFUSED("it copies none") } },
	{ { "identity of a bind's source" }, { "mounts.sourceDev mounts.sourceIno" }, { asks_identity },
	  { [TARGET_OCI] = DIFFERS("sources are not compared again when the bundle runs"),
	    [TARGET_BWRAP] = DIFFERS("sources are not compared again when it runs"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init compares"),
	    [TARGET_LXC] = DIFFERS("sources are not compared again when it runs"),
	    [TARGET_LXC_RUN] = CARRIED("our init compares") } },
	{ { "file system" }, { "mounts.fstype mounts.options" }, { asks_filesystem }, { [TARGET_OCI] = CARRIED("mounts"),
	    [TARGET_BWRAP] = CARRIED("--dev, --proc, --tmpfs, --mqueue; of a tmpfs size and mode; other types are refused by name"),
	    [TARGET_BWRAP_RUN] = CARRIED("--dev, --proc, --tmpfs, --mqueue; other types by our init"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.mount.entry; their options by our init") } },
	{ { "view of the cgroup" }, { "mounts.kind" }, { asks_cgroup_view }, { [TARGET_OCI] = CARRIED("mounts, type cgroup"),
	    [TARGET_BWRAP] = REFUSED("it mounts none"), [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it mounts it only in a way of its own"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "tmpfs filled from the image" }, { "mounts.copyUp" }, { asks_copy_up }, { [TARGET_OCI] = CARRIED("mounts, option tmpcopyup"),
	    [TARGET_BWRAP] = REFUSED("it fills none"),
	    [TARGET_LXC] = REFUSED("it fills none") } },
	{ { "propagation of a mount" }, { "mounts.propagation mounts.propagation2" }, { asks_mount_propagation },
	  { [TARGET_OCI] = CARRIED("mounts, the option of that name"),
	    [TARGET_BWRAP] = REFUSED("it has no option for it"),
	    [TARGET_LXC] = REFUSED("it makes all mounts shared") } },
	{ { "remount" }, { "mounts.kind" }, { asks_remount }, { [TARGET_OCI] = CARRIED("mounts, option remount"),
	    [TARGET_BWRAP] = CARRIED("for the whole root; elsewhere refused by its place"),
	    [TARGET_LXC] = REFUSED("it takes the word for one more mount"),
	    [TARGET_LXC_RUN] = CARRIED("for the whole root; elsewhere refused by its place") } },
	{ { "denied path" }, { "mounts.kind mounts.reopened" }, { asks_deny },
	  { [TARGET_OCI] = CARRIED("a bind mount of a mode-000 cover that lies in the bundle"),
	    [TARGET_BWRAP] = CARRIED("--perms 0000 with --tmpfs and --remount-ro, or with --ro-bind-data; the cover belongs to the sandbox's own id"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry: a bind of a mode-000 cover that lies in the folder, or a tmpfs"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.mount.entry: a bind of a mode-000 cover of ours, or a tmpfs") } },
	{ { "denied /proc" }, { "mounts.kind" }, { asks_denied_proc },
	  { [TARGET_OCI] = CARRIED("as another denied path"),
	    [TARGET_BWRAP] = CARRIED("as another denied path"),
	    [TARGET_BWRAP_RUN] = REFUSED("it finds our init by a name in /proc"),
	    [TARGET_LXC] = CARRIED("as another denied path"),
	    [TARGET_LXC_RUN] = REFUSED("it opens the container's /proc itself") } },
	{ { "symlink" }, { "mounts.kind" }, { asks_symlink },
	  { [TARGET_OCI] = CARRIED("a link in the bundle's root; below a mount only those of /dev, which runtimes make"),
	    [TARGET_BWRAP] = CARRIED("--symlink"),
	    [TARGET_LXC] = CARRIED("a link in the folder's root; below a mount only those of /dev, which it makes"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "directory" }, { "mounts.kind" }, { asks_directory }, { [TARGET_OCI] = CARRIED("a directory in the bundle's root"),
	    [TARGET_BWRAP] = CARRIED("--dir"),
	    [TARGET_LXC] = CARRIED("a directory in the folder's root"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "file with a given content" }, { "mounts.kind mounts.content" }, { asks_file },
	  { [TARGET_OCI] = REFUSED("config.json has no field for it"),
	    [TARGET_BWRAP] = REFUSED("it comes with a network that it can't make"),
	    [TARGET_BWRAP_RUN] = CARRIED("--ro-bind-data"),
	    [TARGET_LXC] = REFUSED("it comes with a network that it can't make"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.mount.entry") } },

	{ { "device nodes" }, { "devices devIsPrepared devSymlinks" }, { asks_devices }, { [TARGET_OCI] = CARRIED("linux.devices"),
	    [TARGET_BWRAP] = DIFFERS("the host's own nodes, by --dev; /dev/core is added"),
	    [TARGET_BWRAP_RUN] = DIFFERS("the host's own nodes, by --dev; /dev/core is added"),
	    [TARGET_LXC] = DIFFERS("the host's own nodes, by lxc.mount.entry"),
	    [TARGET_LXC_RUN] = CARRIED("our init; in a user namespace the host's own, by lxc.mount.entry") } },
	{ { "masked paths" }, { "maskedPaths" }, { asks_masked }, { [TARGET_OCI] = CARRIED("linux.maskedPaths"),
	    [TARGET_BWRAP] = CARRIED("below /proc: --ro-bind of /dev/null, or --tmpfs; elsewhere refused by name"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("below /proc and /sys: lxc.mount.entry of /dev/null or a tmpfs; elsewhere refused by name"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "read-only paths" }, { "readonlyPaths" }, { asks_readonly }, { [TARGET_OCI] = CARRIED("linux.readonlyPaths"),
	    [TARGET_BWRAP] = CARRIED("below /proc: --ro-bind; elsewhere refused by name"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("below /proc and /sys: lxc.mount.entry of the path upon itself; elsewhere refused by name"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "sysctls" }, { "sysctls" }, { asks_sysctls }, { [TARGET_OCI] = CARRIED("linux.sysctl"),
	    [TARGET_BWRAP] = REFUSED("it sets none"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.sysctl"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "network: the host's, none, joined" }, { "network" }, { asks_network }, { [TARGET_OCI] = CARRIED("linux.namespaces"),
	    [TARGET_BWRAP] = CARRIED("--unshare-net, or its absence"),
	    [TARGET_LXC] = CARRIED("lxc.net.0.type = empty, or no network namespace"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.namespace.clone, or its absence") } },
	{ { "network of another kind" }, { "network networkHelper networkHelperKind networkPolicy" }, { asks_other_network },
	  { [TARGET_OCI] = REFUSED("config.json has no field for it"),
	    [TARGET_BWRAP] = REFUSED("it has only --unshare-net"),
	    [TARGET_BWRAP_RUN] = CARRIED("--unshare-net; the rest from outside"),
	    [TARGET_LXC] = REFUSED("it has only bridges and routes of the host"),
	    [TARGET_LXC_RUN] = CARRIED("lxc.namespace.clone; the rest from outside") } },

	{ { "command, environment, working directory" }, { "process.args process.env process.cwd process.homeFromPasswd" }, { always },
	  { [TARGET_OCI] = CARRIED("process.args, process.env, process.cwd"),
	    [TARGET_BWRAP] = CARRIED("--clearenv, --setenv, --chdir; PWD is added"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("lxc-execute, lxc.environment, lxc.init.cwd; container=lxc is added, and files that are its standard streams get mode 0700"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "program other than argv[0]" }, { "process.program" }, { asks_program },
	  { [TARGET_OCI] = DIFFERS("argv[0] is the path of the program"),
	    [TARGET_BWRAP] = DIFFERS("argv[0] is the path of the program"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("argv[0] is the path of the program"),
	    [TARGET_LXC_RUN] = CARRIED("our init"),
	    [ITEM_NEWER_BWRAP] = SINCE(BWRAP_ARGV0, ITEM_CARRIED, "--argv0") } },
	{ { "argv[0] that is no name of the program" }, { "process.args" }, { asks_argv0 },
	  { [TARGET_OCI] = REFUSED("config.json has no field for it"),
	    [TARGET_BWRAP] = REFUSED("it has no option for it"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it has no key for it"),
	    [TARGET_LXC_RUN] = CARRIED("our init"),
	    [ITEM_NEWER_BWRAP] = SINCE(BWRAP_ARGV0, ITEM_CARRIED, "--argv0") } },
	{ { "\"/\" in place of an absent working directory" }, { "process.cwdFallbackRoot" }, { asks_cwd_fallback },
	  { [TARGET_OCI] = DIFFERS("runtimes make an absent working directory"),
	    [TARGET_BWRAP] = DIFFERS("run it in that folder: it stays there, or goes to \"/\""),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("it does not start where the directory is absent"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "user and group" }, { "process.uid process.gid" }, { always }, { [TARGET_OCI] = CARRIED("process.user"),
	    [TARGET_BWRAP] = CARRIED("--uid, --gid"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.init.uid, lxc.init.gid"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "supplementary groups" }, { "process.groups" }, { asks_groups }, { [TARGET_OCI] = CARRIED("process.user.additionalGids"),
	    [TARGET_BWRAP] = REFUSED("it sets none"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.init.groups"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "the caller's groups" }, { "process.keepGroups" }, { asks_kept_groups },
	  { [TARGET_OCI] = CARRIED("the annotation run.oci.keep_original_groups"),
	    [TARGET_BWRAP] = CARRIED("what it does by itself"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it drops them") } },
	{ { "umask" }, { "process.umask" }, { asks_umask }, { [TARGET_OCI] = CARRIED("process.user.umask"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("set it before lxc-execute, which passes it on"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "capabilities" }, { "process.capabilities" }, { always }, { [TARGET_OCI] = CARRIED("process.capabilities"),
	    [TARGET_BWRAP] = CARRIED("--cap-drop ALL"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.cap.keep"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "resource limits" }, { "process.rlimits" }, { asks_rlimits }, { [TARGET_OCI] = CARRIED("process.rlimits"),
	    [TARGET_BWRAP] = OUTSIDE("set them before bwrap, which passes them on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.prlimit"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "no_new_privs" }, { "process.noNewPrivileges" }, { asks_no_new_privs }, { [TARGET_OCI] = CARRIED("process.noNewPrivileges"),
	    [TARGET_BWRAP] = CARRIED("what it does by itself"),
	    [TARGET_BWRAP_RUN] = CARRIED("what it does by itself"),
	    [TARGET_LXC] = CARRIED("lxc.no_new_privs"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "out-of-memory score" }, { "process.oomScoreAdj" }, { asks_oom_score }, { [TARGET_OCI] = CARRIED("process.oomScoreAdj"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.proc.oom_score_adj"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "scheduler" }, { "process.scheduler" }, { asks_scheduler }, { [TARGET_OCI] = REFUSED("it has no lowering to config.json"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("set it before lxc-execute, which passes it on"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "I/O priority" }, { "process.ioPriority" }, { asks_io_priority }, { [TARGET_OCI] = REFUSED("it has no lowering to config.json"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("set it before lxc-execute, which passes it on"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "memory policy" }, { "process.memoryPolicy" }, { asks_memory_policy },
	  { [TARGET_OCI] = REFUSED("it has no lowering to config.json"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("set it before lxc-execute, which passes it on"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "cpu affinity" }, { "process.initialCpus process.finalCpus" }, { asks_affinity },
	  { [TARGET_OCI] = REFUSED("it is of exec, not of a container"),
	    [TARGET_BWRAP] = REFUSED("it is of exec, not of a container"),
	    [TARGET_LXC] = REFUSED("it is of exec, not of a container") } },
	{ { "all cpus of its cgroup" }, { "process.allCpus" }, { asks_all_cpus }, { [TARGET_OCI] = CARRIED("what runtimes do by themselves"),
	    [TARGET_BWRAP] = OUTSIDE("the caller's cpus stay: set them before, by taskset"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("the caller's cpus stay: set them before, by taskset"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "personality" }, { "process.personality" }, { asks_personality }, { [TARGET_OCI] = REFUSED("it has no lowering to config.json"),
	    [TARGET_BWRAP] = OUTSIDE("set it before bwrap, which passes it on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = OUTSIDE("set it before lxc-execute, which passes it on"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "seccomp filter" }, { "process.seccomp" }, { asks_seccomp }, { [TARGET_OCI] = CARRIED("linux.seccomp"),
	    [TARGET_BWRAP] = CARRIED("--seccomp, the program on a descriptor"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.seccomp.profile: the rules, in its own form"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "seccomp filter of a sandbox" }, { "process.seccomp" }, { asks_sandbox_seccomp },
	  { [TARGET_OCI] = DIFFERS("a program of another kind than the machine's own, such as a 32-bit one, is killed"),
	    [TARGET_BWRAP] = CARRIED("--seccomp"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("a program of another kind than the machine's own, such as a 32-bit one, is under the same rules"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "seccomp filters of policies, beside its own" }, { "policy.filters" }, { asks_policy_filters },
	  { [TARGET_OCI] = REFUSED("config.json has room for one filter"),
	    [TARGET_BWRAP] = REFUSED("what a policy puts beside the container's own filter is not in its command"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("its configuration has room for one filter"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "AppArmor profile" }, { "process.apparmorProfile" }, { asks_apparmor }, { [TARGET_OCI] = CARRIED("process.apparmorProfile"),
	    [TARGET_BWRAP] = REFUSED("no_new_privs stands against a change of profile"),
	    [TARGET_LXC] = CARRIED("lxc.apparmor.profile"),
	    [TARGET_LXC_RUN] = REFUSED("our init sets it by the host's /proc, and has no name for that here") } },
	{ { "SELinux label" }, { "process.selinuxLabel" }, { asks_selinux }, { [TARGET_OCI] = CARRIED("process.selinuxLabel"),
	    [TARGET_BWRAP] = REFUSED("no_new_privs stands against a change of label"),
	    [TARGET_LXC] = CARRIED("lxc.selinux.context"),
	    [TARGET_LXC_RUN] = REFUSED("our init sets it by the host's /proc, and has no name for that here") } },
	{ { "terminal" }, { "process.terminal process.consoleRows process.consoleColumns" }, { asks_terminal },
	  { [TARGET_OCI] = CARRIED("process.terminal, process.consoleSize"),
	    [TARGET_BWRAP] = REFUSED("it makes none"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("its console is of another kind"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "session keyring" }, { "process.newKeyring" }, { asks_keyring }, { [TARGET_OCI] = CARRIED("what runtimes do by themselves"),
	    [TARGET_BWRAP] = OUTSIDE("the caller's stays: leave it before, by keyctl session"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.keyring.session"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "session of its own" }, { "process.newSession" }, { asks_session }, { [TARGET_OCI] = CARRIED("what runtimes do by themselves"),
	    [TARGET_BWRAP] = CARRIED("--new-session"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("what it does by itself"),
	    [TARGET_LXC_RUN] = CARRIED("what it does by itself") } },
	{ { "the caller's session" }, { "process.newSession" }, { asks_same_session },
	  { [TARGET_OCI] = DIFFERS("runtimes always make a session"),
	    [TARGET_BWRAP] = CARRIED("what it does by itself"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("it always makes a session"),
	    [TARGET_LXC_RUN] = DIFFERS("it always makes a session: the workload gets no signals of the caller's terminal, and no job control") } },
	{ { "inner user namespace" }, { "process.innerUserNamespace" }, { asks_inner_userns },
	  { [TARGET_OCI] = DIFFERS("there is one user namespace, in which the workload can't get a capability: no set has one, and no_new_privs is set"),
	    [TARGET_BWRAP] = DIFFERS("there is one user namespace, in which the workload can't get a capability"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("there is one user namespace, in which the workload can't get a capability: it keeps none, and no_new_privs is set"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "capabilities in an inner user namespace" }, { "process.innerUserNamespace" }, { asks_inner_capabilities },
	  { [TARGET_OCI] = REFUSED("in the one namespace of a bundle they would mean more"),
	    [TARGET_BWRAP] = REFUSED("in one namespace they would mean more"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("in one namespace they would mean more"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "Landlock domain" }, { "process.landlockAbi" }, { asks_landlock },
	  { [TARGET_OCI] = DIFFERS("mounts are the only wall around files"), [TARGET_BWRAP] = DIFFERS("mounts are the only wall around files"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"), [TARGET_LXC] = DIFFERS("mounts are the only wall around files"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "pid 1 of ours" }, { "process.keepInit" }, { asks_init }, { [TARGET_OCI] = DIFFERS("the workload itself is pid 1"),
	    [TARGET_BWRAP] = CARRIED("its own pid 1, which reaps"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init, by --as-pid-1"),
	    [TARGET_LXC] = CARRIED("lxc-init, which reaps"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "preserved descriptors" }, { "process.preserveFds" }, { asks_descriptors },
	  { [TARGET_OCI] = OUTSIDE("give the runtime --preserve-fds"),
	    [TARGET_BWRAP] = REFUSED("their numbers are needed for its own"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("what it does by itself"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "NOTIFY_SOCKET" }, { "process.notifySocket" }, { asks_notify_socket },
	  { [TARGET_OCI] = OUTSIDE("give the runtime the variable NOTIFY_SOCKET"),
	    [TARGET_BWRAP] = REFUSED("it binds none"),
	    [TARGET_LXC] = REFUSED("it binds none") } },

	{ { "hooks" }, { "hooks" }, { asks_hooks }, { [TARGET_OCI] = CARRIED("hooks"),
	    [TARGET_BWRAP] = REFUSED("it runs none"),
	    [TARGET_BWRAP_RUN] = CARRIED("run from outside, and by our init"),
	    [TARGET_LXC] = REFUSED("they are told other things than OCI's"),
	    [TARGET_LXC_RUN] = CARRIED("run from outside, and by our init") } },
	{ { "hooks of the kind createContainer" }, { "hooks" }, { asks_inside_hooks }, { [TARGET_OCI] = CARRIED("hooks"),
	    [TARGET_BWRAP] = REFUSED("it runs none"),
	    [TARGET_BWRAP_RUN] = REFUSED("they run before pivot_root, which is its own"),
	    [TARGET_LXC] = REFUSED("they are told other things than OCI's"),
	    [TARGET_LXC_RUN] = REFUSED("they run before pivot_root, which is its own") } },
	{ { "regions of a policy in a bundle, or of the host owner's" }, { "policy.regions policy.regionsByLink policy.coversAreIdmapped" }, { asks_regions },
	  { [TARGET_OCI] = REFUSED("they cover what mounts have made, which mounts in config.json can't say"),
	    [TARGET_BWRAP] = REFUSED("they cover what mounts have made"),
	    [TARGET_LXC] = REFUSED("they cover what mounts have made") } },
	{ { "limits for later processes of the container" }, { "policy.refusedCapabilities policy.withheldCapabilities policy.memoryBytes "
	  "policy.cpus policy.pids policy.processPointer" }, { asks_later_limits },
	  { [TARGET_OCI] = OUTSIDE("look at what the runtime's exec and update are asked for"),
	    [TARGET_BWRAP] = OUTSIDE("look at what nsenter and others are asked for"),
	    [TARGET_BWRAP_RUN] = CARRIED("the record"),
	    [TARGET_LXC] = OUTSIDE("look at what lxc-attach and others are asked for"),
	    [TARGET_LXC_RUN] = CARRIED("the record") } },
	{ { "who asked for what" }, { "policy.items" }, { always }, { [TARGET_OCI] = NOTHING,
	    [TARGET_BWRAP] = NOTHING,
	    [TARGET_LXC] = NOTHING } },
	{ { "time limit" }, { "lifecycle.timeoutMs lifecycle.timeoutPointer" }, { asks_timeout }, { [TARGET_OCI] = OUTSIDE("end it yourself, e.g. by timeout(1)"),
	    [TARGET_BWRAP] = OUTSIDE("end it yourself, e.g. by timeout(1)"),
	    [TARGET_BWRAP_RUN] = CARRIED("the supervisor, or the watcher"),
	    [TARGET_LXC] = OUTSIDE("end it yourself, e.g. by timeout(1)"),
	    [TARGET_LXC_RUN] = CARRIED("the supervisor, or the watcher") } },
	{ { "sandbox that dies with its supervisor" }, { "lifecycle.sandbox lifecycle.dieWithParent" }, { asks_sandbox },
	  { [TARGET_OCI] = OUTSIDE("end and delete it yourself"),
	    [TARGET_BWRAP] = CARRIED("--die-with-parent"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init, and the supervisor"),
	    [TARGET_LXC] = CARRIED("its init dies with lxc-execute"),
	    [TARGET_LXC_RUN] = CARRIED("our init, and the supervisor") } },
	{ { "and with the supervisor's caller" }, { "lifecycle.diesWithCaller" }, { asks_leash },
	  { [TARGET_OCI] = OUTSIDE("end and delete it yourself"),
	    [TARGET_BWRAP] = DIFFERS("--die-with-parent is there in any case"),
	    [TARGET_BWRAP_RUN] = CARRIED("the supervisor"),
	    [TARGET_LXC] = OUTSIDE("end lxc-execute yourself"),
	    [TARGET_LXC_RUN] = CARRIED("the supervisor") } },
	{ { "sandbox that stays, for processes to join" }, { "lifecycle.stays" }, { asks_stay }, { [TARGET_OCI] = REFUSED("a bundle has a program of its own"),
	    [TARGET_BWRAP] = REFUSED("nothing would run in it"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("nothing would run in it"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "one more process" }, { "lifecycle.exec" }, { asks_exec }, { [TARGET_OCI] = REFUSED("a bundle is a whole container"),
	    [TARGET_BWRAP] = REFUSED("it makes whole sandboxes"),
	    [TARGET_LXC] = REFUSED("it makes whole containers") } },

	{ { "ids without a new user namespace" }, { "process.uid process.gid" }, { asks_plain_ids },
	  { [TARGET_OCI] = CARRIED("process.user"), [TARGET_BWRAP] = REFUSED("it changes ids only by a user namespace"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.init.uid, lxc.init.gid"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "id map of more than one id" }, { "uidMaps gidMaps" }, { asks_wide_map },
	  { [TARGET_OCI] = CARRIED("linux.uidMappings, linux.gidMappings"),
	    [TARGET_BWRAP] = REFUSED("it maps the caller's own id only"),
	    [TARGET_BWRAP_RUN] = CARRIED("written from outside; the caller's own ids have to be among them"),
	    [TARGET_LXC] = CARRIED("lxc.idmap") } },
	{ { "bind mount of one mount only" }, { "mounts.recursive" }, { asks_flat_bind },
	  { [TARGET_OCI] = CARRIED("mounts, option bind"), [TARGET_BWRAP] = REFUSED("it always binds what is mounted below, too"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry, option bind") } },
	{ { "bind mount with set-user-ID programs" }, { "mounts.set mounts.setRecursive" }, { asks_suid_bind },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = DIFFERS("nosuid is added"),
	    [TARGET_BWRAP_RUN] = DIFFERS("nosuid is added, which changes nothing under no_new_privs"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry") } },
	{ { "noexec in /dev" }, { "mounts.set" }, { asks_noexec_dev },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = DIFFERS("programs in /dev can be executed"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry") } },
	{ { "mount flags but for read-only, nosuid and nodev" }, { "mounts.set mounts.clear mounts.setRecursive mounts.clearRecursive" },
	  { asks_other_flags }, { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("it has no option for them"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry; of a bind as above"),
	    [TARGET_LXC_RUN] = CARRIED("as above") } },
	{ { "a bind without flags of its source" }, { "mounts.exact" }, { asks_exact },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = DIFFERS("those that its options don't name stay"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("those that its options don't name stay"),
	    [TARGET_LXC_RUN] = CARRIED("as above") } },
	{ { "a mount in place of the root" }, { "mounts.destination" }, { asks_other_root },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("the root that it is given stays"),
	    [TARGET_LXC] = REFUSED("the root that it is given stays") } },
	{ { "sysfs in a new user namespace" }, { "mounts.fstype" }, { asks_users_sysfs },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("it mounts none"),
	    [TARGET_BWRAP_RUN] = REFUSED("our init mounts it when the host's is out of sight, and the kernel asks to see that"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry") } },
	{ { "a step upon a file system of another type" }, { "mounts.destination" }, { asks_upon_left },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("it mounts no such file system"),
	    [TARGET_BWRAP_RUN] = REFUSED("our init mounts that afterwards"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry") } },
	{ { "view of the cgroup without a cgroup namespace" }, { "mounts.kind" }, { asks_host_cgroup_view },
	  { [TARGET_OCI] = CARRIED("mounts, type cgroup"), [TARGET_BWRAP] = REFUSED("it mounts none"),
	    [TARGET_BWRAP_RUN] = REFUSED("the host's is out of reach when our init runs"),
	    [TARGET_LXC] = REFUSED("it mounts it only in a way of its own"),
	    [TARGET_LXC_RUN] = REFUSED("the host's is out of reach when our init runs") } },
	{ { "such flags of a tree above other mounts" }, { "mounts.setRecursive mounts.clearRecursive" }, { asks_left_flags },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("it has no option for them"),
	    [TARGET_BWRAP_RUN] = REFUSED("our init would set them for those mounts, too"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry; of a bind as above"),
	    [TARGET_LXC_RUN] = CARRIED("as above") } },
	{ { "size of a tmpfs" }, { "mounts.options" }, { asks_tmpfs_size },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = REFUSED("it has no option for it"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry"),
	    [TARGET_LXC_RUN] = CARRIED("our init"),
	    [ITEM_NEWER_BWRAP] = SINCE(BWRAP_SIZE, ITEM_CARRIED, "--size") } },
	{ { "tmpfs without a mode" }, { "mounts.options" }, { asks_tmpfs_of_any_mode },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = DIFFERS("mode 0755, not that of the folder that it covers"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("mode 1777, not that of the folder that it covers"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "options of a tmpfs but for size and mode" }, { "mounts.options" }, { asks_tmpfs_options },
	  { [TARGET_OCI] = CARRIED("mounts"), [TARGET_BWRAP] = DIFFERS("they are left out, also size of /dev: nr_inodes limits nothing"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.mount.entry"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "device nodes but for the default ones" }, { "devices" }, { asks_other_devices },
	  { [TARGET_OCI] = CARRIED("linux.devices"), [TARGET_BWRAP] = REFUSED("it makes none"),
	    [TARGET_LXC] = REFUSED("it makes none in a user namespace"),
	    [TARGET_LXC_RUN] = CARRIED("our init; in a user namespace the host's own, by lxc.mount.entry") } },
	{ { "capabilities that the workload has" }, { "process.capabilities" }, { asks_capabilities },
	  { [TARGET_OCI] = CARRIED("process.capabilities"), [TARGET_BWRAP] = DIFFERS("--cap-add: for an ordinary user in a namespace below the one that owns the network"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("lxc.cap.keep limits what root may have; the sets that pass over execve stay empty"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "CAP_SETGID where setgroups is denied" }, { "process.capabilities" }, { asks_denied_setgid },
	  { [TARGET_OCI] = CARRIED("process.capabilities"), [TARGET_BWRAP] = CARRIED("--cap-add"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = CARRIED("lxc.cap.keep"),
	    [TARGET_LXC_RUN] = REFUSED("with that it calls setgroups itself, and fails") } },
	{ { "capabilities that differ from set to set" }, { "process.capabilities" }, { asks_capability_sets },
	  { [TARGET_OCI] = CARRIED("process.capabilities"), [TARGET_BWRAP] = REFUSED("a set can't be given as it is"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("a set can't be given as it is"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "no_new_privs not set" }, { "process.noNewPrivileges" }, { asks_new_privs },
	  { [TARGET_OCI] = CARRIED("process.noNewPrivileges"), [TARGET_BWRAP] = REFUSED("it always sets no_new_privs"),
	    [TARGET_LXC] = CARRIED("lxc.no_new_privs"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "HOME from /etc/passwd" }, { "process.homeFromPasswd" }, { asks_home },
	  { [TARGET_OCI] = CARRIED("what runtimes do by themselves"), [TARGET_BWRAP] = DIFFERS("HOME is not set"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = DIFFERS("HOME is not set"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "seccomp notification" }, { "process.seccomp" }, { asks_notify },
	  { [TARGET_OCI] = CARRIED("linux.seccomp, listenerPath"), [TARGET_BWRAP] = REFUSED("it hands no listener on"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it hands its listener to a proxy of another kind"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
	{ { "flags of the seccomp filter" }, { "process.seccomp" }, { asks_filter_flags },
	  { [TARGET_OCI] = CARRIED("linux.seccomp, flags"), [TARGET_BWRAP] = REFUSED("it has no option for them"),
	    [TARGET_BWRAP_RUN] = CARRIED("our init"),
	    [TARGET_LXC] = REFUSED("it has no key for them"),
	    [TARGET_LXC_RUN] = CARRIED("our init") } },
};
const size_t engine_item_count = array_size(engine_items);
