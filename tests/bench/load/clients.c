/*
 * clients PORT COUNT WINDOW: COUNT hello conversations, WINDOW at a time:
 * connect, wait for the greeting, send a name, wait for the answer, finish,
 * wait for the end. Prints conversations a second, the median, the 99th
 * percentile and the longest in milliseconds, and how many went wrong.
 *
 * clients PORT COUNT hold: opens COUNT connections, waits for each greeting,
 * prints "held" and closes when its stdin ends.
 *
 * clients PORT COUNT echo: the same with an echo server: sends eight bytes on
 * each connection once all are open, and waits for them. Prints "held" and the
 * seconds until all were open.
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

/* Seconds without any progress after which the rest counts as wrong. */
#define PATIENCE 10

enum stage { GREETING, ANSWER, END };

struct conversation {
	int fd;
	enum stage stage;
	size_t got; /* bytes of this stage */
	double start;
};

static struct conversation *conversations;
static double *took;
static int port, queue, opened, done, wrong;

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
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = c}};

	c->start = now();
	c->stage = GREETING;
	c->got = 0;
	c->fd = dial(opened++, false);
	if (c->fd < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, c->fd, &e) < 0) {
		wrong++;
		done++;
	}
}

static void
finish(struct conversation *c, bool good, int count)
{
	close(c->fd);
	if (good)
		took[done - wrong] = now() - c->start;
	else
		wrong++;
	done++;
	if (opened < count)
		begin(c);
}

/* A step of one conversation. */
static void
advance(struct conversation *c, int count)
{
	static const size_t wants[] = {8, 16};
	char text[64];
	ssize_t n = recv(c->fd, text, sizeof(text), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		finish(c, n == 0 && c->stage == END, count);
		return;
	}
	c->got += (size_t)n;
	if (c->stage == END || c->got < wants[c->stage])
		return;
	if (c->stage == ANSWER)
		shutdown(c->fd, SHUT_WR);
	else if (send(c->fd, "Michael\n", 8, MSG_NOSIGNAL) != 8)
		c->stage = END;
	c->stage++;
	c->got = 0;
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
		n = epoll_wait(queue, events, 256, PATIENCE * 1000);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			advance(events[i].data.ptr, count);
	}
	seconds = now() - start;
	good = done - wrong;
	qsort(took, (size_t)good, sizeof(*took), compare);
	printf("%.1f %.3f %.3f %.3f %d\n", good / seconds,
	    good ? took[good / 2] * 1e3 : 0,
	    good ? took[good * 99 / 100] * 1e3 : 0,
	    good ? took[good - 1] * 1e3 : 0, count - good);
	return 0;
}

/* Whether the server greets, or sends back what is particular to it. */
static bool
is_served(int fd, int number, bool echoes)
{
	char text[9] = "", sent[9];

	snprintf(sent, sizeof(sent), "%07d\n", number % 10000000);
	if (echoes && send(fd, sent, 8, MSG_NOSIGNAL) != 8)
		return false;
	return recv(fd, text, 8, MSG_WAITALL) == 8 &&
	       (!echoes || strcmp(text, sent) == 0);
}

static int
hold(int count, bool echoes)
{
	int *fds = calloc((size_t)count, sizeof(*fds)), i;
	double start = now();
	char text[64];

	for (i = 0; i < count; i++) {
		fds[i] = dial(i, true);
		if (fds[i] < 0 || (!echoes && !is_served(fds[i], i, false)))
			return 1;
	}
	start = now() - start;
	for (i = 0; i < count && echoes; i++)
		if (!is_served(fds[i], i, true))
			return 1;
	printf("held %.3f\n", start);
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
	if (strcmp(argv[3], "hold") == 0 || strcmp(argv[3], "echo") == 0)
		return hold(count, strcmp(argv[3], "echo") == 0);
	window = atoi(argv[3]) < count ? atoi(argv[3]) : count;
	conversations = calloc((size_t)window, sizeof(*conversations));
	took = calloc((size_t)count, sizeof(*took));
	queue = epoll_create1(0);
	if (conversations == NULL || took == NULL || queue < 0)
		return 1;
	return converse(count, window);
}
