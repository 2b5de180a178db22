/* Why a TCP connection makes no progress, and what limited its speed: pure
 * functions of the kernel's counters (tcp(7), TCP_INFO). */
#ifndef NET_STALL_H
#define NET_STALL_H

#include <stdbool.h>
#include <stdint.h>

struct os_tcp;

/*
 * Returns the cause as a clause of a message, with the numbers of the kernel;
 * NULL if the kernel shows none, or nothing is wrong. peer names the other
 * side: "the peer", "the client". If awaits_peer is set, the caller waits for
 * data from the peer; otherwise a silent peer is not a cause.
 */
const char *stall_text(
    const struct os_tcp *tcp, bool awaits_peer, const char *peer);

/*
 * Returns what has limited a transfer of ns for most of its time, as a word for
 * JSON, and sets *text to its name in a message. For sent data it is "peer"
 * (its window), "path" or "input"; for received data, which has waited for the
 * output for output_ns, it is "output". NULL if there is no such limit, the
 * kernel does not show it, or too little was transferred.
 */
const char *stall_limit(
    const struct os_tcp *tcp, int64_t ns, int64_t output_ns, const char **text);

#endif
