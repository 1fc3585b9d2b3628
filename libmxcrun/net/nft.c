/* nft.c - see nft.h. */
#include "net/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/netlink.h"

#define SEND_BUFFER (32 << 20)
#define SEND_OVERHEAD 4096u /* the kernel keeps 32 bytes, and a batch's two ends are ours */

/* ---- building ---- */

void nft_start(struct nft_batch *batch, const char *table, size_t limit)
{
	*batch = (struct nft_batch){ .table = table, .limit = limit };
}

void nft_done(struct nft_batch *batch)
{
	strbuf_done(&batch->data);
	free(batch->cuts);
	batch->cuts = NULL;
}

static void begin(struct nft_batch *batch, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg head;
	} start = {
		.header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++batch->sequence },
		.head = { .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource) },
	};

	batch->message = batch->data.len;
	strbuf_add(&batch->data, &start, sizeof(start));
}

void nft_end(struct nft_batch *batch)
{
	struct nlmsghdr *header;

	if (batch->data.failed)
		return;
	header = (struct nlmsghdr *)(batch->data.data + batch->message);
	header->nlmsg_len = (uint32_t)(batch->data.len - batch->message);
}

static void open_batch(struct nft_batch *batch)
{
	batch->start = batch->data.len;
	begin(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nft_end(batch);
}

/* Failures are told of any message, success only where asked for: by the last one before the end. */
static void close_batch(struct nft_batch *batch)
{
	size_t *cuts;

	if (batch->data.failed || batch->data.len == batch->start)
		return;
	((struct nlmsghdr *)(batch->data.data + batch->message))->nlmsg_flags |= NLM_F_ACK;
	begin(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nft_end(batch);
	cuts = reallocarray(batch->cuts, batch->cut_count + 1, sizeof(*cuts));
	if (!cuts) {
		batch->failed = true;
		return;
	}
	batch->cuts = cuts;
	batch->cuts[batch->cut_count++] = batch->data.len;
	batch->start = batch->data.len;
}

void nft_begin(struct nft_batch *batch, uint8_t type, uint16_t flags)
{
	if (batch->data.len == batch->start)
		open_batch(batch);
	begin(batch, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_CREATE | flags, NFPROTO_INET, 0);
}

void nft_put(struct nft_batch *batch, uint16_t attribute, const void *data, size_t len)
{
	static const char padding[NLA_ALIGNTO];
	struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = attribute };

	if (len > UINT16_MAX - NLA_HDRLEN)
		batch->failed = true;
	strbuf_add(&batch->data, &head, sizeof(head));
	strbuf_add(&batch->data, data, len);
	strbuf_add(&batch->data, padding, NLA_ALIGN(len) - len);
}

void nft_put_text(struct nft_batch *batch, uint16_t attribute, const char *text)
{
	nft_put(batch, attribute, text, strlen(text) + 1);
}

void nft_put_u32(struct nft_batch *batch, uint16_t attribute, uint32_t value)
{
	uint32_t big = htonl(value);

	nft_put(batch, attribute, &big, sizeof(big));
}

void nft_put_u64(struct nft_batch *batch, uint16_t attribute, uint64_t value)
{
	uint64_t big = htobe64(value);

	nft_put(batch, attribute, &big, sizeof(big));
}

void nft_open(struct nft_batch *batch, uint16_t attribute)
{
	struct nlattr head = { .nla_len = NLA_HDRLEN, .nla_type = attribute | NLA_F_NESTED };

	if (batch->depth == NFT_DEPTH_MAX) {
		batch->failed = true;
		return;
	}
	batch->nests[batch->depth++] = batch->data.len;
	strbuf_add(&batch->data, &head, sizeof(head));
}

void nft_close(struct nft_batch *batch)
{
	size_t at, len;

	if (batch->failed || batch->data.failed || batch->depth == 0)
		return;
	at = batch->nests[--batch->depth];
	len = batch->data.len - at;
	if (len > UINT16_MAX)
		batch->failed = true;
	((struct nlattr *)(batch->data.data + at))->nla_len = (uint16_t)len;
}

void nft_put_value(struct nft_batch *batch, uint16_t attribute, const void *data, size_t len)
{
	nft_open(batch, attribute);
	nft_put(batch, NFTA_DATA_VALUE, data, len);
	nft_close(batch);
}

size_t nft_message_size(const struct nft_batch *batch)
{
	return batch->data.len - batch->message;
}

void nft_allow_cut(struct nft_batch *batch)
{
	/* a message has at most 64 KiB */
	if (batch->data.len - batch->start + (64u << 10) > batch->limit)
		close_batch(batch);
}

/* ---- sending ---- */

size_t nft_limit(int fd)
{
	int wanted = SEND_BUFFER, got = 0;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof(wanted)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &len) < 0 || got < (int)SEND_OVERHEAD)
		return 0;
	return (size_t)got - SEND_OVERHEAD;
}

static int send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	do
		n = send(fd, data, len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int nft_send(int fd, struct nft_batch *batch)
{
	size_t at = 0;
	int r = 0;

	close_batch(batch);
	if (batch->failed || batch->data.failed)
		return -ENOMEM;
	for (size_t i = 0; i < batch->cut_count && r == 0; i++) {
		r = send_all(fd, batch->data.data + at, batch->cuts[i] - at);
		if (r == 0)
			r = netlink_receive(fd, NULL, NULL);
		at = batch->cuts[i];
	}
	return r;
}

/* ---- asking ---- */

struct dump {
	int (*visit)(void *data, const void *attributes, size_t len);
	void *data;
};

static int take_answer(void *data, const struct nlmsghdr *answer)
{
	const struct dump *dump = data;

	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
		return -EBADMSG;
	return dump->visit(dump->data, (const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(sizeof(struct nfgenmsg)),
			   answer->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg)));
}

int nft_dump(int fd, const char *table, uint8_t type, const char *set,
	     int (*visit)(void *data, const void *attributes, size_t len), void *data)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct dump dump = { visit, data };
	struct netlink_message message;

	netlink_begin(&message, NFNL_SUBSYS_NFTABLES << 8 | type, 0, &head, sizeof(head));
	/* the number of the attribute that names the table is 1 in each kind of message */
	netlink_put(&message, NFTA_TABLE_NAME, table, strlen(table) + 1);
	if (set)
		netlink_put(&message, NFTA_SET_ELEM_LIST_SET, set, strlen(set) + 1);
	return netlink_dump(fd, &message, take_answer, &dump);
}
