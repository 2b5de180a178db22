/* How the limits of servers hear of the ends of their processes. */
#ifndef BENCH_REAP_H
#define BENCH_REAP_H

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptor that tells of children. */
static int
hear_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Reaps until there is a connection. ended may be NULL. */
static void
wait_reaping(int fd, int children, void (*ended)(pid_t))
{
	struct signalfd_siginfo info;
	struct pollfd fds[2] = {
	    {.fd = fd, .events = POLLIN}, {.fd = children, .events = POLLIN}};
	pid_t pid;

	do {
		poll(fds, 2, -1);
		if (fds[1].revents == 0)
			continue;
		(void)!read(children, &info, sizeof(info));
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			if (ended != NULL)
				ended(pid);
	} while (fds[0].revents == 0);
}

#endif
