/* Child processes: one table of all that this process has started. */
#include "net/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/step.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"

/* No event reports that a group has become empty: how often to check. */
#define GROUP_MS 20
/* How long zombies may make a group look alive on systems that do not adopt
 * orphans: another process reaps them. */
#define ZOMBIES_MS 500
/* After this many calls of proc_terminate() nobody waits for the group. */
#define GIVEN_UP 3

extern char **environ;

static struct {
	struct proc *first;
	/* This is a forked child, which has half of the grace period. */
	bool is_copy;
	/* Orphaned descendants become children of this process. */
	bool adopts;
} table;

static pid_t
reap(pid_t pid, int *status)
{
	pid_t reaped;

	do
		reaped = waitpid(pid, status, WNOHANG);
	while (reaped < 0 && errno == EINTR);
	return reaped;
}

/* Reaps all exited children, adopted ones too. Returns whether any is left. */
static bool
reap_all(void)
{
	struct proc *p;
	int status;
	pid_t pid;

	while ((pid = reap(-1, &status)) > 0) {
		for (p = table.first; p != NULL && p->pid != pid; p = p->next)
			continue;
		if (p == NULL)
			continue;
		p->pid = 0;
		p->is_killed = WIFSIGNALED(status);
		p->status =
		    p->is_killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (!table.adopts && p->is_ending)
			p->until = deadline_first(
			    p->until, deadline_after(ZOMBIES_MS));
	}
	return pid == 0;
}

bool
proc_group_lives(const struct proc *p)
{
	if (p->group == 0)
		return false;
	/* Reap orphans of the leader first: zombies do not count. */
	while (p->pid == 0 && reap(-p->group, NULL) > 0)
		continue;
	return kill(-p->group, 0) == 0 || errno == EPERM;
}

bool
proc_has_ended(const struct proc *p)
{
	return p->pid == 0 &&
	       (p->kills == 0 || p->kills >= GIVEN_UP || !proc_group_lives(p));
}

void
proc_terminate(struct proc *p)
{
	int number = p->is_ending ? SIGKILL : SIGTERM;

	if (proc_group_lives(p))
		kill(-p->group, number);
	else if (p->pid > 0)
		kill(p->pid, number);
	p->is_ending = true;
	p->kills++;
	/* Zombies that another process reaps look alive. */
	if (p->kills > 1 && p->pid == 0 && !table.adopts)
		p->kills = GIVEN_UP;
	p->until = deadline_after(p->kills >= GIVEN_UP ? -1
				  : table.is_copy      ? PROC_GRACE_MS / 2
						       : PROC_GRACE_MS);
}

int
proc_poll(struct pollfd *fds, nfds_t count, struct deadline until)
{
	struct proc *p;
	int ready, errnum;

	for (p = table.first; p != NULL; p = p->next) {
		until = deadline_first(until, p->until);
		if (p->pid == 0 && p->is_ending && p->kills < GIVEN_UP)
			until = deadline_first(until, deadline_after(GROUP_MS));
	}
	ready = wait_events(fds, count, until, true);
	errnum = errno;
	if (signals_collect_children())
		(void)reap_all();
	for (p = table.first; p != NULL; p = p->next) {
		if (!deadline_passed(p->until))
			continue;
		p->is_late = p->is_late || !p->is_ending;
		proc_terminate(p);
	}
	errno = errnum;
	return ready;
}

int
proc_wait(struct proc *p, struct deadline until)
{
	struct pollfd none[WAIT_SPARE];

	while (!proc_has_ended(p)) {
		if (!p->is_ending &&
		    (deadline_passed(until) || signals_stopped() != 0))
			proc_terminate(p);
		if (proc_poll(none, 0, p->is_ending ? deadline_none() : until) <
		    0)
			signals_collect();
	}
	return p->status;
}

void
proc_free(struct proc **p)
{
	struct proc *old = *p;

	if (old == NULL)
		return;
	if (!proc_has_ended(old)) {
		if (!old->is_ending)
			proc_terminate(old);
		(void)proc_wait(old, deadline_none());
	}
	*old->link = old->next;
	if (old->next != NULL)
		old->next->link = old->link;
	fd_close(&old->fd);
	fd_close(&old->errors);
	free(old);
	*p = NULL;
}

void
proc_terminate_all(void)
{
	struct proc *p;

	for (p = table.first; p != NULL; p = p->next)
		if (!p->is_ending)
			proc_terminate(p);
	for (p = table.first; p != NULL; p = p->next)
		(void)proc_wait(p, deadline_none());
}

bool
proc_orphans_live(void)
{
	return reap_all() && table.adopts;
}

void
proc_close_from(int first)
{
	long end = sysconf(_SC_OPEN_MAX);

	if (os_close_from(first))
		return;
	/* No command opens more, and a container's limit may be 2^30. */
	if (end > 65536)
		end = 65536;
	for (; first < end; first++)
		(void)close(first);
}

/* Whether UCSPI and TLS servers set this variable for a connection: a value of
 * an outer server would describe another connection. */
static bool
is_of_connection(const char *variable)
{
	static const char *const starts[] = {"PROTO=", "TCPLOCAL", "TCPREMOTE",
	    "UDPLOCAL", "UDPREMOTE", "UNIXLOCAL", "UNIXREMOTE",
	    "SSL_PROTOCOL=", "SSL_CIPHER", "SSL_CLIENT_", "SSL_SERVER_",
	    "SSL_TLS_SNI"};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(variable, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/* The variables of a connection: PROTO, and address and port of both ends. */
#define VARIABLES 5
#define VARIABLE_SIZE TEXT_SLOT

/* Makes the environment of a program; the caller frees the array. The variables
 * of its connection are in texts. */
static const char **
make_environment(const struct program *p, char texts[][VARIABLE_SIZE])
{
	const struct addr *ends[] = {p->local, p->remote};
	const char *const *own = p->variables;
	const char *const names[] = {"LOCAL", "REMOTE"};
	const char **all;
	size_t count = 0, extra = 0, n = 0, i;

	while (environ[count] != NULL)
		count++;
	while (own != NULL && own[extra] != NULL)
		extra++;
	all = mem_array(count + extra + VARIABLES + 1, sizeof(all[0]));
	for (i = 0; i < count; i++)
		if (!is_of_connection(environ[i]))
			all[n++] = environ[i];
	for (i = 0; i < extra; i++)
		all[n++] = own[i];
	if (p->protocol == NULL)
		return all;
	if (addr_is_unix(p->local) || addr_is_unix(p->remote)) {
		all[n++] = "PROTO=UNIX";
		snprintf(texts[0], VARIABLE_SIZE, "UNIXLOCALPATH=%s",
		    addr_ip_text(p->local));
		all[n] = texts[0];
		return all;
	}
	snprintf(texts[0], VARIABLE_SIZE, "PROTO=%s", p->protocol);
	for (i = 0; i < 2; i++) {
		snprintf(texts[1 + i], VARIABLE_SIZE, "%s%sIP=%s", p->protocol,
		    names[i], addr_ip_text(ends[i]));
		snprintf(texts[3 + i], VARIABLE_SIZE, "%s%sPORT=%u",
		    p->protocol, names[i], addr_port(ends[i]));
	}
	for (i = 0; i < VARIABLES; i++)
		all[n++] = texts[i];
	return all;
}

/* The search path if PATH is not set. */
#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

/* Executes a file; without an environment, only checks that it can be executed.
 * Returns an errno, or 0. */
static int
attempt(const char *path, char *const *argv, char *const *environment)
{
	struct stat st;

	if (environment != NULL)
		execve(path, argv, environment);
	else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return EACCES;
	else if (access(path, X_OK) == 0)
		return 0;
	return errno;
}

/* Tries each directory of PATH, as execvp(3) does, but never runs a shell for a
 * file without a format. Returns as attempt(). */
static int
search(char *const *argv, char *const *environment)
{
	const char *name = argv[0], *at = getenv("PATH"), *end;
	char full[PATH_MAX + 1];
	int found = ENOENT, result, n;

	if (strchr(name, '/') != NULL)
		return attempt(name, argv, environment);
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
		result = attempt(full, argv, environment);
		if (result == EACCES)
			found = EACCES;
		else if (result != ENOENT && result != ENOTDIR &&
			 result != ESTALE && result != ENODEV &&
			 result != ETIMEDOUT)
			return result;
	}
	return found;
}

/* Returns fd, or if it is 0 or 1 a copy: dup2(2) would replace it, or keep its
 * close-on-exec flag. Returns -1 with errno on failure. */
static int
above(int fd)
{
	return fd > 1 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 2);
}

/* Sets *e to the status with which a shell reports it. Returns -1. */
static int
exec_error(const char *shown, int errnum, struct err *e)
{
	err_set(e, (enum err_kind)(errnum == ENOENT ? 127 : 126),
	    "cannot run %s: %s", shown, err_find(errnum, ERR_AT_FILE)->reason);
	e->errnum = errnum;
	return -1;
}

/* A program's process before it is executed. */
struct launch {
	const struct program *program;
	const char **environment;
	char variables[VARIABLES][VARIABLE_SIZE];
	/* The ends of the program of the pair and of the pipe for stderr; -1
	 * without one. */
	int fd, errors;
	pid_t parent;
	/* Why the program could not be executed, or 0. */
	int errnum;
};

/* Becomes the program. Returns only on failure, with an errno. It may share the
 * memory of its parent (os_start()), so it formats and prints nothing. */
static int
become(void *context)
{
	const struct launch *s = context;
	const struct program *program = s->program;
	int in = above(s->fd >= 0 ? s->fd : program->in);
	int out = above(s->fd >= 0 ? s->fd : program->out);

	if (program->options.leads_group)
		setsid();
	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    (s->errors >= 0 && dup2(s->errors, STDERR_FILENO) < 0))
		return errno;
	signals_reset();
	os_follow_parent(s->parent, SIGTERM);
	return search(program->argv, (char *const *)s->environment);
}

/* Starts the program, or forks if start is NULL. Returns as fork(2). */
static pid_t
launch(struct proc **result, const struct proc_options *o, struct launch *start)
{
	struct proc *p = mem_array(1, sizeof(*p));
	int pair[2] = {-1, -1}, errors[2] = {-1, -1};
	pid_t pid = -1;
	bool is_copy;

	/* Orphans of a group must not become zombies of another parent. */
	if ((o->leads_group || start != NULL) && !table.adopts)
		table.adopts = os_adopt_orphans(true);
	if (signals_catch_children() == 0 &&
	    (!o->has_pair || sock_pair(pair) == 0) &&
	    (!o->has_errors || (fd_pipe(errors, false) == 0 &&
				   sock_nonblocking(errors[0], true) == 0))) {
		if (start != NULL) {
			start->fd = pair[1];
			start->errors = errors[1];
			pid = os_start(become, start, &start->errnum);
		} else {
			pid = fork();
		}
	}
	if (start != NULL && start->errnum != 0) {
		(void)waitpid(pid, NULL, 0);
		errno = start->errnum;
		pid = -1;
	}
	is_copy = pid == 0;
	fd_close(&pair[!is_copy]);
	fd_close(&errors[1]);
	if (pid < 0) {
		fd_close(&pair[0]);
		fd_close(&errors[0]);
		free(p); /* preserves errno (POSIX.1-2024) */
		return -1;
	}
	*result = p;
	*p = (struct proc){.pid = pid,
	    .group = o->leads_group ? pid : 0,
	    .fd = pair[is_copy],
	    .errors = errors[0],
	    .until = deadline_after(o->limit_ms > 0 ? o->limit_ms : -1)};
	if (is_copy)
		return 0;
	p->next = table.first;
	p->link = &table.first;
	if (p->next != NULL)
		p->next->link = &p->next;
	table.first = p;
	return pid;
}

pid_t
proc_fork(struct proc **result, const struct proc_options *o)
{
	pid_t parent = getpid(), pid = launch(result, o, NULL);

	if (pid != 0)
		return pid;
	os_follow_parent(parent, SIGKILL);
	signals_after_fork();
	wait_after_fork();
	memset(&table, 0, sizeof(table));
	table.is_copy = true;
	if (o->leads_group)
		setsid();
	return 0;
}

struct proc *
proc_start(const struct program *program, struct err *e)
{
	int64_t start = step_start();
	struct launch s = {.program = program, .parent = getpid()};
	struct proc *p = NULL;
	const char *shown;
	sigset_t all, old;
	int errnum;
	pid_t pid;

	s.environment = make_environment(program, s.variables);
	/* The handlers' flags would be those of this process. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = launch(&p, &program->options, &s);
	errnum = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(s.environment);
	shown = text_shown(program->argv[0]);
	step("fork", start, pid,
	    "a program whose standard input and output are the connection",
	    "process %ld runs %s", (long)pid, shown);
	if (pid < 0 && s.errnum != 0)
		(void)exec_error(shown, errnum, e);
	else if (pid < 0)
		(void)err_sys(e, ERR_FAILED, errnum, "starting %s", shown);
	return p;
}

/* A signal that was caught before must not get lost; a later one takes its
 * default action: signals_reset() unblocks it. */
int
proc_replace(char *const *argv, struct err *e)
{
	sigset_t all, old;
	int errnum;
	const char *shown = text_shown(argv[0]);

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	if (signals_stopped() != 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		return err_sys(e, ERR_FAILED, EINTR, "starting %s", shown);
	}
	/* proc_check_command() may have started a program. */
	if (table.adopts)
		table.adopts = !os_adopt_orphans(false);
	signals_reset();
	errnum = search(argv, environ);
	signals_init();
	return exec_error(shown, errnum, e);
}

static char shell[] = "/bin/sh", dash_c[] = "-c";

char *const *
proc_shell(char *argv[4], const char *command)
{
	argv[0] = shell;
	argv[1] = dash_c;
	argv[2] = (char *)command;
	argv[3] = NULL;
	return argv;
}

int
proc_check(char *const *argv, struct err *e)
{
	int errnum = search(argv, NULL);

	if (errnum != 0)
		return exec_error(text_shown(argv[0]), errnum, e);
	return 0;
}

/* Bytes of a word that have no other meaning to a shell. */
#define PLAIN                                                         \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456" \
	"789_./+-"

int
proc_check_command(const char *command, struct err *e)
{
	static char script[] = "command -v \"$1\" > /dev/null";
	const char *start = command + strspn(command, " \t");
	size_t n = strspn(start, PLAIN);
	char word[256];
	char *const file[] = {word, NULL}, *const built_in[] = {shell, dash_c,
					       script, shell, word, NULL};
	const struct program program = {
	    .argv = built_in, .in = STDIN_FILENO, .out = STDOUT_FILENO};
	struct proc *p;
	int status;

	if (n == 0 || n >= sizeof(word) || strchr(" \t\n", start[n]) == NULL)
		return 0;
	memcpy(word, start, n);
	word[n] = '\0';
	if (proc_check(file, e) == 0)
		return 0;
	if (strchr(word, '/') != NULL)
		return -1;
	p = proc_start(&program, e);
	if (p == NULL)
		return -1;
	status = proc_wait(p, deadline_none());
	proc_free(&p);
	if (status == 0)
		err_clear(e);
	return status == 0 ? 0 : -1;
}
