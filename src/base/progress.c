/* Draws the progress of a transfer: bytes, rate, time left and a bar. */
#include "base/progress.h"

#include <string.h>

#include "base/diag.h"
#include "base/num.h"
#include "base/text.h"

/* The minimum number of columns of a bar, with its brackets. */
#define MIN_BAR 5

/* The minimum time between two updates of the live line. */
#define PROGRESS_MS 200

/* The longest text beside a bar, and the longest bar. */
#define LINE 512

void
progress_start(struct progress *p, bool wanted, bool is_requested)
{
	*p = (struct progress){
	    .start_ns = clock_now(), .next = deadline_after(PROGRESS_MS)};
	p->shown = (wanted || is_requested) && diag_live_start(is_requested);
}

void
progress_draw(struct progress *p, const char *text)
{
	if (!p->shown)
		return;
	diag_live_draw(text);
	p->next = deadline_after(PROGRESS_MS);
}

struct deadline
progress_next(const struct progress *p)
{
	return p->shown ? p->next : deadline_none();
}

void
progress_stop(struct progress *p)
{
	if (p->shown)
		diag_live_draw("");
	p->shown = false;
}

static bool
has_percentage(const struct progress_count *c)
{
	return c->total > 0 && (uint64_t)c->total >= c->done;
}

/* Appends "45.2 MiB of 1.0 GiB (4%), 120 MiB/s, 8 s left". */
static void
append_count(char *text, size_t size, const struct progress *p,
    const struct progress_count *c)
{
	double seconds = clock_seconds(p->start_ns, clock_now()), left;
	double rate =
	    seconds > 0 ? (double)(c->done - c->skipped) / seconds : 0;

	text_append(text, size, "%s", num_size_text(c->done));
	if (has_percentage(c))
		text_append(text, size, " of %s (%d%%)",
		    num_size_text((uint64_t)c->total),
		    (int)(100.0 * (double)c->done / (double)c->total));
	text_append(text, size, ", %s/s", num_size_text((uint64_t)rate));
	if (!has_percentage(c) || rate <= 0)
		return;
	left = (double)((uint64_t)c->total - c->done) / rate;
	if (left < 100)
		text_append(text, size, ", %.0f s left", left);
	else if (left < 100 * 60)
		text_append(text, size, ", %.0f min left", left / 60);
	else
		text_append(text, size, ", %.1f h left", left / 3600);
}

void
progress_update(
    struct progress *p, const struct progress_count *c, size_t count)
{
	size_t width, bar, i, n;
	double full;
	char line[2 * LINE] = "", text[LINE] = "";

	if (!p->shown || !deadline_passed(p->next))
		return;
	if (count > 1 || !has_percentage(c))
		text_append(text, sizeof(text), "%s", c->verb);
	for (i = 0; i < count; i++) {
		if (i > 0)
			text_append(text, sizeof(text), "; %s", c[i].verb);
		append_count(text, sizeof(text), p, &c[i]);
	}
	/* The bar does not grow when the text becomes shorter. */
	width = diag_live_width();
	n = strlen(text);
	if (width != p->width || n > p->text) {
		p->width = width;
		p->text = n;
	}
	if (has_percentage(c) && p->text + MIN_BAR + 1 <= width) {
		bar = width - p->text - 1;
		full = (double)c->done / (double)c->total * (double)(bar - 2);
		memset(line, '-', bar);
		memset(line + 1, '#', (size_t)full);
		line[0] = '[';
		line[bar - 1] = ']';
		line[bar] = ' ';
	}
	text_append(line, sizeof(line), "%s", text);
	progress_draw(p, line);
}
