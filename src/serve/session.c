/* A served connection: receives and sends within limits, and closes. */
#include "serve/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/num.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/stream.h"
#include "net/wait.h"
#include "tls/tls.h"

void
session_start(struct session *s, int fd, struct limit idle, int64_t max_ms)
{
	s->fd = fd;
	s->idle = idle;
	s->until = deadline_max_time(max_ms);
	diag_limit(s->until, idle.ms);
	s->phase = deadline_none();
	s->missing = NULL;
	s->tls = NULL;
	memset(&s->r, 0, sizeof(s->r));
	s->allows_probes = s->is_answering = false;
	err_clear(&s->e);
	buf_init(&s->queue, s->storage, sizeof(s->storage));
	s->has_lines = false;
	s->is_answering = false;
}

int
session_secure(struct session *s, const struct tls_options *o)
{
	struct tls_request request = {.options = o,
	    .is_last = true,
	    .until = deadline_first(s->until, deadline_after(TLS_ACCEPT_MS))};

	if (!o->is_on)
		return 0;
	s->tls = tls_start(&request, &s->fd, &s->e);
	return s->tls == NULL ? -1 : 0;
}

void
session_phase(struct session *s, int64_t ms, const char *missing)
{
	s->phase = deadline_after(ms);
	s->missing = missing;
}

/* Sets s->e for the limit that has passed. Returns -1. */
static int
limit_error(struct session *s)
{
	if (deadline_passed(s->phase) && !deadline_passed(s->until))
		return deadline_error(s->phase, s->missing, &s->e);
	return deadline_idle_error(s->until, s->idle, &s->e);
}

/*
 * Waits until fd is ready for events. Returns 1; 0 if early has passed first;
 * or -1 with s->e set if a limit of the session has.
 */
static int
wait_ready(struct session *s, short events, struct deadline early)
{
	struct deadline limit = deadline_first(
	    deadline_after(s->idle.ms), deadline_first(s->phase, s->until));
	int ready = wait_fd(s->fd, events, deadline_first(limit, early));

	if (ready > 0)
		return 1;
	if (ready < 0)
		return err_sys(&s->e, ERR_FAILED, errno, "serving");
	return deadline_passed(limit) ? limit_error(s) : 0;
}

int
session_pause(struct session *s, int64_t ms)
{
	s->is_answering = true;
	wait_until(deadline_first(deadline_after(ms), s->until));
	return deadline_passed(s->until) ? limit_error(s) : 0;
}

static int
lost(struct session *s, int errnum)
{
	s->r.first = CONN_FIRST_PEER;
	s->r.reset = err_is_reset(errnum);
	return err_sys(&s->e, ERR_LOST, errnum,
	    "the connection was lost after %s sent and %llu received",
	    num_count_text(s->r.sent, "byte"),
	    (unsigned long long)s->r.received);
}

static struct stream
stream_of(const struct session *s)
{
	return (struct stream){.fd = s->fd,
	    .until = deadline_first(s->until, s->phase),
	    .idle_ms = s->idle.ms};
}

/* Maps the result of sending or receiving to 0, or -1 with s->e set. */
static int
result_of(struct session *s, enum stream_end end)
{
	switch (end) {
	case STREAM_LIMIT:
		return limit_error(s);
	case STREAM_STOPPED:
		return err_sys(&s->e, ERR_FAILED, errno, "serving");
	case STREAM_LOST:
		return lost(s, errno);
	default:
		return 0;
	}
}

ssize_t
session_receive(struct session *s, void *piece, size_t size)
{
	struct stream stream = stream_of(s);
	size_t n = 0;
	enum stream_end end = stream_receive(&stream, piece, size, &n);

	s->r.received += n;
	if (end == STREAM_ENDED) {
		shutdown_received(&s->r);
	}
	return result_of(s, end) < 0 ? -1 : (ssize_t)n;
}

void
session_answer(struct session *s)
{
	s->is_answering = true;
	sock_reset_on_close(s->fd, true);
}

int
session_send(struct session *s, const void *bytes, size_t n)
{
	struct stream stream = stream_of(s);

	if (!s->is_answering)
		session_answer(s);
	if (result_of(s, stream_send(&stream, bytes, n, &s->r.sent)) < 0)
		return -1;
	sock_reset_on_close(s->fd, false);
	s->is_answering = false;
	return 0;
}

/* Reports a message that is too long, to the peer and in s->e. */
static enum session_message
reject_message(struct session *s)
{
	char text[80];
	int n = snprintf(text, sizeof(text),
	    "error: a message may have %d bytes at most\n", MESSAGE_MAX);

	if (session_send(s, text, (size_t)n) == 0)
		err_set(&s->e, ERR_PROTOCOL,
		    "a message is longer than %d bytes", MESSAGE_MAX);
	return SESSION_FAILED;
}

/*
 * Receives more bytes, unless those in the queue become a message as they are.
 * Returns 1; 0 if the peer has finished or nothing follows; or -1 with s->e
 * set.
 */
static int
receive_more(struct session *s)
{
	int ms = s->has_lines ? MESSAGE_LINE_MS : MESSAGE_BARE_MS, ready = 1;
	unsigned char *space;
	size_t capacity;
	ssize_t n;

	if (!buf_is_empty(&s->queue))
		ready = wait_ready(s, POLLIN, deadline_after(ms));
	if (ready <= 0)
		return ready;
	space = buf_space(&s->queue, &capacity);
	n = session_receive(s, space, capacity);
	if (n <= 0)
		return (int)n;
	buf_added(&s->queue, (size_t)n);
	return 1;
}

enum session_message
session_receive_message(struct session *s, struct message *m)
{
	const unsigned char *lf = NULL;
	bool may_be_cr;
	int more = 1;

	while (lf == NULL && more > 0) {
		m->bytes = buf_bytes(&s->queue);
		m->length = buf_length(&s->queue);
		m->newline = 0;
		lf = memchr(m->bytes, '\n', m->length);
		if (lf != NULL) {
			m->length = (size_t)(lf - m->bytes);
			m->newline = 1;
		}
		may_be_cr = m->length > 0 && m->bytes[m->length - 1] == '\r';
		if (m->length > MESSAGE_MAX + (may_be_cr ? 1 : 0))
			return reject_message(s);
		if (lf == NULL)
			more = receive_more(s);
	}
	if (more < 0)
		return SESSION_FAILED;
	if (lf != NULL && may_be_cr) {
		m->length--;
		m->newline++;
	}
	if (m->length > MESSAGE_MAX)
		return reject_message(s);
	s->has_lines = s->has_lines || lf != NULL;
	/* receive_more() may have moved them. */
	m->bytes = buf_bytes(&s->queue);
	buf_eat(&s->queue, m->length + m->newline);
	return m->length + m->newline > 0 ? SESSION_MESSAGE : SESSION_END;
}

static void
log_error(struct session *s, const struct conn *c)
{
	/* A program's status has no text. */
	if (s->e.text[0] == '\0')
		return;
	err_prefix(&s->e, "%s", addr_text(&c->remote));
	diag_error(&s->e);
}

/*
 * Ends the client's TLS, in good order or with a reset. result is that of the
 * session, and the one that is returned unless TLS failed.
 */
static int
end_tls(struct session *s, bool is_cut, int result)
{
	struct err e;

	if (s->tls == NULL)
		return result;
	if (!is_cut &&
	    tls_end(s->tls, true,
		deadline_first(s->until, deadline_after(SHUTDOWN_DRAIN_MS)),
		&e) < 0 &&
	    result == 0) {
		s->e = e;
		result = -1;
	}
	tls_release(s->tls);
	s->tls = NULL;
	return result;
}

int
session_end(struct session *s, const struct conn *c, int level, int result)
{
	struct deadline until = s->until;
	bool is_lost = result < 0 && s->e.kind == ERR_LOST, is_reset;
	bool is_cut = s->fd < 0 || s->is_answering || is_lost;

	if (result < 0 && !is_cut)
		is_cut = s->r.is_aborted || s->e.kind == ERR_OUTPUT ||
			 /* What has arrived would have been answered. */
			 (s->e.kind == ERR_TIMEOUT && s->r.sent > 0 &&
			     fd_available(s->fd) > 0);
	/* A FIN would make half an answer look whole. */
	if (is_cut && s->fd >= 0) {
		is_reset = !is_lost && !addr_is_unix(&c->local);
		s->r.reset_by_us = s->r.reset_by_us || is_reset;
		s->r.reset = s->r.reset || is_reset;
		sock_abort(&s->fd);
	}
	/* With nothing left to read, closing sends the FIN. */
	s->r.is_fin_sent = s->r.is_fin_sent || s->r.is_fin_received;
	if (!s->r.is_fin_received)
		until =
		    deadline_first(until, deadline_after(SHUTDOWN_DRAIN_MS));
	shutdown_and_drain(&s->fd, until, &s->r);
	result = end_tls(s, is_cut, result);
	if (result == 0)
		err_clear(&s->e);
	if (result < 0 && s->allows_probes && s->e.kind == ERR_LOST &&
	    conn_event_is_probe(&s->r))
		conn_event_probe(c);
	else if (result < 0)
		log_error(s, c);
	conn_event_closed(level, c, &s->r, (int)s->e.kind);
	return (int)s->e.kind;
}
