/* --retry-for: pauses between attempts, and each cause reported once. */
#include "dial/reconnect.h"

#include <errno.h>

#include "base/diag.h"
#include "base/num.h"
#include "net/wait.h"

/* The first and the longest pause between attempts. */
#define PAUSE_MS 50
#define MAX_PAUSE_MS 1000

void
reconnect_start(struct reconnect *r, int64_t ms, struct deadline until)
{
	r->until = r->end = until;
	if (ms >= 0)
		r->end =
		    deadline_first(until, deadline_limit(ms, "--retry-for"));
	r->ms = ms;
	r->pause = (struct backoff){.min = PAUSE_MS, .max = MAX_PAUSE_MS};
	err_clear(&r->last);
	r->count = 0;
}

/* The attempt before the one that the limit ended has the better cause, unless
 * the peer has answered the last one. */
static int
limit_error(struct reconnect *r, const char *what, struct err *e)
{
	if (e->kind == ERR_PEER || r->last.kind == ERR_NONE)
		r->last = *e;
	if (deadline_passed(r->until))
		return deadline_error(r->until, r->last.text, e);
	deadline_error(r->end, what, e);
	return err_append(e, "%s", r->last.text);
}

int
reconnect_pause(struct reconnect *r, const char *what, struct err *e)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	const char *at;
	size_t i;

	if (r->ms < 0)
		return -1;
	if (deadline_passed(r->end))
		return limit_error(r, what, e);
	r->last = *e;
	for (at = e->text; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
	for (i = 0; i < r->count && hash != r->causes[i]; i++)
		continue;
	if (i == r->count) {
		if (r->count < RECONNECT_CAUSES)
			r->causes[r->count++] = hash;
		diag_warn(
		    "%s; trying again for %s", e->text, num_limit_text(r->ms));
	}
	r->due =
	    deadline_first(r->end, deadline_after(backoff_next(&r->pause)));
	return 0;
}

int
reconnect_resume(struct reconnect *r, const char *what, struct err *e)
{
	if (!deadline_passed(r->end))
		return 0;
	*e = r->last;
	return limit_error(r, what, e);
}

int
reconnect_wait(struct reconnect *r, const char *what, struct err *e)
{
	if (reconnect_pause(r, what, e) < 0)
		return -1;
	if (wait_until(r->due) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting");
	return reconnect_resume(r, what, e);
}
