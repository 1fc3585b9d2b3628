/* cpu_weight.h - the share of the CPUs as cgroup v1 counts it, in the words of v2. */
#ifndef MXCRUN_PLAN_CPU_WEIGHT_H
#define MXCRUN_PLAN_CPU_WEIGHT_H

#include <stdint.h>

#define CPU_SHARES_MIN 2u
#define CPU_SHARES_MAX 262144u

/* cpu.weight, 1 to 10000, for cpu.shares within the bounds above. */
uint64_t cpu_weight_from_shares(uint64_t shares);

#endif
