/*
 * target PORT: sends the bytes of any number of connections back, in one
 * process.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
watch(int queue, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	if (fd < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, fd, &e) < 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	int queue = epoll_create1(0);
	struct epoll_event e;
	char text[4096];
	ssize_t n;

	a.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, INT_MAX) < 0)
		return 1;
	watch(queue, fd);
	while (epoll_wait(queue, &e, 1, -1) == 1) {
		if (e.data.fd == fd) {
			watch(queue, accept(fd, NULL, NULL));
			continue;
		}
		n = recv(e.data.fd, text, sizeof(text), 0);
		if (n <= 0 || send(e.data.fd, text, (size_t)n, 0) != n)
			close(e.data.fd);
	}
	return 1;
}
