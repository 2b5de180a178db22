/*
 * The socket of a probe. A datagram carries a harmless request in the protocol
 * that usually runs on its port, since many services answer nothing else.
 */
#ifndef SCAN_PROBE_SOCKET_H
#define SCAN_PROBE_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/ready.h"

struct addr;
struct scan;

/* The address that probe id is sent to. */
void probe_socket_address(const struct scan *s, uint32_t id, struct addr *a);

/* Sends probe id and polls it at once if the host is near. */
struct ready_outcome probe_socket_send(struct scan *s, uint32_t id);

/* The outcome of probe id so far. */
struct ready_outcome probe_socket_poll(const struct scan *s, uint32_t id);

/*
 * For -vv: reports the outcome of connect(2) and the number of calls since the
 * last report. errnum is 0 (connected), EINPROGRESS (the attempt ended without
 * an outcome), or the errno.
 */
void probe_socket_report(const struct scan *s, uint32_t id, int errnum);

/* Calls ready_connect_again() for the socket of probe id. */
bool probe_socket_again(const struct scan *s, uint32_t id, bool in_progress);

/* Closes the socket of probe id with a reset. */
void probe_socket_drop(struct scan *s, uint32_t id);

#endif
