/*
 * Moving bytes between descriptors inside the kernel: splice(2) in
 * splice_linux.c; splice_posix.c, its portable twin, moves nothing.
 */
#ifndef RELAY_SPLICE_H
#define RELAY_SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fd.h"

/* The size that splice_grow_pipe() asks for, in bytes. */
#define SPLICE_PIPE_SIZE (1024 * 1024)

/*
 * Whether splice_move() may be tried from one kind to another: one of them is a
 * pipe. False everywhere on a system that cannot; true is not a promise, for it
 * also depends on the file.
 */
bool splice_can_move(enum fd_kind in, enum fd_kind out);

/*
 * Moves at most n bytes from in to out without copying them through this
 * process: splice(2). Pipes never block; a socket has to be
 * non-blocking, or it may. Returns the count; 0 when there is nothing, which
 * only read(2) can distinguish from the end of in; or -1 with errno: EAGAIN
 * when in has nothing now or out takes nothing, ENOTSUP when these two cannot,
 * else what the socket or out met.
 */
ssize_t splice_move(int in, int out, size_t n);

/* Makes a pipe as large as is permitted; a hint. */
void splice_grow_pipe(int fd);

/*
 * Receives and drops at most n bytes of a connection without waiting; as
 * recv(2). space, which has size bytes, fewer perhaps than n, is overwritten or
 * not.
 */
ssize_t splice_drop(int fd, void *space, size_t size, size_t n);

#endif
