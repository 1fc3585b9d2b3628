/* syscall_at.c - what happens when a program is killed, or a system call fails, at one exact point.
 *
 *     syscall_at count FILE COMMAND...   write into FILE how many system calls the program itself makes
 *     syscall_at kill N COMMAND...       SIGKILL as it enters the Nth
 *     syscall_at fail N COMMAND...       the Nth isn't made, but returns EIO
 *
 * Only the program's own calls count, not those of its children; the counter starts with the first fcntl(F_GETFD), which is
 * main's first call, so that the C library's start-up is left alone. The exit code is the program's, 128 + N for a signal.
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

/* Is the program at the entry of a call that counts? *started turns true with main's first call. */
static bool counts(pid_t pid, bool *started)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0) die("PTRACE_GET_SYSCALL_INFO");
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
	if (info.entry.nr == SYS_fcntl && info.entry.args[1] == F_GETFD) *started = true;
	return *started;
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One more stop: the signal that the program shall be given, 0 for the tracer's own stops. */
static int await_stop(pid_t pid, int signal, int *status)
{
	if (ptrace(PTRACE_SYSCALL, pid, NULL, signal) != 0 && errno != ESRCH) die("PTRACE_SYSCALL");
	if (waitpid(pid, status, 0) != pid) die("waitpid");
	if (!WIFSTOPPED(*status) || WSTOPSIG(*status) == (SIGTRAP | 0x80)) return 0;
	return *status >> 16 ? 0 : WSTOPSIG(*status);
}

static void fail_call(pid_t pid, int *status)
{
	set_call(pid, -1);
	await_stop(pid, 0, status);
	if (WIFSTOPPED(*status)) set_result(pid, -EIO);
}

static void write_count(const char *path, unsigned long calls)
{
	FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%lu\n", calls) < 0 || fclose(file) != 0) die(path);
}

int main(int argc, char **argv)
{
	bool count = argc > 3 && strcmp(argv[1], "count") == 0;
	bool fail = argc > 3 && strcmp(argv[1], "fail") == 0;
	unsigned long at = 0, calls = 0;
	bool started = false;
	int status, signal = 0;
	pid_t pid;

	if (!count && !fail && !(argc > 3 && strcmp(argv[1], "kill") == 0)) {
		fputs("usage: syscall_at count FILE COMMAND... | kill N COMMAND... | fail N COMMAND...\n", stderr);
		return 125;
	}
	if (!count) at = strtoul(argv[2], NULL, 10);
	pid = fork();
	if (pid == 0) tracee(argv + 3);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) die("cannot start");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC) != 0)
		die("PTRACE_SETOPTIONS");
	for (;;) {
		signal = await_stop(pid, signal, &status);
		if (!WIFSTOPPED(status)) break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) || !counts(pid, &started) || ++calls != at) continue;
		if (!fail) kill(pid, SIGKILL);
		else fail_call(pid, &status);
		if (!WIFSTOPPED(status)) break;
	}
	if (count) write_count(argv[2], calls);
	return exit_code(status);
}
