/* What a forked child does with its connection: discard, echo, forward. */
#include "serve/handler.h"

#include "base/diag.h"
#include "base/err.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/relay.h"
#include "serve/session.h"

/* How long to wait for a client's first bytes before it is reset. */
#define REFUSE_MS 100
/* The number of bytes to echo at a time. */
#define PIECE (64 * 1024)

/* Echoes or discards until the peer finishes. */
static int
serve_pieces(struct session *s, bool echo)
{
	unsigned char piece[PIECE];
	ssize_t n;

	while ((n = session_receive(s, piece, sizeof(piece))) > 0)
		if (echo && session_send(s, piece, (size_t)n) < 0)
			return -1;
	return n == 0 ? 0 : -1;
}

/*
 * Ends the connection of a client whose target cannot be reached, with a reset:
 * a FIN would look like a target with nothing to send. Waits first, because the
 * client may still be in connect(2).
 */
static void
refuse(struct session *s)
{
	wait_fd(
	    s->fd, POLLIN, deadline_first(s->until, deadline_after(REFUSE_MS)));
	sock_abort(&s->fd);
}

/* Dials the target and relays until both directions are finished. */
static int
serve_forward(struct session *s, const struct handler *h)
{
	struct relay_options o = RELAY_OPTIONS_INIT;
	struct conn_summary target_sum;
	int target, result;

	target = dial_connect(&h->target, &h->dial,
	    deadline_first(
		s->until, deadline_limit(h->timeout_ms, "--timeout")),
	    NULL, &s->e);
	if (target < 0) {
		refuse(s);
		return err_prefix(&s->e, "forwarding to");
	}
	o.in = o.out = target;
	o.on_peer_eof = RELAY_PEER_FINISH;
	o.idle_ms = h->idle_ms;
	o.until = s->until;
	o.target = &target_sum;
	result = relay_run(s->fd, &o, &s->r, &s->e);
	/* A reset by the target is not a probe. */
	s->allows_probes = s->allows_probes && sock_is_closed(s->fd);
	if (s->r.is_aborted) {
		sock_abort_acked(&target, h->idle_ms, s->until);
		sock_abort_acked(&s->fd, h->idle_ms, s->until);
	}
	shutdown_and_drain(&target,
	    deadline_first(
		s->until, deadline_after(result < 0 ? 0 : SHUTDOWN_DRAIN_MS)),
	    &target_sum);
	return result;
}

int
handler_serve(int fd, const struct conn *c, void *context)
{
	const struct handler *h = context;
	struct session s;
	int result;

	session_start(&s, fd, h->idle_ms, h->max_ms);
	s.allows_probes = h->allows_probes;
	if (h->kind == HANDLER_FORWARD)
		result = serve_forward(&s, h);
	else
		result = serve_pieces(&s, h->kind == HANDLER_ECHO);
	return session_end(&s, c, DIAG_NOTE, result);
}
