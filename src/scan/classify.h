/* What comes back from probes, and what it says about their ports. */
#ifndef SCAN_CLASSIFY_H
#define SCAN_CLASSIFY_H

#include <stdint.h>

#include "scan/ready.h"

struct addr;
struct scan;

/* The service behind probe id, which is open, may have said something. */
void classify_banner(struct scan *s, uint32_t id);

/*
 * Asking a by probe id has ended with o. Ends all tries of its port with a
 * verdict, or has it tried again later where this machine is at fault.
 */
void classify_probe(
    struct scan *s, uint32_t id, struct scan_outcome o, const struct addr *a);

/* Sets when probe id, which has just left, is looked after. */
void classify_await(struct scan *s, uint32_t id);

/* That time has come: it is waited for longer, tried again, or decided. */
void classify_expire(struct scan *s, uint32_t id);

/* So many ports of a host are not asked, since it answered nothing. */
void classify_skip(struct scan *s, uint32_t host, uint32_t count);

#endif
