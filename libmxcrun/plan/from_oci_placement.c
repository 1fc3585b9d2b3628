/* from_oci_placement.c - where a process's cpu time and memory come from: process.execCPUAffinity and linux.memoryPolicy,
 * with their lists ("0-3,7") as the bit masks that the kernel takes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/from_oci.h"

#define BITS_MAX 8192u /* more cpus, and more nodes, than any kernel is built for */
#define FLAG_SHIFT 13 /* set_mempolicy(2): bit of the first flag */
#define WORD_BITS (8 * sizeof(unsigned long))

const char *const memory_policy_flag_words[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
						 "MPOL_F_STATIC_NODES", NULL };

/* The number at *at, which is moved behind it; -1 when there is none that a mask could hold. */
static long take_number(const char **at)
{
	char *end;
	unsigned long number;

	if (**at < '0' || **at > '9')
		return -1;
	number = strtoul(*at, &end, 10);
	*at = end;
	return number < BITS_MAX ? (long)number : -1;
}

static bool take_range(const char **at, unsigned long *words, size_t *count)
{
	long first = take_number(at), last = first;

	if (first >= 0 && **at == '-') {
		(*at)++;
		last = take_number(at);
	}
	if (first < 0 || last < first)
		return false;
	for (size_t bit = (size_t)first; bit <= (size_t)last; bit++)
		words[bit / WORD_BITS] |= 1ul << bit % WORD_BITS;
	if ((size_t)last / WORD_BITS >= *count)
		*count = (size_t)last / WORD_BITS + 1;
	return true;
}

static int build_mask(struct builder *b, const char *list, const char *pointer, struct plan_mask *ret,
		      struct err **err)
{
	unsigned long words[BITS_MAX / WORD_BITS] = { 0 };
	const char *at = list;
	size_t count = 0;

	if (!list || !*list)
		return 0;
	while (take_range(&at, words, &count) && *at == ',')
		at++;
	if (*at || !count)
		return err_set(err, E_CONFIG, 0, pointer, "expected a list such as \"0-3,7\", found \"%.64s\"", list);
	ret->words = arena_memdup(b->arena, words, count * sizeof(*words));
	ret->count = count;
	return ret->words ? 0 : err_nomem(err);
}

int build_cpu_affinity(struct builder *b, struct err **err)
{
	const struct oci_cpu_affinity *config = b->config->process->exec_cpu_affinity;
	struct plan_process *plan = &b->plan->process;
	int r;

	if (!config)
		return 0;
	r = build_mask(b, config->initial, "/process/execCPUAffinity/initial", &plan->initial_cpus, err);
	if (r == 0)
		r = build_mask(b, config->final, "/process/execCPUAffinity/final", &plan->final_cpus, err);
	plan->all_cpus = !plan->initial_cpus.count && !plan->final_cpus.count;
	return r;
}

static int find_flag(struct builder *b, const char *word, size_t index, int *mode, struct err **err)
{
	for (int i = 0; memory_policy_flag_words[i]; i++) {
		if (!strcmp(memory_policy_flag_words[i], word)) {
			*mode |= 1 << (FLAG_SHIFT + i);
			return 0;
		}
	}
	return err_set(err, E_CONFIG, 0, item_pointer(b, "/linux/memoryPolicy/flags", index),
		       "unknown memory policy flag \"%.64s\"", word);
}

int build_memory_policy(struct builder *b, struct err **err)
{
	const struct oci_memory_policy *config = b->linux_->memory_policy;
	struct plan_memory_policy *plan = &b->plan->process.memory_policy;
	int r = 0;

	if (!config)
		return 0;
	plan->is_set = true;
	plan->mode = config->mode;
	for (size_t i = 0; i < config->flags.count && r == 0; i++)
		r = find_flag(b, config->flags.items[i], i, &plan->mode, err);
	return r == 0 ? build_mask(b, config->nodes, "/linux/memoryPolicy/nodes", &plan->nodes, err) : r;
}
