/* Fetches URLs: requests, redirects, responses, resumed files, retries. */
#include "fetch/download.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "dial/reconnect.h"
#include "fetch/http_client.h"
#include "fetch/part_file.h"
#include "http/http_date.h"
#include "http/url.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sink.h"
#include "net/sock.h"
#include "net/wait.h"

/* Pauses between attempts, and the longest Retry-After that is honored. */
#define MIN_PAUSE_MS 250
#define MAX_PAUSE_MS (30 * 1000)
#define MAX_RETRY_AFTER_S 600

/* Where the body goes. */
enum output_kind {
	OUTPUT_STDOUT,
	OUTPUT_DEVICE,  /* A device or a FIFO, whose descriptor is owned. */
	OUTPUT_PART,    /* A partial file, which is renamed when complete. */
	OUTPUT_EXISTING /* A file of unknown version, which may be the complete
			   one: the server must confirm its size. Nothing is
			   open. */
};

/* The output of one URL, and what it already has of the file. */
struct output {
	const struct download_options *options; /* The caller owns them. */
	enum output_kind kind;
	const char *path;      /* The name of the output; NULL for stdout. */
	struct sink sink;      /* The body is written to it. */
	struct part_file file; /* The partial file of OUTPUT_PART. */
	/* This many bytes at the start of the output are usable: the next
	 * request may continue after them. They are of the version source or,
	 * for OUTPUT_EXISTING, of an unknown one. */
	int64_t held;
	struct http_validator source;
	struct sha256 digest; /* --sha256: The digest of the bytes so far. */
};

/* A URL that was checked: what is fetched, along which route, and the name of
 * its file. */
struct checked_url {
	char name[URL_NAME_SIZE]; /* The file of --remote-name. */
	struct route route;
	struct url url;
};

/* The download of one URL. The client has the current response. */
struct transfer {
	/* The caller owns these four. */
	const struct download_options *options;
	const struct checked_url *given;
	const struct route_rules *rules;        /* They route redirects. */
	struct http_client *client;             /* All URLs share it. */
	bool wants_more;                        /* Another URL follows. */
	char if_modified_since[HTTP_DATE_SIZE]; /* A date, or "". */

	/* The attempt. */
	struct url current;     /* The URL after redirects, with credentials. */
	struct route route;     /* The way to the current URL. */
	bool left_origin;       /* A redirect has led to another origin. */
	int64_t redirects;      /* This many redirects were followed. */
	int64_t retries_left;   /* --retry: attempts after this one. */
	struct reconnect await; /* --retry-for: attempts until a status below
				   400 is received. */
	bool is_awaiting;       /* --retry-for, and none was received yet. */

	struct output out;
};

/* What comes next. */
enum next {
	NEXT_DONE,
	NEXT_REQUEST,    /* Request the current URL. */
	NEXT_FAILED = -1 /* *e is the cause. */
};

static int check(const struct download_options *o,
    const struct route_rules *rules, struct checked_url *urls, struct err *e);
static int open_output(struct output *out, const struct download_options *o,
    const char *name, const char *url, struct err *e);
static void set_since(struct transfer *t);
static void begin_attempt(struct transfer *t);
static int request(struct transfer *t, struct err *e);
static enum next handle_response(struct transfer *t, struct err *e);
static bool may_repeat(const struct transfer *t, const struct err *e);
static int wait_to_retry(
    const struct transfer *t, struct backoff *backoff, struct err *e);

/* Makes one attempt, until the output is complete. 0, or -1 with *e. */
static int
attempt(struct transfer *t, struct err *e)
{
	enum next next = NEXT_REQUEST;

	begin_attempt(t);
	while (next == NEXT_REQUEST)
		next = request(t, e) < 0 ? NEXT_FAILED : handle_response(t, e);
	http_client_finish(t->client, t->wants_more);
	if (next == NEXT_DONE)
		return 0;
	/* An error of the output is not about the URL, and an end in order is
	 * none. */
	if (e->kind != ERR_OUTPUT && e->kind != ERR_NONE)
		err_prefix(e, "%s", url_text(&t->current));
	return -1;
}

/* Repeats the attempt until it succeeds or may not be repeated. --retry-for
 * begins anew with each that --retry permits. */
static int
attempt_repeatedly(struct transfer *t, struct err *e)
{
	const struct download_options *o = t->options;
	struct backoff backoff = {.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS};
	int result;

	t->retries_left = o->retries;
	for (;; err_clear(e)) {
		if (!t->is_awaiting)
			reconnect_start(&t->await, o->retry_ms, o->until);
		if (attempt(t, e) == 0)
			return 0;
		if (!may_repeat(t, e))
			return -1;
		if (!t->is_awaiting) {
			t->retries_left--;
			result = wait_to_retry(t, &backoff, e);
		} else if (t->client->timing.ends_ns[TIMING_CONNECTED] == 0) {
			result = reconnect_wait(&t->await, "no connection", e);
		} else {
			result =
			    reconnect_wait(&t->await, "no status below 400", e);
		}
		if (result < 0)
			return -1;
	}
}

/* Fetches a URL that was checked. 0, or -1 with *e. */
static int
fetch(struct transfer *t, struct err *e)
{
	char absolute[URL_ABSOLUTE_SIZE];
	int result;

	url_absolute(&t->given->url, absolute, sizeof(absolute));
	if (open_output(&t->out, t->options, t->given->name, absolute, e) < 0)
		return -1;
	set_since(t);
	result = attempt_repeatedly(t, e);
	if (t->out.kind == OUTPUT_DEVICE)
		fd_close(&t->out.sink.fd);
	if (t->out.kind == OUTPUT_PART)
		part_file_close(&t->out.file);
	return result;
}

/* Fetches the URLs in order; reports each error and keeps the first kind. */
static int
fetch_all(const struct download_options *o, const struct route_rules *rules,
    const struct checked_url *urls, struct err *e)
{
	static struct transfer transfer, *const t = &transfer;
	static struct http_client client;
	enum err_kind first = ERR_NONE;
	int n;

	http_client_init(&client, o->idle, o->rate);
	for (n = 0; n < o->url_count && signals_stopped() == 0; n++) {
		err_clear(e);
		*t = (struct transfer){.options = o,
		    .given = &urls[n],
		    .rules = rules,
		    .client = &client,
		    .wants_more = n + 1 < o->url_count};
		if (fetch(t, e) == 0)
			continue;
		if (first == ERR_NONE)
			first = e->kind;
		if (!t->wants_more || signals_stopped() != 0 ||
		    (t->out.sink.has_failed && t->out.kind == OUTPUT_STDOUT))
			break;
		diag_error(e);
	}
	http_client_release(&client);
	if (signals_stopped() != 0 && e->errnum != EINTR)
		return err_sys(e, ERR_FAILED, EINTR, "fetching");
	if (signals_stopped() != 0)
		return -1;
	/* Where nobody reads the output any more, fetch() fails without an
	 * error, which is an end in order. */
	if (first == ERR_NONE)
		return 0;
	/* The last URL was fetched: the errors of others were reported. */
	if (n == o->url_count)
		return err_status(e, (int)first);
	/* *e was not reported yet. */
	e->kind = first;
	return -1;
}

int
download_all(const struct download_options *o, struct err *e)
{
	struct checked_url *urls =
	    mem_array((size_t)o->url_count, sizeof(*urls));
	static struct route_rules rules;
	int result =
	    route_init(&rules, o->connector, o->unix_path, o->connect_to, e);

	if (result == 0)
		result = check(o, &rules, urls, e);
	if (result == 0) {
		if (o->connector->via == NULL)
			sandbox_enter();
		result = fetch_all(o, &rules, urls, e);
	}
	free(urls);
	return result;
}

/* Parses a URL, names its file, and finds its route. 0, or -1 with ERR_USAGE.
 */
static int
check_url(const struct download_options *o, const struct route_rules *rules,
    const char *text, struct checked_url *u, struct err *e)
{
	struct stat st;

	if (url_parse(&u->url, text, e) < 0)
		return -1;
	if (o->user != NULL)
		snprintf(u->url.user, sizeof(u->url.user), "%s", o->user);
	if (o->remote_name && !url_file_name(&u->url, u->name))
		return err_set(e, ERR_USAGE,
		    u->name[0] == '\0'
			? "URL '%s' names no file; --output FILE names one"
			: "URL '%s' names the file of a partial download; "
			  "--output FILE names another",
		    text_shown_url(text));
	/* One that appears later is an error of the file; see open_output(). */
	if (o->remote_name && lstat(u->name, &st) == 0 &&
	    (!S_ISREG(st.st_mode) ||
		(!o->force && !o->resume && o->since == NULL)))
		return err_set(e, ERR_USAGE, "%s %s", text_shown(u->name),
		    S_ISREG(st.st_mode) ? "exists (--force overwrites it)"
					: "exists and is not a regular file");
	if (route_find(rules, &u->url, false, &u->route, e) < 0)
		return -1;
	return connector_check(&u->route.server, &u->route.options, e);
}

/* Checks the options that the tables cannot, and the URLs. 0, or -1 with *e. */
static int
check(const struct download_options *o, const struct route_rules *rules,
    struct checked_url *urls, struct err *e)
{
	bool is_file = o->output != NULL && strcmp(o->output, "-") != 0;
	bool is_local = o->connector->tls.certificate != NULL;
	bool may_use_tls = o->follow && !is_local;
	struct http_range range = {0};
	char digest[SHA256_TEXT];
	size_t i;
	int n;

	for (i = 0; i < o->field_count; i++)
		if (http_request_check_field(o->fields[i], e) < 0)
			return err_prefix(e, "--header");
	if (o->user != NULL && strchr(o->user, ':') == NULL)
		return err_set(e, ERR_USAGE,
		    "--user: the password is missing (USER:PASSWORD)");
	if (o->user != NULL && strlen(o->user) >= URL_USER_SIZE)
		return err_set(e, ERR_USAGE, "--user: longer than %d bytes",
		    URL_USER_SIZE - 1);
	if (o->range != NULL && !http_request_parse_range(o->range, &range))
		return err_set(e, ERR_USAGE, "--range: '%s' %s",
		    text_shown(o->range),
		    range.from > range.to ? "ends before it begins"
					  : "is not A-B, A- or -N");
	if (o->sha256 != NULL && !sha256_parse(digest, o->sha256, false))
		return err_set(e, ERR_USAGE,
		    "--sha256: '%s' is not a digest, 64 hexadecimal digits",
		    text_shown(o->sha256));
	if ((o->sha256 != NULL || is_file) && o->url_count > 1)
		return err_set(e, ERR_USAGE,
		    "%s one file, and there are %d URLs",
		    o->sha256 != NULL ? "--sha256 is of" : "--output is",
		    o->url_count);
	if (o->resume && !is_file && !o->remote_name)
		return err_set(e, ERR_USAGE,
		    "--continue resumes a file: --output or --remote-name "
		    "says which");
	for (n = 0; n < o->url_count; n++) {
		if (check_url(o, rules, o->urls[n], &urls[n], e) < 0)
			return -1;
		may_use_tls |= urls[n].url.is_https;
	}
	if (o->tls_option != NULL && !may_use_tls)
		return err_set(e, ERR_USAGE,
		    "--%s is for https URLs, and there are none (%s)",
		    o->tls_option,
		    is_local ? "another origin gets no certificate"
			     : "--location may lead to one");
	return 0;
}

static void
report_timing(const struct transfer *t)
{
	timing_report(&t->client->timing, &t->client->response, &t->current,
	    t->options->timing && !t->is_awaiting);
}

/* Makes fd, with that name, the sink of the body. */
static void
set_sink(struct output *out, int fd, const char *name)
{
	sink_init(&out->sink, fd, name, !out->options->raw);
	out->sink.idle = out->options->idle;
}

/* Opens the partial file, and determines whether it can be resumed. */
static int
open_file(struct output *out, struct err *e)
{
	const struct download_options *o = out->options;

	/* Without --force, the URL names no file that is replaced, unless the
	 * request is conditional. */
	out->file.may_replace = !o->remote_name || o->since != NULL;
	out->file.is_forced = o->force;
	out->file.adopts = out->kind == OUTPUT_EXISTING;
	out->file.source = &out->source;
	if (part_file_open(&out->file, out->path, e) < 0)
		return -1;
	out->kind = OUTPUT_PART;
	set_sink(out, out->file.fd, out->file.target);
	if (out->file.held == 0 || out->file.adopts)
		return 0;
	if (o->resume && http_validator_is_usable(&out->source)) {
		out->held = out->file.held;
		return 0;
	}
	diag_warn("%s holds %s %s", text_shown(out->file.part),
	    num_size_text((uint64_t)out->file.held),
	    http_validator_is_usable(&out->source)
		? "of an earlier run; beginning anew (--continue resumes)"
		: text_format("%s; beginning anew", out->file.origin));
	http_validator_clear(&out->source);
	return 0;
}

/* Opens the output: name, of --remote-name, or the file of the options. With
 * --continue, determines what it holds of url. Both strings must stay valid. 0,
 * or -1 with *e and nothing open. */
static int
open_output(struct output *out, const struct download_options *o,
    const char *name, const char *url, struct err *e)
{
	const char *path = o->remote_name ? name : o->output;
	char part[PATH_MAX];
	struct stat st;
	bool exists;
	int fd;

	*out = (struct output){
	    .options = o, .path = path, .file = {.url = url, .fd = -1}};
	http_validator_clear(&out->source);
	if (path == NULL || strcmp(path, "-") == 0) {
		if (sock_check_standard(STDOUT_FILENO, e) < 0)
			return -1;
		set_sink(out, STDOUT_FILENO, "stdout");
		return 0;
	}
	exists = stat(path, &st) == 0;
	if (o->remote_name) {
		/* The server chooses no device, nor where a link leads. */
		if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(e, ERR_OUTPUT,
			    "%s exists and is not a regular file",
			    text_shown(path));
	} else if (fd_named(path) >= 0 ||
		   (exists && (!S_ISREG(st.st_mode) ||
				  strncmp(path, "/proc/", 6) == 0))) {
		fd = wait_open(path, O_WRONLY | O_APPEND, 0, o->until, e);
		if (fd < 0)
			return -1;
		out->kind = OUTPUT_DEVICE;
		set_sink(out, fd, path);
		return 0;
	}
	snprintf(part, sizeof(part), "%s.part", path);
	if (o->resume && !o->force && exists && access(part, F_OK) < 0) {
		out->kind = OUTPUT_EXISTING;
		out->held = (int64_t)st.st_size;
		set_sink(out, -1, "");
		return 0;
	}
	return open_file(out, e);
}

/* Whether what is written cannot be taken back. */
static bool
is_stream(const struct output *out)
{
	return out->kind == OUTPUT_STDOUT || out->kind == OUTPUT_DEVICE;
}

/* Whether the byte at this offset of the file may be written next. In a stream,
 * only the next byte of the same version may follow. */
static bool
accepts(const struct output *out, int64_t offset)
{
	return !is_stream(out) || out->sink.kind == FD_NULL ||
	       out->sink.bytes == (uint64_t)offset;
}

/* Reads what the digest lacks of the first size bytes. 0, or -1. */
static int
read_digest(struct output *out, int fd, int64_t size, struct err *e)
{
	if (sha256_read(&out->digest, fd, size) < 0)
		return err_sys(
		    e, ERR_OUTPUT, errno, "reading %s", text_shown(out->path));
	return 0;
}

/* --sha256: checks the digest of the complete file, and empties a partial file
 * if it is wrong. 0, or -1 with ERR_PROTOCOL or ERR_OUTPUT. */
static int
verify(struct output *out, int64_t size, const struct url *u, struct err *e)
{
	const char *wanted = out->options->sha256;
	char text[SHA256_TEXT], url[URL_ABSOLUTE_SIZE];
	int fd = out->file.fd, result;
	bool is_same;
	struct json *j;

	if (out->kind == OUTPUT_EXISTING) {
		fd = open(out->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, ERR_OUTPUT, errno, "reading %s",
			    text_shown(out->path));
	}
	result = read_digest(out, fd, size, e);
	if (out->kind == OUTPUT_EXISTING)
		fd_close(&fd);
	if (result < 0)
		return -1;
	sha256_text(&out->digest, text);
	is_same = strcasecmp(text, wanted) == 0;
	j = diag_event_begin("digest");
	json_text(j, "url", url_absolute(u, url, sizeof(url)));
	json_text(j, "sha256", text);
	json_bool(j, "accepted", is_same);
	diag_event_end(DIAG_NOTE, "SHA-256 %s", text);
	if (is_same)
		return 0;
	if (out->kind == OUTPUT_PART)
		(void)!ftruncate(
		    out->file.fd, out->file.adopts ? (off_t)out->file.held : 0);
	return err_set(e, ERR_PROTOCOL,
	    "its SHA-256 is %s, and --sha256 demands %s%s", text, wanted,
	    is_stream(out) ? "; what was written cannot be taken back" : "");
}

/* Verifies the complete file of size bytes, and names it. 0, or -1 with *e. */
static int
commit(struct transfer *t, int64_t size, struct err *e)
{
	const struct http_head *h = &t->client->response.head;
	const struct download_options *o = t->options;
	struct output *out = &t->out;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	char date[HTTP_DATE_SIZE];
	int64_t seconds;
	int fd = out->sink.fd;

	if (o->sha256 != NULL && verify(out, size, &t->current, e) < 0)
		return -1;
	if (out->kind == OUTPUT_DEVICE) {
		out->sink.fd = -1;
		if (close(fd) < 0)
			return err_sys(e, ERR_OUTPUT, errno, "closing %s",
			    text_shown(out->path));
	}
	if (out->kind != OUTPUT_PART)
		return 0;
	/* With these options, the file gets the time of its version. */
	if ((o->since != NULL || o->remote_time) &&
	    http_head_value(h, "last-modified", date, sizeof(date)) &&
	    http_date_parse(date, &seconds)) {
		times[1].tv_sec = (time_t)seconds;
		(void)futimens(fd, times);
	}
	return part_file_commit(&out->file, e);
}

/* Sets If-Modified-Since from a date or the time of a file, unless the output
 * file is missing. */
static void
set_since(struct transfer *t)
{
	const char *since = t->options->since;
	struct stat st;
	int64_t seconds;

	if (since == NULL || (t->out.kind == OUTPUT_PART &&
				 access(t->out.file.target, F_OK) < 0))
		return;
	if (stat(since, &st) == 0)
		seconds = (int64_t)st.st_mtime;
	else if (!http_date_parse(since, &seconds)) {
		diag_warn("--if-modified-since: '%s' is neither a file nor a "
			  "date; asking without it",
		    text_shown(since));
		return;
	}
	snprintf(t->if_modified_since, sizeof(t->if_modified_since), "%s",
	    http_date_text(seconds));
}

/* Requests the current URL, and reads the head of the response. */
static int
request(struct transfer *t, struct err *e)
{
	const struct download_options *o = t->options;
	struct http_request r = {
	    .method = o->head_only ? HTTP_HEAD : HTTP_GET,
	    .url = &t->current,
	    .closes = !t->wants_more && !o->follow,
	    .range = o->range,
	};
	char range[32];
	int result = 0;

	if (!t->left_origin) {
		r.fields = o->fields;
		r.field_count = o->field_count;
	}
	if (o->range == NULL && t->out.held > 0) {
		snprintf(range, sizeof(range), "%lld-", (long long)t->out.held);
		r.range = range;
		if (http_validator_is_usable(&t->out.source))
			r.if_range = t->out.source.text;
	}
	if (t->if_modified_since[0] != '\0')
		r.if_modified_since = t->if_modified_since;
	/* The given URL was routed when it was checked. */
	if (t->redirects > 0)
		result = route_find(
		    t->rules, &t->current, t->left_origin, &t->route, e);
	if (result == 0)
		result = http_client_request(t->client, &t->route, &r, e);
	if (result < 0 && t->redirects > 0 && e->kind == ERR_USAGE)
		/* The server named that URL, not the user. */
		e->kind = ERR_FAILED;
	return result;
}

/* Goes to the URL that a redirect names. */
static enum next
follow(struct transfer *t, const char *location, struct err *e)
{
	const struct download_options *o = t->options;
	const struct url *from = &t->current;
	bool had_secrets = o->field_count > 0 || from->user[0] != '\0' ||
			   o->connector->tls.certificate != NULL;
	char shown[URL_ABSOLUTE_SIZE];
	bool is_same;
	struct url to;

	report_timing(t);
	if (url_follow(from, location, &to, e) < 0)
		return NEXT_FAILED;
	url_absolute(&to, shown, sizeof(shown));
	if (t->redirects >= o->max_redirs)
		return err_set(e, ERR_PROTOCOL,
		    "redirected more than %s; the next one would lead to "
		    "%.200s",
		    num_count_text((uint64_t)t->redirects, "time"), shown);
	is_same = url_same_origin(from, &to);
	http_client_finish(t->client, is_same);
	if (!is_same && !t->left_origin && had_secrets)
		diag_note("redirected to another origin: credentials and "
			  "--header fields are not sent there");
	if (from->is_https && !to.is_https)
		diag_warn("redirected from https to http, which is not "
			  "encrypted");
	diag_note("redirected to %s", shown);
	t->left_origin |= !is_same;
	t->redirects++;
	t->current = to;
	return NEXT_REQUEST;
}

/* Writes the head to the sink if that was requested, then the body if has_body
 * is set. 0, or -1 with *e. */
static int
read_into_sink(struct transfer *t, bool has_body, struct err *e)
{
	const struct http_head *h = &t->client->response.head;

	if ((t->options->include || t->options->head_only) &&
	    sink_write(&t->out.sink, h->text, h->length, t->options->until, e) <
		0)
		return -1;
	if (!has_body)
		return 0;
	return http_client_read(t->client, &t->out.sink,
	    t->options->sha256 != NULL ? &t->out.digest : NULL, e);
}

/* Prints the last line on a terminal: how much was received, and how fast. */
static void
report_total(const struct transfer *t, int64_t start_ns, int64_t base)
{
	int64_t ns = clock_now() - start_ns;
	uint64_t received = t->client->response.received;

	diag_line(t->options->progress ? DIAG_ERRORS : DIAG_SAY,
	    "%s: %s in %s%s", text_shown(t->out.sink.name),
	    num_size_text((uint64_t)base + received), num_duration_text(ns),
	    ns < CLOCK_MS ? "" /* The time is too short for a rate. */
			  : text_format(", %s/s",
				num_size_text((uint64_t)((double)received *
							 1e9 / (double)ns))));
}

/* Reads a body from offset base to total (-1: unknown), and names the file. */
static enum next
read_body(struct transfer *t, int64_t base, int64_t total, struct err *e)
{
	const struct http_response *r = &t->client->response;
	struct output *out = &t->out;
	uint64_t before = out->sink.bytes;
	struct progress *p = &t->client->progress;
	char coding[64];
	bool was_shown;
	int result;

	if (out->kind == OUTPUT_PART &&
	    part_file_begin(&out->file, base, e) < 0)
		return NEXT_FAILED;
	if (t->options->sha256 != NULL &&
	    read_digest(out, out->file.fd, base, e) < 0)
		return NEXT_FAILED;
	if (r->is_suspect)
		diag_warn("%s: the response contradicts itself about its "
			  "length; its Transfer-Encoding counts",
		    url_text(&t->current));
	if (http_head_value(
		&r->head, "content-encoding", coding, sizeof(coding)) &&
	    strcmp(coding, "identity") != 0)
		diag_warn("%s: the body is encoded (%s) and is written as it "
			  "is",
		    url_text(&t->current), text_shown(coding));
	if (r->framing == HTTP_FRAME_CLOSE && !t->route.options.tls.is_on)
		diag_note("%s: the body ends with the connection, so whether "
			  "it is whole cannot be checked",
		    url_text(&t->current));
	progress_start(p, out->sink.kind != FD_TERMINAL, t->options->progress);
	was_shown = p->shown;
	t->client->count = (struct progress_count){
	    "received ", (uint64_t)base, total, (uint64_t)base};
	result = read_into_sink(t, true, e);
	progress_stop(p);
	if (result < 0) {
		/* Without a version, what was written cannot be resumed. */
		out->held = 0;
		if (http_validator_is_usable(&out->source))
			out->held = base + (int64_t)(out->sink.bytes - before);
		return NEXT_FAILED;
	}
	/* Where nobody asked, a short body to a pipe needs no line. */
	if (t->options->progress ||
	    (was_shown && (out->kind == OUTPUT_PART || p->width > 0)))
		report_total(t, p->start_ns, base);
	report_timing(t);
	if (r->head.status == 206 && !t->options->head_only &&
	    r->received != (uint64_t)(total - base))
		return err_set(e, ERR_PROTOCOL,
		    "Content-Range announced %lld bytes, %llu arrived",
		    (long long)(total - base), (unsigned long long)r->received);
	if (commit(t, (int64_t)out->digest.length, e) < 0)
		return NEXT_FAILED;
	return NEXT_DONE;
}

/* Begins an attempt with the URL as given. */
static void
begin_attempt(struct transfer *t)
{
	t->current = t->given->url;
	t->route = t->given->route;
	t->left_origin = false;
	t->redirects = 0;
	t->is_awaiting = t->options->retry_ms >= 0;
	t->client->until = deadline_first(t->options->until, t->await.end);
}

/* Why the bytes that are held are not continued: what the response shows. */
static const char *
why_not_resumed(const struct transfer *t)
{
	const struct http_head *h = &t->client->response.head;
	const struct http_validator *old = &t->out.source;
	const char *difference = http_head_difference(h, old);
	const char *name = http_validator_field(old);

	if (difference != NULL)
		return text_format(
		    "the file on the server has changed: %s", difference);
	if (h->status == 416)
		return "the server refuses (416) to continue after the bytes "
		       "that are here";
	if (http_head_find(h, name, 0) == NULL)
		return text_format(
		    "the response has no %s to tell the version by", name);
	return "the server does not resume but sends all of it";
}

/* Gives up the bytes that are held, if they can be taken back. 0, or -1. */
static int
discard_held(struct transfer *t, struct err *e)
{
	const char *why = why_not_resumed(t);

	if (!accepts(&t->out, 0))
		return err_set(e, ERR_PROTOCOL,
		    "%s, and output already written to %s cannot be undone",
		    why, text_shown(t->out.sink.name));
	diag_warn("%s: %s; beginning anew", url_text(&t->current), why);
	t->out.held = 0;
	return 0;
}

/* Requests the whole file after a response that does not continue it. */
static enum next
start_over(struct transfer *t, struct err *e)
{
	if (discard_held(t, e) < 0)
		return NEXT_FAILED;
	http_client_finish(t->client, true);
	begin_attempt(t);
	return NEXT_REQUEST;
}

/* What the output has of the file is all of it. */
static enum next
finish_complete(struct transfer *t, struct err *e)
{
	if (commit(t, t->out.held, e) < 0)
		return NEXT_FAILED;
	diag_warn("%s: the file is complete already", url_text(&t->current));
	report_timing(t);
	return NEXT_DONE;
}

/* Fails because a file of unknown origin exists and is not complete. */
static enum next
unknown_file_error(const struct transfer *t, struct err *e)
{
	return err_set(e, ERR_OUTPUT,
	    "%s: %s has %lld bytes and is not known to be the beginning of "
	    "this file (--continue-foreign continues it, --force fetches it "
	    "anew)",
	    url_text(&t->current), text_shown(t->out.path),
	    (long long)t->out.held);
}

/* Handles 200 and similar: the whole file. */
static enum next
handle_whole(struct transfer *t, const struct http_head *h, struct err *e)
{
	if (t->options->range != NULL)
		return err_set(e, ERR_PROTOCOL,
		    "the server ignored --range and sent the whole file");
	if (t->out.kind == OUTPUT_EXISTING) {
		http_head_validator(h, &t->out.source);
		return t->out.source.total == t->out.held
			   ? finish_complete(t, e)
			   : unknown_file_error(t, e);
	}
	if (t->out.held > 0 && discard_held(t, e) < 0)
		return NEXT_FAILED;
	http_head_validator(h, &t->out.source);
	/* A file that begins with a head cannot be resumed by offset. */
	if (t->options->include)
		http_validator_clear(&t->out.source);
	return read_body(t, 0, t->out.source.total, e);
}

/* Checks that got is the whole wanted range (http_request_parse_range()), which
 * text names, as far as the file reaches. 0, or -1 with *e. */
static int
check_range(const struct http_range *got, const struct http_range *wanted,
    const char *text, struct err *e)
{
	int64_t from = wanted->from, to = wanted->to, last = got->total - 1;

	if (from < 0) {
		from = got->total > to ? got->total - to : 0;
		to = INT64_MAX;
	}
	if (got->total >= 0 && to > last)
		to = last;
	if (got->from == from && got->to == to)
		return 0;
	return err_set(e, ERR_PROTOCOL,
	    "the server sent bytes %lld-%lld instead of %.64s",
	    (long long)got->from, (long long)got->to, text);
}

/* Handles a 206: a part of the file. */
static enum next
handle_part(struct transfer *t, const struct http_head *h, struct err *e)
{
	const char *range = t->options->range;
	int64_t length = t->client->response.length, count;
	struct http_range r, wanted = {t->out.held, INT64_MAX, -1};

	if (range == NULL && t->out.held == 0)
		return err_set(e, ERR_PROTOCOL,
		    "the server sent a part (206) of what was requested whole");
	if (http_head_find(h, "content-range", 0) == NULL)
		return err_set(e, ERR_PROTOCOL,
		    "the server sent a part (206) without a Content-Range");
	if (!http_head_content_range(h, &r) || r.from < 0)
		return err_set(e, ERR_PROTOCOL,
		    "the server sent a part (206) whose Content-Range names no "
		    "range of bytes");
	count = r.to - r.from + 1;
	if (length >= 0 && length != count)
		return err_set(e, ERR_PROTOCOL,
		    "the server sent a part (206) of %lld bytes, whose "
		    "Content-Range is of %lld",
		    (long long)length, (long long)count);
	if (range != NULL) {
		(void)http_request_parse_range(range, &wanted);
		if (check_range(&r, &wanted, range, e) < 0)
			return NEXT_FAILED;
		return read_body(t, 0, count, e);
	}
	if (t->out.kind == OUTPUT_EXISTING && !t->options->is_foreign)
		return unknown_file_error(t, e);
	if (t->out.kind != OUTPUT_EXISTING &&
	    !http_head_confirms(h, &t->out.source))
		return start_over(t, e);
	if (r.total < 0)
		r.total = t->out.source.total;
	if (check_range(&r, &wanted,
		text_format("%lld-", (long long)t->out.held), e) < 0)
		return NEXT_FAILED;
	if (t->out.kind == OUTPUT_EXISTING) {
		http_head_validator(h, &t->out.source);
		if (open_file(&t->out, e) < 0)
			return NEXT_FAILED;
	}
	return read_body(t, r.from, r.to + 1, e);
}

/* Handles a 416 to a resumed download: it is complete, or it has changed. */
static enum next
handle_unsatisfied(struct transfer *t, const struct http_head *h, struct err *e)
{
	struct http_range r;

	if (http_head_content_range(h, &r) && r.total == t->out.held &&
	    http_head_difference(h, &t->out.source) == NULL)
		return finish_complete(t, e);
	return t->out.kind == OUTPUT_EXISTING ? unknown_file_error(t, e)
					      : start_over(t, e);
}

/* Whether another attempt is made: it may succeed after the failure *e, its
 * output can be accepted, and --retry-for or --retry permits it. */
static bool
may_repeat(const struct transfer *t, const struct err *e)
{
	if (!e->waits || e->errnum == EINTR || t->out.sink.has_failed ||
	    !accepts(&t->out, t->out.held))
		return false;
	return t->is_awaiting || (t->retries_left > 0 && e->kind != ERR_NAME);
}

/* Copies the Location of a redirect (RFC 9110 section 15.4) to buf, of URL_SIZE
 * bytes. Returns false if the response is not one. */
static bool
is_redirect(const struct http_head *h, char *buf)
{
	return ((h->status >= 301 && h->status <= 303) || h->status == 307 ||
		   h->status == 308) &&
	       http_head_value(h, "location", buf, URL_SIZE);
}

/* Sets *e to the error that a status stands for, and whether waiting may help:
 * with --retry-for, any status may pass. */
static int
status_error(const struct transfer *t, const struct http_head *h, struct err *e)
{
	int status = h->status;
	const struct proxy *proxy = t->route.options.dial.proxy;
	char location[URL_SIZE];
	const char *reason, *target;
	const struct http_field *field;
	struct url next;

	if (proxy != NULL && status == 407)
		return err_set(e, ERR_PEER,
		    "%s: declined: 407, it wants %s user and password",
		    proxy_text(proxy),
		    proxy->user[0] == '\0' ? "a" : "another");
	if (!t->options->follow && is_redirect(h, location)) {
		target = url_follow(&t->current, location, &next, e) < 0
			     ? text_shown_url(location)
			     : url_text(&next);
		return err_set(e, ERR_PEER,
		    "redirected to %s (%d); not followed (--location follows "
		    "it)",
		    target, status);
	}
	reason = text_shown_bytes(h->text + h->reason, h->reason_length);
	field = http_head_find(h, "location", 0);
	err_set(e, ERR_PEER, "the server answered %d%s%s%s", status,
	    reason[0] != '\0' ? " " : "", reason,
	    field != NULL && field->value_length >= URL_SIZE
		? "; its Location is too long"
		: "");
	e->waits = t->is_awaiting || status == 408 || status == 429 ||
		   status == 500 || (status >= 502 && status <= 504);
	return -1;
}

/*
 * Handles an error, or a redirect that is not followed. Its body goes to a
 * terminal, or with --fail-with-body to wherever the body goes, not to a file.
 */
static enum next
handle_error(struct transfer *t, const struct http_head *h, struct err *e)
{
	bool is_seen =
	    t->options->fail_with_body || t->out.sink.kind == FD_TERMINAL;
	struct err lost = ERR_INIT;

	(void)status_error(t, h, e);
	if (is_stream(&t->out) && accepts(&t->out, 0) && !may_repeat(t, e) &&
	    read_into_sink(t, is_seen, &lost) < 0)
		*e = lost;
	else
		report_timing(t);
	return NEXT_FAILED;
}

/*
 * A status that is the result of the request, which may be for the head alone,
 * conditional, or for the rest of a file; all others are errors.
 */
static enum next
handle_response(struct transfer *t, struct err *e)
{
	const struct download_options *o = t->options;
	const struct http_head *h = &t->client->response.head;
	bool is_resumed = t->out.held > 0 && o->range == NULL;
	char location[URL_SIZE];

	if (o->follow && is_redirect(h, location)) {
		if (!t->is_awaiting)
			http_client_show_head(t->client, o->raw);
		return follow(t, location, e);
	}
	if (h->status < 400) {
		t->is_awaiting = false;
		t->client->until = t->options->until;
	}
	if (!o->include && !o->head_only && !t->is_awaiting &&
	    !(h->status == 416 && is_resumed))
		http_client_show_head(t->client, o->raw);
	if (h->status == 304 && t->if_modified_since[0] != '\0') {
		diag_note("%s: it has not changed", url_text(&t->current));
		report_timing(t);
		return NEXT_DONE;
	}
	if (h->status == 416 && is_resumed)
		return handle_unsatisfied(t, h, e);
	/* With --location, a redirect to nowhere is not the result. */
	if (o->head_only && h->status < (o->follow ? 300 : 400)) {
		http_validator_clear(&t->out.source);
		return read_body(t, 0, -1, e);
	}
	if (h->status == 206)
		return handle_part(t, h, e);
	if (h->status < 300)
		return handle_whole(t, h, e);
	return handle_error(t, h, e);
}

/* --retry: waits before the next attempt, longer if the server asks for it.
 * 0, or -1 with *e. */
static int
wait_to_retry(const struct transfer *t, struct backoff *backoff, struct err *e)
{
	const struct http_head *h = &t->client->response.head;
	struct deadline until = t->options->until;
	char text[ERR_TEXT], value[64];
	int64_t ms, after = 0;

	if (e->kind == ERR_TIMEOUT && deadline_passed(until))
		return -1;
	ms = backoff_next(backoff);
	if (e->kind == ERR_PEER &&
	    http_head_value(h, "retry-after", value, sizeof(value)) &&
	    !num_parse(value, 0, INT64_MAX, &after) &&
	    http_date_parse(value, &after))
		after -= (int64_t)time(NULL);
	if (after > ms / 1000)
		ms = (after < MAX_RETRY_AFTER_S ? after : MAX_RETRY_AFTER_S) *
		     1000;
	diag_warn("%s; trying again in %s", e->text, num_limit_text(ms));
	if (wait_until(deadline_first(until, deadline_after(ms))) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting");
	if (!deadline_passed(until))
		return 0;
	snprintf(text, sizeof(text), "%s", e->text);
	return deadline_error(until, text, e);
}
