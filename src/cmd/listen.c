/*
 * listen: a server. 1. Socket, 2. bind, 3. listen, 4. accept, 5. serve the
 * connection with stdin and stdout, or with a handler in a child process, and
 * with -k 6. accept again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
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
#include "dial/connector.h"
#include "dial/reconnect.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/recorder.h"
#include "relay/relay.h"
#include "serve/server.h"
#include "serve/session.h"

/* How long to wait for a client's first bytes before it is reset. */
#define REFUSE_MS 100
/* The number of bytes to echo at a time. */
#define PIECE (64 * 1024)

/* Not in POSIX, but every Unix has it. */
int initgroups(const char *user, gid_t gid);

struct listen_options {
	int keep; /* -k: It accepts more than one connection. */
	int echo, discard;
	const char *files;  /* The folder of --files. */
	const char *exec;   /* The command of -e, for sh -c. */
	struct opt_list to; /* The targets of --to. */
	const char *user;   /* --user: It switches to this user. */
};

static struct listen_options listen_options;

static const struct opt listen_opts[] = {
    FLAG('k', "keep-open", listen_options, keep,
	"go on accepting after the first connection", .excludes = "connection"),
    FILENAME(0, "files", "DIR", listen_options, files,
	"serve the files of DIR over HTTP; goes on accepting, as with -k",
	.excludes = "exec to echo discard program"),
    STRING('e', "exec", "COMMAND", listen_options, exec,
	"run COMMAND on the connection (sh -c)",
	.excludes = "to echo discard program"),
    LIST(0, "to", "HOST:PORT", listen_options, to,
	"forward connections to HOST:PORT; several times: to the first that "
	"is reached",
	.excludes = "echo discard program"),
    FLAG(0, "echo", listen_options, echo, "send back what is received",
	.excludes = "discard program"),
    FLAG(0, "discard", listen_options, discard, "discard what is received",
	.excludes = "program"),
    STRING(0, "user", "NAME", listen_options, user,
	"switch to this user, for good, once the port is bound"),
    {.kind = OPT_END},
};

#define NOT_RELAYED .excludes = "exec to echo discard files program"

static const struct opt_group listen_groups[] = {GROUP("server", listen_opts),
    GROUP("server", options_bind), GROUP("server", options_interface),
    GROUP("server", options_server),
    GROUP("relaying stdin and stdout", stdio_relay_opts, NOT_RELAYED),
    GROUP("a scripted conversation", stdio_relay_script_opts, NOT_RELAYED),
    GROUP("recording", stdio_relay_record_opts, .excludes = "files"),
    GROUP("addresses", options_names),
    GROUP("targets", options_proxy, .needs = "to"),
    GROUP("targets", options_tls_on, .needs = "to",
	.why = "TLS of clients is --tls-cert FILE"),
    GROUP("targets", options_tls, .needs = "tls"),
    GROUP("clients", options_tls_local), GROUP("clients", options_tls_clients),
    GROUP("time limits", options_time_listen),
    GROUP("socket options", options_keepalive),
    GROUP("socket options", options_socket), GROUP("messages", options_report),
    {.opts = NULL}};

/* What serves a connection. */
enum handler {
	HANDLER_STDIO,   /* This process relays stdin and stdout. */
	HANDLER_DISCARD, /* A child reads and discards. */
	HANDLER_ECHO,    /* A child sends back what it receives. */
	HANDLER_FORWARD, /* A child relays to the first target it reaches. */
	HANDLER_FILES,   /* A child serves a folder (serve/session.h). */
	HANDLER_PROGRAM  /* A program gets the connection; with a recorder or
			    TLS, a child relays to the program. */
};

/* The command's state. */
struct listen_state {
	const struct command_args *args;
	const struct options *options;

	/* The server, and the options that it works with. */
	struct listener listener;
	struct server server;
	struct server_options serve_options;
	struct access access;
	bool keeps; /* It goes on accepting: -k or --files. */

	/* What serves a connection, and how long that may be idle. */
	enum handler handler;
	struct limit idle;
	struct session session;    /* The connection, in the child. */
	struct recorder *recorder; /* That of stdio, or NULL: no record. */

	/* HANDLER_STDIO: the relay, and its options. Other handlers use the
	 * recorder of both. */
	struct stdio_relay stdio;
	const struct stdio_relay_options *relay;

	/* HANDLER_PROGRAM: its arguments; of --exec they are in shell. */
	char *const *program;
	char *shell[4];

	/* HANDLER_FILES: the folder, which is owned; otherwise -1. */
	int folder;

	/* HANDLER_FORWARD: the targets, in an array that is owned, and how to
	 * connect to them. */
	struct endpoint *targets;
	size_t target_count;
	struct connector_options connector;
	struct name_options target_names;
	struct sock_options target_sock;
};

static int
serve_pieces(struct listen_state *l)
{
	static unsigned char piece[PIECE];
	bool echo = l->handler == HANDLER_ECHO;
	struct recorder *r = l->recorder;
	struct session *s = &l->session;
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
try_targets(const struct listen_state *l, struct deadline until,
    struct link *target, struct err *e)
{
	struct err all;
	size_t i;

	all.text[0] = '\0';
	for (i = 0; i < l->target_count; i++) {
		if (connector_open(
			&l->targets[i], &l->connector, until, target, e) == 0)
			return 0;
		if (all.text[0] == '\0')
			all = *e;
		else
			err_append(&all, "%s", e->text);
		if (!e->waits || deadline_passed(until))
			break;
		if (i + 1 < l->target_count)
			diag_note("%s: %s; trying %s",
			    addr_text(&l->session.link->remote), e->text,
			    endpoint_text(&l->targets[i + 1]));
	}
	strcpy(e->text, all.text);
	return -1;
}

/* Relays between the client and a target until both directions are finished.
 * Returns as relay_run(), with the session's error. */
static int
relay(struct listen_state *l, struct link *target)
{
	const struct relay_options o = {.idle = l->idle,
	    .until = l->session.until,
	    .recorder = l->recorder,
	    .linger_ms = -1};

	return relay_run(l->session.link, target, &o, &l->session.e);
}

/* Dials a target and relays. */
static int
serve_forward(struct listen_state *l)
{
	struct session *s = &l->session;
	struct link target;
	struct reconnect r;
	int result;

	reconnect_start(&r, l->options->retry_ms, s->until);
	do
		result = try_targets(l, r.end, &target, &s->e);
	while (result < 0 && s->e.waits &&
	       reconnect_wait(&r, "no connection", &s->e) == 0);
	if (result < 0) {
		refuse(s);
		return err_prefix(&s->e, "forwarding to");
	}
	target.is_to_program = target.route == LINK_ROUTE_PROGRAM;
	result = relay(l, &target);
	/* TLS knows whether a lost client had received everything. */
	if (s->link->peer_end == LINK_LOST && !link_is_direct(s->link)) {
		if (target.peer_end == LINK_WHOLE)
			s->link->wanted = LINK_WANT_SENT;
		result = link_close(s->link, 0, s->until, &s->e);
	}
	/* A reset by the target is not a probe. */
	s->allows_probes = s->allows_probes && sock_is_closed(s->link->fd);
	if (s->link->is_aborted && s->e.kind == ERR_OUTPUT) {
		/* The record has failed: neither side must wait for it. */
		sock_abort(&target.fd);
	} else if (s->link->is_aborted) {
		link_abort(&target, l->idle.ms, s->until);
		link_abort(s->link, l->idle.ms, s->until);
	}
	return link_close(&target, result, s->until, &s->e);
}

/* The signal that ended the program, or 0. */
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
serve_program(struct listen_state *l)
{
	const struct program program = {.argv = l->program,
	    .options = {.has_pair = true},
	    .protocol = "TCP",
	    .local = &l->session.link->local,
	    .remote = &l->session.link->remote,
	    .variables = tls_variables(l->session.link)};
	const struct sigaction stops = {.sa_handler = on_stop};
	struct proc *p;
	struct session *s = &l->session;
	struct link target;
	int result, status;
	bool is_lost, has_unread;

	p = proc_start(&program, &s->e);
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
	result = relay(l, &target);
	sock_close(&p->fd);
	if (result < 0 && s->e.kind != ERR_LOST)
		return -1;
	s->allows_probes = false;
	is_lost = result < 0 && !err_is_reset(s->e.errnum);
	status = proc_wait(p, deadline_none());
	if (is_lost)
		return -1;
	has_unread = target.reset != LINK_NO_RESET;
	s->is_answering = p->is_killed || stop_signal != 0;
	/* How much of it waited for the program is not known. */
	s->link->discarded =
	    target.undelivered > 0 || !has_unread ? target.undelivered : 1;
	s->link->discards_more = has_unread;
	s->link->received += target.undelivered;
	link_record_program_exit(
	    s->link, stop_signal != 0 ? 0 : status, s->link->discarded);
	/* The relay has ended before the program, which is not an error. */
	if (s->link->is_aborted && !s->is_answering) {
		s->link->is_aborted = false;
		if (s->link->reset == LINK_RESET_BY_US)
			s->link->reset = sock_is_closed(s->link->fd)
					     ? LINK_RESET_BY_PEER
					     : LINK_NO_RESET;
		sock_reset_on_close(s->link->fd, false);
	}
	if (status != 0)
		return err_status(&s->e, status);
	return 0;
}

/* Serves, and records if there is a recorder. If recording fails, the
 * connection is reset: a FIN would make partial data look complete. */
static int
serve(struct listen_state *l)
{
	struct session *s = &l->session;
	struct recorder *r = l->recorder;
	int result = 0;

	if (r != NULL) {
		r->until = s->until;
		r->idle = s->idle;
		result = recorder_begin(r, s->link, &s->e);
	}
	if (result == 0)
		result = l->handler == HANDLER_FORWARD ? serve_forward(l)
			 : l->handler == HANDLER_FILES
			     ? files_serve(s, l->folder)
			 : l->handler == HANDLER_PROGRAM ? serve_program(l)
							 : serve_pieces(l);
	if (r == NULL)
		return result;
	result = recorder_close(r, false, result, &s->e);
	if (result < 0 && s->e.kind == ERR_OUTPUT && s->e.text[0] != '\0' &&
	    s->link->fd >= 0)
		refuse(s);
	return result;
}

/* The server_serve (serve/server.h) of a handler: serves a connection in a
 * child, whose copy of the state *context is. */
static int
serve_client(struct link *client, void *context)
{
	struct listen_state *l = context;
	struct session *s = &l->session;
	int result = 0;

	/* The server limits a program, and what it starts. */
	session_start(s, client, l->idle,
	    l->handler == HANDLER_PROGRAM ? -1 : l->options->max_ms);
	s->stop = l->server.stop[1];
	/* Without -k a port probe takes the only connection: an error. */
	s->allows_probes = l->keeps;
	/* A program of --via may ignore the signal that ends this process: it
	 * is ended first, within the server's grace period. */
	if (l->connector.via != NULL)
		result = signals_catch(&s->e);
	if (result == 0)
		result = serve(l);
	else if (client->fd >= 0)
		refuse(s);
	/* The server reports the signal. */
	if (signals_stopped() != 0)
		s->e.text[0] = '\0';
	result = session_close(s, DIAG_NOTE, result);
	if (l->keeps)
		link_report_failure(client, result);
	return result;
}

/* Relays stdin and stdout in this process. Returns 0, or -1 with *e. With -k a
 * failed connection does not end the command. */
static int
serve_stdio(struct listen_state *l, struct link *client, struct err *e)
{
	int result;

	wait_hold_stop(l->serve_options.drain_ms);
	result = stdio_relay_run(&l->stdio, client, e);
	wait_hold_stop(0);
	(void)diag_connection(0);
	if (result == 0)
		return 0;
	/* EINTR: a signal has stopped the server. */
	if (!l->keeps || e->kind == ERR_OUTPUT || e->errnum == EINTR)
		return -1;
	/* A port probe (a reset without data) is not an error. */
	if (client->sent != 0 || !link_log_probe(client))
		diag_error(e);
	return 0;
}

/* Whether stdout is all there is to do: no stdin, and no record. */
static bool
writes_only(const struct stdio_relay *s)
{
	return s->relay.out >= 0 && !s->recorder.is_on &&
	       (s->relay.in < 0 || fd_has_ended(s->relay.in));
}

/* Steps 4. accept, 5. serve, 6. with -k accept again. */
static int
accept_and_serve(struct listen_state *l, struct err *e)
{
	bool runs_program = l->handler == HANDLER_PROGRAM;
	struct link client;

	do {
		if (l->handler == HANDLER_STDIO && writes_only(&l->stdio))
			wait_watch_reader(STDOUT_FILENO);
		if (server_accept(&l->server, &client, e) < 0)
			return server_finish(&l->server, -1, e);
		wait_watch_reader(-1);
		if (l->handler == HANDLER_STDIO)
			(void)diag_connection(client.number);
		if (!l->keeps)
			listener_close(&l->listener,
			    "no more connections: -k was not given");
		if (l->handler == HANDLER_STDIO) {
			if (serve_stdio(l, &client, e) < 0)
				return -1;
		} else if (runs_program && l->recorder == NULL &&
			   link_is_direct(&client)) {
			server_spawn(&l->server, &client, l->program);
		} else {
			server_fork(
			    &l->server, &client, serve_client, l, runs_program);
		}
	} while (l->keeps && !l->listener.is_connection);
	return server_finish(&l->server, 0, e);
}

/*
 * Switches to the user, for good: supplementary groups, group id, user id, in
 * this order, since only root can set the groups.
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
	struct listener_options o = l->options->listener;

	o.until = l->options->until;
	if (l->handler == HANDLER_STDIO)
		o.stdio_error = stdio_error;
	if (listener_open(&l->listener, ep, &o, e) < 0 ||
	    options_check_inherited(&l->listener, l->args, e) < 0 ||
	    (user != NULL && become_user(&l->listener, user, e) < 0))
		return -1;
	if (l->handler == HANDLER_STDIO)
		return stdio_relay_open(&l->stdio, l->relay, e);
	if (l->recorder == NULL)
		return 0;
	return recorder_open(l->recorder, &l->relay->record, e);
}

static int
run(struct listen_state *l, const struct endpoint *ep, struct err *e)
{
	struct server_options *so = &l->serve_options;
	int result;

	/* From here on a signal ends the command cleanly. */
	if (signals_catch(e) < 0)
		return -1;
	/* --max-time limits the command, or with a handler each connection. */
	if (l->handler == HANDLER_STDIO)
		so->until = l->options->until;
	diag_limit(so->until,
	    so->accept_ms >= 0 ? so->accept_ms : l->options->idle.ms);
	result = open_server(l, ep, e);
	if (result == 0) {
		server_start(&l->server, &l->listener, so);
		listener_announce(&l->listener);
		if (l->handler == HANDLER_FILES)
			diag_note("serving %s; %s",
			    text_shown(listen_options.files),
			    sandbox_enter_folder(-1)
				? "Landlock confines each connection to "
				  "reading it"
				: "this system has no Landlock to confine the "
				  "connections");
		if (l->program == NULL && l->options->connector.via == NULL)
			sandbox_enter();
		result = accept_and_serve(l, e);
		server_stop(&l->server);
	}
	listener_close(&l->listener, NULL);
	return result;
}

static int
parse_targets(struct listen_state *l, struct err *e)
{
	const struct options *options = l->options;
	const struct opt_list *list = &listen_options.to;
	struct connector_options *connector = &l->connector;
	struct endpoint *target;
	char *to;

	if (options_check_via(e) < 0)
		return -1;
	*connector = options->connector;
	/* The interface is that of the clients. */
	l->target_names = options->names;
	l->target_names.interface = 0;
	l->target_sock = options->sock;
	l->target_sock.interface = NULL;
	connector->dial.names = &l->target_names;
	connector->dial.sock = &l->target_sock;
	connector->tls.idle = l->idle;
	connector->eof = LINK_EOF_HELD;
	connector->expects_answer = true;
	/* The handler retries all targets. */
	connector->retry_ms = -1;
	/* Whether a program works decides about the next target. */
	connector->checks_via = options->retry_ms >= 0 || list->count > 1;
	l->targets = mem_array(list->count, sizeof(l->targets[0]));
	for (; l->target_count < list->count; l->target_count++) {
		target = &l->targets[l->target_count];
		to = (char *)list->items[l->target_count].text;
		if (endpoint_parse(target, &to, 0, "tcp", e) < 0 ||
		    connector_check(target, connector, e) < 0)
			return err_prefix(e, "--to");
	}
	return 0;
}

static int
choose_handler(struct listen_state *l, char *const *program, struct err *e)
{
	const struct listen_options *o = &listen_options;
	const struct recorder_options *record = &l->relay->record;

	l->idle = l->options->idle;
	/* With --to, -w limits connecting to it. */
	if (o->to.count > 0 &&
	    command_find_listed(l->args, "idle-timeout") == NULL)
		l->idle = (struct limit)LIMIT_NONE;
	l->program = program;
	if (o->exec != NULL)
		l->program = proc_shell(l->shell, o->exec);
	l->handler = HANDLER_STDIO;
	if (o->files != NULL)
		l->handler = HANDLER_FILES;
	else if (o->echo)
		l->handler = HANDLER_ECHO;
	else if (o->to.count > 0)
		l->handler = HANDLER_FORWARD;
	else if (l->program != NULL)
		l->handler = HANDLER_PROGRAM;
	else if (o->discard)
		l->handler = HANDLER_DISCARD;
	l->stdio.listener = l->keeps ? &l->listener : NULL;
	l->stdio.recorder = (struct recorder){.has_several = l->keeps,
	    .until = deadline_none(),
	    .idle = LIMIT_NONE};
	if (l->handler != HANDLER_STDIO &&
	    (record->output != NULL || record->hexdump != NULL ||
		record->textdump != NULL))
		l->recorder = &l->stdio.recorder;
	if (o->files != NULL) {
		if (l->idle.ms < 0)
			l->idle = (struct limit){FILES_IDLE_MS, NULL};
		l->folder = open(o->files, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (l->folder < 0)
			return err_sys(e, ERR_OUTPUT, errno, "--files %s",
			    text_shown(o->files));
	}
	return l->handler == HANDLER_FORWARD ? parse_targets(l, e) : 0;
}

/* Checks the options and sets up the state. Returns 0, or -1 with *e. */
static int
set_up(struct listen_state *l, struct endpoint *ep,
    const struct command_args *args, struct err *e)
{
	const struct listen_options *o = &listen_options;
	struct server_options *so = &l->serve_options;

	l->relay = stdio_relay_complete(l->options);
	if (options_parse_local(ep, args, "tcp", -1, e) < 0 ||
	    choose_handler(l, args->program, e) < 0)
		return -1;
	if (l->handler != HANDLER_STDIO &&
	    recorder_check(&l->relay->record, l->keeps, e) < 0)
		return -1;
	if (l->handler == HANDLER_STDIO && l->options->server.max_per_host > 0)
		return err_set(e, ERR_USAGE,
		    "--max-per-host goes with a handler: stdin and stdout "
		    "have one connection at a time");
	/* An inherited socket may be stdin, which has another error. */
	if (l->handler == HANDLER_STDIO && l->options->listener.fd == NULL &&
	    stdio_relay_check(l->relay, e) < 0)
		return -1;
	if (args->program != NULL && proc_check(args->program, e) < 0)
		return -1;
	if (o->exec != NULL && proc_check_command(o->exec, e) < 0)
		return err_lead(e, "--exec: ");
	if (o->user != NULL && getpwnam(o->user) == NULL)
		return err_set(e, ERR_USAGE, "--user: there is no user '%s'",
		    text_shown(o->user));
	if (options_make_server(so, &l->access, e) < 0)
		return -1;
	so->log_level = DIAG_NOTE;
	so->program_ms = l->options->max_ms;
	so->tls.idle = l->idle;
	so->is_single = so->tls.is_single = !l->keeps;
	so->is_alone = so->is_single || l->handler == HANDLER_STDIO;
	return 0;
}

static int
listen_run(const struct command_args *args, struct err *e)
{
	struct listen_state l = {.args = args,
	    .options = options_complete(false),
	    .access = ACCESS_INIT,
	    .folder = -1};
	struct endpoint ep;
	int result;

	l.keeps = listen_options.keep || listen_options.files != NULL;
	result = set_up(&l, &ep, args, e);

	if (result == 0)
		result = run(&l, &ep, e);
	if (l.keeps)
		result = signals_server_result(result, e);
	access_release(&l.access);
	free(l.targets);
	fd_close(&l.folder);
	return stdio_relay_close(&l.stdio, result, e);
}

const struct command listen_command = {
    .name = "listen",
    .summary = "accept connections, and relay or serve them",
    .operands = "[ADDRESS] PORT",
    .min_operands = 0,
    .max_operands = 2,
    .runs_program = true,
    .groups = listen_groups,
    .usual =
	"keep-open exec to echo files allow max-conns recv-only idle-timeout "
	"hexdump tls-cert max-time output verbose",
    .notes =
	"Without ADDRESS only this machine can connect (127.0.0.1 and ::1); "
	"'*' or any is every address. With PORT 0 the system chooses the port. "
	"[ADDRESS] PORT can also be ADDRESS:PORT or unix:PATH. A PROGRAM gets "
	"the connection as its stdin and stdout.",
    .examples = "sockt listen 8080 > received\n"
		"sockt listen -k '*' 2323 -- ./handler\n"
		"sockt listen -k 8080 --to localhost:80\n",
    .run = listen_run,
};
