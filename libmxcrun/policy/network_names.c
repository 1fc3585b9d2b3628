/* network_names.c - see network_names.h. */
#include "policy/network_names.h"

#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "policy/net_policy.h"

struct cidr network_block_of(const struct host_address *address)
{
	struct cidr block = { .is_v6 = address->is_v6, .prefix = address->is_v6 ? 128 : 32 };

	memcpy(block.address, address->bytes, sizeof(block.address));
	return block;
}

/* A line without the name; nothing of it when it has no other. */
static void copy_line(struct strbuf *text, const char *line, size_t len, const char *name)
{
	cleanup_strbuf struct strbuf kept = STRBUF_INIT;
	size_t words = 0, end = 0;

	while (end < len && line[end] != '#')
		end++;
	for (size_t at = 0; at < end;) {
		size_t blank = strspn(line + at, " \t"), word = strcspn(line + at + blank, " \t#\n");

		if (word == 0 || at + blank + word > end)
			break;
		if (word != strlen(name) || strncasecmp(line + at + blank, name, word) != 0) {
			strbuf_printf(&kept, "%s%.*s", words ? " " : "", (int)word, line + at + blank);
			words++;
		}
		at += blank + word;
	}
	if (words >= 2)
		strbuf_printf(text, "%s\n", strbuf_str(&kept));
	text->failed |= kept.failed;
}

const char *network_pin_name(struct arena *arena, const char *hosts, const char *name, const struct host_address *addresses,
			     size_t count)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		struct cidr block = network_block_of(&addresses[i]);
		char words[NET_ADDRESS_TEXT];
		struct net_address address;
		enum net_family family = net_address_of(&block, &address);

		strbuf_printf(&text, "%s %s\n", net_address_text(family, address, words), name);
	}
	for (const char *line = hosts; *line;) {
		size_t len = strcspn(line, "\n");

		copy_line(&text, line, len, name);
		line += len + (line[len] != '\0');
	}
	return text.failed ? NULL : arena_strdup(arena, strbuf_str(&text));
}
