/* ICMP errors that end an attempt to reach a peer: who sent one, and its
 * meaning. */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include <stdbool.h>

#include "base/err.h"

struct addr;
struct os_error;

enum icmp_sender {
	ICMP_HERE,  /* this machine: its firewall, or a neighbor is silent */
	ICMP_HOST,  /* the destination: its firewall, or its UDP */
	ICMP_ROUTER /* a router on the way */
};

/* Returns who has sent the error, about a packet to that address. */
enum icmp_sender icmp_sender(const struct os_error *q, const struct addr *to);

/* Whether q is "time exceeded", from a router where the time to live ended. */
bool icmp_is_exceeded(const struct os_error *q);

/* Receives errors of fd (os_receive_errors()) up to one about a packet to a.
 * Returns false if there is none. */
bool icmp_read(int fd, const struct addr *a, struct os_error *q);

/* Returns the cause of a connect(2) that has failed with errnum, for its step:
 * errnum, or CAUSE_REJECTED if q shows that. */
int icmp_cause(const struct os_error *q, int errnum);

/*
 * Returns the meaning of q for an attempt to reach an address, and its sender:
 * "refused by 192.0.2.1, a router on the way (ICMP port unreachable: a
 * firewall)", in a buffer of text_slot(). NULL if q adds nothing to the table
 * of causes: q->errnum is 0, or the host refuses a datagram (RFC 1122 4.1.3.1).
 */
const char *icmp_text(
    const struct os_error *q, const struct addr *to, enum err_place place);

#endif
