/* File descriptors as such: the standard three, whole writes, closing. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a descriptor leads to, as far as reading and writing it differ. */
enum fd_kind {
	FD_REGULAR,  /* a regular file: always ready */
	FD_PIPE,     /* a pipe or FIFO */
	FD_SOCKET,   /* a socket */
	FD_TERMINAL, /* a terminal */
	FD_NULL,     /* /dev/null */
	FD_OTHER     /* another device */
};

enum fd_kind fd_kind(int fd);

/*
 * Where 0, 1 or 2 is closed at the start, holds its number with a placeholder
 * on which every use fails with EBADF, so that no socket ever lands there and
 * is taken for stdin or stdout. To be called before anything is opened.
 */
void fd_hold_standard(void);

/* close(2) that keeps errno, and sets *fd to -1. A negative *fd is left. */
void fd_close(int *fd);

/* Sets close-on-exec. 0, or -1 with errno. */
int fd_close_on_exec(int fd);

/*
 * Writes all n bytes, however long it takes; or ECANCELED once
 * fd_stop_waiting() was called and the reader takes nothing. 0, or -1 with
 * errno.
 */
int fd_write_all(int fd, const void *bytes, size_t n);

/*
 * One write(2) that does not block, to a pipe or terminal that others may have
 * set blocking: once poll(2) reports it writable within timeout_ms. The count,
 * or -1 with errno, EAGAIN when it was not writable.
 */
ssize_t fd_write_ready(int fd, const void *bytes, size_t n, int timeout_ms);

/* The process has to end: no reader is waited for any more. For signal
 * handlers. */
void fd_stop_waiting(void);

/*
 * Opens what fd leads to once more: a descriptor whose flags no other process
 * shares, close-on-exec. Where the system has no way to, for terminals only.
 * The fd, or -1 with errno.
 */
int fd_reopen(int fd, int flags);

/* Bytes that can be read from fd now, as far as the system reports it; else 0.
 */
uint64_t fd_available(int fd);

/* Columns of the terminal fd, or 0 if it does not report them. */
size_t fd_columns(int fd);

/* True when fd is open for reading, or for writing. */
bool fd_is_readable(int fd);
bool fd_is_writable(int fd);

#endif
