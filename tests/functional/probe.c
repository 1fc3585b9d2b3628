/* probe.c - what a workload can see and do, for the functional tests. Static, so that it runs in any root.
 *
 *     probe keyring              serial number of the session keyring
 *     probe call NAME            try one system call with harmless arguments: "ok" or the errno's name
 *     probe open PATH MODE       open it r, w or rw: "ok" or the errno's name
 *     probe fds                  the open descriptors, one a line, with what they are
 *     probe cwd                  getcwd as the kernel says it
 *     probe tty                  try to push a byte into the terminal's input
 *     probe connect HOST PORT    TCP connection to an IPv4 address
 *     probe dirty BYTES          touch that much memory, then print "dirty"
 *     probe daemon SECONDS       leave a process behind that has its own session and no open descriptor
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct { int number; const char *name; } errno_names[] = {
	{ EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EACCES, "EACCES" }, { EROFS, "EROFS" }, { ENOSYS, "ENOSYS" },
	{ EINVAL, "EINVAL" }, { EBUSY, "EBUSY" }, { ENXIO, "ENXIO" }, { EIO, "EIO" }, { ENOTTY, "ENOTTY" },
	{ ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" }, { ENETUNREACH, "ENETUNREACH" }, { ELOOP, "ELOOP" },
	{ ECONNREFUSED, "ECONNREFUSED" }, { ETIMEDOUT, "ETIMEDOUT" }, { EXDEV, "EXDEV" }, { ETXTBSY, "ETXTBSY" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT" }, { EAGAIN, "EAGAIN" }, { ENODEV, "ENODEV" },
};

/* The result of one attempt, as a word. */
static int report(long result)
{
	if (result >= 0) {
		puts("ok");
		return 0;
	}
	for (size_t i = 0; i < sizeof(errno_names) / sizeof(errno_names[0]); i++) {
		if (errno_names[i].number == errno) {
			puts(errno_names[i].name);
			return 1;
		}
	}
	printf("errno %d\n", errno);
	return 1;
}

static int probe_keyring(char **args)
{
	(void)args;
	printf("%ld\n", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0));
	return 0;
}

static long call_mount(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long call_umount(void) { return umount2("/proc", MNT_DETACH); }
static long call_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long call_unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long call_sethostname(void) { return sethostname("probe", 5); }
static long call_chroot(void) { return chroot("/"); }
static long call_getppid(void) { return syscall(SYS_getppid); }
static long call_mkdir(void) { return syscall(SYS_mkdir, "/tmp/probe-mkdir", 0700); }
static long call_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long call_keyctl(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1); }
static long call_io_uring(void) { return syscall(SYS_io_uring_setup, 0, NULL); }
static long call_raw_socket(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long call_packet_socket(void) { return socket(AF_PACKET, SOCK_DGRAM, 0); }
static long call_alg_socket(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long call_setuid(void) { return setuid(0); }
static long call_newer(void) { return syscall(600); }	/* than any kernel */
static long call_mknod(void) { return mknod("/tmp/probe-null", S_IFCHR | 0600, 0x0103); }

/* The same call by the other two ways into an x86-64 kernel. */
#ifdef __x86_64__
static long call_mkdir_x32(void) { return syscall(0x40000000 | SYS_mkdir, "/tmp/probe-mkdir", 0700); }
static long call_getppid_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(64) : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : result;
}
#else
static long call_mkdir_x32(void) { errno = ENOSYS; return -1; }
static long call_getppid_i386(void) { errno = ENOSYS; return -1; }
#endif

static int probe_call(char **args)
{
	static const struct { const char *name; long (*attempt)(void); } calls[] = {
		{ "mount", call_mount }, { "umount", call_umount }, { "unshare_user", call_unshare_user },
		{ "unshare_mount", call_unshare_mount }, { "sethostname", call_sethostname },
		{ "chroot", call_chroot }, { "getppid", call_getppid }, { "mkdir", call_mkdir },
		{ "mkdir_x32", call_mkdir_x32 }, { "getppid_i386", call_getppid_i386 },
		{ "bpf", call_bpf }, { "keyctl", call_keyctl }, { "io_uring", call_io_uring },
		{ "raw_socket", call_raw_socket }, { "packet_socket", call_packet_socket },
		{ "alg_socket", call_alg_socket }, { "setuid", call_setuid }, { "mknod", call_mknod },
		{ "newer", call_newer },
	};

	for (size_t i = 0; args[0] && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, args[0]) == 0)
			return report(calls[i].attempt());
	return 2;
}

static int probe_open(char **args)
{
	int flags;

	if (!args[0] || !args[1])
		return 2;
	flags = strcmp(args[1], "rw") == 0 ? O_RDWR : strcmp(args[1], "w") == 0 ? O_WRONLY : O_RDONLY;
	return report(open(args[0], flags | O_NONBLOCK | O_NOCTTY));
}

static int probe_fds(char **args)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[4096];

	(void)args;
	if (!dir)
		return report(-1);
	while ((entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (len < 0 || atoi(entry->d_name) == dirfd(dir))
			continue;
		target[len] = '\0';
		printf("%s %s\n", entry->d_name, target);
	}
	return 0;
}

static int probe_cwd(char **args)
{
	char path[4096];

	(void)args;
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return report(-1);
	puts(path);
	return 0;
}

static int probe_tty(char **args)
{
	(void)args;
	return report(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int probe_connect(char **args)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!args[0] || !args[1])
		return 2;
	address.sin_port = htons((uint16_t)atoi(args[1]));
	if (fd < 0 || inet_pton(AF_INET, args[0], &address.sin_addr) != 1)
		return report(-1);
	alarm(5);
	return report(connect(fd, (void *)&address, sizeof(address)));
}

static int probe_dirty(char **args)
{
	size_t size = args[0] ? strtoul(args[0], NULL, 10) : 0;
	volatile char *memory = malloc(size);

	if (!memory)
		return report(-1);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	puts("dirty");
	return 0;
}

static int probe_daemon(char **args)
{
	if (!args[0])
		return 2;
	switch (fork()) {
	case -1:
		return report(-1);
	case 0:
		setsid();
		if (fork() > 0)
			_exit(0);
		for (int fd = 0; fd < 256; fd++)
			close(fd);
		sleep((unsigned int)atoi(args[0]));
		_exit(0);
	}
	wait(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*run)(char **args); } probes[] = {
		{ "keyring", probe_keyring }, { "call", probe_call }, { "open", probe_open }, { "fds", probe_fds },
		{ "cwd", probe_cwd }, { "tty", probe_tty }, { "connect", probe_connect },
		{ "dirty", probe_dirty }, { "daemon", probe_daemon },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(probes) / sizeof(probes[0]); i++)
		if (strcmp(probes[i].name, argv[1]) == 0)
			return probes[i].run(argv + 2);
	fprintf(stderr, "usage: probe keyring|call|open|fds|cwd|tty|connect|dirty|daemon ...\n");
	return 2;
}
