/* Retransmission timeout from round-trip times (RFC 6298). */
#include "scan/rtt.h"

#define HOUR_US (INT64_C(3600) * 1000000)

bool
rtt_is_known(const struct rtt *r)
{
	return r->srtt_us != 0;
}

/* RFC 6298 2.2 and 2.3: alpha is 1/8, beta 1/4. */
void
rtt_sample(struct rtt *r, int64_t ns)
{
	int64_t us = ns / 1000, error;

	if (us < 1)
		us = 1;
	if (us > HOUR_US)
		us = HOUR_US;
	if (!rtt_is_known(r)) {
		r->srtt_us = (uint32_t)us;
		r->rttvar_us = (uint32_t)(us / 2);
		return;
	}
	error = us - (int64_t)r->srtt_us;
	if (error < 0)
		error = -error;
	r->rttvar_us = (uint32_t)((3 * (int64_t)r->rttvar_us + error) / 4);
	r->srtt_us = (uint32_t)((7 * (int64_t)r->srtt_us + us) / 8);
}

int64_t
rtt_timeout_us(const struct rtt *r, int64_t limit_us)
{
	int64_t us = RTT_START_US;

	if (rtt_is_known(r))
		us = (int64_t)r->srtt_us + 4 * (int64_t)r->rttvar_us;
	if (us < RTT_MIN_US)
		us = RTT_MIN_US;
	return us < limit_us ? us : limit_us;
}
