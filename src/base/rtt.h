/* The times of round trips, of datagrams or of connections. */
#ifndef BASE_RTT_H
#define BASE_RTT_H

#include <stdint.h>

struct json;

/* The times so far. Zeroed, it has none. */
struct rtt {
	int64_t min_ns, max_ns;
	/* The sums of the times and of their squares. */
	double sum_ns, squares_ns;
	uint64_t count;
};

/* Adds the time of one round trip. */
void rtt_add(struct rtt *t, int64_t ns);

/* Adds "min", "avg", "max" and "mdev", the standard deviation, if there are
 * times. */
void rtt_json(const struct rtt *t, struct json *j);

/* Returns "round trip min/avg/max/mdev = ...", or "" if there are no times. */
const char *rtt_text(const struct rtt *t);

#endif
