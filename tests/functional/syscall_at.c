/* syscall_at.c - what happens when a program is killed, or a system call fails, at one exact point.
 *
 *     syscall_at count FILE COMMAND...   write into FILE how many system calls the program itself makes
 *     syscall_at kill N COMMAND...       SIGKILL as it enters the Nth
 *     syscall_at fail N COMMAND...       the Nth isn't made, but returns EIO
 *
 * Options before the word: -b counts, instead of the program's own calls, those of all processes below it, each until it
 * executes a program that is not ours; -e NUMBER is another error than EIO; -l FILE gets the number of the call that was hit.
 *
 * The counter of the program's own calls starts with the first fcntl(F_GETFD), which is main's first call, so that the C
 * library's start-up is left alone. The exit code is the program's, 128 + N for a signal.
 * strace's injection counts each kind of call by itself, and so can't name "the Nth call".
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_OF_CHILDREN (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)
#define IS_CALL (SIGTRAP | 0x80)

enum mode { COUNT, KILL, FAIL };

struct options {
	enum mode mode;
	bool counts_below;
	int error;
	const char *log, *file;
	unsigned long at;
};

/* Of what is traced. */
static struct {
	pid_t program;
	bool has_started;
	pid_t failing;	/* has to be given the error as it leaves the call */
	unsigned long calls;
} state;

static void die(const char *what)
{
	fprintf(stderr, "syscall_at: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void tracee(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) die("PTRACE_TRACEME");
	raise(SIGSTOP);
	execvp(command[0], command);
	die(command[0]);
}

/* Change the registers at a system call stop: the number on entry, the result on exit. */
#if defined(__x86_64__)
static void set_call(pid_t pid, long number)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), number) != 0) die("PTRACE_POKEUSER");
}

static void set_result(pid_t pid, long result)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result) != 0) die("PTRACE_POKEUSER");
}
#elif defined(__aarch64__)
static void set_call(pid_t pid, long number)
{
	int value = (int)number;
	struct iovec set = { &value, sizeof(value) };

	if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &set) != 0) die("PTRACE_SETREGSET");
}

static void set_result(pid_t pid, long result)
{
	struct user_regs_struct regs;
	struct iovec set = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &set) != 0) die("PTRACE_GETREGSET");
	regs.regs[0] = (unsigned long)result;
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &set) != 0) die("PTRACE_SETREGSET");
}
#else
#error "syscall_at knows x86_64 and aarch64"
#endif

static void write_number(const char *path, unsigned long number)
{
	FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%lu\n", number) < 0 || fclose(file) != 0) die(path);
}

/* Is the process at the entry of a call that counts, and of which? */
static bool counts(const struct options *options, pid_t pid, unsigned long *ret_number)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0) {
		/* one that another has killed meanwhile: its end is still to come */
		if (errno == ESRCH) return false;
		die("PTRACE_GET_SYSCALL_INFO");
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
	*ret_number = info.entry.nr;
	if (options->counts_below) return pid != state.program;
	if (info.entry.nr == SYS_fcntl && info.entry.args[1] == F_GETFD) state.has_started = true;
	return state.has_started;
}

static void stop_at_call(const struct options *options, pid_t pid)
{
	unsigned long number = 0;

	if (pid == state.failing) {
		set_result(pid, -options->error);
		state.failing = 0;
		return;
	}
	if (!counts(options, pid, &number) || ++state.calls != options->at) return;
	if (options->log) write_number(options->log, number);
	if (options->mode == KILL) kill(pid, SIGKILL);
	if (options->mode != FAIL) return;
	set_call(pid, -1);
	state.failing = pid;
}

/* The runtime executes itself and its init from memory. */
static bool is_ours(pid_t pid)
{
	char link[64], name[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, name, sizeof(name) - 1);
	name[len > 0 ? len : 0] = '\0';
	return strstr(name, "mxcrun") || strstr(name, "memfd:");
}

/* Let a stopped process go on, as it should. */
static void resume(const struct options *options, pid_t pid, int status)
{
	bool is_event = status >> 16, is_call = WSTOPSIG(status) == IS_CALL;
	bool is_watched = options->counts_below ? pid != state.program : true;
	int signal = is_event || is_call ? 0 : WSTOPSIG(status);

	if (is_call) stop_at_call(options, pid);
	if (options->counts_below && status >> 16 == PTRACE_EVENT_EXEC && pid != state.program && !is_ours(pid)) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	/* a new process begins with a stop of ours */
	if (signal == SIGSTOP && options->counts_below) signal = 0;
	if (ptrace(is_watched ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal) != 0 && errno != ESRCH) die("PTRACE_SYSCALL");
}

/* The program's end, as a status. Processes that outlive it are let go. */
static int trace(const struct options *options)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR) continue;
		if (pid < 0) die("waitpid");
		if (WIFSTOPPED(status)) resume(options, pid, status);
		else if (pid == state.program) return status;
	}
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const char *const words[] = { "count", "kill", "fail" };
	int option;

	while ((option = getopt(argc, argv, "+be:l:")) != -1) {
		if (option == 'b') options->counts_below = true;
		if (option == 'e') options->error = atoi(optarg);
		if (option == 'l') options->log = optarg;
		if (option == '?') exit(125);
	}
	while (optind + 2 < argc && options->mode <= FAIL && strcmp(argv[optind], words[options->mode]) != 0)
		options->mode++;
	if (optind + 2 >= argc || options->mode > FAIL) {
		fputs("usage: syscall_at [-b] [-e ERROR] [-l FILE] count FILE COMMAND... | kill N COMMAND... | fail N COMMAND...\n", stderr);
		exit(125);
	}
	options->file = argv[optind + 1];
	if (options->mode != COUNT) options->at = strtoul(options->file, NULL, 10);
	optind += 2;
}

int main(int argc, char **argv)
{
	struct options options = { .error = EIO };
	int status;

	read_options(argc, argv, &options);
	state.program = fork();
	if (state.program == 0) tracee(argv + optind);
	if (state.program < 0 || waitpid(state.program, &status, 0) != state.program || !WIFSTOPPED(status)) die("cannot start");
	if (ptrace(PTRACE_SETOPTIONS, state.program, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		   (options.counts_below ? EVENTS_OF_CHILDREN : PTRACE_O_EXITKILL)) != 0)
		die("PTRACE_SETOPTIONS");
	resume(&options, state.program, SIGTRAP << 16);
	status = trace(&options);
	if (options.mode == COUNT) write_number(options.file, state.calls);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
