/* nft.h - messages to nf_tables: a batch that the kernel takes whole or not at all, and dumps of what it has.
 *
 * Written here instead of linked: libnftnl exists only as a shared library on Debian, and the program loads none
 * (docs/linking.md); a helper program would cost an exec, a dynamic linker and a second copy of the rules for each sandbox, and
 * what is needed of the protocol (linux/netfilter/nf_tables.h) is the dozen functions below.
 *
 * As with strbuf, a failed allocation is looked at once, by nft_send().
 */
#ifndef MXCRUN_NET_NFT_H
#define MXCRUN_NET_NFT_H

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define NFT_DEPTH_MAX 8u

struct nft_batch {
	const char *table;
	struct strbuf data;
	size_t message; /* where the open message begins */
	size_t nests[NFT_DEPTH_MAX];
	unsigned int depth;
	uint32_t sequence;
	size_t limit;	  /* of one send, what the socket can take */
	size_t start;	  /* of the batch under construction, of several */
	size_t *cuts;	  /* malloc'd: where batches end */
	size_t cut_count;
	bool failed;
};

/* limit: see nft_limit(). */
void nft_start(struct nft_batch *batch, const char *table, size_t limit);
void nft_done(struct nft_batch *batch);
#define cleanup_nft __attribute__((cleanup(nft_done)))

/* A message of the batch: NFT_MSG_NEW*, with NLM_F_ flags beside CREATE. */
void nft_begin(struct nft_batch *batch, uint8_t type, uint16_t flags);
void nft_end(struct nft_batch *batch);

void nft_put(struct nft_batch *batch, uint16_t attribute, const void *data, size_t len);
void nft_put_text(struct nft_batch *batch, uint16_t attribute, const char *text);
void nft_put_u32(struct nft_batch *batch, uint16_t attribute, uint32_t value);
void nft_put_u64(struct nft_batch *batch, uint16_t attribute, uint64_t value);
void nft_open(struct nft_batch *batch, uint16_t attribute);
void nft_close(struct nft_batch *batch);
/* NFTA_DATA_VALUE inside of that attribute. */
void nft_put_value(struct nft_batch *batch, uint16_t attribute, const void *data, size_t len);

/* Bytes of the open message so far: an attribute's length has 16 bits. */
size_t nft_message_size(const struct nft_batch *batch);

/* Between messages: may what comes next begin a new batch if this one gets long? Only for what has no effect yet. */
void nft_allow_cut(struct nft_batch *batch);

/* How much a socket takes in one send, after asking for more. An ordinary user gets what net.core.wmem_max lets him. */
size_t nft_limit(int fd);

/* Close the batch, send it, wait for the verdict: 0 or the kernel's -errno. */
int nft_send(int fd, struct nft_batch *batch);

/* Hand every answer to a dump of that type (NFT_MSG_GET*) to visit: its attributes. set NULL, or of that set. */
int nft_dump(int fd, const char *table, uint8_t type, const char *set,
	     int (*visit)(void *data, const void *attributes, size_t len), void *data);

#endif
