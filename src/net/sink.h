/*
 * Writes received bytes to a descriptor that may be slow, full or a terminal,
 * without O_NONBLOCK and never past a deadline.
 */
#ifndef NET_SINK_H
#define NET_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/fd.h"

struct err;

struct sink {
	int fd; /* the caller's; -1: discard the bytes */
	enum fd_kind kind;
	const char *name;  /* in errors: "stdout", a path; the caller's */
	bool is_escaped;   /* escape control characters */
	struct limit idle; /* the caller sets it: longest time in which fd
			      accepts nothing; none after sink_init() */
	uint64_t bytes;    /* bytes accepted so far, before escaping */
	bool has_failed;   /* a write failed, or timed out */
	unsigned char partial[4]; /* the start of an incomplete character */
	size_t partial_length;
};

/* escapes: if fd is a terminal, control characters are escaped. */
void sink_init(struct sink *s, int fd, const char *name, bool escapes);

/*
 * Writes all n bytes; with n 0, the held bytes of an incomplete character.
 * Returns 0, or -1 with *e set: ERR_OUTPUT, ERR_TIMEOUT if the deadline or the
 * idle limit passed, ERR_FAILED with EINTR for a caught signal.
 */
int sink_write(struct sink *s, const void *bytes, size_t n,
    struct deadline until, struct err *e);

/* Report a write that failed, or that the limit ended. Both return -1. */
int sink_refused(struct sink *s, int errnum, struct err *e);
int sink_late(struct sink *s, struct deadline limit, struct err *e);

#endif
