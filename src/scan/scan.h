/*
 * A connect scan: finds the open ports of hosts by connecting to many at once,
 * without privileges. A silent port is probed again before it is reported as
 * filtered. A local failure never becomes a port's state: the probe is tried
 * again. Only what is in flight needs memory: as many hosts are begun as probes
 * fit, and a host ends when all its ports have a result.
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
	uint64_t host; /* index in the targets */
	uint32_t slot; /* of the host while it is scanned: a small number */
	uint16_t port;
	uint32_t count; /* ports: 1, or all that remain (SCAN_SKIPPED) */
	enum scan_reason reason;
	int errnum; /* of a local failure: SCAN_LOCAL, perhaps SCAN_SKIPPED */
	int64_t ns; /* round-trip time of the answer */
	const struct addr
	    *by;            /* sender of an ICMP error that says so, or NULL */
	const void *banner; /* the first bytes of the service, or NULL */
	size_t banner_size;
};

struct scan_progress {
	uint64_t sent; /* probes, including re-probes */
	int errnum;    /* why the last one could not be sent; 0: it was */
	uint64_t next; /* at the end: the position of the walk where it would go
			  on */
};

struct scan_options {
	const struct targets *targets;
	struct targets_part part;
	const struct port_list *ports; /* of every host */
	const char *interface;         /* the only one; NULL: any */
	int type;                      /* SOCK_STREAM or SOCK_DGRAM */
	int64_t banner_ms;             /* wait for a banner; 0: read none */
	int64_t parallel;      /* probes in flight; 0: limited by descriptors */
	int64_t rate;          /* probes per second; 0: no limit */
	int64_t timeout_ms;    /* maximum wait for an answer */
	int64_t last_ms;       /* minimum wait for an answer to the last try */
	struct deadline until; /* --max-time */

	/* Called once for each result. */
	void (*result)(void *context, const struct scan_result *r);
	/* Called when all ports of the host in slot have a result. */
	void (*host_done)(void *context, uint32_t slot);
	/* Called several times a second. -1 with *e ends the scan. */
	int (*progress)(void *context, struct err *e);
	void *context;
};

/*
 * Runs a scan and sets *end to its final progress. Returns 0, or -1 with *e:
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
