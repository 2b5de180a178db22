/*
 * A relay: two flows between a socket and a pair of descriptors, and the policy
 * that decides when it ends. By default the end of the input closes the sending
 * side (FIN), and receiving continues until the peer finishes. When the peer
 * finishes first, sending continues until the input ends, since a FIN only
 * means that the peer will send no more; meanwhile keepalive probes the peer,
 * so that the relay ends if the peer vanishes. There is no time limit.
 *
 * A relay that ends before all data was delivered is aborted: the connection is
 * reset, so that the peer never mistakes partial data for the whole. That also
 * holds if the process is killed. Only a terminal's end is always a FIN: the
 * user decides when the relay ends.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "net/conn_event.h"
#include "relay/relay_options.h"

struct err;

/*
 * Relays until the policy ends it. fd is a connected socket that no other
 * process shares; it is made non-blocking. fd, in and out stay the caller's. in
 * may be the same socket as out, non-blocking and not shared: a forwarder; its
 * sending side is then closed when fd's peer finishes.
 *
 * Returns 0 when the input was sent to its end and acknowledged, and everything
 * received was written; or -1 with *e: ERR_TIMEOUT, ERR_LOST (also for input
 * that a policy abandoned), ERR_OUTPUT, or ERR_FAILED with EINTR for a caught
 * signal. *sum is filled in both cases. If sum->is_aborted is set, the caller
 * closes the connection with sock_abort_acked(); a forwarder closes both.
 */
int relay_run(int fd, const struct relay_options *o, struct conn_summary *sum,
    struct err *e);

#endif
