/* The order of targets: shards, first probes, skipped hosts. */
#include "scan/order.h"

#include "lib/choose_targets.h"
#include "lib/tap.h"

#define HOSTS 7
#define PORTS 40

static struct targets targets = TARGETS_INIT;
static int seen[HOSTS * PORTS];

/* Walks one shard; returns its number of targets. */
static uint64_t
walk(uint64_t seed, uint32_t shard, uint32_t shards, bool ascending)
{
	const struct order_options options = {
	    &targets, seed, shard, shards, ascending};
	struct order o;
	struct target_port t;
	uint64_t n = 0, last = 0;
	bool is_discovery, in_order = true, is_first = true, rest = false;

	order_init(&o, &options);
	while (order_next(&o, &t, &is_discovery)) {
		seen[t.number]++;
		in_order &= n == 0 || t.number > last;
		is_first &= !(rest && is_discovery);
		rest |= !is_discovery;
		last = t.number;
		n++;
	}
	ok(is_first, "discovery comes first");
	ok(in_order == ascending, "the order is as asked for");
	is_int((long long)n, (long long)order_count(&o),
	    "as many as were counted");
	return n;
}

static void
all_once(const char *name)
{
	int i, bad = 0;

	for (i = 0; i < HOSTS * PORTS; i++) {
		bad += seen[i] != 1;
		seen[i] = 0;
	}
	is_int(bad, 0, name);
}

static void
test_first(void)
{
	const struct order_options options = {&targets, 1, 0, 1, false};
	struct order o;
	struct target_port t;
	bool is_discovery;
	uint32_t i;

	order_init(&o, &options);
	for (i = 0; i < HOSTS; i++) {
		ok(order_next(&o, &t, &is_discovery) && is_discovery,
		    "a discovery target of each host");
		is_int(t.host, i, "host after host");
		is_int(t.port, 80, "its port 80");
	}
}

static bool
is_odd(void *context, uint32_t host)
{
	(void)context;
	return host % 2 == 1;
}

/* Of hosts 1, 3 and 5 everything is asked, of the others the discovery ports.
 */
static void
test_keep(void)
{
	const struct order_options options = {&targets, 5, 0, 1, false};
	struct order o;
	struct target_port t;
	bool is_discovery;
	int i, bad = 0;

	order_init(&o, &options);
	while (order_is_discovering(&o) && order_next(&o, &t, &is_discovery))
		seen[t.number]++;
	order_restrict(&o, is_odd, NULL);
	while (order_next(&o, &t, &is_discovery))
		seen[t.number] += is_discovery ? 100 : 1;
	order_release(&o);
	for (i = 0; i < HOSTS; i++) {
		int n = 0, k;

		for (k = 0; k < PORTS; k++) {
			bad += seen[i * PORTS + k] > 1;
			n += seen[i * PORTS + k];
			seen[i * PORTS + k] = 0;
		}
		is_int(n, i % 2 == 1 ? PORTS : 8, "as many of each host");
	}
	is_int(bad, 0, "none of them twice");
}

/* Lists of different length, some without discovery. */
static void
test_own_ports(void)
{
	struct targets own = TARGETS_INIT;
	const struct order_options options = {&own, 3, 0, 1, false};
	struct order o;
	struct target_port t;
	bool is_discovery;
	int discovered = 0, n = 0;
	uint64_t sum = 0;

	choose_targets(&own,
	    "192.0.2.1:22,192.0.2.2,192.0.2.3:1000-1001,192.0.2.4:99", "60-99");
	is_int((long long)own.total, 1 + PORTS + 2 + 1, "targets are counted");
	order_init(&o, &options);
	while (order_next(&o, &t, &is_discovery)) {
		discovered += is_discovery;
		sum += t.port;
		n += t.host == 0   ? t.port == 22
		     : t.host == 1 ? t.port >= 60 && t.port <= 99
		     : t.host == 2 ? t.port / 2 == 500
				   : t.port == 99;
	}
	is_int(n, (long long)own.total, "each host is asked for its ports");
	is_int((long long)sum, 22 + 3180 + 2001 + 99, "each of them once");
	is_int(discovered, 8, "discovery is for those who have many");
	targets_release(&own);
}

int
main(void)
{
	uint64_t total = 0;
	uint32_t i;

	choose_targets(&targets, "192.0.2.1-7", "60-99");
	walk(1, 0, 1, false);
	all_once("every target once");
	walk(1, 0, 1, true);
	all_once("ascending: every target once");
	for (i = 0; i < 3; i++)
		total += walk(1, i, 3, false);
	is_int((long long)total, HOSTS * PORTS, "three shards are the whole");
	all_once("three shards: every target once");
	for (i = 0; i < 11; i++)
		walk(9, i, 11, false);
	all_once("eleven shards: every target once");
	test_first();
	test_keep();
	test_own_ports();
	targets_release(&targets);
	return done_testing();
}
