/* A scripted conversation: texts to send and patterns to expect. */
#include "relay/script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/child.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/wait.h"

/* The byte of the escape at p, after its backslash, with its length in *used;
 * -1 if it is not an escape. */
static int
escaped_byte(const char *p, size_t *used)
{
	static const char letters[] = "rnt\\0", bytes[] = "\r\n\t\\\0";
	const char *letter;

	*used = 1;
	if (*p == 'x') {
		*used = 3;
		if (text_hex_digit(p[1]) < 0 || text_hex_digit(p[2]) < 0)
			return -1;
		return text_hex_digit(p[1]) * 16 + text_hex_digit(p[2]);
	}
	letter = *p == '\0' ? NULL : strchr(letters, *p);
	return letter == NULL ? -1 : bytes[letter - letters];
}

/* Writes the unescaped bytes of text to out, which may be NULL. Returns their
 * number, or -1 for an unknown escape. */
static ssize_t
unescape(const char *text, char *out)
{
	ssize_t n = 0;
	size_t used;
	int byte;

	while (*text != '\0') {
		byte = *text++;
		if (byte == '\\') {
			byte = escaped_byte(text, &used);
			if (byte < 0)
				return -1;
			text += used;
		}
		if (out != NULL)
			out[n] = (char)byte;
		n++;
	}
	return n;
}

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

int
script_add_send(struct script_steps *s, const char *text, struct err *e)
{
	char shown[128];

	if (unescape(text, NULL) >= 0)
		return add(s, false, text, e);
	text_escape_string(shown, sizeof(shown), text);
	return err_set(e, ERR_USAGE,
	    "'%s': escapes are \\r \\n \\t \\\\ \\0 \\xHH", shown);
}

int
script_add_expect(struct script_steps *s, const char *regex, struct err *e)
{
	char why[128], shown[128];
	regex_t compiled;
	int code = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);

	if (code == 0) {
		regfree(&compiled);
		return add(s, true, regex, e);
	}
	regerror(code, &compiled, why, sizeof(why));
	text_escape_string(shown, sizeof(shown), regex);
	return err_set(e, ERR_USAGE,
	    "'%s' is not an extended regular expression: %s", shown, why);
}

/* Frees what the current step allocated. */
static void
end_step(struct script *s)
{
	if (s->is_compiled)
		regfree(&s->regex);
	s->is_compiled = false;
	free(s->text);
	s->text = NULL;
}

/* The offset of the match's end, or -1. */
static regoff_t
find(const regex_t *regex, const char *text)
{
	regmatch_t where;

	return regexec(regex, text, 1, &where, 0) == 0 ? where.rm_eo : -1;
}

static pid_t
start_search(const regex_t *regex, const char *text, int out)
{
	pid_t pid = fork();
	regoff_t at;

	if (pid != 0)
		return pid;
	signals_after_fork();
	at = find(regex, text);
	_exit(fd_write_all(out, &at, sizeof(at)) == 0 ? 0 : 1);
}

/* Receives the child's result; -1 if it did not arrive in time. */
static regoff_t
receive(int in, struct deadline until)
{
	regoff_t at = -1;
	int ready = wait_fd(in, POLLIN, until);

	/* Any other signal is SIGCHLD. */
	if (ready == 0 || (ready < 0 && signals_stopped() != 0))
		return -1;
	return read(in, &at, sizeof(at)) == (ssize_t)sizeof(at) ? at : -1;
}

/*
 * find() with a deadline. regexec(3) can take practically unlimited time, and
 * neither a timer nor a signal handler can interrupt it; so it runs in a child
 * process, which can be killed.
 */
static regoff_t
find_until(const regex_t *regex, const char *text, struct deadline until)
{
	regoff_t at;
	int ends[2];
	pid_t pid;

	/*
	 * Without descriptors or processes, a slow search is better than none.
	 */
	if (os_pipe(ends, false) < 0)
		return find(regex, text);
	pid = start_search(regex, text, ends[1]);
	fd_close(&ends[1]);
	at = pid > 0 ? receive(ends[0], until) : find(regex, text);
	fd_close(&ends[0]);
	if (pid > 0)
		(void)child_kill(&(struct child){.pid = pid});
	return at;
}

/* Whether regexec(3) may take practically unlimited time: back references and
 * counted repetitions can. Other patterns are matched in one pass. */
static bool
is_slow(const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '{')
			return true;
		if (*pattern == '\\' && *++pattern >= '1' && *pattern <= '9')
			return true;
		if (*pattern == '\0')
			return false;
	}
	return false;
}

/* Searches the window for the current pattern; drops what it matched. */
static bool
match(struct script *s, struct deadline until)
{
	const char *text, *pattern = s->steps->items[s->at].text;
	size_t capacity;
	regoff_t end;

	/* One byte is always free for the NUL. */
	*buf_space(&s->window, &capacity) = '\0';
	text = (const char *)buf_bytes(&s->window);
	if (is_slow(pattern) && *text != '\0')
		end = find_until(
		    &s->regex, text, deadline_first(until, s->until));
	else
		end = find(&s->regex, text);
	if (end >= 0)
		buf_eat(&s->window, (size_t)end);
	return end >= 0;
}

/* Starts the step s->at, and skips patterns that match already. */
static void
start_step(struct script *s, struct deadline until)
{
	const struct script_step *step;

	while (s->at < s->steps->count) {
		step = &s->steps->items[s->at];
		if (!step->is_expect)
			return;
		if (!s->is_compiled) {
			/* script_add_expect() has checked it. */
			s->is_compiled =
			    regcomp(&s->regex, step->text, REG_EXTENDED) == 0;
			s->until =
			    deadline_limit(s->expect_ms, "--expect-timeout");
		}
		if (!match(s, until))
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
	buf_init(
	    &s->window, mem_array(SCRIPT_WINDOW + 1, 1), SCRIPT_WINDOW + 1);
	start_step(s, deadline_none());
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
	if (s->text == NULL)
		s->text = mem_array(strlen(text) + 1, 1);
	*n = (size_t)unescape(text, s->text);
	return s->text;
}

void
script_sent(struct script *s, struct deadline until)
{
	end_step(s);
	s->at++;
	start_step(s, until);
}

/* Appends n bytes to the window, n <= SCRIPT_WINDOW, and drops the oldest. */
static void
append_window(struct script *s, const unsigned char *p, size_t n)
{
	size_t length = buf_length(&s->window), capacity, i;
	unsigned char *space;

	if (length + n > SCRIPT_WINDOW)
		buf_eat(&s->window, length + n - SCRIPT_WINDOW);
	while (n > 0) {
		space = buf_space(&s->window, &capacity);
		if (capacity > n)
			capacity = n;
		for (i = 0; i < capacity; i++)
			space[i] = p[i] == '\0' ? 1 : p[i];
		buf_added(&s->window, capacity);
		p += capacity;
		n -= capacity;
	}
}

void
script_receive(
    struct script *s, const void *bytes, size_t n, struct deadline until)
{
	const unsigned char *p = bytes;
	size_t piece;

	for (; n > 0 && !script_is_done(s); p += piece, n -= piece) {
		/* At most half a window at a time, so that a match may begin in
		 * earlier data. */
		piece = n < SCRIPT_WINDOW / 2 ? n : SCRIPT_WINDOW / 2;
		append_window(s, p, piece);
		if (script_is_expecting(s))
			start_step(s, until);
	}
}

struct deadline
script_deadline(const struct script *s)
{
	return script_is_expecting(s) ? s->until : deadline_none();
}

int
script_error(const struct script *s, const char *why, struct err *e)
{
	size_t n = buf_length(&s->window);
	char wanted[160], received[320];

	text_escape_string(wanted, sizeof(wanted), s->steps->items[s->at].text);
	/* The end of the window is its most useful part. */
	text_escape(received, sizeof(received),
	    buf_bytes(&s->window) + (n > 200 ? n - 200 : 0), n > 200 ? 200 : n);
	return err_set(e, ERR_PROTOCOL,
	    "expected '%s', but %s; received instead: %s%s%s%s", wanted, why,
	    n > 200 ? "..." : "", n > 0 ? "'" : "",
	    n > 0 ? received : "nothing", n > 0 ? "'" : "");
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
