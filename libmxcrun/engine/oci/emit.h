/* emit.h - a plan as an OCI bundle for any runtime: config.json, and the few files that it stands on. A pure function. */
#ifndef MXCRUN_ENGINE_OCI_EMIT_H
#define MXCRUN_ENGINE_OCI_EMIT_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"

/* What has to lie in the bundle beside config.json; paths are relative to it. In this order: folders before what is in them. */
struct oci_file {
	const char *path;
	const char *target;	/* not NULL: a symlink to it */
	bool is_directory;	/* else, without a target, an empty file */
	unsigned int mode;
	bool is_foreign;	/* owned by id 65534 where the maps have it: a cover of denied paths */
};
struct oci_files {
	struct oci_file *items;
	size_t count;
};

#define OCI_ROOT "rootfs"	/* of a view */
#define OCI_COVER_DIR "denied/directory"
#define OCI_COVER_FILE "denied/file"

/* For as many files as a plan can need. */
int oci_files_begin(struct arena *arena, const struct plan *plan, struct oci_files *ret, struct err **err);
/* Add one, once. */
int oci_files_add(struct arena *arena, struct oci_files *files, struct oci_file file, struct err **err);
/* What a denied path that nothing opens again is covered with; *ret_path is it. */
int oci_files_add_cover(struct arena *arena, struct oci_files *files, const struct plan_mount *mount, const char **ret_path,
			struct err **err);
/* A step that makes a link or a folder: in the root, when no mount step before it covers that place. target is whose form it is. */
int oci_files_add_step(struct arena *arena, struct oci_files *files, const struct plan *plan, const struct plan_mount *mount,
		       const char *target, struct err **err);

/* E_UNSUPPORTED names what config.json can't say (items.h). The files and their strings are in arena. */
int oci_emit(struct arena *arena, const struct plan *plan, struct json_writer *config, struct oci_files *files, struct err **err);

#endif
