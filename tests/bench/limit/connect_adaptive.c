/*
 * What a plain C loop can do across a link, to compare portscan with: connects
 * to every port of an IPv4 address, waits for each answer as RFC 6298 says, but
 * at least 100 ms, and tries a silent port a second time. No window: it relies
 * on a queue that is long enough.
 *
 *	connect_adaptive ADDRESS LOW HIGH
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 1024
#define MAX_TRIES 2
#define MS INT64_C(1000000)
/* Connects between two polls, which are 1 ms apart while there are more. */
#define BURST 64

static struct sockaddr_in target = {.sin_family = AF_INET};
static struct pollfd fds[MAX_PORTS]; /* fd -1: not in progress */
static struct {
	int64_t sent_ns;
	int tries;
} probes[MAX_PORTS];
static int first, count, begun, decided;
static int64_t srtt, rttvar; /* nanoseconds; 0: none yet */

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static void
begin(int i)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		perror("socket");
		exit(1);
	}
	target.sin_port = htons((uint16_t)(first + i));
	probes[i].sent_ns = now();
	probes[i].tries++;
	(void)connect(fd, (struct sockaddr *)&target, sizeof(target));
	fds[i].fd = fd;
	fds[i].events = POLLOUT;
}

static void
end(int i)
{
	const struct linger reset = {1, 0};

	setsockopt(fds[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fds[i].fd);
	fds[i].fd = -1;
}

static void
sample(int64_t ns)
{
	if (srtt == 0) {
		srtt = ns;
		rttvar = ns / 2;
		return;
	}
	rttvar = (3 * rttvar + llabs(ns - srtt)) / 4;
	srtt = (7 * srtt + ns) / 8;
}

static int64_t
timeout(void)
{
	int64_t ns = srtt == 0 ? 1000 * MS : srtt + 4 * rttvar;

	return ns < 100 * MS ? 100 * MS : ns;
}

static void
handle(int i, int64_t at)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (fds[i].fd < 0)
		return;
	if (fds[i].revents != 0) {
		getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error == 0)
			printf("%d/tcp open\n", first + i);
		sample(at - probes[i].sent_ns);
	} else if (at < probes[i].sent_ns + timeout()) {
		return;
	}
	end(i);
	if (fds[i].revents == 0 && probes[i].tries < MAX_TRIES)
		begin(i);
	else
		decided++;
}

int
main(int argc, char **argv)
{
	int64_t at;
	int i;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &target.sin_addr) != 1)
		return 2;
	first = atoi(argv[2]);
	count = atoi(argv[3]) - first + 1;
	if (count < 1 || count > MAX_PORTS)
		return 2;
	while (decided < count) {
		for (i = 0; i < BURST && begun < count; i++)
			begin(begun++);
		poll(fds, (nfds_t)begun, 1);
		at = now();
		for (i = 0; i < begun; i++)
			handle(i, at);
	}
	return 0;
}
