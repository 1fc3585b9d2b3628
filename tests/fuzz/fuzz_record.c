/* fuzz_record.c - the state directory: a record and a journal with any contents. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lifecycle/store.h"

static int directory(void)
{
	static char path[] = "record-XXXXXX";
	static int fd = -1;

	if (fd < 0)
		fd = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return fd;
}

static void write_file(int dir_fd, const char *name, const uint8_t *data, size_t len)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_err struct err *err = NULL;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_remains struct remains remains = { 0 };
	struct entry entry = { .dir_fd = directory(), .journal_fd = -1 };

	write_file(entry.dir_fd, "record", data, len);
	write_file(entry.dir_fd, "journal", data, len);
	check_refusal(record_read(&entry, &record, &err), err);
	(void)journal_read(&entry, &remains);
	return 0;
}
