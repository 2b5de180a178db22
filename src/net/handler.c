#include "net/handler.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/relay.h"
#include "net/server.h"
#include "net/wait.h"

/* How long the end of a connection may take once we have said everything. */
#define DRAIN_MS 2000
/* A piece of an echo. */
#define PIECE (64 * 1024)

/* One connection being served. */
struct serving {
	int fd;
	const struct handler *h;
	struct deadline until; /* of the whole connection */
	struct summary r;
	struct err e;
};

/* Waits for the event; 0, or -1 with the limit that passed. */
static int
wait_for(struct serving *s, short events)
{
	struct deadline idle = deadline_after(s->h->idle_ms);
	int ready = wait_fd(s->fd, events, deadline_first(idle, s->until));

	if (ready > 0)
		return 0;
	if (ready < 0)
		return err_sys(&s->e, ERR_FAILED, errno, "serving");
	return err_set(&s->e, ERR_TIMEOUT, "%s",
	    deadline_passed(s->until)
		? "the connection took too long (--max-time)"
		: "nothing was sent or received (--idle-timeout)");
}

static int
lost(struct serving *s, int errnum)
{
	s->r.first = FIRST_PEER;
	s->r.reset = errnum == ECONNRESET || errnum == EPIPE;
	return err_sys(&s->e, ERR_LOST, errnum,
	    "the connection was lost after %llu bytes received and %llu sent",
	    (unsigned long long)s->r.received, (unsigned long long)s->r.sent);
}

/* Reads a piece: its length, 0 at the end, or -1. */
static ssize_t
receive(struct serving *s, void *piece, size_t size)
{
	ssize_t n;

	for (;;) {
		n = recv(s->fd, piece, size, MSG_DONTWAIT);
		if (n > 0)
			s->r.received += (uint64_t)n;
		if (n == 0)
			s->r.first = FIRST_PEER;
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return lost(s, errno);
		if (wait_for(s, POLLIN) < 0)
			return -1;
	}
}

/* Sends all of it. */
static int
send_all(struct serving *s, const unsigned char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done >= 0) {
			s->r.sent += (uint64_t)done;
			p += done;
			n -= (size_t)done;
		} else if (errno != EAGAIN && errno != EINTR) {
			return lost(s, errno);
		} else if (wait_for(s, POLLOUT) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Echo and discard: until the peer's end. */
static int
serve_pieces(struct serving *s)
{
	unsigned char piece[PIECE];
	ssize_t n;

	while ((n = receive(s, piece, sizeof(piece))) > 0)
		if (s->h->kind == HANDLER_ECHO &&
		    send_all(s, piece, (size_t)n) < 0)
			return -1;
	return n == 0 ? 0 : -1;
}

/* Dials the target and relays until both directions have ended. */
static int
serve_forward(struct serving *s)
{
	const struct handler *h = s->h;
	struct relay_options o = RELAY_OPTIONS_INIT;
	int target, result;

	target = dial_connect(&h->target, &h->dial,
	    deadline_first(s->until, deadline_after(h->timeout_ms)), NULL,
	    &s->e);
	if (target < 0)
		return err_prefix(&s->e, "forwarding to");
	o.in = o.out = target;
	o.on_peer_eof = RELAY_PEER_FINISH;
	o.idle_ms = h->idle_ms;
	o.until = s->until;
	result = relay_run(s->fd, &o, &s->r, &s->e);
	sock_close_drained(&target, result < 0 ? 0 : DRAIN_MS);
	return result;
}

int
handler_serve(int fd, const struct server_conn *c, void *context)
{
	struct serving s = {.fd = fd, .h = context, .e = ERR_INIT};
	char text[ADDR_TEXT];
	int result;

	s.until = deadline_after(s.h->max_ms);
	if (s.h->kind == HANDLER_FORWARD)
		result = serve_forward(&s);
	else
		result = serve_pieces(&s);
	sock_close_drained(&s.fd, DRAIN_MS);
	if (result == 0)
		err_clear(&s.e);
	summary_tell(DIAG_NOTE, &c->local, &c->remote, &s.r,
	    clock_now() - c->start_ns, (int)s.e.kind);
	if (result < 0) {
		err_prefix(
		    &s.e, "%s", addr_format(&c->remote, text, sizeof(text)));
		diag_error(&s.e);
	}
	return (int)s.e.kind;
}
