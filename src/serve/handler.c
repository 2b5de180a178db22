/* What a forked child does with its connection: discard, echo, forward, or
 * relay to a program. */
#include "serve/handler.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "dial/reconnect.h"
#include "net/endpoint.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/stream.h"
#include "net/wait.h"
#include "relay/recorder.h"
#include "relay/relay.h"
#include "serve/session.h"
#include "tls/tls.h"

/* How long to wait for a client's first bytes before it is reset. */
#define REFUSE_MS 100
/* The number of bytes to echo at a time. */
#define PIECE (64 * 1024)

/* A connection in its child. */
struct served {
	const struct handler *h;
	const struct conn *c;
	struct dial_result target; /* HANDLER_FORWARD */
	bool has_lost_client;      /* the same, with TLS */
	struct session s;
};

static int
serve_pieces(struct served *v)
{
	static unsigned char piece[PIECE];
	bool echo = v->h->kind == HANDLER_ECHO;
	struct recorder *r = v->h->recorder;
	struct session *s = &v->s;
	ssize_t n;

	while ((n = session_receive(s, piece, sizeof(piece))) > 0) {
		if (echo)
			session_answer(s);
		if (r != NULL &&
		    recorder_add(r, false, NULL, piece, (size_t)n, &s->e) < 0)
			return -1;
		if (r != NULL && echo &&
		    recorder_add(r, true, NULL, piece, (size_t)n, &s->e) < 0)
			return -1;
		if (echo && session_send(s, piece, (size_t)n) < 0)
			return -1;
	}
	return n == 0 ? 0 : -1;
}

/*
 * Ends the connection of a client that cannot be served, with a reset: a FIN
 * would look like a target with nothing to send. Waits first, because the
 * client may still be in connect(2).
 */
static void
refuse(struct session *s)
{
	wait_fd(
	    s->fd, POLLIN, deadline_first(s->until, deadline_after(REFUSE_MS)));
	sock_abort(&s->fd);
}

/*
 * Tries the targets in their order, until one is reached or a failure is not
 * the target's. Returns as connector_open(), with an error that names all of
 * them.
 */
static int
try_targets(struct served *v, struct deadline until, struct err *e)
{
	const struct handler *h = v->h;
	struct err all;
	int fd;
	size_t i;

	all.text[0] = '\0';
	for (i = 0; i < h->target_count; i++) {
		fd = connector_open(
		    &h->targets[i], h->connector, until, &v->target, e);
		if (fd >= 0)
			return fd;
		if (all.text[0] == '\0')
			all = *e;
		else
			err_append(&all, "%s", e->text);
		if (!e->waits || deadline_passed(until))
			break;
		if (i + 1 < h->target_count)
			diag_note("%s: %s; trying %s", addr_text(&v->c->remote),
			    e->text, endpoint_text(&h->targets[i + 1]));
	}
	strcpy(e->text, all.text);
	return -1;
}

static void
set_up(const struct served *v, int fd, struct relay_options *o)
{
	*o = (struct relay_options)RELAY_OPTIONS_INIT;
	o->in = o->out = fd;
	o->idle = v->h->idle;
	o->until = v->s.until;
	o->recorder = v->h->recorder;
}

/* relay_options::is_there, of a client with TLS. */
static bool
is_client_there(void *context)
{
	struct served *v = context;

	v->has_lost_client = !tls_is_there(v->s.tls);
	return !v->has_lost_client;
}

/* Dials a target and relays until both directions are finished. */
static int
serve_forward(struct served *v)
{
	struct session *s = &v->s;
	struct relay_options o;
	struct conn_summary target_sum;
	struct reconnect r;
	int target, result;

	v->target.via = NULL;
	v->target.tls = NULL;
	reconnect_start(&r, v->h->retry_ms, s->until);
	do
		target = try_targets(v, r.end, &s->e);
	while (target < 0 && s->e.waits &&
	       reconnect_wait(&r, "no connection", &s->e) == 0);
	if (target < 0) {
		refuse(s);
		return err_prefix(&s->e, "forwarding to");
	}
	set_up(v, target, &o);
	o.target = &target_sum;
	if (v->target.tls != NULL) {
		o.is_whole = tls_has_closed;
		o.context = v->target.tls;
	}
	if (s->tls != NULL) {
		o.is_there = is_client_there;
		o.peer = v;
	}
	v->has_lost_client = false;
	result = relay_run(s->fd, &o, &s->r, &s->e);
	if (v->has_lost_client)
		result = tls_end(s->tls, false, s->until, &s->e);
	/* A reset by the target is not a probe. */
	s->allows_probes = s->allows_probes && sock_is_closed(s->fd);
	if (s->r.is_aborted && s->e.kind == ERR_OUTPUT) {
		/* The record has failed, which neither side waits for. */
		sock_abort(&target);
		sock_abort(&s->fd);
	} else if (s->r.is_aborted) {
		sock_abort_acked(&target, o.idle.ms, s->until);
		sock_abort_acked(&s->fd, o.idle.ms, s->until);
	}
	stream_drain(&target,
	    deadline_first(
		s->until, deadline_after(result < 0 ? 0 : STREAM_DRAIN_MS)),
	    &target_sum);
	return v->target.via == NULL && v->target.tls == NULL
		   ? result
		   : connector_close(&v->target, result, s->until, &s->e);
}

/* The signal that ended the program, or 0.*/
static volatile sig_atomic_t stop_signal;

static void
on_stop(int number)
{
	stop_signal = number;
}

/* A program that has closed its connection, and not only finished, may have
 * been killed: how it ended shows later. */
static bool
is_program_whole(void *context)
{
	const struct proc *p = context;
	struct pollfd f = {.fd = p->fd};

	return poll(&f, 1, 0) <= 0 || (f.revents & POLLHUP) == 0;
}

/*
 * Relays to a program, in whose place this process has the connection. It is
 * not an error that the program ends without reading everything, or that the
 * client resets the connection: the status is the program's. If the connection
 * is lost in another way, the program cannot know that.
 */
static int
serve_program(struct served *v)
{
	const struct program program = {.argv = v->h->program,
	    .protocol = "TCP",
	    .local = &v->c->local,
	    .remote = &v->c->remote};
	const struct proc_options options = {.has_pair = true};
	const struct sigaction stops = {.sa_handler = on_stop};
	struct proc *p;
	struct session *s = &v->s;
	struct relay_options o;
	struct err lost;
	int result, status;
	bool is_lost;

	tls_set_variables(s->tls);
	p = proc_start(&program, &options, &s->e);
	if (p == NULL)
		return -1;
	/* This process survives the signals that end its program, whose last
	 * output is still relayed. The server kills both if that takes too
	 * long. */
	sigaction(SIGHUP, &stops, NULL);
	sigaction(SIGINT, &stops, NULL);
	sigaction(SIGTERM, &stops, NULL);
	set_up(v, p->fd, &o);
	o.is_whole = is_program_whole;
	o.context = p;
	result = relay_run(s->fd, &o, &s->r, &s->e);
	sock_close(&p->fd);
	if (result < 0 && s->e.kind != ERR_LOST)
		return -1;
	s->allows_probes = false;
	is_lost = result < 0 && !err_is_reset(s->e.errnum);
	lost = s->e;
	status = proc_wait(p, deadline_none());
	if (is_lost) {
		s->e = lost;
		return -1;
	}
	s->is_answering = p->is_killed || stop_signal != 0;
	/* The relay has only ended before the program. */
	if (s->r.is_aborted && !s->is_answering) {
		s->r.is_aborted = false;
		if (s->r.reset_by_us)
			s->r.reset = sock_is_closed(s->fd);
		s->r.reset_by_us = false;
		sock_reset_on_close(s->fd, false);
	}
	return status == 0 ? 0 : err_status(&s->e, status);
}

/* Serves, with a record if there is to be one. If that fails, the connection is
 * reset: a FIN would make partial data look complete. */
static int
serve(struct served *v)
{
	static int (*const kinds[])(struct served *) = {
	    [HANDLER_DISCARD] = serve_pieces,
	    [HANDLER_ECHO] = serve_pieces,
	    [HANDLER_FORWARD] = serve_forward,
	    [HANDLER_PROGRAM] = serve_program};
	struct recorder *r = v->h->recorder;
	struct session *s = &v->s;
	int result;

	if (r == NULL)
		return kinds[v->h->kind](v);
	r->until = s->until;
	r->idle = s->idle;
	result = recorder_begin(r, v->c, &s->e);
	if (result == 0)
		result = kinds[v->h->kind](v);
	result = recorder_close(r, false, result, &s->e);
	if (result < 0 && s->e.kind == ERR_OUTPUT && s->fd >= 0)
		refuse(s);
	return result;
}

int
handler_serve(int fd, const struct conn *c, void *context)
{
	struct served v;
	char byte;
	int result;

	v.h = context;
	v.c = c;
	result = session_start(&v.s, fd, v.h->idle, v.h->max_ms, v.h->tls);
	v.s.allows_probes = v.h->allows_probes;
	/* A program of --via may ignore what ends this process: it is ended
	 * first, within the time that the server gives. */
	if (result == 0 && v.h->connector->via != NULL)
		result = signals_catch(&v.s.e);
	if (result == 0 && v.h->secured >= 0 &&
	    (fd_write_all(v.h->secured, "", 1) < 0 ||
		read(v.h->secured, &byte, 1) != 1))
		result = err_sys(&v.s.e, ERR_FAILED, errno, "serving");
	if (result == 0)
		result = serve(&v);
	/* The server knows why. */
	if (signals_stopped() != 0)
		v.s.e.text[0] = '\0';
	return session_end(&v.s, c, DIAG_NOTE, result);
}
