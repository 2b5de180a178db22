/*
 * udp_ping PORT SIZE COUNT WINDOW [hello]: COUNT numbered datagrams of SIZE
 * bytes to a server that answers with the same, or with "Hello, " in front and
 * "!" behind, WINDOW of them unanswered at once. One whose echo has not come
 * when nothing has come for 200 ms is lost. Prints round trips a second, the
 * median and the 99th percentile in microseconds, how many were lost, how many
 * of these the kernel dropped here, how many answers were wrong and how many
 * had run together into one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "numbered.h"

#define MOST 64
#define ROOM 4096
#define PATIENCE_MS 200
/* SO_MEMINFO's array, see the kernel's linux/sock_diag.h. */
#define DROPS 8

static const unsigned char *letters;
static unsigned char room[MOST][ROOM];
static struct mmsghdr messages[MOST];
static struct iovec pieces[MOST];
static double *sent_at, *took;
static bool *answered;
static size_t size, before, behind;
static long count, sent, good, wrong, lost, waited, joined;

static int
open_socket(int port)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i;

	a.sin_port = htons((uint16_t)port);
	for (i = 0; i < MOST; i++) {
		pieces[i].iov_base = room[i];
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -1 : fd;
}

/* As many as the window has room for. */
static int
send_more(int fd, long window)
{
	double now = numbered_now();
	int n = 0, done;

	for (; waited + n < window && sent + n < count; n++) {
		numbered_make(room[n], size, (unsigned)(sent + n), letters);
		pieces[n].iov_len = size;
		sent_at[sent + n] = now;
	}
	done = n == 0 ? 0 : sendmmsg(fd, messages, (unsigned)n, 0);
	if (done < 0)
		return -1;
	sent += done;
	waited += done;
	return 0;
}

/* The answer to one, from at on. */
static void
take_one(const unsigned char *at, size_t n, double now)
{
	long number = n < before + behind
			  ? -1
			  : numbered_check(at + before, n - before - behind,
				size, letters);

	if (number < 0 || number >= sent || answered[number]) {
		wrong++;
		return;
	}
	answered[number] = true;
	took[good++] = now - sent_at[number];
	/* One given up that comes after all was not lost. */
	if (waited > 0)
		waited--;
	else
		lost--;
}

/* One datagram; what is several answers long has lost their bounds. */
static void
take(const unsigned char *at, size_t n, double now)
{
	size_t each = before + size + behind;

	if (n <= each || n % each != 0) {
		take_one(at, n, now);
		return;
	}
	for (joined++; n > 0; n -= each, at += each)
		take_one(at, each, now);
}

/* What has come, or after some waiting nothing: the rest is lost then. */
static void
receive(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	double now;
	int i, n;

	if (poll(&p, 1, PATIENCE_MS) <= 0) {
		lost += waited;
		waited = 0;
		return;
	}
	for (i = 0; i < MOST; i++)
		pieces[i].iov_len = ROOM;
	n = recvmmsg(fd, messages, MOST, MSG_DONTWAIT, NULL);
	now = numbered_now();
	for (i = 0; i < n; i++)
		take(room[i], messages[i].msg_len, now);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	uint32_t info[DROPS + 1] = {0};
	socklen_t len = sizeof(info);
	double start, seconds;
	long window;
	int fd;

	if (argc < 5)
		return 2;
	letters = numbered_letters();
	fd = open_socket(atoi(argv[1]));
	size = (size_t)atoi(argv[2]);
	count = atol(argv[3]);
	window = atol(argv[4]);
	before = argc > 5 ? strlen("Hello, ") : 0;
	behind = argc > 5 ? strlen("!") : 0;
	sent_at = calloc((size_t)count, sizeof(*sent_at));
	took = calloc((size_t)count, sizeof(*took));
	answered = calloc((size_t)count, sizeof(*answered));
	if (fd < 0 || size + 8 > ROOM || window > MOST || sent_at == NULL ||
	    took == NULL || answered == NULL)
		return 1;
	start = numbered_now();
	/* A server that loses nearly all of them is not waited for. */
	while (good + lost + wrong < count && lost < 100 * window &&
	       send_more(fd, window) == 0)
		receive(fd);
	seconds = numbered_now() - start;
	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	qsort(took, (size_t)good, sizeof(*took), compare);
	printf("%.1f %.2f %.2f %ld %ld %ld %ld\n", (double)good / seconds,
	    good > 0 ? took[good / 2] * 1e6 : 0,
	    good > 0 ? took[good * 99 / 100] * 1e6 : 0, lost, (long)info[DROPS],
	    wrong, joined);
	return 0;
}
