/* clock.h - points in time as text.
 *
 * RFC 3339 in UTC by arithmetic: gmtime_r(3) would read the host's time zone file first. */
#ifndef MXCRUN_BASE_CLOCK_H
#define MXCRUN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* "2024-02-29T23:59:59.123456789Z"; the year's range is 1970..9999. */
#define CLOCK_TEXT_SIZE 32u
void clock_format_rfc3339(const struct timespec *at, bool with_nanoseconds,
			  char text[CLOCK_TEXT_SIZE]);

/* The present, in the same form. */
void clock_now_rfc3339(bool with_nanoseconds, char text[CLOCK_TEXT_SIZE]);

#endif
