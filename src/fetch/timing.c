/* The phases of an exchange, as an event and as a chart. */
#include "fetch/timing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_response.h"
#include "http/url.h"

/* The names of the phases, in the event and in the chart. */
static const struct phase {
	const char *key, *name;
} phases[TIMING_PHASES] = {{"resolve", "resolve"}, {"connect", "connect"},
    {"tls", "TLS handshake"}, {"sent", "send the request"},
    {"first_byte", "wait for an answer"}, {"total", "receive"}};

static const char bar[] = "########################################";
#define BAR ((int)sizeof(bar) - 1)

void
timing_report(const struct timing *t, const struct http_response *r,
    const struct url *u, bool with_chart)
{
	int64_t from = 0, end = 0, whole = 1;
	char url[URL_ABSOLUTE_SIZE], chart[2048];
	uint64_t rate;
	struct json *j;
	int i, first, last;

	if (!with_chart && !diag_emits(DIAG_NOTE))
		return;
	for (i = 0; i < TIMING_PHASES; i++)
		if (t->ends_ns[i] - t->start_ns > whole)
			whole = t->ends_ns[i] - t->start_ns;
	rate = (uint64_t)((double)r->received / clock_seconds(0, whole));
	url_absolute(u, url, sizeof(url));
	snprintf(chart, sizeof(chart), "%.300s: status %d%s\n", url,
	    r->head.status, t->is_reused ? ", on the same connection" : "");
	j = diag_event_begin("response");
	json_text(j, "url", url);
	json_number(j, "status", (uint64_t)r->head.status);
	json_number(j, "bytes", r->received);
	json_object(j, "phases");
	for (i = 0; i < TIMING_PHASES; i++, from = end) {
		/* A phase that was not reached ends with the previous one. */
		if (t->ends_ns[i] - t->start_ns > end)
			end = t->ends_ns[i] - t->start_ns;
		if (i == TIMING_SECURED && t->ends_ns[i] == 0)
			continue;
		json_seconds(j, phases[i].key, clock_seconds(0, end));
		/* Each has a column at least. */
		first = (int)(from * (BAR - 1) / whole);
		last = (int)(end * (BAR - 1) / whole) + 1;
		text_append(chart, sizeof(chart), "  %-18s %11s |%*s%.*s%*s|\n",
		    phases[i].name, num_duration_text(end - from), first, "",
		    last - first, bar, BAR - last, "");
	}
	text_append(chart, sizeof(chart), "  %-18s %11s  %s, %s/s\n", "total",
	    num_duration_text(whole), num_size_text(r->received),
	    num_size_text(rate));
	json_close(j);
	json_number(j, "rate", rate);
	json_bool(j, "reused", t->is_reused);
	diag_event_end(DIAG_NOTE, "response %d from %s: %s in %s",
	    r->head.status, url, num_count_text(r->received, "byte"),
	    num_duration_text(whole));
	if (with_chart)
		diag_raw(DIAG_ERRORS, chart, strlen(chart));
}
