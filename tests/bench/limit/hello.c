/*
 * hello PORT [reap]: the least that a hello server with a process a connection
 * can do. Accept, fork, greet; the system reaps, so it cannot know how many
 * there are. With reap it hears of their ends and asks who it was.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "greet.h"
#include "reap.h"

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
			wait_reaping(fd, children, NULL);
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
