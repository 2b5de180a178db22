/*
 * The retry rule of a scan. A silent port is probed again before it is called
 * filtered, more often where answers get lost. A probe that this machine
 * cannot send is tried again after a pause: a shortage of what every probe
 * needs (descriptors, buffers, ports) holds up the whole scan, a network that
 * fails only the probes to its hosts.
 */
#ifndef SCAN_RETRY_H
#define SCAN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct scan;

/* Sets the timer of probe id, which was sent and may still be answered. */
void retry_set_timer(struct scan *s, uint32_t id);

/* Sets those of all probes in flight: the first round trip is known. */
void retry_reset_timers(struct scan *s);

/* Whether probe id has more time: its host's answers may take longer by now. */
bool retry_is_early(const struct scan *s, uint32_t id);

/* Whether the port of probe id, which is silent, has had all its tries. */
bool retry_is_exhausted(const struct scan *s, uint32_t id);

/* Lets the last try go on, outside the window, for as long as -w says. False
 * when it has. */
bool retry_extend(struct scan *s, uint32_t id);

/* Schedules another try of probe id's port. */
void retry_schedule(struct scan *s, uint32_t id);

/*
 * The next scheduled try, which has to be sent now. The earlier one remains
 * open for late answers, if there are slots for both.
 */
uint32_t retry_next(struct scan *s);

/*
 * Probe id failed locally with errnum, and its socket is closed. Schedules
 * another try; false when that has gone on for long enough.
 */
bool retry_failed(struct scan *s, uint32_t id, int errnum);

/*
 * Whether probe id has to wait, since nothing can be sent to its host at the
 * moment: then its timer is set.
 */
bool retry_holds(struct scan *s, uint32_t id);

/* Something was sent to the host of probe id: it can be reached. */
void retry_clear(struct scan *s, uint32_t id);

#endif
