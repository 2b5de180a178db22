/* --etag: reads and writes the file that keeps an entity tag. */
#include "fetch/etag.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "fetch/output.h"
#include "fetch/transfer.h"

static bool
is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* The same name in the same folder, whether or not a file is there. */
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
	    "--etag: %s is where the body goes; the tag needs a file of its "
	    "own",
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

/* Writes the tag to a new file beside path, whose name temp gets. */
static int
stage(char *temp, size_t size, const char *path, const char *tag, struct err *e)
{
	char shown[256];
	int fd, result;

	text_escape_string(shown, sizeof(shown), path);
	if (snprintf(temp, size, "%s.XXXXXX", path) >= (int)size)
		return err_sys(
		    e, ERR_OUTPUT, ENAMETOOLONG, "--etag: %s", shown);
	fd = mkstemp(temp);
	if (fd < 0)
		return err_sys(e, ERR_OUTPUT, errno, "--etag: %s", shown);
	result = write_tag(fd, tag);
	if (result < 0)
		err_sys(e, ERR_OUTPUT, errno, "--etag: %s", shown);
	if (close(fd) < 0 && result == 0)
		result = err_sys(e, ERR_OUTPUT, errno, "--etag: %s", shown);
	if (result < 0)
		(void)unlink(temp);
	return result;
}

/* A file without a tag: the old tag goes first. */
static int
commit_untagged(struct transfer *t, struct err *e)
{
	char shown[256];

	if (unlink(t->o->etag) < 0 && errno != ENOENT)
		return err_sys(e, ERR_OUTPUT, errno, "removing %s",
		    text_escape_string(shown, sizeof(shown), t->o->etag));
	return output_commit(t, e);
}

/* The file first, then the tag that is staged in temp. */
static int
commit_both(struct transfer *t, const char *temp, struct err *e)
{
	char shown[256];

	if (output_commit(t, e) < 0)
		return -1;
	if (rename(temp, t->o->etag) == 0)
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "--etag: %s",
	    text_escape_string(shown, sizeof(shown), t->o->etag));
}

int
etag_commit(struct transfer *t, struct err *e)
{
	const char *path = t->o->etag;
	char tag[HTTP_VALIDATOR_SIZE], temp[PATH_MAX];
	bool has_tag =
	    http_head_value(transfer_head(t), "etag", tag, sizeof(tag));
	int result;

	if (check_regular(path, e) < 0 ||
	    (has_tag && stage(temp, sizeof(temp), path, tag, e) < 0))
		return -1;
	if (!has_tag)
		return commit_untagged(t, e);
	result = commit_both(t, temp, e);
	if (result < 0)
		(void)unlink(temp);
	return result;
}
