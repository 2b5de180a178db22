/* --via: a program as the connection. */
#include "dial/via.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/link.h"
#include "net/port_owner.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"

/* The program beneath a link. */
struct via {
	struct link_carrier carrier;
	/* The process, owned. It keeps a copy of the descriptor, so that the
	 * program sees the end of its input only after shutdown(2), and not
	 * when sockt abandons an incomplete transfer. */
	struct proc *proc;
	/* The program need not exit by itself when the connection is closed. */
	bool may_stop;
	/* The name of the peer, for errors; owned. */
	const char *name;
	/* The line of stderr that was read in part. */
	char line[512];
	size_t line_length;
	/* The last line of stderr that was complete. */
	char reason[513];
};

/* Reports a line of the program's stderr. */
static void
report_line(struct via *p)
{
	if (p->line_length == 0)
		return;
	memcpy(p->reason, p->line, p->line_length);
	p->reason[p->line_length] = '\0';
	p->line_length = 0;
	diag_note("--via says: %s", text_shown(p->reason));
}

/* Reads once from the program's stderr; only the beginning of a long line is
 * kept. Returns as read(2). */
static ssize_t
read_errors(void *program)
{
	struct via *p = program;
	char bytes[4096], *c;
	ssize_t n = read(p->proc->errors, bytes, sizeof(bytes));

	for (c = bytes; c < bytes + n; c++)
		if (*c == '\n' || *c == '\r')
			report_line(p);
		else if (p->line_length < sizeof(p->line))
			p->line[p->line_length++] = *c == '\0' ? ' ' : *c;
	return n;
}

/* Reads the rest, at most what a pipe holds: orphans of the program may go on
 * writing. */
static void
read_last_errors(struct via *p)
{
	int i;

	for (i = 0; i < 16 && read_errors(p) > 0; i++)
		continue;
	report_line(p);
}

/* Waits for a program that has hung up. Returns whether it has failed. */
static bool
has_failed(struct proc *p)
{
	struct deadline until = deadline_after(PROC_GRACE_MS);
	struct pollfd none[WAIT_SPARE];

	while (!proc_has_ended(p) && !deadline_passed(until) &&
	       signals_stopped() == 0)
		if (proc_poll(none, 0, until) < 0)
			signals_collect();
	return proc_has_ended(p) && p->status != 0;
}

/*
 * Waits until the deadline for the program to exit, but only for a grace period
 * if it has closed its side or may be stopped. Returns 0 if it exits with
 * status 0, or had to be stopped and may be; or -1 with *e and the last line of
 * its stderr.
 */
static int
close_program(struct link_carrier *c, struct link *l, bool is_complete,
    struct deadline until, struct err *e)
{
	struct via *p = (struct via *)c;
	bool may_stop =
	    p->may_stop || (is_complete && l->wanted == LINK_WANT_NO_DATA);
	char byte;
	int status;

	if (may_stop ||
	    sock_recv(p->proc->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	else
		diag_note("waiting until the program of --via exits");
	fd_close(&p->proc->fd);
	status = proc_wait(p->proc, until);
	read_last_errors(p);
	/* Its output may have nowhere to go. */
	if (p->proc->is_ending
		? may_stop
		: status == 0 || (may_stop && status == 128 + SIGPIPE))
		return 0;
	if (p->proc->is_ending)
		err_set(e, ERR_LOST,
		    "did not exit after the connection was closed");
	else if (status > 128 && status <= 128 + SIGRTMAX)
		err_set(e, ERR_LOST, "was killed by signal %d", status - 128);
	else
		err_set(e,
		    status == 126 || status == 127 ? (enum err_kind)status
						   : ERR_LOST,
		    "failed with status %d", status);
	if (p->proc->is_ending)
		e->errnum = ETIMEDOUT;
	if (p->reason[0] != '\0')
		text_append(
		    e->text, sizeof(e->text), ": %s", text_shown(p->reason));
	return err_lead(e, "%s: the program of --via ", p->name);
}

static bool
has_finished(struct link_carrier *c)
{
	const struct proc *p = ((struct via *)c)->proc;

	return p->pid != 0 && port_owner_has_close_wait(p->pid);
}

/* If a program hangs up it may have failed, which a forwarder must know at
 * once; otherwise close_program() reports it. */
static enum link_peer_end
find_peer_end(struct link_carrier *c, struct link *l)
{
	return l->is_to_program && sock_is_hung_up(l->fd) &&
		       has_failed(((struct via *)c)->proc)
		   ? LINK_LOST
		   : LINK_WHOLE;
}

static void
release(struct link_carrier *c)
{
	struct via *p = (struct via *)c;

	if (p->proc != NULL) {
		wait_stop_reading();
		read_last_errors(p);
		/* The rest of a pipeline may still run. */
		if (proc_group_lives(p->proc))
			proc_terminate(p->proc);
	}
	proc_free(&p->proc);
	free((void *)p->name);
	free(p);
}

static const struct link_ops ops = {.has_finished = has_finished,
    .find_peer_end = find_peer_end,
    .close = close_program,
    .release = release};

int
via_open(struct link *l, const char *command, const char *name, bool may_stop,
    struct err *e)
{
	struct via *p = mem_array(1, sizeof(*p));
	/* With a terminal, which it may need for a password, it must stay in
	 * the foreground process group, where Ctrl-C reaches all of it.
	 * Otherwise it leads a group, which is ended as a whole. */
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char *shell[4];
	const struct program program = {.argv = proc_shell(shell, command),
	    .options = {.leads_group = terminal < 0,
		.has_pair = true,
		.has_errors = true}};

	fd_close(&terminal);
	p->name = mem_text(name);
	p->may_stop = may_stop;
	p->carrier.ops = &ops;
	*l = (struct link){.fd = -1,
	    .start_ns = clock_now(),
	    .carrier = &p->carrier,
	    .route = LINK_ROUTE_PROGRAM};
	p->proc = proc_start(&program, e);
	if (p->proc != NULL) {
		l->fd = fcntl(p->proc->fd, F_DUPFD_CLOEXEC, 3);
		if (l->fd < 0)
			err_sys(e, ERR_FAILED, errno, "a copy of a socket");
	}
	if (p->proc == NULL || l->fd < 0) {
		err_prefix(e, "%s: --via", p->name);
		link_discard(l);
		return -1;
	}
	diag_note("%s: running %s (--via)", p->name, text_shown(command));
	wait_start_reading(p->proc->errors, read_errors, p);
	sock_local(l->fd, &l->local);
	l->remote = l->local;
	return 0;
}

int
via_check(struct link *l, struct deadline until, struct err *e)
{
	int ready = wait_fd(l->fd, POLLIN, until);
	char byte;

	if (ready < 0)
		err_sys(e, ERR_FAILED, errno, "--via");
	else if (ready > 0 && sock_recv(l->fd, &byte, 1, MSG_PEEK) <= 0)
		ready = close_program(l->carrier, l, true, until, e);
	if (ready >= 0)
		return 0;
	link_discard(l);
	return -1;
}
