/* engines.c - the engines by their names. */
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"

static const struct engine *const engines[] = { &native_engine, &bwrap_engine, &lxc_engine };

const char *const engine_words[] = { "native", "bwrap", "lxc", NULL };
_Static_assert(array_size(engine_words) == array_size(engines) + 1, "a name for each engine");

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < array_size(engines); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
