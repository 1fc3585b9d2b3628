/* oci_tables.h - the rows of config.json, shared by the files that make up the OCI parser and read
 * by whoever lists what the parser knows (features, documentation). */
#ifndef MXCRUN_CONFIG_OCI_TABLES_H
#define MXCRUN_CONFIG_OCI_TABLES_H

#include "config/oci.h"

/* One row: key, kind, struct and member it fills; then any other member of struct field. */
#define OCI_ROW(key_, kind_, type_, member_, ...)                                                 \
	{                                                                                         \
		.key.raw = (key_), .kind = (kind_), .offset = offsetof(type_, member_), ##__VA_ARGS__ \
	}
#define OCI_OBJECT(key_, type_, member_, table_)                       \
	OCI_ROW(key_, FIELD_OBJECT, type_, member_, .table.raw = (table_), \
		.size = sizeof(*((type_ *)0)->member_))
#define OCI_OBJECTS(key_, type_, member_, table_)                       \
	OCI_ROW(key_, FIELD_OBJECTS, type_, member_, .table.raw = (table_), \
		.size = sizeof(*((type_ *)0)->member_.items))
#define OCI_OBJECT_MAP(key_, type_, member_, table_)                       \
	OCI_ROW(key_, FIELD_OBJECT_MAP, type_, member_, .table.raw = (table_), \
		.size = sizeof(*((type_ *)0)->member_.items))
#define OCI_NAME(type_, member_) OCI_ROW("", FIELD_NAME, type_, member_)
#define OCI_SELF(type_, member_) OCI_ROW("", FIELD_SELF, type_, member_)
#define OCI_IGNORED(key_)                           \
	{                                           \
		.key.raw = (key_), .kind = FIELD_IGNORE \
	}

extern const struct field oci_config_fields[], oci_process_fields[];
extern const struct field oci_linux_fields[], oci_resources_fields[], oci_id_mapping_fields[];
extern const struct field oci_seccomp_fields[];

#endif
