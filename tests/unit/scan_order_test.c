#include "lib/tap.h"
#include "net/scan_order.h"

#define HOSTS 7
#define PORTS 40

static uint16_t ports[PORTS];
static int seen[HOSTS * PORTS];

/* Walks one shard; returns its number of pairs. */
static uint64_t
walk(uint64_t seed, uint32_t shard, uint32_t shards, bool ascending)
{
	struct scan_order o;
	uint64_t pair, n = 0, last = 0;
	bool is_lead, in_order = true, leads_first = true, rest = false;

	scan_order_init(&o, HOSTS, ports, PORTS, seed, shard, shards);
	if (ascending)
		scan_order_ascend(&o);
	while (scan_order_next(&o, &pair, &is_lead)) {
		seen[pair]++;
		in_order &= n == 0 || pair > last;
		leads_first &= !(rest && is_lead);
		rest |= !is_lead;
		last = pair;
		n++;
	}
	ok(leads_first, "leads come first");
	ok(in_order == ascending, "the order is as asked for");
	is_int((long long)n, (long long)scan_order_count(&o),
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

int
main(void)
{
	struct scan_order o;
	uint64_t pair, total = 0;
	bool is_lead;
	uint32_t i;

	for (i = 0; i < PORTS; i++)
		ports[i] = (uint16_t)(60 + i);
	walk(1, 0, 1, false);
	all_once("every pair once");
	walk(1, 0, 1, true);
	all_once("ascending: every pair once");
	for (i = 0; i < 3; i++)
		total += walk(1, i, 3, false);
	is_int((long long)total, HOSTS * PORTS, "three shards are the whole");
	all_once("three shards: every pair once");
	for (i = 0; i < 11; i++)
		walk(9, i, 11, false);
	all_once("eleven shards: every pair once");
	scan_order_init(&o, HOSTS, ports, PORTS, 1, 0, 1);
	for (i = 0; i < HOSTS; i++) {
		ok(scan_order_next(&o, &pair, &is_lead) && is_lead,
		    "a lead for each host");
		is_int((long long)pair, (long long)i * PORTS + 20,
		    "port 80 of host after host");
	}
	return done_testing();
}
