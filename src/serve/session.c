/* A served connection: receives and sends under limits, closes orderly. */
#include "serve/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "net/sock.h"
#include "net/wait.h"
#include "serve/server.h"

void
session_start(struct session *s, int fd, int64_t idle_ms, int64_t max_ms)
{
	s->fd = fd;
	s->idle_ms = idle_ms;
	s->until = deadline_after(max_ms);
	s->phase = deadline_none();
	s->too_long = NULL;
	memset(&s->r, 0, sizeof(s->r));
	s->is_read = false;
	s->allows_probes = false;
	err_clear(&s->e);
}

void
session_phase(struct session *s, int64_t ms, const char *too_long)
{
	s->phase = deadline_after(ms);
	s->too_long = too_long;
}

/* Whether a limit has passed that holds although something moves. */
static bool
is_over(const struct session *s)
{
	return deadline_passed(s->until) || deadline_passed(s->phase);
}

/* Which limit has passed. */
static int
limit_error(struct session *s)
{
	const char *text = "nothing was sent or received (--idle-timeout)";

	if (deadline_passed(s->until))
		text = "the connection took too long (--max-time)";
	else if (deadline_passed(s->phase))
		text = s->too_long;
	return err_set(&s->e, ERR_TIMEOUT, "%s", text);
}

/*
 * Waits for events, a signal, a limit of the session or early. idle is made by
 * the caller, for all its waits until a byte has moved. As session_wait().
 */
static int
wait_ready(struct session *s, short events, struct deadline idle,
    struct deadline early)
{
	struct deadline limit;
	int ready;

	limit = deadline_first(deadline_first(idle, s->phase), s->until);
	ready = wait_fd(s->fd, events, deadline_first(limit, early));
	if (ready > 0)
		return 1;
	if (ready < 0)
		return err_sys(&s->e, ERR_FAILED, errno, "serving");
	return deadline_passed(limit) ? limit_error(s) : 0;
}

int
session_wait(struct session *s, short events, struct deadline early)
{
	return wait_ready(s, events, deadline_after(s->idle_ms), early);
}

int
session_pause(struct session *s, int64_t ms)
{
	wait_until(deadline_first(deadline_after(ms), s->until));
	return deadline_passed(s->until) ? limit_error(s) : 0;
}

static int
lost(struct session *s, int errnum)
{
	s->r.first = CONN_FIRST_PEER;
	s->r.reset = errnum == ECONNRESET || errnum == EPIPE;
	return err_sys(&s->e, ERR_LOST, errnum,
	    "the connection was lost after %llu bytes received and %llu sent",
	    (unsigned long long)s->r.received, (unsigned long long)s->r.sent);
}

/* Without a limit nothing has to be waited for but the bytes. */
static int
receive_flags(const struct session *s)
{
	return s->idle_ms < 0 && !deadline_is_set(s->until) &&
		       !deadline_is_set(s->phase)
		   ? 0
		   : MSG_DONTWAIT;
}

ssize_t
session_receive(struct session *s, void *piece, size_t size)
{
	struct deadline idle = deadline_after(s->idle_ms);
	ssize_t n;

	for (;;) {
		if (is_over(s))
			return limit_error(s);
		n = recv(s->fd, piece, size, receive_flags(s));
		if (n > 0)
			s->r.received += (uint64_t)n;
		if (n == 0) {
			s->r.first = CONN_FIRST_PEER;
			s->is_read = true;
		}
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return lost(s, errno);
		if (wait_ready(s, POLLIN, idle, deadline_none()) < 0)
			return -1;
	}
}

int
session_send(struct session *s, const void *bytes, size_t n)
{
	struct deadline idle = deadline_after(s->idle_ms);
	const unsigned char *p = bytes;
	ssize_t done;

	while (n > 0) {
		if (is_over(s))
			return limit_error(s);
		done = send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done >= 0) {
			s->r.sent += (uint64_t)done;
			p += done;
			n -= (size_t)done;
			idle = deadline_after(s->idle_ms);
		} else if (errno != EAGAIN && errno != EINTR) {
			return lost(s, errno);
		} else if (wait_ready(s, POLLOUT, idle, deadline_none()) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Apart for its frame: see conn_event.c. */
__attribute__((noinline)) static void
tell_error(struct session *s, const struct conn *c)
{
	char text[ADDR_TEXT];

	err_prefix(&s->e, "%s", addr_format(&c->remote, text, sizeof(text)));
	diag_error(&s->e);
}

int
session_end(struct session *s, const struct conn *c, int level, int result)
{
	if (result == 0 && s->r.first == CONN_FIRST_NOBODY)
		s->r.first = CONN_FIRST_US;
	/* Where nothing is left to be read, closing says our end as well. */
	if (s->is_read) {
		sock_close(&s->fd);
	} else if (s->fd >= 0) {
		sock_finish(s->fd);
		sock_close_drained(&s->fd,
		    deadline_first(s->until, deadline_after(SOCK_DRAIN_MS)));
	}
	if (result == 0)
		err_clear(&s->e);
	if (result < 0 && s->allows_probes && s->e.kind == ERR_LOST &&
	    conn_event_is_probe(&s->r))
		conn_event_probe(c);
	else if (result < 0)
		tell_error(s, c);
	conn_event_closed(level, c, &s->r, (int)s->e.kind);
	return (int)s->e.kind;
}
