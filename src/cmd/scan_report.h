/* The results of a scan: collected, counted, and printed in four forms. */
#ifndef CMD_SCAN_REPORT_H
#define CMD_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scan/scan.h"
#include "scan/service.h"

struct targets;

enum scan_form {
	SCAN_TABLE,     /* for people */
	SCAN_GREPPABLE, /* a line a host */
	SCAN_BARE       /* HOST:PORT of open ports */
};

/* One port that is shown. */
struct scan_row {
	uint32_t host;
	uint16_t port;
	uint8_t reason; /* enum scan_reason */
	int64_t ns;     /* until it was answered */
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
	bool with_events;  /* --json: a result is told as it comes */
	uint64_t asked;    /* pairs that were to be asked */
	struct service_list services;
	struct scan_row *rows; /* owned */
	size_t count, room;
	uint32_t *counts;              /* SCAN_REASONS for each host */
	uint64_t totals[SCAN_REASONS]; /* of all hosts */
	uint64_t failed; /* of SCAN_SKIPPED: of hosts that could not be asked */
	int errnum;      /* of the last that could not */
};

/* The caller has filled the fields above services. */
void scan_report_start(struct scan_report *r);

/* Forgets what was collected. */
void scan_report_clear(struct scan_report *r);

/* Takes a result; with --json a "port" event at once. */
void scan_report_add(struct scan_report *r, const struct scan_result *result);

/* How many pairs were decided. */
uint64_t scan_report_decided(const struct scan_report *r);

/* How many ports this machine could not ask. */
uint64_t scan_report_failed(const struct scan_report *r);

/* How many ports are open. */
uint64_t scan_report_open(const struct scan_report *r);

/* Prints what there is, sorted, to stdout; with --json what was not told. */
void scan_report_print(struct scan_report *r);

/* The "summary" event. */
void scan_report_summary(
    const struct scan_report *r, uint64_t sent, int64_t ns);

/* The exit status: done where something is open, else the best that is left. */
enum err_kind scan_report_status(const struct scan_report *r);

void scan_report_release(struct scan_report *r);

#endif
