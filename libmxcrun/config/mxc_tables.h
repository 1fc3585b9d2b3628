/* mxc_tables.h - what the files of the MXC parser share; nobody else includes it.
 *
 * The tables (shape) are walked first, for the whole document; the checks (meaning) come after, in
 * the order of MXC.md 2.5.
 */
#ifndef MXCRUN_CONFIG_MXC_TABLES_H
#define MXCRUN_CONFIG_MXC_TABLES_H

#include "config/mxc.h"

#define MXC_ROW(key_, kind_, type_, member_, ...)                                                 \
	{                                                                                         \
		.key.raw = (key_), .kind = (kind_), .offset = offsetof(type_, member_), ##__VA_ARGS__ \
	}
/* mxc.c: all keys of a document, with those below them; tests walk it. */
extern const struct field mxc_document_fields[];

/* mxc_version.c: sets version, reader and strict. */
int mxc_choose_reader(const struct json *document, struct mxc_config *config, struct err **err);
/* Requests of the state-aware life cycle (mxc_phase.h), where a document is wanted that runs at once. */
int mxc_refuse_phases(const struct json *document, const struct mxc_config *config,
		      struct err **err);

/* Decoders of rows whose sections have a file of their own. */
int mxc_decode_network(struct decode *d, const struct json *value, void *target, struct err **err);

/* mxc.c: sections that a policy for a container has too, and the strings of the first. */
extern const struct field mxc_filesystem_fields[];
extern const struct field mxc_process_fields[], mxc_runtime_config_fields[], mxc_lxc_fields[], mxc_ui_fields[];
int mxc_decode_containment(struct decode *d, const struct json *value, void *target, struct err **err);
int mxc_check_process(const struct mxc_config *config, struct err **err);
/* Keys of the directional shape need 0.8, by their mere presence. */
int mxc_check_gates(const struct decode *d, const struct mxc_config *config, struct err **err);
/* mxc_network.c */
extern const struct field mxc_network_fields[], mxc_port_mapping_fields[];
int mxc_check_filesystem(const struct decode *d, const struct mxc_config *config, struct err **err);

/* mxc_backend.c: the section of the back end that runs here, whole and as far as a policy for a container has it. */
extern const struct field mxc_bubblewrap_fields[], mxc_bubblewrap_fragment_fields[];
/* The strings of what it puts into the view. */
int mxc_check_placed(const struct decode *d, const struct mxc_config *config, struct err **err);
/* mxc.c: a path as the lists have it. */
int mxc_check_path(const struct decode *d, const struct json *path, struct err **err);

/* mxc_foreign.c: sections of other platforms. Their shape is checked and nothing is kept. */
extern const struct field mxc_process_container_fields[];
extern const struct field mxc_seatbelt_fields[];
extern const struct field mxc_wslc_fields[];
extern const struct field mxc_windows_sandbox_fields[];
extern const struct field mxc_hyperlight_fields[];
extern const struct field mxc_test_fields[];
extern const struct field mxc_telemetry_fields[];
#define MXC_FOREIGN_SIZE 64u /* enough for any of their structs */

/* The rolling reader's "experimental": unknown keys pass, known ones are typed. */
int mxc_decode_experimental(struct decode *d, const struct json *value, void *target,
			    struct err **err);

/* Checks. network: steps 10 and 11. */
int mxc_check_network(struct decode *d, struct mxc_config *config, struct err **err);

/* mxc_proxy.c: the URL of a proxy in the legacy shape, and of runtimeConfig. value is the string,
 * for the path. */
int mxc_check_proxy_url(const struct decode *d, const struct json *value, struct err **err);
int mxc_check_runtime_proxy(const struct decode *d, const struct json *value, struct err **err);

/* As that reader does: which rows it knows, and whether null is a value. */
static inline void mxc_read_as(struct decode *d, unsigned int reader)
{
	d->gate = reader;
	d->null_is_absent = reader == MXC_READER_ROLLING;
}

/* A JSON value that is there and is not null. */
static inline bool mxc_is_present(const struct json *value)
{
	return value && value->type != JSON_NULL;
}

#endif
