/* fuzz_policy.c - an MXC configuration: text to structs, by the contract's strict rules. */
#include "fuzz.h"

#include "config/mxc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_err struct err *err = NULL;
	const struct log log = { .level = LOG_LEVEL_WARNING, .write = log_nothing };
	const struct mxc_config *config = NULL;

	/* its refusals may have a heading and a line */
	if (mxc_read(arena, (const char *)data, len, "policy", &log, &config, &err) < 0 && !err)
		abort();
	return 0;
}
