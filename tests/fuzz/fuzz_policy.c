/* fuzz_policy.c - an MXC configuration: text to structs, by the contract's strict rules. */
#include "fuzz.h"

#include "config/mxc_phase.h"

/* The same text as a request to a sandbox that lives across calls. */
static void parse_request(struct arena *arena, const char *text, size_t len, const struct log *log, struct err **err)
{
	struct mxc_phase_request request;
	const struct json *json;

	if (json_parse(arena, text, len, "request", &json, NULL) < 0 || !mxc_is_phase_request(json))
		return;
	if (mxc_parse_phase(arena, json, log, &request, err) < 0 && !*err)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_err struct err *err = NULL;
	const struct log log = { .level = LOG_LEVEL_WARNING, .write = log_nothing };
	const struct mxc_config *config = NULL;

	/* its refusals may have a heading and a line */
	if (mxc_read(arena, (const char *)data, len, "policy", &log, &config, &err) < 0 && !err)
		abort();
	err_free_ptr(&err);
	parse_request(arena, (const char *)data, len, &log, &err);
	return 0;
}
