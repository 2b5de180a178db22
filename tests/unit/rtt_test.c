/* The estimator of round-trip times. */
#include "lib/tap.h"
#include "scan/rtt.h"

#define MS 1000000

int
main(void)
{
	struct rtt r = {0, 0};

	ok(!rtt_is_known(&r), "nothing is known at first");
	is_int(rtt_timeout_us(&r, 3000000), 1000000, "a second to begin with");
	is_int(rtt_timeout_us(&r, 400000), 400000, "no longer than allowed");
	/* RFC 6298 2.2: SRTT = R, RTTVAR = R/2. */
	rtt_sample(&r, 80 * MS);
	ok(rtt_is_known(&r), "a sample is knowledge");
	is_int(r.srtt_us, 80000, "the first sample is the mean");
	is_int(r.rttvar_us, 40000, "and half of it the variation");
	is_int(rtt_timeout_us(&r, 3000000), 240000, "srtt + 4 rttvar");
	/* 2.3: RTTVAR = 3/4 * 40 + 1/4 * |80 - 160|, SRTT = 7/8 * 80 + 20. */
	rtt_sample(&r, 160 * MS);
	is_int(r.rttvar_us, 50000, "beta is 1/4");
	is_int(r.srtt_us, 90000, "alpha is 1/8");
	is_int(rtt_timeout_us(&r, 3000000), 290000, "the timeout follows");
	/* 3/4 * 50 + 1/4 * |90 - 10| = 57.5; 7/8 * 90 + 1/8 * 10 = 80. */
	rtt_sample(&r, 10 * MS);
	is_int(r.rttvar_us, 57500, "a quick one widens it as well");
	is_int(r.srtt_us, 80000, "and lowers the mean");
	r.srtt_us = 20000;
	r.rttvar_us = 100;
	is_int(rtt_timeout_us(&r, 3000000), 100000, "100 ms at least");
	r.srtt_us = 0;
	r.rttvar_us = 0;
	rtt_sample(&r, 10);
	is_int(r.srtt_us, 1, "under a microsecond is a sample still");
	rtt_sample(&r, 10);
	is_int(r.srtt_us, 1, "as is the next");
	is_int(r.rttvar_us, 0, "without a variation");
	rtt_sample(&r, INT64_MAX);
	ok(r.srtt_us > 1 && rtt_timeout_us(&r, 3000000) == 3000000,
	    "a sample beyond all bounds does no harm");
	is_int(r.srtt_us, (7 + INT64_C(3600000000)) / 8, "it is an hour");
	return done_testing();
}
