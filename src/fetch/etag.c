/* --etag: reads and writes the file that keeps an entity tag. */
#include "fetch/etag.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/http_head.h"
#include "http/http_validator.h"

static bool
is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Whether both are the same name in the same directory, existing or not. */
static bool
is_same_name(const char *a, const char *b)
{
	char *x = mem_text(a), *y = mem_text(b);
	bool result = strcmp(basename(x), basename(y)) == 0;

	free(x);
	free(y);
	x = mem_text(a);
	y = mem_text(b);
	result = result && is_same_file(dirname(x), dirname(y));
	free(x);
	free(y);
	return result;
}

/* Whether path is one of the files that http-get writes for output. */
static bool
is_of_output(const char *path, const char *output)
{
	static const char *const suffixes[] = {
	    "", ".part", ".part.from", ".error"};
	char name[PATH_MAX];
	size_t i;

	if (is_same_file(path, output))
		return true;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", output, suffixes[i]);
		if (is_same_name(path, name))
			return true;
	}
	return false;
}

static bool
is_stdout(const char *path)
{
	struct stat st, out;

	return stat(path, &st) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	       st.st_dev == out.st_dev && st.st_ino == out.st_ino;
}

/* Only a regular file is replaced, or a link to one. */
static int
check_regular(const char *path, struct err *e)
{
	struct stat st;
	char shown[256];

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_set(e, ERR_OUTPUT, "--etag: %s is not a regular file",
	    text_escape_string(shown, sizeof(shown), path));
}

int
etag_check(const char *path, const char *output, struct err *e)
{
	bool is_file = output != NULL && strcmp(output, "-") != 0;
	char shown[256];

	if (path == NULL)
		return 0;
	if (check_regular(path, e) < 0)
		return -1;
	if (is_file ? !is_of_output(path, output) : !is_stdout(path))
		return 0;
	return err_set(e, ERR_USAGE,
	    "--etag: %s is where the body goes; the tag needs another file",
	    text_escape_string(shown, sizeof(shown), path));
}

void
etag_read(const char *path, char *tag, size_t size)
{
	FILE *f = fopen(path, "r");

	tag[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(tag, (int)size, f) == NULL)
		tag[0] = '\0';
	tag[strcspn(tag, "\r\n")] = '\0';
	fclose(f);
}

/* Writes all of tag with the permissions of a new file. 0, or -1 with errno. */
static int
write_tag(int fd, const char *tag)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(fd, 0666 & ~mask) < 0)
		return -1;
	return fd_write_all(fd, tag, strlen(tag));
}

static int
tag_error(const char *path, int errnum, struct err *e)
{
	char shown[256];

	return err_sys(e, ERR_OUTPUT, errnum, "--etag: %s",
	    text_escape_string(shown, sizeof(shown), path));
}

/* Writes the tag to a new file next to path. */
static int
write_temp(struct etag *t, const char *tag, struct err *e)
{
	int fd, result;

	if (snprintf(t->temp, sizeof(t->temp), "%s.XXXXXX", t->path) >=
	    (int)sizeof(t->temp))
		return tag_error(t->path, ENAMETOOLONG, e);
	fd = mkstemp(t->temp);
	if (fd < 0)
		return tag_error(t->path, errno, e);
	result = write_tag(fd, tag);
	if (result < 0)
		tag_error(t->path, errno, e);
	if (close(fd) < 0 && result == 0)
		result = tag_error(t->path, errno, e);
	if (result < 0)
		(void)unlink(t->temp);
	return result;
}

int
etag_stage(struct etag *t, const struct http_head *h, struct err *e)
{
	char tag[HTTP_VALIDATOR_SIZE], shown[256];

	t->temp[0] = '\0';
	if (t->path == NULL)
		return 0;
	if (check_regular(t->path, e) < 0)
		return -1;
	if (http_head_value(h, "etag", tag, sizeof(tag)))
		return write_temp(t, tag, e);
	text_escape_string(shown, sizeof(shown), t->path);
	diag_note(
	    "--etag: the server sent no ETag, so %s is not written", shown);
	if (unlink(t->path) < 0 && errno != ENOENT)
		return err_sys(e, ERR_OUTPUT, errno, "removing %s", shown);
	return 0;
}

int
etag_commit(struct etag *t, struct err *e)
{
	if (t->temp[0] == '\0' || rename(t->temp, t->path) == 0)
		return 0;
	tag_error(t->path, errno, e);
	etag_abort(t);
	return -1;
}

void
etag_abort(struct etag *t)
{
	if (t->temp[0] != '\0')
		(void)unlink(t->temp);
}
