/*
 * The path of a unix server's socket: taking it over from a server that has
 * ended, and removing it if it still belongs to this one. Nobody else's file or
 * socket is ever removed.
 */
#ifndef NET_UNIX_PATH_H
#define NET_UNIX_PATH_H

#include <stdbool.h>
#include <sys/stat.h>

struct addr;

/* A path that this process has bound; to be zero before. */
struct unix_path {
	bool is_ours;
	dev_t device;
	ino_t inode;
};

/* Whether a names a socket by a path: not an IP address, nor abstract. */
bool unix_path_has(const struct addr *a);

/*
 * Locks the folder of the path, so that no other sockt looks at the path while
 * this one binds it and begins to listen: until then it looks like that of a
 * server that is gone. Waits for at most five seconds. The lock is a
 * descriptor, the caller's to close; or -1 where there is none, and the caller
 * goes on without.
 */
int unix_path_lock(const struct addr *a);

/*
 * Removes the path where it is a socket of the type (SOCK_STREAM, SOCK_DGRAM)
 * that nobody holds any more. 0, or -1 with errno: EADDRINUSE for everything
 * else that is there.
 */
int unix_path_clear(const struct addr *a, int type);

/*
 * Notes which file a bind(2) to a has just made. 0; or -1 with errno when that
 * cannot be found out, and the file is removed again.
 */
int unix_path_note(struct unix_path *p, const struct addr *a);

/* Removes the path, if it is still that file; warns when it cannot. */
void unix_path_remove(struct unix_path *p, const struct addr *a);

/* Whether a is a path where something else is than a socket. */
bool unix_path_is_other(const struct addr *a);

#endif
