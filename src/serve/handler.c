/* What a forked child does with its connection: discard, echo, forward, or
 * relay to a program. */
#include "serve/handler.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "dial/reconnect.h"
#include "net/endpoint.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/recorder.h"
#include "relay/relay.h"
#include "serve/files.h"
#include "serve/session.h"
#include "tls/tls.h"

/* How long to wait for a client's first bytes before it is reset. */
#define REFUSE_MS 100
/* The number of bytes to echo at a time. */
#define PIECE (64 * 1024)

/* A connection in its child. */
struct served {
	const struct handler *h;
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
 * would look like a target or a program with nothing to send. Waits first,
 * because the client may still be in connect(2).
 */
static void
refuse(struct session *s)
{
	wait_fd(s->link->fd, POLLIN,
	    deadline_first(s->until, deadline_after(REFUSE_MS)));
	sock_abort(&s->link->fd);
}

/*
 * Tries the targets in order, until one is reached or a failure does not
 * concern the target. Returns as connector_open(), with an error that has all
 * failures.
 */
static int
try_targets(const struct served *v, struct deadline until, struct link *target,
    struct err *e)
{
	const struct handler *h = v->h;
	struct err all;
	size_t i;

	all.text[0] = '\0';
	for (i = 0; i < h->target_count; i++) {
		if (connector_open(
			&h->targets[i], h->connector, until, target, e) == 0)
			return 0;
		if (all.text[0] == '\0')
			all = *e;
		else
			err_append(&all, "%s", e->text);
		if (!e->waits || deadline_passed(until))
			break;
		if (i + 1 < h->target_count)
			diag_note("%s: %s; trying %s",
			    addr_text(&v->s.link->remote), e->text,
			    endpoint_text(&h->targets[i + 1]));
	}
	strcpy(e->text, all.text);
	return -1;
}

static void
set_up(const struct served *v, struct relay_options *o)
{
	*o = (struct relay_options)RELAY_OPTIONS_INIT;
	o->idle = v->h->idle;
	o->until = v->s.until;
	o->recorder = v->h->recorder;
}

/* Dials a target and relays until both directions are finished. */
static int
serve_forward(struct served *v)
{
	struct session *s = &v->s;
	struct relay_options o;
	struct link target;
	struct reconnect r;
	int result;

	reconnect_start(&r, v->h->retry_ms, s->until);
	do
		result = try_targets(v, r.end, &target, &s->e);
	while (result < 0 && s->e.waits &&
	       reconnect_wait(&r, "no connection", &s->e) == 0);
	if (result < 0) {
		refuse(s);
		return err_prefix(&s->e, "forwarding to");
	}
	set_up(v, &o);
	target.is_to_program = target.program != NULL;
	result = relay_run(s->link, &target, &o, &s->e);
	/* TLS knows whether a lost client had received everything. */
	if (s->link->end == LINK_CUT && !link_is_direct(s->link)) {
		s->link->is_answered = target.is_fin_received;
		result = link_close(s->link, 0, s->until, &s->e);
	}
	/* A reset by the target is not a probe. */
	s->allows_probes = s->allows_probes && sock_is_closed(s->link->fd);
	if (s->link->is_aborted && s->e.kind == ERR_OUTPUT) {
		/* The record has failed: neither side must wait for it. */
		sock_abort(&target.fd);
		sock_abort(&s->link->fd);
	} else if (s->link->is_aborted) {
		link_abort(&target, o.idle.ms, s->until);
		link_abort(s->link, o.idle.ms, s->until);
	}
	return link_close(&target, result, s->until, &s->e);
}

/* The signal that ended the program, or 0.*/
static volatile sig_atomic_t stop_signal;

static void
on_stop(int number)
{
	stop_signal = number;
}

/*
 * Relays between the connection and a program. The status is the program's,
 * even if it exits without reading everything, or the client resets the
 * connection. A connection that is lost in another way is an error: the program
 * cannot notice.
 */
static int
serve_program(struct served *v)
{
	const struct program program = {.argv = v->h->program,
	    .protocol = "TCP",
	    .local = &v->s.link->local,
	    .remote = &v->s.link->remote,
	    .variables =
		v->s.link->tls != NULL ? v->s.link->tls->variables : NULL};
	const struct proc_options options = {.has_pair = true};
	const struct sigaction stops = {.sa_handler = on_stop};
	struct proc *p;
	struct session *s = &v->s;
	struct relay_options o;
	struct link target;
	struct err lost;
	int result, status;
	bool is_lost;

	p = proc_start(&program, &options, &s->e);
	if (p == NULL) {
		refuse(s);
		return -1;
	}
	/* This process survives the signals that end the program, to relay its
	 * last output. The server kills both if that takes too long. */
	sigaction(SIGHUP, &stops, NULL);
	sigaction(SIGINT, &stops, NULL);
	sigaction(SIGTERM, &stops, NULL);
	target = (struct link){.fd = p->fd, .is_to_program = true};
	set_up(v, &o);
	result = relay_run(s->link, &target, &o, &s->e);
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
	/* The relay has ended before the program, which is not an error. */
	if (s->link->is_aborted && !s->is_answering) {
		s->link->is_aborted = false;
		if (s->link->reset_by_us)
			s->link->is_reset = sock_is_closed(s->link->fd);
		s->link->reset_by_us = false;
		sock_reset_on_close(s->link->fd, false);
	}
	return status == 0 ? 0 : err_status(&s->e, status);
}

static int
serve_files(struct served *v)
{
	return files_serve(&v->s, v->h->folder);
}

/* Serves, and records if there is a recorder. If recording fails, the
 * connection is reset: a FIN would make partial data look complete. */
static int
serve(struct served *v)
{
	static int (*const kinds[])(struct served *) = {
	    [HANDLER_DISCARD] = serve_pieces,
	    [HANDLER_ECHO] = serve_pieces,
	    [HANDLER_FORWARD] = serve_forward,
	    [HANDLER_FILES] = serve_files,
	    [HANDLER_PROGRAM] = serve_program};
	struct recorder *r = v->h->recorder;
	struct session *s = &v->s;
	int result;

	if (r == NULL)
		return kinds[v->h->kind](v);
	r->until = s->until;
	r->idle = s->idle;
	result = recorder_begin(r, s->link, &s->e);
	if (result == 0)
		result = kinds[v->h->kind](v);
	result = recorder_close(r, false, result, &s->e);
	if (result < 0 && s->e.kind == ERR_OUTPUT && s->link->fd >= 0)
		refuse(s);
	return result;
}

int
handler_serve(struct link *l, void *context)
{
	struct served v;
	int result = 0;

	v.h = context;
	session_start(&v.s, l, v.h->idle, v.h->max_ms);
	v.s.allows_probes = v.h->allows_probes;
	/* A program of --via may ignore the signal that ends this process: it
	 * is ended first, within the server's grace period. */
	if (v.h->connector->via != NULL)
		result = signals_catch(&v.s.e);
	if (result == 0)
		result = serve(&v);
	else if (v.s.link->fd >= 0)
		refuse(&v.s);
	/* The server reports the signal. */
	if (signals_stopped() != 0)
		v.s.e.text[0] = '\0';
	return session_end(&v.s, DIAG_NOTE, result);
}
