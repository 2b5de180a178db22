/* Sets of ports, as a user writes them, and the lists made from them. */
#include "scan/ports.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#define HIGHEST 65535
/* The distance in the list between the first ports of two hosts. */
#define START_STEP 7919

/* The ports above 1024 are in common use; chosen for sockt. */
static const char tcp_default[] =
    "1-1024,1080,1194,1433,1521,1723,1883,2049,2082,2083,2181,2222,2375,"
    "2376,2379,2380,3000,3128,3268,3306,3389,4000,4369,4443,5000,5060,5061,"
    "5201,5222,5269,5432,5555,5601,5671,5672,5900,5901,5984,5985,5986,6000,"
    "6379,6443,6667,7000,7001,7070,7474,8000,8001,8008,8009,8080,8081,8086,"
    "8088,8090,8123,8181,8333,8443,8500,8834,8883,8888,9000,9001,9042,9090,"
    "9091,9092,9100,9200,9300,9418,9443,9999,10000,10250,11211,15672,25565,"
    "27017,32400,50000,51413";

/* Ports that answer datagrams; chosen for sockt. */
static const char udp_default[] =
    "7,9,13,17,19,37,53,67,68,69,88,111,123,137,138,161,162,177,389,427,"
    "443,464,500,514,520,623,631,1194,1434,1645,1646,1701,1812,1813,1900,"
    "2049,3478,3702,4500,5060,5351,5353,5355,5683,6881,9999,10001,11211,"
    "17500,27015,33434,51820";

const char *
ports_default(const char *protocol)
{
	return strcmp(protocol, "udp") == 0 ? udp_default : tcp_default;
}

void
ports_remove(struct ports *a, const struct ports *b)
{
	size_t i;

	for (i = 0; i < sizeof(a->bits); i++)
		a->bits[i] &= (unsigned char)~b->bits[i];
}

/* Sets a usage error that names the element. Returns -1. */
static int
refuse(const char *element, const char *why, struct err *e)
{
	return err_set(
	    e, ERR_USAGE, "ports '%s': %s", text_shown(element), why);
}

int
ports_add(
    struct ports *p, const char *protocol, const char *text, struct err *e)
{
	const char *end = text;
	const struct servent *s;
	int64_t low = 1, high;

	if (text[0] == '\0')
		return refuse(text, "an element is empty", e);
	/* Other programs write these differently. */
	if (text[1] == ':' && strchr("TUS", text[0]) != NULL)
		return refuse(text,
		    "a scan is of TCP ports, or of UDP ports with --udp; write "
		    "them without the letter",
		    e);
	if (strpbrk(text, "[]") != NULL)
		return refuse(
		    text, "a range is written without brackets: LOW-HIGH", e);
	if (strpbrk(text, "*?") != NULL)
		return refuse(text,
		    "services are named one by one, without patterns: "
		    "http,https",
		    e);
	/* Text that begins with a digit was meant as a number. */
	s = text_is_digit(text[0]) ? NULL : getservbyname(text, protocol);
	if (s != NULL && s->s_port != 0) {
		low = high = ntohs((uint16_t)s->s_port);
	} else {
		/* "80", "20-25", "-1024", "60000-" or "-" */
		num_digits(&end, HIGHEST, &low);
		high = low;
		if (*end == '-') {
			end++;
			high = HIGHEST;
			num_digits(&end, HIGHEST, &high);
		}
		if (*end != '\0' || low == 0 || high == 0)
			return refuse(text,
			    strchr(text, '-') == NULL
				? "neither a number from 1 to 65535 nor a "
				  "known service"
				: "neither a range within 1-65535 nor a "
				  "service name",
			    e);
	}
	if (low > high)
		return refuse(text, "the range is reversed", e);
	for (; low <= high; low++)
		p->bits[low / 8] |= (unsigned char)(1 << (low & 7));
	return 0;
}

/* Exchanges two ports of the list. */
static void
swap(struct port_list *l, uint32_t i, uint32_t k)
{
	uint16_t port = l->ports[i];

	l->ports[i] = l->ports[k];
	l->ports[k] = port;
}

/* Puts the likely ports first, then others spread evenly over the list. */
static void
choose_discovery(struct port_list *l)
{
	/* Many hosts either serve or refuse these. */
	uint16_t wanted[2 * PORTS_DISCOVERY] = {
	    443, 80, 22, 445, 53, 3389, 25, 8080};
	uint32_t i, k;

	for (i = 0; i < PORTS_DISCOVERY; i++)
		wanted[PORTS_DISCOVERY + i] =
		    l->ports[(uint64_t)l->count * i / PORTS_DISCOVERY];
	for (i = 0; i < 2 * PORTS_DISCOVERY && l->discovery < PORTS_DISCOVERY;
	     i++)
		for (k = l->discovery; k < l->count; k++)
			if (l->ports[k] == wanted[i]) {
				swap(l, k, l->discovery++);
				break;
			}
}

void
ports_list_init(struct port_list *l, const struct ports *set, uint64_t seed)
{
	uint32_t port, i;

	memset(l, 0, sizeof(*l));
	l->ports = mem_array(HIGHEST, sizeof(l->ports[0]));
	for (port = 1; port <= HIGHEST; port++)
		if ((set->bits[port / 8] >> (port & 7)) & 1)
			l->ports[l->count++] = (uint16_t)port;
	/* With few ports discovery saves nothing. */
	if (l->count > PORTS_DISCOVERY * 2)
		choose_discovery(l);
	/* Fisher and Yates, with Knuth's linear congruential generator. */
	for (i = l->count; i > l->discovery + 1; i--) {
		seed = seed * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
		swap(l, i - 1,
		    l->discovery +
			(uint32_t)((seed >> 33) % (i - l->discovery)));
	}
}

uint16_t
ports_at(const struct port_list *l, uint64_t host, uint32_t i)
{
	uint32_t rest = l->count - l->discovery;

	if (i < l->discovery)
		return l->ports[i];
	return l->ports[l->discovery +
			(host * START_STEP + i - l->discovery) % rest];
}
