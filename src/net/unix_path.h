/*
 * The path of a unix server's socket: taking it over from a server that has
 * exited, and removing it if it still belongs to this one. Other files and
 * sockets are never removed.
 */
#ifndef NET_UNIX_PATH_H
#define NET_UNIX_PATH_H

#include <stdbool.h>
#include <sys/stat.h>

struct addr;

/* A path that this process has bound; zero it first. */
struct unix_path {
	bool is_bound;
	dev_t device;
	ino_t inode;
};

/* Whether a is a path: neither an IP address nor an abstract name. */
bool unix_path_has(const struct addr *a);

/*
 * Locks the directory of the path, so that no other sockt inspects the path
 * between bind(2) and listen(2), while it looks stale. Waits for at most five
 * seconds. Returns the descriptor of the lock, which the caller closes, or -1
 * if it could not be locked; the caller then continues without it.
 */
int unix_path_lock(const struct addr *a);

/*
 * Removes the path if it is a socket of the type (SOCK_STREAM, SOCK_DGRAM) that
 * no process has open. Returns 0, or -1 with errno: EADDRINUSE for anything
 * else at the path.
 */
int unix_path_clear(const struct addr *a, int type);

/*
 * Records which file bind(2) to a has just created. Returns 0; or -1 with errno
 * if stat(2) fails, after removing the file.
 */
int unix_path_note(struct unix_path *p, const struct addr *a);

/* Removes the path if it is still that file; warns if it cannot. */
void unix_path_remove(struct unix_path *p, const struct addr *a);

/* Whether a is a path at which a file other than a socket exists. */
bool unix_path_is_other(const struct addr *a);

#endif
