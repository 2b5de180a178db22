/* Answers that the kernel had no space for; they are sent again later. */
#include "udp/unsent.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAUSE_NS CLOCK_MS
#define LONGEST_PAUSE_NS (20 * CLOCK_MS)

void
unsent_init(struct unsent *u)
{
	memset(u, 0, sizeof(*u));
	u->items = mem_array(UNSENT_MOST, sizeof(u->items[0]));
	u->resume = deadline_none();
}

/* How many of the first count wait for a client. */
static size_t
count_of(
    const struct unsent *u, size_t count, size_t at, const struct addr *client)
{
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		n += u->items[i].at == at &&
		     (client == NULL ||
			 addr_equal(&u->items[i].d.remote, client));
	return n;
}

bool
unsent_has(const struct unsent *u, size_t at, const struct addr *client)
{
	return u->count > 0 && count_of(u, u->count, at, client) > 0;
}

bool
unsent_add(struct unsent *u, size_t at, const struct dgram *d)
{
	struct unsent_answer *one = &u->items[u->count];

	if (u->count == UNSENT_MOST ||
	    count_of(u, u->count, at, &d->remote) >= UNSENT_MOST_EACH)
		return false;
	one->d = *d;
	one->d.bytes = mem_array(d->length + 1, 1);
	memcpy(one->d.bytes, d->bytes, d->length);
	one->at = at;
	one->until = deadline_after(UNSENT_MS);
	if (u->count++ == 0) {
		u->pause_ns = PAUSE_NS;
		u->resume.at_ns = clock_now() + u->pause_ns;
	}
	return true;
}

/* When they are tried next. */
static void
plan(struct unsent *u, bool moved)
{
	u->pause_ns = moved ? PAUSE_NS : 2 * u->pause_ns;
	if (u->pause_ns > LONGEST_PAUSE_NS)
		u->pause_ns = LONGEST_PAUSE_NS;
	u->resume = deadline_none();
	if (u->count > 0)
		u->resume.at_ns = clock_now() + u->pause_ns;
}

void
unsent_retry(struct unsent *u, unsent_try *try_again, void *context)
{
	struct unsent_answer *one;
	size_t i, kept = 0;

	if (!deadline_passed(u->resume))
		return;
	for (i = 0; i < u->count; i++) {
		one = &u->items[i];
		if (count_of(u, kept, one->at, &one->d.remote) > 0 ||
		    !try_again(context, one))
			u->items[kept++] = *one;
		else
			free(one->d.bytes);
	}
	i = u->count;
	u->count = kept;
	plan(u, kept < i);
}

void
unsent_release(struct unsent *u)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		free(u->items[i].d.bytes);
	free(u->items);
	memset(u, 0, sizeof(*u));
	u->resume = deadline_none();
}
