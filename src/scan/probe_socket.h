/*
 * The socket of a probe. A datagram carries what has to be said to be answered:
 * a harmless question in the protocol that usually lives on its port.
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

/* Sends probe id, and polls it at once where the host is close. */
struct ready_outcome probe_socket_send(struct scan *s, uint32_t id);

/* The outcome of probe id so far. */
struct ready_outcome probe_socket_poll(const struct scan *s, uint32_t id);

/*
 * For -vv: reports how connecting went, and how many calls of connect(2) that
 * took since the last report. errnum is as of connect(2), 0: connected,
 * EINPROGRESS: the attempt has ended without one.
 */
void probe_socket_report(const struct scan *s, uint32_t id, int errnum);

/* ready_connect_again() for the socket of probe id. */
bool probe_socket_again(const struct scan *s, uint32_t id, bool in_progress);

/* Closes a probe's socket by reset. */
void probe_socket_drop(struct scan *s, uint32_t id);

#endif
