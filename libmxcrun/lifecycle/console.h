/* console.h - terminals: the socket over which init hands the pty's master on, and the relay
 * between that master and our own standard I/O for containers that run in the foreground. */
#ifndef MXCRUN_LIFECYCLE_CONSOLE_H
#define MXCRUN_LIFECYCLE_CONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/err.h"

/* Connect to the caller's --console-socket, whatever the length of its path. The descriptor or
 * -errno. */
int console_connect(const char *path, struct err **err);

struct console_buffer {
	char data[4096]; /* at most PIPE_BUF, so that a write to a ready pipe never blocks */
	size_t start, len;
	bool is_closed; /* nothing more comes in */
};

struct console {
	int socket_fd; /* our end, until the master has come */
	int master_fd;
	bool is_raw; /* our terminal was changed, and what it was */
	struct termios saved;
	struct console_buffer to_container, to_user;
};
#define CONSOLE_INIT                             \
	{                                        \
		.socket_fd = -1, .master_fd = -1 \
	}

/* A master that is already there, with the slave's name beside it, as init sends one. */
int console_send(int socket_fd, int master_fd, struct err **err);

/* A socket pair: ours stays in the console, the other end is for the engine. */
int console_prepare(struct console *console, int *ret_child_fd, struct err **err);

/* Take the master that init has sent, set its size and put our own terminal into raw mode. */
int console_attach(struct console *console, struct err **err);

void console_resize(const struct console *console);

/* The relay: descriptors to poll on, and what to do when poll has returned. */
#define CONSOLE_POLL_COUNT 4u
void console_poll(const struct console *console, struct pollfd fds[CONSOLE_POLL_COUNT]);
void console_relay(struct console *console, const struct pollfd fds[CONSOLE_POLL_COUNT]);

/* The container has ended: bring out what it has written, without waiting for more. */
void console_drain(struct console *console);

/* Give our terminal back as it was. */
void console_done(struct console *console);
#define cleanup_console __attribute__((cleanup(console_done)))

#endif
