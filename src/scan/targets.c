/* The hosts of a scan: parses them, and numbers their targets. */
#include "scan/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "scan/ports.h"
#include "net/resolve.h"
#include "net/wait.h"

/* The first and the longest pause before a name is looked up again. */
#define RETRY_MS 50
#define MAX_RETRY_MS 400

/* The last four bytes of an address. */
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

static void
append(struct targets *t, const struct target *item)
{
	if (t->count == t->capacity) {
		t->capacity = t->capacity * 2 + 16;
		t->items =
		    mem_resize(t->items, t->capacity, sizeof(t->items[0]));
	}
	t->items[t->count] = *item;
	if (item->name != NULL)
		t->items[t->count].name = mem_text(item->name);
	t->count++;
}

static int
refuse(const char *text, const char *why, struct err *e)
{
	char shown[256];

	text_escape_string(shown, sizeof(shown), text);
	return err_set(e, ERR_USAGE, "host '%s': %s", shown, why);
}

static int
add(struct targets *t, const struct target *item, const char *text,
    struct err *e)
{
	if (addr_lacks_scope(&item->base))
		return refuse(text,
		    "a link-local address needs its interface: "
		    "ADDRESS%INTERFACE",
		    e);
	append(t, item);
	return 0;
}

static int
check_family(int family, const struct targets_options *o, const char *text,
    struct err *e)
{
	if (o->names.family == AF_UNSPEC || o->names.family == family)
		return 0;
	return refuse(text,
	    family == AF_INET6 ? "an IPv6 address, but -4 permits only IPv4"
			       : "an IPv4 address, but -6 permits only IPv6",
	    e);
}

/* Parses "192.0.2.0/24"; the bits after the prefix are ignored. */
static int
parse_network(
    struct target *item, const char *text, const char *slash, struct err *e)
{
	int64_t bits, width;
	uint32_t mask;

	if (!addr_parse_ip_prefix(&item->base, text, (size_t)(slash - text)))
		return refuse(text, "not a network ADDRESS/BITS", e);
	width = addr_family(&item->base) == AF_INET6 ? 128 : 32;
	if (!num_parse(slash + 1, 0, width, &bits))
		return refuse(text,
		    width == 32 ? "a prefix has 0 to 32 bits"
				: "a prefix has 0 to 128 bits",
		    e);
	if (width - bits > 24)
		return refuse(text, "more than 16777216 hosts in one scan", e);
	mask = width == bits ? 0 : UINT32_MAX >> (32 - (width - bits));
	item->low = get_tail(&item->base) & ~mask;
	item->high = item->low | mask;
	return 0;
}

/* Parses "192.0.2.10-20". Returns false if text is something else. */
static bool
parse_octets(const char *text, struct target *item)
{
	const char *hyphen = strchr(text, '-');
	int64_t last;

	if (hyphen == NULL || strspn(text, "0123456789.-") != strlen(text))
		return false;
	if (!num_parse(hyphen + 1, 0, 255, &last) ||
	    !addr_parse_ip_prefix(&item->base, text, (size_t)(hyphen - text)))
		return false;
	item->low = get_tail(&item->base);
	item->high = (item->low & ~UINT32_C(255)) | (uint32_t)last;
	return true;
}

/*
 * Looks up a name; while it does not exist, tries again until o->retry. Returns
 * 0, or -1 with *e.
 */
static int
look_up(const struct endpoint *ep, const struct targets_options *o,
    struct addr_list *list, struct err *e)
{
	struct backoff pause = {.min = RETRY_MS, .max = MAX_RETRY_MS};
	struct deadline until;

	for (;;) {
		until = deadline_first(
		    o->until, deadline_limit(o->name_ms, "--timeout"));
		if (resolve(ep, &o->names, until, list, e) == 0)
			return 0;
		if (e->kind != ERR_NAME && e->kind != ERR_TIMEOUT)
			return -1;
		until = deadline_first(o->until, o->retry);
		if (deadline_passed(until))
			return -1;
		if (pause.pause == 0)
			diag_warn("%s; trying again", e->text);
		if (wait_until(deadline_first(
			until, deadline_after(backoff_next(&pause)))) < 0)
			return err_sys(e, ERR_FAILED, EINTR, "scan");
	}
}

/* An element that is being parsed. */
struct parser {
	struct targets *targets;
	const struct targets_options *o;
	char whole[ENDPOINT_HOST + 32]; /* the element, for errors */
};

static int
add_name(const struct parser *p, struct target *item, const char *text,
    struct err *e)
{
	struct addr_list list = ADDR_LIST_INIT;
	struct endpoint ep = {.port = 0};
	char name[ENDPOINT_HOST * 2];
	size_t i;
	int result = 0;

	if (strlen(text) >= sizeof(ep.host))
		return refuse(text, "longer than a name can be", e);
	memcpy(ep.host, text, strlen(text) + 1);
	if (look_up(&ep, p->o, &list, e) < 0)
		return -1;
	item->name = text_escape_string(name, sizeof(name), text);
	for (i = 0; i < list.count && result == 0; i++) {
		item->base = list.items[i];
		item->low = item->high = get_tail(&item->base);
		result = add(p->targets, item, text, e);
		if (!p->o->all_addresses)
			break;
	}
	addr_list_release(&list);
	return result;
}

/* Removes the brackets of "[::1]" in place. */
static char *
unbracket(char *text)
{
	size_t n = strlen(text);

	if (n < 2 || text[0] != '[' || text[n - 1] != ']')
		return text;
	text[n - 1] = '\0';
	return text + 1;
}

/* Why text cannot be a host, although other programs accept it, or NULL. */
static const char *
invalid_reason(const char *text)
{
	if (strncmp(text, "unix:", 5) == 0)
		return "a unix socket has no ports";
	if (strstr(text, "://") != NULL)
		return "a URL; write HOST or HOST:PORT";
	return NULL;
}

/*
 * Splits "HOST:PORT" at the colon after the host. Returns the ports, or NULL:
 * an IPv6 address without brackets has several colons, and none is a separator.
 */
static char *
split_ports(char *text)
{
	char *colon = text[0] == '[' ? strstr(text, "]:") : strchr(text, ':');

	if (colon == NULL)
		return NULL;
	if (text[0] == '[')
		colon++;
	else if (strchr(colon + 1, ':') != NULL)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* Parses the ports of HOST:PORT: one port or one range. */
static int
parse_item_ports(const struct parser *p, struct target *item, const char *text,
    struct err *e)
{
	struct ports set;
	struct ports_parser parser = {
	    .ports = &set, .protocol = p->o->protocol};

	if (p->o->protocol == NULL)
		return refuse(p->whole, "must be a host without a port", e);
	if (text[0] == '\0')
		return refuse(p->whole, "the port after ':' is missing", e);
	ports_clear(&set);
	if (ports_parse(&parser, text, e) < 0)
		return -1;
	if (!ports_range(&set, &item->first_port, &item->last_port))
		return refuse(text, "one port or one range may follow ':'", e);
	return 0;
}

/* Adds the hosts of text with the ports of *item. */
static int
add_hosts(
    const struct parser *p, struct target *item, char *text, struct err *e)
{
	const char *slash;

	text = unbracket(text);
	slash = strchr(text, '/');
	if (text[0] == '\0')
		return refuse(text, "it is empty", e);
	if (slash != NULL) {
		if (parse_network(item, text, slash, e) < 0)
			return -1;
	} else if (addr_parse_ip(&item->base, text, 0)) {
		item->low = item->high = get_tail(&item->base);
	} else if (!parse_octets(text, item)) {
		return add_name(p, item, text, e);
	}
	if (item->high < item->low)
		return refuse(text, "the range is reversed", e);
	if (check_family(addr_family(&item->base), p->o, text, e) < 0)
		return -1;
	return add(p->targets, item, text, e);
}

static int
add_element(struct parser *p, char *text, struct err *e)
{
	struct target item = {.name = NULL};
	const char *why = invalid_reason(text), *ports;

	if (why != NULL)
		return refuse(text, why, e);
	memcpy(p->whole, text, strlen(text) + 1);
	ports = split_ports(text);
	if (ports != NULL && parse_item_ports(p, &item, ports, e) < 0)
		return -1;
	return add_hosts(p, &item, text, e);
}

int
targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e)
{
	struct parser p = {.targets = t, .o = o};
	char element[sizeof(p.whole)];
	size_t n;

	for (;;) {
		n = strcspn(text, ",");
		if (n >= sizeof(element))
			return refuse(text, "longer than a name can be", e);
		memcpy(element, text, n);
		element[n] = '\0';
		if (add_element(&p, element, e) < 0)
			return -1;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}

bool
targets_any(const struct targets *t, bool has_ports)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if ((t->items[i].first_port != 0) == has_ports)
			return true;
	return false;
}

/* The start of an item: its first host or, by_number, its first target. */
static uint64_t
start_of(const struct target *item, bool by_number)
{
	return by_number ? item->start : item->before;
}

/* Finds the item that contains a host or, by_number, a target. */
static const struct target *
find(const struct targets *t, uint64_t key, bool by_number)
{
	size_t low = 0, high = t->count, middle;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (start_of(&t->items[middle], by_number) <= key)
			low = middle;
		else
			high = middle;
	}
	return &t->items[low];
}

void
targets_port(const struct targets *t, uint64_t number, struct target_port *p)
{
	const struct target *item = NULL;
	uint64_t in_item = number;

	/* If all hosts have the same list of ports, a division suffices. */
	if (t->list_count > 1) {
		item = find(t, number, true);
		in_item -= item->start;
	}
	p->number = number;
	p->list = &t->lists[item != NULL ? item->list : 0];
	p->host = (uint32_t)(in_item / p->list->count);
	if (item != NULL)
		p->host += item->before;
	p->index = (uint32_t)(in_item % p->list->count);
	p->port = p->list->ports[p->index];
}

const struct port_list *
targets_list(const struct targets *t, uint32_t i, uint64_t *first)
{
	const struct target *item = find(t, i, false);
	const struct port_list *list = &t->lists[item->list];

	*first = item->start + (uint64_t)(i - item->before) * list->count;
	return list;
}

void
targets_host(const struct targets *t, uint32_t i, uint16_t port, struct addr *a)
{
	const struct target *item = find(t, i, false);

	*a = item->base;
	set_tail(a, item->low + (i - item->before));
	addr_set_port(a, port);
}

const char *
targets_name(const struct targets *t, uint32_t i)
{
	return find(t, i, false)->name;
}

void
targets_release(struct targets *t)
{
	struct targets none = TARGETS_INIT;
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->items[i].name);
	free(t->items);
	for (i = 0; i < t->list_count; i++)
		ports_list_release(&t->lists[i]);
	free(t->lists);
	*t = none;
}
