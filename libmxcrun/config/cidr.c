/* cidr.c - see cidr.h. */
#include "config/cidr.h"

#include <arpa/inet.h>
#include <string.h>

/* Decimal, no sign, no leading zero, at most max. */
static bool parse_prefix(const char *text, unsigned int max, unsigned int *ret)
{
	unsigned int value = 0;
	const char *c;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (c = text; *c; c++) {
		if (*c < '0' || *c > '9' || c - text >= 3)
			return false;
		value = value * 10 + (unsigned int)(*c - '0');
	}
	*ret = value;
	return value <= max;
}

bool cidr_parse(const char *text, struct cidr *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	*ret = (struct cidr){ .is_v6 = strchr(address, ':') != NULL };
	if (inet_pton(ret->is_v6 ? AF_INET6 : AF_INET, address, ret->address) != 1)
		return false;
	ret->prefix = ret->is_v6 ? 128 : 32;
	return !slash || parse_prefix(slash + 1, ret->prefix, &ret->prefix);
}

bool cidr_is_network(const struct cidr *cidr)
{
	unsigned int bits = cidr->is_v6 ? 128 : 32, i;

	for (i = cidr->prefix; i < bits; i++)
		if (cidr->address[i / 8] & 0x80u >> i % 8)
			return false;
	return true;
}

bool cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
	unsigned int whole = outer->prefix / 8, rest = outer->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (outer->is_v6 != inner->is_v6 || inner->prefix < outer->prefix)
		return false;
	if (memcmp(outer->address, inner->address, whole) != 0)
		return false;
	return !rest || ((outer->address[whole] ^ inner->address[whole]) & mask) == 0;
}
