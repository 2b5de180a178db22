/* A readable record of the bytes that a connection carries. */
#ifndef RELAY_HEXDUMP_H
#define RELAY_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

enum hexdump_direction { HEXDUMP_SENT, HEXDUMP_RECEIVED };

/* Writes all n bytes. Returns 0, or -1. */
typedef int hexdump_write(void *context, const void *bytes, size_t n);

struct hexdump {
	hexdump_write *write;
	void *context;       /* write's */
	int64_t start_ns;    /* zero of the times */
	uint64_t offsets[2]; /* bytes so far, by direction */
};

void hexdump_start(struct hexdump *h, hexdump_write *write, void *context);

/*
 * Writes a piece: a line with its direction, time, size and offset, then 16
 * bytes per line in hexadecimal and ASCII. Returns 0, or -1 when write()
 * failed.
 */
int hexdump_add(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n);

#endif
