/* The source of datagrams to send: arguments, lines, blocks or all of stdin. */
#include "udp/message_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Room for several of the longest pieces. */
#define QUEUE_SIZE (512 * 1024)

void
message_source_arguments(
    struct message_source *f, char *const *arguments, int count, bool repeats)
{
	memset(f, 0, sizeof(*f));
	f->kind = SOURCE_ARGUMENTS;
	f->arguments = arguments;
	f->count = count;
	f->repeats = repeats;
	f->fd = -1;
}

void
message_source_descriptor(struct message_source *f, int fd,
    enum message_source_kind kind, size_t block, size_t most)
{
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->fd = fd;
	f->block = block;
	f->most = most;
	buf_init(&f->queue, mem_array(QUEUE_SIZE, 1), QUEUE_SIZE);
}

/* Where the pieces begin that are not lent yet, and how many bytes wait. */
static const unsigned char *
front(const struct message_source *f)
{
	return buf_bytes(&f->queue) + f->lent;
}

static size_t
waiting(const struct message_source *f)
{
	return buf_length(&f->queue) - f->lent;
}

static enum message_source_next
next_argument(
    struct message_source *f, const unsigned char **bytes, size_t *length)
{
	const char *text;

	if (!f->repeats && f->taken >= (uint64_t)f->count)
		return SOURCE_END;
	text = f->arguments[f->taken++ % (uint64_t)f->count];
	*bytes = (const unsigned char *)text;
	*length = strlen(text);
	return SOURCE_PIECE;
}

static enum message_source_next
too_long(const struct message_source *f, const char *what, struct err *e)
{
	err_set(e, ERR_LOCAL,
	    "%s of stdin is too long for a datagram, which carries %zu bytes "
	    "at most",
	    what, f->most);
	e->errnum = EMSGSIZE;
	return SOURCE_ERROR;
}

static enum message_source_next
next_line(struct message_source *f, size_t *length, size_t *used, struct err *e)
{
	size_t n = waiting(f);
	const unsigned char *bytes = front(f), *lf;

	lf = memchr(bytes, '\n', n);
	*length = lf == NULL ? n : (size_t)(lf - bytes);
	*used = lf == NULL ? n : *length + 1;
	if (*length > f->most)
		return too_long(f, "a line", e);
	if (lf != NULL)
		return SOURCE_PIECE;
	if (f->fd >= 0)
		return SOURCE_WAIT;
	return n > 0 ? SOURCE_PIECE : SOURCE_END;
}

static enum message_source_next
next_block(struct message_source *f, size_t *length, size_t *used)
{
	size_t n = waiting(f);

	*used = *length = n < f->block ? n : f->block;
	if (n >= f->block)
		return SOURCE_PIECE;
	if (f->fd >= 0)
		return SOURCE_WAIT;
	return n > 0 ? SOURCE_PIECE : SOURCE_END;
}

static enum message_source_next
next_whole(struct message_source *f, size_t *length, struct err *e)
{
	*length = waiting(f);
	if (*length > f->most)
		return too_long(f, "the whole", e);
	if (f->fd >= 0)
		return SOURCE_WAIT;
	return f->taken == 0 || f->repeats ? SOURCE_PIECE : SOURCE_END;
}

enum message_source_next
message_source_next(struct message_source *f, const unsigned char **bytes,
    size_t *length, struct err *e)
{
	enum message_source_next found;
	size_t used = 0;

	if (f->kind == SOURCE_ARGUMENTS)
		return next_argument(f, bytes, length);
	*bytes = front(f);
	if (f->kind == SOURCE_LINES)
		found = next_line(f, length, &used, e);
	else if (f->kind == SOURCE_BLOCKS)
		found = next_block(f, length, &used);
	else
		found = next_whole(f, length, e);
	if (found != SOURCE_PIECE)
		return found;
	f->taken++;
	f->lent += used;
	return SOURCE_PIECE;
}

void
message_source_settle(struct message_source *f)
{
	buf_eat(&f->queue, f->lent);
	f->lent = 0;
}

/* Where to read to. What is lent must not be moved. */
static unsigned char *
space_of(struct message_source *f, size_t *room)
{
	struct buf *q = &f->queue;

	if (f->lent == 0)
		return buf_space(q, room);
	*room = q->size - q->tail;
	return q->data + q->tail;
}

int
message_source_read(struct message_source *f, struct err *e)
{
	size_t room;
	unsigned char *space = space_of(f, &room);
	ssize_t n;

	if (room == 0)
		return 0;
	n = read(f->fd, space, room);
	if (n > 0)
		buf_added(&f->queue, (size_t)n);
	if (n == 0)
		f->fd = -1;
	if (n >= 0 || errno == EINTR || errno == EAGAIN)
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "stdin");
}

void
message_source_release(struct message_source *f)
{
	free(f->queue.data);
	f->queue.data = NULL;
}
