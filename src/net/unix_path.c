/* Replaces a stale unix socket file, and removes the new one at the end. */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
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

/* Whether the owner or the group is given. */
static bool
has_owner(const struct unix_path_access *access)
{
	return access->uid != (uid_t)-1 || access->gid != (gid_t)-1;
}

/* Parses a number for which there is no name. */
static bool
parse_id(const char *text, unsigned *id)
{
	int64_t n;

	/* The last number means none. */
	if (!num_parse(text, 0, UINT32_MAX - 1, &n))
		return false;
	*id = (unsigned)n;
	return true;
}

static int
parse_user(struct unix_path_access *access, const char *name, struct err *e)
{
	const struct passwd *pw = getpwnam(name);
	char shown[64];
	unsigned id;

	if (pw == NULL && !parse_id(name, &id))
		return err_set(e, ERR_USAGE, "there is no user '%s'",
		    text_escape_string(shown, sizeof(shown), name));
	access->uid = pw != NULL ? pw->pw_uid : id;
	return 0;
}

static int
parse_group(struct unix_path_access *access, const char *name, struct err *e)
{
	const struct group *group = getgrnam(name);
	char shown[64];
	unsigned id;

	if (group == NULL && !parse_id(name, &id))
		return err_set(e, ERR_USAGE, "there is no group '%s'",
		    text_escape_string(shown, sizeof(shown), name));
	access->gid = group != NULL ? group->gr_gid : id;
	return 0;
}

int
unix_path_parse_owner(
    struct unix_path_access *access, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	char user[256];

	snprintf(user, sizeof(user), "%.*s", (int)strcspn(text, ":"), text);
	if ((colon == NULL || user[0] != '\0') &&
	    parse_user(access, user, e) < 0)
		return -1;
	return colon == NULL ? 0 : parse_group(access, colon + 1, e);
}

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

/* Records the file at the path. Returns 0, or -1 with errno. */
static int
note(struct unix_path *p, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -1;
	p->is_bound = true;
	p->device = st.st_dev;
	p->inode = st.st_ino;
	return 0;
}

bool
unix_path_is_restricted(const struct unix_path_access *access)
{
	return access != NULL && (access->mode >= 0 || has_owner(access));
}

/*
 * bind(2), whose file gets no permission that *access does not give. With
 * another owner it gets none at all at first: the permissions of a group would
 * be those of this process's group.
 */
static int
bind_closed(int fd, const struct addr *a, const struct unix_path_access *access,
    mode_t *mode)
{
	mode_t mask = umask(0777);
	int result, saved;

	*mode = access->mode >= 0 ? (mode_t)access->mode : 0777 & ~mask;
	if (!has_owner(access))
		umask(0777 & ~*mode);
	result = sock_bind(fd, a);
	saved = errno;
	umask(mask);
	errno = saved;
	return result;
}

static void
report_change(const char *call, const char *path, int64_t start, int result)
{
	char shown[256];

	step_report(&(struct step){.call = call,
			.start_ns = start,
			.errnum = result < 0 ? errno : 0,
			.note = "decides who may connect"},
	    "%s", text_escape_string(shown, sizeof(shown), path));
}

/*
 * Sets the owner, then the mode, even where an access control list of the
 * directory has overridden the umask. Neither follows a symbolic link that
 * somebody has put there.
 */
static int
set_access(const char *path, const struct unix_path_access *access, mode_t mode)
{
	int64_t start = step_start();
	int result;

	if (has_owner(access)) {
		result = lchown(path, access->uid, access->gid);
		report_change("chown", path, start, result);
		if (result < 0) {
			errno = errno == EPERM ? CAUSE_OWNER_DENIED : errno;
			return -1;
		}
	}
	start = step_start();
	result = fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
	/* Some systems have no such call for files that may be links. */
	if (result < 0 && (errno == ENOTSUP || errno == EOPNOTSUPP))
		result = chmod(path, mode);
	report_change("chmod", path, start, result);
	return result;
}

int
unix_path_bind(struct unix_path *p, int fd, const struct addr *a,
    const struct unix_path_access *access)
{
	const char *path = a->u.un.sun_path;
	bool is_restricted = unix_path_is_restricted(access);
	mode_t mode = 0;
	int saved;

	p->is_bound = false;
	if ((is_restricted ? bind_closed(fd, a, access, &mode)
			   : sock_bind(fd, a)) < 0)
		return -1;
	if (note(p, path) == 0 &&
	    (!is_restricted || set_access(path, access, mode) == 0))
		return 0;
	saved = errno;
	p->is_bound = false;
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
