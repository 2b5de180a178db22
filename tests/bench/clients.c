/*
 * clients PORT COUNT WINDOW: COUNT conversations, WINDOW at a time: connect,
 * send "Michael" as a line, wait for an answer that ends with a newline,
 * finish, wait for the end. Prints conversations per second, the median, the
 * 99th percentile and the longest in milliseconds, and how many failed.
 *
 * clients PORT COUNT hold: opens COUNT connections, each of which has its
 * answer, prints "held" and closes when its stdin ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Seconds without any progress after which the rest has failed. */
#define IDLE_SECONDS 10

static const char line[] = "Michael\n";

struct conversation {
	int fd;
	bool is_sent, is_answered;
	double start;
};

static struct conversation *conversations;
static double *took;
static int port, queue, opened, done, failed;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* From an address of its own a connection has a port of its own. */
static int
dial(int number, bool wait)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int on = 1, fd;

	fd = socket(AF_INET, SOCK_STREAM | (wait ? 0 : SOCK_NONBLOCK), 0);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	a.sin_addr.s_addr = htonl(0x7f010001u + (unsigned)(number % 250) * 256);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)port);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
begin(struct conversation *c)
{
	struct epoll_event e = {
	    .events = EPOLLIN | EPOLLOUT, .data = {.ptr = c}};

	*c = (struct conversation){.fd = dial(opened++, false), .start = now()};
	if (c->fd < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, c->fd, &e) < 0) {
		failed++;
		done++;
	}
}

static void
finish(struct conversation *c, bool good, int count)
{
	close(c->fd);
	if (good)
		took[done - failed] = now() - c->start;
	else
		failed++;
	done++;
	if (opened < count)
		begin(c);
}

/* A step of one conversation. */
static void
advance(struct conversation *c, int count)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = c}};
	char text[64];
	ssize_t n;

	if (!c->is_sent) {
		c->is_sent = true;
		if (send(c->fd, line, strlen(line), MSG_NOSIGNAL) < 0 ||
		    epoll_ctl(queue, EPOLL_CTL_MOD, c->fd, &e) < 0)
			finish(c, false, count);
		return;
	}
	n = recv(c->fd, text, sizeof(text), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		finish(c, n == 0 && c->is_answered, count);
		return;
	}
	if (!c->is_answered && text[n - 1] == '\n') {
		c->is_answered = true;
		shutdown(c->fd, SHUT_WR);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
converse(int count, int window)
{
	struct epoll_event events[256];
	double start = now(), seconds;
	int i, n, good;

	for (i = 0; i < window; i++)
		begin(&conversations[i]);
	while (done < count) {
		n = epoll_wait(queue, events, 256, IDLE_SECONDS * 1000);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			advance(events[i].data.ptr, count);
	}
	seconds = now() - start;
	good = done - failed;
	qsort(took, (size_t)good, sizeof(*took), compare);
	printf("%.1f %.3f %.3f %.3f %d\n", good / seconds,
	    good ? took[good / 2] * 1e3 : 0,
	    good ? took[good * 99 / 100] * 1e3 : 0,
	    good ? took[good - 1] * 1e3 : 0, count - good);
	return 0;
}

static int
hold(int count)
{
	char text[64];
	ssize_t n;
	int i, fd;

	for (i = 0; i < count; i++) {
		fd = dial(i, true);
		if (fd < 0 || send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			return 1;
		do
			n = recv(fd, text, sizeof(text), 0);
		while (n > 0 && text[n - 1] != '\n');
		if (n <= 0)
			return 1;
	}
	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, text, sizeof(text)) > 0)
		continue;
	return 0;
}

int
main(int argc, char **argv)
{
	int count, window;

	if (argc < 4)
		return 2;
	port = atoi(argv[1]);
	count = atoi(argv[2]);
	if (strcmp(argv[3], "hold") == 0)
		return hold(count);
	window = atoi(argv[3]) < count ? atoi(argv[3]) : count;
	conversations = calloc((size_t)window, sizeof(*conversations));
	took = calloc((size_t)count, sizeof(*took));
	queue = epoll_create1(0);
	if (conversations == NULL || took == NULL || queue < 0)
		return 1;
	return converse(count, window);
}
