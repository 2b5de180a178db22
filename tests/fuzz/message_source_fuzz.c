/*
 * The messages of udp-send from a descriptor: whatever the pieces in which they
 * arrive, nothing is lost, added or out of order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "udp/message_source.h"

#define MAX_SIZE 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is still to come of the input. */
struct rest {
	const uint8_t *at;
	size_t length;
};

/* A message is the next of the input; of lines, their newline is left out. */
static void
check_message(struct rest *r, enum message_source_kind kind,
    const unsigned char *bytes, size_t length)
{
	if (length > r->length || memcmp(bytes, r->at, length) != 0)
		abort();
	r->at += length;
	r->length -= length;
	if (kind != SOURCE_LINES || r->length == 0)
		return;
	if (r->length >= 2 && r->at[0] == '\r' && r->at[1] == '\n') {
		r->at++;
		r->length--;
	}
	if (*r->at != '\n')
		abort();
	r->at++;
	r->length--;
}

static void
check_kind(const uint8_t *data, size_t size, enum message_source_kind kind)
{
	struct message_source s;
	struct rest r = {data, size};
	struct err e = ERR_INIT;
	const unsigned char *bytes;
	enum message_source_next next;
	size_t length, sent = 0, piece;
	int ends[2];

	if (pipe(ends) < 0)
		return;
	message_source_descriptor(&s, ends[0], kind, 7);
	while ((next = message_source_next(&s, &bytes, &length, &e)) !=
		   SOURCE_END &&
	       next != SOURCE_ERROR) {
		if (next == SOURCE_MESSAGE) {
			check_message(&r, kind, bytes, length);
			message_source_consume(&s);
			continue;
		}
		piece = sent < size ? 1 + data[sent] % 64 : 0;
		if (piece > size - sent)
			piece = size - sent;
		if (piece == 0 && ends[1] >= 0) {
			close(ends[1]);
			ends[1] = -1;
		}
		if (piece > 0 &&
		    write(ends[1], data + sent, piece) != (ssize_t)piece)
			abort();
		sent += piece;
		if (message_source_read(&s, &e) < 0)
			abort();
	}
	if (next == SOURCE_END && r.length != 0)
		abort();
	message_source_release(&s);
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MAX_SIZE)
		return 0;
	check_kind(data, size, SOURCE_LINES);
	check_kind(data, size, SOURCE_BLOCKS);
	check_kind(data, size, SOURCE_WHOLE);
	return 0;
}
