/*
 * A scan in several processes, one for each processor. It helps on loopback
 * only: there connect(2) does the work of both ends before it returns, and a
 * single process is never faster than one processor. Everywhere else the
 * network is the limit, and one window has to be kept for each path.
 *
 * Each process scans a shard of the order (scan/order.h) and sends its results
 * to this one, which reports them all: through a pipe, as frames of one size. A
 * frame at the end says how the shard ended. A process that ends without it has
 * died, and what it has not reported is not decided.
 */
#ifndef SCAN_SHARDS_H
#define SCAN_SHARDS_H

#include <stdint.h>

#include "scan/scan_options.h"

/*
 * The number of processes that would scan: 1, or one for each processor that
 * this process may use, up to 8. Several only if nothing shows the difference:
 * they connect to very many ports of one loopback address in random order, no
 * limit holds for all probes together (--rate, --parallel), and no steps are
 * shown (-vv).
 */
uint32_t shards_count(const struct scan_options *o);

/*
 * Runs a scan like scan_run(), in shards_count() processes, or in this one
 * alone if they cannot be started. Returns 0, or -1 with *e: as scan_run(), the
 * error of a shard, or ERR_FAILED when a shard has died. In each case all
 * results that the shards have sent have been reported, and no process is left.
 */
int shards_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e);

#endif
