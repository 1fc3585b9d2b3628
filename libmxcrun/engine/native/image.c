/* image.c - the init program out of our own text into a sealed memfd.
 *
 * Sealed, because a process of the container may reach it through /proc/PID/exe, and a changed one would run
 * in the next container (CVE-2019-5736). Small, because it is copied for every start.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "base/sys.h"
#include "engine/native/clone.h"
#include "engine/native/parent.h"

extern const char init_image_start[], init_image_end[];

/* What the kernel reads of the image, by which it goes below the plan: a program that could go anywhere becomes one of that place. Its
 * own start corrects its pointers (base/start.c). Behind its zeros it keeps room for the plan, before the kernel puts anything else there. */
static struct {
	Elf64_Ehdr file;
	Elf64_Phdr parts[8];
} head;

static void move_part(Elf64_Phdr *part, uintptr_t address)
{
	if (part->p_type != PT_LOAD)
		return;
	if (part->p_flags & PF_W)
		part->p_memsz = ARENA_ABOVE_INIT + ARENA_KEPT - part->p_vaddr;
	part->p_vaddr += address;
	part->p_paddr += address;
}

void image_prepare(void)
{
	uintptr_t address = arena_shared_address() - ARENA_ABOVE_INIT;

	memcpy(&head, init_image_start, sizeof(head));
	if (head.file.e_type != ET_DYN)
		return;
	head.file.e_type = ET_EXEC;
	head.file.e_entry += address;
	for (size_t i = 0; i < head.file.e_phnum && i < array_size(head.parts); i++)
		move_part(&head.parts[i], address);
}

static long make_file(void)
{
	static const char name[] = "mxcrun-init";
	long fd = raw_call(SYS_memfd_create, (long)name, SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING | SYS_MFD_EXEC, 0, 0, 0);

	return fd == -EINVAL ? raw_call(SYS_memfd_create, (long)name, SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING, 0, 0, 0) : fd;
}

static long write_image(long fd)
{
	const char *at = init_image_start;
	long n = raw_call(SYS_write, fd, (long)&head, sizeof(head), 0, 0);

	if (n != sizeof(head))
		return n < 0 ? n : -EIO;
	at += n;
	while (at != init_image_end) {
		n = raw_call(SYS_write, fd, (long)at, (long)((uintptr_t)init_image_end - (uintptr_t)at), 0, 0);

		if (n < 0)
			return n;
		at += n;
	}
	return raw_call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 0, 0);
}

int raw_image_open(void)
{
	long fd = make_file(), r = fd < 0 ? fd : write_image(fd);

	if (r < 0 && fd >= 0)
		(void)raw_call(SYS_close, fd, 0, 0, 0, 0);
	return (int)(r < 0 ? r : fd);
}

int image_open(struct err **err)
{
	int fd;

	image_prepare();
	fd = raw_image_open();
	return fd < 0 ? err_sys(err, E_HOST, -fd, "memfd_create", "init program", NULL) : fd;
}
