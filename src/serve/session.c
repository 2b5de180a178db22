/* A served connection: receives and sends within limits, and closes. */
#include "serve/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/num.h"
#include "net/sock.h"
#include "net/stream.h"
#include "net/wait.h"
#include "tls/tls.h"

int
session_start(struct session *s, int fd, struct limit idle, int64_t max_ms,
    const struct tls_options *tls)
{
	struct tls_request request = {.options = tls, .is_last = true};

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
	if (tls == NULL || !tls->is_on)
		return 0;
	request.until = deadline_first(s->until, deadline_after(TLS_ACCEPT_MS));
	s->tls = tls_start(&request, &s->fd, &s->e);
	return s->tls == NULL ? -1 : 0;
}

/* Sets s->e for the end of sending or receiving, with errno. Returns -1. */
static int
fail(struct session *s, enum stream_end end)
{
	int errnum = errno;

	if (end == STREAM_STOPPED)
		return err_sys(&s->e, ERR_FAILED, errnum, "serving");
	if (end == STREAM_LOST) {
		s->r.first = CONN_FIRST_PEER;
		s->r.reset = err_is_reset(errnum);
		return err_sys(&s->e, ERR_LOST, errnum,
		    "the connection was lost after %s sent and %llu received",
		    num_count_text(s->r.sent, "byte"),
		    (unsigned long long)s->r.received);
	}
	if (deadline_passed(s->phase) && !deadline_passed(s->until))
		return deadline_error(s->phase, s->missing, &s->e);
	return deadline_idle_error(s->until, s->idle, &s->e);
}

int
session_wait(struct session *s, int64_t ms)
{
	struct deadline limit =
	    deadline_first(deadline_after(s->idle.ms), s->until);
	int ready =
	    wait_fd(s->fd, POLLIN, deadline_first(limit, deadline_after(ms)));

	if (ready < 0)
		return fail(s, STREAM_STOPPED);
	return ready == 0 && deadline_passed(limit) ? fail(s, STREAM_LIMIT)
						    : ready;
}

static struct stream
stream_of(const struct session *s)
{
	return (struct stream){.fd = s->fd,
	    .until = deadline_first(s->until, s->phase),
	    .idle_ms = s->idle.ms};
}

ssize_t
session_receive(struct session *s, void *piece, size_t size)
{
	struct stream stream = stream_of(s);
	size_t n = 0;
	enum stream_end end = stream_receive(&stream, piece, size, &n);

	s->r.received += n;
	if (end == STREAM_ENDED)
		stream_note_fin(&s->r);
	return end > STREAM_ENDED ? fail(s, end) : (ssize_t)n;
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
	enum stream_end end;

	if (!s->is_answering)
		session_answer(s);
	end = stream_send(&stream, bytes, n, &s->r.sent);
	if (end != STREAM_DONE)
		return fail(s, end);
	sock_reset_on_close(s->fd, false);
	s->is_answering = false;
	return 0;
}

int
session_end(struct session *s, const struct conn *c, int level, int result)
{
	struct deadline until =
	    deadline_first(s->until, deadline_after(STREAM_DRAIN_MS));
	struct err e;
	bool is_lost, is_cut, is_reset;

	/* It may have been overcome, by another target. */
	if (result == 0)
		err_clear(&s->e);
	is_lost = s->e.kind == ERR_LOST;
	is_cut = s->fd < 0 || s->is_answering || is_lost || s->r.is_aborted ||
		 s->e.kind == ERR_OUTPUT ||
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
	stream_drain(&s->fd, until, &s->r);
	until = deadline_first(s->until, deadline_after(STREAM_DRAIN_MS));
	/* Otherwise its release resets the connection. */
	if (s->tls != NULL && !is_cut && tls_end(s->tls, true, until, &e) < 0 &&
	    result == 0) {
		s->e = e;
		result = -1;
	}
	tls_release(s->tls);
	s->tls = NULL;
	/* A program's status has no text. */
	if (result < 0 && s->e.text[0] != '\0' &&
	    (!s->allows_probes || s->e.kind != ERR_LOST ||
		!conn_event_probe(c, &s->r))) {
		err_prefix(&s->e, "%s", addr_text(&c->remote));
		diag_error(&s->e);
	}
	conn_event_closed(level, c, &s->r, (int)s->e.kind);
	return (int)s->e.kind;
}
