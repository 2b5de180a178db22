/* Writes the body that http-get receives to stdout or a file. */
#include "fetch/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "fetch/etag.h"
#include "fetch/transfer.h"
#include "http/http_file_name.h"

/* Without -f a file is replaced by a newer one only where that was asked. */
static bool
may_replace(const struct transfer *t)
{
	return t->o->force || t->o->etag != NULL || t->o->since != NULL;
}

/* A partial file is there: what it is good for. */
static void
find_held(struct transfer *t)
{
	char shown[TRANSFER_URL_SIZE], part[256], size[32];

	if (t->file.is_special || t->file.held == 0)
		return;
	num_format_size(size, sizeof(size), (uint64_t)t->file.held);
	text_escape_string(part, sizeof(part), t->file.part);
	if (!t->o->resume)
		diag_warn("%s holds %s of an earlier run; beginning anew "
			  "(--continue resumes)",
		    part, size);
	else if (!download_source(&t->file,
		     url_absolute(&t->start, shown, sizeof(shown)), &t->source))
		diag_warn("%s holds %s that are not known to be of this "
			  "file; beginning anew",
		    part, size);
	else
		t->held = t->file.held;
}

/* --continue, and the file itself is there: is it whole? */
static bool
finds_whole(struct transfer *t, const char *path)
{
	char part[PATH_MAX];
	struct stat st;

	if (!t->o->resume || t->o->force || stat(path, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	snprintf(part, sizeof(part), "%s.part", path);
	if (access(part, F_OK) == 0)
		return false;
	t->complete_size = (int64_t)st.st_size;
	t->asked_from = t->complete_size;
	return true;
}

static int
open_file(struct transfer *t, const char *path, struct err *e)
{
	if (download_open(&t->file, path, may_replace(t), t->f->until, e) < 0)
		return -1;
	t->is_file = t->is_open = true;
	sink_init(&t->out, t->file.fd, t->file.target, !t->o->raw);
	find_held(t);
	return 0;
}

static int
open_stdout(struct transfer *t, struct err *e)
{
	if (!fd_is_writable(STDOUT_FILENO))
		return err_set(e, ERR_OUTPUT, "stdout is closed");
	sink_init(&t->out, STDOUT_FILENO, "stdout", !t->o->raw);
	t->is_open = true;
	return 0;
}

int
output_open(struct transfer *t, struct err *e)
{
	char name[HTTP_FILE_NAME_SIZE];
	const char *path = t->o->output;

	sink_init(&t->out, -1, "", false);
	t->complete_size = -1;
	t->total = -1;
	if (t->o->disposition)
		return 0;
	if (t->o->remote_name &&
	    http_file_name_of_url(&t->start, name, sizeof(name)))
		path = name;
	if (etag_check(t->o->etag, path, e) < 0)
		return -1;
	if (path == NULL || strcmp(path, "-") == 0)
		return open_stdout(t, e);
	if (finds_whole(t, path))
		return 0;
	return open_file(t, path, e);
}

int
output_open_late(struct transfer *t, struct err *e)
{
	char name[HTTP_FILE_NAME_SIZE];

	if (t->is_open)
		return 0;
	if (!http_file_name_of_head(transfer_head(t), name, sizeof(name)) &&
	    !http_file_name_of_url(&t->start, name, sizeof(name)))
		return err_set(e, ERR_OUTPUT,
		    "neither the response nor the URL names a file");
	diag_note("the file's name is %s", name);
	if (etag_check(t->o->etag, name, e) < 0) {
		/* It is not the user who chose that name. */
		e->kind = ERR_OUTPUT;
		return -1;
	}
	return open_file(t, name, e);
}

/* Whether what is written can be replaced by something else. */
static bool
can_rewind(const struct transfer *t)
{
	return (t->is_file && !t->file.is_special) || t->out.kind == FD_NULL;
}

bool
output_accepts(const struct transfer *t, int64_t base)
{
	return can_rewind(t) || t->out.bytes == (uint64_t)base;
}

int
output_refuse(const struct transfer *t, struct err *e)
{
	char url[TRANSFER_LABEL_SIZE], name[256];

	return err_set(e, ERR_PROTOCOL,
	    "%s: it has changed, or cannot be resumed, and what is on %s "
	    "cannot be taken back",
	    transfer_label(t, url),
	    text_escape_string(name, sizeof(name), t->out.name));
}

#define BAR 10

/* "[####------] 45 MiB of 100 MiB (45%), 12 MiB/s, 5 s left". */
static const char *
progress_line(
    const struct transfer *t, char *buf, size_t size, uint64_t received)
{
	uint64_t done = (uint64_t)t->base + received;
	char bar[BAR + 3] = "received";
	size_t full;

	if (t->total > 0 && done <= (uint64_t)t->total) {
		full = (size_t)((double)done / (double)t->total * BAR);
		memset(bar, '-', BAR + 2);
		memset(bar + 1, '#', full);
		bar[0] = '[';
		bar[BAR + 1] = ']';
		bar[BAR + 2] = '\0';
	}
	return progress_text(
	    &t->progress, buf, size, bar, done, t->total, (uint64_t)t->base);
}

static void
draw(void *context, uint64_t received)
{
	struct transfer *t = context;
	char text[256];

	if (progress_is_due(&t->progress))
		progress_draw(&t->progress,
		    progress_line(t, text, sizeof(text), received));
}

/* Reads the body, with the head before it where that was asked for. */
static int
take(struct transfer *t, struct sink *out, struct err *e)
{
	const struct http_head *h = transfer_head(t);
	char shown[TRANSFER_LABEL_SIZE];

	if ((t->o->include || t->o->head_only) &&
	    sink_write(out, h->text, h->length, t->f->until, e) < 0)
		return -1;
	if (http_client_read(&t->f->client, out, draw, t, e) == 0)
		return 0;
	if (e->kind != ERR_OUTPUT)
		err_prefix(e, "%s", transfer_label(t, shown));
	return -1;
}

/* The last line on a terminal: what came, and how fast. */
static void
tell_total(const struct transfer *t)
{
	uint64_t bytes = t->f->client.response->received;
	int64_t ns = clock_now() - t->progress.start_ns;
	char name[256], size[32], took[32], rate[32];

	diag_warn("%s: %s in %s, %s/s",
	    text_escape_string(name, sizeof(name), t->out.name),
	    num_format_size(size, sizeof(size), (uint64_t)t->base + bytes),
	    num_format_duration(took, sizeof(took), ns),
	    num_format_size(rate, sizeof(rate),
		(uint64_t)((double)bytes * 1e9 / (double)(ns + 1))));
}

int
output_take(struct transfer *t, struct err *e)
{
	bool wanted = t->o->progress || (t->is_file && !t->file.is_special);
	bool was_shown;
	int result;

	progress_start(&t->progress, wanted);
	was_shown = t->progress.shown;
	result = take(t, &t->out, e);
	progress_end(&t->progress);
	if (result == 0 && was_shown)
		tell_total(t);
	return result;
}

/*
 * Opens a new file for a body that is put aside. It may take the place of a
 * regular file or a link where FILE may, and of nothing else.
 */
static int
open_aside(const struct transfer *t, const char *path)
{
	struct stat st;

	if (may_replace(t) && lstat(path, &st) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
		(void)unlink(path);
	return open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* Writes the body to path, which does not stay if that fails. */
static int
take_to_file(struct transfer *t, const char *path, int fd, struct err *e)
{
	struct sink out;
	int result;

	sink_init(&out, fd, path, false);
	result = take(t, &out, e);
	if (close(fd) < 0 && result == 0)
		result = err_sys(e, ERR_OUTPUT, errno, "closing %s", path);
	if (result < 0 || out.bytes == 0)
		(void)unlink(path);
	return result < 0 ? -1 : (int)(out.bytes > 0);
}

int
output_take_aside(struct transfer *t, char *note, size_t size, struct err *e)
{
	char path[PATH_MAX], shown[256];
	int fd, result;

	note[0] = '\0';
	if (!t->is_file || t->file.is_special) {
		if (output_accepts(t, 0))
			return take(t, &t->out, e);
		snprintf(note, size, "; its body is dropped");
		return 0;
	}
	if (snprintf(path, sizeof(path), "%s.error", t->file.target) >=
	    (int)sizeof(path))
		return err_sys(e, ERR_OUTPUT, ENAMETOOLONG, "writing %s", path);
	text_escape_string(shown, sizeof(shown), path);
	fd = open_aside(t, path);
	if (fd < 0 && errno == EEXIST) {
		snprintf(note, size, "; its body is dropped, since %s exists%s",
		    shown, may_replace(t) ? "" : " (--force overwrites it)");
		return 0;
	}
	if (fd < 0)
		return err_sys(e, ERR_OUTPUT, errno, "writing %s", shown);
	result = take_to_file(t, path, fd, e);
	if (result > 0)
		snprintf(note, size, "; its body is in %s", shown);
	return result < 0 ? -1 : 0;
}

int
output_commit(struct transfer *t, struct err *e)
{
	return t->is_file ? download_commit(&t->file, e) : 0;
}

void
output_close(struct transfer *t)
{
	struct stat st;
	char part[512];

	sink_release(&t->out);
	if (!t->is_file)
		return;
	if (!t->file.is_special && t->file.fd >= 0 &&
	    fstat(t->file.fd, &st) == 0 && st.st_size > 0)
		diag_warn("%lld bytes are kept in %s%s", (long long)st.st_size,
		    text_escape_string(part, sizeof(part), t->file.part),
		    http_validator_is_usable(&t->source)
			? "; --continue resumes"
			: "");
	download_close(&t->file);
}
