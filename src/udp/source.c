/* Messages to be sent: arguments, lines, blocks or a whole file. */
#include "udp/source.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/sock.h"

/* Space for several of the longest messages. */
#define QUEUE_SIZE (512 * 1024)
/* The maximum payload of UDP: its length field minus its header (RFC 768). */
#define MAX_LENGTH 65527
/* The maximum length of a byte as text: "\x00", or "00 " and a newline. */
#define MAX_BYTE_TEXT 4

/* Converts text in place, and sets *length. Returns 0, or -1 with *e. */
static int
convert(
    const struct source *s, unsigned char *text, size_t *length, struct err *e)
{
	ssize_t n = (ssize_t)*length;

	if (s->format == SOURCE_HEX)
		n = literal_parse_hex(text, text, *length, e);
	else if (s->format == SOURCE_ESCAPES)
		n = literal_unescape(text, text, *length, e);
	*length = (size_t)n;
	return n < 0 ? -1 : 0;
}

int
source_start(struct source *s, struct err *e)
{
	unsigned char *bytes;
	int i;

	if (s->kind != SOURCE_ARGUMENTS) {
		s->fd_kind = sock_kind(s->fd);
		buf_init(&s->queue, mem_buffer(QUEUE_SIZE), QUEUE_SIZE);
		return 0;
	}
	s->lengths = mem_array((size_t)s->argument_count, sizeof(size_t));
	for (i = 0; i < s->argument_count; i++) {
		bytes = (unsigned char *)s->arguments[i];
		s->lengths[i] = strlen(s->arguments[i]);
		if (convert(s, bytes, &s->lengths[i], e) < 0)
			return err_prefix(e, "message %d", i + 1);
	}
	return 0;
}

static enum source_next
too_long(const struct source *s, struct err *e)
{
	err_set(e, ERR_USAGE,
	    "%s of stdin is too long for a datagram, which carries %d bytes "
	    "at most",
	    s->kind == SOURCE_LINES ? "a line" : "all", MAX_LENGTH);
	e->errnum = EMSGSIZE;
	return SOURCE_ERROR;
}

/*
 * Whether the *length bytes at front have the end of a message. Sets *length to
 * the length of the message, and *used to the bytes of the queue that it
 * occupies.
 */
static bool
find_end(const struct source *s, const unsigned char *front, size_t *length,
    size_t *used)
{
	const unsigned char *lf;

	*used = *length;
	switch (s->kind) {
	case SOURCE_LINES:
		lf = memchr(front, '\n', *length);
		if (lf == NULL)
			return false;
		*used = (size_t)(lf - front) + 1;
		*length = s->keeps_newline ? *used : *used - 1;
		return true;
	case SOURCE_BLOCKS:
		if (*length < (size_t)s->block_size)
			return false;
		*length = *used = (size_t)s->block_size;
		return true;
	default:
		*used = 0;
		return s->fd < 0;
	}
}

enum source_next
source_next(struct source *s, const unsigned char **bytes, size_t *length,
    struct err *e)
{
	size_t max = s->format == SOURCE_PLAIN ? 1 : MAX_BYTE_TEXT, used;
	uint64_t count = (uint64_t)s->argument_count;
	unsigned char *front;
	bool is_whole = s->kind == SOURCE_WHOLE, has_end;

	if (s->kind == SOURCE_ARGUMENTS) {
		if (s->lent_count >= count && !s->repeats)
			return SOURCE_END;
		*length = s->lengths[s->lent_count % count];
		*bytes = (void *)s->arguments[s->lent_count++ % count];
		return SOURCE_MESSAGE;
	}
	front = s->queue.data + s->queue.head + s->lent;
	*bytes = front;
	*length = buf_length(&s->queue) - s->lent;
	has_end = find_end(s, front, length, &used);
	if (*length > max * MAX_LENGTH)
		return too_long(s, e);
	if (!has_end && s->fd >= 0)
		return SOURCE_WAIT;
	if (is_whole ? s->lent_count > 0 && !s->repeats
		     : !has_end && *length == 0)
		return SOURCE_END;
	s->lent_count++;
	s->lent += used;
	if (s->format == SOURCE_PLAIN || s->is_converted)
		return SOURCE_MESSAGE;
	if (convert(s, front, length, e) < 0) {
		e->kind = ERR_FAILED;
		err_prefix(e, "%s",
		    s->kind == SOURCE_LINES
			? text_format("line %llu of stdin",
			      (unsigned long long)s->lent_count)
			: "stdin");
		return SOURCE_ERROR;
	}
	if (*length > MAX_LENGTH)
		return too_long(s, e);
	if (is_whole) {
		/* It may be sent again, without another conversion. */
		s->is_converted = true;
		s->queue.tail = s->queue.head + *length;
	}
	return SOURCE_MESSAGE;
}

void
source_consume(struct source *s)
{
	buf_eat(&s->queue, s->lent);
	s->lent = 0;
}

int
source_read(struct source *s, struct err *e)
{
	size_t size;
	unsigned char *space = buf_space(&s->queue, &size);
	ssize_t n = sock_read_nowait(s->fd, s->fd_kind, space, size);

	assert(s->lent == 0);
	if (n > 0)
		buf_added(&s->queue, (size_t)n);
	if (n == 0)
		s->fd = -1;
	if (n >= 0 || errno == EINTR || errno == EAGAIN)
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "stdin");
}

void
source_release(struct source *s)
{
	free(s->lengths);
	free(s->queue.data);
}
