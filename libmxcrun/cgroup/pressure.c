/* pressure.c - see pressure.h. The averages are per cent with two decimals, which are kept as they are written. */
#include "cgroup/pressure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_average(struct json_writer *w, const char *key, const char *text)
{
	const struct json number = { .type = JSON_NUMBER, .text = text, .len = (uint32_t)strlen(text) };

	json_put_json(w, key, &number);
}

static void put_line(const char *line, struct json_writer *w)
{
	char name[8], avg10[16], avg60[16], avg300[16];
	uint64_t total;

	if (sscanf(line, "%7[a-z] avg10=%15[0-9.] avg60=%15[0-9.] avg300=%15[0-9.] total=%" SCNu64, name, avg10, avg60,
		   avg300, &total) != 5)
		return;
	json_open(w, name, '{');
	put_average(w, "avg10", avg10);
	put_average(w, "avg60", avg60);
	put_average(w, "avg300", avg300);
	json_put_u64(w, "total", total);
	json_close(w, '}');
}

void pressure_put(const char *text, struct json_writer *w)
{
	json_open(w, "psi", '{');
	for (; text; text = strchr(text, '\n'), text += text != NULL)
		put_line(text, w);
	json_close(w, '}');
}
