/* Runs programs with a connection or a datagram, or in sockt's place. */
#include "net/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/step.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/child.h"
#include "net/spawn.h"
#include "net/signals.h"

extern char **environ;

/* PROTO and four others; see UCSPI. */
#define VARIABLES 5
#define VARIABLE_TEXT (ADDR_TEXT + 32)

/*
 * The environment of a program: that of sockt without the variables of an outer
 * server, and the new ones.
 */
struct environment {
	char texts[VARIABLES][VARIABLE_TEXT];
	int count;
	char **all; /* NULL-terminated, owned */
};

static void
add_variable(struct environment *env, const char *prefix, const char *name,
    const char *value)
{
	snprintf(env->texts[env->count++], VARIABLE_TEXT, "%s%s=%s", prefix,
	    name, value);
}

static void
add_address(struct environment *env, const char *protocol, const char *side,
    const struct addr *a)
{
	char name[16], text[ADDR_TEXT];

	snprintf(name, sizeof(name), "%sIP", side);
	add_variable(
	    env, protocol, name, addr_format_ip(a, text, sizeof(text)));
	snprintf(name, sizeof(name), "%sPORT", side);
	snprintf(text, sizeof(text), "%u", addr_port(a));
	add_variable(env, protocol, name, text);
}

/*
 * Whether an outer server set the variable, which a program would take for that
 * of this connection.
 */
static bool
is_ucspi(const char *variable)
{
	static const char *const prefixes[] = {"PROTO=", "TCPLOCAL",
	    "TCPREMOTE", "UDPLOCAL", "UDPREMOTE", "UNIXLOCALPATH="};
	size_t i;

	/* Most names start with other letters. */
	if (strchr("PTU", variable[0]) == NULL)
		return false;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void
add_connection(struct environment *env, const char *protocol,
    const struct addr *local, const struct addr *remote)
{
	char text[ADDR_TEXT];

	if (addr_is_unix(local) || addr_is_unix(remote)) {
		add_variable(env, "", "PROTO", "UNIX");
		add_variable(env, "UNIX", "LOCALPATH",
		    addr_format_ip(local, text, sizeof(text)));
	} else {
		add_variable(env, "", "PROTO", protocol);
		add_address(env, protocol, "LOCAL", local);
		add_address(env, protocol, "REMOTE", remote);
	}
}

static void
make_environment(struct environment *env, const struct program *p)
{
	size_t n = 0, kept = 0;
	int i;

	env->count = 0;
	if (p->protocol != NULL)
		add_connection(env, p->protocol, p->local, p->remote);
	while (environ[n] != NULL)
		n++;
	env->all = mem_array(n + VARIABLES + 1, sizeof(char *));
	for (n = 0; environ[n] != NULL; n++)
		if (p->protocol == NULL || !is_ucspi(environ[n]))
			env->all[kept++] = environ[n];
	for (i = 0; i < env->count; i++)
		env->all[kept++] = env->texts[i];
}

/* The first of the two descriptors of a connection under UCSPI. */
#define UCSPI_FIRST 6

/*
 * Returns fd, or a copy of it if it is not above last, the descriptors that the
 * program's replace: dup2(2) onto itself would keep the close-on-exec flag.
 * *copy is -1 if none is needed, as for every socket that sockt opened and that
 * becomes stdin and stdout, so that a server short of descriptors can still
 * start programs. Returns -1 with errno on failure.
 */
static int
copy_above(int last, int fd, int *copy)
{
	*copy = fd > last ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, last + 2);
	return fd > last ? fd : *copy;
}

/* Returns 0 or an errno. */
static int
spawn(const struct program *p, char **environment, pid_t *pid)
{
	int copies[2];
	int first = p->is_ucspi ? UCSPI_FIRST : 0;
	int in = copy_above(first + 1, p->in, &copies[0]);
	int out = copy_above(first + 1, p->out, &copies[1]);
	struct spawn_program program = {
	    p->argv, environment, in, out, first, p->errors, p->new_group};
	int errnum = errno;

	if (in >= 0 && out >= 0)
		errnum = spawn_program(&program, pid);
	fd_close(&copies[0]);
	fd_close(&copies[1]);
	return errnum;
}

static void
report_exec(
    const struct program *p, const char *subject, int errnum, int64_t start)
{
	step_report(
	    &(struct step){.call = "exec",
		.start_ns = start,
		.errnum = errnum,
		.note = p->is_ucspi
			    ? "a program whose descriptors 6 and 7 are the "
			      "connection"
			    : "a program whose standard input and output are "
			      "the connection"},
	    "%s", subject);
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
	struct environment env;
	char shown[256], subject[300];
	int errnum;
	pid_t pid = -1;

	make_environment(&env, p);
	errnum = spawn(p, env.all, &pid);
	free(env.all);
	text_escape_string(shown, sizeof(shown), p->argv[0]);
	if (errnum != 0) {
		report_exec(p, shown, errnum, start);
		return exec_error(shown, errnum, e);
	}
	snprintf(
	    subject, sizeof(subject), "%s in process %ld", shown, (long)pid);
	report_exec(p, subject, 0, start);
	return pid;
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
	errnum = spawn_replace(argv, environ);
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
	is_watching = spawn_adopt();
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
