/* A scripted conversation: texts to send and patterns to expect. */
#include "relay/script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wctype.h>

#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/wait.h"
#include "relay/flow.h"

/* The bytes searched at a time; pieces overlap by SCRIPT_MATCH. */
#define PIECE (2 * SCRIPT_MATCH)
/* The largest bound, and the most repetitions of a pattern: with more, one
 * search could take a second or longer, which neither limits nor signals end.
 */
#define MAX_REPEAT 255
#define MAX_REPEATS 1000
/* The longest translation of one byte of a pattern: a fourth of [^a]. */
#define MAX_TRANSLATED 68

/* A pattern that is translated for regcomp(3). */
struct translation {
	const char *start, *at;
	char *out;             /* the next byte to write */
	bool names_cr;         /* see struct script */
	unsigned long repeats; /* repetitions so far */
	struct err *e;
};

static int
bad(struct translation *t, const char *why)
{
	return err_set(t->e, ERR_USAGE, "%s", why);
}

/*
 * Counts the repetitions at at. After a group, or after others, they multiply
 * all that were counted before, some of which may be outside of the group.
 * Returns 0, or -1 with a usage error.
 */
static int
repeat(struct translation *t, const char *at, unsigned long times)
{
	if (at > t->start && strchr(")}?*+", at[-1]) != NULL)
		t->repeats = (t->repeats > 0 ? t->repeats : 1) * times;
	else
		t->repeats += times;
	if (t->repeats > MAX_REPEATS)
		return bad(t, "it has more than 1000 repetitions");
	return 0;
}

/* Writes a literal byte. regexec(3) cannot match NUL, which becomes 0xff, here
 * and in the text. */
static void
put_byte(struct translation *t, unsigned char byte)
{
	if (byte == '\r')
		t->names_cr = true;
	if (byte != 0 && strchr(".[]()*+?{}|^$\\", byte) != NULL)
		*t->out++ = '\\';
	*t->out++ = (char)(byte == 0 ? 0xff : byte);
}

/* Writes a set: bytes with a meaning in brackets become alternatives. */
static int
put_set(struct translation *t, const bool set[256])
{
	const char *start = t->out, *first, *special;
	int byte;

	*t->out++ = '(';
	for (special = "][^-"; *special != '\0'; special++)
		if (set[(unsigned char)*special]) {
			put_byte(t, (unsigned char)*special);
			*t->out++ = '|';
		}
	*t->out++ = '[';
	for (first = t->out, byte = 1; byte < 256; byte++)
		if ((set[byte] || (byte == 0xff && set[0])) &&
		    strchr("][^-", byte) == NULL)
			*t->out++ = (char)byte;
	if (t->out > first)
		*t->out++ = ']';
	else
		t->out -= 2;
	if (t->out == start)
		return bad(t, "brackets that match nothing");
	*t->out++ = ')';
	return 0;
}

/* Translates an escape; the backslash is at t->at. */
static int
put_escape(struct translation *t)
{
	static const char letters[] = "wWsS";
	static const char *const sets[] = {
	    "[[:alnum:]_]", "[^[:alnum:]_]", "[[:space:]]", "[^[:space:]]"};
	const char *letter;
	unsigned char byte;
	size_t used = literal_escape(t->at, strlen(t->at), &byte);

	if (used > 0) {
		t->at += used;
		put_byte(t, byte);
		return 0;
	}
	byte = (unsigned char)t->at[1];
	if (byte == '\0')
		return bad(t, "a lone backslash at its end");
	if (byte >= '1' && byte <= '9')
		return bad(t, "there are no back references");
	t->at += 2;
	letter = strchr(letters, byte);
	if (letter != NULL) {
		t->out = stpcpy(t->out, sets[letter - letters]);
		return 0;
	}
	if (isalnum(byte))
		return bad(t,
		    "an unknown escape (there are \\n \\r \\t \\0 \\e \\\\ "
		    "\\xHH, and \\w \\W \\s \\S)");
	put_byte(t, byte);
	return 0;
}

/* "[:alpha:]", at t->at, a class of ASCII. */
static int
parse_class(struct translation *t, bool set[256])
{
	wctype_t class = 0;
	char name[8];
	int used = 0, byte;

	if (t->at[1] != ':')
		return bad(t, "[. and [= in brackets are not supported");
	if (sscanf(t->at, "[:%7[a-z]:]%n", name, &used) == 1 && used > 0)
		class = wctype(name);
	if (class == 0)
		return bad(t, "an unknown class in brackets");
	for (byte = 0; byte < 128; byte++)
		set[byte] |= iswctype((wint_t)byte, class) != 0;
	t->at += used;
	return 0;
}

/* One byte in brackets, perhaps as an escape. */
static unsigned char
parse_member(struct translation *t)
{
	unsigned char byte = (unsigned char)*t->at;
	size_t used = 0;

	if (byte == '\\')
		used = literal_escape(t->at, strlen(t->at), &byte);
	t->at += used == 0 ? 1 : used;
	return byte;
}

/* "[^a-z]", after its first bracket. */
static int
put_brackets(struct translation *t)
{
	bool set[256] = {false}, is_negated = *t->at == '^';
	const char *first;
	int byte, last;

	t->at += is_negated ? 1 : 0;
	for (first = t->at; *t->at != ']' || t->at == first;) {
		if (*t->at == '\0')
			return bad(t, "brackets are not closed");
		if (*t->at == '[' && t->at[1] != '\0' &&
		    strchr(":.=", t->at[1]) != NULL) {
			if (parse_class(t, set) < 0)
				return -1;
			continue;
		}
		byte = last = parse_member(t);
		if (t->at[0] == '-' && t->at[1] != ']' && t->at[1] != '\0') {
			t->at++;
			last = parse_member(t);
		}
		if (last < byte)
			return bad(
			    t, "a range in brackets ends before it begins");
		if (byte <= '\r' && last >= '\r' && !is_negated)
			t->names_cr = true;
		for (; byte <= last; byte++)
			set[byte] = true;
	}
	t->at++;
	/* A negated set never matches LF, which ends a line. */
	for (byte = 0; byte < 256 && is_negated; byte++)
		set[byte] = !set[byte] && byte != '\n';
	return put_set(t, set);
}

/* A bound of regex(7): "{2}", "{2,}" or "{2,5}", of which regcomp(3) checks the
 * rest. A { that no digit follows is an ordinary character. */
static int
put_bound(struct translation *t)
{
	const char *brace = t->at++, *number = t->at;
	unsigned long n, max = 1;
	char *end;

	if (!text_is_digit(*t->at)) {
		put_byte(t, '{');
		return 0;
	}
	*t->out++ = '{';
	do {
		n = strtoul(number, &end, 10);
		if (n > MAX_REPEAT)
			return bad(t, "a bound of more than 255 repetitions");
		max = n > max ? n : max;
		number = end + 1;
	} while (*end == ',');
	return repeat(t, brace, max);
}

/* Translates a pattern for regcomp(3); out is an empty string and has space. */
static int
translate(struct translation *t)
{
	int result = 0;

	while (result == 0 && *t->at != '\0') {
		switch (*t->at) {
		case '\\':
			result = put_escape(t);
			break;
		case '[':
			t->at++;
			result = put_brackets(t);
			break;
		case '{':
			result = put_bound(t);
			break;
		case '?':
		case '*':
		case '+':
			result = repeat(t, t->at, 1);
			*t->out++ = *t->at++;
			break;
		case '\r':
			t->names_cr = true;
			/* FALLTHROUGH */
		default:
			*t->out++ = *t->at++;
		}
	}
	*t->out = '\0';
	return result;
}

static int
compile(struct script_step *step, struct err *e)
{
	char *out = mem_array(strlen(step->text) + 1, MAX_TRANSLATED);
	char why[128];
	struct translation t = {
	    .start = step->text, .at = step->text, .out = out, .e = e};
	int result = translate(&t), status;

	if (result == 0) {
		status = regcomp(&step->regex, out, REG_EXTENDED | REG_NEWLINE);
		if (status != 0) {
			regerror(status, &step->regex, why, sizeof(why));
			result = err_set(e, ERR_USAGE,
			    "not an extended regular expression: %s", why);
		}
	}
	free(out);
	step->names_cr = t.names_cr;
	return result;
}

int
script_add(struct script *s, bool is_expect, const char *text, struct err *e)
{
	struct script_step *step = &s->items[s->count];
	size_t n = strlen(text);
	ssize_t length;

	if (s->count == SCRIPT_STEPS)
		return err_set(e, ERR_USAGE, "more than %d steps of a script",
		    SCRIPT_STEPS);
	*step = (struct script_step){.is_expect = is_expect, .text = text};
	if (is_expect && compile(step, e) < 0)
		return err_prefix(e, "'%s'", text_shown(text));
	if (!is_expect) {
		step->bytes = mem_array(n + 1, 1);
		length = literal_unescape(step->bytes, text, n, e);
		if (length < 0)
			return err_prefix(e, "'%s'", text_shown(text));
		step->length = (size_t)length;
	}
	s->count++;
	return 0;
}

static void
start_step(struct script *s, size_t at)
{
	s->at = at;
	s->until = s->notice = deadline_none();
	s->sent = s->from = 0;
	s->is_unsearched = script_is_expecting(s);
	if (!s->is_unsearched)
		return;
	s->until = deadline_limit(s->expect_ms, "--expect-timeout");
	s->notice = deadline_after(WAIT_REPORT_MS);
}

/* Removes n bytes from the window. The last of them determines whether a line
 * starts there. */
static void
eat(struct script *s, size_t n)
{
	if (n == 0)
		return;
	s->starts_line = buf_bytes(&s->window)[n - 1] == '\n';
	s->follows_send = false;
	s->from -= n < s->from ? n : s->from;
	buf_eat(&s->window, n);
}

void
script_start(struct script *s)
{
	buf_init(&s->window, mem_resize(s->window.data, SCRIPT_WINDOW, 1),
	    SCRIPT_WINDOW);
	s->starts_line = true;
	s->follows_send = s->is_ended = false;
	start_step(s, 0);
}

/* Whether byte i of n is a CR that ends a line, and so is not part of it. */
static bool
is_dropped(
    const struct script *s, const unsigned char *bytes, size_t i, size_t n)
{
	return bytes[i] == '\r' && !s->items[s->at].names_cr &&
	       (i + 1 == n || bytes[i + 1] == '\n');
}

/*
 * Searches the bytes of the window from s->from to end, which is the end of the
 * stream if is_last. Returns where in the window the match ends, or -1.
 */
static ssize_t
search_piece(struct script *s, size_t end, bool is_last)
{
	const unsigned char *bytes = buf_bytes(&s->window);
	size_t n = buf_length(&s->window), i, length = 0, match_end;
	char text[PIECE + 1];
	regmatch_t match;
	bool is_start, is_end;

	for (i = s->from; i < end; i++)
		if (!is_dropped(s, bytes, i, n))
			text[length++] =
			    (char)(bytes[i] == 0 ? 0xff : bytes[i]);
	text[length] = '\0';
	if (s->from > 0)
		is_start = bytes[s->from - 1] == '\n';
	else
		/* A prompt may have no newline: text after an answer to it
		 * starts a line, unless it first ends the prompt's line. */
		is_start = s->starts_line ||
			   (s->follows_send && length > 0 && text[0] != '\n');
	is_end = is_last && (length > 0 ? text[length - 1] != '\n'
					: !s->starts_line && !s->follows_send);
	if (regexec(&s->items[s->at].regex, text, 1, &match,
		(is_start ? 0 : REG_NOTBOL) | (is_end ? 0 : REG_NOTEOL)) != 0)
		return -1;
	match_end = (size_t)match.rm_eo;
	for (i = s->from; match_end > 0; i++)
		match_end -= is_dropped(s, bytes, i, n) ? 0 : 1;
	return (ssize_t)i;
}

/* Searches a piece of the window for the current pattern. */
static void
search(struct script *s, bool has_ended)
{
	const unsigned char *bytes = buf_bytes(&s->window);
	size_t n = buf_length(&s->window), end;
	ssize_t found;

	s->is_ended = has_ended;
	/* It may be half of a CRLF. */
	if (n > s->from && !has_ended && is_dropped(s, bytes, n - 1, n))
		n--;
	end = n > s->from + PIECE ? s->from + PIECE : n;
	found = search_piece(s, end, has_ended && end == n);
	if (found >= 0) {
		eat(s, (size_t)found);
		start_step(s, s->at + 1);
		return;
	}
	if (end >= s->from + SCRIPT_MATCH)
		s->from = end - SCRIPT_MATCH;
	s->is_unsearched = end < n;
}

bool
script_advance(struct script *s, struct flow *up, bool has_ended)
{
	const struct script_step *step;

	if (script_is_expecting(s) &&
	    (s->is_unsearched || s->is_ended != has_ended))
		search(s, has_ended);
	while (!script_is_done(s) && !script_is_expecting(s)) {
		step = &s->items[s->at];
		s->sent +=
		    flow_put(up, step->bytes + s->sent, step->length - s->sent);
		if (s->sent < step->length)
			break;
		s->follows_send = true;
		start_step(s, s->at + 1);
	}
	return s->is_unsearched;
}

void
script_receive(struct script *s, const void *bytes, size_t n)
{
	size_t length = buf_length(&s->window);

	if (script_is_done(s))
		return;
	if (length + n > SCRIPT_WINDOW)
		eat(s, length + n - SCRIPT_WINDOW);
	(void)buf_put(&s->window, bytes, n);
	s->is_unsearched = script_is_expecting(s);
}

/* "--expect 2 of 3 ('^250 ')" */
static const char *
describe(const struct script *s)
{
	size_t i, number = 0, count = 0;

	for (i = 0; i < s->count; i++) {
		count += s->items[i].is_expect ? 1 : 0;
		number += i <= s->at && s->items[i].is_expect ? 1 : 0;
	}
	return text_format("--expect %zu of %zu ('%s')", number, count,
	    text_shown(s->items[s->at].text));
}

/* The end of the window, which is its most useful part. */
static const char *
received(const struct script *s)
{
	size_t n = buf_length(&s->window), skip = n > 200 ? n - 200 : 0;

	if (n == 0)
		return "nothing";
	return text_format("%s'%s'", skip > 0 ? "..." : "",
	    text_shown_bytes(buf_bytes(&s->window) + skip, n - skip));
}

const char *
script_report(struct script *s)
{
	s->notice = deadline_none();
	return text_format("waiting for %s; received so far: %s%s", describe(s),
	    received(s),
	    s->expect_ms < 0 ? " (--expect-timeout limits this)" : "");
}

int
script_error(const struct script *s, bool is_late, struct err *e)
{
	struct err why = {.text = "the peer finished"};

	if (is_late)
		deadline_error(s->until, "it was not received", &why);
	return err_set(e, is_late ? ERR_TIMEOUT : ERR_PROTOCOL,
	    "%s: %s; received instead: %s", describe(s), why.text, received(s));
}

void
script_release(struct script *s)
{
	free(s->window.data);
	s->window.data = NULL;
	for (; s->count > 0; s->count--) {
		if (s->items[s->count - 1].is_expect)
			regfree(&s->items[s->count - 1].regex);
		free(s->items[s->count - 1].bytes);
	}
}
