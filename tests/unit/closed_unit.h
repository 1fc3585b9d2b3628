/* closed_unit.h - closed.h for cmocka's tests. */
#ifndef MXCRUN_TESTS_CLOSED_UNIT_H
#define MXCRUN_TESTS_CLOSED_UNIT_H

#include "unit.h"

#include "closed.h"

static inline void assert_closed(struct arena *shared, const struct plan *plan)
{
	const char *complaint = closed_complaint(shared, plan);

	if (complaint)
		fail_msg("%s", complaint);
}

#endif
