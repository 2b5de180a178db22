/*
 * How long to wait for an answer: the estimator of RFC 6298, fed with the
 * round trips of probes. Karn's rule is the caller's: a round trip that may
 * belong to a retransmission is not a sample.
 */
#ifndef SCAN_RTT_H
#define SCAN_RTT_H

#include <stdbool.h>
#include <stdint.h>

/* The timeout before anything is known, and the smallest. */
#define RTT_START_US 1000000
#define RTT_MIN_US 100000

/* In microseconds, to be small: each host has one. */
struct rtt {
	uint32_t srtt_us;   /* smoothed round trip */
	uint32_t rttvar_us; /* its variation; both 0: no sample yet */
};

bool rtt_is_known(const struct rtt *r);

/* Adds a sample. Longer than an hour counts as an hour. */
void rtt_sample(struct rtt *r, int64_t ns);

/*
 * The timeout in microseconds: RTT_START_US without a sample, else srtt + 4
 * rttvar and RTT_MIN_US or more; limit_us at most.
 */
int64_t rtt_timeout_us(const struct rtt *r, int64_t limit_us);

#endif
