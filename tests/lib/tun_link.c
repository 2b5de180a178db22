/*
 * A link between two network namespaces that takes its time and loses
 * packets, for kernels without netem: a TUN device in each, and this process
 * between them. Linux only.
 *
 *	link NAMESPACE-A NAMESPACE-B DELAY-MS LOSS-PERMILLE QUEUE [PORT
 *DELAY-MS]
 *
 * makes the devices t0 in A and t1 in B, says "ready" and forwards until it is
 * killed: half of the delay each way, so many of a thousand packets lost each
 * way, and at most QUEUE packets under way in one direction. Packets to PORT
 * take a delay of their own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MOST 65536
#define MTU 1500

/* A packet under way. */
struct packet {
	int64_t due_ns;
	size_t size;
	unsigned char *bytes;
};

/* One direction: a queue in the order of sending. */
struct way {
	int in, out;
	struct packet ring[MOST];
	size_t head, count, most;
};

/* There, back, and to the slow port. */
static struct way ways[3];
static int64_t delay_ns, slow_ns;
static long loss, slow_port = -1;
static uint64_t seed = 88172645463325252u;

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static bool
is_lost(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (long)(seed % 1000) < loss;
}

static int
open_tun(const char *space, const char *name)
{
	struct ifreq ifr;
	char path[256];
	int fd, ns;

	snprintf(path, sizeof(path), "/var/run/netns/%s", space);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("/dev/net/tun");
	return fd;
}

/* An IPv4 packet of TCP to the slow port? */
static bool
is_slow(const unsigned char *bytes, size_t n)
{
	size_t header = (size_t)(bytes[0] & 15) * 4;

	return slow_port >= 0 && n >= header + 4 && bytes[0] >> 4 == 4 &&
	       bytes[9] == 6 &&
	       (bytes[header + 2] << 8 | bytes[header + 3]) == slow_port;
}

/* Takes everything that has been sent. */
static void
take(struct way *normal)
{
	unsigned char bytes[MTU];
	struct packet *p;
	struct way *w;
	ssize_t n;

	while ((n = read(normal->in, bytes, sizeof(bytes))) > 0) {
		w = is_slow(bytes, (size_t)n) ? &ways[2] : normal;
		if (is_lost() || w->count == w->most)
			continue;
		p = &w->ring[(w->head + w->count++) % MOST];
		p->due_ns = now() + (w == normal ? delay_ns / 2 : slow_ns);
		p->size = (size_t)n;
		p->bytes = malloc(p->size);
		if (p->bytes == NULL)
			die("malloc");
		memcpy(p->bytes, bytes, p->size);
	}
}

/* Delivers what is due; when the next packet is, or -1. */
static int64_t
deliver(struct way *w)
{
	int64_t t = now();

	while (w->count > 0) {
		struct packet *p = &w->ring[w->head];

		if (p->due_ns > t)
			return p->due_ns - t;
		if (write(w->out, p->bytes, p->size) < 0)
			p->size = 0;
		free(p->bytes);
		w->head = (w->head + 1) % MOST;
		w->count--;
	}
	return -1;
}

static void
forward(void)
{
	struct pollfd fds[2] = {
	    {.fd = ways[0].in, .events = POLLIN},
	    {.fd = ways[1].in, .events = POLLIN},
	};
	struct timespec ts;
	int64_t next, wait;
	int i;

	for (;;) {
		take(&ways[0]);
		take(&ways[1]);
		wait = -1;
		for (i = 0; i < 3; i++) {
			next = deliver(&ways[i]);
			if (next >= 0 && (wait < 0 || next < wait))
				wait = next;
		}
		ts.tv_sec = 0;
		ts.tv_nsec = (long)wait;
		ppoll(fds, 2, wait < 0 ? NULL : &ts, NULL);
	}
}

int
main(int argc, char **argv)
{
	int a, b;

	if (argc != 6 && argc != 8) {
		fprintf(
		    stderr, "usage: link A B DELAY LOSS QUEUE [PORT DELAY]\n");
		return 2;
	}
	a = open_tun(argv[1], "t0");
	b = open_tun(argv[2], "t1");
	delay_ns = atol(argv[3]) * 1000000;
	loss = atol(argv[4]);
	ways[0].in = ways[1].out = a;
	ways[1].in = ways[0].out = b;
	if (argc == 8) {
		slow_port = atol(argv[6]);
		slow_ns = atol(argv[7]) * 1000000;
	}
	ways[2].out = b;
	ways[0].most = ways[1].most = (size_t)atol(argv[5]);
	ways[2].most = ways[0].most;
	if (ways[0].most == 0 || ways[0].most > MOST)
		return 2;
	/* A network waits for no processor. */
	if (setpriority(PRIO_PROCESS, 0, -20) < 0)
		perror("setpriority");
	printf("ready\n");
	fflush(stdout);
	forward();
	return 0;
}
