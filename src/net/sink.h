/*
 * Where received bytes go: a descriptor that may be slow, full or a terminal,
 * written to without O_NONBLOCK and never past a deadline.
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
	int fd;       /* the caller's; -1: bytes are dropped */
	int terminal; /* a descriptor that no other process shares; -1: not
			 needed */
	enum fd_kind kind;
	const char *name; /* in errors: "stdout", a path; the caller's */
	bool is_escaped;  /* what would steer a terminal is made visible */
	uint64_t bytes;   /* taken so far, before escaping */
	bool has_failed;  /* it refused bytes, or was late to take them */
	unsigned char partial[4]; /* the beginning of a character */
	size_t partial_length;
};

/* escapes: where fd is a terminal, what would steer it is escaped. */
void sink_init(struct sink *s, int fd, const char *name, bool escapes);

/*
 * Writes all n bytes. 0, or -1 with *e: ERR_OUTPUT, ERR_TIMEOUT when the
 * deadline passed, ERR_FAILED with EINTR for a caught signal.
 */
int sink_write(struct sink *s, const void *bytes, size_t n,
    struct deadline until, struct err *e);

/* It took nothing more, errnum says why; or nothing within that limit. Return
 * -1. */
int sink_refused(struct sink *s, int errnum, struct err *e);
int sink_late(struct sink *s, struct deadline limit, struct err *e);

/* Closes what sink_init() opened. A sink that was only initialized needs none
 * where it lives as long as the process. */
void sink_release(struct sink *s);

/* Writes what was kept back of a character that never was finished. */
int sink_finish(struct sink *s, struct deadline until, struct err *e);

#endif
