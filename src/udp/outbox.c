/* Datagrams being sent, borrowed from a source until the kernel has them. */
#include "udp/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "udp/dgram.h"

/* "#18446744073709551615 " */
#define NUMBER_SIZE 24

void
outbox_init(struct outbox *o, struct message_source *feed, bool numbers)
{
	memset(o, 0, sizeof(*o));
	o->feed = feed;
	o->items = mem_array(DGRAM_SENDS, sizeof(o->items[0]));
	if (numbers)
		o->numbered = mem_array(DGRAM_BATCH, DGRAM_SIZE + NUMBER_SIZE);
}

int
outbox_capacity(const struct outbox *o)
{
	return o->numbered != NULL ? DGRAM_BATCH : DGRAM_SENDS;
}

int
outbox_unsent(const struct outbox *o)
{
	return o->filled - o->sent;
}

size_t
outbox_length(const struct outbox *o)
{
	return outbox_unsent(o) > 0 ? o->items[o->sent].length : 0;
}

/* Puts "#N " in front of a payload, in the place of its own that it gets. */
static void
number_piece(struct outbox *o, struct dgram *d, uint64_t number)
{
	unsigned char *at =
	    o->numbered + (size_t)o->filled * (DGRAM_SIZE + NUMBER_SIZE);
	int n = snprintf(
	    (char *)at, NUMBER_SIZE, "#%llu ", (unsigned long long)number);

	/* What is too long by it is refused by the kernel. */
	memcpy(at + n, d->bytes, d->length);
	d->bytes = at;
	d->length += (size_t)n;
}

static void
set_remote(struct dgram *d, const struct addr *to)
{
	d->local.len = d->remote.len = 0;
	if (to != NULL)
		d->remote = *to;
}

/* Borrows one piece. What the feed said. */
static enum message_source_next
borrow(struct outbox *o, uint64_t number, const struct addr *to, struct err *e)
{
	struct dgram *d = &o->items[o->filled];
	const unsigned char *bytes;
	enum message_source_next found =
	    message_source_next(o->feed, &bytes, &d->length, e);

	if (found != SOURCE_PIECE)
		return found;
	if (o->numbered != NULL && d->length > DGRAM_SIZE) {
		err_set(e, ERR_LOCAL,
		    "a message of %zu bytes is too long for a number in front: "
		    "%d at most",
		    d->length, DGRAM_SIZE);
		return SOURCE_ERROR;
	}
	d->bytes = (unsigned char *)bytes;
	set_remote(d, to);
	if (o->numbered != NULL)
		number_piece(o, d, number);
	o->filled++;
	return found;
}

enum message_source_next
outbox_fill(struct outbox *o, int64_t count, uint64_t first,
    const struct addr *to, struct err *e)
{
	enum message_source_next found = SOURCE_PIECE;

	if (o->error.kind != ERR_NONE) {
		*e = o->error;
		return SOURCE_ERROR;
	}
	outbox_settle(o);
	if (count > outbox_capacity(o))
		count = outbox_capacity(o);
	while (o->filled < count && found == SOURCE_PIECE)
		found = borrow(o, first + (uint64_t)o->filled, to, e);
	if (found != SOURCE_ERROR || o->filled == 0)
		return found;
	/* Those before it go first. */
	o->error = *e;
	err_clear(e);
	return SOURCE_PIECE;
}

int
outbox_send(struct outbox *o, int fd, uint64_t *bytes)
{
	int i, n = dgram_send(fd, o->items + o->sent, outbox_unsent(o));

	for (i = 0; i < n; i++)
		*bytes += o->items[o->sent++].length;
	return n;
}

void
outbox_rewind(struct outbox *o, const struct addr *to)
{
	int i;

	o->sent = 0;
	for (i = 0; i < o->filled; i++)
		set_remote(&o->items[i], to);
}

void
outbox_settle(struct outbox *o)
{
	if (outbox_unsent(o) > 0)
		return;
	o->filled = o->sent = 0;
	message_source_settle(o->feed);
}

void
outbox_release(struct outbox *o)
{
	free(o->items);
	free(o->numbered);
	o->items = NULL;
	o->numbered = NULL;
}
