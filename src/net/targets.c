#include "net/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "base/words.h"
#include "net/endpoint.h"
#include "net/resolve.h"

/* The last 32 bits of an address, in host order. */
static unsigned char *
tail(struct addr *a)
{
	if (addr_family(a) == AF_INET6)
		return a->u.in6.sin6_addr.s6_addr + 12;
	return (unsigned char *)&a->u.in4.sin_addr.s_addr;
}

static uint32_t
get_tail(const struct addr *a)
{
	struct addr copy = *a;
	uint32_t n;

	memcpy(&n, tail(&copy), sizeof(n));
	return ntohl(n);
}

static void
set_tail(struct addr *a, uint32_t value)
{
	uint32_t n = htonl(value);

	memcpy(tail(a), &n, sizeof(n));
}

/* Whether two items may overlap at all: only their last 32 bits differ. */
static bool
is_alike(const struct target *a, const struct target *b)
{
	struct addr x = a->base, y = b->base;

	set_tail(&x, 0);
	set_tail(&y, 0);
	return addr_same_host(&x, &y);
}

static bool
overlaps(const struct target *a, const struct target *b)
{
	return a->low <= b->high && b->low <= a->high && is_alike(a, b);
}

static void
append(struct targets *t, const struct target *item)
{
	t->items = mem_resize(t->items, t->count + 1, sizeof(t->items[0]));
	t->items[t->count] = *item;
	if (item->name != NULL)
		t->items[t->count].name = mem_text(item->name);
	t->count++;
}

static void
recount(struct targets *t)
{
	size_t i;

	t->hosts = 0;
	for (i = 0; i < t->count; i++) {
		t->items[i].before = t->hosts;
		t->hosts += t->items[i].high - t->items[i].low + 1;
	}
}

/* Appends to t the parts of item that items from place i of known lack. */
static void
append_new(struct targets *t, const struct targets *known, size_t i,
    struct target item)
{
	struct target front;

	for (; i < known->count; i++) {
		const struct target *k = &known->items[i];

		if (!overlaps(&item, k))
			continue;
		if (item.low < k->low) {
			front = item;
			front.high = k->low - 1;
			append_new(t, known, i + 1, front);
		}
		if (item.high <= k->high)
			return;
		item.low = k->high + 1;
	}
	append(t, &item);
}

void
targets_remove(struct targets *a, const struct targets *b)
{
	struct targets left = TARGETS_INIT;
	size_t i;

	for (i = 0; i < a->count; i++)
		append_new(&left, b, 0, a->items[i]);
	targets_release(a);
	*a = left;
	recount(a);
}

static int
refuse(const char *text, const char *why, struct err *e)
{
	char shown[256];

	text_escape_string(shown, sizeof(shown), text);
	return err_set(e, ERR_USAGE, "host '%s': %s", shown, why);
}

/* Adds an item unless its hosts are known. */
static int
add(struct targets *t, const struct target *item, const char *text,
    struct err *e)
{
	uint64_t more = (uint64_t)item->high - item->low + 1;
	struct targets fresh = TARGETS_INIT;
	size_t i;

	if (addr_lacks_scope(&item->base))
		return refuse(text,
		    "a link-local address needs its interface: "
		    "ADDRESS%INTERFACE",
		    e);
	if (t->hosts + more > TARGETS_MOST)
		return refuse(text, "more than 16777216 hosts in one scan", e);
	append_new(&fresh, t, 0, *item);
	for (i = 0; i < fresh.count; i++)
		append(t, &fresh.items[i]);
	targets_release(&fresh);
	recount(t);
	return 0;
}

static int
check_family(int family, const struct targets_options *o, const char *text,
    struct err *e)
{
	if (o->family == AF_UNSPEC || o->family == family)
		return 0;
	return refuse(text,
	    family == AF_INET6 ? "an IPv6 address, and -4 was given"
			       : "an IPv4 address, and -6 was given",
	    e);
}

/* "192.0.2.0/24": the bits behind the prefix are ignored. */
static int
add_network(struct targets *t, const char *text, const char *slash,
    const struct targets_options *o, struct err *e)
{
	struct target item = {.name = NULL};
	char ip[ADDR_IP_TEXT];
	size_t n = (size_t)(slash - text);
	int64_t bits, width;
	uint32_t mask;

	if (n >= sizeof(ip))
		return refuse(text, "not a network", e);
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (!addr_parse_ip(&item.base, ip, 0))
		return refuse(text, "not a network ADDRESS/BITS", e);
	width = addr_family(&item.base) == AF_INET6 ? 128 : 32;
	if (!num_parse(slash + 1, 0, width, &bits))
		return refuse(text,
		    width == 32 ? "a prefix has 0 to 32 bits"
				: "a prefix has 0 to 128 bits",
		    e);
	if (width - bits > 24)
		return refuse(text, "more than 16777216 hosts in one scan", e);
	mask = width == bits ? 0 : UINT32_MAX >> (32 - (width - bits));
	item.low = get_tail(&item.base) & ~mask;
	item.high = item.low | mask;
	if (check_family(addr_family(&item.base), o, text, e) < 0)
		return -1;
	return add(t, &item, text, e);
}

/* "192.0.2.10-20". False when it is no such thing. */
static bool
parse_octets(const char *text, struct target *item, bool *reversed)
{
	const char *hyphen = strchr(text, '-');
	char ip[ADDR_IP_TEXT];
	int64_t last;
	size_t n;

	if (hyphen == NULL || strspn(text, "0123456789.-") != strlen(text))
		return false;
	n = (size_t)(hyphen - text);
	if (n >= sizeof(ip) || !num_parse(hyphen + 1, 0, 255, &last))
		return false;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (!addr_parse_ip(&item->base, ip, 0))
		return false;
	item->low = get_tail(&item->base);
	item->high = (item->low & ~UINT32_C(255)) | (uint32_t)last;
	*reversed = item->high < item->low;
	return true;
}

static int
add_name(struct targets *t, const char *text, const struct targets_options *o,
    struct err *e)
{
	struct resolve_options ro = {o->family, o->numeric};
	struct addr_list list = ADDR_LIST_INIT;
	struct target item = {.name = NULL};
	struct endpoint ep = {.port = 0};
	char name[ENDPOINT_HOST * 2];
	size_t i;
	int result = 0;

	if (strlen(text) >= sizeof(ep.host))
		return refuse(text, "longer than a name can be", e);
	memcpy(ep.host, text, strlen(text) + 1);
	if (resolve(&ep, &ro, o->until, &list, e) < 0)
		return -1;
	item.name = text_escape_string(name, sizeof(name), text);
	for (i = 0; i < list.count && result == 0; i++) {
		item.base = list.items[i];
		item.low = item.high = get_tail(&item.base);
		result = add(t, &item, text, e);
		if (!o->all_addresses)
			break;
	}
	addr_list_release(&list);
	return result;
}

/* "[::1]" without its brackets, in place. */
static char *
unbracket(char *text)
{
	size_t n = strlen(text);

	if (n < 2 || text[0] != '[' || text[n - 1] != ']')
		return text;
	text[n - 1] = '\0';
	return text + 1;
}

static int
add_element(struct targets *t, char *text, const struct targets_options *o,
    struct err *e)
{
	struct target item = {.name = NULL};
	const char *slash = strchr(text, '/');
	bool reversed = false;

	text = unbracket(text);
	if (text[0] == '\0')
		return refuse(text, "it is empty", e);
	if (slash != NULL)
		return add_network(t, text, slash, o, e);
	if (addr_parse_ip(&item.base, text, 0))
		item.low = item.high = get_tail(&item.base);
	else if (!parse_octets(text, &item, &reversed))
		return add_name(t, text, o, e);
	if (reversed)
		return refuse(text, "the range is reversed", e);
	if (check_family(addr_family(&item.base), o, text, e) < 0)
		return -1;
	return add(t, &item, text, e);
}

int
targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e)
{
	char element[ENDPOINT_HOST + 8];
	size_t n;

	for (;;) {
		n = strcspn(text, ",");
		if (n >= sizeof(element))
			return refuse(text, "longer than a name can be", e);
		memcpy(element, text, n);
		element[n] = '\0';
		if (add_element(t, element, o, e) < 0)
			return -1;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}

/* A list being read from a file. */
struct reading {
	struct targets *targets;
	const struct targets_options *o;
};

static int
take_word(void *context, const char *word, struct err *e)
{
	const struct reading *r = context;

	return targets_add(r->targets, word, r->o, e);
}

int
targets_read(struct targets *t, FILE *f, const char *name,
    const struct targets_options *o, struct err *e)
{
	struct reading r = {t, o};

	return words_read(f, name, take_word, &r, e);
}

/* The item that host i lies in. */
static const struct target *
find(const struct targets *t, uint32_t i)
{
	size_t low = 0, high = t->count, middle;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (t->items[middle].before <= i)
			low = middle;
		else
			high = middle;
	}
	return &t->items[low];
}

void
targets_host(const struct targets *t, uint32_t i, uint16_t port, struct addr *a)
{
	const struct target *item = find(t, i);

	*a = item->base;
	set_tail(a, item->low + (i - item->before));
	addr_set_port(a, port);
}

const char *
targets_name(const struct targets *t, uint32_t i)
{
	return find(t, i)->name;
}

void
targets_release(struct targets *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->items[i].name);
	free(t->items);
	t->items = NULL;
	t->count = 0;
	t->hosts = 0;
}
