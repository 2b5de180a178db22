/*
 * spawn PORT PROGRAM [reap]: the least that a server with a program a
 * connection can do. Accept, vfork, exec; the system reaps. With reap it hears
 * of their ends and asks who it was, and only then ends that connection: what
 * is closed by the program's exit is reset if the client still sends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reap.h"

/* The connection of each process: a pid of Linux has at most 22 bits. */
static int connections[1 << 22];

static void
end_connection(pid_t pid)
{
	close(connections[pid]);
}

/* Runs the program with a connection. */
static pid_t
run(char *program, int fd)
{
	char *argv[] = {program, NULL};
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		execve(program, argv, environ);
		_exit(127);
	}
	return pid;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, c;
	int children = -1;
	pid_t pid;

	if (argc < 3)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[1]));
	if (argc > 3)
		children = hear_children();
	else
		signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, INT_MAX) < 0)
		return 1;
	for (;;) {
		if (children >= 0)
			wait_reaping(fd, children, end_connection);
		c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (c < 0)
			return 1;
		pid = run(argv[2], c);
		if (children >= 0 && pid > 0)
			connections[pid] = c;
		else
			close(c);
	}
}
