/* Scan targets: syntax, counts, exclusions, duplicates. */
#include "base/err.h"
#include "lib/tap.h"
#include "scan/targets.h"

static const struct targets_options plain = {
    .names = {.numeric = 1}, .until.at_ns = INT64_MAX};

static const struct targets none = TARGETS_INIT;

/* All hosts as text, cut at 300 bytes. */
static const char *
list(const struct targets *t)
{
	static char text[300];
	char ip[ADDR_TEXT];
	struct addr a;
	size_t used = 0;
	uint32_t i;

	text[0] = '\0';
	for (i = 0; i < t->hosts && used < sizeof(text); i++) {
		targets_host(t, i, 0, &a);
		snprintf(text + used, sizeof(text) - used, "%s%s",
		    i > 0 ? " " : "", addr_format_ip(&a, ip, sizeof(ip)));
		used = strlen(text);
	}
	return text;
}

static void
takes(const char *text, const char *want)
{
	struct targets t = TARGETS_INIT;
	struct err e = ERR_INIT;

	if (!ok(targets_add(&t, text, &plain, &e) == 0 &&
		    targets_merge(&t, &none, &e) == 0,
		"'%s' is taken", text))
		printf("# %s\n", e.text);
	is_text(list(&t), want, text);
	targets_release(&t);
}

static void
counts(const char *text, long long hosts, const char *last)
{
	struct targets t = TARGETS_INIT;
	struct err e = ERR_INIT;
	char ip[ADDR_TEXT];
	struct addr a;

	ok(targets_add(&t, text, &plain, &e) == 0 && targets_merge(&t, &none, &e) == 0,
	    "'%s' is taken", text);
	is_int(t.hosts, hosts, "as many hosts");
	targets_host(&t, t.hosts - 1, 80, &a);
	is_text(addr_format_ip(&a, ip, sizeof(ip)), last, "the last of them");
	is_int(addr_port(&a), 80, "with the port");
	targets_release(&t);
}

static void
refuses(const char *text, const char *why)
{
	struct targets t = TARGETS_INIT;
	struct err e = ERR_INIT;

	ok((targets_add(&t, text, &plain, &e) < 0 ||
	       targets_merge(&t, &none, &e) < 0) &&
		strstr(e.text, why) != NULL,
	    "'%s' is refused: %s", text, e.text);
	targets_release(&t);
}

static void
excludes(const char *text, const char *out, const char *want)
{
	struct targets t = TARGETS_INIT, u = TARGETS_INIT;
	struct err e;

	targets_add(&t, text, &plain, &e);
	targets_add(&u, out, &plain, &e);
	targets_merge(&t, &u, &e);
	is_text(list(&t), want, "without the excluded");
	targets_release(&t);
	targets_release(&u);
}

/* Many items, in any order: single hosts, networks, ranges, left-out ones. */
static void
test_many(void)
{
	enum { COUNT = 60000 };
	struct targets t = TARGETS_INIT, out = TARGETS_INIT;
	struct err e;
	char text[64];
	uint32_t i;
	int bad = 0;

	for (i = 0; i < COUNT; i++) {
		uint32_t n = (COUNT - i) * 2;

		snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16,
		    (n >> 8) & 255, n & 255);
		bad += targets_add(&t, text, &plain, &e);
		bad += i % 4 == 0 && targets_add(&out, text, &plain, &e);
	}
	bad += targets_add(&t, "10.0.0.0/14", &plain, &e);
	bad += targets_add(&out, "10.3.0.0/16", &plain, &e);
	is_int(bad, 0, "all of them are taken");
	ok(targets_merge(&t, &out, &e) == 0, "they are merged");
	is_int(t.hosts, 3 * 65536 - COUNT / 4, "as many as there are");
	targets_release(&t);
	targets_release(&out);
}

int
main(void)
{
	test_many();
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
	refuses("10.0.0.0/7", "16777216 hosts");
	refuses("2001:db8::/64", "16777216 hosts");
	refuses("10.0.0.0/8,11.0.0.0", "16777216 hosts");
	refuses("example.test/24", "network");
	refuses("192.0.2.9-3", "reversed");
	refuses("192.0.2.9-256", "192.0.2.9-256");
	refuses("no.such.name", "no.such.name");
	refuses("192.0.2.1-x", "192.0.2.1-x");
	refuses("192.0.2.1.5-9", "192.0.2.1.5-9");
	refuses("192.0.2.1-256", "192.0.2.1-256");
	refuses("192.0.2.1:22", "connect -z HOST:PORT");
	refuses("[::1]:22", "connect -z HOST:PORT");
	refuses("name:http", "connect -z HOST:PORT");
	refuses("unix:/tmp/x", "a unix socket has no ports");
	refuses("http://192.0.2.1/", "a URL");
	excludes("192.0.2.0/29", "192.0.2.2-5",
	    "192.0.2.0 192.0.2.1 192.0.2.6 192.0.2.7");
	excludes("192.0.2.0/30", "192.0.2.0/24", "");
	excludes("192.0.2.0/30", "192.0.2.0,192.0.2.3,2001:db8::1",
	    "192.0.2.1 192.0.2.2");
	return done_testing();
}
