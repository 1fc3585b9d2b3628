/* tool.c - see tool.h. */
#include "engine/bwrap/tool.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "engine/tool.h"

static const struct engine_tool tool = {
	"bwrap", "bwrap", { "/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap" }, "install the package bubblewrap, version 0.5 or later",
};

const char *bwrap_tool_find(struct err **err)
{
	return engine_tool_find(&tool, err);
}

/* A line of the help begins with it. */
static bool has_option(const char *help, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = strstr(help, option); at; at = strstr(at + 1, option))
		if (at > help && at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

int bwrap_tool_check(const char *path, struct err **err)
{
	/* the newest of those that engine/bwrap/emit.c uses in a run: of 0.5 and of before */
	static const char *const options[] = { "--perms", "--ro-bind-data", "--userns-block-fd", "--info-fd", "--as-pid-1" };
	cleanup_free char *help = NULL;
	int r = engine_tool_ask(path, "--help", &help, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < array_size(options); i++) {
		if (has_option(help, options[i]))
			continue;
		r = err_set(err, E_HOST, 0, NULL, "the engine bwrap: %s is too old, it has no option %s", path, options[i]);
		err_hint(err, "%s", tool.remedy);
		return r;
	}
	return 0;
}
