/* Sorts scan targets, merges duplicates, and removes excluded hosts. */
#include "scan/targets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "scan/ports.h"

/* An item to be merged. */
struct entry {
	const struct target *item;
	size_t position;  /* in the user's order */
	bool is_excluded; /* its hosts are excluded */
};

/* A range of hosts that the same items cover. */
struct piece {
	size_t position; /* of the first of these items */
	uint32_t low, high;
	uint32_t list;
};

/* The state of a merge. */
struct merge {
	struct targets result; /* the lists; the items are added last */
	const struct targets_selection *selection;
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
	if (a->first_port != b->first_port)
		return a->first_port < b->first_port ? -1 : 1;
	if (a->last_port != b->last_port)
		return a->last_port < b->last_port ? -1 : 1;
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
sort_entries(struct merge *m, const struct targets *t)
{
	const struct targets *excluded = m->selection->excluded_hosts;
	size_t i, kept = 0;

	m->entries =
	    mem_array(t->count + excluded->count, sizeof(m->entries[0]));
	for (i = 0; i < t->count + excluded->count; i++) {
		bool is_excluded = i >= t->count;
		struct entry entry = {
		    is_excluded ? &excluded->items[i - t->count] : &t->items[i],
		    i, is_excluded};

		m->entries[i] = entry;
	}
	if (i > 0)
		qsort(m->entries, i, sizeof(m->entries[0]), by_span);
	for (i = 0; i < t->count + excluded->count; i++)
		if (kept == 0 ||
		    compare_span(&m->entries[kept - 1], &m->entries[i]) != 0)
			m->entries[kept++] = m->entries[i];
	m->count = kept;
	m->active = mem_array(kept, sizeof(m->active[0]));
}

/* Adds a list of these ports unless it is the last one. Returns its index. */
static uint32_t
add_list(struct targets *t, const struct ports *set)
{
	struct port_list l, *last;

	ports_list_init(&l, set);
	last = t->list_count > 0 ? &t->lists[t->list_count - 1] : NULL;
	if (last != NULL && last->count == l.count &&
	    memcmp(last->ports, l.ports, l.count * sizeof(l.ports[0])) == 0) {
		ports_list_release(&l);
		return t->list_count - 1;
	}
	if (t->list_count == t->list_capacity) {
		t->list_capacity = t->list_capacity * 2 + 8;
		t->lists =
		    mem_resize(t->lists, t->list_capacity, sizeof(t->lists[0]));
	}
	t->lists[t->list_count] = l;
	return t->list_count++;
}

/* The index of the list of all ports that the active entries name. */
static uint32_t
active_list(struct merge *m)
{
	const struct port_list *all = &m->result.lists[0];
	bool with_all = false, with_item = false;
	struct ports set;
	size_t i;
	uint32_t port;

	for (i = 0; i < m->active_count; i++) {
		with_all |= m->active[i].item->first_port == 0;
		with_item |= m->active[i].item->first_port != 0;
	}
	if (!with_item)
		return 0;
	ports_clear(&set);
	for (i = 0; i < m->active_count; i++) {
		const struct target *t = m->active[i].item;

		for (port = t->first_port; port > 0 && port <= t->last_port;
		     port++)
			ports_add(&set, (uint16_t)port);
	}
	for (port = 0; with_all && port < all->count; port++)
		ports_add(&set, all->ports[port]);
	ports_remove(&set, m->selection->excluded_ports);
	return add_list(&m->result, &set);
}

/* Adds the addresses low to high, unless the active entries exclude them. */
static void
add_piece(struct merge *m, uint32_t low, uint32_t high)
{
	struct piece p = {SIZE_MAX, low, high, 0}, *last;
	size_t i;

	for (i = 0; i < m->active_count; i++) {
		if (m->active[i].is_excluded)
			return;
		if (m->active[i].position < p.position)
			p.position = m->active[i].position;
	}
	p.list = active_list(m);
	if (m->result.lists[p.list].count == 0)
		return;
	m->hosts += (uint64_t)high - low + 1;
	last = m->piece_count > 0 ? &m->pieces[m->piece_count - 1] : NULL;
	if (last != NULL && last->position == p.position &&
	    last->list == p.list && last->high + 1 == low) {
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
make_items(struct merge *m, struct targets *t)
{
	struct targets *r = &m->result;
	size_t i;

	if (m->piece_count > 0)
		qsort(m->pieces, m->piece_count, sizeof(m->pieces[0]),
		    by_position);
	r->items = mem_array(m->piece_count, sizeof(r->items[0]));
	for (i = 0; i < m->piece_count; i++) {
		const struct piece *p = &m->pieces[i];
		struct target *from = &t->items[p->position];

		r->items[i] = *from;
		from->name = NULL;
		r->items[i].low = p->low;
		r->items[i].high = p->high;
		r->items[i].list = p->list;
		r->items[i].before = r->hosts;
		r->items[i].start = r->total;
		r->hosts += p->high - p->low + 1;
		r->total +=
		    (uint64_t)(p->high - p->low + 1) * r->lists[p->list].count;
	}
	r->count = r->capacity = m->piece_count;
}

int
targets_merge(
    struct targets *t, const struct targets_selection *s, struct err *e)
{
	struct merge m = {.result = TARGETS_INIT, .selection = s};
	struct ports common = *s->ports;
	size_t i = 0;
	int result = 0;

	ports_remove(&common, s->excluded_ports);
	add_list(&m.result, &common);
	sort_entries(&m, t);
	while (i < m.count)
		i = split_into_pieces(&m, i);
	if (m.hosts > TARGETS_MAX)
		result = err_set(e, ERR_USAGE,
		    "more than %" PRIu32 " hosts in one scan", TARGETS_MAX);
	else
		make_items(&m, t);
	free(m.entries);
	free(m.active);
	free(m.pieces);
	targets_release(t);
	*t = m.result;
	return result;
}
