/* The progress line that a terminal shows during a transfer. */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/num.h"

/* Columns of the progress bar. */
#define BAR_WIDTH 10

void
progress_start(struct progress *p, bool wanted)
{
	p->shown = wanted && diag_progress_is_shown();
	p->start_ns = clock_now();
	p->next = deadline_after(PROGRESS_PERIOD_MS);
}

bool
progress_is_due(const struct progress *p)
{
	return p->shown && deadline_passed(p->next);
}

void
progress_draw(struct progress *p, const char *text)
{
	if (!p->shown)
		return;
	diag_progress(text);
	p->next = deadline_after(PROGRESS_PERIOD_MS);
}

struct deadline
progress_next(const struct progress *p)
{
	return p->shown ? p->next : deadline_none();
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		diag_progress("");
	p->shown = false;
}

/* Writes "8 s left", "3 min left" or "2.5 h left". */
static void
format_left(char *buf, size_t size, double seconds)
{
	if (seconds < 100)
		snprintf(buf, size, ", %.0f s left", seconds);
	else if (seconds < 100 * 60)
		snprintf(buf, size, ", %.0f min left", seconds / 60);
	else
		snprintf(buf, size, ", %.1f h left", seconds / 3600);
}

/* Writes "sent 45.2 MiB of 1.0 GiB (4%), 120 MiB/s, 8 s left" to buf. */
static const char *
format_count(const struct progress *p, char *buf, size_t size,
    const struct progress_count *c)
{
	double seconds = clock_seconds(p->start_ns, clock_now());
	double rate =
	    seconds > 0 ? (double)(c->done - c->skipped) / seconds : 0;
	uint64_t done = c->done;
	int64_t total = c->total;
	char so_far[32], whole[32], speed[32], of[64] = "", left[32] = "";

	num_format_size(so_far, sizeof(so_far), done);
	num_format_size(speed, sizeof(speed), (uint64_t)rate);
	if (total > 0 && (uint64_t)total >= done) {
		snprintf(of, sizeof(of), " of %s (%d%%)",
		    num_format_size(whole, sizeof(whole), (uint64_t)total),
		    (int)(100.0 * (double)done / (double)total));
		if (rate > 0)
			format_left(left, sizeof(left),
			    (double)((uint64_t)total - done) / rate);
	}
	snprintf(
	    buf, size, "%s %s%s, %s/s%s", c->verb, so_far, of, speed, left);
	return buf;
}

void
progress_draw_bar(struct progress *p, const struct progress_count *c)
{
	struct progress_count shown = *c;
	char bar[BAR_WIDTH + 3], line[256];
	size_t full;

	if (c->total > 0 && c->done <= (uint64_t)c->total) {
		full = (size_t)((double)c->done / (double)c->total * BAR_WIDTH);
		memset(bar, '-', sizeof(bar));
		memset(bar + 1, '#', full);
		bar[0] = '[';
		bar[BAR_WIDTH + 1] = ']';
		bar[BAR_WIDTH + 2] = '\0';
		shown.verb = bar;
	}
	progress_draw(p, format_count(p, line, sizeof(line), &shown));
}

void
progress_draw_both(
    struct progress *p, uint64_t sent, int64_t total, uint64_t received)
{
	const struct progress_count up = {"sent", sent, total, 0};
	const struct progress_count down = {"received", received, -1, 0};
	char out[160], in[160], line[400];

	format_count(p, out, sizeof(out), &up);
	format_count(p, in, sizeof(in), &down);
	snprintf(line, sizeof(line), "%s; %s", out, in);
	progress_draw(p, line);
}
