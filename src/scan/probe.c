/* The pool of probes, their lists, and a timer wheel for their deadlines. */
#include "scan/probe.h"

#include <stdlib.h>

#include "base/mem.h"

/* The lists: free slots, waiting probes, then the buckets of the wheel. */
enum { LIST_FREE, LIST_WAITING, LIST_WHEEL };

#define LISTS (LIST_WHEEL + PROBE_BUCKETS)

static uint32_t
head(const struct probe_pool *p, int list)
{
	return p->capacity + (uint32_t)list;
}

static uint32_t
first(const struct probe_pool *p, int list)
{
	uint32_t id = p->links[head(p, list)].next;

	return id == head(p, list) ? PROBE_NONE : id;
}

/* Inserts id before another link. */
static void
insert(struct probe_pool *p, uint32_t id, uint32_t before)
{
	struct probe_link *l = p->links;

	l[id].next = before;
	l[id].prev = l[before].prev;
	l[l[before].prev].next = id;
	l[before].prev = id;
}

static int
bucket_of(int64_t tick)
{
	return LIST_WHEEL + (int)(tick % PROBE_BUCKETS);
}

void
probe_pool_init(struct probe_pool *p, uint32_t capacity)
{
	int i;

	p->capacity = capacity;
	p->touched = 0;
	p->used = 0;
	p->timed = 0;
	p->tick = clock_now() / PROBE_TICK_NS;
	p->probes = mem_array(capacity, sizeof(p->probes[0]));
	p->links = mem_array((size_t)capacity + LISTS, sizeof(p->links[0]));
	for (i = 0; i < LISTS; i++) {
		uint32_t h = head(p, i);

		p->links[h].prev = p->links[h].next = h;
	}
}

void
probe_pool_release(struct probe_pool *p)
{
	free(p->probes);
	free(p->links);
}

uint32_t
probe_alloc(struct probe_pool *p)
{
	uint32_t id = first(p, LIST_FREE);

	if (id != PROBE_NONE) {
		probe_unlink(p, id);
	} else if (p->touched < p->capacity) {
		id = p->touched++;
		p->links[id].prev = p->links[id].next = id;
		p->probes[id].fd = -1;
	} else {
		return PROBE_NONE;
	}
	p->probes[id].older = p->probes[id].newer = PROBE_NONE;
	p->probes[id].expires_ns = 0;
	p->used++;
	return id;
}

void
probe_free(struct probe_pool *p, uint32_t id)
{
	probe_unlink(p, id);
	p->probes[id].state = PROBE_FREE;
	insert(p, id, p->links[head(p, LIST_FREE)].next);
	p->used--;
}

void
probe_unlink(struct probe_pool *p, uint32_t id)
{
	struct probe_link *l = p->links;

	l[l[id].prev].next = l[id].next;
	l[l[id].next].prev = l[id].prev;
	l[id].prev = l[id].next = id;
	if (p->probes[id].expires_ns != 0) {
		p->probes[id].expires_ns = 0;
		p->timed--;
	}
}

void
probe_wait(struct probe_pool *p, uint32_t id)
{
	probe_unlink(p, id);
	insert(p, id, head(p, LIST_WAITING));
}

uint32_t
probe_waiting(const struct probe_pool *p)
{
	return first(p, LIST_WAITING);
}

void
probe_set_timer(struct probe_pool *p, uint32_t id, int64_t expires_ns)
{
	int64_t tick = expires_ns / PROBE_TICK_NS + 1;

	probe_unlink(p, id);
	/* A later time than the wheel covers takes more than one turn. */
	if (tick <= p->tick)
		tick = p->tick + 1;
	if (tick > p->tick + PROBE_BUCKETS - 1)
		tick = p->tick + PROBE_BUCKETS - 1;
	insert(p, id, head(p, bucket_of(tick)));
	p->probes[id].expires_ns = expires_ns;
	p->timed++;
}

/* The next expired probe in the current bucket; re-inserts later ones. */
static uint32_t
bucket_expired(struct probe_pool *p, int64_t now_ns)
{
	int list = bucket_of(p->tick);
	uint32_t id;

	while ((id = first(p, list)) != PROBE_NONE) {
		if (p->probes[id].expires_ns <= now_ns) {
			probe_unlink(p, id);
			return id;
		}
		probe_set_timer(p, id, p->probes[id].expires_ns);
	}
	return PROBE_NONE;
}

uint32_t
probe_expired(struct probe_pool *p, int64_t now_ns)
{
	int64_t now = now_ns / PROBE_TICK_NS;
	uint32_t id;

	if (p->timed == 0 && p->tick < now)
		p->tick = now;
	for (;;) {
		id = bucket_expired(p, now_ns);
		if (id != PROBE_NONE || p->tick >= now)
			return id;
		p->tick++;
	}
}

struct deadline
probe_deadline(const struct probe_pool *p)
{
	struct deadline d = deadline_none();
	int i;

	for (i = 0; p->timed > 0 && i < PROBE_BUCKETS; i++) {
		if (first(p, bucket_of(p->tick + i)) == PROBE_NONE)
			continue;
		d.at_ns = (p->tick + i) * PROBE_TICK_NS;
		break;
	}
	return d;
}
