/*
 * The socket of a probe. A datagram carries what has to be said to be answered:
 * a harmless question in the protocol that usually lives on its port.
 */
#ifndef SCAN_PROBE_SOCKET_H
#define SCAN_PROBE_SOCKET_H

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

/* Closes a probe's socket by reset. */
void probe_socket_drop(struct scan *s, uint32_t id);

#endif
