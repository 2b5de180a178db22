/*
 * When this machine cannot ask: the pauses until it tries again. Want of what
 * every probe needs (descriptors, buffers, ports) holds up the whole scan, a
 * network that fails the probes to its hosts.
 */
#ifndef SCAN_RETRY_H
#define SCAN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct scan;

/*
 * Probe id failed here with errnum, and its socket is closed. Has it tried
 * again later; false when that was done long enough.
 */
bool retry_after(struct scan *s, uint32_t id, int errnum);

/*
 * Whether probe id has to wait since nothing can be sent to its host just now:
 * then its time is set.
 */
bool retry_holds(struct scan *s, uint32_t id);

/* Something has left to the host of probe id: what was wrong is over. */
void retry_end(struct scan *s, uint32_t id);

#endif
