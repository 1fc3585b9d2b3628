/* fuzz_proc.c - files of /proc, whose paths others choose: mountinfo and cgroup. */
#include "fuzz.h"

#include "host/cgroups.h"
#include "host/mountinfo.h"

static int look(const struct mountinfo *mount, void *data)
{
	(void)mount;
	(void)data;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct host_facts facts = { .arena = arena_new() };
	char *mounts = text_of(data, len), *again = text_of(data, len), *groups = text_of(data + len / 2, len - len / 2);

	(void)mountinfo_parse(mounts, look, NULL);
	(void)cgroups_detect(&facts, again, groups);
	arena_free(facts.arena);
	free(mounts);
	free(again);
	free(groups);
	return 0;
}
