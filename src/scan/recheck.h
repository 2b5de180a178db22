/*
 * Hosts that limit how often they refuse, in a scan by datagrams: their silent
 * ports are asked again in rounds, each with checks; see scan/icmp_limit.h.
 */
#ifndef SCAN_RECHECK_H
#define SCAN_RECHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/ready.h"

struct scan;

/*
 * Begins, where it is of use: datagrams, and as many re-probes as it takes.
 * At most parallel probes are in flight. recheck_release() is due.
 */
void recheck_start(struct scan *s, uint32_t parallel);
void recheck_release(struct scan *s);

/* Whether probe id's host refuses, or may, so that all this holds. */
bool recheck_applies(const struct scan *s, uint32_t id);

/* The probe id was answered. */
void recheck_answered(struct scan *s, uint32_t id);

/* The probe id, which left at sent_ns, was refused. */
void recheck_refused(struct scan *s, uint32_t id, int64_t sent_ns);

/* Whether the silence that met probe id says nothing about its port. */
bool recheck_is_withheld(const struct scan *s, uint32_t id);

/* Has probe id wait for the next round, and sees to that round's checks. */
void recheck_again(struct scan *s, uint32_t id);

/* True when the next probe that may leave is a check. */
bool recheck_is_next(const struct scan *s);

/* The check id has left; or it could not, or was answered at once. */
void recheck_left(struct scan *s, uint32_t id, struct scan_outcome o);

/* Something has come for the check id. */
void recheck_hear(struct scan *s, uint32_t id);

/* Its time has come: to leave, or to be given up. */
void recheck_expire(struct scan *s, uint32_t id);

#endif
