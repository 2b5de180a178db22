/* The report of a scan: collects, counts and prints results in three formats.
 */
#ifndef CMD_SCAN_REPORT_H
#define CMD_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "net/addr.h"
#include "scan/scan.h"

/* A host that has results. */
struct scan_report_host {
	/* It has this index in the targets. */
	uint64_t index;
	/* It owns its rows, with their banners and senders. */
	struct scan_result *rows;
	size_t count, capacity;
	/* This many ports have each reason. */
	uint32_t counts[SCAN_REASONS];
	/* The slot holds a host. */
	bool is_used;
};

struct scan_report {
	/* The caller sets these, and zeroes the rest. */
	const struct targets *targets;
	const char *protocol; /* "tcp" or "udp" */
	/* The table has a column of reasons even if all ports are open. */
	bool with_reason;
	/* The table has a column of banners. */
	bool with_banner;
	/* Closed and filtered ports have rows as well. */
	bool all;
	/* --retry-for was given: nothing is shown before its end. */
	bool waits;
	/* The targets so far have this many hosts, in whatever shards. */
	uint64_t hosts;
	/* The scans so far are of this many ports. */
	uint64_t total;
	/* The first scan began at this time; its progress was started. */
	int64_t start_ns;
	struct progress live;

	/* The report owns the names by port; NULL: there is no column. */
	char **services;
	/* It owns the hosts that are being scanned, by slot. */
	struct scan_report_host *slots;
	uint32_t slot_count;
	/* It owns the hosts that are printed at the end. */
	struct scan_report_host *held;
	size_t held_count, held_capacity;
	/* This many hosts have been printed. */
	uint64_t printed;
	/* This many ports of all hosts have each reason; decided is the sum. */
	uint64_t totals[SCAN_REASONS];
	uint64_t decided;
	/* The host or a router has answered that a port is open or not; silence
	 * and local failures are in neither number. */
	uint64_t open, closed;
	/* This many ports could not be probed. */
	uint64_t failed;
	/* The hosts with an open port, with closed ones only, without an
	 * answer, and those that could not be probed. */
	uint64_t with_open, without, silent, unprobed;
	/* The last local failure, its host, and how often that changed; 1: no
	 * other host failed. */
	int errnum;
	struct addr failed_host;
	uint64_t failed_hosts;
	/* Some results have not been written yet. */
	bool has_results;
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

/* Emits the "summary" event. rest names the shards that are left, or is "". */
void scan_report_summary(
    const struct scan_report *r, const char *rest, uint64_t sent);

/* Returns the exit status: ERR_NONE if a port is open, otherwise the status of
 * the best state. */
enum err_kind scan_report_status(const struct scan_report *r);

/* Frees what the report owns. */
void scan_report_release(struct scan_report *r);

#endif
