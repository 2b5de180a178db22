/* Records what goes over connections: bytes, a hex dump or events. */
#include "relay/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/call.h"
#include "net/conn_event.h"
#include "net/wait.h"

/* The indexes of a direction. */
enum { RECEIVED, SENT };

/* The longest value of a placeholder, with its NUL. */
#define VALUE 16
/* Data bytes of an event: they take at most 8 bytes each (base/json.h). */
#define EVENT_BYTES 960
/* The same for a line that a pipe accepts as a whole. */
#define PIPE_EVENT_BYTES 448
_Static_assert(PIPE_BUF >= 4096, "a line of PIPE_EVENT_BYTES fits");

static const char *const direction_names[] = {"received", "sent"};

static bool
is_stdout(const char *pattern)
{
	return pattern != NULL && strcmp(pattern, "-") == 0;
}

/* Whether the name contains a placeholder. */
static bool
has_placeholder(const char *pattern, char letter)
{
	if (pattern == NULL)
		return false;
	for (; (pattern = strchr(pattern, '%')) != NULL && pattern[1] != '\0';
	     pattern += 2)
		if (pattern[1] == letter)
			return true;
	return false;
}

static int
check_pattern(
    const char *option, const char *pattern, const char *letters, struct err *e)
{
	if (pattern == NULL)
		return 0;
	for (; (pattern = strchr(pattern, '%')) != NULL; pattern += 2)
		if (pattern[1] == '\0' || strchr(letters, pattern[1]) == NULL)
			return err_set(e, ERR_USAGE,
			    "%s: after %% there may be n (the number of the "
			    "connection)%s or another %%",
			    option,
			    strchr(letters, 'd') != NULL
				? ", d (received or sent)"
				: "");
	return 0;
}

static bool
is_file(const char *pattern)
{
	return pattern != NULL && !is_stdout(pattern);
}

int
recorder_check(const struct recorder_options *o, bool at_once, struct err *e)
{
	if (o->append && !is_file(o->output) && !is_file(o->hexdump))
		return err_set(e, ERR_USAGE,
		    "--append goes with a file of --output or --hexdump");
	if (check_pattern("--output", o->output, "nd%", e) < 0 ||
	    check_pattern("--hexdump", o->hexdump, "n%", e) < 0)
		return -1;
	if (o->output != NULL && at_once && !has_placeholder(o->output, 'n'))
		return err_set(e, ERR_USAGE,
		    "--output: the bytes of several connections would mix in "
		    "one file: put %%n, the number of the connection, into its "
		    "name (--hexdump needs no %%n)");
	return 0;
}

static const char *
format_name(const struct recorder_file *f, char *text, size_t size)
{
	if (is_stdout(f->pattern))
		return "stdout";
	return text_escape_string(text, size, f->path);
}

static int
file_error(const struct recorder_file *f, int errnum, struct err *e)
{
	char text[256];

	return err_sys(
	    e, ERR_OUTPUT, errnum, "%s", format_name(f, text, sizeof(text)));
}

/* The file's name with the values of the placeholders, which the caller
 * frees. */
static char *
make_path(const char *pattern, unsigned number, int direction)
{
	size_t size = strlen(pattern) / 2 * VALUE + strlen(pattern) + 1;
	char *path = mem_array(size, 1);

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%')
			text_append(path, size, "%c", *pattern);
		else if (*++pattern == 'n')
			text_append(path, size, "%u", number);
		else if (*pattern == 'd')
			text_append(
			    path, size, "%s", direction_names[direction]);
		else
			text_append(path, size, "%%");
	}
	return path;
}

/* Returns a copy of stdout, or -1 with *e. */
static int
open_stdout(struct err *e)
{
	int fd;

	if (!fd_is_writable(STDOUT_FILENO))
		return err_set(e, ERR_OUTPUT, "stdout is closed");
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, ERR_OUTPUT, errno, "stdout") : fd;
}

/* Opens a file. Returns 0, or -1 with *e. */
static int
open_file(const struct recorder *r, struct recorder_file *f, int direction,
    struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND;

	if (!r->options->append)
		flags |= O_TRUNC;
	f->path = make_path(f->pattern, r->number, direction);
	f->fd = is_stdout(f->pattern)
		    ? open_stdout(e)
		    : wait_open(f->path, flags, 0666, r->until, e);
	if (f->fd < 0)
		return -1;
	f->kind = fd_kind(f->fd);
	return 0;
}

/*
 * Opens the files that have the number of a connection in their name, or those
 * that have not. Returns 0, or -1 with *e.
 */
static int
open_files(struct recorder *r, bool own, struct err *e)
{
	struct recorder_file *const files[] = {
	    &r->output[RECEIVED], &r->output[SENT], &r->readable};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i]->pattern != NULL &&
		    has_placeholder(files[i]->pattern, 'n') == own &&
		    open_file(r, files[i], (int)i, e) < 0)
			return -1;
	return 0;
}

/* Waits until a file, such as a FIFO or a terminal, is writable. Returns 0, or
 * -1 with *r->e. */
static int
wait_file(const struct recorder *r, const struct recorder_file *f)
{
	struct deadline until = deadline_first(
	    r->until, deadline_limit(r->idle_ms, "--idle-timeout"));
	int ready = wait_fd(f->fd, POLLOUT, until);
	char text[256], what[320];

	if (ready > 0)
		return 0;
	format_name(f, text, sizeof(text));
	if (ready < 0)
		return err_sys(r->e, ERR_FAILED, errno, "writing %s", text);
	snprintf(
	    what, sizeof(what), "writing %s: its reader took nothing", text);
	return deadline_error(until, what, r->e);
}

/* Writes all n bytes within the time limits. Returns 0, or -1 with *r->e. */
static int
write_file(const struct recorder *r, const struct recorder_file *f,
    const char *bytes, size_t n)
{
	ssize_t done;

	if (f->kind == FD_TERMINAL)
		diag_progress_yield(bytes, n);
	while (n > 0) {
		done = call_write_nowait(f->fd, f->kind, bytes, n);
		if (done >= 0) {
			bytes += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			if (wait_file(r, f) < 0)
				return -1;
		} else if (errno != EINTR) {
			return file_error(f, errno, r->e);
		}
	}
	return 0;
}

static int
write_dump(void *context, const void *bytes, size_t n)
{
	const struct recorder *r = context;

	return write_file(r, &r->readable, bytes, n);
}

/* Whether only writes of at most PIPE_BUF bytes stay whole. */
static bool
needs_small_writes(const struct recorder *r)
{
	return r->has_several && r->readable.kind != FD_REGULAR &&
	       !has_placeholder(r->readable.pattern, 'n');
}

int
recorder_open(
    struct recorder *r, const struct recorder_options *o, struct err *e)
{
	r->options = o;
	r->start_ns = clock_now();
	r->is_on = o->output != NULL || o->hexdump != NULL;
	r->output[RECEIVED] =
	    (struct recorder_file){.pattern = o->output, .fd = -1};
	r->output[SENT] = (struct recorder_file){.fd = -1};
	r->readable = (struct recorder_file){.pattern = o->hexdump, .fd = -1};
	if (has_placeholder(o->output, 'd'))
		r->output[SENT].pattern = o->output;
	return open_files(r, false, e);
}

static int
begin_dump(struct recorder *r, const struct conn *c)
{
	char text[ADDR_TEXT];

	if (r->dump.text == NULL)
		hexdump_init(&r->dump,
		    needs_small_writes(r) ? PIPE_BUF : HEXDUMP_SIZE, write_dump,
		    r);
	r->dump.start_ns = r->start_ns;
	return hexdump_begin(&r->dump, r->has_several ? r->number : 0,
	    addr_format(&c->remote, text, sizeof(text)));
}

int
recorder_begin(struct recorder *r, const struct conn *c, struct err *e)
{
	r->e = e;
	memset(r->offsets, 0, sizeof(r->offsets));
	/* The only connection of connect has no number. */
	r->number = c->number == 0 ? 1 : c->number;
	if (open_files(r, true, e) < 0)
		return -1;
	if (r->readable.fd < 0 || diag_is_json())
		return 0;
	return begin_dump(r, c);
}

/* Writes a "data" event for each part. Returns 0, or -1 with *r->e. */
static int
add_events(struct recorder *r, int direction, const unsigned char *p, size_t n)
{
	size_t max = needs_small_writes(r) ? PIPE_EVENT_BYTES : EVENT_BYTES;
	char hex[2 * EVENT_BYTES + 1];
	size_t part, i;
	const char *line;
	struct json *j;

	do {
		part = n < max ? n : max;
		for (i = 0; i < part; i++) {
			hex[2 * i] = "0123456789abcdef"[p[i] >> 4];
			hex[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
		}
		hex[2 * part] = '\0';
		j = diag_event_begin("data");
		if (r->remote != NULL)
			addr_json(r->remote, j, "remote");
		json_text(j, "direction", direction_names[direction]);
		json_number(j, "offset", r->offsets[direction]);
		json_number(j, "bytes", part);
		json_text(j, "hex", hex);
		json_bytes(j, "text", p, part);
		r->offsets[direction] += part;
		line = json_end(j);
		if (write_file(r, &r->readable, line, strlen(line)) < 0)
			return -1;
		n -= part;
		p += part;
	} while (n > 0);
	return 0;
}

int
recorder_add(
    void *context, bool sent, const void *bytes, size_t n, struct err *e)
{
	struct recorder *r = context;
	int direction = sent ? SENT : RECEIVED;

	r->e = e;
	if (r->output[direction].fd >= 0 &&
	    write_file(r, &r->output[direction], bytes, n) < 0)
		return -1;
	if (r->readable.fd < 0)
		return 0;
	if (diag_is_json())
		return add_events(r, direction, bytes, n);
	return hexdump_add(
	    &r->dump, sent ? HEXDUMP_SENT : HEXDUMP_RECEIVED, bytes, n);
}

int
recorder_add_datagram(
    struct recorder *r, const struct recorder_datagram *d, struct err *e)
{
	int direction = d->is_sent ? SENT : RECEIVED;
	char peer[ADDR_TEXT];

	r->e = e;
	if (r->readable.fd < 0)
		return 0;
	r->remote = d->remote;
	r->offsets[direction] = 0;
	if (diag_is_json())
		return add_events(r, direction, d->bytes, d->length);
	r->dump.peer = addr_format(d->remote, peer, sizeof(peer));
	return hexdump_add_datagram(&r->dump,
	    d->is_sent ? HEXDUMP_SENT : HEXDUMP_RECEIVED, d->bytes, d->length);
}

/* Closes a file if it is open. Returns as recorder_close(). */
static int
close_file(struct recorder_file *f, int result, struct err *e)
{
	if (f->fd >= 0 && close(f->fd) < 0 && result == 0)
		result = file_error(f, errno, e);
	f->fd = -1;
	free(f->path);
	f->path = NULL;
	return result;
}

static int
close_files(struct recorder *r, bool all, int result, struct err *e)
{
	struct recorder_file *const files[] = {
	    &r->output[RECEIVED], &r->output[SENT], &r->readable};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (all || has_placeholder(files[i]->pattern, 'n'))
			result = close_file(files[i], result, e);
	return result;
}

int
recorder_end(struct recorder *r, int result, struct err *e)
{
	return close_files(r, false, result, e);
}

int
recorder_close(struct recorder *r, int result, struct err *e)
{
	if (r->options == NULL)
		return result;
	hexdump_release(&r->dump);
	return close_files(r, true, result, e);
}
