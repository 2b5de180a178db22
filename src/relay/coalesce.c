/* Switches Nagle's algorithm on during a dense stream of small writes. */
#include "relay/coalesce.h"

#include <string.h>

#include "net/sock.h"

/* Larger pieces fill whole segments. */
#define SMALL (256 * 1024)
/* A piece follows closely if it comes within this time of the last one. */
#define CLOSE_NS INT64_C(500000)
/* Coalescing starts after this many consecutive closely spaced pieces. */
#define COALESCE_AFTER 64

void
coalesce_init(struct coalesce *g, int fd)
{
	memset(g, 0, sizeof(*g));
	g->fd = fd;
	if (fd < 0)
		return;
	if (sock_is_nodelay(fd))
		g->fd = -1;
	else
		sock_set_nodelay(fd, true);
}

/* Sends pending data; later pieces may be held back again. */
static void
push(struct coalesce *g)
{
	if (g->is_on)
		sock_set_nodelay(g->fd, true);
	sock_set_nodelay(g->fd, false);
	g->is_on = true;
	g->push_ns = g->last_ns + COALESCE_MS * CLOCK_MS;
}

void
coalesce_note(struct coalesce *g, size_t n, int64_t now_ns)
{
	bool follows = n < SMALL && now_ns - g->last_ns < CLOSE_NS;

	g->last_ns = now_ns;
	if (g->fd < 0)
		return;
	if (!follows)
		coalesce_end(g);
	else if (g->is_on ? now_ns >= g->push_ns
			  : ++g->streak == COALESCE_AFTER)
		push(g);
}

struct deadline
coalesce_deadline(const struct coalesce *g)
{
	struct deadline d = {.at_ns = g->push_ns};

	return g->is_on ? d : deadline_none();
}

void
coalesce_end(struct coalesce *g)
{
	g->streak = 0;
	if (!g->is_on)
		return;
	sock_set_nodelay(g->fd, true);
	g->is_on = false;
}
