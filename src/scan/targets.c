/* The hosts of a scan: parses them, numbers them, and walks the numbers. */
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
#include "net/wait.h"

/* The first and the longest pause before a name is looked up again. */
#define RETRY_MS 50
#define MAX_RETRY_MS 400
/* The position of excluded items. */
#define EXCLUDED UINT32_MAX

/* All bits of an address but the last 32. */
struct target_prefix {
	int family;
	/* Those of IPv6; an IPv4 address has no more than 32 bits. */
	uint32_t scope;
	unsigned char bytes[12];
};

/* A name, which is looked up later. */
struct target_name {
	uint32_t position;
	char *text; /* The targets own it. */
};

/* The last 32 bits of an address. */
static uint32_t
tail_of(const struct addr *a)
{
	uint32_t n = a->u.in4.sin_addr.s_addr;

	if (addr_family(a) == AF_INET6)
		memcpy(&n, a->u.in6.sin6_addr.s6_addr + 12, sizeof(n));
	return ntohl(n);
}

/* Adds the addresses from base to the one whose last bits are high. The other
 * bits of consecutive ranges are kept once if they are equal. */
static void
add_range(struct targets *t, const struct addr *base, uint32_t high,
    uint32_t position)
{
	struct target_prefix p, *last = t->prefixes + t->prefix_count;

	memset(&p, 0, sizeof(p));
	p.family = addr_family(base);
	if (p.family == AF_INET6) {
		p.scope = base->u.in6.sin6_scope_id;
		memcpy(p.bytes, &base->u.in6.sin6_addr, sizeof(p.bytes));
	}
	if (t->prefix_count == 0 || memcmp(last - 1, &p, sizeof(p)) != 0) {
		t->prefixes = mem_grow(t->prefixes, t->prefix_count,
		    &t->prefix_capacity, sizeof(t->prefixes[0]));
		t->prefixes[t->prefix_count++] = p;
	}
	t->items =
	    mem_grow(t->items, t->count, &t->capacity, sizeof(t->items[0]));
	t->items[t->count] = (struct target_range){.low = tail_of(base),
	    .high = high,
	    .prefix = (uint32_t)t->prefix_count - 1,
	    .position = position,
	    .before = t->count};
	t->count++;
}

static int
usage_error(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE, "host '%s': %s", text_shown(text), why);
}

/* Why text cannot be a host, although other programs accept it, or NULL. */
static const char *
invalid_reason(const char *text)
{
	const char *colon = strchr(text, ':');

	if (strncmp(text, "unix:", 5) == 0)
		return "a Unix socket has no ports";
	if (strstr(text, "://") != NULL)
		return "a URL; write HOST";
	/* An IPv6 address has several colons. */
	if (text[0] == '[' ? strstr(text, "]:") != NULL
			   : colon != NULL && strchr(colon + 1, ':') == NULL)
		return "must be a host without a port; for a port of each "
		       "host: sockt connect -z HOST:PORT...";
	return text[0] == '\0' || strcmp(text, "[]") == 0 ? "it is empty"
							  : NULL;
}

/*
 * Parses "192.0.2.0/24" into the range from *a to *high; the bits after the
 * prefix are ignored. Returns 0, or -1 with *e.
 */
static int
parse_network(const char *text, struct addr *a, uint32_t *high, struct err *e)
{
	int bits, width;
	uint32_t mask, low;

	if (addr_parse_network(a, &bits, text, e) < 0)
		return err_lead(e, "host ");
	width = addr_family(a) == AF_INET6 ? 128 : 32;
	if (width - bits > 32)
		return usage_error(text,
		    "more hosts than a scan can have: IPv6 prefixes have 96 "
		    "to 128 bits",
		    e);
	mask = width == bits ? 0 : UINT32_MAX >> (32 - (width - bits));
	*high = tail_of(a) | mask;
	low = htonl(*high & ~mask);
	memcpy(width == 32 ? (unsigned char *)&a->u.in4.sin_addr
			   : a->u.in6.sin6_addr.s6_addr + 12,
	    &low, sizeof(low));
	return 0;
}

/* Whether text can only be meant as a range, and not as a name. */
static bool
is_range(const char *text)
{
	const char *digits = strchr(text, ':') != NULL
				 ? "0123456789abcdefABCDEF:.-"
				 : "0123456789.-";

	return strchr(text, '-') != NULL && strpbrk(text, ".:") != NULL &&
	       text[strspn(text, digits)] == '\0';
}

/* Parses "192.0.2.10-20" into the range from *a to *high. Returns 0, or -1 with
 * *e. */
static int
parse_octets(const char *text, struct addr *a, uint32_t *high, struct err *e)
{
	const char *hyphen = strchr(text, '-');
	int64_t last;

	if (!num_parse(hyphen + 1, 0, 255, &last) ||
	    !addr_parse_ip_prefix(a, text, (size_t)(hyphen - text)) ||
	    addr_family(a) != AF_INET)
		return usage_error(
		    text, "a range is one of the last octet: 192.0.2.10-20", e);
	*high = (tail_of(a) & ~UINT32_C(255)) | (uint32_t)last;
	return 0;
}

int
targets_add(struct targets *t, const char *text, const struct name_options *o,
    struct err *e)
{
	const char *why = invalid_reason(text);
	size_t n = strlen(text);
	struct endpoint ep = {.port = 0};
	uint32_t position = t->excludes ? EXCLUDED : t->position++;
	uint32_t high = 0;
	struct addr a;
	int family;

	if (why != NULL)
		return usage_error(text, why, e);
	if (n >= sizeof(ep.host))
		return usage_error(text, "longer than a name can be", e);
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	memcpy(ep.host, text, n);
	text = ep.host;
	if (strchr(text, '/') != NULL) {
		if (parse_network(text, &a, &high, e) < 0)
			return -1;
	} else if (addr_parse_ip(&a, text, 0)) {
		high = tail_of(&a);
	} else if (!is_range(text)) {
		if (resolve_check(&ep, o, e) < 0)
			return -1;
		t->names = mem_grow(t->names, t->name_count, &t->name_capacity,
		    sizeof(t->names[0]));
		t->names[t->name_count++] =
		    (struct target_name){position, mem_text(text)};
		return 0;
	} else if (parse_octets(text, &a, &high, e) < 0) {
		return -1;
	}
	family = addr_family(&a);
	if (high < tail_of(&a))
		return usage_error(text, "the range is reversed", e);
	if (o->family != AF_UNSPEC && o->family != family)
		return usage_error(text,
		    family == AF_INET6
			? "an IPv6 address, but -4 permits only IPv4"
			: "an IPv4 address, but -6 permits only IPv6",
		    e);
	if (resolve_check_scope(&a, text, o, e) < 0)
		return -1;
	add_range(t, &a, high, position);
	return 0;
}

/*
 * Looks up a name; while it does not exist, tries again until o->retry. Returns
 * 0, or -1 with *e.
 */
static int
look_up(const char *name, const struct targets_lookup *o,
    struct addr_list *list, struct err *e)
{
	struct endpoint ep = {.port = 0};
	struct backoff pause = {.min = RETRY_MS, .max = MAX_RETRY_MS};
	struct deadline until;

	memcpy(ep.host, name, strlen(name) + 1);
	for (;;) {
		until = deadline_first(
		    o->until, deadline_limit(o->name_ms, "--timeout"));
		if (resolve(&ep, &o->names, until, list, e) == 0)
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

int
targets_look_up(
    struct targets *t, const struct targets_lookup *o, struct err *e)
{
	size_t i, k;

	for (i = 0; i < t->name_count; i++) {
		const struct target_name *name = &t->names[i];
		bool all = o->all_addresses || name->position == EXCLUDED;
		struct addr_list list = {.count = 0};

		if (look_up(name->text, o, &list, e) < 0)
			return -1;
		for (k = 0; k < (all ? list.count : 1); k++) {
			const struct addr *a = &list.items[k];

			if (addr_lacks_scope(a) && o->names.interface == 0) {
				addr_list_release(&list);
				return err_set(e, ERR_LOCAL,
				    "host '%s': its address is link-local and "
				    "needs an interface: ADDRESS%%INTERFACE",
				    text_shown(name->text));
			}
			add_range(t, a, tail_of(a), name->position);
		}
		addr_list_release(&list);
	}
	return 0;
}

/*
 * Returns a negative number if all of x is before y, a positive one if it is
 * after y, and 0 if they overlap.
 */
static int
compare(const struct targets *t, const struct target_range *x,
    const struct target_range *y)
{
	int order = x->prefix == y->prefix
			? 0
			: memcmp(&t->prefixes[x->prefix],
			      &t->prefixes[y->prefix], sizeof(t->prefixes[0]));

	if (order != 0)
		return order;
	return x->high < y->low ? -1 : x->low > y->high;
}

/*
 * Merges two lists, each sorted by address and without overlaps: all of a, and
 * what of b is not in a. Returns the number of items in out.
 */
static size_t
merge(const struct targets *t, const struct target_range *a, size_t a_count,
    const struct target_range *b, size_t b_count, struct target_range *out)
{
	const struct target_range *a_end = a + a_count, *b_end = b + b_count;
	struct target_range rest, *to = out;
	int order = 1;

	for (; b < b_end; b++) {
		rest = *b;
		while (a < a_end && (order = compare(t, a, &rest)) <= 0) {
			if (order < 0) {
				*to++ = *a++;
				continue;
			}
			if (rest.low < a->low) {
				*to = rest;
				to++->high = a->low - 1;
			}
			if (rest.high <= a->high)
				break;
			rest.low = a->high + 1;
		}
		if (a == a_end || order > 0)
			*to++ = rest;
	}
	while (a < a_end)
		*to++ = *a++;
	return (size_t)(to - out);
}

/*
 * Sorts n items by address, and removes the parts of each that an earlier one
 * has. Returns the number of items in out, which is below 2 * n. Both out and
 * space have room for 2 * n items.
 */
static size_t
merge_all(const struct targets *t, const struct target_range *items, size_t n,
    struct target_range *out, struct target_range *space)
{
	size_t half = n / 2, first, second;

	if (n <= 1) {
		memcpy(out, items, n * sizeof(*out));
		return n;
	}
	first = merge_all(t, items, half, space, out);
	second = merge_all(t, items + half, n - half, space + first, out);
	return merge(t, space, first, space + first, second, out);
}

/* Sorts excluded items first, the others in the user's order, and the addresses
 * of a name in the resolver's. */
static int
by_position(const void *a, const void *b)
{
	const struct target_range *x = a, *y = b;
	/* EXCLUDED + 1 is 0. */
	uint32_t p = x->position + 1, q = y->position + 1;

	if (p != q)
		return p < q ? -1 : 1;
	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	return (x->low > y->low) - (x->low < y->low);
}

void
targets_merge(struct targets *t)
{
	size_t i, size = sizeof(t->items[0]), half = t->count / 2, first,
		  second;
	struct target_range *merged, *space;

	if (t->count == 0)
		return;
	merged = mem_array(2 * t->count, size);
	space = mem_array(2 * t->count, size);
	qsort(t->items, t->count, size, by_position);
	/* This is merge_all() with two copies of a long list, not three. */
	first = merge_all(t, t->items, half, space, merged);
	second = merge_all(
	    t, t->items + half, t->count - half, space + first, merged);
	free(t->items);
	t->count = merge(t, space, first, space + first, second, merged);
	free(space);
	t->items = merged;
	qsort(t->items, t->count, size, by_position);
	for (i = 0; i < t->count && t->items[i].position == EXCLUDED;)
		i++;
	t->count -= i;
	memmove(t->items, t->items + i, t->count * size);
	for (i = 0; i < t->count; i++) {
		t->items[i].before = t->hosts;
		t->hosts += (uint64_t)t->items[i].high - t->items[i].low + 1;
	}
}

/* Finds the item that contains host i. */
static const struct target_range *
find(const struct targets *t, uint64_t i)
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
targets_host(const struct targets *t, uint64_t i, uint16_t port, struct addr *a)
{
	const struct target_range *item = find(t, i);
	const struct target_prefix *p = &t->prefixes[item->prefix];
	uint32_t n = htonl(item->low + (uint32_t)(i - item->before));

	addr_any(a, p->family, port);
	if (p->family == AF_INET) {
		a->u.in4.sin_addr.s_addr = n;
		return;
	}
	a->u.in6.sin6_scope_id = p->scope;
	memcpy(&a->u.in6.sin6_addr, p->bytes, sizeof(p->bytes));
	memcpy(a->u.in6.sin6_addr.s6_addr + 12, &n, sizeof(n));
}

const char *
targets_name(const struct targets *t, uint64_t i)
{
	uint32_t position = find(t, i)->position;
	size_t low = 0, high = t->name_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (t->names[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->name_count && t->names[low].position == position
		   ? text_shown(t->names[low].text)
		   : NULL;
}

void
targets_release(struct targets *t)
{
	size_t i;

	for (i = 0; i < t->name_count; i++)
		free(t->names[i].text);
	free(t->names);
	free(t->prefixes);
	free(t->items);
	memset(t, 0, sizeof(*t));
}

/* SplitMix64's finalizer: every bit of x affects every bit of the result. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Returns the number that the network makes of n. The two halves may differ in
 * size, so each round adds a hash of one half to the other, modulo the size of
 * the latter.
 */
static uint64_t
permute(const struct targets_walk *w, uint64_t n)
{
	uint64_t a = n / w->right, b = n % w->right;
	int i;

	for (i = 0; i < 4; i += 2) {
		a = (a + mix(b ^ w->keys[i]) % w->left) % w->left;
		b = (b + mix(a ^ w->keys[i + 1]) % w->right) % w->right;
	}
	return a * w->right + b;
}

void
targets_walk_start(struct targets_walk *w, const struct targets *t,
    const struct targets_part *part)
{
	uint64_t share = t->hosts / part->shards;
	uint64_t rest = t->hosts % part->shards;
	uint64_t first = part->first, end = (uint64_t)part->last + 1;
	int i;

	w->count = t->hosts;
	w->right = 1;
	while (w->right * w->right < w->count && w->right < UINT64_C(1) << 28)
		w->right <<= 1;
	/* The left side need not be a power of two: a narrower grid has fewer
	 * numbers to skip. */
	w->left = (w->count + w->right - 1) / w->right;
	for (i = 0; i < 4; i++)
		w->keys[i] = mix(part->seed + UINT64_C(0x9e3779b97f4a7c15) *
						  (uint64_t)(i + 1));
	/* The rest is spread over the first shards. */
	w->at = share * first + (rest < first ? rest : first);
	w->end = share * end + (rest < end ? rest : end);
}

uint32_t
targets_shard_of(const struct targets *t, uint32_t shards, uint64_t position)
{
	uint64_t share = t->hosts / shards, rest = t->hosts % shards;

	if (position < rest * (share + 1))
		return (uint32_t)(position / (share + 1));
	return (uint32_t)((position - rest) / share);
}

bool
targets_walk_next(struct targets_walk *w, uint64_t *host)
{
	if (w->at == w->end)
		return false;
	*host = w->at++;
	do
		*host = permute(w, *host);
	while (*host >= w->count);
	return true;
}
