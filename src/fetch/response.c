/* What http-get does with a response: save, resume, skip or fail. */
#include "fetch/response.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "fetch/etag.h"
#include "fetch/request.h"
#include "fetch/output.h"
#include "fetch/transfer.h"

/* "http://a/b: " and what fmt says, as a malformed answer. */
static enum response_result
wrong(const struct transfer *t, const char *what, struct err *e)
{
	char shown[TRANSFER_LABEL_SIZE];

	err_set(e, ERR_PROTOCOL, "%s: %s", transfer_label(t, shown), what);
	return RESPONSE_FAILED;
}

/* What about the body is odd, but no reason not to take it. */
static void
warn_about(const struct transfer *t)
{
	const struct http_response *b = t->f->client.response;
	char coding[64], shown[128];

	if (b->is_suspect)
		diag_warn("the response contradicts itself about its length; "
			  "its Transfer-Encoding counts");
	if (http_head_value(
		transfer_head(t), "content-encoding", coding, sizeof(coding)) &&
	    strcmp(coding, "identity") != 0)
		diag_warn("the body is encoded (%s) and is written as it is",
		    text_escape_string(shown, sizeof(shown), coding));
	if (b->framing == HTTP_FRAME_CLOSE)
		diag_note("the body ends with the connection: whether it is "
			  "whole cannot be checked");
}

/* The body is whole: the file gets its name, and --etag its tag. */
static int
commit(struct transfer *t, struct err *e)
{
	const struct http_head *h = transfer_head(t);
	char date[HTTP_DATE_SIZE];
	int64_t seconds;

	if (t->o->since != NULL && t->is_file &&
	    http_head_value(h, "last-modified", date, sizeof(date)) &&
	    http_date_parse(date, &seconds))
		download_set_time(&t->file, seconds);
	return t->o->etag != NULL ? etag_commit(t, e) : output_commit(t, e);
}

/* A part without a length of its own may turn out to be another one. */
static int
check_length(const struct transfer *t, struct err *e)
{
	uint64_t received = t->f->client.response->received;
	char shown[TRANSFER_LABEL_SIZE];

	if (t->expected < 0 || received == (uint64_t)t->expected)
		return 0;
	return err_set(e, ERR_PROTOCOL,
	    "%s: %lld bytes were announced by Content-Range, and %llu came",
	    transfer_label(t, shown), (long long)t->expected,
	    (unsigned long long)received);
}

/* Takes the body, whose first byte belongs at base. */
static enum response_result
take_body(struct transfer *t, int64_t base, struct err *e)
{
	char shown[TRANSFER_URL_SIZE];

	if (!output_accepts(t, base)) {
		output_refuse(t, e);
		return RESPONSE_FAILED;
	}
	t->base = base;
	t->held = base;
	t->out_start = t->out.bytes;
	url_absolute(&t->start, shown, sizeof(shown));
	if (t->is_file &&
	    download_begin(&t->file, base, shown, &t->source, e) < 0)
		return RESPONSE_FAILED;
	warn_about(t);
	if (output_take(t, e) < 0) {
		t->held = base + (int64_t)(t->out.bytes - t->out_start);
		return RESPONSE_FAILED;
	}
	request_report(t);
	if (check_length(t, e) < 0 || commit(t, e) < 0)
		return RESPONSE_FAILED;
	return RESPONSE_DONE;
}

/* What is held is of another version, or of no known one. */
static enum response_result
ask_again(struct transfer *t, const char *why, struct err *e)
{
	if (!output_accepts(t, 0)) {
		output_refuse(t, e);
		return RESPONSE_FAILED;
	}
	diag_warn("%s; fetching it anew", why);
	t->held = 0;
	return RESPONSE_ASK_AGAIN;
}

static enum response_result
already_whole(struct transfer *t)
{
	diag_note("the file is complete already");
	request_report(t);
	return RESPONSE_DONE;
}

/* A file is there whose origin is not known; it is not whole either. */
static enum response_result
not_ours(const struct transfer *t, struct err *e)
{
	char shown[TRANSFER_LABEL_SIZE];

	err_set(e, ERR_OUTPUT,
	    "%s: the file that is there has %lld bytes and is not known to be "
	    "the beginning of this one (--force fetches it anew)",
	    transfer_label(t, shown), (long long)t->complete_size);
	return RESPONSE_FAILED;
}

/* 200 and its like: the whole of it. */
static enum response_result
take_whole(struct transfer *t, struct err *e)
{
	struct http_validator v;

	http_validator_parse(&v, transfer_head(t));
	if (t->o->range != NULL)
		return wrong(t,
		    "a range was asked for and the whole was sent: the server "
		    "knows no ranges of this",
		    e);
	if (t->complete_size >= 0)
		return v.total == t->complete_size ? already_whole(t)
						   : not_ours(t, e);
	if (t->held > 0 && output_accepts(t, 0))
		diag_warn("the server sends all of it again: it has changed, "
			  "or cannot be resumed");
	if (output_open_late(t, e) < 0)
		return RESPONSE_FAILED;
	/* A file that begins with a head cannot be resumed by offset. */
	if (t->o->include)
		http_validator_clear(&v);
	t->source = v;
	t->total = v.total;
	t->expected = -1;
	return take_body(t, 0, e);
}

/* Whether a 206 is the range that the user asked for. */
static bool
is_asked_range(const char *asked, const struct http_range *got)
{
	const char *dash = strchr(asked, '-');
	char first[32];
	int64_t from, to;

	if (dash == asked)
		return num_parse(dash + 1, 0, INT64_MAX, &to) &&
		       got->to - got->from < to &&
		       (got->total < 0 || got->to == got->total - 1);
	snprintf(first, sizeof(first), "%.*s", (int)(dash - asked), asked);
	if (!num_parse(first, 0, INT64_MAX, &from) || got->from != from)
		return false;
	return dash[1] == '\0' ||
	       (num_parse(dash + 1, 0, INT64_MAX, &to) && got->to <= to);
}

/* Whether the body's own length is that of its range. */
static bool
has_length_of(const struct transfer *t, const struct http_range *r)
{
	int64_t length = t->f->client.response->length;

	return length < 0 || length == r->to - r->from + 1;
}

/* 206: a part. */
static enum response_result
take_part(struct transfer *t, struct err *e)
{
	struct http_range r;

	if (t->o->range == NULL && t->asked_from == 0)
		return wrong(t, "a part was sent that nobody asked for", e);
	if (!http_head_content_range(transfer_head(t), &r) || r.from < 0 ||
	    !has_length_of(t, &r))
		return wrong(t,
		    "a part was sent without a Content-Range that says which",
		    e);
	t->expected = r.to - r.from + 1;
	if (t->o->range != NULL) {
		if (!is_asked_range(t->o->range, &r))
			return wrong(t, "another range was sent", e);
		t->total = t->expected;
		if (output_open_late(t, e) < 0)
			return RESPONSE_FAILED;
		return take_body(t, 0, e);
	}
	if (t->complete_size >= 0)
		return not_ours(t, e);
	if (!http_validator_confirms(&t->source, transfer_head(t)))
		return ask_again(t,
		    "the server sent a part of another "
		    "version",
		    e);
	if (r.from != t->asked_from || (r.total >= 0 && r.to != r.total - 1))
		return wrong(t, "another range was sent", e);
	t->total = r.to + 1;
	return take_body(t, t->asked_from, e);
}

/* 416 behind the end of what is held: it is whole, or it has changed. */
static enum response_result
take_unsatisfied(struct transfer *t, struct err *e)
{
	struct http_range r;
	bool is_same = http_head_content_range(transfer_head(t), &r) &&
		       r.total == t->asked_from &&
		       http_validator_agrees(&t->source, transfer_head(t));

	if (is_same) {
		if (t->complete_size < 0 && output_commit(t, e) < 0)
			return RESPONSE_FAILED;
		return already_whole(t);
	}
	if (t->complete_size >= 0)
		return not_ours(t, e);
	return ask_again(t,
	    "what is there is no beginning of what the server "
	    "has",
	    e);
}

/* 304 to a condition. */
static enum response_result
take_unchanged(struct transfer *t)
{
	diag_note("it has not changed");
	request_report(t);
	return RESPONSE_DONE;
}

bool
response_is_transient(int status)
{
	return status == 408 || status == 429 || status == 500 ||
	       (status >= 502 && status <= 504);
}

/* Another try comes: the body of this one is written nowhere. */
static bool
will_retry(const struct transfer *t)
{
	return t->tries_left > 0 &&
	       response_is_transient(transfer_head(t)->status) &&
	       !deadline_passed(t->f->until) && transfer_may_go_on(t);
}

/* An answer that is not what was asked for: 400 and up, or a redirect. */
static enum response_result
take_refusal(struct transfer *t, struct err *e)
{
	const struct http_head *h = transfer_head(t);
	char shown[TRANSFER_LABEL_SIZE], reason[128], note[512] = "";
	int status = h->status;

	if (!will_retry(t)) {
		if (!t->is_open && t->complete_size < 0 &&
		    output_open_late(t, e) < 0)
			return RESPONSE_FAILED;
		if (output_take_aside(t, note, sizeof(note), e) < 0)
			return RESPONSE_FAILED;
	}
	request_report(t);
	if (status == 407 && t->proxy != NULL) {
		err_set(e, ERR_PEER,
		    "%s declined: 407, it wants %s user and password",
		    proxy_format(t->proxy, shown, sizeof(shown)),
		    t->proxy->user[0] == '\0' ? "a" : "another");
		return RESPONSE_FAILED;
	}
	text_escape(
	    reason, sizeof(reason), h->text + h->reason, h->reason_length);
	err_set(e, ERR_PEER, "%s: the server answered %d%s%s%s",
	    transfer_label(t, shown), status, reason[0] != '\0' ? " " : "",
	    reason, note);
	return RESPONSE_FAILED;
}

/* Anything else below 400; shown on stdout, but never the file. */
static enum response_result
take_other(struct transfer *t, struct err *e)
{
	size_t from = 0;

	if (!t->o->follow &&
	    http_head_find(transfer_head(t), "location", &from) != NULL)
		diag_warn("the answer is a redirect (--location follows it)");
	if (t->is_file || !t->is_open)
		return take_refusal(t, e);
	t->expected = -1;
	return take_body(t, 0, e);
}

/* The answer to HEAD: there is no body that a range could be a part of. */
static enum response_result
take_head(struct transfer *t, struct err *e)
{
	if (output_open_late(t, e) < 0)
		return RESPONSE_FAILED;
	http_validator_clear(&t->source);
	t->total = t->expected = -1;
	return take_body(t, 0, e);
}

enum response_result
response_handle(struct transfer *t, struct err *e)
{
	int status = transfer_head(t)->status;

	if (status == 304 &&
	    (t->if_none_match[0] != '\0' || t->if_modified_since[0] != '\0'))
		return take_unchanged(t);
	if (status == 416 && t->asked_from > 0 && t->o->range == NULL)
		return take_unsatisfied(t, e);
	if (t->o->head_only && status < 300)
		return take_head(t, e);
	if (status == 206)
		return take_part(t, e);
	if (status < 300)
		return take_whole(t, e);
	if (status < 400)
		return take_other(t, e);
	return take_refusal(t, e);
}
