/*
 * Datagrams through a forwarder.
 *
 * datagrams loop PORT TARGET: the least that a forwarder can do for one client:
 * a loop of recvmsg(2) and sendmsg(2).
 *
 * datagrams drive PORT TARGET COUNT SIZE WINDOW: sends COUNT datagrams to PORT,
 * receives them at TARGET, and has at most WINDOW of them on the way. Prints
 * datagrams per second, and how many were lost.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char bytes[65536];

static int
open_socket(int local, int peer)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	a.sin_port = htons((unsigned short)local);
	if (local != 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		exit(2);
	a.sin_port = htons((unsigned short)peer);
	if (peer != 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		exit(2);
	return fd;
}

static void
loop(int port, int target)
{
	int in = open_socket(port, 0), out = open_socket(0, target);
	struct sockaddr_in from;
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	for (;;) {
		iov.iov_len = sizeof(bytes);
		m.msg_name = &from;
		m.msg_namelen = sizeof(from);
		n = recvmsg(in, &m, 0);
		if (n < 0)
			exit(2);
		iov.iov_len = (size_t)n;
		m.msg_name = NULL;
		m.msg_namelen = 0;
		(void)!sendmsg(out, &m, 0);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	long count, window, sent = 0, received = 0;
	int client, target;
	struct pollfd p = {.events = POLLIN};
	size_t size;
	double start;

	if (argc == 4 && strcmp(argv[1], "loop") == 0)
		loop(atoi(argv[2]), atoi(argv[3]));
	if (argc != 7)
		return 2;
	client = open_socket(0, atoi(argv[2]));
	target = open_socket(atoi(argv[3]), 0);
	count = atol(argv[4]);
	size = (size_t)atol(argv[5]);
	window = atol(argv[6]);
	p.fd = target;
	start = now();
	while (received < count) {
		while (sent < count && sent - received < window)
			sent += send(client, bytes, size, 0) >= 0;
		if (poll(&p, 1, 1000) <= 0)
			break;
		while (recv(target, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
			received++;
	}
	printf(
	    "%.0f %ld\n", (double)received / (now() - start), count - received);
	return 0;
}
