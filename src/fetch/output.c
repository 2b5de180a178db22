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
#include "fetch/fetch_options.h"
#include "fetch/http_client.h"
#include "http/http_date.h"
#include "http/http_file_name.h"
#include "http/http_head.h"
#include "http/url.h"

/* Without -f, only a conditional request replaces a file. */
static bool
may_replace(const struct fetch_options *o)
{
	return o->force || o->since != NULL;
}

/* Determines whether a partial file can be resumed. */
static void
find_held(struct output *o)
{
	const struct download *d = &o->file;
	char part[256], size[32];

	if (d->is_special || d->held == 0)
		return;
	num_format_size(size, sizeof(size), (uint64_t)d->held);
	text_escape_string(part, sizeof(part), d->part);
	if (!o->options->resume)
		diag_warn("%s holds %s of an earlier run; beginning anew "
			  "(--continue resumes)",
		    part, size);
	else if (!download_source(d, &o->resume.source))
		diag_warn("%s holds %s that are not known to be of this "
			  "file; beginning anew",
		    part, size);
	else
		o->resume.held = d->held;
}

/* Whether --continue finds the file itself, and no partial file. */
static bool
find_complete(struct output *o, const char *path)
{
	char part[PATH_MAX];
	struct stat st;

	if (!o->options->resume || o->options->force || stat(path, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	snprintf(part, sizeof(part), "%s.part", path);
	if (access(part, F_OK) == 0)
		return false;
	o->resume.is_complete = true;
	o->resume.held = (int64_t)st.st_size;
	return true;
}

static int
open_file(struct output *o, const char *path, struct err *e)
{
	char url[URL_ABSOLUTE_SIZE];
	struct download_options d = {
	    .target = path,
	    .url = url_absolute(o->url, url, sizeof(url)),
	    .may_replace = may_replace(o->options),
	    .until = o->until,
	};

	if (download_open(&o->file, &d, e) < 0)
		return -1;
	o->is_file = o->is_open = true;
	sink_init(&o->sink, o->file.fd, o->file.target, !o->options->raw);
	find_held(o);
	return 0;
}

static int
open_stdout(struct output *o, struct err *e)
{
	if (!fd_is_writable(STDOUT_FILENO))
		return err_set(e, ERR_OUTPUT, "stdout is closed");
	sink_init(&o->sink, STDOUT_FILENO, "stdout", !o->options->raw);
	o->is_open = true;
	return 0;
}

int
output_open(struct output *o, struct err *e)
{
	char name[HTTP_FILE_NAME_SIZE];
	const char *path = o->options->output;

	sink_init(&o->sink, -1, "", false);
	http_validator_clear(&o->resume.source);
	o->total = -1;
	if (o->options->remote_name &&
	    http_file_name_of_url(o->url, name, sizeof(name)))
		path = name;
	if (path == NULL || strcmp(path, "-") == 0)
		return open_stdout(o, e);
	return find_complete(o, path) ? 0 : open_file(o, path, e);
}

bool
output_can_resume(const struct output *o)
{
	return http_validator_is_usable(&o->resume.source) &&
	       o->options->range == NULL && !o->options->include;
}

/* Whether what was written can be replaced. */
static bool
can_rewind(const struct output *o)
{
	return (o->is_file && !o->file.is_special) || o->sink.kind == FD_NULL;
}

bool
output_accepts(const struct output *o, int64_t base)
{
	return can_rewind(o) || o->sink.bytes == (uint64_t)base;
}

int
output_refuse(const struct output *o, struct err *e)
{
	char label[URL_LABEL_SIZE], name[256];

	return err_set(e, ERR_PROTOCOL,
	    "%s: it has changed, or cannot be resumed, and what is on %s "
	    "cannot be taken back",
	    url_label(o->requested, label),
	    text_escape_string(name, sizeof(name), o->sink.name));
}

static int
begin_file(struct output *o, struct err *e)
{
	int whole = 0;

	if (o->is_whole && o->base == 0)
		whole = download_begin_whole(&o->file, e);
	if (whole != 0)
		return whole < 0 ? -1 : 0;
	return download_begin(&o->file, o->base, &o->resume.source, e);
}

int
output_begin(struct output *o, int64_t base, struct err *e)
{
	if (!output_accepts(o, base))
		return output_refuse(o, e);
	o->base = base;
	if (!o->is_file)
		return 0;
	if (begin_file(o, e) < 0)
		return -1;
	o->sink.fd = download_fd(&o->file);
	return 0;
}

static void
draw(void *context, uint64_t received)
{
	struct output *o = context;
	struct progress_count count = {"received ",
	    (uint64_t)o->base + received, o->total, (uint64_t)o->base};

	if (progress_is_due(&o->progress))
		progress_draw_bar(&o->progress, &count);
}

/* Reads a body, after its head if that was requested. */
static int
read_into(struct output *o, struct http_client *c, struct err *e)
{
	const struct http_head *h = &http_client_response(c)->head;
	struct http_progress progress = {draw, o};
	char label[URL_LABEL_SIZE];

	if ((o->options->include || o->options->head_only) &&
	    sink_write(&o->sink, h->text, h->length, o->until, e) < 0)
		return -1;
	if (http_client_read(c, &o->sink, &progress, e) == 0)
		return 0;
	if (e->kind != ERR_OUTPUT)
		err_prefix(e, "%s", url_label(o->requested, label));
	return -1;
}

/* Prints the last line on a terminal: how much was received, and how fast. */
static void
report_total(const struct output *o, uint64_t received)
{
	int64_t ns = clock_now() - o->progress.start_ns;
	char name[256], size[32], duration[32], rate[48];

	/* The time is too short for a rate. */
	if (ns < CLOCK_MS)
		rate[0] = '\0';
	else
		snprintf(rate, sizeof(rate), ", %s/s",
		    num_format_size(size, sizeof(size),
			(uint64_t)((double)received * 1e9 / (double)ns)));
	diag_warn("%s: %s in %s%s",
	    text_escape_string(name, sizeof(name), o->sink.name),
	    num_format_size(size, sizeof(size), (uint64_t)o->base + received),
	    num_format_duration(duration, sizeof(duration), ns), rate);
}

int
output_read(struct output *o, struct http_client *c, struct err *e)
{
	bool wanted =
	    o->options->progress || (o->is_file && !o->file.is_special);
	uint64_t before = o->sink.bytes;
	bool was_shown;
	int result;

	progress_start(&o->progress, wanted);
	was_shown = o->progress.shown;
	result = read_into(o, c, e);
	progress_end(&o->progress);
	if (result < 0)
		o->resume.held = o->base + (int64_t)(o->sink.bytes - before);
	else if (was_shown || o->options->progress)
		report_total(o, http_client_response(c)->received);
	return result;
}

bool
output_takes_errors(const struct output *o)
{
	return o->is_open && (!o->is_file || o->file.is_special);
}

int
output_read_error_body(struct output *o, struct http_client *c, struct err *e)
{
	return read_into(o, c, e);
}

/* With --if-modified-since, the file gets the time of its version. */
static void
set_time(const struct output *o, const struct http_head *h)
{
	char date[HTTP_DATE_SIZE];
	int64_t seconds;

	if (o->options->since != NULL && o->is_file &&
	    http_head_value(h, "last-modified", date, sizeof(date)) &&
	    http_date_parse(date, &seconds))
		download_set_time(&o->file, seconds);
}

int
output_commit(struct output *o, const struct http_head *h, struct err *e)
{
	set_time(o, h);
	return o->is_file ? download_commit(&o->file, e) : 0;
}

void
output_close(struct output *o)
{
	struct stat st;
	char part[512];

	sink_release(&o->sink);
	if (!o->is_file)
		return;
	if (!o->file.is_special && o->file.fd >= 0 &&
	    fstat(o->file.fd, &st) == 0 && st.st_size > 0)
		diag_warn("%lld bytes are kept in %s%s", (long long)st.st_size,
		    text_escape_string(part, sizeof(part), o->file.part),
		    http_validator_is_usable(&o->resume.source)
			? "; --continue resumes"
			: "");
	download_close(&o->file);
}
