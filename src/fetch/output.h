/* Where http-get puts the body: stdout or a file, with its progress. */
#ifndef FETCH_OUTPUT_H
#define FETCH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct transfer;

/*
 * Opens what the body will go to, unless --content-disposition leaves its
 * name to the answer; with --continue finds out what is there already. 0, or
 * -1 with ERR_OUTPUT.
 */
int output_open(struct transfer *t, struct err *e);

/* Opens it now that the head has come, where output_open() did not. */
int output_open_late(struct transfer *t, struct err *e);

/* Reads the body into t->out. 0, or -1 with *e. */
int output_take(struct transfer *t, struct err *e);

/*
 * The one rule about what stdout, a device or a FIFO has received: it cannot
 * be taken back, so nothing but the next byte of the same version may follow
 * it. Whether the byte at offset base may be written now; base is 0 for
 * everything that is not the rest of what is held.
 */
bool output_accepts(const struct transfer *t, int64_t base);

/* That it may not. Returns -1 with ERR_PROTOCOL. */
int output_refuse(const struct transfer *t, struct err *e);

/*
 * Reads a body that is not the file into NAME.error, or into t->out where
 * that is no file and accepts it. note gets the end of a sentence that says
 * where it is, or that it was dropped; "" when there is nothing to say. 0, or
 * -1 with *e.
 */
int output_take_aside(
    struct transfer *t, char *note, size_t size, struct err *e);

/* The body is whole: the file gets its name. 0, or -1 with ERR_OUTPUT. */
int output_commit(struct transfer *t, struct err *e);

/* Gives back what it opened, and tells of a partial file that stays. */
void output_close(struct transfer *t);

#endif
