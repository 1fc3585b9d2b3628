/* from_oci_devices.c - device nodes and links in /dev, and the rules of the device filter.
 *
 * The specification's default devices come first; an entry of the configuration for the same path
 * replaces its default. The filter denies by default; the configuration's rules come in its order,
 * and after them those that every container needs, as in other runtimes (last match wins).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "plan/caps.h"
#include "plan/from_oci.h"

#define MAJOR_MAX 4095 /* 12 bits, MINOR 20 bits: <linux/kdev_t.h> */
#define MINOR_MAX 1048575

static const struct plan_device default_devices[] = {
	{ .path = "/dev/null", .type = 'c', .major = 1, .minor = 3 },
	{ .path = "/dev/zero", .type = 'c', .major = 1, .minor = 5 },
	{ .path = "/dev/full", .type = 'c', .major = 1, .minor = 7 },
	{ .path = "/dev/random", .type = 'c', .major = 1, .minor = 8 },
	{ .path = "/dev/urandom", .type = 'c', .major = 1, .minor = 9 },
	{ .path = "/dev/tty", .type = 'c', .major = 5, .minor = 0 },
};

static const struct plan_symlink default_symlinks[] = {
	{ "/dev/fd", "/proc/self/fd" },	      { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/ptmx", "pts/ptmx" },
};

/* Making a node is harmless, opening it is what counts (invariant 14). */
static const struct plan_device_rule default_rules[] = {
	{ .allow = true, .type = 'c', .major = -1, .minor = -1, .mknod = true },
	{ .allow = true, .type = 'b', .major = -1, .minor = -1, .mknod = true },
#define ALLOW(major_, minor_)                                                                   \
	{                                                                                       \
		.allow = true, .type = 'c', .major = (major_), .minor = (minor_), .read = true, \
		.write = true, .mknod = true                                                    \
	}
	ALLOW(1, 3),
	ALLOW(1, 5),
	ALLOW(1, 7),
	ALLOW(1, 8),
	ALLOW(1, 9),
	ALLOW(5, 0),
	ALLOW(136, -1), /* /dev/pts */
	ALLOW(5, 2),	/* /dev/ptmx */
	ALLOW(10, 200), /* /dev/net/tun, which VPNs mount without a rule; who makes an interface by it needs CAP_NET_ADMIN */
#undef ALLOW
};

static bool is_number(const struct opt_i64 *number, int64_t max)
{
	return number->set && number->value >= 0 && number->value <= max;
}

static int check_numbers(const struct oci_device *entry, const char *pointer, struct err **err)
{
	if (is_number(&entry->major, MAJOR_MAX) && is_number(&entry->minor, MINOR_MAX))
		return 0;
	if (!entry->major.set || !entry->minor.set)
		return err_set(err, E_CONFIG, 0, pointer, "missing field `%s`: a device needs both numbers", entry->major.set ? "minor" : "major");
	return err_set(err, E_CONFIG, 0, pointer, "expected device numbers up to %d:%d, found %" PRId64 ":%" PRId64,
		       MAJOR_MAX, MINOR_MAX, entry->major.value, entry->minor.value);
}

static int build_device(struct builder *b, const struct oci_device *entry,
			struct plan_device *device, struct err **err)
{
	int r;

	if (strlen(entry->type) != 1 || !strchr("cubp", entry->type[0]))
		return err_set(err, E_CONFIG, 0, device->pointer,
			       "expected a type of c, u, b or p, found \"%.64s\"", entry->type);
	device->type = entry->type[0] == 'u' ? 'c' : entry->type[0];
	if (device->type != 'p') {
		r = check_numbers(entry, device->pointer, err);
		if (r < 0)
			return r;
		device->major = (uint32_t)entry->major.value;
		device->minor = (uint32_t)entry->minor.value;
	}
	/* Engines write the type of the node into the mode as well. */
	device->mode = entry->file_mode.set ? entry->file_mode.value & 07777u : 0666u;
	device->uid = entry->uid.value;
	device->gid = entry->gid.value;
	if (device->uid == PLAN_UNSET_ID || device->gid == PLAN_UNSET_ID)
		return err_set(err, E_CONFIG, 0, device->pointer, "4294967295 is no id");
	if (entry->path[0] != '/')
		return err_set(err, E_CONFIG, 0, device->pointer,
			       "expected an absolute path, found \"%.64s\"", entry->path);
	r = copy_clean_path(b, entry->path, &device->path, err);
	if (r == 0 && !device->path[1])
		return err_set(err, E_CONFIG, 0, device->pointer,
			       "expected the path of a device, found \"/\"");
	return r;
}

static bool is_same_device(const struct plan_device *x, const struct plan_device *y)
{
	return x->type == y->type && x->major == y->major && x->minor == y->minor &&
	       x->mode == y->mode && x->uid == y->uid && x->gid == y->gid;
}

static int compare_devices(const void *x, const void *y)
{
	const struct plan_device *a = *(const struct plan_device *const *)x;
	const struct plan_device *b = *(const struct plan_device *const *)y;
	int order = strcmp(a->path, b->path);

	return order ? order : (a > b) - (a < b);
}

/* A path may come again when it asks for the same thing; the later entry is then dropped. Sorted,
 * because a hostile list may be long. */
static int drop_duplicates(struct builder *b, struct plan_device *devices, size_t *count,
			   struct err **err)
{
	const size_t pointer_size = sizeof(void *);
	const struct plan_device **sorted = arena_array(b->arena, *count, pointer_size);
	size_t i, kept = 0;

	if (!sorted)
		return err_nomem(err);
	for (i = 0; i < *count; i++)
		sorted[i] = &devices[i];
	qsort(sorted, *count, pointer_size, compare_devices);
	for (i = 1; i < *count; i++) {
		struct plan_device *later = &devices[sorted[i] - devices];

		if (strcmp(sorted[i - 1]->path, later->path) != 0)
			continue;
		if (!is_same_device(sorted[i - 1], later))
			return err_set(err, E_CONFIG, 0, later->pointer,
				       "%.128s is listed twice, differently", later->path);
		later->type = '\0';
	}
	for (i = 0; i < *count; i++)
		if (devices[i].type)
			devices[kept++] = devices[i];
	*count = kept;
	return 0;
}

static bool is_listed(const struct plan_device *devices, size_t count, const char *path)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(devices[i].path, path) == 0)
			return true;
	return false;
}

static int add_default_devices(struct builder *b, const struct plan_device *own, size_t own_count,
			       struct err **err)
{
	size_t i;
	int r;

	for (i = 0; i < array_size(default_devices); i++) {
		struct plan_device *device = &b->plan->devices[b->plan->device_count];

		if (is_listed(own, own_count, default_devices[i].path))
			continue;
		*device = default_devices[i];
		device->is_default = true;
		device->mode = 0666;
		r = copy_string(b, default_devices[i].path, &device->path, err);
		if (r < 0)
			return r;
		b->plan->device_count++;
	}
	return 0;
}

static int build_symlinks(struct builder *b, struct err **err)
{
	struct plan_symlink *links =
		arena_array(b->arena, array_size(default_symlinks), sizeof(*links));
	size_t i;
	int r = 0;

	if (!links)
		return err_nomem(err);
	for (i = 0; i < array_size(default_symlinks) && r == 0; i++) {
		r = copy_string(b, default_symlinks[i].path, &links[i].path, err);
		if (r == 0)
			r = copy_string(b, default_symlinks[i].target, &links[i].target, err);
	}
	b->plan->dev_symlinks = links;
	b->plan->dev_symlink_count = array_size(default_symlinks);
	return r;
}

/* A /dev that is a bind of the host's has its nodes; making ours in it would change the host. */
static bool is_dev_bound(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == MOUNT_BIND &&
		    strcmp(plan->mounts[i].destination, "/dev") == 0)
			return true;
	return false;
}

/* Engines list every device of the host for a privileged container. Where nodes can't be made this one would be a mount,
 * which no link can replace. */
static bool gives_way_to_link(const struct plan_device *device)
{
	return !strcmp(device->path, "/dev/ptmx");
}

/* Is there a node to make for it, beside what is prepared in /dev? */
static bool is_wanted(const struct plan *plan, const struct plan_device *device)
{
	if (plan->dev_is_prepared)
		return !gives_way_to_link(device);
	return !path_is_within(device->path, "/dev");
}

int build_devices(struct builder *b, struct err **err)
{
	const struct oci_device *list = b->linux_->devices.items;
	size_t count = b->linux_->devices.count, own_count = 0, i;
	struct plan_device *own = arena_array(b->arena, count, sizeof(*own));
	struct plan *plan = b->plan;
	int r;

	plan->devices =
		arena_array(b->arena, count + array_size(default_devices), sizeof(*plan->devices));
	if (!own || !plan->devices)
		return err_nomem(err);
	plan->dev_is_prepared = !is_dev_bound(plan);
	for (i = 0; i < count; i++) {
		struct plan_device *device = &own[own_count];

		device->pointer = item_pointer(b, "/linux/devices", i);
		if (!device->pointer)
			return err_nomem(err);
		r = build_device(b, &list[i], device, err);
		if (r < 0)
			return r;
		if (is_wanted(plan, device))
			own_count++;
	}
	r = drop_duplicates(b, own, &own_count, err);
	if (r == 0 && plan->dev_is_prepared)
		r = add_default_devices(b, own, own_count, err);
	if (r == 0 && plan->dev_is_prepared)
		r = build_symlinks(b, err);
	if (r < 0)
		return r;
	memcpy(plan->devices + plan->device_count, own, own_count * sizeof(*own));
	plan->device_count += own_count;
	return 0;
}

/* ---- the filter ---- */

static int parse_rule(const struct oci_device_rule *entry, struct plan_device_rule *rule,
		      const char *pointer, struct err **err)
{
	const char *type = entry->type && *entry->type ? entry->type : "a";
	const char *access = entry->access ? entry->access : "rwm";
	const char *c;

	if (strlen(type) != 1 || !strchr("acb", type[0]))
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected a type of a, c or b, found \"%.64s\"", type);
	/* What is not said can be taken away, but not given. */
	if (entry->allow && !entry->access)
		return err_set(err, E_CONFIG, 0, pointer, "missing field `access`, which a rule that allows needs");
	*rule = (struct plan_device_rule){
		.allow = entry->allow,
		.type = type[0],
		.major = entry->major.set ? entry->major.value : -1,
		.minor = entry->minor.set ? entry->minor.value : -1,
	};
	if (rule->major < -1 || rule->major > UINT32_MAX || rule->minor < -1 ||
	    rule->minor > UINT32_MAX)
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected device numbers, or -1 for any, found %" PRId64 ":%" PRId64, rule->major, rule->minor);
	c = access;
	do {
		if (*c == 'r')
			rule->read = true;
		else if (*c == 'w')
			rule->write = true;
		else if (*c == 'm')
			rule->mknod = true;
		else
			return err_set(err, E_CONFIG, 0, pointer,
				       "expected an access of r, w and m, found \"%.64s\"", access);
	} while (*++c);
	return 0;
}

int build_device_rules(struct builder *b, struct err **err)
{
	const struct oci_resources *resources = b->linux_->resources;
	size_t count = resources ? resources->devices.count : 0, i;
	struct plan_cgroup *cgroup = &b->plan->cgroup;
	struct plan_device_rule *rules;
	const char *pointer;
	int r;

	rules = arena_array(b->arena, count + array_size(default_rules), sizeof(*rules));
	if (!rules)
		return err_nomem(err);
	for (i = 0; i < count; i++) {
		pointer = item_pointer(b, "/linux/resources/devices", i);
		if (!pointer)
			return err_nomem(err);
		r = parse_rule(&resources->devices.items[i], &rules[i], pointer, err);
		if (r < 0)
			return r;
	}
	memcpy(rules + count, default_rules, sizeof(default_rules));
	cgroup->device_rules = rules;
	cgroup->device_rule_count = count + array_size(default_rules);
	/* Only who may make device nodes has to be kept from opening them: the kernel refuses
	 * device filters and device nodes alike to everybody else. */
	cgroup->wants_devices =
		b->facts->is_privileged && cgroup->manager != CGROUP_MANAGER_DISABLED;
	return 0;
}
