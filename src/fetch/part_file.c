/* A download in NAME.part, renamed to NAME when it is complete. */
#include "fetch/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_head.h"
#include "http/url.h"

/* No file is created where a link is, and no FIFO is waited for. */
#define FLAGS (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* First line of NAME.part.from, which no other program writes. */
#define NOTE "sockt partial download 1\n"

#define NOTE_SIZE (2 * URL_ABSOLUTE_SIZE)

static int
file_error(const char *what, const char *path, struct err *e)
{
	return err_sys(e, ERR_OUTPUT, errno, "%s %s", what, text_shown(path));
}

/* Hidden by _POSIX_C_SOURCE. */
char *realpath(const char *, char *);

/* What NAME.part.from says. */
struct note {
	int64_t inode; /* of NAME.part; 0: unknown */
	bool is_same_url;
	struct http_validator source;
};

static int64_t
inode_of(const struct stat *st)
{
	return (int64_t)((uint64_t)st->st_ino & INT64_MAX);
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
is_same_file(const char *path, const struct stat *st)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino;
}

/* Why sockt cannot have written it, as a regular file of this user only, and
 * what to do; NULL: it may have. */
static const char *
why_foreign(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "is a directory (remove it, or choose another name)";
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link (--force removes it)";
	if (S_ISFIFO(st->st_mode))
		return "is a FIFO (--force removes it)";
	if (!S_ISREG(st->st_mode))
		return "is not a regular file (--force removes it)";
	if (st->st_uid != geteuid())
		return "belongs to another user (--force replaces it, if this "
		       "user may remove it)";
	if (st->st_nlink > 1)
		return text_format("has %llu names, which are hard links "
				   "(--force removes this one)",
		    (unsigned long long)st->st_nlink);
	return NULL;
}

/*
 * Reads the note: which file it is about, for any URL. Returns NULL if it is a
 * note, or if overwriting it loses nothing, since it is missing or empty;
 * otherwise why it is none.
 */
static const char *
read_note(const struct part_file *f, struct note *note)
{
	char text[NOTE_SIZE], *line, *value, *rest;
	const char *why = NULL;
	struct stat st;
	ssize_t n = -1;
	int fd, errnum;

	memset(note, 0, sizeof(*note));
	http_validator_clear(&note->source);
	fd = open(f->from, O_RDONLY | FLAGS);
	errnum = errno;
	if (fd < 0 && lstat(f->from, &st) < 0)
		return NULL;
	if (fd < 0 || fstat(fd, &st) == 0) {
		why = why_foreign(&st);
		if (fd >= 0 && why == NULL)
			n = read(fd, text, sizeof(text) - 1);
	}
	if (fd >= 0)
		errnum = errno;
	fd_close(&fd);
	if (why != NULL || n == 0)
		return why;
	if (n < 0)
		return text_format("cannot be read: %s (--force overwrites it)",
		    err_find(errnum, ERR_AT_FILE)->reason);
	text[n] = '\0';
	if (strncmp(text, NOTE, strlen(NOTE)) != 0)
		return "was not left by an earlier run (--force overwrites it)";
	/* A later version may write more lines. */
	line = strtok_r(text + strlen(NOTE), "\n", &rest);
	for (; line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		value = line + strcspn(line, " ");
		if (*value == '\0')
			continue;
		*value++ = '\0';
		if (strcmp(line, "inode") == 0)
			(void)num_parse(value, 0, INT64_MAX, &note->inode);
		else if (strcmp(line, "url") == 0)
			note->is_same_url = strcmp(value, f->url) == 0;
		else if (strcmp(line, "validator") == 0)
			snprintf(note->source.text, sizeof(note->source.text),
			    "%s", value);
		else if (strcmp(line, "total") == 0)
			(void)num_parse(
			    value, 0, INT64_MAX, &note->source.total);
	}
	return NULL;
}

static int
foreign_error(const char *path, const char *what, struct err *e)
{
	return err_set(e, ERR_OUTPUT, "%s %s", text_shown(path), what);
}

/* Makes the target the partial file. */
static int
adopt(const struct part_file *f, struct err *e)
{
	const char *why = why_foreign(&f->old);

	if (why != NULL)
		return foreign_error(f->target, why, e);
	/* link(2), unlike rename(2), replaces nothing. */
	if (link(f->target, f->part) < 0 || unlink(f->target) < 0)
		return file_error("naming", f->part, e);
	return 0;
}

/* Sets what the file of st holds; note is NULL if none is about it. */
static void
set_held(struct part_file *f, const struct stat *st, const struct note *note)
{
	f->held = (int64_t)st->st_size;
	/* *source is that of the response already. */
	if (f->adopts)
		return;
	if (note == NULL) {
		f->origin = "of unknown origin";
	} else if (!note->is_same_url) {
		f->origin = "of another URL";
	} else if (f->held > 0) {
		/* Without bytes, it is of no version. */
		*f->source = note->source;
		f->origin = "of a version that the server did not name";
	}
}

/* Opens the partial file, perhaps a new one, unless something else is there. */
static int
open_part(struct part_file *f, struct err *e)
{
	const char *why;
	struct note note;
	struct stat st;
	bool is_new, is_known;

	for (;; fd_close(&f->fd)) {
		is_new = lstat(f->part, &st) < 0;
		why = is_new ? NULL : why_foreign(&st);
		if (why != NULL) {
			if (!f->is_forced)
				return foreign_error(f->part, why, e);
			if (unlink(f->part) < 0)
				return file_error("removing", f->part, e);
			continue;
		}
		/* Nobody else may write to it, whatever the umask is, nor read
		 * what becomes a private file. */
		f->fd = open(f->part,
		    O_RDWR | FLAGS | (is_new ? O_CREAT | O_EXCL : 0),
		    0600 | (f->has_old ? f->old.st_mode & 0044 : 0044));
		if (f->fd < 0 && errno == (is_new ? EEXIST : ENOENT))
			continue;
		if (f->fd < 0 || fstat(f->fd, &st) < 0)
			return file_error("writing", f->part, e);
		if (lock(f, e) < 0)
			return -1;
		/* Otherwise another process has completed or replaced it. */
		if (why_foreign(&st) != NULL || !is_same_file(f->part, &st))
			continue;
		/* The note of the last writer, which had the lock. */
		is_known = !is_new && read_note(f, &note) == NULL &&
			   note.inode != 0 && note.inode == inode_of(&st);
		if (st.st_size > 0 && !f->is_forced && !f->adopts && !is_known)
			return foreign_error(f->part,
			    access(f->from, F_OK) < 0
				? "was not left by an earlier run, which "
				  "writes a .part.from (--force overwrites it)"
				: "is not the file that its .part.from is "
				  "about (--force overwrites it)",
			    e);
		/* A file that others can write to is replaced by a new one,
		 * which they cannot. */
		if (is_new || f->adopts ||
		    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
			break;
		if (st.st_size > 0)
			diag_warn("other users can write to %s; beginning anew",
			    text_shown(f->part));
		if (unlink(f->part) < 0)
			return file_error("removing", f->part, e);
	}
	if (f->adopts)
		(void)fchmod(f->fd, st.st_mode & 0755);
	set_held(f, &st, is_known ? &note : NULL);
	return 0;
}

int
part_file_open(struct part_file *f, const char *target, struct err *e)
{
	const char *why;
	struct note note;
	size_t size;

	f->fd = -1;
	f->has_old = stat(target, &f->old) == 0;
	/* A link to a file stands for that file. */
	if (f->has_old && f->may_replace)
		f->target = realpath(target, NULL);
	if (f->target == NULL)
		f->target = mem_text(target);
	size = strlen(f->target) + sizeof(".part.from");
	f->part = mem_array(1, size);
	f->from = mem_array(1, size);
	snprintf(f->part, size, "%s.part", f->target);
	snprintf(f->from, size, "%s.part.from", f->target);
	why = f->is_forced ? NULL : read_note(f, &note);
	/* A link to no file is not replaced either. */
	if (!f->is_forced && !f->adopts && !(f->has_old && f->may_replace) &&
	    lstat(target, &(struct stat){0}) == 0)
		foreign_error(target,
		    f->has_old ? "exists (--force overwrites it)"
			       : "is a symbolic link that leads to no file "
				 "(--force replaces it)",
		    e);
	else if (why != NULL)
		foreign_error(f->from, why, e);
	else if ((!f->adopts || adopt(f, e) == 0) && open_part(f, e) == 0)
		return 0;
	fd_close(&f->fd);
	part_file_close(f);
	return -1;
}

int
part_file_begin(struct part_file *f, int64_t offset, struct err *e)
{
	const struct http_validator *v = f->source;
	char text[NOTE_SIZE];
	struct stat st;
	int fd, result;

	/* Remove the old bytes before the note about them: a run that is killed
	 * in between leaves nothing that looks like the new ones. */
	if (ftruncate(f->fd, (off_t)offset) < 0 ||
	    lseek(f->fd, (off_t)offset, SEEK_SET) < 0 || fstat(f->fd, &st) < 0)
		return file_error("writing", f->part, e);
	if (offset > 0 && !f->adopts)
		return 0;
	/* The note, which the lock of the partial file protects: sockt created
	 * that file, from this version. */
	snprintf(text, sizeof(text), NOTE "inode %lld\nurl %s\n",
	    (long long)inode_of(&st), f->url);
	if (http_validator_is_usable(v))
		text_append(text, sizeof(text), "validator %s\n", v->text);
	if (v->total >= 0)
		text_append(
		    text, sizeof(text), "total %lld\n", (long long)v->total);
	/* The note is a new file, which nothing else has open. */
	if (unlink(f->from) < 0 && errno != ENOENT)
		return file_error("writing", f->from, e);
	fd = open(f->from, O_WRONLY | O_CREAT | O_EXCL | FLAGS, 0600);
	if (fd < 0)
		return file_error("writing", f->from, e);
	result = fd_write_all(fd, text, strlen(text));
	if (result < 0)
		file_error("writing", f->from, e);
	if (close(fd) < 0 && result == 0)
		result = file_error("closing", f->from, e);
	if (result < 0)
		(void)unlink(f->from);
	return result;
}

/* Renames the partial file to the target. 0, or -1 with errno. */
static int
rename_part(const struct part_file *f)
{
	if (f->may_replace || f->is_forced)
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
	mode_t mask = umask(0), mode = 0666 & ~mask;
	struct stat before, now;
	int fd = f->fd;

	(void)umask(mask);
	/* Some file systems report a full disk only when the file is closed,
	 * which also releases the lock: another process may have written it. */
	if (fstat(fd, &before) < 0)
		return file_error("closing", f->part, e);
	f->fd = -1;
	if (close(fd) < 0)
		return file_error("closing", f->part, e);
	f->fd = open(f->part, O_RDWR | FLAGS);
	if (f->fd < 0)
		return file_error("naming", f->part, e);
	if (lock(f, e) < 0)
		return -1;
	if (fstat(f->fd, &now) < 0 || !is_same_file(f->part, &now) ||
	    now.st_ino != before.st_ino || now.st_size != before.st_size)
		return err_set(e, ERR_OUTPUT, "another process has written %s",
		    text_shown(f->part));
	if (f->has_old) {
		(void)!fchown(f->fd, f->old.st_uid, f->old.st_gid);
		mode = f->old.st_mode & 0777;
	}
	if ((now.st_mode & 0777) != mode)
		(void)fchmod(f->fd, mode);
	if (rename_part(f) < 0) {
		file_error("replacing", f->target, e);
		if (e->errnum == EBUSY)
			err_append(e, "it is mounted by itself");
		return -1;
	}
	fd_close(&f->fd);
	if (unlink(f->from) < 0 && errno != ENOENT)
		return file_error("removing", f->from, e);
	return 0;
}

void
part_file_close(struct part_file *f)
{
	struct stat st;

	if (f->fd >= 0 && fstat(f->fd, &st) == 0) {
		if (st.st_size > 0) {
			diag_warn("%lld bytes are kept in %s%s",
			    (long long)st.st_size, text_shown(f->part),
			    http_validator_is_usable(f->source)
				? "; --continue resumes"
				: "");
		} else {
			(void)unlink(f->part);
			(void)unlink(f->from);
		}
	}
	fd_close(&f->fd);
	free(f->target);
	free(f->part);
	free(f->from);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}
