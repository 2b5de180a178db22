/* --via: runs a program that is the connection. */
#include "dial/via.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "net/sock.h"
#include "net/wait.h"

/* How long a program may fail before it counts as a connection, without
 * --timeout. */
#define CHECK_MS 1000

struct via {
	struct proc *program;
	int hold; /* a copy of the connection: the program sees the end of its
		     input only after shutdown(2), not when sockt abandons an
		     incomplete transfer; or -1 */
	bool may_stop;            /* see struct via_command */
	int64_t check_ms;         /* how long it may fail */
	char name[ENDPOINT_TEXT]; /* the endpoint's, for errors */
	char reason[PROC_LINE];   /* the last line of stderr */
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

/* The first percent sign that does not begin %h, %p or %%; or NULL. */
static const char *
find_unknown(const char *command)
{
	const char *at = command;

	while ((at = strchr(at, '%')) != NULL) {
		if (at[1] == '\0' || strchr("hp%", at[1]) == NULL)
			return at;
		at += 2;
	}
	return NULL;
}

/* Whether command has the letter after a percent sign. */
static bool
uses(const char *command, char letter)
{
	const char *at = command;

	for (; (at = strchr(at, '%')) != NULL; at += 2)
		if (at[1] == letter)
			return true;
	return false;
}

int
via_check(const char *command, const struct endpoint *ep, struct err *e)
{
	const char *shown;
	const char *host = host_of(ep);

	if (command[strspn(command, " \t")] == '\0')
		return err_set(e, ERR_USAGE, "--via: the command is empty");
	if (find_unknown(command) != NULL)
		return err_set(e, ERR_USAGE,
		    "--via: '%s': there are %%h (host), %%p (port) and %%%% "
		    "(a percent sign)",
		    text_shown(find_unknown(command)));
	if (ep->is_unix && uses(command, 'p'))
		return err_set(
		    e, ERR_USAGE, "--via: a unix socket has no port for %%p");
	if (!uses(command, 'h'))
		return 0;
	shown = text_shown(host);
	if (host[0] == '-')
		return err_set(e, ERR_USAGE,
		    "--via: the program would take the host '%s' for an option",
		    shown);
	if (!is_plain(host) && strpbrk(command, "'\"`\\") != NULL)
		return err_set(e, ERR_USAGE,
		    "--via: the command has quotes of its own, and the host "
		    "'%s' needs quoting for the shell",
		    shown);
	return 0;
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

/* A line of the program's stderr: the last one says why it failed. */
static void
keep_line(void *context, const char *line)
{
	struct via *v = context;

	snprintf(v->reason, sizeof(v->reason), "%s", line);
	diag_note("--via says: %s", text_shown(line));
}

/*
 * Whether the program may need the terminal, for a password: then it must stay
 * in the process group in the foreground, where Ctrl-C reaches all of it.
 * Otherwise it gets a group of its own, which is terminated as a whole.
 */
static bool
has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool result = fd >= 0;

	fd_close(&fd);
	return result;
}

struct via *
via_start(const struct via_command *command, int *fd, struct err *e)
{
	struct via *v = mem_array(1, sizeof(*v));
	struct proc_shell shell;
	char *text = expand(command->text, command->ep);
	const struct program program = {.argv = proc_shell(&shell, text)};
	const struct proc_options options = {.leads_group = !has_terminal(),
	    .has_pair = true,
	    .on_line = keep_line,
	    .context = v};

	snprintf(v->name, sizeof(v->name), "%s", endpoint_text(command->ep));
	v->may_stop = command->may_stop;
	v->check_ms = command->timeout_ms >= 0 ? command->timeout_ms : CHECK_MS;
	v->hold = -1;
	v->program = proc_start(&program, &options, e);
	if (v->program != NULL) {
		v->hold = fcntl(v->program->fd, F_DUPFD_CLOEXEC, 3);
		if (v->hold < 0)
			err_sys(e, ERR_FAILED, errno, "a copy of a socket");
	}
	if (v->hold < 0) {
		err_prefix(e, "%s: --via", v->name);
		via_release(v);
		free(text);
		return NULL;
	}
	diag_note("%s: running %s (--via)", v->name, text_shown(text));
	free(text);
	*fd = v->program->fd;
	v->program->fd = -1;
	return v;
}

/* The error of a program that exited with status, with its own reason. */
static int
status_error(const struct via *v, int status, struct err *e)
{
	if (v->program->is_ending)
		err_set(e, ERR_LOST,
		    "%s: the program of --via did not exit after the "
		    "connection was closed",
		    v->name);
	else if (status > 128)
		err_set(e, ERR_LOST,
		    "%s: the program of --via was killed by signal %d", v->name,
		    status - 128);
	else
		err_set(e, status >= 126 ? (enum err_kind)status : ERR_LOST,
		    "%s: the program of --via failed with status %d", v->name,
		    status);
	if (v->program->is_ending)
		e->errnum = ETIMEDOUT;
	if (v->reason[0] != '\0')
		text_append(
		    e->text, sizeof(e->text), ": %s", text_shown(v->reason));
	return -1;
}

int
via_end(struct via *v, struct deadline until, struct err *e)
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
	if (v->program->is_ending ? v->may_stop : status == 0)
		return 0;
	return status_error(v, status, e);
}

int
via_wait(struct via *v, int fd, struct deadline until, struct err *e)
{
	struct deadline end =
	    deadline_first(until, deadline_after(v->check_ms));
	int ready = wait_fd(fd, POLLIN, end);
	char byte;

	if (ready < 0)
		return err_sys(e, ERR_FAILED, errno, "--via");
	if (ready == 0 || sock_recv(fd, &byte, 1, MSG_PEEK) > 0)
		return 0;
	return via_end(v, until, e);
}

void
via_release(struct via *v)
{
	if (v == NULL)
		return;
	/* What it has left is the rest of a pipeline. */
	if (v->program != NULL && proc_group_lives(v->program))
		proc_end(v->program);
	proc_free(&v->program);
	fd_close(&v->hold);
	free(v);
}
