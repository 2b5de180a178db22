/*
 * A relay: two flows between a socket and a pair of descriptors, and the
 * policy that decides when it is over. By default the end of the input closes
 * the sending side (FIN) and receiving goes on until the peer finishes; and
 * when the peer finishes first, sending goes on until the input ends, since a
 * FIN only means that the peer will send no more. Meanwhile the peer is
 * probed, so that a vanished one ends the relay. There is no
 * time limit.
 *
 * A relay that ends before everything was delivered is aborted: the connection
 * is reset, so that the peer never takes what it has for the whole. That holds
 * for a process that is killed, too. Only a terminal's end is always a FIN: the
 * person at it decides when it is over.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "net/conn_event.h"
#include "relay/relay_options.h"

struct err;

/*
 * Relays until it is over. fd is a connected socket that no other process
 * shares, which is made non-blocking, and stays the caller's; so do in and out.
 * in may be the same socket as out, non-blocking and not shared: a forwarder;
 * its sending side is then closed when fd's peer finishes.
 *
 * 0 when the input was sent to its end and acknowledged, and everything
 * received was written; or -1 with *e: ERR_TIMEOUT, ERR_LOST (also for input
 * that a policy abandoned), ERR_OUTPUT, or ERR_FAILED with EINTR for a caught
 * signal. *sum is filled in both cases; where sum->is_aborted is set, the
 * caller ends the connection with sock_abort_acked(), a forwarder both.
 */
int relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e);

#endif
