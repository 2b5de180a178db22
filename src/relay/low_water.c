/* Raises the receive low-water mark (SO_RCVLOWAT) during bulk transfers. */
#include "relay/low_water.h"

#include <string.h>
#include <sys/socket.h>

#include "net/sockopt.h"

/* The raised mark. */
#define MARK (256 * 1024)
/* It is raised after four consecutive pieces of at least this size. */
#define LARGE (32 * 1024)
#define RAISE_AFTER 4

/* Sets the mark. It is a hint: without it poll(2) returns more often. */
static bool
set_mark(int fd, int bytes)
{
	static const struct sockopt mark = {SOL_SOCKET, SO_RCVLOWAT,
	    "SO_RCVLOWAT",
	    "poll(2) reports this many bytes or the end, not "
	    "every small piece",
	    NULL};

	return sockopt_set(fd, &mark, bytes) == 0;
}

void
low_water_init(struct low_water *w, int fd)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
}

void
low_water_note(struct low_water *w, size_t n, int64_t now_ns)
{
	w->last_ns = now_ns;
	if (w->fd < 0 || w->is_raised)
		return;
	w->streak = n < LARGE ? 0 : w->streak + 1;
	if (w->streak < RAISE_AFTER)
		return;
	w->is_raised = set_mark(w->fd, MARK);
	if (!w->is_raised)
		w->fd = -1;
}

struct deadline
low_water_deadline(const struct low_water *w)
{
	struct deadline d = {.at_ns = w->last_ns + LOW_WATER_MS * CLOCK_MS};

	return w->is_raised ? d : deadline_none();
}

void
low_water_lower(struct low_water *w)
{
	if (!w->is_raised)
		return;
	set_mark(w->fd, 1);
	w->is_raised = false;
	w->streak = 0;
}
