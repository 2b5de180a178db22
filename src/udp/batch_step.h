/* The steps of -vv for calls that move datagrams: one per datagram. */
#ifndef UDP_BATCH_STEP_H
#define UDP_BATCH_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;

/* A call whose datagrams are reported one after another. */
struct batch_step {
	int fd;
	bool is_send;
	bool is_truncated; /* a received datagram was truncated */
	int64_t start_ns;  /* from step_start() */
};

/*
 * Reports a datagram of n bytes to or from remote (len 0: the connected peer,
 * or an unnamed socket) or, if n is -1, that the call failed with errno.
 * Preserves errno.
 */
void batch_step_report(
    struct batch_step *s, const struct addr *remote, ssize_t n);

#endif
