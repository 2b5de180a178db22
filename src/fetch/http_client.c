/* The HTTP client: one request and its response over a reused connection. */
#include "fetch/http_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_request.h"
#include "relay/copy.h"
#include "net/sink.h"
#include "net/stream.h"
#include "net/signals.h"
#include "net/wait.h"

/* A body up to this size is read to its end to keep the connection. */
#define DROP_BYTES (64 * 1024)
#define DROP_MS 500

/* Progress is reported at this interval, even while nothing arrives. */
#define TICK_MS 200

/* Only bodies of at least this size are copied without parsing. */
#define MIN_COPY (128 * 1024)

void
http_client_init(struct http_client *c, const struct http_client_options *o)
{
	memset(c, 0, sizeof(*c));
	c->options = o;
	c->until = o->until;
	http_conn_init(&c->conn, &o->connector);
	c->storage = mem_buffer(HTTP_CLIENT_BUFFER);
	c->request = mem_array(1, HTTP_REQUEST_SIZE);
	c->response = mem_array(1, sizeof(*c->response));
	buf_init(&c->in, c->storage, HTTP_CLIENT_BUFFER);
}

/* Closes the connection and drops what was received on it. */
static void
disconnect(struct http_client *c, int status)
{
	if (!c->conn.is_open)
		return;
	http_conn_close(&c->conn, status);
	buf_init(&c->in, c->storage, HTTP_CLIENT_BUFFER);
}

/* Ends the connection after an error. Returns -1. */
static int
fail(struct http_client *c, struct err *e)
{
	http_conn_abort(&c->conn, c->until, e);
	buf_init(&c->in, c->storage, HTTP_CLIENT_BUFFER);
	return -1;
}

void
http_client_release(struct http_client *c)
{
	disconnect(c, 0);
	free(c->storage);
	free(c->request);
	free(c->response);
}

void
http_client_limit(struct http_client *c, struct deadline until)
{
	c->until = deadline_first(c->options->until, until);
}

static struct deadline
idle_deadline(const struct http_client *c)
{
	return deadline_limit(c->options->idle_ms, "--idle-timeout");
}

/* Reports which limit has passed. */
static int
limit_error(const struct http_client *c, const char *what, struct err *e)
{
	if (deadline_is_max_time(c->until) && deadline_passed(c->until))
		return deadline_error(c->until, what, e);
	if (deadline_passed(c->until))
		deadline_error(c->until, "no response", e);
	else
		deadline_idle_error(c->until, c->options->idle_ms, e);
	return err_prefix(e, "%s", what);
}

/* Turns the end of an operation, what, into 0, or -1 with *e. */
static int
result_of(const struct http_client *c, enum stream_end end, const char *what,
    struct err *e)
{
	switch (end) {
	case STREAM_LIMIT:
		return limit_error(c, what, e);
	case STREAM_STOPPED:
		return err_sys(e, ERR_FAILED, errno, "%s", what);
	case STREAM_LOST:
		return err_sys(e, ERR_LOST, errno, "%s", what);
	default:
		return 0;
	}
}

int
http_client_check(
    const struct http_client *c, const struct http_route *route, struct err *e)
{
	return http_conn_check(&c->conn, route, e);
}

/* Sets when the phases of connecting ended. */
static void
set_times(struct http_timing *t, const struct http_conn *c)
{
	const struct dial_result *r = &c->made;

	t->connected_ns = c->open_ns - r->tls_ns;
	t->resolved_ns = t->connected_ns - r->ns + r->resolve_ns;
	t->secured_ns = r->tls_ns != 0 ? c->open_ns : 0;
}

/* Connects along route, unless there is a kept connection. */
static int
open_connection(
    struct http_client *c, const struct http_route *route, struct err *e)
{
	if (c->conn.is_open) {
		c->times.is_reused = true;
		c->times.connected_ns = clock_now();
		return 0;
	}
	if (http_conn_open(&c->conn, route, c->until, e) < 0)
		return -1;
	set_times(&c->times, &c->conn);
	return 0;
}

/*
 * Sends n bytes. A lost connection is recorded and is not an error here: the
 * server may have sent its response before it stopped reading.
 */
static int
send_all(struct http_client *c, const char *bytes, size_t n, struct err *e)
{
	struct stream stream = {.fd = c->conn.fd,
	    .until = c->until,
	    .idle_ms = c->options->idle_ms};
	enum stream_end end;

	if (diag_shows(DIAG_NOTE))
		http_request_show(bytes, n);
	end = stream_send(&stream, bytes, n, &c->conn.sent);
	if (end == STREAM_LOST)
		c->send_errnum = errno;
	else if (end != STREAM_DONE)
		return result_of(c, end, "sending the request", e);
	return 0;
}

/* Fails if a signal was caught or --max-time has passed. */
static int
check_run(const struct http_client *c, const char *what, struct err *e)
{
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "%s", what);
	if (deadline_passed(c->until))
		return limit_error(c, what, e);
	return 0;
}

/* Reports a failed send, after all received data was read. */
static int
send_error(const struct http_client *c, struct err *e)
{
	return err_sys(e, err_kind_of(c->send_errnum, ERR_AT_TCP),
	    c->send_errnum, "sending the request");
}

static void
report_progress(const struct http_client *c)
{
	if (c->progress != NULL)
		c->progress->report(
		    c->progress->context, c->response->received);
}

/* Receives into the buffer, and reports progress while nothing arrives. */
static enum stream_end
receive_ticking(struct http_client *c, size_t *n)
{
	size_t capacity;
	unsigned char *space = buf_space(&c->in, &capacity);
	struct deadline limit = deadline_first(c->until, idle_deadline(c));
	struct stream stream = {.fd = c->conn.fd, .idle_ms = -1};
	enum stream_end end;

	for (;;) {
		stream.until =
		    c->progress == NULL
			? limit
			: deadline_first(limit, deadline_after(TICK_MS));
		end = stream_receive(&stream, space, capacity, n);
		if (end != STREAM_LIMIT || deadline_passed(limit))
			return end;
		report_progress(c);
	}
}

/* Waits for data. The count, 0 at the end of the connection, or -1 with *e. */
static ssize_t
receive_waiting(struct http_client *c, const char *what, struct err *e)
{
	enum stream_end end;
	size_t n = 0;

	/* The server no longer reads and will send nothing more. */
	if (c->send_errnum != 0 &&
	    wait_fd(c->conn.fd, POLLIN, deadline_after(0)) == 0)
		return send_error(c, e);
	end = receive_ticking(c, &n);
	c->conn.peer_finished |= end == STREAM_ENDED || end == STREAM_LOST;
	return result_of(c, end, what, e) < 0 ? -1 : (ssize_t)n;
}

/*
 * Receives once into the buffer, which is not full. Returns the count, 0 only
 * at the end of the connection, or -1 with *e, which names the operation what.
 */
static ssize_t
receive(struct http_client *c, const char *what, struct err *e)
{
	ssize_t n;

	if (check_run(c, what, e) < 0)
		return -1;
	n = receive_waiting(c, what, e);
	if (n < 0)
		return -1;
	if (n > 0 && c->times.first_ns == 0)
		c->times.first_ns = clock_now();
	c->conn.received += (uint64_t)n;
	buf_added(&c->in, (size_t)n);
	return n;
}

static void
report_interim(const struct http_head *h)
{
	char reason[128];

	diag_note("interim response: %d %s", h->status,
	    text_escape(
		reason, sizeof(reason), h->text + h->reason, h->reason_length));
}

/* Prefixes *e with how much of the body was received. Returns -1. */
static int
body_error(const struct http_client *c, struct err *e)
{
	unsigned long long received = c->response->received;
	char text[32];

	if (e->kind != ERR_LOST && e->kind != ERR_TIMEOUT)
		return -1;
	if (c->response->length >= 0)
		return err_prefix(e, "after %llu of %s of the body", received,
		    num_format_count(text, sizeof(text),
			(uint64_t)c->response->length, "byte"));
	return err_prefix(e, "after %s of the body",
	    num_format_count(text, sizeof(text), received, "byte"));
}

/* Checks that the response may end here, where the peer has finished. */
static int
finish_response(struct http_client *c, struct err *e)
{
	int result = http_response_finish(c->response, e);
	struct err why = ERR_INIT;

	c->is_truncated = result < 0;
	if (result < 0 && c->send_errnum != 0)
		return send_error(c, e);
	if (http_conn_end(&c->conn, c->until, &why) == 0)
		return result;
	c->is_truncated = true;
	if (result < 0)
		return err_append(e, "%s", why.text);
	*e = why;
	return body_error(c, e);
}

/* Reads until the final head is complete. */
static int
read_head(struct http_client *c, struct err *e)
{
	enum http_event event = HTTP_WANTS_MORE;
	struct http_input in;
	ssize_t n;

	while (event != HTTP_GOT_HEAD) {
		if (buf_is_empty(&c->in)) {
			n = receive(c, "waiting for the response", e);
			if (n < 0)
				return -1;
			if (n == 0)
				return finish_response(c, e);
		}
		in = (struct http_input){buf_bytes(&c->in), buf_length(&c->in)};
		event = http_response_parse(c->response, &in, e);
		buf_eat(&c->in, buf_length(&c->in) - in.length);
		if (event == HTTP_GOT_ERROR)
			return -1;
		if (event == HTTP_GOT_INTERIM)
			report_interim(&c->response->head);
	}
	return 0;
}

/* Reads what follows the end of the last response, and warns about it. */
static void
drop_excess(struct http_client *c)
{
	char text[ENDPOINT_TEXT], count[40];
	struct err e;
	size_t n;

	if (buf_is_empty(&c->in) && c->conn.fd >= 0 &&
	    wait_fd(c->conn.fd, POLLIN, deadline_after(0)) > 0)
		(void)receive(c, "", &e);
	n = buf_length(&c->in);
	if (n > 0)
		diag_warn("%s: %s after the end of the response ignored",
		    endpoint_format(&c->conn.route.server, text, sizeof(text)),
		    num_format_count(count, sizeof(count), n, "byte"));
}

/* Closes the kept connection unless route can reuse it. */
static void
drop_unusable(struct http_client *c, const struct http_route *route)
{
	if (!c->conn.is_open || http_conn_is_reusable(&c->conn, route))
		return;
	drop_excess(c);
	disconnect(c, 0);
}

/* One attempt to send r, which is built, and to read the head. */
static int
request_once(struct http_client *c, const struct http_route *route,
    const struct http_request *r, struct err *e)
{
	int64_t start = clock_now();

	drop_unusable(c, route);
	memset(&c->times, 0, sizeof(c->times));
	c->times.start_ns = c->times.resolved_ns = start;
	c->is_truncated = false;
	c->send_errnum = 0;
	if (open_connection(c, route, e) < 0)
		return -1;
	http_response_start(c->response, r->method);
	if (send_all(c, c->request, c->request_length, e) < 0)
		return -1;
	c->times.sent_ns = clock_now();
	return read_head(c, e);
}

/* Whether the server closed the kept connection before it got the request. */
static bool
was_dropped(const struct http_client *c, int result)
{
	if (!c->times.is_reused)
		return false;
	/* A server may close an idle connection just as it is reused, or send a
	 * 408 before it does (RFC 9110 section 15.5.9). */
	return result < 0 ? c->times.first_ns == 0 && c->conn.peer_finished
			  : c->response->head.status == 408;
}

int
http_client_request(struct http_client *c, const struct http_route *route,
    const struct http_request *r, struct err *e)
{
	ssize_t n = http_request_build(r, c->request, HTTP_REQUEST_SIZE, e);
	int result = -1;

	memset(&c->times, 0, sizeof(c->times));
	c->is_truncated = false;
	if (n >= 0) {
		c->request_length = (size_t)n;
		result = request_once(c, route, r, e);
	}
	if (n >= 0 && was_dropped(c, result)) {
		diag_note("the kept connection was closed meanwhile");
		disconnect(c, 0);
		result = request_once(c, route, r, e);
	}
	return result < 0 ? fail(c, e) : 0;
}

const struct http_response *
http_client_response(const struct http_client *c)
{
	return c->response;
}

enum http_stage
http_client_stage(const struct http_client *c)
{
	if (c->is_truncated)
		return HTTP_STAGE_TRUNCATED;
	if (c->times.first_ns != 0)
		return HTTP_STAGE_ANSWERED;
	return c->times.connected_ns != 0 ? HTTP_STAGE_CONNECTED
					  : HTTP_STAGE_NONE;
}

void
http_client_report(
    const struct http_client *c, const char *url, bool with_chart)
{
	const struct http_response *r = c->response;

	http_timing_report(&c->times, url, r->head.status, r->received);
	if (with_chart)
		http_timing_draw(&c->times, url, r->head.status, r->received);
}

/* Receives once, unless the buffer has data, and writes the body to s. */
static int
read_some(struct http_client *c, struct sink *s, struct err *e)
{
	const struct http_response *r = c->response;
	struct err lost = ERR_INIT;
	ssize_t n;

	if (buf_is_empty(&c->in)) {
		n = receive(c, "receiving", e);
		if (n < 0)
			return body_error(c, e);
		if (n == 0)
			return finish_response(c, e);
	}
	n = http_response_extract(
	    c->response, c->in.data + c->in.head, buf_length(&c->in), e);
	/* The bytes stay in place until the next ones are received. */
	if (n > 0)
		buf_eat(&c->in, (size_t)n);
	if (r->data_length > 0 &&
	    sink_write(s, r->data, r->data_length,
		deadline_first(c->until, idle_deadline(c)), &lost) < 0) {
		*e = lost;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

/* Whether the next bytes of the body may go to the sink without parsing. */
static bool
can_copy(const struct http_client *c, const struct sink *s)
{
	return c->send_errnum == 0 && buf_is_empty(&c->in) && s->fd >= 0 &&
	       !s->is_escaped && http_response_plain(c->response) >= MIN_COPY;
}

static void
note_copied(void *context, size_t n)
{
	struct http_client *c = context;

	c->conn.received += n;
	http_response_skip(c->response, n);
	report_progress(c);
}

static int
copy_body(struct http_client *c, struct sink *s, struct err *e)
{
	struct copy p = {.fd = c->conn.fd,
	    .sink = s,
	    .storage = c->storage,
	    .max_bytes = (uint64_t)http_response_plain(c->response),
	    .until = c->until,
	    .idle_ms = c->options->idle_ms,
	    .tick_ms = c->progress == NULL ? -1 : TICK_MS,
	    .progress = note_copied,
	    .context = c};

	switch (copy_run(&p, e)) {
	case COPY_DONE:
		return 0;
	case COPY_ENDED:
		c->conn.peer_finished = true;
		return finish_response(c, e);
	case COPY_LOST:
		c->conn.peer_finished = true;
		err_sys(e, ERR_LOST, errno, "receiving");
		return body_error(c, e);
	case COPY_SILENT:
		limit_error(c, "receiving", e);
		return body_error(c, e);
	default:
		return -1;
	}
}

int
http_client_read(struct http_client *c, struct sink *s,
    const struct http_progress *progress, struct err *e)
{
	int result = 0;

	c->progress = progress;
	while (result == 0 && !http_response_is_complete(c->response)) {
		result =
		    can_copy(c, s) ? copy_body(c, s, e) : read_some(c, s, e);
		if (result == 0)
			report_progress(c);
	}
	c->progress = NULL;
	if (result < 0)
		return fail(c, e);
	c->times.end_ns = clock_now();
	return sink_finish(s, c->until, e);
}

/* Discards the rest of a short body. True if the response is complete. */
static bool
drop_rest(struct http_client *c)
{
	struct deadline until = deadline_after(DROP_MS);
	const struct http_response *r = c->response;
	struct sink nowhere;
	struct err e;

	sink_init(&nowhere, -1, "", false);
	while (!http_response_is_complete(r) && nowhere.bytes < DROP_BYTES) {
		if (buf_is_empty(&c->in) &&
		    wait_fd(c->conn.fd, POLLIN, until) <= 0)
			return false;
		if (read_some(c, &nowhere, &e) < 0)
			return false;
	}
	return http_response_is_complete(r);
}

void
http_client_finish(struct http_client *c, bool wants_more)
{
	bool is_whole;

	if (!c->conn.is_open)
		return;
	is_whole = http_response_is_complete(c->response) ||
		   (wants_more && drop_rest(c));
	if (is_whole && wants_more && buf_is_empty(&c->in) &&
	    !c->conn.peer_finished && c->send_errnum == 0 &&
	    http_response_keeps_alive(c->response)) {
		diag_note("the connection is kept for the next request");
		return;
	}
	if (is_whole)
		drop_excess(c);
	disconnect(c, 0);
}
