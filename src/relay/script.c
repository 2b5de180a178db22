/* A scripted conversation: texts to send and patterns to expect. */
#include "relay/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/text.h"

static int
add(struct script_steps *s, bool is_expect, const char *text, struct err *e)
{
	if (s->count == SCRIPT_STEPS)
		return err_set(e, ERR_USAGE, "more than %d steps of a script",
		    SCRIPT_STEPS);
	s->items[s->count].is_expect = is_expect;
	s->items[s->count++].text = text;
	return 0;
}

/* Prepends a text to its error. Returns -1. */
static int
fail_text(const char *text, struct err *e)
{
	char shown[128];

	return err_prefix(
	    e, "'%s'", text_escape_string(shown, sizeof(shown), text));
}

int
script_add_send(struct script_steps *s, const char *text, struct err *e)
{
	size_t n = strlen(text);
	char *bytes = mem_array(n + 1, 1);
	ssize_t length = literal_unescape(bytes, text, n, e);

	free(bytes);
	return length < 0 ? fail_text(text, e) : add(s, false, text, e);
}

int
script_add_expect(struct script_steps *s, const char *regex, struct err *e)
{
	struct pattern p;

	if (pattern_compile(&p, regex, e) < 0) {
		err_prefix(e, "not an extended regular expression");
		return fail_text(regex, e);
	}
	pattern_release(&p);
	return add(s, true, regex, e);
}

/* Frees what the current step allocated. */
static void
end_step(struct script *s)
{
	if (s->is_searching)
		pattern_release(&s->pattern);
	s->is_searching = false;
	free(s->text);
	s->text = NULL;
}

/* Removes n bytes from the window, of which the last determines whether a line
 * starts after them. */
static void
eat(struct script *s, size_t n)
{
	if (n == 0)
		return;
	s->place = buf_bytes(&s->window)[n - 1] == '\n' ? PATTERN_LINE_START
							: PATTERN_IN_LINE;
	buf_eat(&s->window, n);
}

/* Starts the search for the current pattern. */
static void
start_search(struct script *s, const char *regex)
{
	struct err e = ERR_INIT;

	/* script_add_expect() has checked it. */
	if (pattern_compile(&s->pattern, regex, &e) < 0)
		return;
	s->is_searching = true;
	s->searched = 0;
	s->until = deadline_limit(s->expect_ms, "--expect-timeout");
	s->notice = diag_progress_is_shown() ? deadline_after(SCRIPT_NOTICE_MS)
					     : deadline_none();
	pattern_start(&s->pattern, s->place);
}

/* Searches the rest of the window for the current pattern, and removes what
 * it matched. */
static bool
search(struct script *s)
{
	size_t n = buf_length(&s->window), used;
	bool found;

	s->pattern.is_ended = s->is_ended;
	found = pattern_search(&s->pattern, buf_bytes(&s->window) + s->searched,
	    n - s->searched, &used);
	s->searched += used;
	if (found)
		eat(s, s->searched);
	return found;
}

/* Starts the step s->at, and skips patterns that match already. */
static void
start_step(struct script *s)
{
	const struct script_step *step;

	while (s->at < s->steps->count) {
		step = &s->steps->items[s->at];
		if (!step->is_expect)
			return;
		if (!s->is_searching)
			start_search(s, step->text);
		if (!search(s))
			return;
		end_step(s);
		s->at++;
	}
}

void
script_start(
    struct script *s, const struct script_steps *steps, int64_t expect_ms)
{
	memset(s, 0, sizeof(*s));
	s->steps = steps;
	s->expect_ms = expect_ms;
	buf_init(&s->window, mem_array(SCRIPT_WINDOW, 1), SCRIPT_WINDOW);
	s->place = PATTERN_LINE_START;
	start_step(s);
}

bool
script_is_done(const struct script *s)
{
	return s->at == s->steps->count;
}

bool
script_is_expecting(const struct script *s)
{
	return !script_is_done(s) && s->steps->items[s->at].is_expect;
}

const char *
script_text(struct script *s, size_t *n)
{
	const char *text;

	if (script_is_done(s) || script_is_expecting(s))
		return NULL;
	text = s->steps->items[s->at].text;
	if (s->text == NULL) {
		s->text = mem_array(strlen(text) + 1, 1);
		/* script_add_send() has checked it. */
		s->length =
		    (size_t)literal_unescape(s->text, text, strlen(text), NULL);
	}
	*n = s->length;
	return s->text;
}

void
script_sent(struct script *s)
{
	end_step(s);
	s->at++;
	if (s->place == PATTERN_IN_LINE)
		s->place = PATTERN_TURN;
	start_step(s);
}

/* Appends n bytes to the window, n <= SCRIPT_WINDOW, and drops the oldest. */
static void
append_window(struct script *s, const unsigned char *p, size_t n)
{
	size_t length = buf_length(&s->window), drop;

	if (!bounds_fit(SCRIPT_WINDOW, length, n)) {
		drop = length + n - SCRIPT_WINDOW;
		s->searched -= drop < s->searched ? drop : s->searched;
		eat(s, drop);
	}
	(void)buf_put(&s->window, p, n);
}

void
script_receive(struct script *s, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t piece;

	for (; n > 0 && !script_is_done(s); p += piece, n -= piece) {
		/* At most half a window at a time, so that an error can show
		 * what was received before. */
		piece = n < SCRIPT_WINDOW / 2 ? n : SCRIPT_WINDOW / 2;
		append_window(s, p, piece);
		if (script_is_expecting(s))
			start_step(s);
	}
}

void
script_end(struct script *s)
{
	s->is_ended = true;
	if (script_is_expecting(s))
		start_step(s);
}

struct deadline
script_deadline(const struct script *s)
{
	return script_is_expecting(s) ? s->until : deadline_none();
}

/* Writes "--expect 2 of 3 ('^250 ')" to buf. */
static const char *
describe(const struct script *s, char *buf, size_t size)
{
	const struct script_steps *steps = s->steps;
	size_t i, number = 0, count = 0;
	char regex[160];

	for (i = 0; i < steps->count; i++) {
		count += steps->items[i].is_expect ? 1 : 0;
		number += i <= s->at && steps->items[i].is_expect ? 1 : 0;
	}
	text_escape_string(regex, sizeof(regex), steps->items[s->at].text);
	snprintf(buf, size, "--expect %zu of %zu ('%s')", number, count, regex);
	return buf;
}

/* Writes the end of the window to buf, which is its most useful part. */
static const char *
describe_received(const struct script *s, char *buf, size_t size)
{
	size_t n = buf_length(&s->window), skip = n > 200 ? n - 200 : 0;
	char text[320];

	text_escape(text, sizeof(text), buf_bytes(&s->window) + skip, n - skip);
	snprintf(buf, size, "%s%s%s%s", skip > 0 ? "..." : "", n > 0 ? "'" : "",
	    n > 0 ? text : "nothing", n > 0 ? "'" : "");
	return buf;
}

struct deadline
script_notice(const struct script *s)
{
	return script_is_expecting(s) ? s->notice : deadline_none();
}

void
script_report(struct script *s)
{
	char expect[220], received[340];

	s->notice = deadline_none();
	diag_warn("waiting for %s; received so far: %s",
	    describe(s, expect, sizeof(expect)),
	    describe_received(s, received, sizeof(received)));
}

int
script_error(const struct script *s, const char *why, struct err *e)
{
	char expect[220], received[340];

	return err_set(e, ERR_PROTOCOL, "%s: %s; received instead: %s",
	    describe(s, expect, sizeof(expect)), why,
	    describe_received(s, received, sizeof(received)));
}

int
script_timeout_error(const struct script *s, struct err *e)
{
	struct err timeout;

	deadline_error(s->until, "it was not received", &timeout);
	return script_error(s, timeout.text, e);
}

void
script_release(struct script *s)
{
	end_step(s);
	free(s->window.data);
	s->window.data = NULL;
}
