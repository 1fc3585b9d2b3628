/* admin.h - the configuration of the host's owner, /etc/mxcrun/mxcrun.json, as a struct.
 *
 * Who may have written it is checked by whoever opens it (lifecycle/carriers.c); here is only its
 * shape. Strings are those of the JSON tree. */
#ifndef MXCRUN_CONFIG_ADMIN_H
#define MXCRUN_CONFIG_ADMIN_H

#include "config/fields.h"

#define ADMIN_FOLDER "/etc/mxcrun"
#define ADMIN_FILE "mxcrun.json"

struct admin_config {
	/* Absolute, or relative to the file's own folder; never NULL. */
	const char *policy_folder; /* its policies apply to every container */
	const char *named_folder;  /* its policies are for who names them in an annotation */
	const char *engine;	   /* who carries out plans unless somebody else says; NULL: native */
	struct string_list allowed_engines; /* not .set: all */
	/* What a policy in an annotation may grant: paths, and all below them. */
	struct admin_grants {
		struct string_list readonly_paths, readwrite_paths;
	} annotation_grants;
};

/* For --help and documentation: the rows. */
extern const struct field admin_fields[];

/* document NULL: there is no file, and the defaults hold. E_CONFIG with the pointer. 0 or -errno. */
int admin_parse(struct arena *arena, const struct json *document, const struct log *log,
		const struct admin_config **ret, struct err **err);

/* May this one carry anything out, whoever asks for it? */
bool admin_allows_engine(const struct admin_config *config, const char *engine);

#endif
