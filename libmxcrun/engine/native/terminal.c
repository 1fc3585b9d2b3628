/* terminal.c - a pty of the container's own devpts: its slave becomes stdio, controlling terminal and
 * /dev/console, its master goes to who asked for it.
 *
 * No name in /dev is trusted (invariant 15): the slave comes from the master by ioctl, and /dev/console is a
 * bind of that descriptor onto a file that is never opened for I/O.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/unix.h"
#include "engine/native/init.h"

#define POINTER "/process/terminal"
#define CONSOLE "/dev/console"
#define PTMX "/dev/pts/ptmx"
#define PTMX_DEVICE makedev(5, 2)
#define PTS_MAJOR_FIRST 136u
#define PTS_MAJOR_LAST 143u
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static int open_master(const struct init *init, struct err **err)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, PTMX, O_RDWR | O_NOCTTY | O_NOFOLLOW);
	struct stat st;
	int unlock = 0;

	if (fd < 0)
		return err_sys(err, E_TERMINAL, -fd, "open", PTMX, POINTER);
	if (fstat(fd, &st) < 0)
		return err_sys(err, E_TERMINAL, errno, "fstat", PTMX, POINTER);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE)
		return err_set(err, E_TERMINAL, 0, POINTER, PTMX " is not the pty multiplexer");
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCSPTLCK)", PTMX, POINTER);
	return take_fd(fd);
}

static int open_slave(int master, struct stat *ret_st, struct err **err)
{
	cleanup_close int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCGPTPEER)", PTMX, POINTER);
	if (fstat(fd, ret_st) < 0)
		return err_sys(err, E_TERMINAL, errno, "fstat", "pty", POINTER);
	if (!S_ISCHR(ret_st->st_mode) || major(ret_st->st_rdev) < PTS_MAJOR_FIRST ||
	    major(ret_st->st_rdev) > PTS_MAJOR_LAST)
		return err_set(err, E_TERMINAL, 0, POINTER, "the pty's other end is not a pty");
	return take_fd(fd);
}

static int configure(const struct plan_process *process, int master, int slave, const struct stat *st,
		     struct err **err)
{
	struct winsize size = { .ws_row = process->console_rows, .ws_col = process->console_columns };

	if (size.ws_row && size.ws_col && ioctl(master, TIOCSWINSZ, &size) < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCSWINSZ)", "pty", "/process/consoleSize");
	if (st->st_uid != process->uid && fchown(slave, process->uid, (gid_t)-1) < 0)
		return err_sys(err, E_TERMINAL, errno, "fchown", "pty", POINTER);
	return 0;
}

/* One message: the slave's name as the payload, the master as its only descriptor. */
static int send_master(int socket_fd, int master, struct err **err)
{
	char name[32];
	unsigned int number;
	int r;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCGPTN)", PTMX, POINTER);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	r = unix_send_fd(socket_fd, name, strlen(name), master);
	return r < 0 ? err_sys(err, E_TERMINAL, -r, "sendmsg", "console socket", POINTER) : 0;
}

/* What is there already must be something that can be covered: a file or a device. O_PATH, or -1. */
static int open_console(const struct init *init, struct err **err)
{
	cleanup_free char *name = NULL;
	cleanup_close int dir = path_make_parent_in_root(init->root_fd, CONSOLE, &name);
	cleanup_close int made = -1, fd = -1;
	struct stat st;

	if (dir < 0)
		return err_sys(err, E_TERMINAL, -dir, "open", "/dev", POINTER);
	made = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (made < 0 && errno != EEXIST)
		return err_sys(err, E_TERMINAL, errno, "openat", CONSOLE, POINTER);
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, E_TERMINAL, errno, "openat", CONSOLE, POINTER);
	if (fstat(fd, &st) < 0)
		return err_sys(err, E_TERMINAL, errno, "fstat", CONSOLE, POINTER);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(err, E_TERMINAL, 0, POINTER, CONSOLE " is neither a file nor a character device");
	return take_fd(fd);
}

static int make_console(struct init *init, int slave, const struct stat *slave_st, struct err **err)
{
	cleanup_close int target = open_console(init, err);
	cleanup_close int seen = -1;
	struct stat st;

	if (target < 0)
		return target;
	if (mount_bind(init, slave, target) < 0)
		return err_sys(err, E_TERMINAL, errno, "bind mount", CONSOLE, POINTER);
	/* invariant 3: the name must show what was attached */
	seen = path_open_in_root(init->root_fd, CONSOLE, O_PATH | O_NOFOLLOW);
	if (seen < 0)
		return err_sys(err, E_TERMINAL, -seen, "open", CONSOLE, POINTER);
	if (fstat(seen, &st) < 0)
		return err_sys(err, E_TERMINAL, errno, "fstat", CONSOLE, POINTER);
	if (st.st_dev != slave_st->st_dev || st.st_ino != slave_st->st_ino)
		return err_set(err, E_TERMINAL, 0, POINTER, CONSOLE " is not the pty after the mount");
	return 0;
}

static int take_control(int slave, struct err **err)
{
	/* a second process of init is in the session of the first */
	if (getsid(0) != getpid() && setsid() < 0)
		return err_sys(err, E_TERMINAL, errno, "setsid", NULL, POINTER);
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCSCTTY)", "pty", POINTER);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			return err_sys(err, E_TERMINAL, errno, "dup2", "pty", POINTER);
	return 0;
}

int terminal_setup(struct init *init, struct err **err)
{
	cleanup_close int master = -1, slave = -1;
	struct stat st;
	int r;

	if (init->fds.console < 0)
		return err_set(err, E_TERMINAL, 0, POINTER, "a terminal needs a console socket");
	master = open_master(init, err);
	if (master < 0)
		return master;
	slave = open_slave(master, &st, err);
	if (slave < 0)
		return slave;
	r = configure(&init->plan->process, master, slave, &st, err);
	/* a /dev of the host has a console, which is the host's */
	if (r == 0 && init->plan->dev_is_prepared)
		r = make_console(init, slave, &st, err);
	if (r == 0)
		r = send_master(init->fds.console, master, err);
	if (r < 0)
		return r;
	fd_close_ptr(&init->fds.console);
	return take_control(slave, err);
}
