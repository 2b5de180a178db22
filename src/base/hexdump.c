#include "base/hexdump.h"

#include <string.h>

#include "base/clock.h"

#define COLUMNS 16

/* "00000010  48 65 6c 6c 6f ...  |Hello|" */
static void
dump_line(FILE *out, uint64_t offset, const unsigned char *p, size_t n)
{
	char hex[COLUMNS * 3 + 2], ascii[COLUMNS + 1];
	size_t i, used = 0;

	for (i = 0; i < n; i++) {
		used += (size_t)snprintf(hex + used, sizeof(hex) - used,
		    i == COLUMNS / 2 ? "  %02x" : " %02x", p[i]);
		ascii[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
	}
	ascii[n] = '\0';
	fprintf(out, "%08llx %-*s  |%s|\n", (unsigned long long)offset,
	    COLUMNS * 3 + 1, hex, ascii);
}

void
hexdump_start(struct hexdump *h, FILE *out)
{
	memset(h, 0, sizeof(*h));
	h->out = out;
	h->start_ns = clock_now();
}

int
hexdump_add(
    struct hexdump *h, enum hexdump_way way, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t line;

	fprintf(h->out, "%s at %.6f s: %zu byte%s from offset %llu\n",
	    way == HEXDUMP_SENT ? "> sent" : "< received",
	    clock_seconds(h->start_ns, clock_now()), n, n == 1 ? "" : "s",
	    (unsigned long long)h->offsets[way]);
	for (; n > 0; n -= line, p += line) {
		line = n < COLUMNS ? n : COLUMNS;
		dump_line(h->out, h->offsets[way], p, line);
		h->offsets[way] += line;
	}
	return fflush(h->out) == 0 && !ferror(h->out) ? 0 : -1;
}
