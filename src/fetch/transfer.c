/* One attempt at a URL: request, redirects, response, body, commit. */
#include "fetch/transfer.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "fetch/http_client.h"
#include "fetch/route.h"
#include "http/http_head.h"
#include "http/http_request.h"

/* What comes next. */
enum transfer_state {
	TRANSFER_START,   /* request the first URL */
	TRANSFER_REQUEST, /* request the current URL */
	TRANSFER_HEAD,    /* the head was received: decide */
	TRANSFER_BODY,    /* read the body into the output */
	TRANSFER_COMMIT,  /* the body is complete: name the file */
	TRANSFER_DONE,
	TRANSFER_FAILED /* *e says why */
};

bool
transfer_may_repeat(const struct transfer *t)
{
	const struct output *o = &t->output;

	return !o->sink.has_failed &&
	       output_accepts(o, output_can_resume(o) ? o->resume.held : 0);
}

/* Whether the current response is not the result yet: with --retry-for, one
 * with a status below 400 is awaited. */
static bool
is_awaiting(const struct transfer *t)
{
	return t->options->retry_ms >= 0 && !t->is_served;
}

static void
report(const struct transfer *t)
{
	bool with_chart = t->options->timing && !is_awaiting(t);
	char shown[URL_ABSOLUTE_SIZE];

	if (with_chart || diag_emits(DIAG_NOTE))
		http_client_report(t->client,
		    url_absolute(&t->current, shown, sizeof(shown)),
		    with_chart);
}

/* Reports a milestone of this URL. */
static void
note(const struct transfer *t, const char *what)
{
	char label[URL_LABEL_SIZE];

	diag_note("%s: %s", url_label(&t->current, label), what);
}

/* Starts with the first URL, and with the usable part of the output. */
static enum transfer_state
start(struct transfer *t)
{
	struct resume *r = &t->output.resume;

	if (!r->is_complete && !output_can_resume(&t->output))
		r->held = 0;
	url_copy(&t->current, t->url);
	if (t->options->user != NULL)
		snprintf(t->current.user, sizeof(t->current.user), "%s",
		    t->options->user);
	t->left_origin = false;
	t->redirects = 0;
	t->is_served = false;
	http_client_limit(t->client, t->head_until);
	return TRANSFER_REQUEST;
}

/* Sets the range and the conditions; range is storage. */
static void
set_conditions(
    const struct transfer *t, struct http_request *r, char *range, size_t size)
{
	const struct resume *resume = &t->output.resume;

	if (t->options->range != NULL) {
		r->range = t->options->range;
	} else if (resume->held > 0) {
		snprintf(range, size, "%lld-", (long long)resume->held);
		r->range = range;
		if (http_validator_is_usable(&resume->source))
			r->if_range = resume->source.text;
	}
	if (t->if_modified_since[0] != '\0')
		r->if_modified_since = t->if_modified_since;
}

static int
send_request(struct transfer *t, struct err *e)
{
	const struct fetch_options *o = t->options;
	struct http_request r = {
	    .method = o->head_only ? HTTP_HEAD : HTTP_GET,
	    .url = &t->current,
	    .closes = !t->wants_more && !o->follow,
	};
	char secret[2 * PROXY_SECRET], range[32];
	struct http_route route;

	if (!t->left_origin) {
		r.fields = o->fields;
		r.field_count = o->field_count;
	}
	if (route_find(t->rules, r.url, &route, e) < 0)
		return -1;
	if (http_conn_is_forwarded(&route)) {
		r.is_absolute = true;
		if (proxy_credentials(route.proxy, secret, sizeof(secret)))
			r.proxy_user = secret;
	}
	set_conditions(t, &r, range, sizeof(range));
	return http_client_request(t->client, &route, &r, e);
}

static enum transfer_state
request(struct transfer *t, struct err *e)
{
	char label[URL_LABEL_SIZE];

	if (send_request(t, e) == 0)
		return TRANSFER_HEAD;
	if (t->redirects > 0 && e->kind == ERR_USAGE)
		/* The server named that URL, not the user. */
		e->kind = ERR_FAILED;
	err_prefix(e, "%s", url_label(&t->current, label));
	return TRANSFER_FAILED;
}

static enum transfer_state
follow(struct transfer *t, const char *location, struct err *e)
{
	const struct fetch_options *o = t->options;
	const struct url *from = &t->current;
	bool had_secrets = o->field_count > 0 || from->user[0] != '\0';
	char shown[URL_ABSOLUTE_SIZE], count[40];
	bool is_same;
	struct url to;

	report(t);
	if (url_follow(from, location, &to, e) < 0)
		return TRANSFER_FAILED;
	url_absolute(&to, shown, sizeof(shown));
	if (t->redirects >= o->max_redirs) {
		err_set(e, ERR_PROTOCOL,
		    "redirected more than %s; the next one would lead to "
		    "%.200s",
		    num_format_count(
			count, sizeof(count), (uint64_t)t->redirects, "time"),
		    shown);
		return TRANSFER_FAILED;
	}
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
	url_copy(&t->current, &to);
	return TRANSFER_REQUEST;
}

/* Rejects a response: "http://a/b: " and what is wrong with it. */
static enum transfer_state
reject(const struct transfer *t, const char *what, struct err *e)
{
	char label[URL_LABEL_SIZE];

	err_set(e, ERR_PROTOCOL, "%s: %s", url_label(&t->current, label), what);
	return TRANSFER_FAILED;
}

/* Warns about what is unusual about the body but acceptable. */
static void
warn_about(const struct transfer *t, const struct http_response *r)
{
	char label[URL_LABEL_SIZE], coding[64], shown[128];

	if (r->is_suspect)
		diag_warn("%s: the response contradicts itself about its "
			  "length; its Transfer-Encoding counts",
		    url_label(&t->current, label));
	if (http_head_value(
		&r->head, "content-encoding", coding, sizeof(coding)) &&
	    strcmp(coding, "identity") != 0)
		diag_warn("%s: the body is encoded (%s) and is written as it "
			  "is",
		    url_label(&t->current, label),
		    text_escape_string(shown, sizeof(shown), coding));
	if (r->framing == HTTP_FRAME_CLOSE && !t->client->conn.route.is_tls)
		diag_note("%s: the body ends with the connection, so whether "
			  "it is whole cannot be checked",
		    url_label(&t->current, label));
}

/* Starts a body from offset base to total; -1: unknown. */
static enum transfer_state
begin_body(struct transfer *t, int64_t base, int64_t total, struct err *e)
{
	const struct http_response *r = http_client_response(t->client);

	t->output.is_whole = http_response_fits(r, buf_length(&t->client->in));
	if (output_begin(&t->output, base, e) < 0)
		return TRANSFER_FAILED;
	t->output.total = total;
	warn_about(t, r);
	return TRANSFER_BODY;
}

/* Starts over: the partial file is of another or an unknown version. */
static enum transfer_state
start_over(struct transfer *t, const char *why, struct err *e)
{
	char label[URL_LABEL_SIZE];

	if (!output_accepts(&t->output, 0)) {
		output_refuse(&t->output, e);
		return TRANSFER_FAILED;
	}
	diag_warn(
	    "%s: %s; fetching it anew", url_label(&t->current, label), why);
	t->output.resume.held = 0;
	return TRANSFER_START;
}

static enum transfer_state
already_complete(const struct transfer *t)
{
	note(t, "the file is complete already");
	report(t);
	return TRANSFER_DONE;
}

/* Fails because a file of unknown origin exists and is not complete. */
static enum transfer_state
unknown_file(const struct transfer *t, struct err *e)
{
	char label[URL_LABEL_SIZE];

	err_set(e, ERR_OUTPUT,
	    "%s: the file that is there has %lld bytes and is not known to be "
	    "the beginning of this one (--force fetches it anew)",
	    url_label(&t->current, label), (long long)t->output.resume.held);
	return TRANSFER_FAILED;
}

/* Handles 200 and similar: the whole file. */
static enum transfer_state
handle_whole(struct transfer *t, const struct http_head *h, struct err *e)
{
	char label[URL_LABEL_SIZE];
	struct resume *resume = &t->output.resume;
	struct http_validator *source = &resume->source;

	if (t->options->range != NULL)
		return reject(
		    t, "the server ignored --range and sent the whole file", e);
	http_validator_parse(source, h);
	if (resume->is_complete)
		return source->total == resume->held ? already_complete(t)
						     : unknown_file(t, e);
	if (resume->held > 0 && output_accepts(&t->output, 0))
		diag_warn("%s: the server sends all of it again: it has "
			  "changed, or cannot be resumed",
		    url_label(&t->current, label));
	/* A file that begins with a head cannot be resumed by offset. */
	if (t->options->include)
		http_validator_clear(source);
	return begin_body(t, 0, source->total, e);
}

/* Whether a 206 contains the range that the user requested. */
static bool
is_requested(const char *text, const struct http_range *got)
{
	struct http_range range;

	if (!http_request_parse_range(text, &range))
		return false;
	if (range.from < 0)
		return got->to - got->from < range.to &&
		       (got->total < 0 || got->to == got->total - 1);
	return got->from == range.from && got->to <= range.to;
}

static enum transfer_state
wrong_range(const struct transfer *t, const struct http_range *got,
    const char *wanted, struct err *e)
{
	char text[160];

	snprintf(text, sizeof(text),
	    "the server sent bytes %lld-%lld instead "
	    "of %.64s",
	    (long long)got->from, (long long)got->to, wanted);
	return reject(t, text, e);
}

/* Handles a 206: a part of the file. */
static enum transfer_state
handle_part(struct transfer *t, const struct http_head *h, struct err *e)
{
	const struct resume *resume = &t->output.resume;
	int64_t length = http_client_response(t->client)->length;
	struct http_range r;
	char wanted[32];

	if (t->options->range == NULL && resume->held == 0)
		return reject(t,
		    "the server sent a part (206) of what was requested whole",
		    e);
	if (!http_head_content_range(h, &r) || r.from < 0 ||
	    (length >= 0 && length != r.to - r.from + 1))
		return reject(t,
		    "the server sent a part (206) without a Content-Range that "
		    "says which",
		    e);
	if (t->options->range != NULL)
		return is_requested(t->options->range, &r)
			   ? begin_body(t, 0, r.to - r.from + 1, e)
			   : wrong_range(t, &r, t->options->range, e);
	if (resume->is_complete)
		return unknown_file(t, e);
	if (!http_validator_confirms(&resume->source, h))
		return start_over(
		    t, "the server sent a part of another version", e);
	if (r.from != resume->held || (r.total >= 0 && r.to != r.total - 1)) {
		snprintf(
		    wanted, sizeof(wanted), "%lld-", (long long)resume->held);
		return wrong_range(t, &r, wanted, e);
	}
	return begin_body(t, r.from, r.to + 1, e);
}

/* Handles a 416 to a resumed download: it is complete, or it has changed. */
static enum transfer_state
handle_unsatisfied(struct transfer *t, const struct http_head *h, struct err *e)
{
	const struct resume *resume = &t->output.resume;
	struct http_range r;

	if (http_head_content_range(h, &r) && r.total == resume->held &&
	    http_validator_agrees(&resume->source, h)) {
		if (!resume->is_complete && output_commit(&t->output, h, e) < 0)
			return TRANSFER_FAILED;
		return already_complete(t);
	}
	if (resume->is_complete)
		return unknown_file(t, e);
	return start_over(t,
	    "the file that is there is not the beginning of what the server "
	    "has",
	    e);
}

/* Handles a 304 to a condition. */
static enum transfer_state
handle_unchanged(const struct transfer *t)
{
	note(t, "it has not changed");
	report(t);
	return TRANSFER_DONE;
}

bool
transfer_is_transient(int status)
{
	return status == 408 || status == 429 || status == 500 ||
	       (status >= 502 && status <= 504);
}

bool
transfer_is_declined(const struct transfer *t)
{
	const struct http_client *c = t->client;

	return http_conn_is_forwarded(&c->conn.route) &&
	       http_client_response(c)->head.status == 407;
}

/* Whether another attempt follows; the body of this one is then dropped. */
static bool
will_retry(const struct transfer *t, int status)
{
	if (is_awaiting(t))
		return !transfer_is_declined(t);
	return t->retries_left > 0 && transfer_is_transient(status) &&
	       !deadline_passed(t->output.until) && transfer_may_repeat(t);
}

/* Whether it is a redirect that the options do not follow. */
static bool
has_redirect(const struct transfer *t, const struct http_head *h)
{
	char location[URL_SIZE];

	return !t->options->follow && !t->options->head_only &&
	       http_head_location(h, location, sizeof(location));
}

/* Reports a redirect that is not followed, with its target. */
static void
refuse_redirect(
    const struct transfer *t, const struct http_head *h, struct err *e)
{
	char label[URL_LABEL_SIZE], location[URL_SIZE], to[URL_LABEL_SIZE];
	struct url next;

	(void)http_head_location(h, location, sizeof(location));
	if (url_follow(&t->current, location, &next, e) < 0)
		url_show(location, to, sizeof(to));
	else
		url_label(&next, to);
	err_set(e, ERR_PEER,
	    "%s: redirected to %s (%d); not followed (--location follows it)",
	    url_label(&t->current, label), to, h->status);
}

/* Handles a status of 400 or more, or a redirect. */
static enum transfer_state
handle_error(struct transfer *t, const struct http_head *h, struct err *e)
{
	const struct proxy *proxy = t->client->conn.route.proxy;
	char label[URL_LABEL_SIZE], name[PROXY_TEXT], reason[128];
	struct output *o = &t->output;
	bool has_body = output_takes_errors(o) && !will_retry(t, h->status);
	const char *note =
	    has_body && !output_accepts(o, 0) ? "; its body is dropped" : "";

	if (has_body && output_accepts(o, 0) &&
	    output_read_error_body(o, t->client, e) < 0)
		return TRANSFER_FAILED;
	report(t);
	if (transfer_is_declined(t)) {
		err_set(e, ERR_PEER,
		    "%s: %s: declined: 407, it wants %s user and password",
		    url_label(&t->current, label),
		    proxy_format(proxy, name, sizeof(name)),
		    proxy->user[0] == '\0' ? "a" : "another");
		return TRANSFER_FAILED;
	}
	if (has_redirect(t, h)) {
		refuse_redirect(t, h, e);
		text_append(e->text, sizeof(e->text), "%s", note);
		return TRANSFER_FAILED;
	}
	text_escape(
	    reason, sizeof(reason), h->text + h->reason, h->reason_length);
	err_set(e, ERR_PEER, "%s: the server answered %d%s%s%s",
	    url_label(&t->current, label), h->status,
	    reason[0] != '\0' ? " " : "", reason, note);
	return TRANSFER_FAILED;
}

/* Handles any other status: its body goes to stdout, but never to a file. */
static enum transfer_state
handle_other(struct transfer *t, const struct http_head *h, struct err *e)
{
	if (t->output.is_file || !t->output.is_open)
		return handle_error(t, h, e);
	return begin_body(t, 0, -1, e);
}

/* Handles the response to HEAD, which has no body to resume. */
static enum transfer_state
handle_head_only(struct transfer *t, struct err *e)
{
	http_validator_clear(&t->output.resume.source);
	return begin_body(t, 0, -1, e);
}

static enum transfer_state
handle_status(struct transfer *t, const struct http_head *h, struct err *e)
{
	if (h->status == 304 && t->if_modified_since[0] != '\0')
		return handle_unchanged(t);
	if (h->status == 416 && t->output.resume.held > 0 &&
	    t->options->range == NULL)
		return handle_unsatisfied(t, h, e);
	if (t->options->head_only && h->status < 300)
		return handle_head_only(t, e);
	if (h->status == 206)
		return handle_part(t, h, e);
	if (h->status < 300)
		return handle_whole(t, h, e);
	if (h->status < 400)
		return handle_other(t, h, e);
	return handle_error(t, h, e);
}

static enum transfer_state
handle_head(struct transfer *t, struct err *e)
{
	const struct fetch_options *o = t->options;
	const struct http_head *h = &http_client_response(t->client)->head;
	char location[URL_SIZE];
	enum transfer_state next;

	if (o->follow && http_head_location(h, location, sizeof(location))) {
		if (!is_awaiting(t))
			http_head_show(h, o->raw);
		return follow(t, location, e);
	}
	t->is_served = h->status < 400;
	if (t->is_served)
		http_client_limit(t->client, deadline_none());
	if (!o->include && !o->head_only && !is_awaiting(t))
		http_head_show(h, o->raw);
	next = handle_status(t, h, e);
	if (next == TRANSFER_START)
		http_client_finish(t->client, true);
	return next;
}

static enum transfer_state
read_body(struct transfer *t, struct err *e)
{
	if (output_read(&t->output, t->client, e) < 0)
		return TRANSFER_FAILED;
	report(t);
	return TRANSFER_COMMIT;
}

/* Checks the length of a part against its Content-Range. */
static int
check_length(const struct transfer *t, struct err *e)
{
	const struct http_response *r = http_client_response(t->client);
	int64_t announced = t->output.total - t->output.base;
	char label[URL_LABEL_SIZE];

	if (r->head.status != 206 || t->options->head_only ||
	    r->received == (uint64_t)announced)
		return 0;
	return err_set(e, ERR_PROTOCOL,
	    "%s: %lld bytes were announced by Content-Range, and %llu came",
	    url_label(&t->current, label), (long long)announced,
	    (unsigned long long)r->received);
}

static enum transfer_state
commit(struct transfer *t, struct err *e)
{
	const struct http_response *r = http_client_response(t->client);

	if (has_redirect(t, &r->head)) {
		refuse_redirect(t, &r->head, e);
		return TRANSFER_FAILED;
	}
	if (check_length(t, e) < 0 ||
	    output_commit(&t->output, &r->head, e) < 0)
		return TRANSFER_FAILED;
	return TRANSFER_DONE;
}

static enum transfer_state
advance(struct transfer *t, enum transfer_state state, struct err *e)
{
	switch (state) {
	case TRANSFER_START:
		return start(t);
	case TRANSFER_REQUEST:
		return request(t, e);
	case TRANSFER_HEAD:
		return handle_head(t, e);
	case TRANSFER_BODY:
		return read_body(t, e);
	case TRANSFER_COMMIT:
		return commit(t, e);
	default:
		return TRANSFER_FAILED;
	}
}

int
transfer_attempt(struct transfer *t, struct err *e)
{
	enum transfer_state state = TRANSFER_START;

	while (state != TRANSFER_DONE && state != TRANSFER_FAILED)
		state = advance(t, state, e);
	http_client_finish(t->client, t->wants_more);
	return state == TRANSFER_DONE ? 0 : -1;
}
