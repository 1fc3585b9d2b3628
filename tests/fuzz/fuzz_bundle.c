/* fuzz_bundle.c - config.json: text to JSON, to structs, to a plan on a made-up host, which has to point nowhere but into itself, to
 * the plan's text, which has to be JSON again. */
#include "fuzz.h"

#include "../unit/closed.h"

#include "base/json.h"
#include "config/oci.h"
#include "plan/build.h"
#include "plan/print.h"

static struct cgroup_mount mounts[] = {
	{ .controllers = "memory", .mountpoint = "/sys/fs/cgroup/memory", .mount_root = "/", .own_path = "/", .visible_path = "/" },
	{ .controllers = "", .mountpoint = "/sys/fs/cgroup/unified", .mount_root = "/", .own_path = "/", .visible_path = "/",
	  .is_v2 = true },
};

static void check_print(struct arena *arena, const struct plan *plan)
{
	cleanup_json_writer struct json_writer out = JSON_WRITER_INIT;
	const struct json *document;

	if (plan_print(plan, &out) < 0 ||
	    json_parse(arena, out.out.data, out.out.len, "plan", &document, NULL) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_arena struct arena *arena = arena_new(), *shared = arena_new_shared();
	cleanup_err struct err *err = NULL;
	const struct log log = { .level = LOG_LEVEL_WARNING, .write = log_nothing };
	const struct plan_request request = { .id = "c1", .bundle = "/bundle",
					      .manager = len % 3 ? CGROUP_MANAGER_CGROUPFS : CGROUP_MANAGER_SYSTEMD };
	const struct host_facts facts = {
		.is_privileged = len % 2, .capabilities = ~0u, .bounding = ~0u, .cap_last = 40, .euid = len % 2 ? 0 : 1000,
		.layout = CGROUP_LAYOUT_HYBRID, .cgroups = mounts, .cgroup_count = array_size(mounts),
		.v2_controllers = "cpu io pids rdma hugetlb",
	};
	const struct json *document = NULL;
	const struct oci_config *config = NULL;
	const struct plan *plan = NULL;
	char *text = malloc(len);
	int r = arena_adopt(arena, text);

	memcpy(text, data, len);
	if (r == 0)
		r = json_parse_in_place(arena, text, len, "config.json", &document, &err);
	if (r == 0)
		r = oci_parse(arena, document, &log, &config, &err);
	if (r == 0)
		r = plan_from_oci(shared, config, &request, &facts, &log, &plan, &err);
	check_refusal(r, err);
	if (r == 0) {
		const char *complaint = closed_complaint(shared, plan);

		if (complaint) {
			fprintf(stderr, "%s\n", complaint);
			abort();
		}
		check_print(arena, plan);
	}
	return 0;
}
