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

/* Who may use a path: mode -1, and an id of -1, mean the default. */
struct unix_path_access {
	int mode; /* permission bits, 0 to 0777 */
	uid_t uid;
	gid_t gid;
};

#define UNIX_PATH_ACCESS_INIT                \
	{                                    \
		-1, (uid_t)(-1), (gid_t)(-1) \
	}

/* Whether an owner or a mode is given; access may be NULL. */
bool unix_path_is_restricted(const struct unix_path_access *access);

/*
 * Parses "USER", "USER:GROUP" or ":GROUP": names, or else numbers. Returns 0,
 * or -1 with ERR_USAGE.
 */
int unix_path_parse_owner(
    struct unix_path_access *access, const char *text, struct err *e);

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
 * Binds fd to a and records the file that bind(2) creates, with the owner and
 * mode of *access, if it is not NULL. At no time is it open to others. Returns
 * 0, or -1 with errno and no file: CAUSE_OWNER_DENIED (base/err.h) if the owner
 * could not be set.
 */
int unix_path_bind(struct unix_path *p, int fd, const struct addr *a,
    const struct unix_path_access *access);

/* Removes the path if it is still that file; warns if it cannot. */
void unix_path_remove(struct unix_path *p, const struct addr *a);

/* Whether a is a path at which a file other than a socket exists. */
bool unix_path_is_other(const struct addr *a);

#endif
