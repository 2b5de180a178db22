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
	FD_PACKETS,  /* a socket that keeps messages apart: sock_kind() */
	FD_TERMINAL, /* a terminal */
	FD_NULL,     /* /dev/null */
	FD_OTHER     /* another device */
};

/* Returns the type of fd; FD_OTHER if it is -1. */
enum fd_kind fd_kind(int fd);

/*
 * Occupies those of 0, 1 and 2 that are closed at the start with a placeholder
 * on which every use fails with EBADF: no socket is mistaken for stdin or
 * stdout. Call it before anything is opened. fd_was_closed() tells whether fd
 * was closed.
 */
void fd_reserve_standard(void);
bool fd_was_closed(int fd);

/* close(2) that preserves errno and sets *fd to -1. Ignores a negative *fd. */
void fd_close(int *fd);

/* Returns the descriptor that a path names, /dev/stdout or /dev/fd/7, or -1. To
 * open it again would truncate the file or write over its beginning. */
int fd_named(const char *path);

/* Whether an output, path or if that is NULL fd, is the regular file that stdin
 * reads. To open it would empty it, or stdin would read what is written. */
bool fd_is_input(const char *path, int fd);

/* The error of an output that is the input, with its name. */
#define FD_INPUT_ERROR "%s is the file that stdin reads"

/* pipe2(2), close-on-exec. ends[0] is the read end, ends[1] the write end.
 * Returns 0, or -1 with errno. */
int fd_pipe(int ends[2], bool nonblocking);

/*
 * Writes all n bytes, however long that takes, but fails with ECANCELED after
 * fd_stop_waiting() if the reader accepts nothing. Returns 0, or -1 with errno.
 */
int fd_write_all(int fd, const void *bytes, size_t n);

/* fd_write_all() with a deadline. Returns the number of bytes accepted. */
size_t fd_write_until(
    int fd, const void *bytes, size_t n, struct deadline until);

/* The signal that interrupts a call. It is ignored by default: it harms nobody.
 */
#define FD_SIGNAL SIGURG

/*
 * read(2) and write(2) of a descriptor that poll(2) reported ready, but that
 * other processes share: one of them may be first, and a terminal may accept
 * only a part. A timer interrupts a call that blocks by FD_SIGNAL, which
 * signals_init() (net/signals.h) catches. They return the count, or -1 with
 * errno: EINTR if the call had to wait.
 */
ssize_t fd_read_briefly(int fd, void *space, size_t size);
ssize_t fd_write_briefly(int fd, const void *bytes, size_t n);

/* fd_write_briefly() to a pipe or terminal. Returns the count, or -1 with
 * errno: EAGAIN if poll(2) does not report it writable within timeout_ms. */
ssize_t fd_write_ready(int fd, const void *bytes, size_t n, int timeout_ms);

/* Stops waiting for readers, since the process must exit. Signal handlers may
 * call it. */
void fd_stop_waiting(void);

/* Returns how many bytes can be read from fd now; 0 if the system does not
 * report it. */
uint64_t fd_available(int fd);

/* Whether fd is known to be at its end, without reading. False for a terminal
 * or another device, which do not show it. */
bool fd_has_ended(int fd);

/*
 * Opens a regular file or a folder below the folder dir for reading,
 * close-on-exec, without following a symbolic link. Other files are refused:
 * opening a FIFO for a moment would kill its writer. path is relative ("" is
 * dir), without "." and ".."; with a slash at its end, it is a folder. Returns
 * the fd, which the caller closes, or -1 with errno.
 */
int fd_open_beneath(int dir, const char *path);

/* Raises the limit of open descriptors as far as the system permits
 * (setrlimit(2), RLIMIT_NOFILE), and returns it. */
uint32_t fd_raise_limit(void);

/* Whether fd is open for reading (O_RDONLY), or for writing (O_WRONLY). */
bool fd_permits(int fd, int mode);

/* Whether reading fd does not stop this process. A terminal stops a process in
 * the background that reads it (SIGTTIN). False if fd is -1. */
bool fd_is_foreground(int fd);

#endif
