/* print.c - a bwrap command as text. */
#include <linux/filter.h>
#include <stdio.h>

#include "base/json.h"
#include "engine/bwrap/emit.h"
#include "engine/words.h"

void bwrap_print_shell(const struct bwrap_command *command, const char *folder, struct strbuf *out)
{
	words_put_shell(out, command->argv, command->count);
	for (size_t i = 0; i < command->descriptor_count; i++) {
		const struct bwrap_descriptor *descriptor = &command->descriptors[i];
		cleanup_strbuf struct strbuf path = STRBUF_INIT;

		if (!descriptor->data)
			strbuf_puts(&path, "/dev/null");
		else
			strbuf_printf(&path, "%s%s" BWRAP_SECCOMP_FILE, folder ? folder : "", folder ? "/" : "");
		out->failed |= path.failed;
		strbuf_printf(out, " %d<", descriptor->number);
		words_put_quoted(out, strbuf_str(&path));
	}
	strbuf_putc(out, '\n');
}

/* Sixteen hex digits an instruction, as the printed plan has them. */
static void put_program(struct json_writer *w, const struct bwrap_descriptor *descriptor)
{
	const struct sock_filter *program = descriptor->data;

	json_open(w, "program", '[');
	for (size_t i = 0; i < descriptor->length / sizeof(*program); i++) {
		char text[17];

		snprintf(text, sizeof(text), "%04x%02x%02x%08x", program[i].code, program[i].jt, program[i].jf, program[i].k);
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
}

void bwrap_print_json(const struct bwrap_command *command, struct strbuf *out)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	json_open(&w, "argv", '[');
	for (size_t i = 0; i < command->count; i++)
		json_put_string(&w, NULL, command->argv[i]);
	json_close(&w, ']');
	json_open(&w, "descriptors", '[');
	for (size_t i = 0; i < command->descriptor_count; i++) {
		const struct bwrap_descriptor *descriptor = &command->descriptors[i];

		json_open(&w, NULL, '{');
		json_put_i64(&w, "number", descriptor->number);
		json_put_string(&w, "content", descriptor->data ? "seccomp program" : "nothing");
		if (descriptor->data)
			put_program(&w, descriptor);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	out->failed |= w.out.failed;
	strbuf_puts(out, strbuf_str(&w.out));
	strbuf_putc(out, '\n');
}

void bwrap_print_nul(const struct bwrap_command *command, struct strbuf *out)
{
	words_put_nul(out, command->argv, command->count);
}
