/* parts.h - what the files of engine/oci share. */
#ifndef MXCRUN_ENGINE_OCI_PARTS_H
#define MXCRUN_ENGINE_OCI_PARTS_H

#include "engine/oci/emit.h"

struct oci_emitter {
	struct arena *arena;
	const struct plan *plan;
	struct json_writer *out;
	struct oci_files *files;
};

/* Write maps of ids as the array that key names, of the container or of one mount. */
void oci_put_maps(struct oci_emitter *e, const char *key, const struct plan_idmaps *maps);

/* mounts.c: the member "mounts". */
int oci_put_mounts(struct oci_emitter *e, struct err **err);
/* resources.c: the member "linux.resources". */
int oci_put_resources(struct oci_emitter *e, struct err **err);
/* process.c: "process" and "hooks". */
void oci_put_process(struct oci_emitter *e);
void oci_put_hooks(struct oci_emitter *e);

#endif
