/* Classification: the state of a port, from the outcomes of its probes. */
#ifndef SCAN_CLASSIFY_H
#define SCAN_CLASSIFY_H

#include <stdint.h>

#include "scan/ready.h"
#include "scan/scan_options.h"

struct scan;

/* The state that a reason belongs to. */
enum scan_state classify_state(enum scan_reason reason);

const char *classify_state_name(enum scan_state state);    /* "open" */
const char *classify_reason_name(enum scan_reason reason); /* "no answer" */

/* Reads the banner of an open port, if there is one yet. */
void classify_banner(struct scan *s, uint32_t id);

/*
 * Handles the outcome of probe id: reports its port, or schedules another try
 * after a local failure.
 */
void classify_outcome(struct scan *s, uint32_t id, struct ready_outcome o);

/* Handles the expired timer of probe id: extends it, schedules another try, or
 * reports the port. */
void classify_expired(struct scan *s, uint32_t id);

/* Reports count ports of a host that is skipped because it answered nothing. */
void classify_skipped(struct scan *s, uint32_t host, uint32_t count);

#endif
