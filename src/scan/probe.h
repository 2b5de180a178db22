/*
 * A probe of a scan on the wire: its socket, what is sent, and what came of it.
 * For TCP it is a connect(2). For UDP it is a datagram with a harmless request
 * in the protocol that usually runs on the port, since many services answer
 * nothing else. When probes are sent, and how often, is decided in scan.c.
 */
#ifndef SCAN_PROBE_H
#define SCAN_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os.h"

struct ready_set;
struct targets;

/* What all probes of a scan have in common. */
struct prober {
	/* The caller sets these. */
	const struct targets *targets; /* The hosts. */
	int type;                      /* SOCK_STREAM or SOCK_DGRAM. */
	const char *interface;         /* All probes leave by it; NULL: any. */
	/* The sockets that are polled. A probe leaves the set before its socket
	 * is closed. */
	struct ready_set *set;

	bool has_errors; /* The system queues the ICMP errors of a socket. */
	/* The ICMP error that was the last outcome; errnum 0: it was not one.
	 */
	struct os_error icmp;
};

/* One try to find out the state of a port. The caller sets host, port and id,
 * and fd to -1, before it is sent. */
struct probe {
	uint64_t host;   /* The index of its host in the targets. */
	int64_t sent_ns; /* The time when it was sent. */
	uint32_t id;     /* The number of its socket in the set. */
	int fd;          /* Its socket, or -1; it may be used again. */
	uint16_t port;
	uint8_t family;     /* The address family of the socket. */
	bool is_unreported; /* connect(2) was called: see probe_report(). */
};

/*
 * Where an outcome comes from. Only a remote one shows the state of a port. The
 * errno alone does not show its origin: connect(2) fails with EHOSTUNREACH
 * without a local route, after an ICMP message, and when a neighbor does not
 * answer.
 */
enum probe_origin {
	PROBE_REMOTE, /* The host answered, or a router on the path to it. */
	PROBE_LOCAL,  /* This machine failed: nothing was sent. */
	PROBE_UNSURE  /* Either of them, or a neighbor does not answer. */
};

struct probe_outcome {
	int errnum; /* 0: connected or answered; EINPROGRESS: none yet. */
	enum probe_origin origin;
};

/*
 * Sends a probe, from the socket that it has or from a new one. Returns its
 * outcome if it has failed at once, otherwise EINPROGRESS, or 0 for a
 * connect(2) that has succeeded.
 */
struct probe_outcome probe_send(struct prober *prober, struct probe *p);

/* Returns the outcome of a probe so far. */
struct probe_outcome probe_poll(struct prober *prober, struct probe *p);

/*
 * For -vv: reports the outcome of connect(2), if it was called and has not been
 * reported. errnum is 0 (connected), EINPROGRESS (the attempt ended without an
 * outcome), or the errno.
 */
void probe_report(const struct prober *prober, struct probe *p, int errnum);

/* Closes the socket of a probe, if it has one, with a reset. */
void probe_drop(const struct prober *prober, struct probe *p);

/*
 * Prepares the socket of a probe, if it has one, for the next probe to any
 * port, or closes it where the system cannot connect it again. in_progress:
 * connect(2) has neither succeeded nor failed.
 */
void probe_reuse(
    const struct prober *prober, struct probe *p, bool in_progress);

#endif
