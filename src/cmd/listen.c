/*
 * listen: a server. 1. Socket, 2. bind, 3. listen, 4. accept, 5. serve the
 * connection with stdin and stdout, or with a handler in a child process, and
 * with -k 6. accept again.
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/stdio_relay.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/recorder.h"
#include "serve/handler.h"
#include "serve/server.h"
#include "tls/tls.h"

/* Not in POSIX, but every Unix has it. */
int initgroups(const char *user, gid_t gid);

struct listen_options {
	int keep;           /* -k: accept more than one connection */
	int echo, discard;  /* handlers */
	const char *exec;   /* -e: run by sh -c */
	struct opt_list to; /* --to: forward to the first that is reached */
	const char *user;   /* --user: run as this user */
};

static struct listen_options listen_options;

static const struct opt listen_opts[] = {
    FLAG('k', "keep-open", listen_options, keep,
	"go on accepting after the first connection"),
    STRING('e', "exec", "CMD", listen_options, exec,
	"run sh -c CMD with the connection as stdin, stdout",
	.excludes = "to echo discard"),
    LIST(0, "to", "HOST:PORT", listen_options, to,
	"forward connections to HOST:PORT; several times: to the first that "
	"is reached",
	.excludes = "echo discard"),
    FLAG(0, "echo", listen_options, echo, "send back what is received",
	.excludes = "discard"),
    FLAG(0, "discard", listen_options, discard, "discard what is received"),
    STRING(0, "user", "NAME", listen_options, user,
	"switch to this user, for good, once the port is bound"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT("time limit without data sent or received; with --to "
		    "for connecting to each"),
    OPTIONS_CONNECT("time limit for connecting to each --to"),
    OPTIONS_RETRY("keep retrying to reach --to for at most T"),
    OPTIONS_IDLE("time limit without data sent or received"),
    OPTIONS_MAX(
	"time limit for the command, or with a handler for each connection"),
    {.kind = OPT_END},
};

static const struct opt_group listen_groups[] = {{"server", listen_opts},
    {"server", options_bind}, {"server", options_server},
    {"server", options_access}, {"relaying stdin and stdout", stdio_relay_opts},
    {"scripted conversation", stdio_relay_script_opts},
    {"recording", stdio_relay_record_opts},
    {"recording", stdio_relay_progress_opts}, {"addresses", options_names},
    {"targets", options_proxy}, {"targets", options_via},
    {"targets", options_tls}, {"clients", options_tls_local},
    {"clients", options_tls_clients}, {"time limits", time_opts},
    {"socket options", options_keepalive}, {"socket options", options_socket},
    {"messages", options_report}, {NULL, NULL}};

/* The command's state. */
struct listen_state {
	const struct opt *const *used; /* the options that were given */
	struct listener listener;
	struct server server;
	struct access access;
	bool has_handler; /* otherwise stdin and stdout are relayed */
	struct handler handler;
	struct stdio_relay stdio;
	struct deadline until; /* --max-time, if stdin and stdout are relayed */
};

/* Without -k, further connections are refused from now on. */
static void
stop_listening(struct listen_state *l)
{
	if (!listen_options.keep)
		listener_close(
		    &l->listener, "no more connections: -k was not given");
}

/*
 * Serves a connection in a child process. Returns 1; 0 if it does not count as
 * one, since the handshake of TLS has failed, and without -k the next may have
 * its place; or -1 with *e.
 */
static int
serve_child(struct listen_state *l, int fd, const struct conn *c, struct err *e)
{
	struct handler *h = &l->handler;
	bool runs_program = h->kind == HANDLER_PROGRAM;
	struct server_handler handler = {handler_serve, h, runs_program};
	int secured[2] = {-1, -1}, ready;
	char byte;

	if (!h->tls->is_on || listen_options.keep)
		stop_listening(l);
	else if (sock_pair(secured) < 0)
		return err_sys(e, ERR_FAILED, errno, "a socket");
	h->secured = secured[1];
	if (runs_program && h->recorder == NULL && !h->tls->is_on)
		server_spawn(&l->server, fd, c, h->program);
	else
		server_fork(&l->server, fd, c, &handler);
	if (secured[0] < 0)
		return 1;
	fd_close(&secured[1]);
	ready = wait_fd(secured[0], POLLIN, deadline_none());
	if (ready < 0)
		err_sys(e, ERR_FAILED, errno, "accepting");
	else
		ready = read(secured[0], &byte, 1) == 1;
	if (ready > 0) {
		stop_listening(l);
		ready = fd_write_all(secured[0], "", 1) == 0;
	}
	fd_close(&secured[0]);
	return ready;
}

/* Relays stdin and stdout in this process. Returns as serve_child(). With -k a
 * failed connection does not end the command, nor does a failed handshake. */
static int
serve_stdio(struct listen_state *l, int fd, const struct conn *c, struct err *e)
{
	struct stdio_relay *stdio = &l->stdio;
	const struct tls_request request = {.options = &options.clients,
	    .is_last = !listen_options.keep,
	    .until = deadline_first(l->until, deadline_after(TLS_ACCEPT_MS))};
	struct dial_result carrier = {.ns = 0};
	int result = -1, is_served = 1;

	(void)diag_connection(c->number);
	if (options.clients.is_on) {
		/* Its process becomes that of the connection. */
		carrier.tls = tls_start(&request, &fd, e);
		stdio->dialed = &carrier;
		is_served = carrier.tls != NULL;
	}
	if (is_served) {
		stop_listening(l);
		result = stdio_relay_run(stdio, &fd, c, e);
	} else {
		stdio->last = (struct conn_summary){.first = CONN_FIRST_PEER};
		(void)err_prefix(e, "%s", addr_text(&c->remote));
	}
	stdio->dialed = NULL;
	(void)diag_connection(0);
	if (result == 0)
		return 1;
	/* EINTR: a signal has stopped the server. */
	if ((is_served && !listen_options.keep) || e->kind == ERR_OUTPUT ||
	    e->errnum == EINTR)
		return -1;
	/* A port probe (a reset without data) is not an error. */
	if (stdio->last.sent != 0 || !conn_event_probe(c, &stdio->last))
		diag_error(e);
	return is_served;
}

/* Steps 4. accept, 5. serve, 6. with -k accept again. */
static int
accept_and_serve(struct listen_state *l, struct err *e)
{
	struct conn c;
	int fd, served;

	do {
		fd = server_accept(&l->server, &c, e);
		if (fd < 0)
			return server_end(&l->server, e);
		served = l->has_handler ? serve_child(l, fd, &c, e)
					: serve_stdio(l, fd, &c, e);
		if (served < 0)
			return -1;
	} while (
	    listen_options.keep || (served == 0 && !l->listener.is_connection));
	return server_wait_status(&l->server, e);
}

/*
 * Switches permanently to the user: supplementary groups, group and user id,
 * in this order, since afterwards the groups cannot be set. Then root cannot be
 * regained.
 */
static int
become_user(const struct listener *listener, const char *name, struct err *e)
{
	const struct passwd *pw = getpwnam(name);
	bool may_remove = true;

	if (pw != NULL && initgroups(name, pw->pw_gid) == 0 &&
	    setegid(pw->pw_gid) == 0 && seteuid(pw->pw_uid) == 0) {
		may_remove = listener_may_remove(listener);
		if (seteuid(getuid()) < 0)
			pw = NULL;
	}
	if (!may_remove)
		return err_set(e, ERR_LOCAL,
		    "--user: '%s' may not remove %s at the end: use a "
		    "directory of that user",
		    text_shown(name), addr_text(&listener->addrs[0]));
	if (pw != NULL && initgroups(name, pw->pw_gid) == 0 &&
	    setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0 &&
	    (pw->pw_uid == 0 || (setuid(0) < 0 && seteuid(0) < 0)))
		return 0;
	return err_set(e, ERR_LOCAL,
	    "--user: cannot become '%s': not permitted (only root can)",
	    text_shown(name));
}

/* Steps 1. socket, 2. bind, 3. listen; or inherits sockets. Prepares what the
 * first connection needs. Returns 0, or -1 with *e; the listener is closed by
 * the caller. */
static int
open_server(struct listen_state *l, const struct endpoint *ep, struct err *e)
{
	static const char stdio_error[] =
	    "standard input or output is the socket, and cannot be relayed to "
	    "it: it needs a handler, such as --exec, --to or a program";
	const char *user = listen_options.user;

	options.listener.until = l->until;
	if (!l->has_handler)
		options.listener.stdio_error = stdio_error;
	if (listener_open(&l->listener, ep, &options.listener, e) < 0 ||
	    options_check_inherited(&l->listener, l->used, e) < 0 ||
	    (user != NULL && become_user(&l->listener, user, e) < 0))
		return -1;
	if (!l->has_handler)
		return stdio_relay_open(&l->stdio, l->until, e);
	return l->handler.recorder == NULL
		   ? 0
		   : recorder_open(
			 l->handler.recorder, &stdio_relay_options.record, e);
}

static int
run(struct listen_state *l, const struct endpoint *ep, struct err *e)
{
	struct server_options *so = &options.server;
	int result;

	/* From here on a signal ends the command cleanly. */
	if (signals_catch(e) < 0)
		return -1;
	l->until = deadline_max_time(options.time.max_ms);
	/* --max-time limits the command, or with a handler each connection. */
	if (!l->has_handler)
		so->until = l->until;
	diag_limit(so->until,
	    so->accept_ms >= 0 ? so->accept_ms : options_idle_limit().ms);
	result = open_server(l, ep, e);
	if (result == 0) {
		server_start(&l->server, &l->listener, so);
		listener_announce(&l->listener);
		if (l->handler.program == NULL && options.connector.via == NULL)
			sandbox_enter();
		result = accept_and_serve(l, e);
		server_stop(&l->server);
	}
	listener_close(&l->listener, NULL);
	return result;
}

/* Rejects options that contradict each other or a program. */
static int
check_handler(const struct command_args *args, struct err *e)
{
	static const char about_targets[] =
	    "retry-for connect-timeout proxy via tls tls-ca tls-name "
	    "tls-insecure";
	const struct listen_options *o = &listen_options;
	bool has_program = args->program != NULL;
	const struct opt *const *used = args->used;

	if (has_program &&
	    (o->exec != NULL || o->to.count > 0 || o->echo || o->discard))
		return err_set(e, ERR_USAGE,
		    "a program and --exec, --to, --echo or --discard cannot "
		    "be used together");
	for (; o->to.count == 0 && *used != NULL; used++)
		if (opt_is_listed(about_targets, (*used)->name))
			return err_set(e, ERR_USAGE,
			    "--%s is for reaching --to%s", (*used)->name,
			    strcmp((*used)->name, "tls") == 0
				? "; TLS is accepted with --tls-cert FILE"
				: "");
	if ((options.time.idle_ms >= 0 || options.time.timeout_ms >= 0) &&
	    (has_program || o->exec != NULL))
		return err_set(e, ERR_USAGE,
		    "%s does not apply to a program's connection; --max-time "
		    "does",
		    options.time.idle_ms >= 0 ? "--idle-timeout" : "--timeout");
	return 0;
}

static int
parse_targets(struct listen_state *l, struct err *e)
{
	const struct opt_list *list = &listen_options.to;
	struct handler *h = &l->handler;
	struct connector_options *connector = &options.connector;
	struct endpoint *target;
	char *to;

	connector->timeout = options_connect_limit();
	h->retry_ms = options.time.retry_ms;
	/* Whether a program works decides about the next target. */
	connector->checks_via = h->retry_ms >= 0 || list->count > 1;
	if (options_check_connector(false, l->used, e) < 0)
		return -1;
	h->targets = mem_array(list->count, sizeof(h->targets[0]));
	for (; h->target_count < list->count; h->target_count++) {
		target = &h->targets[h->target_count];
		to = (char *)list->items[h->target_count];
		if (endpoint_parse(target, &to, 1, "tcp", e) < 0 ||
		    connector_check(target, connector, e) < 0)
			return err_prefix(e, "--to");
	}
	return 0;
}

static int
choose_handler(struct listen_state *l, char *const *program, struct err *e)
{
	const struct listen_options *o = &listen_options;
	const struct recorder_options *record = &stdio_relay_options.record;
	struct handler *h = &l->handler;

	h->tls = &options.clients;
	h->connector = &options.connector;
	h->idle = options_idle_limit();
	/* For --to, -w is about reaching it. */
	if (o->to.count > 0 && options.time.idle_ms < 0)
		h->idle = (struct limit)LIMIT_NONE;
	h->max_ms = options.time.max_ms;
	/* Without -k a port probe takes the only connection: an error. */
	h->allows_probes = o->keep != 0;
	h->program = program;
	if (o->exec != NULL)
		h->program = proc_shell(&h->shell, o->exec);
	h->kind = o->echo              ? HANDLER_ECHO
		  : o->to.count > 0    ? HANDLER_FORWARD
		  : h->program != NULL ? HANDLER_PROGRAM
				       : HANDLER_DISCARD;
	l->has_handler = h->kind != HANDLER_DISCARD || o->discard;
	l->stdio.next = o->keep ? &l->listener : NULL;
	l->stdio.recorder = (struct recorder){.has_several = o->keep != 0,
	    .until = deadline_none(),
	    .idle = LIMIT_NONE};
	if (l->has_handler &&
	    (record->output != NULL || record->hexdump != NULL ||
		record->textdump != NULL))
		h->recorder = &l->stdio.recorder;
	/* The server limits a program, and what it starts. */
	if (h->kind == HANDLER_PROGRAM)
		h->max_ms = -1;
	return h->kind == HANDLER_FORWARD ? parse_targets(l, e) : 0;
}

/* Checks the options and sets up the state. Returns 0, or -1 with *e. */
static int
set_up(struct listen_state *l, struct endpoint *ep,
    const struct command_args *args, struct err *e)
{
	const struct listen_options *o = &listen_options;
	struct server_options *so = &options.server;

	if (options_parse_local(ep, args, "tcp", -1, e) < 0 ||
	    check_handler(args, e) < 0 ||
	    choose_handler(l, args->program, e) < 0)
		return -1;
	if (l->has_handler &&
	    (stdio_relay_check_unused(args->used, "a handler", true, e) < 0 ||
		recorder_check(&stdio_relay_options.record, o->keep != 0, e) <
		    0))
		return -1;
	if (!l->has_handler && so->max_per_host > 0)
		return err_set(e, ERR_USAGE,
		    "--max-per-host goes with a handler: stdin and stdout "
		    "have one connection at a time");
	if (!l->has_handler && stdio_relay_check(e) < 0)
		return -1;
	if (args->program != NULL && proc_check(args->program, e) < 0)
		return -1;
	if (o->exec != NULL && proc_check_command(o->exec, e) < 0)
		return err_lead(e, "--exec: ");
	if (o->user != NULL && getpwnam(o->user) == NULL)
		return err_set(e, ERR_USAGE, "--user: there is no user '%s'",
		    text_shown(o->user));
	if (options_check_clients(e) < 0)
		return -1;
	so->access = &l->access;
	so->log_level = DIAG_NOTE;
	so->program_ms = options.time.max_ms;
	so->is_single = !o->keep;
	return options_make_access(&l->access, e);
}

static int
listen_run(const struct command_args *args, struct err *e)
{
	struct listen_state l = {.used = args->used, .access = ACCESS_INIT};
	struct endpoint ep;
	int result = set_up(&l, &ep, args, e);

	if (result == 0)
		result = run(&l, &ep, e);
	if (listen_options.keep)
		result = signals_server_result(result, e);
	access_release(&l.access);
	free(l.handler.targets);
	return stdio_relay_release(&l.stdio, result, e);
}

const struct command listen_command = {
    .name = "listen",
    .summary = "accept connections, and relay or serve them",
    .operands = "[ADDR] PORT",
    .min_operands = 0,
    .max_operands = 2,
    .runs_program = true,
    .groups = listen_groups,
    .usual = "keep-open exec to echo allow max-conns recv-only idle-timeout "
	     "hexdump tls-cert max-time output verbose",
    .notes =
	"Without ADDR only this machine can connect (127.0.0.1 and ::1); "
	"'*' or any is every address. With PORT 0 the system chooses the port. "
	"[ADDR] PORT can also be ADDR:PORT or unix:PATH. A PROGRAM gets "
	"the connection as its stdin and stdout.",
    .examples = "sockt listen 8080 > received\n"
		"sockt listen -k '*' 2323 -- ./handler\n"
		"sockt listen -k 8080 --to localhost:80\n",
    .run = listen_run,
};
