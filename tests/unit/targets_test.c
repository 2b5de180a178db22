/* Scan targets: syntax, counts, exclusions, duplicates, orders and shards. */
#include "scan/targets.h"

#include "base/err.h"
#include "lib/tap.h"
#include "net/wordlist.h"

static const struct name_options numeric = {.numeric = 1};

static int
add(void *targets, const char *text, struct err *e)
{
	return targets_add(targets, text, &numeric, e);
}

/* Adds the hosts of text without those of out, NULL for none. */
static int
choose(struct targets *t, const char *text, const char *out, struct err *e)
{
	const struct targets_lookup o = {.until.at_ns = INT64_MAX};

	memset(t, 0, sizeof(*t));
	if (wordlist_split(text, add, t, e) < 0)
		return -1;
	t->excludes = true;
	if ((out != NULL && wordlist_split(out, add, t, e) < 0) ||
	    targets_look_up(t, &o, e) < 0)
		return -1;
	targets_merge(t);
	return 0;
}

/* All hosts as text, cut at 300 bytes. */
static const char *
list(const struct targets *t)
{
	static char text[300];
	struct addr a;
	size_t used = 0;
	uint64_t i;

	text[0] = '\0';
	for (i = 0; i < t->hosts && used < sizeof(text); i++) {
		targets_host(t, i, 0, &a);
		snprintf(text + used, sizeof(text) - used, "%s%s",
		    i > 0 ? " " : "", addr_ip_text(&a));
		used = strlen(text);
	}
	return text;
}

static void
takes(const char *text, const char *want)
{
	struct targets t;
	struct err e = ERR_INIT;

	if (!ok(choose(&t, text, NULL, &e) == 0, "'%s' is taken", text))
		printf("# %s\n", e.text);
	is_text(list(&t), want, text);
	targets_release(&t);
}

static void
counts(const char *text, long long hosts, const char *last)
{
	struct targets t;
	struct err e = ERR_INIT;
	struct addr a;

	ok(choose(&t, text, NULL, &e) == 0, "'%s' is taken", text);
	is_int((long long)t.hosts, hosts, "as many hosts");
	targets_host(&t, t.hosts - 1, 80, &a);
	is_text(addr_ip_text(&a), last, "the last of them");
	is_int(addr_port(&a), 80, "with the port");
	targets_release(&t);
}

static void
refuses(const char *text, const char *why)
{
	struct targets t;
	struct err e = ERR_INIT;

	ok(choose(&t, text, NULL, &e) < 0 && e.kind == ERR_USAGE &&
		strstr(e.text, why) != NULL,
	    "'%s' is refused: %s", text, e.text);
	targets_release(&t);
}

static void
excludes(const char *text, const char *out, const char *want)
{
	struct targets t;
	struct err e;

	choose(&t, text, out, &e);
	is_text(list(&t), want, "without the excluded");
	targets_release(&t);
}

/* Many items, in any order: single hosts, networks, ranges, left-out ones. */
static void
test_many(void)
{
	enum { COUNT = 60000 };
	struct targets t;
	struct err e;
	char text[64];
	uint32_t i;
	int bad = 0, out;

	memset(&t, 0, sizeof(t));
	for (out = 0; out < 2; out++) {
		t.excludes = out == 1;
		for (i = 0; i < COUNT; i += out == 1 ? 4 : 1) {
			uint32_t n = (COUNT - i) * 2;

			snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16,
			    (n >> 8) & 255, n & 255);
			bad += targets_add(&t, text, &numeric, &e);
		}
		bad += targets_add(
		    &t, out == 1 ? "10.3.0.0/16" : "10.0.0.0/14", &numeric, &e);
	}
	is_int(bad, 0, "all of them are taken");
	targets_merge(&t);
	is_int(
	    (long long)t.hosts, 3 * 65536 - COUNT / 4, "as many as there are");
	targets_release(&t);
}

/* What a set contains, by the last number of its addresses. */
static void
mark(const char *text, bool *seen)
{
	struct targets t;
	struct err e;
	struct addr a;
	uint64_t i;

	choose(&t, text, NULL, &e);
	for (i = 0; i < t.hosts; i++) {
		targets_host(&t, i, 0, &a);
		seen[ntohl(a.u.in4.sin_addr.s_addr) & 255] = true;
	}
	targets_release(&t);
}

/* Walks all shards: each host that is in and not out comes once. */
static bool
covers_once(const char *in, const char *out, struct targets_part part)
{
	bool wanted[256] = {false}, excluded[256] = {false};
	int seen[256] = {0}, i;
	struct targets t;
	struct targets_walk w;
	struct addr a;
	struct err e;
	uint64_t host, total = 0;

	mark(in, wanted);
	mark(out, excluded);
	choose(&t, in, out, &e);
	/* One at a time, but the first two together. */
	for (part.first = 0; part.first < part.shards;
	     part.first = part.last + 1) {
		part.last = part.first;
		if (part.first == 0 && part.shards > 1)
			part.last = 1;
		targets_walk_start(&w, &t, &part);
		total += w.end - w.at;
		if (w.at < w.end &&
		    (targets_shard_of(&t, part.shards, w.at) != part.first ||
			(t.hosts >= part.shards &&
			    targets_shard_of(&t, part.shards, w.end - 1) !=
				part.last)))
			total++;
		while (targets_walk_next(&w, &host)) {
			targets_host(&t, host, 0, &a);
			seen[ntohl(a.u.in4.sin_addr.s_addr) & 255]++;
		}
	}
	for (i = 0; i < 256; i++)
		if (seen[i] != (wanted[i] && !excluded[i]))
			break;
	total -= t.hosts;
	targets_release(&t);
	return i == 256 && total == 0;
}

/* Every split of sets of ranges that overlap in every way. */
static void
test_shards(void)
{
	int a, b, c, d, bad = 0, sets = 0;
	char in[64], out[64];
	struct targets_part part = {.seed = 1};

	for (a = 0; a < 4; a++)
		for (b = a; b < 4; b++)
			for (c = 0; c < 6; c++)
				for (d = c; d < 6; d++) {
					snprintf(in, sizeof(in),
					    "192.0.2.%d-%d,192.0.2.%d-%d", c, d,
					    a, b + 2);
					snprintf(out, sizeof(out),
					    "192.0.2.%d-%d,192.0.2.%d", a, b,
					    d);
					sets++;
					part.seed++;
					for (part.shards = 1; part.shards < 9;
					     part.shards++)
						bad +=
						    !covers_once(in, out, part);
				}
	is_int(sets, 210, "sets of ranges with exclusions");
	is_int(bad, 0, "shards are disjoint, and complete together");
}

/* Of a large set, each host comes once, in no order that is seen. */
static void
test_order(void)
{
	enum { HOSTS = 1 << 16 };
	static bool seen[HOSTS];
	struct targets_part part = {.seed = 7, .shards = 1};
	struct targets t;
	struct targets_walk w;
	struct err e;
	uint64_t host, last = 0;
	int once = 0, ascents = 0;

	choose(&t, "10.0.0.0/16", NULL, &e);
	targets_walk_start(&w, &t, &part);
	while (targets_walk_next(&w, &host)) {
		once += !seen[host];
		seen[host] = true;
		ascents += host > last;
		last = host;
	}
	is_int(once, HOSTS, "a large set: each host once");
	ok(ascents > HOSTS * 48 / 100 && ascents < HOSTS * 52 / 100,
	    "in random order");
	targets_release(&t);
}

int
main(void)
{
	test_many();
	test_shards();
	test_order();
	takes("192.0.2.7", "192.0.2.7");
	takes("::1", "::1");
	takes("[2001:db8::7]", "2001:db8::7");
	takes("192.0.2.0/30", "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3");
	takes("192.0.2.3/30", "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3");
	takes("192.0.2.9/32", "192.0.2.9");
	takes("192.0.2.10-12", "192.0.2.10 192.0.2.11 192.0.2.12");
	takes("192.0.2.10-10", "192.0.2.10");
	takes("2001:db8::4/126",
	    "2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7");
	takes(
	    "192.0.2.1,192.0.2.1,192.0.2.0-2", "192.0.2.1 192.0.2.0 192.0.2.2");
	takes("::ffff:192.0.2.7,192.0.2.7,[::ffff:c000:207]", "192.0.2.7");
	takes("::ffff:192.0.2.1/127,192.0.2.0/31", "192.0.2.0 192.0.2.1");
	takes("::ffff:192.0.2.1-2,192.0.2.1", "192.0.2.1 192.0.2.2");
	counts("::ffff:0:0/96", 4294967296, "255.255.255.255");
	takes("192.0.2.1,2001:db8::1,192.0.2.1", "192.0.2.1 2001:db8::1");
	counts("10.0.0.0/16", 65536, "10.0.255.255");
	counts("10.0.0.0/8", 16777216, "10.255.255.255");
	counts("2001:db8::/112", 65536, "2001:db8::ffff");
	counts("10.0.0.0/24,10.0.0.128/25,10.0.1.0-9", 266, "10.0.1.9");
	refuses("", "empty");
	refuses("[]", "empty");
	refuses("192.0.2.1,", "empty");
	refuses("192.0.2.0/33", "0 to 32");
	refuses("192.0.2.0/", "0 to 32");
	refuses("192.0.2.0/24x", "0 to 32");
	refuses("2001:db8::/129", "0 to 128");
	counts("0.0.0.0/0", 4294967296, "255.255.255.255");
	counts("2001:db8::/96,2001:db8:1::/96", 8589934592,
	    "2001:db8:1::ffff:ffff");
	refuses("2001:db8::/95", "IPv6 prefixes have 96");
	refuses("::ffff:0:0/95", "IPv6 prefixes have 96");
	refuses("fe80::1", "needs its interface");
	refuses("example.test/24", "nor a network");
	refuses("192.0.2.9-3", "reversed");
	refuses("192.0.2.9-256", "192.0.2.9-256");
	refuses("no.such.name", "no.such.name");
	refuses("192.0.2.1-x", "192.0.2.1-x");
	refuses("192.0.2.1.5-9", "192.0.2.1.5-9");
	refuses("192.0.2.1-256", "192.0.2.1-256");
	refuses("192.0.2.1:22", "connect -z HOST:PORT");
	refuses("[::1]:22", "connect -z HOST:PORT");
	refuses("name:http", "connect -z HOST:PORT");
	refuses("unix:/tmp/x", "a Unix socket has no ports");
	refuses("http://192.0.2.1/", "a URL");
	excludes("192.0.2.0/29", "192.0.2.2-5",
	    "192.0.2.0 192.0.2.1 192.0.2.6 192.0.2.7");
	excludes("192.0.2.0/30", "192.0.2.0/24", "");
	excludes("::ffff:192.0.2.0/126", "192.0.2.0-2", "192.0.2.3");
	excludes("192.0.2.0/30", "::ffff:192.0.2.0/127", "192.0.2.2 192.0.2.3");
	excludes("192.0.2.0/30", "192.0.2.0,192.0.2.3,2001:db8::1",
	    "192.0.2.1 192.0.2.2");
	return done_testing();
}
