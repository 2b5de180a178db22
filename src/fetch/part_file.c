/* A download in NAME.part, renamed to NAME when it is complete. */
#include "fetch/part_file.h"

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
#include "http/http_validator.h"
#include "http/url.h"

/* The note is a new file, not one that something else may have open. */
#define FROM_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

/* Longest line of NAME.part.from. */
#define LINE_SIZE (URL_ABSOLUTE_SIZE + 16)

static int
file_error(const char *what, const char *path, struct err *e)
{
	int saved = errno;

	return err_sys(e, ERR_OUTPUT, saved, "%s %s", what, text_shown(path));
}

/* Locks the partial file, which has only one writer. */
static int
lock(struct part_file *f, struct err *e)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(f->fd, F_SETLK, &whole) == 0 ||
	    (errno != EACCES && errno != EAGAIN))
		return 0;
	return err_set(e, ERR_OUTPUT, "another process is writing %s",
	    text_shown(f->part));
}

/* Whether path still names the file of st. */
static bool
is_still(const char *path, const struct stat *st)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino;
}

static int
open_part(struct part_file *f, struct err *e)
{
	struct stat st, note;

	for (;;) {
		f->fd = open(
		    f->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (f->fd < 0)
			return file_error("writing", f->part, e);
		if (lock(f, e) < 0)
			return -1;
		if (fstat(f->fd, &st) < 0)
			return file_error("writing", f->part, e);
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_OUTPUT,
			    "%s is not a regular file", text_shown(f->part));
		if (is_still(f->part, &st))
			break;
		/* Another process completed it between open and lock. */
		fd_close(&f->fd);
	}
	f->held = (int64_t)st.st_size;
	if (f->held == 0 || f->may_replace || lstat(f->from, &note) == 0)
		return 0;
	return err_set(e, ERR_OUTPUT,
	    "%s exists and was not left by an earlier run (--force overwrites "
	    "it)",
	    text_shown(f->part));
}

static void
release(struct part_file *f)
{
	fd_close(&f->fd);
	free(f->target);
	free(f->part);
	free(f->from);
	free(f->url);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

int
part_file_open(
    struct part_file *f, const char *target, const char *url, struct err *e)
{
	size_t size = strlen(target) + sizeof(".part.from");
	struct stat st;

	f->fd = -1;
	f->target = mem_text(target);
	f->url = mem_text(url);
	f->part = mem_array(1, size);
	f->from = mem_array(1, size);
	snprintf(f->part, size, "%s.part", target);
	snprintf(f->from, size, "%s.part.from", target);
	/* A link to no file is not replaced either. */
	if (!f->may_replace && lstat(target, &st) == 0)
		err_set(e, ERR_OUTPUT, "%s exists (--force overwrites it)",
		    text_shown(target));
	else if (open_part(f, e) == 0)
		return 0;
	release(f);
	return -1;
}

bool
part_file_source(const struct part_file *f, struct http_validator *v)
{
	char line[LINE_SIZE], noted[URL_ABSOLUTE_SIZE] = "", *value;
	FILE *from = fopen(f->from, "r");

	http_validator_clear(v);
	if (from == NULL)
		return false;
	while (fgets(line, sizeof(line), from) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, ' ');
		if (value == NULL)
			continue;
		*value++ = '\0';
		if (strcmp(line, "url") == 0)
			snprintf(noted, sizeof(noted), "%s", value);
		else if (strcmp(line, "validator") == 0)
			snprintf(v->text, sizeof(v->text), "%s", value);
		else if (strcmp(line, "total") == 0)
			(void)num_parse(value, 0, INT64_MAX, &v->total);
	}
	fclose(from);
	return strcmp(noted, f->url) == 0 && http_validator_is_usable(v);
}

/*
 * Writes the note, which the lock of the partial file protects: sockt created
 * that file, from this version.
 */
static int
write_source(
    const struct part_file *f, const struct http_validator *v, struct err *e)
{
	char text[2 * LINE_SIZE];
	int fd, result;

	snprintf(text, sizeof(text), "url %s\n", f->url);
	if (http_validator_is_usable(v))
		text_append(text, sizeof(text), "validator %s\n", v->text);
	if (v->total >= 0)
		text_append(
		    text, sizeof(text), "total %lld\n", (long long)v->total);
	fd = open(f->from, FROM_FLAGS, 0666);
	if (fd < 0 && errno == EEXIST && unlink(f->from) == 0)
		fd = open(f->from, FROM_FLAGS, 0666);
	if (fd < 0)
		return file_error("writing", f->from, e);
	result = fd_write_all(fd, text, strlen(text));
	if (result < 0)
		file_error("writing", f->from, e);
	if (close(fd) < 0 && result == 0)
		result = file_error("closing", f->from, e);
	return result;
}

int
part_file_begin(struct part_file *f, int64_t offset,
    const struct http_validator *v, struct err *e)
{
	/* Remove the old bytes before the note about them: a run that is killed
	 * in between leaves nothing that looks like the new ones. */
	if ((f->held > 0 || f->has_begun) &&
	    (ftruncate(f->fd, (off_t)offset) < 0 ||
		lseek(f->fd, (off_t)offset, SEEK_SET) < 0))
		return file_error("writing", f->part, e);
	f->has_begun = true;
	return offset > 0 ? 0 : write_source(f, v, e);
}

/*
 * Closes the partial file, since some file systems report a full disk only
 * then, and reopens it. Closing releases the lock, so this checks that no other
 * process has written to the file.
 */
static int
reopen_part(struct part_file *f, struct err *e)
{
	struct stat before, now;
	int fd = f->fd;

	if (fstat(fd, &before) < 0)
		return file_error("closing", f->part, e);
	f->fd = -1;
	if (close(fd) < 0)
		return file_error("closing", f->part, e);
	f->fd = open(f->part, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (f->fd < 0)
		return file_error("naming", f->part, e);
	if (lock(f, e) < 0)
		return -1;
	if (fstat(f->fd, &now) == 0 && is_still(f->part, &now) &&
	    now.st_ino == before.st_ino && now.st_size == before.st_size)
		return 0;
	return err_set(e, ERR_OUTPUT, "another process has written %s",
	    text_shown(f->part));
}

/* Renames the partial file to the target. 0, or -1 with errno. */
static int
rename_part(const struct part_file *f)
{
	if (f->may_replace)
		return rename(f->part, f->target);
	/* link(2), unlike rename(2), never replaces a newer file. */
	if (link(f->part, f->target) == 0)
		return unlink(f->part);
	if (errno == EEXIST || access(f->target, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	return rename(f->part, f->target);
}

int
part_file_commit(struct part_file *f, struct err *e)
{
	if (reopen_part(f, e) < 0)
		return -1;
	if (rename_part(f) < 0)
		return file_error("naming", f->target, e);
	fd_close(&f->fd);
	if (unlink(f->from) < 0 && errno != ENOENT)
		return file_error("removing", f->from, e);
	return 0;
}

void
part_file_close(struct part_file *f)
{
	struct stat st;

	if (f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_size == 0) {
		(void)unlink(f->part);
		(void)unlink(f->from);
	}
	release(f);
}
