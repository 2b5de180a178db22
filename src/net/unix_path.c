/* Replaces a stale unix socket file, and removes the new one at the end. */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/call.h"
#include "net/sock.h"

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

int
unix_path_clear(const struct addr *a, int type)
{
	const char *path = a->u.un.sun_path;
	int fd, errnum = 0;
	struct stat st;

	if (unix_path_has(a) && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (fd = sock_open(AF_UNIX, type)) >= 0) {
		if (call_connect(fd, a) < 0)
			errnum = errno;
		sock_close(&fd);
	}
	if (errnum == ECONNREFUSED)
		return unlink(path);
	errno = EADDRINUSE;
	return -1;
}

/*
 * Sets the mode even where an access control list of the directory has
 * overridden the umask. Does not follow a symbolic link that somebody has put
 * there, where the system has such a call for files that may be links.
 */
static int
set_mode(const char *path, mode_t mode)
{
	int result = fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);

	if (result < 0 && (errno == ENOTSUP || errno == EOPNOTSUPP))
		result = chmod(path, mode);
	return result;
}

int
unix_path_bind(struct unix_path *p, int fd, const struct addr *a, int mode)
{
	const char *path = a->u.un.sun_path;
	mode_t mask = 0;
	struct stat st;
	int result, saved;

	if (mode >= 0)
		mask = umask(0777 & ~(mode_t)mode);
	result = sock_bind(fd, a);
	saved = errno;
	if (mode >= 0)
		umask(mask);
	errno = saved;
	p->is_bound = false;
	if (result < 0)
		return -1;
	if (lstat(path, &st) == 0 &&
	    (mode < 0 || set_mode(path, (mode_t)mode) == 0)) {
		*p = (struct unix_path){true, st.st_dev, st.st_ino};
		return 0;
	}
	saved = errno;
	unlink(path);
	errno = saved;
	return -1;
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
