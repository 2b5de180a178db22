/* Finds the process that owns a port, for "address in use". */
#ifndef NET_PORT_OWNER_H
#define NET_PORT_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;

/*
 * Looks in proc(5) for the process whose socket of type (SOCK_STREAM,
 * SOCK_DGRAM) prevents binding to a. Returns "process 123 (nginx)" or "a
 * process of user 1000", escaped, in a buffer of text_slot(); NULL if nothing
 * is found, as on systems without /proc/net.
 */
const char *port_owner_find(const struct addr *a, int type);

/* Whether a TCP connection of the local port to remote, or to any peer if that
 * is NULL, is in TIME-WAIT (RFC 9293 3.6.1), if the system has such a table. */
bool port_owner_in_time_wait(uint16_t port, const struct addr *remote);

/* Whether a TCP connection of the process pid, or of one that it started, has
 * received the FIN of its peer and not sent its own (CLOSE-WAIT), as far as
 * proc(5) shows the system's connections and whose they are. */
bool port_owner_has_close_wait(pid_t pid);

#endif
