/* A download in NAME.part, renamed to NAME when it is complete. */
#include "fetch/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/url.h"
#include "net/wait.h"

/* It is a new file, not one that something else may have open. */
#define FROM_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

/* Longest line of NAME.part.from. */
#define LINE_SIZE (URL_ABSOLUTE_SIZE + 16)

static int
file_error(const char *what, const char *path, struct err *e)
{
	int saved = errno;
	char shown[256];

	return err_sys(e, ERR_OUTPUT, saved, "%s %s", what,
	    text_escape_string(shown, sizeof(shown), path));
}

/* The open partial file. There is at most one. */
static const struct download *opened;
static pid_t opener;

/*
 * Removes an empty partial file. Its size is read in two ways; a file of
 * unknown size is kept.
 */
static void
drop_empty(const struct download *d)
{
	struct stat st;
	off_t size;

	if (d->is_special || d->fd < 0)
		return;
	size = fstat(d->fd, &st) < 0 ? lseek(d->fd, 0, SEEK_END)
	       : S_ISREG(st.st_mode) ? st.st_size
				     : -1;
	if (size != 0)
		return;
	(void)unlink(d->part);
	(void)unlink(d->from);
}

/* Runs at exit(3): after a failed allocation the file is still open. */
static void
drop_opened(void)
{
	if (opened != NULL && getpid() == opener)
		drop_empty(opened);
}

/* Records the open download; NULL: none. */
static void
set_opened(const struct download *d)
{
	if (d != NULL && opener == 0)
		(void)atexit(drop_opened);
	if (d != NULL)
		opener = getpid();
	opened = d;
}

static char *
join(const char *a, const char *b)
{
	size_t size = strlen(a) + strlen(b) + 1;
	char *text = mem_array(1, size);

	snprintf(text, size, "%s%s", a, b);
	return text;
}

/* Locks the partial file, which has only one writer. */
static int
lock(struct download *d, struct err *e)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char shown[256];

	if (fcntl(d->fd, F_SETLK, &whole) == 0 ||
	    (errno != EACCES && errno != EAGAIN))
		return 0;
	return err_set(e, ERR_OUTPUT, "another process is writing %s",
	    text_escape_string(shown, sizeof(shown), d->part));
}

/* Whether path still names the file of st. */
static bool
is_still(const char *path, const struct stat *st)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino;
}

/* Rejects a partial file without the note of an earlier run. */
static int
check_note(const struct download *d, struct err *e)
{
	struct stat note;
	char shown[256];

	if (d->held == 0 || d->may_replace || lstat(d->from, &note) == 0)
		return 0;
	return err_set(e, ERR_OUTPUT,
	    "%s exists and was not left by an earlier run (--force overwrites "
	    "it)",
	    text_escape_string(shown, sizeof(shown), d->part));
}

static int
open_part(struct download *d, struct err *e)
{
	struct stat st;
	char shown[256];

	for (;;) {
		d->fd = open(
		    d->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (d->fd < 0)
			return file_error("writing", d->part, e);
		if (lock(d, e) < 0)
			return -1;
		if (fstat(d->fd, &st) < 0) {
			file_error("writing", d->part, e);
			drop_empty(d);
			return -1;
		}
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_OUTPUT,
			    "%s is not a regular file",
			    text_escape_string(shown, sizeof(shown), d->part));
		if (is_still(d->part, &st))
			break;
		/* Another process completed it between open and lock. */
		fd_close(&d->fd);
	}
	d->held = (int64_t)st.st_size;
	return check_note(d, e);
}

/* Whether path names an open descriptor: such a link is never replaced. */
static bool
is_descriptor(const char *path)
{
	return strcmp(path, "/dev/stdout") == 0 ||
	       strcmp(path, "/dev/stderr") == 0 ||
	       strncmp(path, "/dev/fd/", 8) == 0 ||
	       strncmp(path, "/proc/", 6) == 0;
}

/* Opens a special target itself, or the partial file of a regular one. */
static int
open_target(struct download *d, struct deadline until, struct err *e)
{
	struct stat st;
	char shown[256];

	if (stat(d->target, &st) == 0 &&
	    (!S_ISREG(st.st_mode) || is_descriptor(d->target))) {
		d->is_special = true;
		d->fd = wait_open(d->target, O_WRONLY | O_APPEND, 0, until, e);
		return d->fd < 0 ? -1 : 0;
	}
	/* A link to no file is not replaced either. */
	if (!d->may_replace && lstat(d->target, &st) == 0)
		return err_set(e, ERR_OUTPUT,
		    "%s exists (--force overwrites it)",
		    text_escape_string(shown, sizeof(shown), d->target));
	return open_part(d, e);
}

static void
release(struct download *d)
{
	set_opened(NULL);
	fd_close(&d->fd);
	fd_close(&d->whole);
	free(d->target);
	free(d->part);
	free(d->from);
	free(d->url);
	memset(d, 0, sizeof(*d));
	d->fd = d->whole = -1;
}

int
download_open(
    struct download *d, const struct download_options *o, struct err *e)
{
	memset(d, 0, sizeof(*d));
	d->fd = d->whole = -1;
	d->may_replace = o->may_replace;
	d->target = mem_text(o->target);
	d->part = join(o->target, ".part");
	d->from = join(d->part, ".from");
	d->url = mem_text(o->url);
	if (open_target(d, o->until, e) == 0) {
		set_opened(d);
		return 0;
	}
	release(d);
	return -1;
}

/* Parses one line "KEY VALUE" of the note. */
static void
parse_line(char *line, char *url, struct http_validator *v)
{
	char *value = strchr(line, ' ');

	line[strcspn(line, "\n")] = '\0';
	if (value == NULL)
		return;
	*value++ = '\0';
	if (strcmp(line, "url") == 0)
		snprintf(url, URL_ABSOLUTE_SIZE, "%s", value);
	else if (strcmp(line, "validator") == 0)
		snprintf(v->text, sizeof(v->text), "%s", value);
	else if (strcmp(line, "total") == 0)
		(void)num_parse(value, 0, INT64_MAX, &v->total);
}

bool
download_source(const struct download *d, struct http_validator *v)
{
	char line[LINE_SIZE], noted[URL_ABSOLUTE_SIZE] = "";
	FILE *f;

	http_validator_clear(v);
	f = fopen(d->from, "r");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		parse_line(line, noted, v);
	fclose(f);
	return strcmp(noted, d->url) == 0 && http_validator_is_usable(v);
}

/* Creates NAME.part.from, which the lock of the partial file protects. The fd,
 * or -1 with *e. */
static int
create_from(const struct download *d, struct err *e)
{
	int fd = open(d->from, FROM_FLAGS, 0666);

	if (fd < 0 && errno == EEXIST && unlink(d->from) == 0)
		fd = open(d->from, FROM_FLAGS, 0666);
	return fd < 0 ? file_error("writing", d->from, e) : fd;
}

/* Writes the note: sockt created the partial file, from this version. */
static int
write_source(
    const struct download *d, const struct http_validator *v, struct err *e)
{
	char text[2 * LINE_SIZE], total[32] = "";
	int fd, result;

	snprintf(total, sizeof(total), "total %lld\n", (long long)v->total);
	snprintf(text, sizeof(text), "url %s\n%s%s%s%s", d->url,
	    http_validator_is_usable(v) ? "validator " : "", v->text,
	    http_validator_is_usable(v) ? "\n" : "",
	    v->total >= 0 ? total : "");
	fd = create_from(d, e);
	if (fd < 0)
		return -1;
	result = fd_write_all(fd, text, strlen(text));
	if (result < 0)
		file_error("writing", d->from, e);
	if (close(fd) < 0 && result == 0)
		result = file_error("closing", d->from, e);
	return result;
}

int
download_begin(struct download *d, int64_t offset,
    const struct http_validator *v, struct err *e)
{
	if (d->is_special)
		return 0;
	fd_close(&d->whole);
	/* Remove the old bytes before the note about them: a run that is killed
	 * in between leaves nothing that looks like the new ones. */
	if ((d->held > 0 || d->has_begun) &&
	    (ftruncate(d->fd, (off_t)offset) < 0 ||
		lseek(d->fd, (off_t)offset, SEEK_SET) < 0))
		return file_error("writing", d->part, e);
	d->has_begun = true;
	return offset > 0 ? 0 : write_source(d, v, e);
}

int
download_begin_whole(struct download *d, struct err *e)
{
	fd_close(&d->whole);
	/* What is in the partial file needs its note. */
	if (d->is_special || d->held > 0 || d->has_begun)
		return 0;
	d->whole = create_from(d, e);
	return d->whole < 0 ? -1 : 1;
}

int
download_fd(const struct download *d)
{
	return d->whole >= 0 ? d->whole : d->fd;
}

/* Renames path, a complete file, to the target. 0, or -1 with errno. */
static int
rename_to_target(const struct download *d, const char *path)
{
	if (d->may_replace)
		return rename(path, d->target);
	/* link(2), unlike rename(2), never replaces a newer file. */
	if (link(path, d->target) == 0)
		return unlink(path);
	if (errno == EEXIST || access(d->target, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	return rename(path, d->target);
}

void
download_set_time(const struct download *d, int64_t seconds)
{
	const struct timespec times[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds}};

	if (!d->is_special && d->fd >= 0)
		(void)futimens(download_fd(d), times);
}

static int
overwritten(const char *path, struct err *e)
{
	char shown[256];

	return err_set(e, ERR_OUTPUT, "another process has written %s",
	    text_escape_string(shown, sizeof(shown), path));
}

/*
 * Closes the partial file, since some file systems report a full disk only
 * then, and reopens it. Closing releases the lock, so this checks that no other
 * process has written to the file.
 */
static int
reopen_part(struct download *d, struct err *e)
{
	struct stat before, now;
	int fd = d->fd;

	if (fstat(fd, &before) < 0)
		return file_error("closing", d->part, e);
	d->fd = -1;
	if (close(fd) < 0)
		return file_error("closing", d->part, e);
	d->fd = open(d->part, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0)
		return file_error("naming", d->part, e);
	if (lock(d, e) < 0)
		return -1;
	if (fstat(d->fd, &now) == 0 && is_still(d->part, &now) &&
	    now.st_ino == before.st_ino && now.st_size == before.st_size)
		return 0;
	return overwritten(d->part, e);
}

/* Names a body that is whole in NAME.part.from. */
static int
commit_whole(struct download *d, struct err *e)
{
	struct stat st;
	int fd = d->whole;

	if (fstat(fd, &st) < 0)
		return file_error("closing", d->from, e);
	d->whole = -1;
	if (close(fd) < 0)
		return file_error("closing", d->from, e);
	if (!is_still(d->from, &st))
		return overwritten(d->from, e);
	if (rename_to_target(d, d->from) < 0)
		return file_error("naming", d->target, e);
	if (unlink(d->part) < 0 && errno != ENOENT)
		return file_error("removing", d->part, e);
	fd_close(&d->fd);
	return 0;
}

/* Closes a device or FIFO. */
static int
commit_special(struct download *d, struct err *e)
{
	int fd = d->fd;

	d->fd = -1;
	return close(fd) < 0 ? file_error("closing", d->target, e) : 0;
}

int
download_commit(struct download *d, struct err *e)
{
	if (d->is_special)
		return commit_special(d, e);
	if (d->whole >= 0)
		return commit_whole(d, e);
	if (reopen_part(d, e) < 0)
		return -1;
	if (rename_to_target(d, d->part) < 0)
		return file_error("naming", d->target, e);
	fd_close(&d->fd);
	if (unlink(d->from) < 0 && errno != ENOENT)
		return file_error("removing", d->from, e);
	return 0;
}

void
download_close(struct download *d)
{
	drop_empty(d);
	release(d);
}
