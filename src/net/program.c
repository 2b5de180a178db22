/* Runs programs with a connection or a datagram, or in sockt's place. */
#include "net/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/diag.h"
#include "base/step.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/child.h"
#include "net/os.h"
#include "net/signals.h"

extern char **environ;

/*
 * What UCSPI servers set for a connection: an outer server's variables are not
 * those of this one.
 */
static void
clear_connection(void)
{
	static const char *const protocols[] = {"TCP", "UDP"};
	static const char *const names[] = {"LOCALIP", "LOCALPORT", "LOCALHOST",
	    "REMOTEIP", "REMOTEPORT", "REMOTEHOST", "REMOTEINFO"};
	char name[32];
	size_t i, k;

	unsetenv("PROTO");
	unsetenv("UNIXLOCALPATH");
	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			snprintf(
			    name, sizeof(name), "%s%s", protocols[i], names[k]);
			unsetenv(name);
		}
}

static void
set_address(const char *protocol, const char *side, const struct addr *a)
{
	char name[32], text[ADDR_TEXT];

	snprintf(name, sizeof(name), "%s%sIP", protocol, side);
	setenv(name, addr_format_ip(a, text, sizeof(text)), 1);
	snprintf(name, sizeof(name), "%s%sPORT", protocol, side);
	snprintf(text, sizeof(text), "%u", addr_port(a));
	setenv(name, text, 1);
}

static void
set_connection(const struct program *p)
{
	char text[ADDR_TEXT];

	clear_connection();
	if (addr_is_unix(p->local) || addr_is_unix(p->remote)) {
		setenv("PROTO", "UNIX", 1);
		setenv("UNIXLOCALPATH",
		    addr_format_ip(p->local, text, sizeof(text)), 1);
	} else {
		setenv("PROTO", p->protocol, 1);
		set_address(p->protocol, "LOCAL", p->local);
		set_address(p->protocol, "REMOTE", p->remote);
	}
}

/* The search path if PATH is not set. */
#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

/*
 * execvp(3) without its shell for a file that is no program. Tries each
 * directory of PATH. Returns only on failure, with an errno.
 */
static int
execute(char *const *argv)
{
	const char *name = argv[0], *at = getenv("PATH"), *end;
	char full[PATH_MAX + 1];
	int found = ENOENT, n;

	if (strchr(name, '/') != NULL) {
		execve(name, argv, environ);
		return errno;
	}
	if (name[0] == '\0')
		return ENOENT;
	for (at = at != NULL ? at : DEFAULT_PATH; at != NULL;
	     at = *end == ':' ? end + 1 : NULL) {
		end = at + strcspn(at, ":");
		/* An empty entry means the working directory. */
		n = snprintf(full, sizeof(full), "%.*s%s%s", (int)(end - at),
		    at, end > at ? "/" : "", name);
		if (n >= (int)sizeof(full))
			continue;
		execve(full, argv, environ);
		if (errno == EACCES)
			found = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR &&
			 errno != ESTALE && errno != ENODEV &&
			 errno != ETIMEDOUT)
			return errno;
	}
	return found;
}

/* The first of the two descriptors of a connection under UCSPI. */
#define UCSPI_FIRST 6

/*
 * fd, or a copy of it that dup2(2) to the program's descriptors, of which last
 * is the highest, does not replace; dup2(2) onto itself would keep its
 * close-on-exec flag. Returns -1 with errno on failure.
 */
static int
above(int last, int fd)
{
	return fd > last ? fd : fcntl(fd, F_DUPFD_CLOEXEC, last + 1);
}

/* In the child: becomes the program. Returns only on failure, with an errno. */
static int
become(const struct program *p, pid_t parent)
{
	int first = p->is_ucspi ? UCSPI_FIRST : 0, last = first + 1;
	int in = above(last, p->in), out = above(last, p->out);

	if (in < 0 || out < 0 || (p->new_group && setpgid(0, 0) < 0) ||
	    dup2(in, first) < 0 || dup2(out, last) < 0 ||
	    (p->errors != 0 && dup2(p->errors, STDERR_FILENO) < 0))
		return errno;
	if (p->protocol != NULL)
		set_connection(p);
	signals_reset();
	os_follow_parent(parent, SIGTERM);
	return execute(p->argv);
}

/* Sets *e to the status with which a shell reports it. Returns -1. */
static int
exec_error(const char *shown, int errnum, struct err *e)
{
	err_set(e, (enum err_kind)(errnum == ENOENT ? 127 : 126),
	    "cannot run %s: %s", shown, err_reason(errnum, ERR_AT_FILE));
	e->errnum = errnum;
	return -1;
}

pid_t
program_start(const struct program *p, struct err *e)
{
	int64_t start = step_start();
	char shown[256];
	pid_t parent = getpid(), pid;
	int errnum;

	text_escape_string(shown, sizeof(shown), p->argv[0]);
	signals_find_ignored();
	pid = child_fork();
	errnum = pid < 0 ? errno : 0;
	if (pid == 0) {
		(void)exec_error(shown, become(p, parent), e);
		diag_error(e);
		_exit((int)e->kind);
	}
	step_report(
	    &(struct step){.call = "fork",
		.start_ns = start,
		.errnum = errnum,
		.note = p->is_ucspi
			    ? "a program whose descriptors 6 and 7 are the "
			      "connection"
			    : "a program whose standard input and output are "
			      "the connection"},
	    "process %ld runs %s", (long)pid, shown);
	return pid > 0 ? pid : exec_error(shown, errnum, e);
}

/*
 * A signal that was caught before must not get lost, and one that arrives later
 * has its default action: signals_reset() unblocks them.
 */
int
program_replace(char *const *argv, struct err *e)
{
	char shown[256];
	sigset_t all, old;
	int errnum;

	text_escape_string(shown, sizeof(shown), argv[0]);
	step_report(&(struct step){.call = "exec",
			.start_ns = step_start(),
			.result = "begins",
			.note = "this process becomes the program"},
	    "%s", shown);
	step_flush();
	signals_find_ignored();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if (signals_stopped() != 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		return err_sys(e, ERR_FAILED, EINTR, "starting %s", shown);
	}
	signals_reset();
	errnum = execute(argv);
	signals_init();
	return exec_error(shown, errnum, e);
}

int
program_wait(pid_t pid, struct deadline until, struct err *e)
{
	struct child c = {.pid = pid, .until = until};
	int status;

	if (signals_catch(SIGNALS_STOP | SIGNALS_CHILD, e) < 0)
		return -1;
	status = child_wait(&c);
	if (!c.is_ending && status < 0)
		return err_sys(
		    e, ERR_FAILED, errno, "waiting for the program's end");
	if (!c.is_ending)
		return status;
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "the program");
	return deadline_error(until, "the program was still running", e);
}

static bool is_watching;

void
program_watch_descendants(void)
{
	is_watching = os_adopt_orphans();
}

bool
program_descendants_live(void)
{
	pid_t pid;
	int status;

	do {
		pid = child_reap_any(&status);
	} while (pid > 0);
	return is_watching && pid == 0;
}

char *const *
program_shell(struct program_shell *s, const char *command)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c";

	s->argv[0] = shell;
	s->argv[1] = dash_c;
	s->argv[2] = (char *)command;
	s->argv[3] = NULL;
	return s->argv;
}
