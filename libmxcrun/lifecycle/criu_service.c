/* criu_service.c - the criu program by its service protocol (`criu swrk`), for what its command line can't do.
 *
 * One request, then its notifications, each of which waits for our answer, then the response. The messages are protocol buffers
 * (rpc.proto, installed with criu's headers), one a packet. Only what the protocol alone can say goes in the request itself;
 * all options are in a configuration file that it names, in the words of the command line.
 */

#include "lifecycle/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/sys.h"

#define MESSAGE_MAX 8192u
#define CONFIG_MAX (1u << 20)
#define LOG_LEVEL 4u

/* Of rpc.proto. */
enum { REQUEST_DUMP = 1, REQUEST_RESTORE = 2, REQUEST_NOTIFY = 6 };
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFY_SUCCESS = 3 };
enum {
	OPTION_IMAGES_FD = 1, OPTION_PID = 2, OPTION_LOG_LEVEL = 9, OPTION_LOG_FILE = 10, OPTION_NOTIFY = 12, OPTION_WORK_FD = 17,
	OPTION_CGROUPS = 34, OPTION_ORPHAN_TERMINAL = 50, OPTION_CONFIG = 51,
};
enum { RESPONSE_TYPE = 1, RESPONSE_SUCCESS = 2, RESPONSE_RESTORE = 4, RESPONSE_NOTIFY = 5 };
enum { RESTORE_PID = 1 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };

/* ---- protocol buffers ---- */

enum { WIRE_NUMBER = 0, WIRE_8_BYTES = 1, WIRE_BYTES = 2, WIRE_4_BYTES = 5 };

static void put_number(struct strbuf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		strbuf_putc(out, (char)(value | 0x80));
	strbuf_putc(out, (char)value);
}

/* WIRE_NUMBER is 0. */
static void put_field(struct strbuf *out, unsigned int field, uint64_t value)
{
	put_number(out, (uint64_t)field << 3);
	put_number(out, value);
}

static void put_bytes(struct strbuf *out, unsigned int field, const void *data, size_t len)
{
	put_number(out, (uint64_t)field << 3 | WIRE_BYTES);
	put_number(out, len);
	strbuf_add(out, data, len);
}

struct reader {
	const unsigned char *at, *end;
};

struct wire_field {
	unsigned int number;
	uint64_t value;	      /* WIRE_NUMBER */
	struct reader bytes;  /* WIRE_BYTES */
};

static bool get_number(struct reader *in, uint64_t *ret)
{
	*ret = 0;
	for (unsigned int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		unsigned char byte = *in->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool get_bytes(struct reader *in, uint64_t len, struct reader *ret)
{
	if (len > (uint64_t)(in->end - in->at))
		return false;
	*ret = (struct reader){ in->at, in->at + len };
	in->at += len;
	return true;
}

/* The next field; false at the end, and where it is no message: then at is not end. */
static bool get_field(struct reader *in, struct wire_field *ret)
{
	uint64_t key;
	struct reader start = *in;
	bool ok;

	*ret = (struct wire_field){ 0 };
	if (in->at == in->end || !get_number(in, &key))
		return false;
	ret->number = (unsigned int)(key >> 3);
	switch (key & 7) {
	case WIRE_NUMBER:
		ok = get_number(in, &ret->value);
		break;
	case WIRE_BYTES:
		ok = get_number(in, &ret->value) && get_bytes(in, ret->value, &ret->bytes);
		break;
	case WIRE_8_BYTES:
		ok = get_bytes(in, 8, &ret->bytes);
		break;
	case WIRE_4_BYTES:
		ok = get_bytes(in, 4, &ret->bytes);
		break;
	default:
		ok = false;
	}
	if (!ok)
		*in = start;
	return ok;
}

struct response {
	unsigned int type;
	bool success;
	pid_t pid; /* restored, or whom the notification is about */
	char script[64];
	int fd; /* came with it, -1: none */
};

static void parse_inner(struct response *response, struct reader in, bool is_notification)
{
	struct wire_field field;

	while (get_field(&in, &field)) {
		size_t len = (size_t)(field.bytes.end - field.bytes.at);

		if (field.number == (is_notification ? (unsigned int)NOTIFY_PID : (unsigned int)RESTORE_PID) && !field.bytes.at)
			response->pid = (pid_t)field.value;
		else if (is_notification && field.number == NOTIFY_SCRIPT && field.bytes.at && len < sizeof(response->script))
			memcpy(response->script, field.bytes.at, len);
	}
}

static int parse_response(struct response *response, struct reader in)
{
	struct wire_field field;

	while (get_field(&in, &field)) {
		if (field.number == RESPONSE_TYPE)
			response->type = (unsigned int)field.value;
		else if (field.number == RESPONSE_SUCCESS)
			response->success = field.value != 0;
		else if ((field.number == RESPONSE_RESTORE || field.number == RESPONSE_NOTIFY) && field.bytes.at)
			parse_inner(response, field.bytes, field.number == RESPONSE_NOTIFY);
	}
	return in.at == in.end ? 0 : -EPROTO;
}

/* ---- messages ---- */

/* 0 when criu has closed its end, 1 with a response, -errno. */
static int receive(int socket_fd, struct response *ret)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	unsigned char data[MESSAGE_MAX];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	ssize_t len;
	int r;

	*ret = (struct response){ .fd = -1 };
	do
		len = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len <= 0)
		return len < 0 && errno != ECONNRESET ? -errno : 0;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&ret->fd, CMSG_DATA(header), sizeof(ret->fd));
	r = (message.msg_flags & MSG_TRUNC) ? -EMSGSIZE : parse_response(ret, (struct reader){ data, data + len });
	if (r < 0)
		fd_close_ptr(&ret->fd);
	return r < 0 ? r : 1;
}

static int send_message(int socket_fd, struct strbuf *message, struct err **err)
{
	if (message->failed)
		return err_nomem(err);
	if (send(socket_fd, message->data, message->len, MSG_NOSIGNAL) != (ssize_t)message->len)
		return err_sys(err, E_PROCESS, errno, "send", "criu", NULL);
	return 0;
}

/* ---- the request ---- */

#define CGROUPS_WORD "--manage-cgroups="

/* The one option whose value in a configuration file criu does not see: on the command line it may have none. */
static int cgroups_mode(const struct criu *criu, uint64_t *ret, struct err **err)
{
	static const char *const modes[] = { "ignore", "none", "props", "soft", "full", "strict" }; /* by rpc.proto's numbers */

	for (size_t i = criu->first_option; i < criu->count; i++) {
		if (strncmp(criu->words[i], CGROUPS_WORD, strlen(CGROUPS_WORD)) != 0)
			continue;
		for (*ret = 0; *ret < array_size(modes); ++*ret)
			if (!strcmp(criu->words[i] + strlen(CGROUPS_WORD), modes[*ret]))
				return 0;
		return err_set(err, E_USAGE, 0, NULL, "--manage-cgroups-mode: criu has no mode \"%.32s\"",
			       criu->words[i] + strlen(CGROUPS_WORD));
	}
	return 0;
}

/* "--name=value" and "--name" as a line; criu takes a value in quotes with backslashes in it. */
static void put_option(struct strbuf *out, const char *word)
{
	const char *name = word + 2, *value = strchr(name, '=');

	if (!value) {
		strbuf_printf(out, "%s\n", name);
		return;
	}
	strbuf_printf(out, "%.*s \"", (int)(value - name), name);
	while (*++value) {
		if (*value == '"' || *value == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *value);
	}
	strbuf_puts(out, "\"\n");
}

static int write_config(const struct criu *criu, int *ret_fd, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *own = NULL;
	size_t len = 0;
	int r = criu->config ? fd_read_file(AT_FDCWD, criu->config, CONFIG_MAX, &own, &len) : 0;

	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", criu->config, "/annotations/org.criu.config");
	for (size_t i = criu->first_option; i < criu->count; i++) {
		if (strchr(criu->words[i], '\n'))
			return err_set(err, E_UNSUPPORTED, 0, NULL, "a path with a line break can't be told to criu");
		if (strncmp(criu->words[i], CGROUPS_WORD, strlen(CGROUPS_WORD)) != 0)
			put_option(&text, criu->words[i]);
	}
	strbuf_add(&text, own ? own : "", len);
	if (text.failed)
		return err_nomem(err);
	*ret_fd = sys_memfd_create("criu.conf", MFD_CLOEXEC);
	r = *ret_fd < 0 ? -errno : fd_write_all(*ret_fd, text.data, text.len);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "write", "criu.conf", NULL) : 0;
}

/* Descriptors that criu opens through our /proc/PID/fd: it knows the other end of its socket. */
struct places {
	int images_fd, work_fd, config_fd;
};

static void places_done(struct places *places)
{
	fd_close_ptr(&places->images_fd);
	fd_close_ptr(&places->work_fd);
	fd_close_ptr(&places->config_fd);
}
#define cleanup_places __attribute__((cleanup(places_done)))

static int open_directory(const char *path, int *ret_fd, struct err **err)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(err, E_RECORD, errno, "open", path, NULL) : 0;
}

static int send_request(const struct criu *criu, const struct criu_service *service, const struct places *places, int socket_fd,
			struct err **err)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT, message = STRBUF_INIT;
	char config[64];
	uint64_t mode = 0;
	int r = cgroups_mode(criu, &mode, err);

	if (r < 0)
		return r;
	snprintf(config, sizeof(config), "/proc/%d/fd/%d", (int)getpid(), places->config_fd);
	put_field(&options, OPTION_IMAGES_FD, (uint64_t)places->images_fd);
	if (service->tree)
		put_field(&options, OPTION_PID, (uint64_t)service->tree);
	else
		put_field(&options, OPTION_NOTIFY, 1);
	put_field(&options, OPTION_LOG_LEVEL, LOG_LEVEL);
	put_bytes(&options, OPTION_LOG_FILE, criu->log_name, strlen(criu->log_name));
	put_field(&options, OPTION_WORK_FD, (uint64_t)places->work_fd);
	put_field(&options, OPTION_CGROUPS, mode);
	put_field(&options, OPTION_ORPHAN_TERMINAL, 1);
	put_bytes(&options, OPTION_CONFIG, config, strlen(config));
	if (options.failed)
		return err_nomem(err);
	put_field(&message, REQUEST_TYPE, service->tree ? REQUEST_DUMP : REQUEST_RESTORE);
	put_bytes(&message, REQUEST_OPTIONS, options.data, options.len);
	return send_message(socket_fd, &message, err);
}

/* ---- the conversation ---- */

static int answer(int socket_fd, bool success, struct err **err)
{
	cleanup_strbuf struct strbuf message = STRBUF_INIT;

	put_field(&message, REQUEST_TYPE, REQUEST_NOTIFY);
	put_field(&message, REQUEST_NOTIFY_SUCCESS, success);
	return send_message(socket_fd, &message, err);
}

static int be_notified(struct criu_service *service, int socket_fd, struct response *response, struct err **err)
{
	int r = 0;

	if (!strcmp(response->script, "orphan-pts-master") && response->fd >= 0 && service->terminal_fd < 0)
		service->terminal_fd = take_fd(response->fd);
	else if (!strcmp(response->script, "setup-namespaces") && service->on_namespaces)
		r = service->on_namespaces(service->data, response->pid, err);
	if (r == 0)
		return answer(socket_fd, true, err);
	/* it waits for the answer; ours is the error that counts */
	(void)answer(socket_fd, false, NULL);
	return r;
}

/* 1: done, 0: criu has failed and says why in its log, -errno: we have. */
static int converse(struct criu_service *service, int socket_fd, struct err **err)
{
	for (;;) {
		struct response response;
		int r = receive(socket_fd, &response);

		if (r < 0)
			return err_sys(err, E_PROCESS, -r, "recvmsg", "criu", NULL);
		if (r == 0)
			return 0;
		if (response.type == REQUEST_NOTIFY) {
			r = be_notified(service, socket_fd, &response, err);
			fd_close_ptr(&response.fd);
			if (r < 0)
				return r;
			continue;
		}
		fd_close_ptr(&response.fd);
		service->pid = response.pid;
		return response.success;
	}
}

/* The end that criu inherits has no close-on-exec. */
static int make_socket(int *ret_own_fd, int *ret_criu_fd, struct err **err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, E_PROCESS, errno, "socketpair", "criu", NULL);
	*ret_own_fd = ends[0];
	*ret_criu_fd = ends[1];
	return fcntl(ends[1], F_SETFD, 0) < 0 ? err_sys(err, E_PROCESS, errno, "fcntl", "criu", NULL) : 0;
}

int criu_serve(struct criu *criu, const struct cgroup *cgroup, struct criu_service *service, struct err **err)
{
	cleanup_places struct places places = { -1, -1, -1 };
	cleanup_close int own_fd = -1, criu_fd = -1;
	char number[16];
	const char *const argv[] = { criu->words[0], "swrk", number, NULL };
	pid_t pid;
	int status, r = criu->failed ? err_nomem(err) : write_config(criu, &places.config_fd, err);

	service->terminal_fd = -1;
	if (r == 0)
		r = open_directory(criu->images, &places.images_fd, err);
	if (r == 0)
		r = open_directory(criu->work, &places.work_fd, err);
	if (r == 0)
		r = make_socket(&own_fd, &criu_fd, err);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%d", criu_fd);
	r = criu_start(argv, cgroup, -1, &pid, err);
	if (r < 0)
		return r;
	fd_close_ptr(&criu_fd);
	r = send_request(criu, service, &places, own_fd, err);
	if (r == 0)
		r = converse(service, own_fd, err);
	fd_close_ptr(&own_fd);
	status = criu_wait(pid, r < 0 ? NULL : err);
	if (r < 0 || status < 0)
		return r < 0 ? r : status;
	return r == 1 && status == 0 ? 0 : criu_failed(criu, criu->words[1], err);
}
