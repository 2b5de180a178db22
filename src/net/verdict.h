/* What comes back from probes, and what it says about their ports. */
#ifndef NET_VERDICT_H
#define NET_VERDICT_H

#include <stdint.h>

struct addr;
struct scan;

/*
 * The connect(2) of probe id to a has ended with errnum (0: connected). Ends
 * all tries of its port with a verdict, or has it tried again later where
 * this machine is at fault.
 */
void verdict_conclude(
    struct scan *s, uint32_t id, int errnum, const struct addr *a);

/* The time of probe id has passed: another try, or a verdict. */
void verdict_expire(struct scan *s, uint32_t id);

/* A pair that is not asked, since its host answered nothing. */
void verdict_skip(struct scan *s, uint64_t pair);

#endif
