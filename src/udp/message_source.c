/* Messages to be sent: arguments, lines, blocks or a whole file. */
#include "udp/message_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"

/* Space for several of the longest messages. */
#define QUEUE_SIZE (512 * 1024)
/* The maximum payload of UDP: its length field minus its header (RFC 768). */
#define MAX_LENGTH 65527
/* The maximum length of a byte as text: "\x00", or "00 " and a newline. */
#define MAX_BYTE_TEXT 4

/* Converts n bytes of text, in place. Returns the length of the result, or -1
 * with *e. */
static ssize_t
convert(enum message_source_format format, void *text, size_t n, struct err *e)
{
	return format == SOURCE_HEX ? literal_parse_hex(text, text, n, e)
				    : literal_unescape(text, text, n, e);
}

/* Converts an argument, given by its index. Returns 0, or -1 with *e. */
static int
convert_argument(struct message_source *s, int index, struct err *e)
{
	struct message_source_bytes *to = &s->converted[index];
	size_t length = strlen(s->arguments[index]);
	ssize_t n;

	to->bytes = mem_array(length + 1, 1);
	memcpy(to->bytes, s->arguments[index], length);
	n = convert(s->format, to->bytes, length, e);
	if (n < 0)
		return err_prefix(e, "message %d", index + 1);
	to->length = (size_t)n;
	return 0;
}

/* The bytes that are not lent yet, and their number. */
static const unsigned char *
front(const struct message_source *s)
{
	return buf_bytes(&s->queue) + s->lent;
}

static size_t
waiting(const struct message_source *s)
{
	return buf_length(&s->queue) - s->lent;
}

static enum message_source_next
next_argument(
    struct message_source *s, const unsigned char **bytes, size_t *length)
{
	const char *text;

	if (!s->repeats && s->lent_count >= (uint64_t)s->argument_count)
		return SOURCE_END;
	text = s->arguments[s->lent_count++ % (uint64_t)s->argument_count];
	*bytes = (const unsigned char *)text;
	*length = strlen(text);
	return SOURCE_MESSAGE;
}

static enum message_source_next
too_long(const struct message_source *s, const char *what, struct err *e)
{
	err_set(e, ERR_LOCAL,
	    "%s of stdin is too long for a datagram, which carries %zu bytes "
	    "at most",
	    what, s->max_bytes > 0 ? s->max_bytes : s->max_length);
	e->errnum = EMSGSIZE;
	return SOURCE_ERROR;
}

static enum message_source_next
next_line(struct message_source *s, size_t *length, size_t *used, struct err *e)
{
	size_t n = waiting(s);
	const unsigned char *bytes = front(s), *lf;

	lf = memchr(bytes, '\n', n);
	*length = lf == NULL ? n : (size_t)(lf - bytes);
	*used = lf == NULL ? n : *length + 1;
	if (*length > s->max_length)
		return too_long(s, "a line", e);
	if (lf != NULL)
		return SOURCE_MESSAGE;
	if (s->fd >= 0)
		return SOURCE_WAIT;
	return n > 0 ? SOURCE_MESSAGE : SOURCE_END;
}

static enum message_source_next
next_block(struct message_source *s, size_t *length, size_t *used)
{
	size_t n = waiting(s);

	*used = *length = n < s->block_size ? n : s->block_size;
	if (n >= s->block_size)
		return SOURCE_MESSAGE;
	if (s->fd >= 0)
		return SOURCE_WAIT;
	return n > 0 ? SOURCE_MESSAGE : SOURCE_END;
}

static enum message_source_next
next_whole(struct message_source *s, size_t *length, struct err *e)
{
	*length = waiting(s);
	if (*length > s->max_length)
		return too_long(s, "all", e);
	if (s->fd >= 0)
		return SOURCE_WAIT;
	return s->lent_count == 0 || s->repeats ? SOURCE_MESSAGE : SOURCE_END;
}

/* Lends the next message as it is. */
static enum message_source_next
lend_plain(struct message_source *s, const unsigned char **bytes,
    size_t *length, struct err *e)
{
	enum message_source_next found;
	size_t used = 0;

	if (s->kind == SOURCE_ARGUMENTS)
		return next_argument(s, bytes, length);
	*bytes = front(s);
	if (s->kind == SOURCE_LINES)
		found = next_line(s, length, &used, e);
	else if (s->kind == SOURCE_BLOCKS)
		found = next_block(s, length, &used);
	else
		found = next_whole(s, length, e);
	if (found != SOURCE_MESSAGE)
		return found;
	s->lent_count++;
	s->lent += used;
	return SOURCE_MESSAGE;
}

/* Lends the next argument after its conversion. */
static enum message_source_next
lend_converted(struct message_source *s, const unsigned char **bytes,
    size_t *length, struct err *e)
{
	const struct message_source_bytes *argument;

	(void)e;
	if (!s->repeats && s->lent_count >= (uint64_t)s->argument_count)
		return SOURCE_END;
	argument = &s->converted[s->lent_count++ % (uint64_t)s->argument_count];
	*bytes = argument->bytes;
	*length = argument->length;
	return SOURCE_MESSAGE;
}

/* Converts a message in the queue, and lends that. */
static enum message_source_next
convert_and_lend(struct message_source *s, const unsigned char **bytes,
    size_t *length, struct err *e)
{
	enum message_source_next found = lend_plain(s, bytes, length, e);
	bool is_line = s->kind == SOURCE_LINES;
	ssize_t n;

	if (found != SOURCE_MESSAGE)
		return found;
	n = convert(
	    s->format, s->queue.data + (*bytes - s->queue.data), *length, e);
	if (n < 0) {
		e->kind = ERR_FAILED;
		if (is_line)
			err_prefix(e, "line %llu of stdin",
			    (unsigned long long)s->lent_count);
		else
			err_prefix(e, "stdin");
		return SOURCE_ERROR;
	}
	*length = (size_t)n;
	if (*length > s->max_bytes)
		return too_long(s, is_line ? "a line" : "all", e);
	if (!is_line) {
		/* It may be sent again, as it is now. */
		s->lend = lend_plain;
		s->queue.tail = s->queue.head + *length;
	}
	return SOURCE_MESSAGE;
}

void
message_source_arguments(
    struct message_source *s, char *const *arguments, int count, bool repeats)
{
	memset(s, 0, sizeof(*s));
	s->lend = lend_plain;
	s->kind = SOURCE_ARGUMENTS;
	s->arguments = arguments;
	s->argument_count = count;
	s->repeats = repeats;
	s->fd = -1;
}

void
message_source_descriptor(struct message_source *s, int fd,
    enum message_source_kind kind, size_t block_size)
{
	memset(s, 0, sizeof(*s));
	s->lend = lend_plain;
	s->kind = kind;
	s->fd = fd;
	s->block_size = block_size;
	s->max_length = MAX_LENGTH;
	buf_init(&s->queue, mem_buffer(QUEUE_SIZE), QUEUE_SIZE);
}

int
message_source_convert(
    struct message_source *s, enum message_source_format format, struct err *e)
{
	int i;

	if (format == SOURCE_PLAIN)
		return 0;
	s->format = format;
	if (s->kind != SOURCE_ARGUMENTS) {
		s->lend = convert_and_lend;
		s->max_bytes = s->max_length;
		s->max_length *= MAX_BYTE_TEXT;
		return 0;
	}
	s->lend = lend_converted;
	s->converted =
	    mem_array((size_t)s->argument_count, sizeof(s->converted[0]));
	for (i = 0; i < s->argument_count; i++)
		if (convert_argument(s, i, e) < 0)
			return -1;
	return 0;
}

void
message_source_consume(struct message_source *s)
{
	buf_eat(&s->queue, s->lent);
	s->lent = 0;
}

/* Space to read into. Lent bytes must not move. */
static unsigned char *
space_of(struct message_source *s, size_t *size)
{
	struct buf *q = &s->queue;

	if (s->lent == 0)
		return buf_space(q, size);
	*size = q->size - q->tail;
	return q->data + q->tail;
}

int
message_source_read(struct message_source *s, struct err *e)
{
	size_t size;
	unsigned char *space = space_of(s, &size);
	ssize_t n;

	if (size == 0)
		return 0;
	n = read(s->fd, space, size);
	if (n > 0)
		buf_added(&s->queue, (size_t)n);
	if (n == 0)
		s->fd = -1;
	if (n >= 0 || errno == EINTR || errno == EAGAIN)
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "stdin");
}

void
message_source_release(struct message_source *s)
{
	int i;

	for (i = 0; s->converted != NULL && i < s->argument_count; i++)
		free(s->converted[i].bytes);
	free(s->converted);
	s->converted = NULL;
	free(s->queue.data);
	s->queue.data = NULL;
}
