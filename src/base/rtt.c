/* Round-trip times: minimum, average, maximum and deviation. */
#include "base/rtt.h"

#include "base/json.h"
#include "base/text.h"

void
rtt_add(struct rtt *t, int64_t ns)
{
	if (t->count == 0 || ns < t->min_ns)
		t->min_ns = ns;
	if (ns > t->max_ns)
		t->max_ns = ns;
	t->sum_ns += (double)ns;
	t->squares_ns += (double)ns * (double)ns;
	t->count++;
}

static double
mean(const struct rtt *t)
{
	return t->sum_ns / (double)t->count;
}

/* The standard deviation; Newton's method saves linking libm. */
static double
deviation(const struct rtt *t)
{
	double x = t->squares_ns / (double)t->count - mean(t) * mean(t);
	double r = x > 1 ? x : 1;
	int i;

	for (i = 0; i < 100 && r * r - x > r * 1e-9; i++)
		r = (r + x / r) / 2;
	return x <= 0 ? 0 : r;
}

void
rtt_json(const struct rtt *t, struct json *j)
{
	if (t->count == 0)
		return;
	json_seconds(j, "min", (double)t->min_ns / 1e9);
	json_seconds(j, "avg", mean(t) / 1e9);
	json_seconds(j, "max", (double)t->max_ns / 1e9);
	json_seconds(j, "mdev", deviation(t) / 1e9);
}

const char *
rtt_text(const struct rtt *t)
{
	if (t->count == 0)
		return "";
	return text_format(
	    "round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
	    (double)t->min_ns / 1e6, mean(t) / 1e6, (double)t->max_ns / 1e6,
	    deviation(t) / 1e6);
}
