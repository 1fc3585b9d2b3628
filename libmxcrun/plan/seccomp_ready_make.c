/* seccomp_ready_make.c - a program of the build: the filters of the named profiles, compiled once and for all, as C.
 *
 * What it prints becomes part of mxcrun (seccomp_policy.c), but not of the library that it is made with itself.
 */
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/seccomp.h"

static int print_profile(enum seccomp_profile profile, bool writes_to_host)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp compiled = { 0 };
	const struct seccomp_workload workload = { .writes_to_host = writes_to_host };
	const struct sock_filter *code;

	if (!arena || seccomp_compile_policy(arena, profile, &workload, &compiled, NULL, NULL) < 0)
		return -1;
	code = compiled.program;
	printf("static const struct sock_filter program_%d[] = {\n", 2 * (int)profile + writes_to_host);
	for (uint32_t i = 0; i < compiled.instruction_count; i++)
		printf("\t{ 0x%x, %u, %u, 0x%x },\n", code[i].code, code[i].jt, code[i].jf, code[i].k);
	printf("};\n");
	return 0;
}

int main(void)
{
	puts("#include <linux/filter.h>\n#include \"plan/seccomp.h\"");
	for (int i = 0; seccomp_profile_words[i]; i++)
		if (print_profile((enum seccomp_profile)i, false) < 0 || print_profile((enum seccomp_profile)i, true) < 0)
			return EXIT_FAILURE;
	puts("const struct seccomp_ready seccomp_ready[] = {");
	for (int i = 0; seccomp_profile_words[i / 2]; i++)
		printf("\t{ program_%d, sizeof(program_%d) / sizeof(*program_%d) },\n", i, i, i);
	puts("};");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
