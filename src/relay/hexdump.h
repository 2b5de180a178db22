/* A readable record of the bytes that a connection or a datagram carries. */
#ifndef RELAY_HEXDUMP_H
#define RELAY_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

enum hexdump_direction { HEXDUMP_SENT, HEXDUMP_RECEIVED };

/* The largest size of a write, for a piece of 128 KiB. */
#define HEXDUMP_SIZE (708 * 1024)

/* Writes all n bytes. Returns 0, or -1. */
typedef int hexdump_write(void *context, const void *bytes, size_t n);

struct hexdump {
	hexdump_write *write;
	void *context;       /* write's */
	int64_t start_ns;    /* zero of the times */
	unsigned connection; /* named in the first line of each piece; 0: the
				only one */
	const char *peer;    /* of a datagram */
	enum hexdump_direction direction; /* of the current piece */
	uint64_t offsets[2];              /* bytes so far, by direction */
	size_t size; /* of text: the largest size of a write */
	char *text;  /* owned */
};

/*
 * Starts a dump whose calls of write() carry at most size bytes each, at least
 * 512. Call hexdump_release() afterwards.
 */
void hexdump_init(
    struct hexdump *h, size_t size, hexdump_write *write, void *context);

/*
 * Begins a connection: its offsets, and if connection is not 0, a line with
 * this number and from, its peer. Otherwise the times begin here. Returns 0, or
 * -1 when write() failed.
 */
int hexdump_begin(struct hexdump *h, unsigned connection, const char *from);

/*
 * Writes a piece with one call of write(): a line with its direction, time,
 * size and offset, then 16 bytes per line in hexadecimal and ASCII. If it
 * exceeds the size, each part is such a piece. Several processes may append to
 * a file, since the first line names the connection. Returns 0, or -1 when
 * write() failed.
 */
int hexdump_add(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n);

/*
 * Writes a datagram in the same form, an empty one too. The first line names
 * h->peer, which the caller sets; offsets are those in the datagram. Returns 0,
 * or -1 when write() failed.
 */
int hexdump_add_datagram(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n);

void hexdump_release(struct hexdump *h);

#endif
