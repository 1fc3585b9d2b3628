/* engines.c - the engines by their names. */
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"

static const struct engine *const engines[] = { &native_engine, &bwrap_engine, &lxc_engine };

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < array_size(engines); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
