/* mxc_foreign.c - sections of an MXC document that belong to other platforms.
 *
 * A wrong value in one of them is told apart from the section being out of place
 * (MXC.md 3.3, 5.5, 5.6), so their shape is checked; nothing of them is kept. All rows of all
 * tables write to the same few members.
 */
#include "config/mxc_tables.h"

struct scrap {
	const char *string;
	struct opt_bool boolean;
	struct opt_u32 u32;
	struct opt_u64 u64;
	int word;
	const void *object;
};
_Static_assert(sizeof(struct scrap) <= MXC_FOREIGN_SIZE, "every foreign section fits");

struct scrap_list {
	struct string_list strings;
	struct {
		struct scrap *items;
		size_t count;
	} objects;
};
_Static_assert(sizeof(struct scrap_list) <= MXC_FOREIGN_SIZE, "lists of foreign sections fit");

/* Rows of lists lie over the same bytes as the others: what is written is never read. */
#define STRING(key_, ...) MXC_ROW(key_, FIELD_STRING, struct scrap, string, ##__VA_ARGS__)
#define BOOL(key_, ...) MXC_ROW(key_, FIELD_OPT_BOOL, struct scrap, boolean, ##__VA_ARGS__)
#define U32(key_, ...) MXC_ROW(key_, FIELD_U32, struct scrap, u32, ##__VA_ARGS__)
#define U64(key_, ...) MXC_ROW(key_, FIELD_U64, struct scrap, u64, ##__VA_ARGS__)
#define STRINGS(key_, ...) MXC_ROW(key_, FIELD_STRINGS, struct scrap_list, strings, ##__VA_ARGS__)
#define WORD(key_, words_, ...) \
	MXC_ROW(key_, FIELD_ENUM, struct scrap, word, .words.raw = (words_), ##__VA_ARGS__)
#define OBJECT(key_, table_, ...)                                            \
	MXC_ROW(key_, FIELD_OBJECT, struct scrap, object, .table.raw = (table_), \
		.size = MXC_FOREIGN_SIZE, ##__VA_ARGS__)

static int decode_port(struct decode *d, const struct json *value, void *target, struct err **err)
{
	struct opt_u64 *port = target;

	if (json_to_u64(value, &port->value) < 0 || port->value < 1 || port->value > UINT16_MAX)
		return fields_mismatch(d, value, "a nonzero u16", err);
	port->set = true;
	return 0;
}

const struct field IMAGE_ROWS mxc_telemetry_fields[] = {
	BOOL("enabled"),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_test_fields[] = {
	STRING("message"),
	FIELDS_END,
};

/* ---- Windows ---- */

static const char *const capture_words[] = { "block", "allow", NULL };
static const struct field IMAGE_ROWS capture_fields[] = {
	WORD("mode", capture_words),
	STRING("outputPath"),
	BOOL("retainEtl"),
	FIELDS_END,
};

static const char *const isolation_words[] = { "container", "desktop", "handles", "atoms", NULL };
static const char *const settings_words[] = { "none", "parameters", "display", "all", NULL };
static const struct field IMAGE_ROWS container_ui_fields[] = {
	WORD("isolation", isolation_words),
	BOOL("desktopSystemControl"),
	STRING("systemSettings", .gate = MXC_READER_ROLLING | MXC_READER_090 | MXC_READER_100),
	WORD("systemSettings", settings_words, .gate = MXC_READER_110),
	BOOL("ime"),
	FIELDS_END,
};

static const struct field IMAGE_ROWS container_network_fields[] = {
	STRING("allowedProxyPeer"),
	FIELDS_END,
};

static const struct field IMAGE_ROWS container_filesystem_fields[] = {
	STRINGS("enumeratePaths"),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_process_container_fields[] = {
	BOOL("leastPrivilege"),
	BOOL("learningMode"),
	STRINGS("capabilities"),
	OBJECT("captureDenials", capture_fields),
	OBJECT("ui", container_ui_fields),
	OBJECT("network", container_network_fields),
	OBJECT("filesystem", container_filesystem_fields, .gate = MXC_READER_EXACT),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_windows_sandbox_fields[] = {
	STRING("daemonPipeName"),
	U64("idleTimeout"),
	U64("idleTimeoutMs"),
	FIELDS_END,
};

static const char *const transport_words[] = { "tcp", NULL };
static const struct field IMAGE_ROWS port_mapping_fields[] = {
	MXC_ROW("windowsPort", FIELD_CUSTOM, struct scrap, u64, .decode.raw = decode_port,
		.required = true),
	MXC_ROW("containerPort", FIELD_CUSTOM, struct scrap, u64, .decode.raw = decode_port,
		.required = true),
	WORD("protocol", transport_words),
	FIELDS_END,
};

static const struct field IMAGE_ROWS wslc_provision_fields[] = {
	STRING("image"),
	STRING("imageTarPath"),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_wslc_fields[] = {
	STRING("image"),
	STRING("imageTarPath"),
	STRING("storagePath"),
	STRING("targetOs"),
	U32("cpuCount"),
	U64("memoryMb"),
	BOOL("gpu"),
	MXC_ROW("portMappings", FIELD_OBJECTS, struct scrap_list, objects,
		.table.raw = port_mapping_fields, .size = sizeof(struct scrap)),
	OBJECT("provision", wslc_provision_fields, .gate = MXC_READER_ROLLING),
	FIELDS_END,
};

static const char *const hyperlight_words[] = { "agent", "python", "python-shell",
						"node",	 "bash",   "dotnet-jit",
						NULL };
const struct field IMAGE_ROWS mxc_hyperlight_fields[] = {
	WORD("runtime", hyperlight_words),
	FIELDS_END,
};

/* ---- macOS ---- */

static const char *const launch_words[] = { "exec", "open", NULL };
const struct field IMAGE_ROWS mxc_seatbelt_fields[] = {
	STRINGS("extraMachLookups"),
	BOOL("guiAccess"),
	BOOL("keychainAccess"),
	BOOL("nestedPty"),
	STRING("profileOverride"),
	WORD("launchMethod", launch_words, .gate = MXC_READER_ROLLING),
	FIELDS_END,
};

/* ---- experimental ---- */

static const struct field IMAGE_ROWS isolation_provision_fields[] = {
	STRING("appId"),
	FIELDS_END,
};

static const struct field IMAGE_ROWS isolation_session_fields[] = {
	OBJECT("provision", isolation_provision_fields),
	FIELDS_END,
};

static const struct field IMAGE_ROWS experimental_fields[] = {
	OBJECT("telemetry", mxc_telemetry_fields),
	OBJECT("test", mxc_test_fields),
	OBJECT("wslc", mxc_wslc_fields),
	OBJECT("windows_sandbox", mxc_windows_sandbox_fields),
	OBJECT("isolation_session", isolation_session_fields),
	FIELDS_END,
};

int mxc_decode_experimental(struct decode *d, const struct json *value, void *target,
			    struct err **err)
{
	static const char *const moved[] = { "seatbelt", "macos_sandbox" };
	struct decode lenient = *d;
	struct scrap scrap = { 0 };
	size_t i;

	(void)target;
	for (i = 0; i < array_size(moved); i++)
		if (json_get(value, moved[i]))
			return fields_error(d, value, err,
					    "`%s` has moved to the stable section `seatbelt`",
					    moved[i]);
	lenient.unknown_is_error = false;
	return fields_decode(&lenient, value, experimental_fields, &scrap, err);
}
