/* cpu_weight.c - see cpu_weight.h.
 *
 * runc since 1.3.2, crun since 1.23 and Kubernetes map the ends of both ranges and both defaults (1024 shares, weight 100) to each
 * other, by a parabola of logarithms: log10(weight) = (l*l + 125*l - 126) / 612 where l = log2(shares), rounded up to a whole weight.
 * A line between the ends, which was used before, gave the default of v1 a weight of 39. In fixed point, since that needs no
 * mathematical library, and the results are the same for every number of shares.
 */
#include "plan/cpu_weight.h"

#define FRACTION_BITS 40u
#define WEIGHT_MIN 1u
#define WEIGHT_MAX 10000u

__extension__ typedef unsigned __int128 uint128;

/* In units of 2^-40, rounded down: squaring the mantissa, which is in [1, 2), brings out a bit at a time. */
static uint64_t log2_fixed(uint64_t number)
{
	unsigned int whole = 63 - (unsigned int)__builtin_clzll(number);
	uint64_t mantissa = number << (63 - whole), result = whole;

	for (unsigned int bit = 0; bit < FRACTION_BITS; bit++) {
		uint128 square = (uint128)mantissa * mantissa;
		unsigned int is_two = (unsigned int)(square >> 127);

		result = result << 1 | is_two;
		mantissa = (uint64_t)(square >> (63 + is_two));
	}
	return result;
}

uint64_t cpu_weight_from_shares(uint64_t shares)
{
	uint64_t l = log2_fixed(shares), least = WEIGHT_MIN, most = WEIGHT_MAX;
	uint128 exponent = ((uint128)l * l >> FRACTION_BITS) + (uint128)125 * l - ((uint128)126 << FRACTION_BITS);
	uint128 bound = exponent * log2_fixed(10);

	while (least < most) {
		uint64_t middle = (least + most) / 2;

		if ((uint128)612 * log2_fixed(middle) << FRACTION_BITS >= bound)
			most = middle;
		else
			least = middle + 1;
	}
	return least;
}
