/* A served connection: receives and sends within limits, and closes. */
#include "serve/session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/fd.h"
#include "base/num.h"
#include "http/http_server.h"
#include "net/sock.h"
#include "net/wait.h"

void
session_start(
    struct session *s, struct link *l, struct limit idle, int64_t max_ms)
{
	*s = (struct session){.link = l,
	    .idle = idle,
	    .until = deadline_max_time(max_ms),
	    .stop = -1,
	    .phase = deadline_none()};
	/* The handshake has taken a part of it. */
	if (!link_is_direct(l) && deadline_is_set(s->until))
		s->until.at_ns -= clock_now() - l->start_ns;
	diag_limit(s->until, idle.ms);
}

/* Sets s->e after sending or receiving has failed with errnum. Returns -1. */
static int
fail(struct session *s, int errnum)
{
	const char *why;

	if (errnum != EAGAIN) {
		s->link->first = LINK_FIRST_PEER;
		s->link->reset =
		    err_is_reset(errnum) ? LINK_RESET_BY_PEER : LINK_NO_RESET;
		return err_sys(&s->e, ERR_LOST, errnum,
		    "the connection was lost after %s sent and %llu received",
		    num_count_text(s->link->sent, "byte"),
		    (unsigned long long)s->link->received);
	}
	if (deadline_passed(s->phase) && !deadline_passed(s->until))
		deadline_error(s->phase, s->missing, &s->e);
	else
		deadline_idle_error(s->until, s->idle, &s->e);
	why = link_stall_text(s->link, !s->is_answering, "the client");
	if (why != NULL)
		err_append(&s->e, "%s", why);
	return -1;
}

int
session_wait(struct session *s, int64_t ms)
{
	struct deadline limit =
	    deadline_first(deadline_after(s->idle.ms), s->until);
	int ready = wait_fd(
	    s->link->fd, POLLIN, deadline_first(limit, deadline_after(ms)));

	if (ready < 0 || (ready == 0 && deadline_passed(limit)))
		return fail(s, ready < 0 ? errno : EAGAIN);
	return ready;
}

ssize_t
session_receive(struct session *s, void *piece, size_t size)
{
	ssize_t n = link_receive(s->link, piece, size, 0, s->idle.ms,
	    deadline_first(s->until, s->phase));

	if (n == 0)
		link_record_peer_fin(s->link);
	return n < 0 ? fail(s, errno) : n;
}

ssize_t
session_receive_head(struct session *s, char *head, size_t size, size_t *used,
    int64_t limit_ms, int *code)
{
	size_t length, blank;
	ssize_t n;

	*code = 200;
	for (;;) {
		blank = http_server_blank_length(head, *used);
		*used -= blank;
		memmove(head, head + blank, *used);
		length = http_server_head_length(head, *used);
		if (length > 0)
			return (ssize_t)length;
		if (*used > 0 && limit_ms >= 0) {
			s->phase = deadline_after(limit_ms);
			limit_ms = -1;
		}
		if (*used == size || http_server_is_tls(head, *used)) {
			*code = *used < size               ? 400
				: memchr(head, '\n', size) ? 431
							   : 414;
			return (ssize_t)*used;
		}
		n = session_receive(s, head + *used, size - *used);
		if (n < 0 && (*used == 0 || s->e.kind != ERR_TIMEOUT))
			return -1;
		if (n <= 0) {
			if (*used > 0)
				*code = n < 0 ? 408 : 400;
			return (ssize_t)*used;
		}
		*used += (size_t)n;
	}
}

void
session_answer(struct session *s)
{
	s->is_answering = true;
	sock_reset_on_close(s->link->fd, true);
}

int
session_send(struct session *s, const void *bytes, size_t n)
{
	return session_send_file(s, bytes, n, -1, 0, 0);
}

int
session_send_file(struct session *s, const void *bytes, size_t n, int file,
    off_t at, uint64_t length)
{
	struct deadline until = deadline_first(s->until, s->phase);

	if (!s->is_answering)
		session_answer(s);
	if (link_send(s->link, bytes, n, s->idle.ms, until) < 0 ||
	    link_send_file(s->link, file, at, length, s->idle.ms, until) < 0) {
		if (errno == 0)
			return err_set(
			    &s->e, ERR_OUTPUT, "the file has become shorter");
		if (errno == EIO)
			return err_sys(
			    &s->e, ERR_OUTPUT, errno, "reading the file");
		return fail(s, errno);
	}
	sock_reset_on_close(s->link->fd, false);
	s->is_answering = false;
	return 0;
}

int
session_close(struct session *s, int level, int result)
{
	struct link *l = s->link;
	struct deadline until =
	    deadline_first(s->until, deadline_after(LINK_DRAIN_MS));
	struct err e = ERR_INIT;
	bool is_lost, aborts;
	enum err_kind kind;

	/* It may be the error of an earlier target. */
	if (result == 0)
		err_clear(&s->e);
	/* The status of a program is no error. */
	kind = l->exit != LINK_NO_PROGRAM ? ERR_NONE : s->e.kind;
	is_lost = kind == ERR_LOST;
	aborts =
	    l->fd < 0 || s->is_answering || is_lost || l->is_aborted ||
	    kind == ERR_OUTPUT ||
	    /* Data that has arrived was not answered. */
	    (kind == ERR_TIMEOUT && l->sent > 0 && fd_available(l->fd) > 0);
	/* A FIN would make half an answer look whole. */
	if (aborts && l->fd >= 0) {
		if (!is_lost)
			l->reset = LINK_RESET_BY_US;
		sock_abort(&l->fd);
	}
	/* With nothing left to read, closing sends the FIN. */
	if (l->peer_end == LINK_WHOLE || l->peer_end == LINK_BARE)
		l->sending = LINK_FINISHED;
	if (l->wanted == LINK_WANT_END && l->first != LINK_FIRST_PEER)
		l->wanted = LINK_WANT_SENT;
	if (result == 0)
		until = s->until;
	if (link_close(l, aborts ? -1 : 0, until, &e) < 0 && !aborts &&
	    result == 0) {
		s->e = e;
		result = -1;
	}
	/* A program's status has no text. */
	if (result < 0 && s->e.text[0] != '\0' &&
	    (!s->allows_probes || s->e.kind != ERR_LOST ||
		!link_log_probe(l))) {
		err_prefix(&s->e, "%s", addr_text(&l->remote));
		diag_error(&s->e);
	}
	link_log_closed(level, l, (int)s->e.kind);
	return (int)s->e.kind;
}
