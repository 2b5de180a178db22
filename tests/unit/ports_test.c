/* Sets of ports: syntax and sets. */
#include <netdb.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/wordlist.h"
#include "scan/ports.h"

static bool
ports_has(const struct ports *p, uint16_t port)
{
	return (p->bits[port / 8] >> (port & 7)) & 1;
}

/* "22,80,8000-8100" into buf, which is large enough. Returns buf. */
static const char *
ports_text(const struct ports *p, char *buf, size_t size)
{
	uint32_t low, high;
	size_t used = 0;

	buf[0] = '\0';
	for (low = 1; low <= UINT16_MAX; low = high + 1) {
		high = low;
		if (!ports_has(p, (uint16_t)low))
			continue;
		while (high < UINT16_MAX && ports_has(p, (uint16_t)(high + 1)))
			high++;
		snprintf(buf + used, size - used,
		    high > low ? "%s%u-%u" : "%s%u", used > 0 ? "," : "", low,
		    high);
		used += strlen(buf + used);
	}
	return buf;
}

static int
add(void *ports, const char *text, struct err *e)
{
	return ports_add(ports, "tcp", text, e);
}

/* Adds text's ports for TCP. */
static int
parse(struct ports *p, const char *text, struct err *e)
{
	return wordlist_split(text, add, p, e);
}

static void
takes(const char *text, const char *want)
{
	struct ports p;
	struct err e = ERR_INIT;
	char shown[256];

	memset(&p, 0, sizeof(p));
	ok(parse(&p, text, &e) == 0, "'%s' is taken", text);
	is_text(ports_text(&p, shown, sizeof(shown)), want, text);
}

static void
refuses(const char *text, const char *why)
{
	struct ports p;
	struct err e = ERR_INIT;

	memset(&p, 0, sizeof(p));
	ok(parse(&p, text, &e) < 0 && e.kind == ERR_USAGE &&
		strstr(e.text, why) != NULL,
	    "'%s' is refused: %s", text, e.text);
}

static void
test_syntax(void)
{
	takes("22", "22");
	takes("1", "1");
	takes("65535", "65535");
	takes("22,80,8000-8002", "22,80,8000-8002");
	takes("80,80,79-81", "79-81");
	takes("-3", "1-3");
	takes("65530-", "65530-65535");
	takes("-", "1-65535");
	takes("7-7", "7");
	if (getservbyname("http", "tcp") == NULL) {
		skip(6, "no names in services(5)");
	} else {
		takes("ssh,http", "22,80");
		takes("ftp-data", "20");
		takes("ftp-data,ftp", "20-21");
	}
	refuses("", "empty");
	refuses("0", "1 to 65535");
	refuses("65536", "1 to 65535");
	refuses("80x", "1 to 65535");
	refuses("0-5", "1-65535");
	refuses("1-65536", "1-65535");
	refuses("90-80", "reversed");
	refuses("1-2-3", "1-65535");
	refuses("1,,2", "empty");
	refuses("1,", "empty");
	refuses(",1", "empty");
	refuses("--", "1-65535");
	refuses("+1", "known service");
	refuses(" 1", "known service");
	refuses("no-such-service", "service");
	refuses("http*", "one by one");
	refuses("[1-1024]", "without brackets");
	refuses("T:22", "--udp");
	refuses("U:53", "--udp");
	refuses("1,2,a-service-name-that-is-longer-than-any-in-the-world-and-"
		"than-all-that-a-line-of-services-can-reasonably-contain-even-"
		"with-its-aliases",
	    "service name");
	refuses("99999999999999999999", "1 to 65535");
	refuses("\033[1m", "\\x1b");
}

static void
test_sets(void)
{
	struct ports a, b;
	struct port_list l;
	struct err e;
	uint32_t i, sum = 0;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	parse(&a, "1-9,65535", &e);
	parse(&b, "3-8", &e);
	ports_remove(&a, &b);
	ok(!ports_has(&a, 8) && ports_has(&a, 9), "what is removed is gone");
	ports_list_init(&l, &a, 7);
	is_int(l.count, 4, "four are left");
	for (i = 0; i < l.count; i++)
		sum += l.ports[i];
	is_int(sum, 1 + 2 + 9 + 65535, "which are those");
	free(l.ports);
	memset(&a, 0, sizeof(a));
	parse(&a, ports_default("tcp"), &e);
	ok(ports_has(&a, 1) && ports_has(&a, 1024) && !ports_has(&a, 1025) &&
		ports_has(&a, 8080),
	    "1-1024 and well-known higher ones by default");
	memset(&a, 0, sizeof(a));
	parse(&a, ports_default("udp"), &e);
	ok(ports_has(&a, 53) && !ports_has(&a, 54), "a short list for UDP");
}

/* What is scanned by default besides the ports up to 1024, by purpose. */
static const char *const tcp_higher[] = {
    /* Databases, caches and search. */
    "1433,1521,2181,2379,2380,3306,4369,5432,5984,6379,7000,7001,7474,8086",
    "9042,9200,9300,11211,27017,50000",
    /* Files, mail and messages. */
    "1883,2049,5222,5269,5671,5672,6667,8883,9092,9418,15672,51413",
    /* Terminals, desktops and virtual networks. */
    "1194,1723,2222,3389,5555,5900,5901,5985,5986,6000",
    /* Proxies, telephony, directories, measurements, printers. */
    "1080,3128,3268,5060,5061,5201,7070,9100",
    /* Containers, clusters and administration. */
    "2082,2083,2375,2376,5601,6443,8500,8834,9090,9091,10000,10250",
    /* Web servers where they are not on port 80. */
    "3000,4000,4443,5000,8000,8001,8008,8009,8080,8081,8088,8090,8123,8181",
    "8443,8888,9000,9001,9443",
    /* Games, media, coins, and the ports of tutorials. */
    "8333,9999,25565,32400", NULL};

static const char *const udp_common[] = {
    /* Small services of old, and time. */
    "7,9,13,17,19,37,123",
    /* Names, addresses, boot and discovery. */
    "53,67,68,69,111,137,138,427,1900,3702,5351,5353,5355",
    /* Network management, logs, routes. */
    "161,162,514,520,623,33434",
    /* Accounts and directories. */
    "88,389,464,1645,1646,1812,1813",
    /* Tunnels. */
    "500,1194,1701,4500,51820",
    /* Web, files and messages. */
    "177,443,631,1434,2049,5683,11211,17500",
    /* Telephony, games and peers, and the ports of tutorials. */
    "3478,5060,6881,9999,10001,27015", NULL};

/* The default ports are those of the lists, and no others. */
static void
is_default(const char *protocol, const char *first, const char *const *lists)
{
	struct ports want, got;
	struct err e = ERR_INIT;
	char a[1024], b[1024];

	memset(&want, 0, sizeof(want));
	memset(&got, 0, sizeof(got));
	if (first != NULL && parse(&want, first, &e) < 0)
		abort();
	for (; *lists != NULL; lists++)
		if (parse(&want, *lists, &e) < 0)
			abort();
	if (parse(&got, ports_default(protocol), &e) < 0)
		abort();
	is_text(ports_text(&got, a, sizeof(a)), ports_text(&want, b, sizeof(b)),
	    protocol);
}

/* The first probes of a host: likely ports, then others spread evenly. */
static void
discovers(const char *text, const char *want)
{
	struct ports set;
	struct port_list l;
	struct err e = ERR_INIT;
	char got[256] = "";
	uint32_t i;

	memset(&set, 0, sizeof(set));
	if (parse(&set, text, &e) < 0)
		abort();
	ports_list_init(&l, &set, 7);
	for (i = 0; i < l.discovery; i++)
		sprintf(got + strlen(got), "%s%d", i > 0 ? "," : "",
		    ports_at(&l, 3, i));
	is_text(got, want, text);
	free(l.ports);
}

/* Each host has every port once, in another order. */
static void
test_order(void)
{
	static bool seen[3][3001];
	struct ports set;
	struct port_list l;
	struct err e;
	uint32_t host, i, once = 0, same = 0;

	memset(&set, 0, sizeof(set));
	parse(&set, "1-3000", &e);
	ports_list_init(&l, &set, 7);
	for (host = 0; host < 3; host++)
		for (i = 0; i < l.count; i++) {
			once += !seen[host][ports_at(&l, host, i)];
			seen[host][ports_at(&l, host, i)] = true;
			same += ports_at(&l, host, i) == ports_at(&l, 9, i);
		}
	is_int(once, 9000, "each port of three hosts once");
	is_int(same, 3 * 8, "in their own order, after the likely ones");
	free(l.ports);
}

int
main(void)
{
	test_order();
	test_syntax();
	test_sets();
	discovers("1-16", "");
	discovers("1-17", "1,3,5,7,9,11,13,15");
	discovers("1-65535", "443,80,22,445,53,3389,25,8080");
	discovers("22,100-199", "22,111,124,136,149,162,174,187");
	discovers("443,80,1000-1019", "443,80,1000,1003,1006,1009,1011,1014");
	is_default("tcp", "1-1024", tcp_higher);
	is_default("udp", NULL, udp_common);
	return done_testing();
}
