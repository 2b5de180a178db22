/* Replaces a stale unix socket file, and removes the new one at the end. */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/addr.h"
#include "net/call.h"
#include "net/sock.h"
#include "net/wait.h"

/*
 * How long to wait for the directory's lock, and the interval between attempts.
 */
#define LOCK_MS 5000
#define LOCK_PAUSE_MS 10

/*
 * A server of another program may be between bind(2) and listen(2), and does
 * not use this lock: it gets this long to finish.
 */
#define STALE_MS 50

bool
unix_path_has(const struct addr *a)
{
	return addr_is_unix(a) && a->u.un.sun_path[0] != '\0';
}

bool
unix_path_is_other(const struct addr *a)
{
	struct stat st;

	return unix_path_has(a) && stat(a->u.un.sun_path, &st) == 0 &&
	       !S_ISSOCK(st.st_mode);
}

static int
open_folder(const char *path)
{
	char folder[sizeof(((struct addr *)NULL)->u.un.sun_path) + 1];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n == 0)
		n = 1;
	memcpy(folder, path, n);
	folder[n] = '\0';
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
unix_path_lock(const struct addr *a)
{
	int fd = open_folder(a->u.un.sun_path);

#ifdef LOCK_EX
	struct deadline until = deadline_after(LOCK_MS);

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || deadline_passed(until) ||
		    wait_until(deadline_after(LOCK_PAUSE_MS)) < 0)
			fd_close(&fd);
	}
#endif
	return fd;
}

/* Whether connect(2) reports that no process has the socket open. */
static bool
is_refused(const struct addr *a, int type)
{
	int fd = sock_open(AF_UNIX, type), errnum = 0;

	if (fd < 0)
		return false;
	if (call_connect(fd, a) < 0)
		errnum = errno;
	sock_close(&fd);
	return errnum == ECONNREFUSED;
}

/*
 * The inode number of a removed file may be reused at once, but not with the
 * same time.
 */
static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int
unix_path_clear(const struct addr *a, int type)
{
	const char *path = a->u.un.sun_path;
	struct stat first, last;

	if (unix_path_has(a) && lstat(path, &first) == 0 &&
	    S_ISSOCK(first.st_mode) && is_refused(a, type) &&
	    wait_until(deadline_after(STALE_MS)) == 0 && is_refused(a, type) &&
	    lstat(path, &last) == 0 && is_same(&first, &last))
		return unlink(path);
	errno = EADDRINUSE;
	return -1;
}

int
unix_path_note(struct unix_path *p, const struct addr *a)
{
	const char *path = a->u.un.sun_path;
	struct stat st;
	int saved;

	p->is_bound = false;
	if (!unix_path_has(a))
		return 0;
	if (lstat(path, &st) < 0) {
		saved = errno;
		unlink(path);
		errno = saved;
		return -1;
	}
	p->is_bound = true;
	p->device = st.st_dev;
	p->inode = st.st_ino;
	return 0;
}

/*
 * Removes the path if it is still the recorded file. Returns 0, or -1 with
 * errno if it may still exist.
 */
static int
remove_noted(const struct unix_path *p, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode) || st.st_dev != p->device ||
	    st.st_ino != p->inode)
		return 0;
	return unlink(path) < 0 && errno != ENOENT ? -1 : 0;
}

void
unix_path_remove(struct unix_path *p, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (p->is_bound && remove_noted(p, a->u.un.sun_path) < 0)
		diag_warn("%s could not be removed: %s",
		    addr_format(a, text, sizeof(text)),
		    err_reason(errno, ERR_AT_FILE));
	p->is_bound = false;
}
