/* File descriptors: the standard three, complete writes, closing. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

/* The type of an open file, as far as reading and writing depend on it. */
enum fd_kind {
	FD_REGULAR,  /* a regular file: always ready */
	FD_PIPE,     /* a pipe or FIFO */
	FD_SOCKET,   /* a socket */
	FD_TERMINAL, /* a terminal */
	FD_NULL,     /* /dev/null */
	FD_OTHER     /* another device */
};

/* FD_OTHER if fd is -1. */
enum fd_kind fd_kind(int fd);

/*
 * If 0, 1 or 2 is closed at the start, occupies it with a placeholder on which
 * every use fails with EBADF, so that no socket gets that number and is
 * mistaken for stdin or stdout. Call it before anything is opened.
 */
void fd_reserve_standard(void);

/* close(2) that preserves errno and sets *fd to -1. Ignores a negative *fd. */
void fd_close(int *fd);

/*
 * The descriptor that a path names, /dev/stdout or /dev/fd/7, or -1. Opening
 * that again would truncate its file, or write over its beginning.
 */
int fd_named(const char *path);

/*
 * Opens a close-on-exec pipe: ends[0] is read, ends[1] written. Returns 0, or
 * -1 with errno.
 */
int fd_pipe(int ends[2], bool nonblocking);

/*
 * Writes all n bytes without a time limit, but fails with ECANCELED once
 * fd_stop_waiting() was called and the reader accepts nothing. Returns 0, or -1
 * with errno.
 */
int fd_write_all(int fd, const void *bytes, size_t n);

/* The same until a deadline. Returns how many bytes were accepted. */
size_t fd_write_until(
    int fd, const void *bytes, size_t n, struct deadline until);

/*
 * One write(2) that does not block, to a pipe or terminal that other processes
 * may have set blocking: it writes if poll(2) reports it writable within
 * timeout_ms. Returns the count, or -1 with errno, EAGAIN if it was not
 * writable.
 */
ssize_t fd_write_ready(int fd, const void *bytes, size_t n, int timeout_ms);

/*
 * Stops waiting for readers, because the process must exit. Safe in signal
 * handlers.
 */
void fd_stop_waiting(void);

/*
 * Opens the file of fd again, close-on-exec, as an open file whose flags no
 * other process shares. On systems without a way to do so, it works for
 * terminals only. Returns the fd, or -1 with errno.
 */
int fd_reopen(int fd, int flags);

/*
 * The number of bytes that can be read from fd now; 0 if the system does not
 * report it.
 */
uint64_t fd_available(int fd);

/* Columns of the terminal fd, or 0 if it does not report them. */
size_t fd_columns(int fd);

/* Whether fd is open for reading, or for writing. */
bool fd_is_readable(int fd);
bool fd_is_writable(int fd);

/*
 * Whether a read of fd does not stop this process, as one of its terminal stops
 * a background process (SIGTTIN); false if fd is -1.
 */
bool fd_is_foreground(int fd);

#endif
