/* The process that owns a port, for "address in use". */
#ifndef NET_PORT_OWNER_H
#define NET_PORT_OWNER_H

#include <stdbool.h>
#include <stddef.h>

struct addr;

/*
 * Looks for the process whose socket of type (SOCK_STREAM, SOCK_DGRAM) keeps
 * a from being bound, with proc(5). Writes "process 123 (nginx)" or "a
 * process of user 1000" to buf, escaped. False where nothing is found,
 * as on systems without /proc/net.
 */
bool port_owner_find(const struct addr *a, int type, char *buf, size_t size);

#endif
