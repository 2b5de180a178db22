/*
 * The retry rules of a scan. A silent port is probed again before it is
 * reported as filtered, and more often if answers are lost. A probe that this
 * machine cannot send is tried again after a pause: a shortage of what every
 * probe needs (descriptors, buffers, ports) delays the whole scan, a failing
 * network delays only the probes to its hosts.
 *
 * Many hosts limit their ICMP errors (RFC 1812 4.3.2.8), with a token for each:
 * while there is none, a closed UDP port is silent. So silence after a datagram
 * counts only if, for as long as any host needs for a token, no refusal was
 * received. Otherwise the port is probed again, in rounds of all silent ports
 * of the host whose pauses double after each refusal. A host that answers but
 * has refused nothing may have spent its tokens on others.
 */
#ifndef SCAN_RETRY_H
#define SCAN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct scan;

/* Sets the timer of probe id, which has been sent and may still be answered. */
void retry_set_timer(struct scan *s, uint32_t id);

/* Sets the timers of all probes in flight, after the first RTT sample. */
void retry_reset_timers(struct scan *s);

/* Whether probe id may still be answered in time, as the estimate has grown. */
bool retry_is_early(const struct scan *s, uint32_t id);

/* Whether the silent port of probe id has had all its tries. */
bool retry_is_exhausted(const struct scan *s, uint32_t id);

/* Extends the last try of a port to the time of -w, outside the window. Returns
 * false if that time has passed. */
bool retry_extend(struct scan *s, uint32_t id);

/* Records that the host of probe id has answered it, perhaps by a refusal. */
void retry_answered(struct scan *s, uint32_t id, bool is_refusal);

/* Whether the host of probe id limits its ICMP errors, or may do so. */
bool retry_is_limited(const struct scan *s, uint32_t id);

/* Whether silence after probe id shows nothing about its port. */
bool retry_is_inconclusive(const struct scan *s, uint32_t id);

/* Schedules another try of probe id's port. */
void retry_schedule(struct scan *s, uint32_t id);

/*
 * Returns the next scheduled try, which the caller must send now. The earlier
 * try remains open for a late answer if there are slots for both.
 */
uint32_t retry_next(struct scan *s);

/*
 * Handles a local failure of probe id with errnum; its socket is closed.
 * Schedules another try, or returns false if it has failed for too long.
 */
bool retry_failed(struct scan *s, uint32_t id, int errnum);

/*
 * Whether probe id must wait because nothing can be sent to its host at the
 * moment. If so, its timer is set.
 */
bool retry_must_wait(struct scan *s, uint32_t id);

/* Records that a probe was sent to the host of probe id: it can be reached. */
void retry_clear(struct scan *s, uint32_t id);

#endif
