/* Measures and prints how long each phase of an HTTP request took. */
#include "fetch/http_timing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/num.h"
#include "base/text.h"

/* The width of the chart's bars in columns, and the size of one as text. */
#define WIDTH 40
#define BAR_SIZE (WIDTH + 1)

enum { PHASES = 6, TLS_PHASE = 2 };

/*
 * When the phases ended; one that was not reached ends with the previous one.
 */
static void
ends_of(const struct http_timing *t, int64_t *ends)
{
	const int64_t readings[PHASES] = {t->resolved_ns, t->connected_ns,
	    t->secured_ns, t->sent_ns, t->first_ns, t->end_ns};
	int64_t last = t->start_ns;
	int i;

	for (i = 0; i < PHASES; i++) {
		if (readings[i] > last)
			last = readings[i];
		ends[i] = last;
	}
}

/* Whether there was such a phase. */
static bool
has_phase(const struct http_timing *t, int phase)
{
	return phase != TLS_PHASE || t->secured_ns != 0;
}

/* Bytes per second over the whole exchange. */
static double
rate_of(const struct http_timing *t, int64_t end, uint64_t bytes)
{
	double seconds = clock_seconds(t->start_ns, end);

	return seconds > 0 ? (double)bytes / seconds : 0;
}

void
http_timing_report(
    const struct http_timing *t, const char *url, int status, uint64_t bytes)
{
	static const char *const names[PHASES] = {
	    "resolve", "connect", "tls", "sent", "first_byte", "total"};
	int64_t ends[PHASES];
	char duration[32], count[32];
	struct json *j;
	int i;

	ends_of(t, ends);
	num_format_duration(
	    duration, sizeof(duration), ends[PHASES - 1] - t->start_ns);
	j = diag_event_begin("response");
	json_text(j, "url", url);
	json_number(j, "status", (unsigned)status);
	json_number(j, "bytes", bytes);
	json_object(j, "phases");
	for (i = 0; i < PHASES; i++)
		if (has_phase(t, i))
			json_seconds(
			    j, names[i], clock_seconds(t->start_ns, ends[i]));
	json_close(j);
	json_number(j, "rate", (uint64_t)rate_of(t, ends[PHASES - 1], bytes));
	json_bool(j, "reused", t->is_reused);
	diag_event_end(DIAG_NOTE, "response %d from %s: %s in %s", status, url,
	    num_format_count(count, sizeof(count), bytes, "byte"), duration);
}

/* Draws a bar from one time to another on a scale of whole. */
static void
fill_bar(char *bar, int64_t from, int64_t to, int64_t whole)
{
	int64_t first = whole > 0 ? from * WIDTH / whole : 0;
	int64_t last = whole > 0 ? to * WIDTH / whole : 0;

	if (first == WIDTH)
		first = WIDTH - 1;
	memset(bar, ' ', WIDTH);
	bar[WIDTH] = '\0';
	memset(bar + first, '#', (size_t)(last > first ? last - first : 1));
}

void
http_timing_draw(
    const struct http_timing *t, const char *url, int status, uint64_t bytes)
{
	static const char *const names[PHASES] = {"resolve", "connect",
	    "TLS handshake", "send the request", "wait for an answer",
	    "receive"};
	char text[2048], bar[BAR_SIZE], duration[32], size[32], rate[32];
	int64_t ends[PHASES], from = 0, to, whole;
	int i;

	ends_of(t, ends);
	whole = ends[PHASES - 1] - t->start_ns;
	snprintf(text, sizeof(text), "%.300s: status %d%s\n", url, status,
	    t->is_reused ? ", on the same connection" : "");
	for (i = 0; i < PHASES; i++) {
		if (!has_phase(t, i))
			continue;
		to = ends[i] - t->start_ns;
		fill_bar(bar, from, to, whole);
		text_append(text, sizeof(text), "  %-18s %11s |%s|\n", names[i],
		    num_format_duration(duration, sizeof(duration), to - from),
		    bar);
		from = to;
	}
	text_append(text, sizeof(text), "  %-18s %11s  %s, %s/s\n", "total",
	    num_format_duration(duration, sizeof(duration), whole),
	    num_format_size(size, sizeof(size), bytes),
	    num_format_size(rate, sizeof(rate),
		(uint64_t)rate_of(t, ends[PHASES - 1], bytes)));
	diag_report(text, strlen(text));
}
