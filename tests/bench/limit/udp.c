/*
 * The least that moving datagrams on loopback takes.
 *
 * udp lines PORT: each line of stdin; udp blocks PORT SIZE: each SIZE bytes of
 * stdin. Read into a large buffer; runs of one length go to the kernel as one
 * piece that it takes apart (udp(7), UDP_SEGMENT), a batch of pieces a call.
 *
 * udp echo PORT: each datagram back to where it came from, likewise.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Larger ones do not stay in the processor's cache. */
#define BUFFER (256 * 1024)
#define BATCH 64
#define SEGMENTS 64
#define PIECE_MOST 65000
#define ROOM 65536

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* What is to be sent by one call. */
static struct mmsghdr messages[BATCH];
static struct iovec pieces[BATCH * SEGMENTS];
static union {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(uint16_t))];
} controls[BATCH];
static int count, used;

static int
flush(int fd)
{
	int done = 0, n, i;

	for (i = 0; i < count; i++) {
		struct msghdr *m = &messages[i].msg_hdr;
		struct cmsghdr *c;
		uint16_t size = (uint16_t)m->msg_iov[0].iov_len;

		if (m->msg_iovlen < 2)
			continue;
		m->msg_control = &controls[i];
		m->msg_controllen = sizeof(controls[i]);
		c = CMSG_FIRSTHDR(m);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(c), &size, sizeof(size));
	}
	for (; done < count; done += n) {
		n = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
		if (n < 0)
			return -1;
	}
	count = used = 0;
	return 0;
}

/* Adds one datagram to the piece before it, or begins another. */
static int
add(int fd, char *bytes, size_t n, struct sockaddr_in *to)
{
	struct msghdr *m = count > 0 ? &messages[count - 1].msg_hdr : NULL;

	if (m == NULL || m->msg_iov[0].iov_len != n || n == 0 ||
	    m->msg_iovlen == SEGMENTS || (m->msg_iovlen + 1) * n > PIECE_MOST ||
	    (to != NULL && memcmp(m->msg_name, to, sizeof(*to)) != 0)) {
		if (count == BATCH && flush(fd) < 0)
			return -1;
		m = &messages[count++].msg_hdr;
		memset(m, 0, sizeof(*m));
		m->msg_iov = &pieces[used];
		m->msg_name = to;
		m->msg_namelen = to == NULL ? 0 : sizeof(*to);
	}
	pieces[used++] = (struct iovec){bytes, n};
	m->msg_iovlen++;
	return 0;
}

/* The datagrams in n bytes. How many bytes are used, or -1. */
static ssize_t
take(int fd, char *bytes, size_t n, size_t size)
{
	size_t at = 0;

	while (at < n) {
		char *lf = memchr(bytes + at, '\n', size > 0 ? 0 : n - at);
		size_t length = lf != NULL ? (size_t)(lf - bytes) - at : size;

		if (lf == NULL && (size == 0 || size > n - at))
			break;
		if (add(fd, bytes + at, length, NULL) < 0)
			return -1;
		at += length + (size == 0);
	}
	return flush(fd) < 0 ? -1 : (ssize_t)at;
}

static int
send_all(int fd, size_t size)
{
	static char buffer[BUFFER];
	size_t have = 0;
	ssize_t n, done;

	while ((n = read(0, buffer + have, BUFFER - have)) > 0) {
		have += (size_t)n;
		done = take(fd, buffer, have, size);
		if (done < 0)
			return 1;
		have -= (size_t)done;
		memmove(buffer, buffer + done, have);
	}
	return n < 0;
}

static int
echo(int fd)
{
	static char room[BATCH][ROOM];
	static struct sockaddr_in from[BATCH];
	static struct mmsghdr in[BATCH];
	static struct iovec iov[BATCH];
	int i, n;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){room[i], ROOM};
		in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof(from[i]),
		    .msg_iov = &iov[i],
		    .msg_iovlen = 1};
	}
	while ((n = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL)) > 0) {
		for (i = 0; i < n; i++)
			if (add(fd, room[i], in[i].msg_len, &from[i]) < 0)
				return 1;
		if (flush(fd) < 0)
			return 1;
	}
	return 1;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool is_echo = argc > 2 && strcmp(argv[1], "echo") == 0;

	if (argc < 3)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[2]));
	if (is_echo)
		return bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0
			   ? 1
			   : echo(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return 1;
	return send_all(fd, argc > 3 ? (size_t)atoi(argv[3]) : 0);
}
