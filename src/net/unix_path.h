/*
 * The path of a unix server's socket: taking it over from a server that has
 * exited, and removing it if it still belongs to this one. Other files and
 * sockets are never removed.
 */
#ifndef NET_UNIX_PATH_H
#define NET_UNIX_PATH_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct addr;
struct err;

/* A path that this process has bound; zero it first. */
struct unix_path {
	bool is_bound;
	dev_t device;
	ino_t inode;
};

/* Whether a is a path: neither an IP address nor an abstract name. */
bool unix_path_has(const struct addr *a);

/*
 * Removes the path if it is a socket on which nobody listens or receives: a
 * connect(2) of the type (SOCK_STREAM, SOCK_DGRAM) is refused. Returns 0, or -1
 * with errno: EADDRINUSE for anything else at the path.
 */
int unix_path_clear(const struct addr *a, int type);

/*
 * Binds fd to a and records the file that bind(2) creates. mode is its
 * permissions, 0 to 0777, at no time more; -1: by the umask. Returns 0, or -1
 * with errno and no file.
 */
int unix_path_bind(struct unix_path *p, int fd, const struct addr *a, int mode);

/* Removes the path if it is still that file; warns if it cannot. */
void unix_path_remove(struct unix_path *p, const struct addr *a);

/* Whether a is a path at which a file other than a socket exists. */
bool unix_path_is_other(const struct addr *a);

#endif
