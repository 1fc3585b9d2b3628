/* carrier_unit.h - a policy that comes with a container, from a document in single quotes. */
#ifndef MXCRUN_TESTS_CARRIER_UNIT_H
#define MXCRUN_TESTS_CARRIER_UNIT_H

#include "unit.h"

#include <errno.h>

#include "base/json.h"
#include "policy/combine.h"

static inline int carrier_parse(struct arena *arena, const char *name, const char *quoted, enum carrier_grants grants,
				struct policy_carrier *ret, struct err **err)
{
	char *text = arena_strdup(arena, quoted);
	const struct json *document;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	*ret = (struct policy_carrier){ .name = name, .prefix = name, .grants = grants };
	if (json_parse(arena, text, strlen(text), "policy", &document, err) < 0)
		return -EINVAL;
	return mxc_parse_fragment(arena, document, NULL, &ret->config, err);
}

#endif
