/* Terminates and reaps child processes. */
#include "net/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/step.h"
#include "net/signals.h"
#include "net/wait.h"

pid_t
child_fork(void)
{
	pid_t pid;

	step_flush();
	pid = fork();
	if (pid == 0)
		signals_after_fork();
	return pid;
}

static int
shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* waitpid(2) that sets the shell's status and retries after EINTR. */
static pid_t
reap(pid_t pid, int flags, int *status)
{
	pid_t reaped;

	do {
		reaped = waitpid(pid, status, flags);
	} while (reaped < 0 && errno == EINTR);
	if (reaped != 0)
		*status = reaped > 0 ? shell_status(*status) : -1;
	return reaped;
}

static void
send_signal(const struct child *c, int number)
{
	kill(c->group > 0 ? -c->group : c->pid, number);
}

void
child_end(struct child *c)
{
	send_signal(c, c->is_ending ? SIGKILL : SIGTERM);
	c->is_ending = true;
	c->until = deadline_after(CHILD_GRACE_MS);
}

bool
child_reap(struct child *c, int *status)
{
	if (reap(c->pid, WNOHANG, status) == 0)
		return false;
	c->pid = 0;
	return true;
}

pid_t
child_reap_any(int *status)
{
	return reap(-1, WNOHANG, status);
}

int
child_wait(struct child *c)
{
	int status;

	for (;;) {
		(void)signals_collect();
		if (child_reap(c, &status))
			return status;
		if (deadline_passed(c->until) ||
		    (!c->is_ending && signals_stopped() != 0))
			child_end(c);
		else
			(void)wait_until(c->until);
	}
}

int
child_kill(struct child *c)
{
	int status;

	send_signal(c, SIGKILL);
	(void)reap(c->pid, 0, &status);
	c->pid = 0;
	return status;
}

bool
child_group_is_alive(pid_t group)
{
	int status;

	/* Reap orphans of the leader first: zombies do not count. */
	while (reap(-group, WNOHANG, &status) > 0)
		continue;
	return kill(-group, 0) == 0 || errno == EPERM;
}

void
child_kill_group(const struct child *c)
{
	if (child_group_is_alive(c->group))
		send_signal(c, SIGKILL);
}

void
child_wait_group(const struct child *c)
{
	while (child_group_is_alive(c->group) && !deadline_passed(c->until)) {
		(void)signals_collect();
		(void)wait_until(
		    deadline_first(c->until, deadline_after(CHILD_GROUP_MS)));
	}
	child_kill_group(c);
}
