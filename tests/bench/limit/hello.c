/*
 * hello PORT: the least that a hello server with a process a connection can
 * do. Accept, fork, greet; the system reaps.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "greet.h"

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, c;

	a.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, INT_MAX) < 0)
		return 1;
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			close(fd);
			greet(c, c);
			_exit(0);
		}
		close(c);
	}
	return 1;
}
