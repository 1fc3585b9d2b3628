/* netlink.c - see netlink.h. */
#include "base/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define ANSWER_SIZE 32768u /* what the kernel fills a dump's parts up to */

int netlink_open(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

static void *reserve(struct netlink_message *message, size_t len)
{
	size_t at = NLMSG_ALIGN(message->header.nlmsg_len);

	if (at + NLMSG_ALIGN(len) > sizeof(message->bytes)) {
		message->failed = true;
		return NULL;
	}
	message->header.nlmsg_len = (uint32_t)(at + len);
	return message->bytes + at;
}

void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, const void *head, size_t len)
{
	void *place;

	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_HDRLEN;
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | flags;
	place = reserve(message, len);
	if (place)
		memcpy(place, head, len);
}

void netlink_put(struct netlink_message *message, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attribute = reserve(message, NLA_HDRLEN + len);

	if (!attribute)
		return;
	attribute->nla_type = type;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)attribute + NLA_HDRLEN, data, len);
}

static int send_message(int fd, struct netlink_message *message, uint16_t flags)
{
	ssize_t n;

	if (message->failed)
		return -EMSGSIZE;
	message->header.nlmsg_flags |= flags;
	do
		n = send(fd, message->bytes, message->header.nlmsg_len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* 0: go on; 1: the end; or the failure. */
static int take_answer(const struct nlmsghdr *answer, int (*visit)(void *, const struct nlmsghdr *), void *data)
{
	const struct nlmsgerr *error = NLMSG_DATA(answer);

	if (answer->nlmsg_type == NLMSG_DONE)
		return 1;
	if (answer->nlmsg_type != NLMSG_ERROR)
		return visit ? visit(data, answer) : 0;
	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
		return -EBADMSG;
	return error->error ? error->error : 1;
}

int netlink_receive(int fd, int (*visit)(void *, const struct nlmsghdr *), void *data)
{
	_Alignas(struct nlmsghdr) char buffer[ANSWER_SIZE];
	int r = 0;

	while (r == 0) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);
		size_t left = (size_t)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (left > sizeof(buffer))
			return -EMSGSIZE;
		for (const struct nlmsghdr *answer = (const void *)buffer; r == 0 && NLMSG_OK(answer, left);
		     answer = NLMSG_NEXT(answer, left))
			r = take_answer(answer, visit, data);
	}
	return r < 0 ? r : 0;
}

int netlink_request(int fd, struct netlink_message *message)
{
	return netlink_ask(fd, message, NULL, NULL);
}

int netlink_ask(int fd, struct netlink_message *message, int (*visit)(void *data, const struct nlmsghdr *answer),
		void *data)
{
	int r = send_message(fd, message, NLM_F_ACK);

	return r < 0 ? r : netlink_receive(fd, visit, data);
}

int netlink_dump(int fd, struct netlink_message *message, int (*visit)(void *data, const struct nlmsghdr *answer),
		 void *data)
{
	int r = send_message(fd, message, NLM_F_DUMP);

	return r < 0 ? r : netlink_receive(fd, visit, data);
}

int netlink_each(const void *at, size_t len, int (*take)(void *data, uint16_t type, const void *at, size_t len), void *data)
{
	const char *p = at;
	int r = 0;

	while (r == 0 && len >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const void *)p;
		size_t step = NLA_ALIGN(attribute->nla_len);

		if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > len)
			return 0;
		r = take(data, attribute->nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, attribute->nla_len - NLA_HDRLEN);
		p += step;
		len -= step > len ? len : step;
	}
	return r;
}

struct found {
	uint16_t type;
	const void *at;
	size_t len;
};

static int is_found(void *data, uint16_t type, const void *at, size_t len)
{
	struct found *found = data;

	if (type != found->type)
		return 0;
	found->at = at;
	found->len = len;
	return 1;
}

const void *netlink_find(const void *at, size_t len, uint16_t type, size_t *ret_len)
{
	struct found found = { .type = type };

	if (netlink_each(at, len, is_found, &found) == 1)
		*ret_len = found.len;
	return found.at;
}

const char *netlink_find_text(const void *at, size_t len, uint16_t type)
{
	size_t text_len = 0;
	const char *text = netlink_find(at, len, type, &text_len);

	return text && text_len > 0 && text[text_len - 1] == '\0' ? text : "";
}
