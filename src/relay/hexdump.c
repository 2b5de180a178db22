/* Writes a hex dump of the bytes that a connection or a datagram carries. */
#include "relay/hexdump.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#define COLUMNS 16
/* The maximum length of the first line of a piece, and of the others. */
#define FIRST_LINE 160
#define LINE 88

static char
hex_digit(uint64_t n)
{
	return "0123456789abcdef"[n & 15];
}

/* Writes "00000010 ", and returns the end. */
static char *
put_offset(char *out, uint64_t offset)
{
	int shift = 60;

	while (shift > 28 && offset >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*out++ = hex_digit(offset >> shift);
	*out++ = ' ';
	return out;
}

/* Writes "00000010  48 65 6c 6c 6f ...  |Hello|", and returns the end. */
static char *
put_line(char *out, uint64_t offset, const unsigned char *p, size_t n)
{
	char *end;
	size_t i;

	out = put_offset(out, offset);
	end = out + COLUMNS * 3 + 1;
	for (i = 0; i < n; i++) {
		if (i == COLUMNS / 2)
			*out++ = ' ';
		*out++ = ' ';
		*out++ = hex_digit(p[i] >> 4);
		*out++ = hex_digit(p[i]);
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

static double
seconds(const struct hexdump *h)
{
	return clock_seconds(h->start_ns, clock_now());
}

/* Writes the first line of a piece of n bytes, and returns its end. */
static char *
put_first(const struct hexdump *h, enum hexdump_direction direction, size_t n)
{
	char count[32], name[48] = "";

	if (h->connection != 0)
		snprintf(
		    name, sizeof(name), " on connection %u", h->connection);
	return h->text +
	       snprintf(h->text, FIRST_LINE,
		   "%s%s at %.6f s: %s from offset %llu\n",
		   direction == HEXDUMP_SENT ? "> sent" : "< received", name,
		   seconds(h),
		   num_format_count(count, sizeof(count), n, "byte"),
		   (unsigned long long)h->offsets[direction]);
}

/* The same for a datagram. An address is at most a unix path, of which the
 * start is shown. */
static char *
put_first_of_datagram(
    const struct hexdump *h, enum hexdump_direction direction, size_t n)
{
	char count[32];

	return h->text +
	       snprintf(h->text, FIRST_LINE, "%s %.100s at %.6f s: %s\n",
		   direction == HEXDUMP_SENT ? "> sent to" : "< received from",
		   h->peer, seconds(h),
		   num_format_count(count, sizeof(count), n, "byte"));
}

void
hexdump_init(
    struct hexdump *h, size_t size, hexdump_write *write, void *context)
{
	assert(size >= FIRST_LINE + LINE);
	memset(h, 0, sizeof(*h));
	h->write = write;
	h->context = context;
	h->start_ns = clock_now();
	h->size = size;
	h->text = mem_array(size, 1);
}

int
hexdump_begin(struct hexdump *h, unsigned connection, const char *from)
{
	char line[FIRST_LINE + 512];

	h->connection = connection;
	memset(h->offsets, 0, sizeof(h->offsets));
	if (connection == 0) {
		h->start_ns = clock_now();
		return 0;
	}
	snprintf(line, sizeof(line), "= connection %u from %s at %.6f s\n",
	    connection, from, seconds(h));
	return h->write(h->context, line, strlen(line));
}

/* Writes the lines of one piece, which fits, after the first, of which out is
 * the end. */
static int
add_lines(struct hexdump *h, char *out, const unsigned char *p, size_t n)
{
	uint64_t *offset = &h->offsets[h->direction];
	size_t part;

	for (; n > 0; n -= part, p += part) {
		part = n < COLUMNS ? n : COLUMNS;
		out = put_line(out, *offset, p, part);
		*offset += part;
	}
	return h->write(h->context, h->text, (size_t)(out - h->text));
}

/* How many bytes a piece can have. */
static size_t
max_piece(const struct hexdump *h)
{
	return (h->size - FIRST_LINE) / LINE * COLUMNS;
}

int
hexdump_add(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n)
{
	size_t max = max_piece(h), part;
	const unsigned char *p = bytes;

	h->direction = direction;
	for (; n > 0; n -= part, p += part) {
		part = n < max ? n : max;
		if (add_lines(h, put_first(h, direction, part), p, part) < 0)
			return -1;
	}
	return 0;
}

int
hexdump_add_datagram(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n)
{
	size_t max = max_piece(h), part;
	const unsigned char *p = bytes;

	h->direction = direction;
	h->offsets[direction] = 0;
	do {
		part = n < max ? n : max;
		if (add_lines(h, put_first_of_datagram(h, direction, part), p,
			part) < 0)
			return -1;
		n -= part;
		p += part;
	} while (n > 0);
	return 0;
}

void
hexdump_release(struct hexdump *h)
{
	free(h->text);
	h->text = NULL;
}
