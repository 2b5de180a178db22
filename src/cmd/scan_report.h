/* The report of a scan: results collected, counted, and printed in 4 forms. */
#ifndef CMD_SCAN_REPORT_H
#define CMD_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scan/scan_options.h"
#include "scan/service.h"

struct targets;

enum scan_form {
	SCAN_TABLE,     /* for people */
	SCAN_GREPPABLE, /* one line per host */
	SCAN_BARE       /* HOST:PORT of open ports */
};

/* A port that is shown. */
struct scan_row {
	uint32_t host;
	uint16_t port;
	uint8_t reason; /* enum scan_reason */
	int64_t ns;     /* round trip of the answer */
	char *banner;   /* bytes, owned, or NULL */
	size_t banner_size;
};

struct scan_report {
	const struct targets *targets; /* the caller's */
	const char *protocol;          /* "tcp" or "udp" */
	enum scan_form form;
	bool all;          /* rows for closed and filtered ports too */
	bool with_reason;  /* a column for it */
	bool with_service; /* look services up */
	bool with_banner;  /* a column for it */
	bool with_events;  /* --json: an event for each result as it comes */
	uint64_t total;    /* ports of the scan */
	struct service_list services;
	struct scan_row *rows; /* owned */
	size_t count, capacity;
	uint32_t *counts;              /* SCAN_REASONS for each host */
	uint64_t totals[SCAN_REASONS]; /* of all hosts */
	uint64_t skipped_failed; /* of SCAN_SKIPPED: of hosts that failed */
	int errnum;              /* of the last local failure */
};

/* The caller has filled the fields above services, the others are zero. */
void scan_report_start(struct scan_report *r);

/* Drops the results. */
void scan_report_clear(struct scan_report *r);

/* Adds a result; with --json a "port" event at once. */
void scan_report_add(struct scan_report *r, const struct scan_result *result);

/* How many ports were decided. */
uint64_t scan_report_decided(const struct scan_report *r);

/* How many ports could not be probed. */
uint64_t scan_report_failed(const struct scan_report *r);

/* How many ports are open. */
uint64_t scan_report_open(const struct scan_report *r);

/* Prints the results to stdout, sorted; with --json those without events. */
void scan_report_print(struct scan_report *r);

/* The "summary" event. */
void scan_report_summary(
    const struct scan_report *r, uint64_t sent, int64_t ns);

/* The exit status: done where a port is open, else the best state. */
enum err_kind scan_report_status(const struct scan_report *r);

void scan_report_release(struct scan_report *r);

#endif
