/* Moves bytes between descriptors inside the kernel: splice(2) in
 * splice_linux.c; splice_posix.c, its portable twin, moves nothing. */
#ifndef RELAY_SPLICE_H
#define RELAY_SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fd.h"

/* The pipe size that splice_grow_pipe() requests, in bytes. */
#define SPLICE_PIPE_SIZE (1024 * 1024)

/*
 * Whether to try splice_move() between two kinds of files, one of which must be
 * a pipe. It may still fail, depending on the file. Always false on a system
 * without splice(2).
 */
bool splice_can_move(enum fd_kind in, enum fd_kind out);

/*
 * Moves at most n bytes from in to out without copying them through this
 * process: splice(2). Pipes never block; a socket must be non-blocking, or the
 * call may block. Returns the number of bytes; 0 when there is no data, which
 * only read(2) can distinguish from the end of in; or -1 with errno: EAGAIN
 * when in has no data now or out is full, ENOTSUP when the two do not support
 * it, otherwise the error of the socket or of out.
 */
ssize_t splice_move(int in, int out, size_t n);

/* Enlarges a pipe as far as permitted; a hint. */
void splice_grow_pipe(int fd);

#endif
