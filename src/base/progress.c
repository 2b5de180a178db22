/* The progress line that a terminal shows during a transfer. */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/num.h"
#include "base/text.h"

/* The minimum number of columns of a bar, with its brackets. */
#define MIN_BAR 5

/* The longest text beside a bar, and the longest bar. */
#define LINE 512

void
progress_start(struct progress *p, bool wanted)
{
	p->shown = wanted && diag_progress_start();
	p->width = p->text = 0;
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

/* What a narrow terminal makes shorter, in this order. */
enum detail {
	DETAIL_ALL,
	DETAIL_NO_LEFT,  /* no time left */
	DETAIL_NO_RATE,  /* no rate either */
	DETAIL_NO_TOTAL, /* the percentage without the total */
	DETAIL_ONE       /* of two directions only the one with more bytes */
};

/* Writes ", 8 s left", ", 3 min left" or ", 2.5 h left". */
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

static bool
has_percentage(const struct progress_count *c)
{
	return c->total > 0 && (uint64_t)c->total >= c->done;
}

/* Writes " of 1.0 GiB (4%)". */
static void
format_total(
    char *buf, size_t size, const struct progress_count *c, enum detail detail)
{
	char whole[32];

	snprintf(buf, size, "%s%s (%d%%)",
	    detail < DETAIL_NO_TOTAL ? " of " : "",
	    detail < DETAIL_NO_TOTAL
		? num_format_size(whole, sizeof(whole), (uint64_t)c->total)
		: "",
	    (int)(100.0 * (double)c->done / (double)c->total));
}

/* The text that is drawn, beside the bar. */
struct text {
	const struct progress *progress;
	const struct progress_count *counts;
	size_t count; /* of directions, one or two */
	enum detail detail;
	char buf[LINE];
};

/* Appends "sent 45.2 MiB of 1.0 GiB (4%), 120 MiB/s, 8 s left". */
static void
append_count(struct text *t, const struct progress_count *c)
{
	double seconds = clock_seconds(t->progress->start_ns, clock_now());
	double rate =
	    seconds > 0 ? (double)(c->done - c->skipped) / seconds : 0;
	char so_far[32], speed[32], of[64] = "", left[32] = "";

	if (has_percentage(c)) {
		format_total(of, sizeof(of), c, t->detail);
		if (rate > 0 && t->detail < DETAIL_NO_LEFT)
			format_left(left, sizeof(left),
			    (double)((uint64_t)c->total - c->done) / rate);
	}
	text_append(t->buf, sizeof(t->buf), "%s%s%s", c->verb,
	    num_format_size(so_far, sizeof(so_far), c->done), of);
	if (t->detail < DETAIL_NO_RATE)
		text_append(t->buf, sizeof(t->buf), ", %s/s%s",
		    num_format_size(speed, sizeof(speed), (uint64_t)rate),
		    left);
}

/* Formats the text with its detail. Returns its length. */
static size_t
format_text(struct text *t)
{
	const struct progress_count *c = t->counts;
	size_t i;

	t->buf[0] = '\0';
	for (i = 0; i < t->count; i++) {
		if (t->detail == DETAIL_ONE && t->count > 1 &&
		    (c[0].done >= c[1].done) != (i == 0))
			continue;
		if (t->buf[0] != '\0')
			text_append(t->buf, sizeof(t->buf), "; ");
		append_count(t, &c[i]);
	}
	return strlen(t->buf);
}

/* Writes the bar of c, cells wide with its brackets, and a space. */
static void
format_bar(char *buf, size_t cells, const struct progress_count *c)
{
	size_t full =
	    (size_t)((double)c->done / (double)c->total * (double)(cells - 2));

	memset(buf, '-', cells);
	memset(buf + 1, '#', full);
	buf[0] = '[';
	buf[cells - 1] = ']';
	buf[cells] = ' ';
	buf[cells + 1] = '\0';
}

/*
 * Draws the bar of the first count, if its total is known, and the counts, with
 * as much detail as the terminal has space for. The bar has the space that is
 * left, and does not grow when the text becomes shorter.
 */
static void
draw(struct progress *p, const struct progress_count *c, size_t count)
{
	struct text t = {.progress = p, .counts = c, .count = count};
	size_t width = diag_progress_width(), n;
	size_t bar = has_percentage(c) ? MIN_BAR + 1 : 0;
	char line[2 * LINE] = "";

	n = format_text(&t);
	while (n + bar > width && t.detail++ < DETAIL_ONE)
		n = format_text(&t);
	if (width != p->width || n > p->text) {
		p->width = width;
		p->text = n;
	}
	if (bar > 0 && p->text + bar <= width)
		format_bar(line, width - p->text - 1, c);
	text_append(line, sizeof(line), "%s", t.buf);
	progress_draw(p, line);
}

void
progress_draw_bar(struct progress *p, const struct progress_count *c)
{
	struct progress_count shown = *c;

	if (has_percentage(c))
		shown.verb = "";
	draw(p, &shown, 1);
}

void
progress_draw_both(
    struct progress *p, uint64_t sent, int64_t total, uint64_t received)
{
	const struct progress_count counts[] = {
	    {"sent ", sent, total, 0}, {"received ", received, -1, 0}};

	draw(p, counts, 2);
}
