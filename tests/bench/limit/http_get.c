/*
 * The least that getting files over one connection takes.
 *
 * http_get PORT COUNT: the bodies of /small.1 to /small.COUNT to stdout, each
 * asked for when the one before has come. Their size is in Content-Length,
 * spelled so; nothing else of the answer is looked at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH "Content-Length: "

static char buf[65536];

/* Receives one answer, and writes its body. Returns 0 or -1. */
static int
get_body(int fd)
{
	size_t used = 0, end = 0;
	const char *length, *body;
	ssize_t n;

	do {
		n = recv(fd, buf + used, sizeof(buf) - 1 - used, 0);
		if (n <= 0)
			return -1;
		used += (size_t)n;
		buf[used] = '\0';
		if (end == 0 && (body = strstr(buf, "\r\n\r\n")) != NULL) {
			length = strstr(buf, LENGTH);
			if (length == NULL)
				return -1;
			end = (size_t)(body + 4 - buf) +
			      strtoul(length + sizeof(LENGTH) - 1, NULL, 10);
			if (end >= sizeof(buf))
				return -1;
		}
	} while (end == 0 || used < end);
	body = strstr(buf, "\r\n\r\n") + 4;
	n = buf + end - body;
	return write(STDOUT_FILENO, body, (size_t)n) == n ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd, i, count = argc == 3 ? atoi(argv[2]) : 0;
	char request[128];
	int n;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	to.sin_port = htons((uint16_t)(argc == 3 ? atoi(argv[1]) : 0));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 1;
	for (i = 1; i <= count; i++) {
		n = snprintf(request, sizeof(request),
		    "GET /small.%d HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n", i,
		    argv[1]);
		if (send(fd, request, (size_t)n, 0) != n || get_body(fd) < 0)
			return 1;
	}
	return 0;
}
