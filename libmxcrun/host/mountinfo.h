/* mountinfo.h - the lines of /proc/PID/mountinfo, proc_pid_mountinfo(5).
 *
 * A parser of its own because the runtime is linked statically and reads this file on the way to
 * exec; it cuts the text up in place and allocates nothing.
 */
#ifndef MXCRUN_HOST_MOUNTINFO_H
#define MXCRUN_HOST_MOUNTINFO_H

#define MOUNTINFO_SIZE_MAX (64u << 20)

/* One mount. The strings lie in the text; the escapes of blanks and backslashes are undone. */
struct mountinfo {
	int id, parent_id;
	unsigned int major, minor;
	const char *root; /* of the mount, within its file system */
	const char *mountpoint;
	const char *options;  /* of the mount */
	const char *optional; /* "shared:12 master:3", "" when there are none */
	const char *fstype, *source;
	const char *super_options;
};

/* Non-zero ends the walk and is what mountinfo_parse() returns. */
typedef int (*mountinfo_fn)(const struct mountinfo *mount, void *data);

/* Call fn for each line of text, in order. -EBADMSG at the first line that is none. */
int mountinfo_parse(char *text, mountinfo_fn fn, void *data);

#endif
