#!/bin/sh
# linking.sh - start-up time of a trivial program linked in the ways that mxcrun could be.
#
# usage: linking.sh [runs]      (default 2000)
#
# Prints a Markdown table. Environment: CC (gcc), MUSL_CC (musl-gcc).
set -eu

runs=${1:-2000}
cc=${CC:-gcc}
musl_cc=${MUSL_CC:-musl-gcc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/two.c" <<'END'
#include <seccomp.h>
#include <sys/capability.h>

/* Calls into each library stand behind a condition that is never true, so that only loading counts. */
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1000) {
		cap_free(cap_init());
		seccomp_release(seccomp_init(SCMP_ACT_ALLOW));
	}
	return 0;
}
END
cat >"$dir/none.c" <<'END'
int main(void)
{
	return 0;
}
END
cat >"$dir/loop.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	double start = now(), took, least = 1e9;
	int runs = argc > 2 ? atoi(argv[2]) : 1, i, status;

	for (i = 0; i < runs; i++) {
		double one = now();
		pid_t pid = vfork();

		if (pid == 0) {
			execl(argv[1], argv[1], (char *)NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
		took = now() - one;
		if (took < least)
			least = took;
	}
	printf("%.0f | %.0f\n", (now() - start) / runs, least);
	return 0;
}
END

$cc -O2 -o "$dir/loop" "$dir/loop.c"
$cc -O2 -o "$dir/dynamic" "$dir/two.c" -lseccomp -lcap -Wl,-z,relro,-z,now
$cc -O2 -fPIE -static-pie -o "$dir/static-pie" "$dir/two.c" -lseccomp -lcap -Wl,-z,relro,-z,now
$cc -O2 -fno-pie -no-pie -static -o "$dir/static" "$dir/two.c" -lseccomp -lcap -Wl,-z,relro,-z,now
$cc -O2 -fno-pie -no-pie -static -o "$dir/none-static" "$dir/none.c"
$musl_cc -Os -fno-pie -no-pie -static -o "$dir/none-musl" "$dir/none.c"

row() {
	strip "$dir/$2"
	# A first round warms the page cache.
	"$dir/loop" "$dir/$2" 100 >/dev/null
	printf '| %s | %s | %s |\n' "$1" "$("$dir/loop" "$dir/$2" "$runs")" "$(wc -c <"$dir/$2")"
}

echo '| linked | mean, µs | least, µs | file, bytes |'
echo '|---|---|---|---|'
row 'dynamic, two libraries' dynamic
row 'static-pie, two libraries' static-pie
row 'static, two libraries' static
row 'static, no library' none-static
row 'static with musl, no library' none-musl
