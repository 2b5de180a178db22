/*
 * hello PORT [reap]: the least that a hello server with a process a connection
 * can do. Accept, fork, greet; the system reaps, so it cannot know how many
 * there are. With reap it hears of their ends and asks who it was.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "greet.h"

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

/* Reaps until there is a connection. */
static void
wait_reaping(int fd, int children)
{
	struct signalfd_siginfo info;
	struct pollfd fds[2] = {
	    {.fd = fd, .events = POLLIN}, {.fd = children, .events = POLLIN}};

	do {
		poll(fds, 2, -1);
		if (fds[1].revents == 0)
			continue;
		(void)!read(children, &info, sizeof(info));
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	} while (fds[0].revents == 0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, c;
	int children = -1;

	a.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	if (argc > 2)
		children = hear_children();
	else
		signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, INT_MAX) < 0)
		return 1;
	for (;;) {
		if (children >= 0)
			wait_reaping(fd, children);
		c = accept(fd, NULL, NULL);
		if (c < 0)
			return 1;
		if (fork() == 0) {
			close(fd);
			greet(c, c);
			_exit(0);
		}
		close(c);
	}
}
