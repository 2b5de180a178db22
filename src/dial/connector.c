/*
 * Connects to a peer: resolve, dial, proxy handshake or a program, TLS, and
 * retries of all of them.
 */
#include "dial/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "dial/proxy.h"
#include "dial/reconnect.h"
#include "net/addr.h"
#include "net/proc.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "net/wait.h"
#include "tls/tls.h"

/* How long a TLS peer may take to end a connection that is discarded. */
#define DISCARD_MS 500
/* How long a program may fail before it counts as a connection, without
 * --timeout. */
#define CHECK_MS 1000

/*
 * The program of --via. Its stdin and stdout are a socket, and it resolves the
 * name.
 */
struct via {
	struct proc *program;
	int hold; /* a copy of the connection: the program sees the end of its
		     input only after shutdown(2), not when sockt abandons an
		     incomplete transfer; or -1 */
	bool may_stop; /* the program need not exit by itself when the
			  connection is closed */
	char name[ENDPOINT_TEXT]; /* the endpoint's, for errors */
	char reason[512];         /* the last line of stderr */
};

/* What stands for %h: a host, or the path of a unix socket. */
static const char *
host_of(const struct endpoint *ep)
{
	if (!ep->is_unix)
		return ep->host;
	return addr_ip_text(&ep->unix_addr);
}

/* Whether a shell takes text for one plain word, quoted or not. */
static bool
is_plain(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.-_:%/@+,") == strlen(text);
}

/*
 * Checks that the command can be run for ep: there are no other percent signs,
 * %p is not used for a unix socket, and no shell or program can take the host
 * for something else.
 */
static int
check_via(const char *command, const struct endpoint *ep, struct err *e)
{
	const char *host = host_of(ep), *at;
	bool has_host = false, has_port = false;

	if (command[strspn(command, " \t")] == '\0')
		return err_set(e, ERR_USAGE, "--via: the command is empty");
	for (at = command; (at = strchr(at, '%')) != NULL; at += 2) {
		if (at[1] == '\0' || strchr("hp%", at[1]) == NULL)
			return err_set(e, ERR_USAGE,
			    "--via: '%s': there are %%h (host), %%p (port) and "
			    "%%%% (a percent sign)",
			    text_shown(at));
		has_host = has_host || at[1] == 'h';
		has_port = has_port || at[1] == 'p';
	}
	if (ep->is_unix && has_port)
		return err_set(
		    e, ERR_USAGE, "--via: a unix socket has no port for %%p");
	if (has_host && host[0] == '-')
		return err_set(e, ERR_USAGE,
		    "--via: the program would take the host '%s' for an option",
		    text_shown(host));
	if (has_host && !is_plain(host) && strpbrk(command, "'\"`\\") != NULL)
		return err_set(e, ERR_USAGE,
		    "--via: the command has quotes of its own, and the host "
		    "'%s' needs quoting for the shell",
		    text_shown(host));
	return 0;
}

int
connector_check(
    const struct endpoint *ep, const struct connector_options *o, struct err *e)
{
	if (o->tls.is_on && tls_check(&o->tls, e) < 0)
		return -1;
	if (o->via != NULL)
		return check_via(o->via, ep, e);
	if (o->proxy == NULL)
		return resolve_check(ep, o->dial.names, e);
	if (proxy_check(ep, e) < 0)
		return -1;
	if (resolve_check(&o->proxy->server, o->dial.names, e) == 0)
		return 0;
	return err_prefix(e, "%s", proxy_text(o->proxy));
}

/* One attempt to connect. */
struct attempt {
	const struct endpoint *ep;
	const struct connector_options *o;
	struct deadline until;
	struct dial_result *result;
	struct err *e;
};

static const char *
wait_text(void *context)
{
	const struct attempt *a = context;
	const struct proxy *p = a->o->via == NULL ? a->o->proxy : NULL;

	return text_format("%s %s%s%s: no answer yet%s",
	    resolve_is_pending() ? "looking up" : "connecting to",
	    endpoint_text(a->ep), p != NULL ? " through " : "",
	    p != NULL ? proxy_text(p) : "",
	    deadline_is_set(a->until) ? ""
				      : " (--connect-timeout limits this)");
}

static int
open_through_proxy(const struct attempt *a)
{
	const struct proxy *p = a->o->proxy;
	struct dial_options dial = a->o->dial;
	char name[PROXY_TEXT];
	int fd;

	snprintf(name, sizeof(name), "%s", proxy_text(p));
	dial.name = name;
	fd = dial_connect(&p->server, &dial, a->until, a->result, a->e);
	if (fd < 0)
		return err_prefix(a->e, "%s", endpoint_text(a->ep));
	if (proxy_open(p, a->ep, fd, a->until, a->e) < 0)
		sock_close(&fd);
	return fd;
}

/* Appends text to at as one word of the shell. Returns the new end. */
static char *
append_word(char *at, const char *text)
{
	bool plain = is_plain(text);

	if (!plain)
		*at++ = '\'';
	for (; *text != '\0'; text++) {
		/* The quotes end, an escaped quote, they begin again: each
		 * quote becomes four bytes. */
		if (*text == '\'') {
			*at++ = '\'';
			*at++ = '\\';
			*at++ = '\'';
		}
		*at++ = *text;
	}
	if (!plain)
		*at++ = '\'';
	return at;
}

/* The command with %h, %p and %% replaced; the caller frees it. */
static char *
expand(const char *command, const struct endpoint *ep)
{
	char port[8];
	const char *host = host_of(ep);
	/* Each pair of bytes becomes at most a quoted host. */
	char *text =
	    mem_array(strlen(command) + 1, 4 * strlen(host) + 2 + sizeof(port));
	char *at = text;

	snprintf(port, sizeof(port), "%u", ep->port);
	for (; *command != '\0'; command++) {
		if (*command != '%')
			*at++ = *command;
		else if (*++command == '%')
			*at++ = '%';
		else
			at = append_word(at, *command == 'h' ? host : port);
	}
	return text;
}

/* Reports the program's stderr, of which the last line says why it failed. */
static void
read_errors(struct via *v)
{
	static char text[64 * 1024 + 1]; /* as much as a pipe holds */
	char *line, *end = text, *save;
	ssize_t n;

	while ((n = read(v->program->errors, end,
		    (size_t)(text + sizeof(text) - 1 - end))) > 0)
		end += n;
	*end = '\0';
	for (line = text; line < end; line++)
		if (*line == '\0')
			*line = ' ';
	for (line = strtok_r(text, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		snprintf(v->reason, sizeof(v->reason), "%s", line);
		diag_note("--via says: %s", text_shown(v->reason));
	}
}

static void
release(struct dial_result *result)
{
	struct via *v = result->via;

	tls_release(result->tls);
	result->tls = NULL;
	result->via = NULL;
	if (v == NULL)
		return;
	if (v->program != NULL) {
		read_errors(v);
		/* What it has left is the rest of a pipeline. */
		if (proc_group_lives(v->program))
			proc_end(v->program);
	}
	proc_free(&v->program);
	fd_close(&v->hold);
	free(v);
}

/* Starts the program for an attempt. Returns its connection, non-blocking, or
 * -1 with the error of the attempt. */
static int
start_via(const struct attempt *a)
{
	struct via *v = mem_array(1, sizeof(*v));
	/* Where it may need the terminal, for a password, it must stay in the
	 * process group in the foreground, where Ctrl-C reaches all of it.
	 * Otherwise it gets a group of its own, which is ended as a whole. */
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC), fd = -1;
	const struct proc_options options = {
	    .leads_group = terminal < 0, .has_pair = true, .has_errors = true};
	struct proc_shell shell;
	char *text = expand(a->o->via, a->ep);

	fd_close(&terminal);
	snprintf(v->name, sizeof(v->name), "%s", endpoint_text(a->ep));
	v->may_stop = a->o->stops_via;
	v->hold = -1;
	a->result->via = v;
	v->program =
	    proc_start(&(struct program){.argv = proc_shell(&shell, text)},
		&options, a->e);
	if (v->program != NULL) {
		v->hold = fcntl(v->program->fd, F_DUPFD_CLOEXEC, 3);
		if (v->hold < 0)
			err_sys(a->e, ERR_FAILED, errno, "a copy of a socket");
	}
	if (v->hold >= 0) {
		diag_note("%s: running %s (--via)", v->name, text_shown(text));
		fd = v->program->fd;
		v->program->fd = -1;
	} else {
		err_prefix(a->e, "%s: --via", v->name);
		release(a->result);
	}
	free(text);
	return fd;
}

/*
 * Waits until the deadline for the program to exit after its connection has
 * been closed; only for a grace period if it has closed its side or may be
 * stopped. Returns 0 if it exits with status 0, or is stopped and may be; or -1
 * with *e and the last line of its stderr: ERR_LOST if it fails or has to be
 * terminated, 126 or 127 if the shell cannot run it.
 */
static int
end_via(struct via *v, struct deadline until, struct err *e)
{
	char byte;
	int status;

	/* One that has closed its side has nothing more to do. */
	if (v->may_stop ||
	    sock_recv(v->hold, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	else
		diag_note("waiting until the program of --via exits");
	fd_close(&v->hold);
	status = proc_wait(v->program, until);
	read_errors(v);
	if (v->program->is_ending ? v->may_stop : status == 0)
		return 0;
	if (v->program->is_ending)
		err_set(e, ERR_LOST,
		    "did not exit after the connection was closed");
	else if (status > 128)
		err_set(e, ERR_LOST, "was killed by signal %d", status - 128);
	else
		err_set(e, status >= 126 ? (enum err_kind)status : ERR_LOST,
		    "failed with status %d", status);
	if (v->program->is_ending)
		e->errnum = ETIMEDOUT;
	if (v->reason[0] != '\0')
		text_append(
		    e->text, sizeof(e->text), ": %s", text_shown(v->reason));
	return err_lead(e, "%s: the program of --via ", v->name);
}

static int
open_program(const struct attempt *a)
{
	const struct connector_options *o = a->o;
	struct dial_result *r = a->result;
	int64_t start = clock_now();
	int ready = 0, fd;
	char byte;

	*r = (struct dial_result){.ns = 0};
	fd = start_via(a);
	if (fd < 0)
		return -1;
	/* It works if it still runs after a while, has sent data or has exited
	 * with status 0. */
	if ((o->checks_via || o->retry_ms >= 0) && !o->tls.is_on)
		ready = wait_fd(fd, POLLIN,
		    deadline_first(a->until,
			deadline_after(
			    o->timeout.ms >= 0 ? o->timeout.ms : CHECK_MS)));
	if (ready < 0)
		err_sys(a->e, ERR_FAILED, errno, "--via");
	else if (ready > 0 && sock_recv(fd, &byte, 1, MSG_PEEK) <= 0)
		ready = end_via(r->via, a->until, a->e);
	if (ready < 0) {
		sock_close(&fd);
		release(r);
		return -1;
	}
	r->ns = clock_now() - start;
	sock_local(fd, &r->local);
	r->remote = r->local;
	return fd;
}

/* Adds TLS to *fd, which is -1 after a failure. */
static void
add_tls(const struct attempt *a, int *fd)
{
	struct tls_request request = {.options = &a->o->tls,
	    .name = endpoint_text(a->ep),
	    .host = a->ep->is_unix ? NULL : a->ep->host,
	    .until = a->until};
	struct via *via = a->result->via;
	int64_t start = clock_now();
	struct err reason;

	a->result->tls = tls_start(&request, fd, a->e);
	a->result->tls_ns = clock_now() - start;
	if (a->result->tls != NULL)
		return;
	/* The failure of a program may be why the peer was lost. */
	if (via != NULL && err_is_reset(a->e->errnum) &&
	    end_via(via,
		deadline_first(a->until, deadline_after(PROC_GRACE_MS)),
		&reason) < 0 &&
	    reason.errnum != ETIMEDOUT)
		*a->e = reason;
	release(a->result);
}

int
connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	struct attempt a = {.ep = ep, .o = o, .result = result, .e = e};
	struct wait_reason reason;
	struct reconnect r;
	int fd;

	reconnect_start(&r, o->retry_ms, until);
	wait_begin(&reason, wait_text, &a);
	do {
		reason.due = deadline_after(WAIT_REPORT_MS);
		a.until = deadline_first(
		    r.end, deadline_limit(o->timeout.ms, o->timeout.option));
		if (o->via != NULL)
			fd = open_program(&a);
		else if (o->proxy != NULL)
			fd = open_through_proxy(&a);
		else
			fd = dial_connect(ep, &o->dial, a.until, result, e);
		if (fd >= 0 && o->tls.is_on)
			add_tls(&a, &fd);
		/* The attempts that failed were reported. */
		reason.due = deadline_none();
	} while (
	    fd < 0 && e->waits && reconnect_wait(&r, "no connection", e) == 0);
	wait_end();
	return fd;
}

int
connector_close(struct dial_result *result, int status, struct deadline until,
    struct err *e)
{
	struct err reason = ERR_INIT;
	bool waits = status == 0 || e->kind == ERR_LOST;
	char text[ERR_TEXT];
	int ended = 0;

	if (status < 0)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	if (result->tls != NULL && waits)
		ended = tls_end(result->tls, status == 0, until, &reason);
	if (result->via != NULL && waits && ended == 0)
		ended = end_via(result->via, until, &reason);
	release(result);
	/* That they had to be terminated says nothing. */
	if (ended == 0 || (status < 0 && reason.errnum == ETIMEDOUT))
		return status;
	snprintf(text, sizeof(text), "%s", e->text);
	*e = reason;
	return status == 0 ? -1 : err_append(e, "%s", text);
}

void
connector_discard(struct dial_result *result, int *fd)
{
	struct err ignored;

	if (result->tls != NULL) {
		(void)sock_finish(*fd);
		sock_close(fd);
		(void)tls_end(
		    result->tls, true, deadline_after(DISCARD_MS), &ignored);
	}
	sock_close(fd);
	release(result);
}
