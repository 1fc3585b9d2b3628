/* mxc_version.c - what can be said of an MXC document before its shape: the version, the reader
 * that goes with it, and whether it is a request of the state-aware life cycle.
 *
 * One table has the versions with an exact contract; 0.6 to 0.8, and documents without a version,
 * are the rolling reader's.
 */
#include <ctype.h>
#include <string.h>

#include "config/mxc_phase.h"
#include "config/mxc_tables.h"

/* Of the rolling reader. */
#define OLDEST_MINOR 6
#define NEWEST_MINOR 8
#define STRICT_MINOR 8

/* ---- version ---- */

static const struct exact_version {
	const char *version;
	unsigned int reader;
} exact_versions[] = {
	{ "0.9.0-alpha", MXC_READER_090 },
	{ "1.0.0", MXC_READER_100 },
	{ "1.1.0-alpha", MXC_READER_110 },
};
#define REGISTERED "0.9.0-alpha, 1.0.0, 1.1.0-alpha"

/* A numeric part of a semantic version: no sign, no leading zero. Saturates: only its order counts.
 */
static bool read_number(const char **s, unsigned int *ret)
{
	const char *start = *s;
	unsigned int number = 0;

	while (isdigit((unsigned char)**s)) {
		if (number < 1000000)
			number = number * 10 + (unsigned int)(**s - '0');
		(*s)++;
	}
	*ret = number;
	return *s > start && (*start != '0' || *s == start + 1);
}

/* Pre-release or build: dot-separated words of letters, digits and dashes. */
static bool skip_words(const char **s)
{
	bool is_empty = true;

	for (;; (*s)++) {
		if (isalnum((unsigned char)**s) || **s == '-') {
			is_empty = false;
			continue;
		}
		if (is_empty || **s != '.')
			return !is_empty;
		is_empty = true;
	}
}

static bool parse_semver(const char *s, unsigned int *major, unsigned int *minor)
{
	unsigned int patch;

	if (!read_number(&s, major) || *s++ != '.' || !read_number(&s, minor) || *s++ != '.' ||
	    !read_number(&s, &patch))
		return false;
	if (*s == '-' && (s++, !skip_words(&s)))
		return false;
	if (*s == '+' && (s++, !skip_words(&s)))
		return false;
	return !*s;
}

static int refuse_version(const char *version, const char *reason, struct err **err)
{
	return err_set(err, E_CONFIG, 0, NULL,
		       "Unsupported contract version. Registered versions are: " REGISTERED
		       "; and 0.%d to 0.%d: Invalid schema version '%.64s': %s",
		       OLDEST_MINOR, NEWEST_MINOR, version, reason);
}

int mxc_choose_reader(const struct json *document, struct mxc_config *config, struct err **err)
{
	const struct json *value = json_get(document, "version");
	unsigned int major, minor;
	size_t i;

	config->reader = MXC_READER_ROLLING;
	if (!mxc_is_present(value))
		return 0;
	if (value->type != JSON_STRING)
		return err_set(err, E_CONFIG, 0, NULL,
			       "Invalid version declaration: invalid type: %s, expected a string",
			       json_type_name(value->type));
	config->version = value->text;
	for (i = 0; i < array_size(exact_versions); i++) {
		if (strcmp(exact_versions[i].version, value->text) != 0)
			continue;
		config->reader = exact_versions[i].reader;
		config->strict = true;
		return 0;
	}
	if (!parse_semver(value->text, &major, &minor))
		return refuse_version(value->text, "must be semver with three numeric parts", err);
	if (major == 0 && minor < OLDEST_MINOR)
		return refuse_version(value->text, "is older than supported. Update your config",
				      err);
	if (major > 0 || minor > NEWEST_MINOR)
		return refuse_version(value->text, "is newer than supported. Upgrade mxcrun", err);
	config->strict = minor >= STRICT_MINOR;
	return 0;
}

/* ---- requests of the state-aware life cycle: not where a document is wanted that runs at once ---- */

static bool is_phase_word(const char *word)
{
	for (size_t i = 0; mxc_phase_words[i]; i++)
		if (strcmp(mxc_phase_words[i], word) == 0)
			return true;
	return false;
}

int mxc_refuse_phases(const struct json *document, const struct mxc_config *config,
		      struct err **err)
{
	static const char *const keys[] = { "phase", "sandboxId", "correlationVector" };
	const struct json *value = json_get(document, "phase");
	size_t i;

	if (config->reader == MXC_READER_ROLLING) {
		for (i = 0; i < array_size(keys); i++)
			if (mxc_is_present(json_get(document, keys[i])))
				return err_set(
					err, E_CONFIG, 0, NULL,
					"'%s' is only valid on state-aware lifecycle requests",
					keys[i]);
		return 0;
	}
	if (!value)
		return 0;
	if (value->type != JSON_STRING)
		return err_set(
			err, E_CONFIG, 0, NULL,
			"malformed_request: Invalid phase declaration: invalid type: %s, expected a string",
			json_type_name(value->type));
	if (!is_phase_word(value->text))
		return err_set(err, E_CONFIG, 0, NULL,
			       "malformed_request: Unsupported phase '%.64s'", value->text);
	return err_set(
		err, E_CONFIG, 0, NULL,
		"expected a one-shot request, got a state-aware lifecycle request (phase '%s')",
		value->text);
}
