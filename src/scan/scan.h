/*
 * A connect scan: finds the open ports of hosts by connecting to many at once,
 * without privileges. A silent port is probed again before it is reported as
 * filtered. A local failure never becomes a port's state: the probe is tried
 * again. Memory is needed only for what is in flight: no more hosts are begun
 * than probes fit, and a host ends when all its ports have a result.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "scan/targets.h"

struct err;
struct port_list;

/* The maximum number of bytes of a banner. */
#define SCAN_BANNER 256

/* Why a port is in its state; each reason belongs to one state. */
enum scan_reason {
	SCAN_CONNECTED,     /* open: the handshake was completed */
	SCAN_ANSWERED,      /* open: a datagram was received */
	SCAN_REFUSED,       /* closed */
	SCAN_SILENT,        /* filtered: no try was answered */
	SCAN_NO_REPLY,      /* open or filtered: neither datagram nor refusal */
	SCAN_HOST_UNREACH,  /* filtered: ICMP host unreachable, or no ARP */
	SCAN_NET_UNREACH,   /* filtered: ICMP net unreachable */
	SCAN_PROHIBITED,    /* filtered: administratively prohibited */
	SCAN_PROTO_UNREACH, /* filtered: ICMP protocol unreachable */
	SCAN_LOCAL,         /* unknown: this machine could not probe */
	SCAN_SKIPPED,       /* unknown: the host answered nothing */
	SCAN_REASONS
};

/* A port and its state, or the remaining ports of a skipped host. */
struct scan_result {
	/* The host has this index in the targets and, while it is scanned, the
	 * number of this slot: a small one, which is used again. */
	uint64_t host;
	uint32_t slot;
	uint16_t port;
	/* The result is of this many ports: of 1, or, if the reason is
	 * SCAN_SKIPPED, of all that remain. */
	uint32_t count;
	enum scan_reason reason;
	/* This machine failed with it: SCAN_LOCAL, perhaps SCAN_SKIPPED. */
	int errnum;
	/* The answer took this long. */
	int64_t ns;
	/* The sender of the ICMP error that is the reason, or NULL. */
	const struct addr *by;
	/* The first bytes that the service has sent, or NULL. */
	const void *banner;
	size_t banner_size;
};

struct scan_progress {
	/* This many probes were sent, including re-probes. */
	uint64_t sent;
	/* The last probe could not be sent because of it; 0: it was sent. */
	int errnum;
	/* At the end of a scan: another one that begins at this position of the
	 * walk continues it. */
	uint64_t next;
};

struct scan_options {
	/* These ports of this part of the targets are scanned. */
	const struct targets *targets;
	struct targets_part part;
	const struct port_list *ports;
	/* All probes leave by this interface; NULL: the routes decide. */
	const char *interface;
	/* SOCK_STREAM or SOCK_DGRAM. */
	int type;
	/* A service may take this long to send a banner; 0: none is read. */
	int64_t banner_ms;
	/* At most this many probes are in flight; 0: as many as there are
	 * descriptors for. */
	int64_t parallel;
	/* At most this many probes are sent per second; 0: any number. */
	int64_t rate;
	/* No answer is awaited for longer than timeout_ms; the answer to the
	 * last try of a port is awaited for at least last_ms. */
	int64_t timeout_ms, last_ms;
	/* The scan ends at this time (--max-time). */
	struct deadline until;

	/* Is called once for each result. */
	void (*result)(void *context, const struct scan_result *r);
	/* Is called when all ports of the host in slot have a result. */
	void (*host_done)(void *context, uint32_t slot);
	/* Is called several times a second. -1 with *e ends the scan. */
	int (*progress)(void *context, struct err *e);
	void *context;
};

/*
 * Runs a scan, and sets *end to its final progress. Returns 0, or -1 with *e:
 * EINTR after a caught signal, ERR_TIMEOUT when o->until has passed. All
 * results up to then have been reported.
 */
int scan_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e);

/*
 * Raises the limit of open descriptors as far as the system permits. Returns
 * how many probes may be in flight, at least 1.
 */
uint32_t scan_capacity(void);

#endif
