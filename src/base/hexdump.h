/* A record of what went over a connection, for people with a pager. */
#ifndef BASE_HEXDUMP_H
#define BASE_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

enum hexdump_way { HEXDUMP_SENT, HEXDUMP_RECEIVED };

struct hexdump {
	int fd;              /* the caller's */
	int64_t start_ns;    /* what the times count from */
	uint64_t offsets[2]; /* bytes so far, by way */
};

void hexdump_start(struct hexdump *h, int fd);

/*
 * Writes a piece: a line that says which way, when, how many bytes and from
 * which offset, then 16 bytes a line in hexadecimal and ASCII. 0, or -1 with
 * errno when it could not be written.
 */
int hexdump_add(
    struct hexdump *h, enum hexdump_way way, const void *bytes, size_t n);

#endif
