/*
 * udp_sink PORT SIZE COUNT: receives COUNT numbered datagrams of SIZE bytes,
 * compares each with what it should be, and stops when none has come for a
 * second or all have come or been dropped by the kernel. Prints how many came,
 * how many the kernel dropped, how many were wrong or out of order, how many
 * had run together with the one in front, and the seconds from the first to
 * the last.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

#include "numbered.h"

#define BATCH 64
#define ROOM 2048
/* SO_MEMINFO's array, see the kernel's linux/sock_diag.h. */
#define DROPS 8

static long came, joined, wrong, latest = -1;
static size_t size;

static long
dropped(int fd)
{
	uint32_t info[DROPS + 1] = {0};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return (long)info[DROPS];
}

static int
open_socket(int port)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 16 * 1024 * 1024;

	a.sin_port = htons((uint16_t)port);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -1 : fd;
}

/* One datagram. One that is several long has lost their bounds. */
static void
take(const unsigned char *at, size_t n, const unsigned char *letters)
{
	size_t each = n == 0 ? 1 : n > size && n % size == 0 ? size : n;
	long number;

	came++;
	for (joined += (long)(n / each) - 1; n > 0; n -= each, at += each) {
		number = numbered_check(at, each, size, letters);
		if (number <= latest)
			wrong++;
		else
			latest = number;
	}
}

/* A batch. How many there were. */
static int
receive(int fd, const unsigned char *letters)
{
	static unsigned char room[BATCH][ROOM];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int i, n;

	memset(m, 0, sizeof(m));
	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){room[i], ROOM};
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		take(room[i], m[i].msg_len, letters);
	return n;
}

int
main(int argc, char **argv)
{
	const unsigned char *letters = numbered_letters();
	double first = 0, last = 0;
	struct pollfd p = {.events = POLLIN};
	long count;

	if (argc < 4)
		return 2;
	p.fd = open_socket(atoi(argv[1]));
	size = (size_t)atoi(argv[2]);
	count = atol(argv[3]);
	if (p.fd < 0)
		return 1;
	while (
	    came + joined < count && poll(&p, 1, came > 0 ? 1000 : 10000) > 0) {
		if (came == 0)
			first = numbered_now();
		while (receive(p.fd, letters) > 0)
			last = numbered_now();
		if (came + joined + dropped(p.fd) >= count)
			break;
	}
	printf("%ld %ld %ld %ld %.6f\n", came, dropped(p.fd), wrong, joined,
	    last - first);
	return 0;
}
