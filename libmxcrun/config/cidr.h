/* cidr.h - IP addresses and blocks of them, from text. Literals only: no names are looked up. */
#ifndef MXCRUN_CONFIG_CIDR_H
#define MXCRUN_CONFIG_CIDR_H

#include <stdbool.h>
#include <stdint.h>

struct cidr {
	bool is_v6;
	uint8_t address[16]; /* network order; the first 4 for IPv4 */
	unsigned int prefix;
};

/* "address" or "address/len"; a bare address is a block of one. False when it is none. Bits behind
 * the prefix are taken as they are. */
bool cidr_parse(const char *text, struct cidr *ret);

/* Are all bits behind the prefix zero? */
bool cidr_is_network(const struct cidr *cidr);

/* Is inner the same block or a part of outer? False across families. */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);

#endif
