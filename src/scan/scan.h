/*
 * A connect scan: which ports of which hosts are open, found out by
 * connecting, many at once, without privilege. A probe that is answered is
 * decided; one that is not is asked again before its port is called filtered.
 * What fails on this machine is tried again and never becomes a port's state.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct err;
struct targets;

/* First words are cut at so many bytes. */
#define SCAN_BANNER 256

enum scan_state {
	SCAN_OPEN,
	SCAN_CLOSED,
	SCAN_FILTERED,
	SCAN_OPEN_FILTERED, /* UDP: either of the two */
	SCAN_UNKNOWN        /* not found out, for a reason on this side */
};

/* What became of a port, and why; each reason belongs to one state. */
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
	SCAN_LOCAL,         /* unknown: this machine could not ask */
	SCAN_SKIPPED,       /* unknown: the host answered nothing */
	SCAN_REASONS
};

enum scan_state scan_state_of(enum scan_reason reason);
const char *scan_state_name(enum scan_state state);    /* "open" */
const char *scan_reason_name(enum scan_reason reason); /* "no answer" */

/* One port that is decided; or the rest of a host that is given up. */
struct scan_result {
	uint32_t host; /* of the targets */
	uint16_t port;
	uint32_t count; /* ports: 1, or with SCAN_SKIPPED all that are left */
	enum scan_reason reason;
	int errnum; /* what failed here: SCAN_LOCAL, perhaps SCAN_SKIPPED */
	int64_t ns; /* from the try that was answered to its answer */
	const void *banner; /* what the service said first, or NULL */
	size_t banner_size;
};

/* How far it is, for who watches. */
struct scan_progress {
	uint64_t asked;   /* targets of this scan */
	uint64_t decided; /* of those */
	uint64_t open;
	uint64_t sent; /* probes, with re-probes */
	int64_t start_ns;
};

struct scan_options {
	const struct targets *targets;
	int type;           /* SOCK_STREAM or SOCK_DGRAM */
	int64_t banner_ms;  /* wait so long for first words; 0: do not */
	int64_t parallel;   /* probes in flight at most; 0: by descriptors */
	int64_t rate;       /* probes a second at most; 0: any */
	int64_t retries;    /* re-probes of a silent port; -1: as loss needs */
	int64_t timeout_ms; /* longest wait for an answer */
	int64_t last_ms;    /* shortest wait for one to the last try */
	bool ascending;     /* instead of a random order */
	bool no_skip;       /* go on with hosts that answer nothing */
	uint64_t seed;      /* of the random order */
	uint32_t shard, shards; /* 0 of 1: everything */
	struct deadline until;  /* end of the whole run */

	/* Called for each port as it is decided, once. */
	void (*result)(void *context, const struct scan_result *r);
	/* Called a few times a second; may be NULL. -1 with *e ends it. */
	int (*progress)(
	    void *context, const struct scan_progress *p, struct err *e);
	void *context;
};

/*
 * Runs it to its end; *end tells how far it came. 0, or -1 with *e: EINTR when
 * a caught signal asked to stop, ERR_TIMEOUT when until passed; results so far
 * have been told.
 */
int scan_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e);

/*
 * Raises the limit of open descriptors as far as it goes. How many probes may
 * be in flight, at least 1.
 */
uint32_t scan_capacity(void);

#endif
