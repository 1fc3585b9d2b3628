/* emit.c - the outline of config.json, in a fixed order. */
#include "engine/oci/emit.h"

#include <stdlib.h>
#include <string.h>

#include "config/oci.h"
#include "engine/items.h"
#include "engine/oci/parts.h"
#include "plan/options.h"

#define OCI_VERSION "1.0.2"		/* as runtimes since 2020 take it; members of later versions they refuse or know */

static void put_root(struct oci_emitter *e)
{
	const struct plan_root *root = &e->plan->root;

	json_open(e->out, "root", '{');
	json_put_string(e->out, "path", root->kind == ROOT_VIEW ? OCI_ROOT : root->path);
	json_put_bool(e->out, "readonly", root->is_readonly);
	json_close(e->out, '}');
}

static void put_namespaces(struct oci_emitter *e)
{
	json_open(e->out, "namespaces", '[');
	for (int kind = 0; kind < NS_MAX; kind++) {
		const struct plan_ns *ns = &e->plan->namespaces[kind];

		if (ns->mode == NS_HOST)
			continue;
		json_open(e->out, NULL, '{');
		json_put_string(e->out, "type", oci_namespace_words[kind]);
		if (ns->mode == NS_JOIN)
			json_put_string(e->out, "path", ns->path);
		json_close(e->out, '}');
	}
	json_close(e->out, ']');
}

void oci_put_maps(struct oci_emitter *e, const char *key, const struct plan_idmaps *maps)
{
	json_open(e->out, key, '[');
	for (size_t i = 0; i < maps->count; i++) {
		json_open(e->out, NULL, '{');
		json_put_u64(e->out, "containerID", maps->items[i].inside);
		json_put_u64(e->out, "hostID", maps->items[i].outside);
		json_put_u64(e->out, "size", maps->items[i].count);
		json_close(e->out, '}');
	}
	json_close(e->out, ']');
}

static void put_offset(struct oci_emitter *e, const char *clock, const struct plan_time_offset *offset)
{
	if (!offset->is_set)
		return;
	json_open(e->out, clock, '{');
	json_put_i64(e->out, "secs", offset->seconds);
	json_put_u64(e->out, "nanosecs", offset->nanoseconds);
	json_close(e->out, '}');
}

static void put_offsets(struct oci_emitter *e)
{
	if (!plan_has_time_offsets(e->plan))
		return;
	json_open(e->out, "timeOffsets", '{');
	put_offset(e, "monotonic", &e->plan->monotonic);
	put_offset(e, "boottime", &e->plan->boottime);
	json_close(e->out, '}');
}

static void put_net_devices(struct oci_emitter *e)
{
	if (!e->plan->net_device_count)
		return;
	json_open(e->out, "netDevices", '{');
	for (size_t i = 0; i < e->plan->net_device_count; i++) {
		json_open(e->out, e->plan->net_devices[i].host_name, '{');
		json_put_string(e->out, "name", e->plan->net_devices[i].name);
		json_close(e->out, '}');
	}
	json_close(e->out, '}');
}

static void put_devices(struct oci_emitter *e)
{
	json_open(e->out, "devices", '[');
	for (size_t i = 0; i < e->plan->device_count; i++) {
		const struct plan_device *device = &e->plan->devices[i];
		const char type[] = { device->type, 0 };

		if (device->is_default)		/* runtimes make those */
			continue;
		json_open(e->out, NULL, '{');
		json_put_string(e->out, "path", device->path);
		json_put_string(e->out, "type", type);
		if (device->type != 'p') {
			json_put_u64(e->out, "major", device->major);
			json_put_u64(e->out, "minor", device->minor);
		}
		json_put_u64(e->out, "fileMode", device->mode);
		json_put_u64(e->out, "uid", device->uid);
		json_put_u64(e->out, "gid", device->gid);
		json_close(e->out, '}');
	}
	json_close(e->out, ']');
}

static void put_paths(struct oci_emitter *e, const char *key, const struct plan_paths *paths)
{
	if (!paths->count)
		return;
	json_open(e->out, key, '[');
	for (size_t i = 0; i < paths->count; i++)
		json_put_string(e->out, NULL, paths->items[i].path);
	json_close(e->out, ']');
}

/* With dots, as sysctl(8) has them; a name that has dots itself stays a path. */
static int put_sysctls(struct oci_emitter *e, struct err **err)
{
	if (!e->plan->sysctl_count)
		return 0;
	json_open(e->out, "sysctl", '{');
	for (size_t i = 0; i < e->plan->sysctl_count; i++) {
		char *name = arena_strdup(e->arena, e->plan->sysctls[i].path);

		if (!name)
			return err_nomem(err);
		for (char *at = name; !strchr(e->plan->sysctls[i].path, '.') && *at; at++)
			if (*at == '/')
				*at = '.';
		json_put_string(e->out, name, e->plan->sysctls[i].value);
	}
	json_close(e->out, '}');
	return 0;
}

/* Of a sandbox only the machine's own calls: libseccomp does not take rules on arguments of calls that 32-bit x86 has behind
 * one number (socketcall). Runtimes kill who makes others. */
static void put_rules(struct oci_emitter *e, const struct json *section)
{
	json_open(e->out, "seccomp", '{');
	for (const struct json *member = section->first; member; member = member->next) {
		if (strcmp(member->key, "architectures") != 0 || !e->plan->lifecycle.is_sandbox) {
			json_put_json(e->out, member->key, member);
			continue;
		}
		json_open(e->out, member->key, '[');
		if (member->first)
			json_put_json(e->out, NULL, member->first);
		json_close(e->out, ']');
	}
	json_close(e->out, '}');
}

static int put_seccomp(struct oci_emitter *e, struct err **err)
{
	const char *rules = e->plan->process.seccomp.rules;
	const struct json *section = NULL;
	int r;

	if (!e->plan->process.seccomp.program)
		return 0;
	if (!rules)
		return err_set(err, E_UNSUPPORTED, 0, "/linux/seccomp", "the filter is given as a program, not as rules");
	r = json_parse(e->arena, rules, strlen(rules), "seccomp rules", &section, err);
	if (r == 0)
		put_rules(e, section);
	return r;
}

static int put_linux(struct oci_emitter *e, struct err **err)
{
	const char *propagation = mount_propagation_word(e->plan->root.propagation);
	int r;

	json_open(e->out, "linux", '{');
	put_namespaces(e);
	if (e->plan->uid_maps.count)
		oci_put_maps(e, "uidMappings", &e->plan->uid_maps);
	if (e->plan->gid_maps.count)
		oci_put_maps(e, "gidMappings", &e->plan->gid_maps);
	put_offsets(e);
	put_net_devices(e);
	put_devices(e);
	if (e->plan->cgroup.manager == CGROUP_MANAGER_CGROUPFS)
		json_put_string(e->out, "cgroupsPath", e->plan->cgroup.path);
	r = oci_put_resources(e, err);
	if (propagation)
		json_put_string(e->out, "rootfsPropagation", propagation);
	put_paths(e, "maskedPaths", &e->plan->masked);
	put_paths(e, "readonlyPaths", &e->plan->readonly);
	if (r == 0)
		r = put_sysctls(e, err);
	if (r == 0)
		r = put_seccomp(e, err);
	json_close(e->out, '}');
	return r;
}

static void put_annotations(struct oci_emitter *e)
{
	if (!e->plan->annotation_count)
		return;
	json_open(e->out, "annotations", '{');
	for (size_t i = 0; i < e->plan->annotation_count; i++)
		json_put_string(e->out, e->plan->annotations[i].key, e->plan->annotations[i].value);
	json_close(e->out, '}');
}

int oci_emit(struct arena *arena, const struct plan *plan, struct json_writer *config, struct oci_files *files, struct err **err)
{
	struct oci_emitter e = { .arena = arena, .plan = plan, .out = config, .files = files };
	int r = items_check(plan, TARGET_OCI, 0, err);

	if (r < 0)
		return r;
	r = oci_files_begin(arena, plan, files, err);
	if (r < 0)
		return r;
	json_open(config, NULL, '{');
	json_put_string(config, "ociVersion", OCI_VERSION);
	if (plan->hostname)
		json_put_string(config, "hostname", plan->hostname);
	if (plan->domainname)
		json_put_string(config, "domainname", plan->domainname);
	put_annotations(&e);
	put_root(&e);
	r = oci_put_mounts(&e, err);
	oci_put_process(&e);
	oci_put_hooks(&e);
	if (r == 0)
		r = put_linux(&e, err);
	json_close(config, '}');
	if (r == 0 && config->out.failed)
		r = err_nomem(err);
	return r;
}
