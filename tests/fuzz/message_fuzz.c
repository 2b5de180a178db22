/*
 * Streams of messages: the first byte says how the rest is cut. However it is
 * cut, the same lines must come out, and no byte may be lost.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a stream came to: its bytes summed up, its messages counted. */
struct outcome {
	uint64_t hash, messages;
	bool too_long;
};

static void
count(struct outcome *o, const struct message *m)
{
	size_t i;

	if (m->length > MESSAGE_MAX)
		abort();
	for (i = 0; i < m->length; i++)
		o->hash = (o->hash ^ m->bytes[i]) * 1099511628211U;
	o->hash = (o->hash ^ (256 + m->newline)) * 1099511628211U;
	o->messages++;
}

static struct outcome
feed(const uint8_t *data, size_t size, size_t step)
{
	struct message_reader h;
	struct outcome o = {14695981039346656037U, 0, false};
	struct message m;
	unsigned char *space;
	size_t room;

	message_init(&h);
	while (!o.too_long && size > 0) {
		space = message_space(&h, &room);
		if (room > step)
			room = step;
		if (room > size)
			room = size;
		if (room == 0)
			abort();
		memcpy(space, data, room);
		buf_added(&h.queue, room);
		data += room;
		size -= room;
		while (!(o.too_long = message_is_too_long(&h)) &&
		       message_next_line(&h, &m))
			count(&o, &m);
	}
	if (!o.too_long && message_rest(&h, &m))
		count(&o, &m);
	return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome a, b;

	if (size == 0)
		return 0;
	a = feed(data + 1, size - 1, size);
	b = feed(data + 1, size - 1, 1 + data[0]);
	if (a.too_long != b.too_long || a.messages != b.messages ||
	    a.hash != b.hash)
		abort();
	return 0;
}
