/* clock.c - points in time as text: civil date from days since 1970, without time zone files. */

#include "base/clock.h"

#include <stdio.h>

#include "base/sys.h"

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA 146097 /* 400 years of the Gregorian calendar */
#define DAYS_0000_03_01_TO_1970 \
	719468 /* eras start on a 1st of March, so that leap days come last */

struct civil_date {
	unsigned int year, month, day;
};

static struct civil_date civil_from_days(unsigned long days)
{
	unsigned long shifted = days + DAYS_0000_03_01_TO_1970;
	unsigned long era = shifted / DAYS_PER_ERA;
	unsigned long day_of_era = shifted % DAYS_PER_ERA;
	unsigned long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				     day_of_era / (DAYS_PER_ERA - 1)) /
				    365;
	unsigned long day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned long month_from_march = (5 * day_of_year + 2) / 153;
	struct civil_date date;

	date.day = (unsigned int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	date.month =
		(unsigned int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	date.year = (unsigned int)(year_of_era + era * 400 + (date.month <= 2));
	return date;
}

void clock_format_rfc3339(const struct timespec *at, bool with_nanoseconds,
			  char text[CLOCK_TEXT_SIZE])
{
	/* A clock before 1970 or beyond 9999 is shown as the limit: the text has a fixed width. */
	unsigned long seconds = at->tv_sec < 0 ? 0 : (unsigned long)at->tv_sec;
	unsigned long last = 253402300799;
	struct civil_date date;
	unsigned int in_day;
	int len;

	if (seconds > last)
		seconds = last;
	date = civil_from_days(seconds / SECONDS_PER_DAY);
	in_day = (unsigned int)(seconds % SECONDS_PER_DAY);
	len = snprintf(text, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", date.year % 10000,
		       date.month, date.day, in_day / 3600, in_day / 60 % 60, in_day % 60);
	if (with_nanoseconds)
		snprintf(text + len, CLOCK_TEXT_SIZE - (size_t)len, ".%09uZ",
			 (unsigned int)at->tv_nsec % 1000000000);
	else
		snprintf(text + len, CLOCK_TEXT_SIZE - (size_t)len, "Z");
}

void clock_now_rfc3339(bool with_nanoseconds, char text[CLOCK_TEXT_SIZE])
{
	struct timespec now;

	sys_clock_gettime(CLOCK_REALTIME, &now);
	clock_format_rfc3339(&now, with_nanoseconds, text);
}
