/* caps.h - capability names and bits. */
#ifndef MXCRUN_PLAN_CAPS_H
#define MXCRUN_PLAN_CAPS_H

#include <stdint.h>

#define CAPS_KNOWN 41u /* CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40) */

#define CAP_BIT_DAC_OVERRIDE 1u
#define CAP_BIT_DAC_READ_SEARCH 2u
#define CAP_BIT_SETGID 6u
#define CAP_BIT_NET_ADMIN 12u
#define CAP_BIT_NET_RAW 13u
#define CAP_BIT_SYS_MODULE 16u
#define CAP_BIT_SYS_CHROOT 18u
#define CAP_BIT_SYS_ADMIN 21u

/* Number of a capability by the name that the OCI specification uses ("CAP_KILL"), -1 when unknown.
 */
int caps_from_name(const char *name);

/* Name of a capability, NULL when the number is not known. */
const char *caps_name(unsigned int capability);

static inline uint64_t caps_bit(unsigned int capability)
{
	return (uint64_t)1 << capability;
}

#endif
