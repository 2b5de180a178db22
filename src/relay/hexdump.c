/* Writes a hex dump of the bytes that a connection carries. */
#include "relay/hexdump.h"

#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/text.h"

#define COLUMNS 16
/* The maximum length of a line, with its NUL: the first line of a piece. */
#define LINE 128

/* A buffer of lines. Each write(2) carries whole lines, so that several
 * processes may append to the file. */
struct lines {
	const struct hexdump *dump;
	size_t length;
	char text[64 * LINE];
};

static int
write_lines(struct lines *l)
{
	size_t n = l->length;

	l->length = 0;
	return l->dump->write(l->dump->context, l->text, n);
}

static int
add_line(struct lines *l, const char *line)
{
	size_t n = strlen(line);

	if (!bounds_fit(sizeof(l->text), l->length, n) && write_lines(l) < 0)
		return -1;
	memcpy(l->text + l->length, line, n);
	l->length += n;
	return 0;
}

/* "00000010  48 65 6c 6c 6f ...  |Hello|" */
static void
format_line(char *line, uint64_t offset, const unsigned char *p, size_t n)
{
	char hex[COLUMNS * 3 + 2] = "", ascii[COLUMNS + 1];
	size_t i;

	for (i = 0; i < n; i++) {
		text_append(hex, sizeof(hex),
		    i == COLUMNS / 2 ? "  %02x" : " %02x", p[i]);
		ascii[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
	}
	ascii[n] = '\0';
	snprintf(line, LINE, "%08llx %-*s  |%s|\n", (unsigned long long)offset,
	    COLUMNS * 3 + 1, hex, ascii);
}

void
hexdump_start(struct hexdump *h, hexdump_write *write, void *context)
{
	memset(h, 0, sizeof(*h));
	h->write = write;
	h->context = context;
	h->start_ns = clock_now();
}

int
hexdump_add(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n)
{
	struct lines lines;
	const unsigned char *p = bytes;
	char line[LINE];
	size_t part;

	lines.dump = h;
	lines.length = 0;
	snprintf(line, sizeof(line),
	    "%s at %.6f s: %zu byte%s from offset %llu\n",
	    direction == HEXDUMP_SENT ? "> sent" : "< received",
	    clock_seconds(h->start_ns, clock_now()), n, n == 1 ? "" : "s",
	    (unsigned long long)h->offsets[direction]);
	if (add_line(&lines, line) < 0)
		return -1;
	for (; n > 0; n -= part, p += part) {
		part = n < COLUMNS ? n : COLUMNS;
		format_line(line, h->offsets[direction], p, part);
		if (add_line(&lines, line) < 0)
			return -1;
		h->offsets[direction] += part;
	}
	return write_lines(&lines);
}
