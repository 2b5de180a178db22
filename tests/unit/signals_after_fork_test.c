/*
 * A signal ends a forked child, whenever it comes: after signals_after_fork(),
 * or in the moment before it.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/signals.h"

/* How a child ends that gets the signals around signals_after_fork(); 0: none.
 */
static int
end_of_child(int before, int after)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		if (before != 0)
			raise(before);
		signals_after_fork();
		if (after != 0)
			raise(after);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

int
main(void)
{
	struct err e = ERR_INIT;

	/* A shell's background job is started with this one ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	is_int(signals_catch(SIGNALS_STOP | SIGNALS_CHILD, &e), 0,
	    "signals are caught");
	is_int(end_of_child(0, 0), 0, "a child without a signal goes on");
	is_int(end_of_child(0, SIGTERM), SIGTERM, "TERM ends it");
	is_int(end_of_child(SIGTERM, 0), SIGTERM,
	    "before signals_after_fork() too");
	is_int(end_of_child(SIGINT, 0), SIGINT, "INT too");
	is_int(end_of_child(SIGHUP, 0), SIGHUP, "and HUP");
	is_int(
	    end_of_child(SIGCHLD, 0), 0, "of a child's child it need not hear");
	is_int(signals_stopped(), 0, "all that was not ours");
	return done_testing();
}
