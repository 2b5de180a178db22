/* What a scan is asked to do, and what it reports. */
#ifndef SCAN_SCAN_OPTIONS_H
#define SCAN_SCAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct err;
struct order;

/* Bytes of a banner that are kept. */
#define SCAN_BANNER 256

enum scan_state {
	SCAN_OPEN,
	SCAN_CLOSED,
	SCAN_FILTERED,
	SCAN_OPEN_FILTERED, /* UDP: either of the two */
	SCAN_UNKNOWN        /* for a local reason */
};

/* Why a port is in its state; each reason belongs to one state. */
enum scan_reason {
	SCAN_CONNECTED,     /* open: the handshake was completed */
	SCAN_ANSWERED,      /* open: a datagram came back */
	SCAN_REFUSED,       /* closed */
	SCAN_SILENT,        /* filtered: no answer to any try */
	SCAN_NO_REPLY,      /* open or filtered: no datagram and no refusal */
	SCAN_HOST_UNREACH,  /* filtered: ICMP host unreachable, or no ARP */
	SCAN_NET_UNREACH,   /* filtered: ICMP net unreachable */
	SCAN_PROHIBITED,    /* filtered: administratively prohibited */
	SCAN_PROTO_UNREACH, /* filtered: ICMP protocol unreachable */
	SCAN_LOCAL,         /* unknown: this machine could not probe */
	SCAN_SKIPPED,       /* unknown: the host answered nothing */
	SCAN_REASONS
};

/* A port that is decided; or the remaining ports of a skipped host. */
struct scan_result {
	uint32_t host; /* index in the targets */
	uint16_t port;
	uint32_t count; /* ports: 1, or with SCAN_SKIPPED all that remain */
	enum scan_reason reason;
	int errnum; /* of the local failure: SCAN_LOCAL, perhaps SCAN_SKIPPED */
	int64_t ns; /* round trip of the answer */
	const void *banner; /* the first bytes of the service, or NULL */
	size_t banner_size;
};

struct scan_progress {
	uint64_t sent; /* probes, re-probes included */
	int64_t start_ns;
};

struct scan_options {
	const struct order *order; /* of the targets */
	int type;                  /* SOCK_STREAM or SOCK_DGRAM */
	int64_t banner_ms;         /* wait for a banner; 0: none is read */
	int64_t parallel;   /* limit of probes in flight; 0: descriptors */
	int64_t rate;       /* limit of probes per second; 0: none */
	int64_t retries;    /* re-probes of a silent port; -1: as loss needs */
	int64_t timeout_ms; /* longest wait for an answer */
	int64_t last_ms;    /* shortest wait for one to the last try */
	bool no_skip;       /* continue with hosts that answer nothing */
	struct deadline until; /* --max-time */

	/* Called once for each result. */
	void (*result)(void *context, const struct scan_result *r);
	/* Called several times a second; may be NULL. -1 with *e ends the run.
	 */
	int (*progress)(
	    void *context, const struct scan_progress *p, struct err *e);
	void *context;
};

#endif
