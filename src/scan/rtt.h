/*
 * How long to wait for an answer: the estimator of RFC 6298 over the round-trip
 * times of probes. The caller applies Karn's rule: a time that may belong to a
 * retransmission is not a sample.
 */
#ifndef SCAN_RTT_H
#define SCAN_RTT_H

#include <stdbool.h>
#include <stdint.h>

/* The timeout before the first sample, and the minimum. */
#define RTT_START_US 1000000
#define RTT_MIN_US 100000

/* In microseconds to save space, since each host has one. */
struct rtt {
	uint32_t srtt_us;   /* smoothed round-trip time */
	uint32_t rttvar_us; /* its variation; both 0: no sample yet */
};

bool rtt_is_known(const struct rtt *r);

/* Adds a sample of ns nanoseconds; more than an hour counts as an hour. */
void rtt_sample(struct rtt *r, int64_t ns);

/*
 * The timeout in microseconds: RTT_START_US without a sample, otherwise srtt +
 * 4 rttvar and at least RTT_MIN_US; in both cases at most limit_us.
 */
int64_t rtt_timeout_us(const struct rtt *r, int64_t limit_us);

#endif
