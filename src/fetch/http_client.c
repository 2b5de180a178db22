/* The HTTP client: one request and its response over a reused connection. */
#include "fetch/http_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/signals.h"
#include "net/sink.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/flow.h"

/* Capacity for received bytes. */
#define CLIENT_BUFFER (256 * 1024)

/* A body up to this size is read to its end to keep the connection. */
#define DROP_BYTES (64 * 1024)
#define DROP_MS 500

/* Only bodies of at least this size are copied without parsing. */
#define MIN_COPY (128 * 1024)

static int request_once(struct http_client *c, const struct route *route,
    struct http_request *r, struct err *e);
static void draw_progress(struct http_client *c);
static int read_some(struct http_client *c, struct sink *s,
    struct sha256 *digest, struct err *e);
static int copy_body(struct http_client *c, struct sink *s, struct err *e);
static int finish_unread(struct http_client *c, struct sink *s, struct err *e);
static void drop_excess(struct http_client *c);
static int disconnect(struct http_client *c, int result, struct err *e);

void
http_client_init(struct http_client *c, struct limit idle, int64_t rate)
{
	memset(c, 0, sizeof(*c));
	c->idle = idle;
	c->rate.limit = rate;
	buf_init(&c->in, mem_buffer(CLIENT_BUFFER), CLIENT_BUFFER);
}

int
http_client_request(struct http_client *c, const struct route *route,
    struct http_request *r, struct err *e)
{
	int result = request_once(c, route, r, e);

	/* A server may close an idle connection just as it is reused, or send a
	 * 408 before it does (RFC 9110 section 15.5.9). */
	if (c->timing.is_reused &&
	    (result < 0 ? c->timing.ends_ns[TIMING_FIRST_BYTE] == 0 &&
			      c->link.first == LINK_FIRST_PEER
			: c->response.head.status == 408)) {
		diag_note("the kept connection was closed meanwhile");
		(void)disconnect(c, 0, NULL);
		result = request_once(c, route, r, e);
	}
	return result < 0 ? disconnect(c, -1, e) : 0;
}

int
http_client_read(
    struct http_client *c, struct sink *s, struct sha256 *digest, struct err *e)
{
	int result = 0;

	wait_watch_reader(s->kind == FD_REGULAR ? -1 : s->fd);
	while (result == 0 && !http_response_is_complete(&c->response)) {
		if (c->send_errnum == 0 && buf_is_empty(&c->in) && s->fd >= 0 &&
		    digest == NULL && !s->is_escaped &&
		    http_response_plain(&c->response) >= MIN_COPY)
			result = copy_body(c, s, e);
		else
			result = read_some(c, s, digest, e);
		if (result < 0 && wait_is_unread() && !s->has_failed)
			result = finish_unread(c, s, e);
		if (result == 0)
			draw_progress(c);
	}
	wait_watch_reader(-1);
	if (result < 0)
		return disconnect(c, -1, e);
	c->timing.ends_ns[TIMING_RECEIVED] = clock_now();
	return sink_write(s, "", 0, c->until, e);
}

void
http_client_finish(struct http_client *c, bool wants_more)
{
	struct deadline until = deadline_after(DROP_MS);
	const struct http_response *r = &c->response;
	struct sink nowhere;
	struct err e;

	if (!c->is_open)
		return;
	/* Discard the rest of a short body. */
	sink_init(&nowhere, -1, "", false);
	while (wants_more && !http_response_is_complete(r)) {
		if (nowhere.bytes >= DROP_BYTES ||
		    (buf_is_empty(&c->in) &&
			wait_fd(c->link.fd, POLLIN, until) <= 0) ||
		    read_some(c, &nowhere, NULL, &e) < 0)
			break;
	}
	if (wants_more && buf_is_empty(&c->in) &&
	    c->link.first != LINK_FIRST_PEER && c->send_errnum == 0 &&
	    http_response_keeps_alive(r)) {
		diag_note("the connection is kept for the next request");
		return;
	}
	if (http_response_is_complete(r))
		drop_excess(c);
	(void)disconnect(c, 0, NULL);
}

void
http_client_release(struct http_client *c)
{
	(void)disconnect(c, 0, NULL);
	free(c->in.data);
}

/*
 * Closes the connection, if there is one, drops what was received on it, and
 * reports it. result, which is returned, is that of its last exchange. The
 * error of a process that carries the connection may replace *e.
 */
static int
disconnect(struct http_client *c, int result, struct err *e)
{
	struct link *l = &c->link, known = *l;

	if (!c->is_open)
		return result;
	if (l->first == LINK_FIRST_NOBODY)
		l->first = LINK_FIRST_US;
	/* The kernel knows who finished first; the totals of l stay those that
	 * were counted here. */
	if (l->fd >= 0 && diag_emits(DIAG_NOTE)) {
		link_find_outcome(&known, false);
		l->first = known.bytes_unknown ? l->first : known.first;
	}
	if (result < 0) {
		sock_close(&l->fd);
		(void)link_close(l, -1, c->until, e);
		e->waits |= c->is_truncated;
	}
	link_discard(l);
	c->is_open = false;
	link_log_closed(DIAG_NOTE, l, result < 0 ? (int)e->kind : 0);
	buf_init(&c->in, c->in.data, CLIENT_BUFFER);
	return result;
}

/* The limit of a wait that began, or last saw progress, at from_ns. */
static struct deadline
limit_from(const struct http_client *c, int64_t from_ns)
{
	return deadline_first(
	    c->until, deadline_limit_from(from_ns, c->idle.ms, c->idle.option));
}

/* Why the server does not go on, as a clause; NULL if that is not known. */
static const char *
stall_clause(struct http_client *c)
{
	const struct connector_options *o = &c->route.options;
	bool is_direct = o->proxy == NULL && o->dial.proxy == NULL;

	return link_stall_text(
	    &c->link, true, is_direct ? "the server" : "the proxy");
}

/* Reports which limit has passed, and why nothing came. */
static int
limit_error(struct http_client *c, const char *what, struct err *e)
{
	const char *why;

	if (deadline_is_max_time(c->until) && deadline_passed(c->until)) {
		deadline_error(c->until, what, e);
	} else {
		if (deadline_passed(c->until))
			deadline_error(c->until, "no response", e);
		else
			deadline_idle_error(c->until, c->idle, e);
		err_prefix(e, "%s", what);
	}
	why = stall_clause(c);
	if (why != NULL)
		err_append(e, "%s", why);
	return -1;
}

/* Sets *e after the operation what has failed with errno: a limit, a signal or
 * the loss of the connection. Returns -1. */
static int
link_error(struct http_client *c, const char *what, struct err *e)
{
	if (errno == EAGAIN)
		return limit_error(c, what, e);
	return err_sys(
	    e, errno == EINTR ? ERR_FAILED : ERR_LOST, errno, "%s", what);
}

static int
connect_along(struct http_client *c, const struct route *route, struct err *e)
{
	int64_t *ends = c->timing.ends_ns, start = clock_now(), now;

	c->route = *route;
	if (connector_open(
		&route->server, &route->options, c->until, &c->link, e) < 0)
		return -1;
	c->link.start_ns = start;
	now = clock_now();
	c->is_open = true;
	ends[TIMING_CONNECTED] = now - c->link.tls_ns;
	ends[TIMING_RESOLVED] =
	    ends[TIMING_CONNECTED] - c->link.dial_ns + c->link.resolve_ns;
	ends[TIMING_SECURED] = c->link.tls_ns != 0 ? now : 0;
	return 0;
}

void
http_client_show_head(const struct http_client *c, bool raw)
{
	const struct http_head *h = &c->response.head;
	size_t used, n;
	char *text, *safe;

	if (!diag_shows(DIAG_SAY))
		return;
	text = mem_array(2, h->length + 1);
	n = http_head_conceal(text, h->text, h->length);
	if (!raw && fd_kind(STDERR_FILENO) == FD_TERMINAL) {
		safe = mem_array(4, n);
		n = text_escape_stream(safe, text, n, true, &used);
		free(text);
		text = safe;
	}
	diag_raw(DIAG_SAY, text, n);
	free(text);
}

/* Prints the request, each line escaped and after "> ". */
static void
show_request(const struct http_client *c)
{
	size_t length = strlen(c->request), n, size;
	char *text = mem_array(2, length + 1), *line;
	const char *p = text, *stop, *next;

	n = http_head_conceal(text, c->request, length);
	size = 4 * n + 4;
	line = mem_array(1, size);
	for (; (stop = http_head_line_end(p, text + n, &next)) != NULL;
	     p = next) {
		strcpy(line, "> ");
		text_escape(line + 2, size - 3, p, (size_t)(stop - p));
		text_append(line, size, "\n");
		diag_raw(DIAG_SAY, line, strlen(line));
	}
	free(line);
	free(text);
}

/*
 * Sends the request. A lost connection is recorded and is not an error here:
 * the server may have sent its response before it stopped reading.
 */
static int
send_request(struct http_client *c, struct err *e)
{
	if (diag_shows(DIAG_NOTE))
		show_request(c);
	if (link_send(&c->link, c->request, strlen(c->request), c->idle.ms,
		c->until) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return link_error(c, "sending the request", e);
		c->send_errnum = errno;
	}
	c->timing.ends_ns[TIMING_SENT] = clock_now();
	return 0;
}

/* Reports a failed send, after all received data was read. */
static int
send_error(const struct http_client *c, struct err *e)
{
	return err_sys(e, err_find(c->send_errnum, ERR_AT_TCP)->kind,
	    c->send_errnum, "sending the request");
}

static void
draw_progress(struct http_client *c)
{
	c->count.done = c->count.skipped + c->response.received;
	progress_update(&c->progress, &c->count, 1);
}

/*
 * Receives once into the buffer, which is not full, and draws progress while
 * nothing arrives. Returns the count, 0 only at the end of the connection, or
 * -1 with *e, which names the operation what.
 */
static ssize_t
receive(struct http_client *c, const char *what, struct err *e)
{
	struct deadline limit;
	unsigned char *space;
	size_t capacity;
	ssize_t n;

	if (deadline_is_set(rate_next(&c->rate)))
		(void)wait_until(deadline_first(c->until, rate_next(&c->rate)));
	limit = limit_from(c, clock_now());
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "%s", what);
	/* The server no longer reads and will send nothing more. */
	if (c->send_errnum != 0 &&
	    wait_fd(c->link.fd, POLLIN, deadline_after(0)) == 0)
		return send_error(c, e);
	space = buf_space(&c->in, &capacity);
	capacity = rate_piece(&c->rate, capacity);
	for (;;) {
		n = link_receive(&c->link, space, capacity, 0, -1,
		    deadline_first(limit, progress_next(&c->progress)));
		if (n >= 0 || errno != EAGAIN || deadline_passed(limit))
			break;
		draw_progress(c);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->link.first = LINK_FIRST_PEER;
	if (n < 0)
		return link_error(c, what, e);
	if (n > 0 && c->timing.ends_ns[TIMING_FIRST_BYTE] == 0)
		c->timing.ends_ns[TIMING_FIRST_BYTE] = clock_now();
	buf_added(&c->in, (size_t)n);
	rate_spend(&c->rate, (size_t)n);
	return n;
}

/* Prefixes *e with how much of the body was received. Returns -1. */
static int
body_error(const struct http_client *c, struct err *e)
{
	const struct http_response *r = &c->response;

	if (e->kind != ERR_LOST && e->kind != ERR_TIMEOUT)
		return -1;
	if (r->length >= 0)
		return err_prefix(e, "after %llu of %s of the body",
		    (unsigned long long)r->received,
		    num_count_text((uint64_t)r->length, "byte"));
	return err_prefix(
	    e, "after %s of the body", num_count_text(r->received, "byte"));
}

/*
 * Checks that the response may end here, at the peer's end of file, which TLS
 * or the program that carries the connection must confirm.
 */
static int
finish_response(struct http_client *c, struct err *e)
{
	int result = http_response_finish(&c->response, e);
	struct err why = ERR_INIT;

	c->is_truncated = result < 0;
	if (result < 0 && c->send_errnum != 0)
		return send_error(c, e);
	sock_close(&c->link.fd);
	if (link_close(&c->link, 0, c->until, &why) == 0)
		return result;
	c->is_truncated = true;
	if (result < 0)
		return err_append(e, "%s", why.text);
	*e = why;
	return body_error(c, e);
}

/* Receives once, unless the buffer has data, and parses. */
static enum http_event
parse_some(struct http_client *c, struct err *e)
{
	bool is_head = c->response.state == HTTP_IN_HEAD;
	ssize_t n;

	c->response.data_length = 0;
	if (buf_is_empty(&c->in)) {
		n = receive(
		    c, is_head ? "waiting for the response" : "receiving", e);
		if (n < 0 && !is_head)
			body_error(c, e);
		if (n < 0 || (n == 0 && finish_response(c, e) < 0))
			return HTTP_GOT_ERROR;
		if (n == 0)
			return HTTP_GOT_END;
	}
	return http_response_parse(&c->response, &c->in, e);
}

static const char *
wait_text(void *context)
{
	struct http_client *c = context;
	const char *why = stall_clause(c);

	return text_format("%s: the request was sent; no response yet%s%s",
	    endpoint_text(&c->route.origin),
	    deadline_is_set(limit_from(c, 0)) ? "" : " (--timeout limits this)",
	    why == NULL ? "" : text_format("; %s", why));
}

/* Reads until the final head is complete. */
static int
read_head(struct http_client *c, struct err *e)
{
	const struct http_head *h = &c->response.head;
	struct wait_reason reason;
	enum http_event event;

	wait_begin(&reason, wait_text, c);
	while ((event = parse_some(c, e)) != HTTP_GOT_HEAD &&
	       event != HTTP_GOT_ERROR)
		if (event == HTTP_GOT_INTERIM)
			diag_note("interim response: %d %s", h->status,
			    text_shown_bytes(
				h->text + h->reason, h->reason_length));
	wait_end();
	return event == HTTP_GOT_ERROR ? -1 : 0;
}

/* Reads what follows the end of the last response, and warns about it. */
static void
drop_excess(struct http_client *c)
{
	struct err e;
	size_t n;

	if (buf_is_empty(&c->in) && c->link.fd >= 0 &&
	    wait_fd(c->link.fd, POLLIN, deadline_after(0)) > 0)
		(void)receive(c, "", &e);
	n = buf_length(&c->in);
	if (n > 0)
		diag_warn("%s: %s after the end of the response ignored",
		    endpoint_text(&c->route.origin), num_count_text(n, "byte"));
}

/* One attempt to send r and to read the head. */
static int
request_once(struct http_client *c, const struct route *route,
    struct http_request *r, struct err *e)
{
	const struct proxy *forwarder = route->options.dial.proxy;
	int64_t *ends = c->timing.ends_ns;

	c->timing = (struct timing){.start_ns = clock_now()};
	c->is_truncated = false;
	c->send_errnum = 0;
	r->is_absolute = forwarder != NULL;
	if (forwarder != NULL && forwarder->basic[0] != '\0')
		r->proxy_user = forwarder->basic;
	if (http_request_build(r, c->request, e) < 0)
		return -1;
	if (c->is_open &&
	    (!route_is_same(&c->route, route) ||
		wait_fd(c->link.fd, POLLIN, deadline_after(0)) != 0)) {
		/* The connection leads elsewhere, or has something to read. */
		drop_excess(c);
		(void)disconnect(c, 0, NULL);
	}
	c->timing.is_reused = c->is_open;
	http_response_start(&c->response, r->method);
	if (c->is_open)
		ends[TIMING_RESOLVED] = ends[TIMING_CONNECTED] =
		    c->timing.start_ns;
	else if (connect_along(c, route, e) < 0)
		return -1;
	return send_request(c, e) < 0 ? -1 : read_head(c, e);
}

/* Parses the next bytes of the body, writes them to s, and adds them to the
 * digest, which may be NULL. */
static int
read_some(
    struct http_client *c, struct sink *s, struct sha256 *digest, struct err *e)
{
	const struct http_response *r = &c->response;
	enum http_event event = parse_some(c, e);

	if (s->is_escaped && r->data_length > 0 &&
	    r->received == r->data_length &&
	    memchr(r->data, '\0', r->data_length) != NULL)
		return err_set(e, ERR_USAGE,
		    "the body is binary: write it to a file (--output FILE, "
		    "-o), or to the terminal as it is (--raw)");
	/* The bytes stay in place until the next ones are received. */
	if (r->data_length > 0 &&
	    sink_write(s, r->data, r->data_length, c->until, e) < 0)
		return -1;
	if (digest != NULL && r->data_length > 0)
		sha256_update(digest, r->data, r->data_length);
	return event == HTTP_GOT_ERROR ? -1 : 0;
}

/* Moves the next bytes of the body to s without parsing. In a pause of
 * --limit-rate nothing is to be written, and s is not late. */
static int
copy_body(struct http_client *c, struct sink *s, struct err *e)
{
	struct pollfd fds[2 + WAIT_SPARE] = {
	    {.events = POLLIN}, {.events = POLLOUT}};
	struct deadline limit;
	uint64_t n;
	struct flow f;
	int result = 0;

	flow_init(&f, c->link.fd, s->kind == FD_NULL ? -1 : s->fd, c->in.data);
	f.rate = &c->rate;
	f.left = (uint64_t)http_response_plain(&c->response);
	/* A socket that is stdout may be shared, and may block. */
	f.move.is_possible = s->kind != FD_SOCKET;
	while (f.out.errnum == 0 &&
	       (f.in.fd >= 0 || (f.out.fd >= 0 && !flow_is_empty(&f)))) {
		limit = limit_from(c, f.last_ns);
		if (deadline_passed(limit)) {
			if (flow_wants_read(&f) || !flow_wants_write(&f)) {
				limit_error(c, "receiving", e);
				result = body_error(c, e);
			} else {
				result = sink_late(s, limit, e);
			}
			break;
		}
		limit = deadline_first(
		    limit, deadline_first(progress_next(&c->progress),
			       rate_next(&c->rate)));
		fds[0].fd = flow_wants_read(&f) ? c->link.fd : -1;
		fds[1].fd = flow_wants_write(&f) ? f.out.fd : -1;
		if (wait_poll(fds, 2, limit) < 0) {
			result = err_sys(e, ERR_FAILED, errno, "receiving");
			if (wait_is_unread() && !flow_is_empty(&f))
				flow_fail_output(&f, EPIPE);
			break;
		}
		n = f.read_bytes;
		flow_pump(&f, fds[0].revents, fds[1].revents);
		n = f.read_bytes - n;
		c->link.received += n;
		http_response_skip(&c->response, (size_t)n);
		draw_progress(c);
	}
	s->bytes += f.bytes;
	flow_release(&f);
	if (f.out.errnum != 0)
		return sink_refused(s, f.out.errnum, e);
	if (result < 0 || f.left == 0)
		return result;
	c->link.first = LINK_FIRST_PEER;
	if (f.in.errnum == 0)
		return finish_response(c, e);
	err_sys(e, ERR_LOST, f.in.errnum, "receiving");
	return body_error(c, e);
}

/* Nobody reads the output any more. Returns 0 if the server sends more, which
 * cannot be written, or ends the body; otherwise -1 with *e. */
static int
finish_unread(struct http_client *c, struct sink *s, struct err *e)
{
	wait_watch_reader(-1);
	if (wait_fd(c->link.fd, POLLIN, deadline_after(WAIT_UNREAD_MS)) > 0)
		return 0;
	sink_refused(s, EPIPE, e);
	/* A body without a length may have no end. */
	if (c->response.length < 0)
		err_status(e, ERR_NONE);
	return -1;
}
