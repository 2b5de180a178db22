/* The hosts of a scan: parses them, and numbers their targets. */
#include "scan/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/endpoint.h"
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

static int
add_name(struct targets *t, struct target *item, const char *text,
    const struct targets_options *o, struct err *e)
{
	struct addr_list list = ADDR_LIST_INIT;
	struct endpoint ep = {.port = 0};
	char name[ENDPOINT_HOST * 2];
	size_t i;
	int result = 0;

	if (strlen(text) >= sizeof(ep.host))
		return refuse(text, "longer than a name can be", e);
	memcpy(ep.host, text, strlen(text) + 1);
	if (look_up(&ep, o, &list, e) < 0)
		return -1;
	item->name = text_escape_string(name, sizeof(name), text);
	for (i = 0; i < list.count && result == 0; i++) {
		item->base = list.items[i];
		item->low = item->high = get_tail(&item->base);
		result = add(t, item, text, e);
		if (!o->all_addresses)
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

/* Whether text is HOST:PORT: an IPv6 address has several colons. */
static bool
has_port(const char *text)
{
	const char *colon = strchr(text, ':');

	if (text[0] == '[')
		return strstr(text, "]:") != NULL;
	return colon != NULL && strchr(colon + 1, ':') == NULL;
}

/* Why text cannot be a host, although other programs accept it, or NULL. */
static const char *
invalid_reason(const char *text)
{
	if (strncmp(text, "unix:", 5) == 0)
		return "a unix socket has no ports";
	if (strstr(text, "://") != NULL)
		return "a URL; write HOST";
	if (has_port(text))
		return "must be a host without a port; for a port of each "
		       "host: sockt connect -z HOST:PORT...";
	return NULL;
}

static int
add_element(struct targets *t, char *text, const struct targets_options *o,
    struct err *e)
{
	struct target item = {.name = NULL};
	const char *why = invalid_reason(text), *slash;

	if (why != NULL)
		return refuse(text, why, e);
	text = unbracket(text);
	slash = strchr(text, '/');
	if (text[0] == '\0')
		return refuse(text, "it is empty", e);
	if (slash != NULL) {
		if (parse_network(&item, text, slash, e) < 0)
			return -1;
	} else if (addr_parse_ip(&item.base, text, 0)) {
		item.low = item.high = get_tail(&item.base);
	} else if (!parse_octets(text, &item)) {
		return add_name(t, &item, text, o, e);
	}
	if (item.high < item.low)
		return refuse(text, "the range is reversed", e);
	if (check_family(addr_family(&item.base), o, text, e) < 0)
		return -1;
	return add(t, &item, text, e);
}

int
targets_add(struct targets *t, const char *text,
    const struct targets_options *o, struct err *e)
{
	char element[ENDPOINT_HOST + 32];
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

/* An item to be merged. */
struct entry {
	const struct target *item;
	size_t position;  /* in the user's order; excluded ones come last */
	bool is_excluded; /* its hosts are excluded */
};

/* A range of hosts that the same items cover. */
struct piece {
	size_t position; /* of the first of these items */
	uint32_t low, high;
};

/* The state of a merge. */
struct merge {
	struct entry *entries; /* sorted by address */
	size_t count;
	struct entry *active; /* entries that cover the current address */
	size_t active_count;
	struct piece *pieces;
	size_t piece_count, piece_capacity;
	uint64_t hosts;
};

/* Compares all but the last 32 bits. Returns 0 if two items may overlap. */
static int
compare_prefix(const struct target *a, const struct target *b)
{
	const struct sockaddr_in6 *x = &a->base.u.in6, *y = &b->base.u.in6;
	int order = addr_family(&a->base) - addr_family(&b->base);

	if (order != 0 || addr_family(&a->base) != AF_INET6)
		return order;
	order = memcmp(&x->sin6_addr, &y->sin6_addr, 12);
	if (order != 0)
		return order;
	return (x->sin6_scope_id > y->sin6_scope_id) -
	       (x->sin6_scope_id < y->sin6_scope_id);
}

/* Compares what two entries cover. */
static int
compare_span(const struct entry *x, const struct entry *y)
{
	const struct target *a = x->item, *b = y->item;
	int order = compare_prefix(a, b);

	if (order != 0)
		return order;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return x->is_excluded - y->is_excluded;
}

static int
by_span(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare_span(x, y);

	return order != 0
		   ? order
		   : (x->position > y->position) - (x->position < y->position);
}

static int
by_position(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return (x->low > y->low) - (x->low < y->low);
}

/* Sorts all entries and keeps the first of equal ones. */
static void
sort_entries(
    struct merge *m, const struct targets *t, const struct targets *excluded)
{
	size_t i, count = t->count + excluded->count;

	m->entries = mem_array(count, sizeof(m->entries[0]));
	for (i = 0; i < count; i++) {
		m->entries[i].is_excluded = i >= t->count;
		m->entries[i].position = i;
		m->entries[i].item = i < t->count
					 ? &t->items[i]
					 : &excluded->items[i - t->count];
	}
	if (count > 0)
		qsort(m->entries, count, sizeof(m->entries[0]), by_span);
	for (i = 0; i < count; i++)
		if (m->count == 0 || compare_span(&m->entries[m->count - 1],
					 &m->entries[i]) != 0)
			m->entries[m->count++] = m->entries[i];
	m->active = mem_array(m->count, sizeof(m->active[0]));
}

/* Adds the addresses low to high, unless the active entries exclude them. */
static void
add_piece(struct merge *m, uint32_t low, uint32_t high)
{
	struct piece p = {SIZE_MAX, low, high}, *last;
	size_t i;

	for (i = 0; i < m->active_count; i++) {
		if (m->active[i].is_excluded)
			return;
		if (m->active[i].position < p.position)
			p.position = m->active[i].position;
	}
	m->hosts += (uint64_t)high - low + 1;
	last = m->piece_count > 0 ? &m->pieces[m->piece_count - 1] : NULL;
	if (last != NULL && last->position == p.position &&
	    last->high + 1 == low) {
		last->high = high;
		return;
	}
	if (m->pieces == NULL || m->piece_count == m->piece_capacity) {
		m->piece_capacity = m->piece_capacity * 2 + 16;
		m->pieces = mem_resize(
		    m->pieces, m->piece_capacity, sizeof(m->pieces[0]));
	}
	m->pieces[m->piece_count++] = p;
}

/* Removes the active entries that end before an address. */
static void
drop_ended(struct merge *m, uint64_t at)
{
	size_t i, kept = 0;

	for (i = 0; i < m->active_count; i++)
		if (m->active[i].item->high >= at)
			m->active[kept++] = m->active[i];
	m->active_count = kept;
}

/* Splits the entry at index i and those after it that may overlap it into
 * pieces, from low to high. Returns the index after them. */
static size_t
split_into_pieces(struct merge *m, size_t i)
{
	const struct target *first = m->entries[i].item;
	uint64_t at = first->low, next;
	size_t end = i, k;

	while (
	    end < m->count && compare_prefix(first, m->entries[end].item) == 0)
		end++;
	for (;;) {
		drop_ended(m, at);
		if (m->active_count == 0 && i == end)
			return end;
		if (m->active_count == 0)
			at = m->entries[i].item->low;
		while (i < end && m->entries[i].item->low <= at)
			m->active[m->active_count++] = m->entries[i++];
		next = i < end ? m->entries[i].item->low : UINT64_MAX;
		for (k = 0; k < m->active_count; k++)
			if (m->active[k].item->high < next)
				next = (uint64_t)m->active[k].item->high + 1;
		add_piece(m, (uint32_t)at, (uint32_t)(next - 1));
		at = next;
	}
}

/* Makes an item of each piece, with the name that the user wrote. */
static void
make_items(struct merge *m, const struct targets *t, struct targets *result)
{
	size_t i;

	if (m->piece_count > 0)
		qsort(m->pieces, m->piece_count, sizeof(m->pieces[0]),
		    by_position);
	result->items = mem_array(m->piece_count, sizeof(result->items[0]));
	for (i = 0; i < m->piece_count; i++) {
		const struct piece *p = &m->pieces[i];
		struct target *from = &t->items[p->position];

		result->items[i] = *from;
		from->name = NULL;
		result->items[i].low = p->low;
		result->items[i].high = p->high;
		result->items[i].before = result->hosts;
		result->hosts += p->high - p->low + 1;
	}
	result->count = result->capacity = m->piece_count;
}

int
targets_merge(struct targets *t, const struct targets *excluded, struct err *e)
{
	struct merge m = {.entries = NULL};
	struct targets merged = TARGETS_INIT;
	size_t i = 0;
	int result = 0;

	sort_entries(&m, t, excluded);
	while (i < m.count)
		i = split_into_pieces(&m, i);
	if (m.hosts > TARGETS_MAX)
		result = err_set(e, ERR_USAGE,
		    "more than %" PRIu32 " hosts in one scan", TARGETS_MAX);
	else
		make_items(&m, t, &merged);
	free(m.entries);
	free(m.active);
	free(m.pieces);
	targets_release(t);
	*t = merged;
	return result;
}

/* Finds the item that contains host i. */
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
	struct targets none = TARGETS_INIT;
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->items[i].name);
	free(t->items);
	*t = none;
}
