/* Finds the process that owns a port, for "address in use". */
#ifndef NET_PORT_OWNER_H
#define NET_PORT_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

/*
 * Looks in proc(5) for the process whose socket of type (SOCK_STREAM,
 * SOCK_DGRAM) prevents binding to a. Writes "process 123 (nginx)" or "a process
 * of user 1000" to buf, escaped. Returns false if nothing is found, as on
 * systems without /proc/net.
 */
bool port_owner_find(const struct addr *a, int type, char *buf, size_t size);

/*
 * Whether a TCP connection of the local port is in TIME-WAIT (RFC 9293 3.6.1):
 * to remote, or to any peer if remote is NULL. False on systems without such a
 * table.
 */
bool port_owner_in_time_wait(uint16_t port, const struct addr *remote);

#endif
