/*
 * Hosts that limit their ICMP errors (RFC 1812 4.3.2.8), in a UDP scan. Many
 * do, by a bucket of tokens, one for each refusal: a closed port is silent
 * while the bucket is empty. Silent ports of such hosts are probed again.
 *
 * Re-probes leave in rounds. A round ends with two checks: a port that is
 * known to be closed is probed twice. When both are refused, the bucket was
 * not empty (one token may have arrived meanwhile), and the silence of the
 * round is genuine. Otherwise nothing is known, and the next round leaves
 * later.
 *
 * A host that answers but has refused nothing may have spent its tokens on
 * others. Its silence is doubted until it has lasted for a pause in which at
 * least one token must have arrived.
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
 * Starts where it is useful: in a UDP scan without --retries. limit is the
 * most probes in flight. The caller releases it with icmp_limit_release().
 */
void icmp_limit_start(struct scan *s, uint32_t limit);
void icmp_limit_release(struct scan *s);

/* Whether the host of probe id limits its errors, or may do so. */
bool icmp_limit_applies(const struct scan *s, uint32_t id);

/* The probe id was answered. */
void icmp_limit_answered(struct scan *s, uint32_t id);

/* The probe id, sent at sent_ns, was refused. */
void icmp_limit_refused(struct scan *s, uint32_t id, int64_t sent_ns);

/* Whether the silence after probe id says nothing about its port. */
bool icmp_limit_withholds(const struct scan *s, uint32_t id);

/* Adds probe id to the next round; the first of a round adds the checks. */
void icmp_limit_schedule(struct scan *s, uint32_t id);

/* Whether the next probe to leave is a check. */
bool icmp_limit_check_is_next(const struct scan *s);

/* Check id was sent, with that outcome. */
void icmp_limit_check_sent(struct scan *s, uint32_t id, struct ready_outcome o);

/* The socket of check id is ready. */
void icmp_limit_check_ready(struct scan *s, uint32_t id);

/* The timer of check id has expired: it is to be sent, or has failed. */
void icmp_limit_check_expired(struct scan *s, uint32_t id);

#endif
