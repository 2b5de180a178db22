/* The report of a scan: collects, counts and prints results in three formats.
 */
#ifndef CMD_SCAN_REPORT_H
#define CMD_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scan/scan_options.h"

/* A port in the report. */
struct scan_row {
	uint16_t port;
	uint8_t reason; /* enum scan_reason */
	int64_t ns;     /* round-trip time of the response */
	char *banner;   /* bytes, owned, or NULL */
	size_t banner_size;
};

/* A host that has results. */
struct scan_report_host {
	uint64_t index;        /* in the targets */
	struct scan_row *rows; /* owned */
	size_t count, capacity;
	uint32_t counts[SCAN_REASONS]; /* ports */
	bool is_used;
};

struct scan_report {
	const struct targets *targets; /* the caller's */
	const char *protocol;          /* "tcp" or "udp" */
	bool is_bare;      /* HOST:PORT of each open port, not tables */
	bool all;          /* rows for closed and filtered ports too */
	bool with_reason;  /* a column for it, even if all ports are open */
	bool with_service; /* look up services */
	bool with_banner;  /* a column for it */
	bool is_held;      /* print nothing before the end: --retry-for */
	uint64_t hosts;    /* of the targets so far, whatever the shard */
	uint64_t total;    /* ports of the scan so far */
	char **services;   /* names by port, owned; NULL: none */
	struct scan_report_host *slots; /* hosts that are scanned; owned */
	uint32_t slot_count;
	struct scan_report_host *held; /* hosts that wait for the end; owned */
	size_t held_count, held_capacity;
	uint64_t printed;              /* hosts */
	uint64_t totals[SCAN_REASONS]; /* ports of all hosts */
	uint64_t skipped_failed;       /* SCAN_SKIPPED of hosts that failed */
	uint64_t with_open, without, silent, failed; /* hosts, by result */
	int errnum; /* of the last local error */
};

/* Starts a report. The caller has set the fields above services; the others are
 * zero. */
void scan_report_start(struct scan_report *r);

/* Drops the results, for another scan. */
void scan_report_clear(struct scan_report *r);

/* Adds a result; with --json emits a "port" event, unless it is held. */
void scan_report_add(struct scan_report *r, const struct scan_result *result);

/* The host in slot has all its results: prints it, unless it is held. */
void scan_report_host_done(struct scan_report *r, uint32_t slot);

/* The number of ports that have a result. */
uint64_t scan_report_decided(const struct scan_report *r);

/* The number of ports that could not be probed. */
uint64_t scan_report_failed(const struct scan_report *r);

/* The number of open ports. */
uint64_t scan_report_open(const struct scan_report *r);

/* The number of ports that are not open, as the host or a router has answered;
 * silence and local failures show nothing. */
uint64_t scan_report_closed(const struct scan_report *r);

/* Prints what has not been printed yet, and the sums. */
void scan_report_end(struct scan_report *r);

/* Emits the "summary" event. rest: the shards that are left, or "". */
void scan_report_summary(
    const struct scan_report *r, const char *rest, uint64_t sent, int64_t ns);

/* The exit status: ERR_NONE if a port is open, otherwise by the best state. */
enum err_kind scan_report_status(const struct scan_report *r);

void scan_report_release(struct scan_report *r);

#endif
