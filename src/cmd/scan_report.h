/* The report of a scan: collects, counts and prints results in three formats.
 */
#ifndef CMD_SCAN_REPORT_H
#define CMD_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/diag.h"
#include "net/addr.h"
#include "scan/scan.h"

/* A host that has results. */
struct scan_report_host {
	uint64_t index;           /* in the targets */
	struct scan_result *rows; /* owned, with their banners */
	size_t count, capacity;
	uint32_t counts[SCAN_REASONS]; /* ports */
	bool is_used;
};

/* The caller sets the first six, hosts and total, and zeroes the rest. */
struct scan_report {
	const struct targets *targets;
	const char *protocol; /* "tcp" or "udp" */
	bool with_reason;     /* a column for it, even if all ports are open */
	bool with_banner;     /* a column for it */
	bool all;             /* rows for closed and filtered ports too */
	bool waits;           /* --retry-for: nothing is shown before its end */
	uint64_t hosts;       /* of the targets so far, whatever the shard */
	uint64_t total;       /* ports of the scan so far */
	char **services;      /* names by port, owned; NULL: no column */
	struct scan_report_host *slots; /* hosts that are scanned; owned */
	uint32_t slot_count;
	struct scan_report_host *held; /* hosts that wait for the end; owned */
	size_t held_count, held_capacity;
	uint64_t printed;              /* hosts */
	uint64_t totals[SCAN_REASONS]; /* ports of all hosts */
	uint64_t decided;              /* the sum: ports that have a result */
	uint64_t open;
	uint64_t closed; /* not open, as the host or a router has answered;
			    silence and local failures show nothing */
	uint64_t failed; /* could not be probed */
	uint64_t with_open, without, silent, unprobed; /* hosts, by result */
	int errnum;              /* of the last local error */
	struct addr failed_host; /* its host */
	uint64_t failed_hosts;   /* changes of it; 1: no other failed */
	int64_t start_ns;        /* set by the caller */
	struct progress live;    /* started by the caller */
	bool has_results;        /* that are not written yet */
};

/*
 * Reads the first name of each port from services(5): a label for what usually
 * listens there; nothing has been detected.
 */
void scan_report_read_services(struct scan_report *r);

/* Drops the results, for another scan. */
void scan_report_clear(struct scan_report *r);

/*
 * The functions that a scan calls (scan/scan.h), with the report. A result is
 * added; with --json it is a "port" event. A host that has all its results is
 * printed. With --retry-for only the last scan's results count, so nothing is
 * printed before the end. The progress is one line on a terminal.
 */
void scan_report_add(void *report, const struct scan_result *result);
void scan_report_host_done(void *report, uint32_t slot);
int scan_report_progress(void *report, struct err *e);

/* Prints what has not been printed yet, and the sums. */
void scan_report_finish(struct scan_report *r);

/* Emits the "summary" event. rest: the shards that are left, or "". */
void scan_report_summary(
    const struct scan_report *r, const char *rest, uint64_t sent);

/* The exit status: ERR_NONE if a port is open, otherwise by the best state. */
enum err_kind scan_report_status(const struct scan_report *r);

void scan_report_release(struct scan_report *r);

#endif
