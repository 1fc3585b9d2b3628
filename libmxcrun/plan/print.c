/* print.c - the plan as JSON, member by member in the order of plan.h: what it says about the
 * container. The process is in print_process.c.
 *
 * Flags are printed as the words of the tables that parsed them. tests/unit/test_plan_print.c
 * changes every member in turn and sees the text change, so that a member can't be forgotten here.
 */
#include "plan/print.h"

#include <errno.h>

#include "config/oci.h"
#include "plan/options.h"
#include "plan/print_parts.h"

static const char *const ns_modes[] = { [NS_HOST] = "host", [NS_NEW] = "new", [NS_JOIN] = "join" };

static const char *const managers[] = {
	[CGROUP_MANAGER_CGROUPFS] = "cgroupfs",
	[CGROUP_MANAGER_SYSTEMD] = "systemd",
	[CGROUP_MANAGER_DISABLED] = "disabled",
};

static const char *const mount_kinds[] = {
	[MOUNT_BIND] = "bind",	     [MOUNT_FILESYSTEM] = "filesystem",
	[MOUNT_CGROUP] = "cgroup",   [MOUNT_DENY] = "deny",
	[MOUNT_SYMLINK] = "symlink", [MOUNT_DIRECTORY] = "directory",
	[MOUNT_REMOUNT] = "remount", [MOUNT_FILE] = "file",
};

static const char *const network_modes[] = {
	[NETWORK_HOST] = "host",
	[NETWORK_JOINED] = "joined",
	[NETWORK_NONE] = "none",
	[NETWORK_PROXY] = "proxy",
	[NETWORK_FILTERED] = "filtered",
};

static const char *const helper_words[] = { [HELPER_SLIRP] = "slirp4netns", [HELPER_PASTA] = "pasta" };

static void print_namespaces(const struct plan *plan, struct json_writer *w)
{
	unsigned int i;

	json_open(w, "namespaces", '{');
	for (i = 0; i < NS_MAX; i++) {
		json_open(w, oci_namespace_words[i], '{');
		json_put_string(w, "mode", ns_modes[plan->namespaces[i].mode]);
		json_put_string(w, "path", plan->namespaces[i].path);
		json_put_string(w, "pointer", plan->namespaces[i].pointer);
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void print_net_devices(const struct plan *plan, struct json_writer *w)
{
	json_open(w, "netDevices", '[');
	for (size_t i = 0; i < plan->net_device_count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "hostName", plan->net_devices[i].host_name);
		json_put_string(w, "name", plan->net_devices[i].name);
		json_put_string(w, "pointer", plan->net_devices[i].pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_time_offset(const struct plan_time_offset *offset, const char *key, struct json_writer *w)
{
	if (!offset->is_set) {
		json_put_string(w, key, NULL);
		return;
	}
	json_open(w, key, '{');
	json_put_i64(w, "seconds", offset->seconds);
	json_put_u64(w, "nanoseconds", offset->nanoseconds);
	json_close(w, '}');
}

static void print_idmaps(const struct plan_idmaps *maps, const char *key, struct json_writer *w)
{
	size_t i;

	json_open(w, key, '[');
	for (i = 0; i < maps->count; i++) {
		json_open(w, NULL, '{');
		json_put_u64(w, "inside", maps->items[i].inside);
		json_put_u64(w, "outside", maps->items[i].outside);
		json_put_u64(w, "count", maps->items[i].count);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_device_rules(const struct plan_cgroup *cgroup, struct json_writer *w)
{
	size_t i;

	json_open(w, "deviceRules", '[');
	for (i = 0; i < cgroup->device_rule_count; i++) {
		const struct plan_device_rule *rule = &cgroup->device_rules[i];
		char type[2] = { rule->type, '\0' };

		json_open(w, NULL, '{');
		json_put_bool(w, "allow", rule->allow);
		json_put_string(w, "type", type);
		json_put_i64(w, "major", rule->major);
		json_put_i64(w, "minor", rule->minor);
		json_put_bool(w, "read", rule->read);
		json_put_bool(w, "write", rule->write);
		json_put_bool(w, "mknod", rule->mknod);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_unit_properties(const struct plan_cgroup *cgroup, struct json_writer *w)
{
	json_open(w, "unitProperties", '[');
	for (size_t i = 0; i < cgroup->unit_property_count; i++) {
		const struct plan_unit_property *property = &cgroup->unit_properties[i];

		json_open(w, NULL, '{');
		json_put_string(w, "name", property->name);
		json_put_string(w, "signature", property->signature);
		json_open(w, "values", '[');
		for (const char *const *value = property->values; value && *value; value++)
			json_put_string(w, NULL, *value);
		json_close(w, ']');
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_cgroup(const struct plan_cgroup *cgroup, struct json_writer *w)
{
	size_t i;

	json_open(w, "cgroup", '{');
	json_put_string(w, "manager", managers[cgroup->manager]);
	json_put_string(w, "path", cgroup->path);
	json_put_string(w, "slice", cgroup->slice);
	json_put_string(w, "scope", cgroup->scope);
	json_put_bool(w, "required", cgroup->required);
	print_unit_properties(cgroup, w);
	json_open(w, "writes", '[');
	for (i = 0; i < cgroup->write_count; i++) {
		const struct plan_cgroup_write *write = &cgroup->writes[i];

		json_open(w, NULL, '{');
		json_put_string(w, "controller", write->controller);
		json_put_string(w, "file", write->file);
		json_put_string(w, "value", write->value);
		json_put_bool(w, "optional", write->is_optional);
		if (write->usage_file)
			json_put_string(w, "notBelow", write->usage_file);
		json_put_string(w, "pointer", write->pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_put_bool(w, "wantsDevices", cgroup->wants_devices);
	print_device_rules(cgroup, w);
	json_put_i64(w, "memoryBytes", cgroup->memory_bytes);
	json_put_i64(w, "cpuQuotaUs", cgroup->cpu_quota_us);
	json_put_i64(w, "cpuPeriodUs", cgroup->cpu_period_us);
	json_put_i64(w, "pids", cgroup->pids);
	json_close(w, '}');
}

static void print_rdt(const struct plan_rdt *rdt, struct json_writer *w)
{
	if (!rdt->is_set)
		return;
	json_open(w, "intelRdt", '{');
	json_put_string(w, "class", rdt->class_name);
	json_put_bool(w, "named", rdt->is_named);
	json_put_string(w, "schemata", rdt->schemata);
	json_put_bool(w, "monitored", rdt->is_monitored);
	json_put_bool(w, "needsOccupancy", rdt->needs_occupancy);
	json_put_bool(w, "needsBandwidth", rdt->needs_bandwidth);
	json_close(w, '}');
}

static void print_root(const struct plan_root *root, struct json_writer *w)
{
	static const char *const kinds[] = { [ROOT_BUNDLE] = "bundle", [ROOT_VIEW] = "view", [ROOT_IMAGE] = "image" };

	json_open(w, "root", '{');
	json_put_string(w, "kind", kinds[root->kind]);
	json_put_string(w, "path", root->path);
	json_put_bool(w, "readonly", root->is_readonly);
	json_put_string(w, "propagation", mount_propagation_word(root->propagation));
	json_put_bool(w, "useChroot", root->use_chroot);
	json_close(w, '}');
}

static void print_attributes(uint64_t flags, const char *key, struct json_writer *w)
{
	const char *word;
	unsigned int i;

	json_open(w, key, '[');
	for (i = 0; (word = mount_attribute_word(flags, i)); i++)
		json_put_string(w, NULL, word);
	json_close(w, ']');
}

static void print_options(const struct plan_option *options, size_t count, struct json_writer *w)
{
	size_t i;

	json_open(w, "options", '[');
	for (i = 0; i < count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "key", options[i].key);
		json_put_string(w, "value", options[i].value);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_mount(const struct plan_mount *mount, struct json_writer *w)
{
	static const struct plan_idmaps no_maps;

	json_open(w, NULL, '{');
	json_put_string(w, "kind", mount_kinds[mount->kind]);
	json_put_string(w, "destination", mount->destination);
	json_put_string(w, "source", mount->source);
	json_put_string(w, "fstype", mount->fstype);
	json_put_bool(w, "recursive", mount->is_recursive);
	json_put_bool(w, "directory", mount->is_directory);
	json_put_bool(w, "reopened", mount->is_reopened);
	json_put_bool(w, "exact", mount->is_exact);
	print_attributes(mount->attr_set, "set", w);
	print_attributes(mount->attr_clear, "clear", w);
	print_attributes(mount->attr_set_recursive, "setRecursive", w);
	print_attributes(mount->attr_clear_recursive, "clearRecursive", w);
	json_put_string(w, "propagation", mount_propagation_word(mount->propagation));
	json_put_string(w, "propagation2", mount_propagation_word(mount->propagation2));
	print_options(mount->options, mount->option_count, w);
	json_put_string(w, "content", mount->content);
	json_put_bool(w, "copyUp", mount->copy_up);
	json_put_bool(w, "idmapped", mount->is_idmapped);
	json_put_bool(w, "idmapIsRecursive", mount->idmap_is_recursive);
	print_idmaps(mount->maps ? &mount->maps->uids : &no_maps, "uidMaps", w);
	print_idmaps(mount->maps ? &mount->maps->gids : &no_maps, "gidMaps", w);
	json_put_bool(w, "copySymlink", mount->copy_symlink);
	json_put_u64(w, "sourceDev", mount->source_dev);
	json_put_u64(w, "sourceIno", mount->source_ino);
	json_put_string(w, "pointer", mount->pointer);
	json_close(w, '}');
}

static void print_devices(const struct plan *plan, struct json_writer *w)
{
	size_t i;

	json_open(w, "devices", '[');
	for (i = 0; i < plan->device_count; i++) {
		const struct plan_device *device = &plan->devices[i];
		char type[2] = { device->type, '\0' };

		json_open(w, NULL, '{');
		json_put_string(w, "path", device->path);
		json_put_string(w, "type", type);
		json_put_u64(w, "major", device->major);
		json_put_u64(w, "minor", device->minor);
		json_put_u64(w, "mode", device->mode);
		json_put_u64(w, "uid", device->uid);
		json_put_u64(w, "gid", device->gid);
		json_put_bool(w, "default", device->is_default);
		json_put_string(w, "pointer", device->pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_put_bool(w, "devIsPrepared", plan->dev_is_prepared);
	json_open(w, "devSymlinks", '[');
	for (i = 0; i < plan->dev_symlink_count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "path", plan->dev_symlinks[i].path);
		json_put_string(w, "target", plan->dev_symlinks[i].target);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_paths(const struct plan_paths *paths, const char *key, struct json_writer *w)
{
	size_t i;

	json_open(w, key, '[');
	for (i = 0; i < paths->count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "path", paths->items[i].path);
		json_put_string(w, "pointer", paths->items[i].pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_sysctls(const struct plan *plan, struct json_writer *w)
{
	size_t i;

	json_open(w, "sysctls", '[');
	for (i = 0; i < plan->sysctl_count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "path", plan->sysctls[i].path);
		json_put_string(w, "value", plan->sysctls[i].value);
		json_put_string(w, "pointer", plan->sysctls[i].pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_identity(const struct plan *plan, struct json_writer *w)
{
	size_t i;

	json_put_string(w, "id", plan->id);
	json_put_string(w, "bundle", plan->bundle);
	json_put_string(w, "config", plan->config);
	json_put_string(w, "ociVersion", plan->oci_version);
	json_put_string(w, "hostname", plan->hostname);
	json_put_string(w, "domainname", plan->domainname);
	json_open(w, "annotations", '{');
	for (i = 0; i < plan->annotation_count; i++)
		json_put_string(w, plan->annotations[i].key, plan->annotations[i].value);
	json_close(w, '}');
}

int plan_print(const struct plan *plan, struct json_writer *out)
{
	size_t i;

	json_open(out, NULL, '{');
	print_identity(plan, out);
	print_namespaces(plan, out);
	print_idmaps(&plan->uid_maps, "uidMaps", out);
	print_idmaps(&plan->gid_maps, "gidMaps", out);
	json_put_bool(out, "denySetgroups", plan->deny_setgroups);
	print_net_devices(plan, out);
	json_open(out, "timeOffsets", '{');
	print_time_offset(&plan->monotonic, "monotonic", out);
	print_time_offset(&plan->boottime, "boottime", out);
	json_close(out, '}');
	print_cgroup(&plan->cgroup, out);
	print_rdt(&plan->rdt, out);
	print_root(&plan->root, out);
	json_open(out, "mounts", '[');
	for (i = 0; i < plan->mount_count; i++)
		print_mount(&plan->mounts[i], out);
	json_close(out, ']');
	print_devices(plan, out);
	print_paths(&plan->masked, "maskedPaths", out);
	print_paths(&plan->readonly, "readonlyPaths", out);
	print_sysctls(plan, out);
	json_put_string(out, "network", network_modes[plan->network]);
	print_policy(plan, out);
	json_put_string(out, "networkHelper", plan->network_helper);
	json_put_string(out, "networkHelperKind", helper_words[plan->network_helper_kind]);
	print_network_policy(&plan->network_policy, out);
	print_process(&plan->process, out);
	print_hooks(plan->hooks, out);
	print_lifecycle(&plan->lifecycle, out);
	json_close(out, '}');
	return out->out.failed ? -ENOMEM : 0;
}
