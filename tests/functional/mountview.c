/* mountview.c - print the mounts of a process as JSON, for the functional tests.
 *
 *     mountview PID
 *
 * Reads /proc/PID/mountinfo through libmount, which knows its escapes and its optional fields, and prints
 * an array in mount order: target, source, root (the part of the file system that is mounted), fstype,
 * the options of the mount itself ("vfs") and of the file system ("fs"), propagation. So a test compares
 * what the kernel has with config.json by jq, and not with what mxcrun says.
 */
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

/* A JSON string; the kernel's text is taken as UTF-8. */
static void put_string(const char *text)
{
	putchar('"');
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_member(const char *name, const char *value)
{
	printf("\"%s\":", name);
	put_string(value);
	putchar(',');
}

/* "ro,nosuid" as an array of strings. */
static void put_options(const char *name, const char *options)
{
	const char *item = options, *end;

	printf("\"%s\":[", name);
	while (item && *item) {
		end = strchrnul(item, ',');
		if (item != options)
			putchar(',');
		char *word = strndup(item, (size_t)(end - item));
		put_string(word);
		free(word);
		item = *end ? end + 1 : end;
	}
	printf("],");
}

static void put_propagation(struct libmnt_fs *fs)
{
	unsigned long flags = 0;

	mnt_fs_get_propagation(fs, &flags);
	printf("\"propagation\":[");
	if (flags & MS_UNBINDABLE)
		printf("\"unbindable\"");
	else if ((flags & MS_SLAVE) && (flags & MS_SHARED))
		printf("\"slave\",\"shared\"");
	else
		printf("\"%s\"", flags & MS_SHARED ? "shared" : flags & MS_SLAVE ? "slave" : "private");
	printf("]");
}

static void put_mount(struct libmnt_fs *fs)
{
	printf("{\"id\":%d,\"parent\":%d,", mnt_fs_get_id(fs), mnt_fs_get_parent_id(fs));
	put_member("target", mnt_fs_get_target(fs));
	put_member("source", mnt_fs_get_source(fs));
	put_member("root", mnt_fs_get_root(fs));
	put_member("fstype", mnt_fs_get_fstype(fs));
	put_options("vfs", mnt_fs_get_vfs_options(fs));
	put_options("fs", mnt_fs_get_fs_options(fs));
	put_propagation(fs);
	putchar('}');
}

int main(int argc, char **argv)
{
	struct libmnt_table *table;
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;
	const char *separator = "";
	char path[64];

	if (argc != 2) {
		fprintf(stderr, "usage: mountview PID\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", argv[1]);
	table = mnt_new_table_from_file(path);
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!table || !iter) {
		fprintf(stderr, "mountview: can't read %s\n", path);
		return 1;
	}
	putchar('[');
	while (mnt_table_next_fs(table, iter, &fs) == 0) {
		printf("%s", separator);
		put_mount(fs);
		separator = ",\n";
	}
	puts("]");
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return 0;
}
