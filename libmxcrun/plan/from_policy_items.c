/* from_policy_items.c - what a stand-alone policy asks for and what it comes to, for people: `plan` and the enforcement
 * record. */
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "plan/caps.h"
#include "plan/from_carriers.h"
#include "plan/from_policy_backend.h"
#include "plan/from_policy_owner.h"
#include "config/oci.h"

#define CARRIER "configuration"
#define RUNTIME "mxcrun" /* decides about what is its own */
#define FIXED_ITEMS 12u /* the whole root, network, desktop, four limits, timeout, Landlock, capabilities, new privileges, seccomp */

/* The owner's region that the entry's place lies in, by this or another name, when it is stricter. */
static const struct combined_region *stricter_region(const struct policy_entry *entry, const struct plan_owner *owner)
{
	const struct combined_region *found = NULL;

	for (size_t i = 0; owner && i < owner->combined->region_count; i++)
		if (path_is_within(entry->source, owner->combined->regions[i].path))
			found = &owner->combined->regions[i];
	for (size_t i = 0; owner && i < owner->alias_count; i++) {
		const struct combined_region *region = &owner->combined->regions[owner->aliases[i].object];

		if (path_is_within(entry->source, owner->aliases[i].path) && (!found || region->intent < found->intent))
			found = region;
	}
	return found && found->intent < entry->intent ? found : NULL;
}

static int add_entry(struct builder *b, const struct policy_entry *entry, const struct plan_owner *owner,
		     struct err **err)
{
	static const char *const mechanisms[INTENT_MAX] = {
		[INTENT_DENIED] = "cover", [INTENT_READONLY] = "read-only mount", [INTENT_READWRITE] = "bind mount",
	};
	const struct combined_region *stricter = stricter_region(entry, owner);
	enum policy_intent intent = stricter ? stricter->intent : entry->intent;
	const struct plan_item item = {
		.carrier = entry->is_own ? RUNTIME : CARRIER,
		.pointer = entry->is_own ? NULL : entry->pointer,
		.subject = "path",
		.object = entry->destination,
		.requested = policy_intent_words[entry->requested],
		.enforced = policy_intent_words[intent],
		.decided_by = stricter ? stricter->carrier->name : entry->is_own ? RUNTIME : CARRIER,
		.mechanism = mechanisms[intent],
	};

	return add_plan_item(b, &item, err);
}

static int add_limit(struct builder *b, const char *subject, const char *pointer, uint64_t asked, uint64_t enforced,
		     const struct combined_limit *owners, const char *mechanism, struct err **err)
{
	struct plan_item item = {
		.carrier = CARRIER, .pointer = pointer, .subject = subject, .mechanism = mechanism,
		.requested = arena_printf(b->arena, "%" PRIu64, asked),
		.enforced = arena_printf(b->arena, "%" PRIu64, enforced),
		.decided_by = asked == enforced || !owners ? CARRIER : owners->carrier->name,
	};

	return asked ? add_plan_item(b, &item, err) : 0;
}

static int add_limits(struct builder *b, const struct policy_decisions *asked, const struct policy_decisions *enforced,
		      const struct plan_owner *owner, struct err **err)
{
	static const struct policy_combined none;
	const struct policy_combined *c = owner ? owner->combined : &none;
	const struct policy_resources *a = &asked->resources, *e = &enforced->resources;
	int r = add_limit(b, "memoryBytes", "/bubblewrap/resources/memoryMb", a->memory_bytes, e->memory_bytes,
			  &c->memory_bytes, "cgroup: memory", err);

	if (r == 0)
		r = add_limit(b, "cpus", "/bubblewrap/resources/cpuCount", a->cpus, e->cpus, &c->cpus, "cgroup: cpu", err);
	if (r == 0)
		r = add_limit(b, "pids", "/bubblewrap/resources/pids", a->pids, e->pids, &c->pids, "cgroup: pids", err);
	if (r == 0)
		r = add_limit(b, "timeoutMs", "/process/timeout", asked->process.timeout_ms, enforced->process.timeout_ms,
			      &c->timeout_ms, "supervisor", err);
	return r;
}

const char *capability_words(struct builder *b, uint64_t set)
{
	const char *words = "none";

	for (unsigned int i = 0; i < CAPS_KNOWN && words; i++)
		if (set & caps_bit(i))
			words = strcmp(words, "none") == 0 ? caps_name(i) : arena_printf(b->arena, "%s %s", words, caps_name(i));
	return words;
}

/* What every sandbox has, asked for or not. */
static int add_defaults(struct builder *b, const struct policy_decisions *asked, const struct plan_owner *owner, struct err **err)
{
	const struct mxc_bubblewrap *section = asked->backend;
	const struct plan_process *process = &b->plan->process;
	uint64_t wanted = 0;
	int r = backend_kept_capabilities(b, asked, &wanted, err);
	const char *kept = capability_words(b, process->capabilities.effective);
	bool is_own = wanted == process->capabilities.effective;
	unsigned int abi = process->landlock_abi;
	const char *abi_words = arena_printf(b->arena, "Landlock domain, version %u", abi);
	const char *profile = section && section->seccomp_profile ? section->seccomp_profile : "default";
	const struct plan_item items[] = {
		{ CARRIER, wanted ? "/bubblewrap/keepCaps" : NULL, "capabilities", NULL, capability_words(b, wanted), kept,
		  is_own || !owner ? CARRIER : carriers_who_takes(b, owner->combined, wanted),
		  process->inner_userns ? "empty sets, inner user namespace" : "sets, in the sandbox's user namespace" },
		{ CARRIER, NULL, "files", "/", "second wall", abi ? "second wall" : "mounts alone", CARRIER,
		  abi ? abi_words : "this kernel has no Landlock, or one that forbids renames (before Linux 5.19)" },
		{ CARRIER, NULL, "newPrivileges", NULL, "none", "none", CARRIER, "no_new_privs" },
		{ CARRIER, section && section->seccomp_profile ? "/bubblewrap/seccompProfile" : NULL, "systemCalls", NULL, profile,
		  profile, CARRIER, "seccomp" },
	};

	if (r == 0 && (!kept || !abi_words))
		r = err_nomem(err);
	for (size_t i = 0; i < array_size(items) && r == 0; i++)
		r = add_plan_item(b, &items[i], err);
	return r;
}

static int add_placed(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < fs->tmpfs_count && r == 0; i++) {
		const char *size = arena_printf(b->arena, "%" PRIu64, fs->tmpfs[i].size_mb << 20);
		const struct plan_item item = { CARRIER, fs->tmpfs[i].pointer, "tmpfsBytes", fs->tmpfs[i].path, size, size, CARRIER,
						"tmpfs" };

		r = size ? add_plan_item(b, &item, err) : err_nomem(err);
	}
	for (size_t i = 0; i < fs->symlink_count && r == 0; i++) {
		const struct policy_symlink *link = &fs->symlinks[i];
		const struct plan_item item = { CARRIER, link->pointer, "symlink", link->path, link->target, link->target, CARRIER,
						"symbolic link" };

		r = add_plan_item(b, &item, err);
	}
	return r;
}

static int add_io(struct builder *b, const struct policy_io *io, struct err **err)
{
	static const char *const words[POLICY_IO_MAX] = {
		[POLICY_IO_READ_BPS] = "readBps", [POLICY_IO_WRITE_BPS] = "writeBps",
		[POLICY_IO_READ_IOPS] = "readIops", [POLICY_IO_WRITE_IOPS] = "writeIops",
	};
	static const struct combined_limit none;
	int r = io ? add_limit(b, "ioWeight", "/bubblewrap/resources/io/weight", io->weight, io->weight, &none, "cgroup: io", err) : 0;

	for (size_t i = 0; io && i < io->device_count * POLICY_IO_MAX && r == 0; i++) {
		const struct policy_io_device *device = &io->devices[i / POLICY_IO_MAX];
		size_t rate = i % POLICY_IO_MAX;
		const char *subject = arena_printf(b->arena, "%s %" PRIu32 ":%" PRIu32, words[rate], device->major, device->minor);

		r = subject ? add_limit(b, subject, device->pointer, device->rates[rate], device->rates[rate], &none, "cgroup: io", err) :
			      err_nomem(err);
	}
	return r;
}

/* Those of which the policy says something. */
static int add_namespaces(struct builder *b, struct err **err)
{
	int r = 0;

	for (int kind = 0; kind < NS_MAX && r == 0; kind++) {
		const struct plan_ns *ns = &b->plan->namespaces[kind];
		const char *word = ns->mode == NS_NEW ? "own" : "the host's";
		const struct plan_item item = { CARRIER, ns->pointer, "namespace", oci_namespace_words[kind], word, word, CARRIER,
						ns->mode == NS_NEW ? "new namespace" : "no namespace" };

		if (ns->pointer)
			r = add_plan_item(b, &item, err);
	}
	return r;
}

static int add_ui(struct builder *b, const struct policy_decisions *asked, struct err **err)
{
	const struct plan_item item = {
		CARRIER, "/ui/disable", "ui", NULL, "disabled", "disabled", CARRIER, "cover, environment, no abstract sockets of the host",
	};

	return asked->ui_is_disabled ? add_plan_item(b, &item, err) : 0;
}

static int add_network(struct builder *b, const struct policy_decisions *asked, const struct policy_decisions *enforced,
		       const struct plan_owner *owner, struct err **err)
{
	const struct { const char *word, *mechanism; } modes[] = {
		[POLICY_NETWORK_ISOLATED] = { "isolated", "empty network namespace" },
		[POLICY_NETWORK_PROXY] = { "proxy", "empty network namespace, relay" },
		[POLICY_NETWORK_FILTERED] = { "filtered", "nf_tables" },
		[POLICY_NETWORK_HOST] = { "the host's", plan_keeps_abstract_sockets_out(b->plan)
							? "no namespace; abstract sockets: Landlock scope"
							: "no namespace; abstract sockets: seccomp, no UNIX sockets but pairs" },
	};
	const struct policy_network *network = &asked->network;
	const struct plan_item item = {
		.carrier = CARRIER,
		.pointer = network->mode == POLICY_NETWORK_ISOLATED ? "/network"
			   : network->mode == POLICY_NETWORK_PROXY  ? network->policy.proxy.pointer
								    : network->policy.pointer,
		.subject = "network",
		.requested = modes[network->mode].word,
		.enforced = modes[enforced->network.mode].word,
		.decided_by = network->mode == enforced->network.mode || !owner ? CARRIER : owner->combined->network_carrier->name,
		.mechanism = modes[enforced->network.mode].mechanism,
	};

	return add_plan_item(b, &item, err);
}

/* A granted / is the root itself, and no entry; so is an image. */
static int add_whole_root(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	const struct policy_entry root = {
		.intent = fs->whole_root == WHOLE_ROOT_READONLY ? INTENT_READONLY : INTENT_READWRITE,
		.requested = fs->whole_root_requested,
		.destination = "/", .source = "/", .pointer = fs->whole_root_pointer,
	};

	const struct plan_item image = {
		CARRIER, fs->whole_root_pointer, "image", fs->image, "root", "root", CARRIER, "overlay on tmpfs",
	};

	if (fs->image)
		return add_plan_item(b, &image, err);
	return fs->whole_root == WHOLE_ROOT_NO ? 0 : add_entry(b, &root, NULL, err);
}

int build_policy_items(struct builder *b, const struct policy_decisions *asked, const struct policy_decisions *enforced,
		       const struct plan_owner *owner, struct err **err)
{
	const struct policy_filesystem *fs = &asked->filesystem;
	const struct policy_io *io = asked->resources.io;
	size_t count = FIXED_ITEMS + NS_MAX + fs->entry_count + fs->tmpfs_count + fs->symlink_count +
		       (io ? io->device_count * POLICY_IO_MAX : 0) + (owner ? owner->combined->item_count + count_process_items(owner->combined) : 0);
	int r;

	b->plan->policy.items = arena_array(b->arena, count, sizeof(*b->plan->policy.items));
	if (!b->plan->policy.items)
		return err_nomem(err);
	r = add_network(b, asked, enforced, owner, err);
	if (r == 0)
		r = add_whole_root(b, fs, err);
	for (size_t i = 0; i < fs->entry_count && r == 0; i++)
		r = add_entry(b, &fs->entries[i], owner, err);
	if (r == 0)
		r = add_placed(b, fs, err);
	if (r == 0)
		r = add_limits(b, asked, enforced, owner, err);
	if (r == 0)
		r = add_io(b, io, err);
	if (r == 0)
		r = add_defaults(b, asked, owner, err);
	if (r == 0)
		r = add_namespaces(b, err);
	if (r == 0)
		r = add_ui(b, asked, err);
	return r == 0 && owner ? add_carrier_items(b, owner->combined, err) : r;
}
