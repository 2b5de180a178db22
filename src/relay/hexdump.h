/* A record of what went over a connection, for people with a pager. */
#ifndef RELAY_HEXDUMP_H
#define RELAY_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

enum hexdump_direction { HEXDUMP_SENT, HEXDUMP_RECEIVED };

/* Writes all n bytes. 0, or -1. */
typedef int hexdump_write(void *context, const void *bytes, size_t n);

struct hexdump {
	hexdump_write *write;
	void *context;       /* write's */
	int64_t start_ns;    /* what the times count from */
	uint64_t offsets[2]; /* bytes so far, by direction */
};

void hexdump_start(struct hexdump *h, hexdump_write *write, void *context);

/*
 * Writes a piece: a line that says which direction, when, how many bytes and
 * from which offset, then 16 bytes a line in hexadecimal and ASCII. 0, or -1
 * when write() failed.
 */
int hexdump_add(struct hexdump *h, enum hexdump_direction direction,
    const void *bytes, size_t n);

#endif
