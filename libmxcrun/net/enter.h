/* enter.h - sockets in the network namespace of a container, for who stays outside. */
#ifndef MXCRUN_NET_ENTER_H
#define MXCRUN_NET_ENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct net_namespace {
	int user_fd; /* -1: it belongs to our own user namespace */
	int net_fd;
};
#define NET_NAMESPACE_INIT { -1, -1 }

/* Of that process, which has to be alive and known to be the right one. 0 or -errno. */
int net_namespace_open(pid_t pid, struct net_namespace *ret, struct err **err);
/* Of a child of ours: by net_fd, which stays the caller's, where that is not -1, else by its number. */
int net_namespace_open_child(pid_t pid, int net_fd, struct net_namespace *ret, struct err **err);
/* The same of a file of the namespace. */
int net_namespace_open_path(const char *path, struct net_namespace *ret, struct err **err);
/* Is it the one that we are in ourselves? */
bool net_namespace_is_own(const struct net_namespace *namespaces);
void net_namespace_close(struct net_namespace *namespaces);
#define cleanup_net_namespace __attribute__((cleanup(net_namespace_close)))

/* As socket(2), in there; close-on-exec. The descriptors are the caller's. 0 or -errno, and then none is open. */
struct net_socket {
	int domain, type, protocol;
	int fd;
};
int net_sockets_open(const struct net_namespace *namespaces, struct net_socket *sockets, size_t count, struct err **err);

/* The same, and a sysctl of that namespace is set where it can be. */
struct net_setting {
	const char *path, *value;
};
int net_sockets_open_set(const struct net_namespace *namespaces, const struct net_setting *setting, struct net_socket *sockets,
			 size_t count, struct err **err);

#endif
