/* Runs regexec(3) in a child process, so that a deadline can end it. */
#include "relay/match.h"

#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/child.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/wait.h"

/* What the child says: the offset of the match's end, or -1. */
static regoff_t
find(const regex_t *regex, const char *text)
{
	regmatch_t where;

	return regexec(regex, text, 1, &where, 0) == 0 ? where.rm_eo : -1;
}

static pid_t
start(const regex_t *regex, const char *text, int out)
{
	pid_t pid = fork();
	regoff_t at;

	if (pid != 0)
		return pid;
	signals_after_fork();
	at = find(regex, text);
	_exit(fd_write_all(out, &at, sizeof(at)) == 0 ? 0 : 1);
}

/* What the child has said, or -1 when it has not in time. */
static regoff_t
receive(int in, struct deadline until)
{
	regoff_t at = -1;
	int ready = wait_fd(in, POLLIN, until);

	/* Any other signal is the child's end. */
	if (ready == 0 || (ready < 0 && signals_stopped() != 0))
		return -1;
	return read(in, &at, sizeof(at)) == (ssize_t)sizeof(at) ? at : -1;
}

static bool
found(regoff_t at, size_t *end)
{
	if (at >= 0)
		*end = (size_t)at;
	return at >= 0;
}

bool
match_find(
    const regex_t *regex, const char *text, struct deadline until, size_t *end)
{
	regoff_t at;
	int ends[2];
	pid_t pid;

	/* In want of descriptors or processes a slow pattern is better than
	 * one that is not looked for. */
	if (os_pipe(ends, false) < 0)
		return found(find(regex, text), end);
	pid = start(regex, text, ends[1]);
	fd_close(&ends[1]);
	at = pid > 0 ? receive(ends[0], until) : find(regex, text);
	fd_close(&ends[0]);
	if (pid > 0)
		(void)child_kill(&(struct child){.pid = pid});
	return found(at, end);
}
