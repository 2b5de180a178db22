/* Fetches URLs one after another: attempts, retries and connection reuse. */
#include "fetch/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "dial/connector.h"
#include "dial/reconnect.h"
#include "fetch/transfer.h"
#include "http/http_file_name.h"
#include "http/http_request.h"
#include "net/endpoint.h"
#include "net/wait.h"

/* Pauses between attempts, and the longest Retry-After that is honored. */
#define MIN_PAUSE_MS 250
#define MAX_PAUSE_MS (30 * 1000)
#define MAX_RETRY_AFTER 600

int
fetch_check(const struct fetch_options *o, int urls, struct err *e)
{
	bool is_file = o->output != NULL && strcmp(o->output, "-") != 0;
	struct http_range range = {0};
	char shown[64];
	size_t i;

	for (i = 0; i < o->field_count; i++)
		if (http_request_check_field(o->fields[i], e) < 0)
			return err_prefix(e, "--header");
	if (o->user != NULL && strchr(o->user, ':') == NULL)
		return err_set(e, ERR_USAGE,
		    "--user: the password is missing (USER:PASS)");
	if (o->user != NULL && strlen(o->user) >= URL_USER_SIZE)
		return err_set(e, ERR_USAGE, "--user: longer than %d bytes",
		    URL_USER_SIZE - 1);
	if (o->range != NULL && !http_request_parse_range(o->range, &range))
		return err_set(e, ERR_USAGE, "--range: '%s' %s",
		    text_escape_string(shown, sizeof(shown), o->range),
		    range.from > range.to ? "ends before it begins"
					  : "is not A-B, A- or -N");
	if (is_file && urls > 1)
		return err_set(e, ERR_USAGE,
		    "--output is one file, and there are %d URLs", urls);
	if (o->resume && !is_file && !o->remote_name)
		return err_set(e, ERR_USAGE,
		    "--continue resumes a file: --output or --remote-name "
		    "says which");
	return 0;
}

/* Parses a URL, and checks that o can fetch it. 0, or -1 with ERR_USAGE. */
static int
parse_url(struct url *u, const char *text, const struct fetch_options *o,
    struct err *e)
{
	char name[HTTP_FILE_NAME_SIZE];

	char shown[256];

	if (url_parse(u, text, e) < 0)
		return -1;
	if (o->remote_name && !http_file_name_of_url(u, name, sizeof(name)))
		return err_set(e, ERR_USAGE,
		    "URL '%s' names no file; --output FILE does",
		    url_show(text, shown, sizeof(shown)));
	return 0;
}

int
fetch_check_url(
    const struct fetch *f, const char *url, bool *is_https, struct err *e)
{
	struct http_route route;
	struct url u;

	if (parse_url(&u, url, f->options, e) < 0 ||
	    route_find(&f->rules, &u, &route, e) < 0 ||
	    endpoint_check_host(route.server.host, e) < 0)
		return -1;
	*is_https = u.is_https;
	return http_client_check(&f->client, &route, e);
}

/* Whether the failure may be temporary and the output can continue. */
static bool
may_retry(const struct transfer *t, const struct err *e)
{
	const struct http_client *c = t->client;

	if (deadline_passed(t->output.until) || e->errnum == EINTR ||
	    !transfer_may_repeat(t))
		return false;
	/* --retry-for has passed, or was of no use. */
	if (t->options->retry_ms >= 0 && !t->is_served)
		return false;
	switch (e->kind) {
	case ERR_REFUSED:
	case ERR_TIMEOUT:
	case ERR_UNREACHABLE:
	case ERR_LOST:
		return true;
	case ERR_PROTOCOL:
		return http_client_stage(c) == HTTP_STAGE_TRUNCATED;
	case ERR_PEER:
		if (http_client_stage(c) < HTTP_STAGE_ANSWERED)
			/* A proxy declined. */
			return connector_is_transient(e);
		return transfer_is_transient(
		    http_client_response(c)->head.status);
	default:
		return false;
	}
}

/* The Retry-After of a response, in seconds; 0: none. */
static int64_t
retry_after(const struct http_head *h)
{
	char value[64];
	int64_t after;

	if (!http_head_value(h, "retry-after", value, sizeof(value)))
		return 0;
	if (!num_parse(value, 0, INT64_MAX, &after)) {
		if (!http_date_parse(value, &after))
			return 0;
		after -= (int64_t)time(NULL);
	}
	return after < MAX_RETRY_AFTER ? after : MAX_RETRY_AFTER;
}

/* How long to wait before the next attempt. */
static int64_t
pause_ms(const struct transfer *t, const struct err *e, struct backoff *backoff)
{
	const struct http_head *h = &http_client_response(t->client)->head;
	int64_t ms = backoff_next(backoff);
	int64_t after = e->kind == ERR_PEER ? retry_after(h) * 1000 : 0;

	return after > ms ? after : ms;
}

/* Waits before the next attempt. 0, or -1 with *e. */
static int
wait_to_retry(struct deadline until, int64_t ms, struct err *e)
{
	char shown[32], text[ERR_TEXT];

	diag_warn("%s; trying again in %s", e->text,
	    num_format_limit(shown, sizeof(shown), ms));
	if (wait_until(deadline_first(until, deadline_after(ms))) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting");
	if (deadline_passed(until)) {
		snprintf(text, sizeof(text), "%s", e->text);
		return deadline_error(until, text, e);
	}
	err_clear(e);
	return 0;
}

/* Whether --retry-for goes on: no response, or a status of 400 or more. */
static bool
may_await(const struct transfer *t, const struct err *e)
{
	enum http_stage stage = http_client_stage(t->client);

	if (t->is_served || e->errnum == EINTR || !transfer_may_repeat(t))
		return false;
	if (stage == HTTP_STAGE_ANSWERED && e->kind == ERR_PEER)
		return !transfer_is_declined(t);
	return connector_is_transient(e) || stage == HTTP_STAGE_TRUNCATED;
}

/*
 * Makes one attempt; with --retry-for, repeats it until the server answers with
 * a status below 400. If the last answer was another one, that is the kind of
 * the error.
 */
static int
attempt_until_served(struct transfer *t, struct err *e)
{
	struct reconnect r;
	const char *what;

	t->head_until = deadline_none();
	if (t->options->retry_ms < 0)
		return transfer_attempt(t, e);
	reconnect_start(&r, t->options->retry_ms, t->output.until);
	t->head_until = r.end;
	for (;;) {
		if (transfer_attempt(t, e) == 0)
			return 0;
		if (!may_await(t, e))
			return -1;
		what = http_client_stage(t->client) == HTTP_STAGE_NONE
			   ? "no connection"
			   : "no status below 400";
		if (reconnect_wait(&r, what, e) < 0)
			break;
	}
	if (r.last.kind == ERR_PEER && r.last.errnum == 0 &&
	    e->kind == ERR_TIMEOUT && !deadline_passed(r.until))
		e->kind = ERR_PEER;
	return -1;
}

/* Repeats the attempt until it succeeds or a retry is useless. */
static int
attempt_repeatedly(struct transfer *t, struct err *e)
{
	struct backoff backoff = {.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS};
	struct deadline until = t->output.until;

	for (t->retries_left = t->options->retries;; t->retries_left--) {
		if (attempt_until_served(t, e) == 0)
			return 0;
		if (t->retries_left == 0 || !may_retry(t, e) ||
		    wait_to_retry(until, pause_ms(t, e, &backoff), e) < 0)
			return -1;
	}
}

/*
 * Sets If-Modified-Since from a date, or from the time of a file, unless the
 * output file is missing.
 */
static void
set_since(struct transfer *t)
{
	const char *since = t->options->since;
	char shown[128];
	struct stat st;
	int64_t seconds;

	if (since == NULL ||
	    (t->output.is_file && access(t->output.file.target, F_OK) < 0))
		return;
	if (stat(since, &st) == 0)
		seconds = (int64_t)st.st_mtime;
	else if (!http_date_parse(since, &seconds)) {
		diag_warn("--if-modified-since: '%s' is neither a file nor a "
			  "date; asking without it",
		    text_escape_string(shown, sizeof(shown), since));
		return;
	}
	snprintf(t->if_modified_since, sizeof(t->if_modified_since), "%s",
	    http_date_text(seconds));
}

static int
run(struct fetch *f, struct transfer *t, struct err *e)
{
	struct output *o = &t->output;
	int result;

	if (output_open(o, e) < 0)
		return -1;
	set_since(t);
	result = attempt_repeatedly(t, e);
	if (o->sink.has_failed && !o->is_file)
		f->stdout_failed = true;
	output_close(o);
	return result;
}

int
fetch_url(struct fetch *f, const char *url, bool wants_more, struct err *e)
{
	struct transfer *t = mem_array(1, sizeof(*t));
	struct url u;
	int result;

	t->client = &f->client;
	t->rules = &f->rules;
	t->options = t->output.options = f->options;
	t->url = t->output.url = &u;
	t->wants_more = wants_more;
	t->output.requested = &t->current;
	t->output.until = f->until;
	result = parse_url(&u, url, f->options, e) < 0 ? -1 : run(f, t, e);
	free(t);
	return result;
}

int
fetch_start(struct fetch *f, const struct fetch_options *o,
    const struct http_client_options *client, struct err *e)
{
	f->options = o;
	f->until = client->until;
	f->stdout_failed = false;
	http_client_init(&f->client, client);
	if (o->is_via) {
		memset(&f->rules, 0, sizeof(f->rules));
		return 0;
	}
	return route_init(&f->rules, o->proxy, e);
}

void
fetch_release(struct fetch *f)
{
	http_client_release(&f->client);
}
