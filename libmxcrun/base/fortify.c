/* fortify.c - the checked functions of another C library, for a program that is made with musl.
 *
 * libseccomp comes as an archive that was compiled with _FORTIFY_SOURCE for glibc, so it calls these. The check
 * is the same: what would write beyond the object ends the program.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__memcpy_chk(void *to, const void *from, size_t len, size_t size);
int __snprintf_chk(char *buf, size_t len, int flag, size_t size, const char *format, ...);
int __sprintf_chk(char *buf, int flag, size_t size, const char *format, ...);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);

void *__memcpy_chk(void *to, const void *from, size_t len, size_t size)
{
	if (len > size)
		abort();
	return memcpy(to, from, len);
}

int __snprintf_chk(char *buf, size_t len, int flag, size_t size, const char *format, ...)
{
	va_list arguments;
	int n;

	(void)flag;
	if (len > size)
		abort();
	va_start(arguments, format);
	n = vsnprintf(buf, len, format, arguments);
	va_end(arguments);
	return n;
}

int __sprintf_chk(char *buf, int flag, size_t size, const char *format, ...)
{
	va_list arguments;
	int n;

	(void)flag;
	va_start(arguments, format);
	n = vsnprintf(buf, size, format, arguments);
	va_end(arguments);
	if (n >= 0 && (size_t)n >= size)
		abort();
	return n;
}

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
	va_list arguments;
	int n;

	(void)flag;
	va_start(arguments, format);
	n = vfprintf(stream, format, arguments);
	va_end(arguments);
	return n;
}
