/*
 * Hosts that limit their ICMP errors (RFC 1812 4.3.2.8) in a UDP scan. Many use
 * a token bucket, with one token per refusal: while the bucket is empty, a
 * closed port is silent. Silent ports of such hosts are probed again.
 *
 * Re-probes are sent in rounds. A round ends with two checks: two probes of a
 * port that is known to be closed. If both are refused, the bucket was not
 * empty (one token may have arrived meanwhile), and the silence of the round is
 * conclusive. Otherwise it is not, and the next round is sent later.
 *
 * A host that answers but has refused nothing may have spent its tokens on
 * others. Its silence is inconclusive until it has lasted for a pause in which
 * at least one token must have arrived.
 */
#ifndef SCAN_ICMP_LIMIT_H
#define SCAN_ICMP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/ready.h"

struct scan;

/* Checks at the end of a round. */
#define ICMP_LIMIT_CHECKS 2

/*
 * Allocates the state if the scan needs it: a UDP scan without --retries. limit
 * is the maximum number of probes in flight. The caller frees it with
 * icmp_limit_release().
 */
void icmp_limit_start(struct scan *s, uint32_t limit);
void icmp_limit_release(struct scan *s);

/* Whether the host of probe id limits its ICMP errors, or may do so. */
bool icmp_limit_applies(const struct scan *s, uint32_t id);

/* Records that probe id was answered. */
void icmp_limit_answered(struct scan *s, uint32_t id);

/* Records that probe id, sent at sent_ns, was refused. */
void icmp_limit_refused(struct scan *s, uint32_t id, int64_t sent_ns);

/* Whether silence after probe id shows nothing about its port. */
bool icmp_limit_is_inconclusive(const struct scan *s, uint32_t id);

/* Adds probe id to the next round, whose first probe adds the checks. */
void icmp_limit_schedule(struct scan *s, uint32_t id);

/* Whether the next probe to be sent is a check. */
bool icmp_limit_check_is_next(const struct scan *s);

/* Handles check id, which was sent with outcome o. */
void icmp_limit_check_sent(struct scan *s, uint32_t id, struct ready_outcome o);

/* Handles check id, whose socket is ready. */
void icmp_limit_check_ready(struct scan *s, uint32_t id);

/* Handles the expired timer of check id: sends it, or ends it as unanswered. */
void icmp_limit_check_expired(struct scan *s, uint32_t id);

#endif
