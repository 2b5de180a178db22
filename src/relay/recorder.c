/* Records the data of connections: bytes, dumps or events. */
#include "relay/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/link.h"
#include "net/sock.h"
#include "net/wait.h"

/* The longest value of a placeholder, with its NUL. */
#define VALUE 16
/* A hex dump's bytes per line, the longest line, and the longest first line of
 * a piece; the longest text of a byte, a newline. */
#define COLUMNS 16
#define LINE 88
#define FIRST_LINE 160
#define TEXT_BYTE 5
/* The longest write of a dump: a piece of 128 KiB. */
#define DUMP_SIZE (708 * 1024)
/* Data bytes of an event: they take at most 8 bytes each (base/json.h). */
#define EVENT_BYTES 960
/* Data bytes of an event that a pipe accepts as a whole. */
#define PIPE_EVENT_BYTES 448
_Static_assert(PIPE_BUF >= 4096, "a line of PIPE_EVENT_BYTES fits");

static const char *const direction_names[] = {"received", "sent"};
static const char hex_digits[] = "0123456789abcdef";

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

static bool
is_file(const char *pattern)
{
	return pattern != NULL && strcmp(pattern, "-") != 0;
}

/* The file's name with the values of the placeholders, which the caller frees,
 * or NULL if one is unknown. */
static char *
make_path(const char *pattern, unsigned number, int file)
{
	size_t size = strlen(pattern) / 2 * VALUE + strlen(pattern) + 1;
	char *path = mem_array(size, 1);

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%' || *++pattern == '%') {
			text_append(path, size, "%c", *pattern);
		} else if (*pattern == 'n') {
			text_append(path, size, "%u", number);
		} else if (*pattern == 'd' && file <= RECORDER_SENT) {
			text_append(path, size, "%s", direction_names[file]);
		} else {
			free(path);
			return NULL;
		}
	}
	return path;
}

/* The name of a file as given; NULL: none. */
static const char *
find_pattern(const struct recorder_options *o, int file)
{
	const char *const patterns[] = {[RECORDER_RECEIVED] = o->output,
	    [RECORDER_SENT] =
		has_placeholder(o->output, 'd') ? o->output : NULL,
	    [RECORDER_HEX] = o->hexdump,
	    [RECORDER_TEXT] = o->textdump};

	return patterns[file];
}

static int
check_path(const char *path, enum err_kind kind, struct err *e)
{
	bool is_stdout = !is_file(path);

	if (is_stdout && sock_check_standard(STDOUT_FILENO, e) < 0)
		return -1;
	if (fd_is_input(is_stdout ? NULL : path, STDOUT_FILENO))
		return err_set(e, kind, FD_INPUT_ERROR,
		    is_stdout ? "stdout" : text_shown(path));
	return 0;
}

int
recorder_check(const struct recorder_options *o, bool at_once, struct err *e)
{
	static const char *const options[] = {
	    "--output", "--output", "--hexdump", "--textdump"};
	const char *pattern;
	char *path;
	int i, result = 0;

	if (o->append && !is_file(o->output) && !is_file(o->hexdump) &&
	    !is_file(o->textdump))
		return err_set(e, ERR_USAGE,
		    "--append goes with a file of --output, --hexdump or "
		    "--textdump");
	if (o->output != NULL && at_once && !has_placeholder(o->output, 'n'))
		return err_set(e, ERR_USAGE,
		    "--output: the bytes of several connections would mix in "
		    "one file: put %%n, the number of the connection, into its "
		    "name (--hexdump needs no %%n)");
	for (i = 0; i < RECORDER_FILES && result == 0; i++) {
		pattern = find_pattern(o, i);
		if (pattern == NULL)
			continue;
		path = make_path(pattern, 1, i);
		if (path == NULL)
			return err_set(e, ERR_USAGE,
			    "%s: after %% there may be n (the number of the "
			    "connection)%s or another %%",
			    options[i],
			    i > RECORDER_SENT ? "" : ", d (received or sent)");
		result = check_path(path, ERR_USAGE, e);
		free(path);
	}
	return result;
}

/* Opens the files that are named for a connection (own), or the others. Returns
 * 0, or -1 with *e. */
static int
open_files(struct recorder *r, bool own, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND, fd, i;
	const char *pattern, *name;
	char *path;

	if (!r->options->append)
		flags |= O_TRUNC;
	for (i = 0; i < RECORDER_FILES; i++) {
		pattern = find_pattern(r->options, i);
		if (pattern == NULL || has_placeholder(pattern, 'n') != own)
			continue;
		path = make_path(pattern, r->number, i);
		fd = check_path(path, ERR_OUTPUT, e) < 0
			 ? -1
			 : wait_open(path, flags, 0666, r->until, e);
		name = is_file(pattern) ? text_shown(path) : "stdout";
		if (fd >= 0)
			sink_init(&r->files[i], fd, mem_text(name), false);
		free(path);
		if (fd < 0)
			return -1;
	}
	return 0;
}

/* Writes all n bytes within the time limits. Returns 0, or -1 with *e. */
static int
write_file(
    struct recorder *r, int file, const void *bytes, size_t n, struct err *e)
{
	struct deadline until = deadline_first(
	    r->until, deadline_limit(r->idle.ms, r->idle.option));
	int result = sink_write(&r->files[file], bytes, n, until, e);

	/* A reader that closes its end is normal only for stdout. */
	if (result < 0 && e->errnum == EPIPE &&
	    is_file(find_pattern(r->options, file)))
		e->errnum = 0;
	return result;
}

int
recorder_open(
    struct recorder *r, const struct recorder_options *o, struct err *e)
{
	int i;

	r->options = o;
	r->start_ns = clock_now();
	r->is_on =
	    o->output != NULL || o->hexdump != NULL || o->textdump != NULL;
	if (o->hexdump != NULL || o->textdump != NULL)
		r->text = mem_array(DUMP_SIZE + 1, 1);
	for (i = 0; i < RECORDER_FILES; i++)
		r->files[i].fd = -1;
	return open_files(r, false, e);
}

static double
seconds(const struct recorder *r)
{
	return clock_seconds(r->start_ns, clock_now());
}

int
recorder_begin(struct recorder *r, const struct link *c, struct err *e)
{
	const char *line;
	int i;

	memset(r->offsets, 0, sizeof(r->offsets));
	/* The only connection of connect has no number. */
	r->number = c == NULL || c->number == 0 ? 1 : c->number;
	if (!r->has_several)
		r->start_ns = clock_now();
	if (open_files(r, true, e) < 0)
		return -1;
	if (diag_is_json() || !r->has_several)
		return 0;
	for (i = RECORDER_HEX; i <= RECORDER_TEXT; i++) {
		line = text_format("= connection %u from %s at %.6f s\n",
		    r->number, addr_text(&c->remote), seconds(r));
		if (write_file(r, i, line, strlen(line), e) < 0)
			return -1;
	}
	return 0;
}

/* Writes "00000010  48 65 6c 6c 6f ...  |Hello|", and returns the end. */
static char *
put_hex_line(char *out, uint64_t offset, const unsigned char *p, size_t n)
{
	char *end;
	size_t i;

	out += snprintf(out, LINE, "%08llx ", (unsigned long long)offset);
	end = out + COLUMNS * 3 + 1;
	for (i = 0; i < n; i++) {
		if (i == COLUMNS / 2)
			*out++ = ' ';
		*out++ = ' ';
		*out++ = hex_digits[p[i] >> 4];
		*out++ = hex_digits[p[i] & 15];
	}
	memset(out, ' ', (size_t)(end - out) + 2);
	out = end + 2;
	*out++ = '|';
	for (i = 0; i < n; i++)
		*out++ = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
	*out++ = '|';
	*out++ = '\n';
	return out;
}

/* Writes the lines of n bytes at an offset, and returns the end. One of text is
 * "  GET / HTTP/1.0\r\n"; without \n it goes on in the next piece. */
static char *
put_lines(
    char *out, bool is_hex, uint64_t offset, const unsigned char *p, size_t n)
{
	const unsigned char *newline;
	size_t line;

	for (; n > 0; n -= line, p += line, offset += line) {
		if (is_hex) {
			line = n < COLUMNS ? n : COLUMNS;
			out = put_hex_line(out, offset, p, line);
			continue;
		}
		newline = memchr(p, '\n', n);
		line = newline == NULL ? n : (size_t)(newline - p) + 1;
		*out++ = ' ';
		*out++ = ' ';
		text_escape(out, TEXT_BYTE * line + 8, p, line);
		out += strlen(out);
		*out++ = '\n';
	}
	return out;
}

/* A part of a dump: a line that describes it, and its bytes. */
static const char *
make_dump(struct recorder *r, bool is_hex, bool is_sent, uint64_t offset,
    const unsigned char *p, size_t n)
{
	const char *first;

	/* Only the start of a long Unix path is shown. */
	if (r->remote.len != 0)
		first = text_format("%s %.100s at %.6f s: %s\n",
		    is_sent ? "> sent to" : "< received from",
		    addr_text(&r->remote), seconds(r),
		    num_count_text(n, "byte"));
	else
		first = text_format("%s%s at %.6f s: %s from offset %llu\n",
		    is_sent ? "> sent" : "< received",
		    r->has_several ? text_format(" on connection %u", r->number)
				   : "",
		    seconds(r), num_count_text(n, "byte"),
		    (unsigned long long)offset);
	strcpy(r->text, first);
	*put_lines(r->text + strlen(first), is_hex, offset, p, n) = '\0';
	return r->text;
}

static const char *
make_event(struct recorder *r, int direction, uint64_t offset,
    const unsigned char *p, size_t n)
{
	char hex[2 * EVENT_BYTES + 1];
	struct json *j;
	size_t i;

	for (i = 0; i < n; i++) {
		hex[2 * i] = hex_digits[p[i] >> 4];
		hex[2 * i + 1] = hex_digits[p[i] & 15];
	}
	hex[2 * n] = '\0';
	j = diag_event_begin("data");
	if (r->remote.len != 0)
		addr_json(&r->remote, j, "remote");
	json_text(j, "direction", direction_names[direction]);
	json_number(j, "offset", offset);
	json_number(j, "bytes", n);
	json_text(j, "hex", hex);
	json_bytes(j, "text", p, n);
	return json_end(j);
}

/* The largest part of a dump. If other processes also write to the pipe, only
 * writes of at most PIPE_BUF bytes stay whole. */
static size_t
max_part(const struct recorder *r, int file)
{
	bool is_shared = r->has_several && r->files[file].kind != FD_REGULAR &&
			 !has_placeholder(find_pattern(r->options, file), 'n');
	size_t size = (is_shared ? PIPE_BUF : DUMP_SIZE) - FIRST_LINE;

	if (diag_is_json())
		return is_shared ? PIPE_EVENT_BYTES : EVENT_BYTES;
	return file == RECORDER_HEX ? size / LINE * COLUMNS
				    : (size - 8) / TEXT_BYTE;
}

int
recorder_add(struct recorder *r, bool sent, const struct addr *remote,
    const void *bytes, size_t n, struct err *e)
{
	int direction = sent ? RECORDER_SENT : RECORDER_RECEIVED, file;
	uint64_t offset = remote == NULL ? r->offsets[direction] : 0;
	const unsigned char *p = bytes;
	size_t max, done, part;
	const char *text;

	r->offsets[direction] = offset + n;
	r->remote.len = 0;
	if (remote != NULL) {
		r->remote = *remote;
		addr_unmap(&r->remote);
	} else if (write_file(r, direction, p, n, e) < 0) {
		return -1;
	}
	for (file = RECORDER_HEX; file <= RECORDER_TEXT; file++) {
		if (r->files[file].fd < 0)
			continue;
		max = max_part(r, file);
		done = 0;
		/* Each part is one write(2). */
		do {
			part = n - done < max ? n - done : max;
			text = diag_is_json()
				   ? make_event(r, direction, offset + done,
					 p + done, part)
				   : make_dump(r, file == RECORDER_HEX, sent,
					 offset + done, p + done, part);
			if (write_file(r, file, text, strlen(text), e) < 0)
				return -1;
			done += part;
		} while (done < n);
	}
	return 0;
}

int
recorder_close(struct recorder *r, bool all, int result, struct err *e)
{
	struct sink *f;
	int i;

	for (i = 0; r->options != NULL && i < RECORDER_FILES; i++) {
		f = &r->files[i];
		if (f->fd < 0 ||
		    (!all &&
			!has_placeholder(find_pattern(r->options, i), 'n')))
			continue;
		if (close(f->fd) < 0 && result == 0)
			result = err_sys(e, ERR_OUTPUT, errno, "%s", f->name);
		f->fd = -1;
		free((void *)f->name);
	}
	if (all) {
		free(r->text);
		r->text = NULL;
	}
	return result;
}
