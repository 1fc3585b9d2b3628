/* time.c - a new time namespace whose clocks are set off.
 *
 * Offsets can be written only while no process is in the namespace (time_namespaces(7)), so it can't come from clone3:
 * init makes it for its children, writes them, and the workload's execve enters it, which Linux does since 6.2.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/sys.h"
#include "engine/native/init.h"

#define POINTER "/linux/timeOffsets"

static int check_kernel(struct err **err)
{
	struct utsname name;
	unsigned long major, minor = 0;
	char *end;

	if (uname(&name) < 0)
		return err_sys(err, E_HOST, errno, "uname", NULL, POINTER);
	major = strtoul(name.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	if (major > 6 || (major == 6 && minor >= 2))
		return 0;
	return err_set(err, E_HOST, EOPNOTSUPP, POINTER, "needs Linux 6.2, this is %s", name.release);
}

static int format_offset(const struct plan_time_offset *offset, const char *clock, char *buf, size_t size)
{
	return offset->is_set ? snprintf(buf, size, "%s %" PRId64 " %" PRIu32 "\n", clock, offset->seconds,
					 offset->nanoseconds) : 0;
}

int time_set_offsets(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	char text[128];
	int len, r;

	if (!plan_has_time_offsets(plan))
		return 0;
	r = check_kernel(err);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, E_NAMESPACE, errno, "unshare", "time namespace", plan->namespaces[NS_TIME].pointer);
	len = format_offset(&plan->monotonic, "monotonic", text, sizeof(text));
	format_offset(&plan->boottime, "boottime", text + len, sizeof(text) - (size_t)len);
	r = procfs_write_self(init, "timens_offsets", text);
	if (r == -ERANGE)
		return err_set(err, E_CONFIG, ERANGE, POINTER, "an offset that would take a clock below zero or too far");
	return r < 0 ? err_sys(err, E_NAMESPACE, -r, "write", "timens_offsets", POINTER) : 0;
}
