/*
 * A connect scan: finds out which ports of which hosts are open by connecting
 * to them, many at once, without privilege. A silent port is probed again
 * before it is called filtered. A local failure never becomes a port's state:
 * the probe is tried again.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stdint.h>

#include "scan/scan_options.h"

/*
 * Runs a scan; *end is its progress at the end. 0, or -1 with *e: EINTR when a
 * caught signal asked to stop, ERR_TIMEOUT when until passed; the results so
 * far have been reported.
 */
int scan_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e);

/*
 * Raises the limit of open descriptors as far as it goes. Returns how many
 * probes may be in flight, at least 1.
 */
uint32_t scan_capacity(void);

#endif
