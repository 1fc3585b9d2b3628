/* netlink.h - requests to the kernel over a netlink socket: build a message, send it, wait for its answer (netlink(7)). */
#ifndef MXCRUN_BASE_NETLINK_H
#define MXCRUN_BASE_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_SIZE 8192u

struct netlink_message {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_MESSAGE_SIZE];
	};
	bool failed; /* something did not fit: netlink_request() refuses it */
};

/* A socket of that protocol (NETLINK_ROUTE, ...) in the present network namespace, close-on-exec, or -errno. */
int netlink_open(int protocol);

/* Start a message: type, NLM_F_ flags beside NLM_F_REQUEST, and the fixed head that the type wants. */
void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, const void *head, size_t len);
void netlink_put(struct netlink_message *message, uint16_t type, const void *data, size_t len);

/* Send and wait for the acknowledgement: 0 or the kernel's -errno. */
int netlink_request(int fd, struct netlink_message *message);

/* The same for what is answered before it is acknowledged: the answer goes to visit. */
int netlink_ask(int fd, struct netlink_message *message, int (*visit)(void *data, const struct nlmsghdr *answer),
		void *data);

/* Send with NLM_F_DUMP and hand each answer to visit, whose negative result ends it. 0 or -errno. */
int netlink_dump(int fd, struct netlink_message *message,
		 int (*visit)(void *data, const struct nlmsghdr *answer), void *data);

/* Read answers until an acknowledgement, a failure or the end of a dump, and hand all others to visit (NULL: nobody). For
 * messages that were sent by other means. */
int netlink_receive(int fd, int (*visit)(void *data, const struct nlmsghdr *answer), void *data);

/* Hand each attribute in [at, at + len) to take, until one gives something else than 0, which is the result. Ends at one
 * that is broken. */
int netlink_each(const void *at, size_t len, int (*take)(void *data, uint16_t type, const void *at, size_t len), void *data);

/* Of the attributes in [at, at + len): data and length of the first one of that type, NULL without. */
const void *netlink_find(const void *at, size_t len, uint16_t type, size_t *ret_len);
/* The same for a text, which ends with a zero byte; else "". */
const char *netlink_find_text(const void *at, size_t len, uint16_t type);

#endif
