/* start.c - the first instructions of a program that is made with musl, before those of the C library.
 *
 * Relocation writes to nearly every page of the writable data, and each costs a page fault, in a virtual machine 14 us, as
 * does each new page of the stack and of the heap. A few madvise(2) bring all of them in beforehand (MADV_POPULATE_WRITE, Linux 5.14; older kernels refuse, and nothing
 * is lost). What is only read, and lies in the page cache, is mapped at once as well: that takes 30 us and saves a dozen faults. Relocations in the packed form (DT_RELR), a hundredth of the usual one, are applied here, because musl knows them
 * from 1.2.4 on only, and because large tables are left out (image.h). All this runs without relocations, thread pointer, errno or stack protector.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/image.h"

#define PAGE 4096u
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif
#define POPULATE_READ 22
#define POPULATE_WRITE 23
/* The kernel begins with a larger stack. Init gets less, because the container's memory limit pays for it. */
#ifndef STACK_USED
#define STACK_USED 12288u		/* of `state`, `start`, `kill`, `delete` */
#define STACK_USED_DEEPLY 32768u	/* of `run`, `create`, `exec`, which say so: start_expect_deep_calls() */
#endif

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));
#ifdef IMAGE_IS_PREPARED
/* What base/image.h marks. */
extern const char __start_image_tables[] __attribute__((visibility("hidden")));
extern const char __stop_image_tables[] __attribute__((visibility("hidden")));
#else
/* Init has none. */
#define __start_image_tables ((const char *)0)
#define __stop_image_tables ((const char *)0)
#endif

uintptr_t image_start __attribute__((visibility("hidden")));

void start_prepare(void) __attribute__((visibility("hidden"), no_stack_protector, used));

#if defined(__x86_64__)

__asm__(".text\n"
	".globl mxcrun_start\n"
	"mxcrun_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"movq %rsp, %rbx\n\t"
	"andq $-16, %rsp\n\t"
	"call start_prepare\n\t"
	"movq %rbx, %rsp\n\t"
	"xorl %edx, %edx\n\t"
	"jmp _start\n");

static void populate(uintptr_t from, uintptr_t len, long how)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_madvise), "D"(from), "S"(len), "d"(how)
			 : "rcx", "r11", "memory");
}

#elif defined(__aarch64__)

__asm__(".text\n"
	".globl mxcrun_start\n"
	"mxcrun_start:\n\t"
	"mov x29, #0\n\t"
	"mov x30, #0\n\t"
	"bl start_prepare\n\t"
	"b _start\n");

static void populate(uintptr_t from, uintptr_t len, long how)
{
	register long x8 __asm__("x8") = SYS_madvise;
	register uintptr_t x0 __asm__("x0") = from;
	register uintptr_t x1 __asm__("x1") = len;
	register long x2 __asm__("x2") = how;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
}

#endif

static bool is_in_image_table(const uint64_t *place)
{
	return (const char *)place >= __start_image_tables && (const char *)place < __stop_image_tables;
}

/* An even word is the address of a place to relocate; an odd one is a bitmap of the 63 places that follow. */
static void relocate(uintptr_t base, Elf64_Dyn *dynamic)
{
	const uint64_t *word = 0, *end;
	Elf64_Dyn *size = 0;
	uint64_t *place = 0;

	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_RELR)
			word = (const uint64_t *)(base + dynamic->d_un.d_ptr);
		if (dynamic->d_tag == DT_RELRSZ)
			size = dynamic;
	}
	if (!word || !size)
		return;
	for (end = word + size->d_un.d_val / sizeof(*word); word < end; word++) {
		if (!(*word & 1)) {
			place = (uint64_t *)(base + *word);
			if (!is_in_image_table(place))
				*place += base;
			place++;
			continue;
		}
		for (uint64_t bits = place ? *word >> 1 : 0; bits; bits &= bits - 1)
			if (!is_in_image_table(place + __builtin_ctzll(bits)))
				place[__builtin_ctzll(bits)] += base;
		place += 63;
	}
	image_start = base;
	size->d_un.d_val = 0;	/* done: a C library that knows them finds none */
}

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

static uintptr_t next_page(uintptr_t address)
{
	return page_of(address + PAGE - 1);
}

/* With the first pages of the heap. The whole pages of image tables, which lie among the data, are not written to. */
static void populate_data(uintptr_t from)
{
	uintptr_t tables = next_page((uintptr_t)__start_image_tables), behind = page_of((uintptr_t)__stop_image_tables);
	uintptr_t to = (uintptr_t)alloc_first_populated();

	if (from < tables && tables < behind && behind < to) {
		populate(from, tables - from, POPULATE_WRITE);
		populate(tables, behind - tables, POPULATE_READ);
		from = behind;
	}
	populate(from, to - from, POPULATE_WRITE);
}

void start_prepare(void)
{
	uintptr_t stack = page_of((uintptr_t)__builtin_frame_address(0));
	const char *image = (const char *)&__ehdr_start;
	uintptr_t code = next_page((uintptr_t)etext), base;
	const Elf64_Phdr *part;

	/* before the headers are read, so that they are no fault of their own */
	populate((uintptr_t)image, code - (uintptr_t)image, POPULATE_READ);
	part = (const Elf64_Phdr *)(const void *)(image + __ehdr_start.e_phoff);
	base = __ehdr_start.e_type == ET_DYN ? (uintptr_t)image : 0;
	for (unsigned int i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t from = page_of(base + part[i].p_vaddr), to = next_page(base + part[i].p_vaddr + part[i].p_memsz);

		if (part[i].p_type != PT_LOAD || to <= code)
			continue;
		if (part[i].p_flags & PF_W)
			populate_data(from);
		else
			populate(from < code ? code : from, to - (from < code ? code : from), POPULATE_READ);
	}
	populate(stack - STACK_USED, STACK_USED, POPULATE_WRITE);
	for (unsigned int i = 0; i < __ehdr_start.e_phnum; i++)
		if (part[i].p_type == PT_DYNAMIC)
			relocate(base, (Elf64_Dyn *)(base + part[i].p_vaddr));
}

#ifdef STACK_USED_DEEPLY
void start_expect_deep_calls(void)
{
	uintptr_t stack = page_of((uintptr_t)__builtin_frame_address(0));

	populate(stack - STACK_USED_DEEPLY, STACK_USED_DEEPLY, POPULATE_WRITE);
}
#endif
