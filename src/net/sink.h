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
	/* The descriptor, which the caller owns; with -1 bytes are discarded.
	 */
	int fd;
	enum fd_kind kind;
	/* Its name in errors, "stdout" or a path. The caller owns it. */
	const char *name;
	/* Control characters are escaped. */
	bool is_escaped;
	/* The longest time in which fd may accept nothing. The caller sets it
	 * after sink_init(), which sets no limit. */
	struct limit idle;
	/* How many bytes were accepted so far, before they were escaped. */
	uint64_t bytes;
	/* A write has failed, or took too long. */
	bool has_failed;
	/* The beginning of an incomplete character. */
	unsigned char partial[4];
	size_t partial_length;
};

/* Prepares *s. With escapes, control characters are escaped if fd is a
 * terminal.
 */
void sink_init(struct sink *s, int fd, const char *name, bool escapes);

/*
 * Writes all n bytes. If n is 0, writes the bytes of an incomplete character.
 * Returns 0, or -1 with *e set: ERR_OUTPUT, ERR_TIMEOUT if the deadline or the
 * idle limit passed, ERR_FAILED with EINTR for a caught signal.
 */
int sink_write(struct sink *s, const void *bytes, size_t n,
    struct deadline until, struct err *e);

/* Set *e for a write that has failed with errnum, or was ended by the limit.
 * Both return -1. */
int sink_refused(struct sink *s, int errnum, struct err *e);
int sink_late(struct sink *s, struct deadline limit, struct err *e);

#endif
