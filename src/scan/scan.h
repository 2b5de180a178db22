/*
 * A connect scan: finds the open ports of hosts by connecting to many at once,
 * without privileges. A silent port is probed again before it is reported as
 * filtered. A local failure never becomes a port's state: the probe is tried
 * again. Only what is in flight needs memory: as many hosts are begun as probes
 * fit, and a host ends when all its ports have a result.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stdint.h>

#include "scan/scan_options.h"

/*
 * Runs a scan and sets *end to its final progress. Returns 0, or -1 with *e:
 * EINTR after a caught signal, ERR_TIMEOUT when o->until has passed. All
 * results up to then have been reported.
 */
int scan_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e);

/*
 * Raises the limit of open descriptors as far as the system permits. Returns
 * how many probes may be in flight, at least 1.
 */
uint32_t scan_capacity(void);

#endif
