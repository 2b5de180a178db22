/* Conversations whose bytes arrive in every way have the same result. */
#include "base/err.h"
#include "lib/script_steps.h"
#include "lib/tap.h"
#include "relay/script.h"

/* Sends what the script sends now. */
static size_t
send_texts(struct script *s)
{
	size_t n, count = 0;

	while (script_text(s, &n) != NULL) {
		script_sent(s);
		count++;
	}
	return count;
}

/*
 * Runs a script: each answer arrives when its number of texts has been sent, in
 * two pieces that are split at an offset. Returns the number of answers that
 * the script reached, plus 100 if it was done.
 */
static size_t
converse(
    const struct script_steps *steps, const char *const *answers, size_t split)
{
	struct script s;
	size_t sent, n, count = 0, result;

	script_start(&s, steps, -1);
	sent = send_texts(&s);
	for (; *answers != NULL && count <= sent; answers++, count++) {
		n = strlen(*answers);
		if (split == 0) {
			for (n = 0; (*answers)[n] != '\0'; n++) {
				script_receive(&s, *answers + n, 1);
				sent += send_texts(&s);
			}
		} else {
			n = split < n ? split : n;
			script_receive(&s, *answers, n);
			sent += send_texts(&s);
			script_receive(&s, *answers + n, strlen(*answers + n));
		}
		sent += send_texts(&s);
	}
	if (*answers == NULL)
		script_end(&s);
	(void)send_texts(&s);
	result = count + (script_is_done(&s) ? 100 : 0);
	script_release(&s);
	return result;
}

/* Byte by byte, and split at every byte. */
static void
succeeds(const char *name, const char *const *texts, const char *const *answers)
{
	struct script_steps steps;
	size_t count = 0, split, wrong = 0;

	add_steps(&steps, texts);
	while (answers[count] != NULL)
		count++;
	for (split = 0; split < 300; split++)
		if (converse(&steps, answers, split) != count + 100)
			wrong++;
	is_int((long long)wrong, 0, name);
}

static void
fails(const char *name, const char *const *texts, const char *const *answers)
{
	struct script_steps steps;
	size_t split, wrong = 0;

	add_steps(&steps, texts);
	for (split = 0; split < 300; split++)
		if (converse(&steps, answers, split) >= 100)
			wrong++;
	is_int((long long)wrong, 0, name);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
protocols(void)
{
	succeeds("SMTP",
	    LIST("<^220 ", "EHLO a\\r\\n", "<^250 ", "MAIL FROM:<a>\\r\\n",
		"<^250 2\\.1\\.0 .*$", "QUIT\\r\\n", "<^221 .*$"),
	    LIST("220-mx.example ESMTP\r\n220 ready\r\n",
		"250-mx\r\n250-PIPELINING\r\n250-SIZE 250 \r\n250 HELP\r\n",
		"250 2.1.0 Ok\r\n", "221 Bye\r\n"));
	succeeds("POP3",
	    LIST("<^\\+OK", "STAT\\r\\n", "<^\\+OK [0-9]+ [0-9]+$",
		"RETR 1\\r\\n", "<^\\.$", "QUIT\\r\\n", "<^\\+OK"),
	    LIST("+OK POP3 ready <1.2@x>\r\n", "+OK 2 320\r\n",
		"+OK 320 octets\r\nSubject: .\r\n\r\n..\r\ntext.\r\n.\r\n",
		"+OK bye\r\n"));
	succeeds("FTP",
	    LIST("<^220 ", "USER a\\r\\n", "<^331 .*\\.$", "PASS b\\r\\n",
		"<^230 "),
	    LIST("220-Welcome\r\n 220 is not yet it\r\n220 Ready\r\n",
		"331 Password, please.\r\n", "230-hello\r\n230 In\r\n"));
	succeeds("Redis",
	    LIST("SET a 1\\r\\n", "<^\\+OK$", "GET a\\r\\n", "<^\\$1$", "<^1$",
		"GET b\\r\\n", "<^\\$-1$"),
	    LIST("", "+OK\r\n", "$1\r\n1\r\n", "$-1\r\n"));
	succeeds("prompts without a newline",
	    LIST("<^login: ", "a\\n", "<^Password: ", "b\\n", "<^\\$ "),
	    LIST("login: ", "Password: ", "\nLast login: never\n$ "));
	succeeds("the tutorials",
	    LIST("<^Welcome!", "Zo\\xc3\\xab", "<^Hello, .*!$"),
	    LIST("Welcome!", "Hello, Zo\xc3\xab!\n"));
}

static void
lines(void)
{
	succeeds("the end of a head is not that of its first line",
	    LIST("<200 OK", "<^$", "<^body$"),
	    LIST("HTTP/1.1 200 OK\r\nServer: a\r\n\r\nbody"));
	fails("it is not there", LIST("<200 OK", "<^$"),
	    LIST("HTTP/1.1 200 OK\r\nServer: a\r\n"));
	fails("a line's end is not a turn", LIST("<^220 hi", "a\\n", "<^$"),
	    LIST("220 hi\r\n", "250 ok\r\n"));
	fails("^ is not where a match ended", LIST("<^a", "<^b"),
	    LIST("ab\nc\n"));
	succeeds(
	    "but is after --send", LIST("<^a", "x", "<^b"), LIST("a", "b"));
	fails("$ is not the end of a piece", LIST("<a$"), LIST("ab\n"));
	succeeds("$ is the end of the stream", LIST("<a$"), LIST("ba"));
	succeeds("one match after another", LIST("<one", "<one", "<$"),
	    LIST("oneone\n"));
	fails("not the same twice", LIST("<one", "<one"), LIST("one two"));
	succeeds("a match at once", LIST("<", "a", "<a*", "<b"), LIST("", "b"));
	succeeds("both ends of a line", LIST("<a\\r\\nb"), LIST("a\r\nb"));
}

/* Data before a text is sent waits for the next pattern, up to the window. */
static void
early(void)
{
	static char bytes[3 * SCRIPT_WINDOW];
	struct script_steps steps;
	struct script s;
	size_t n;

	memset(bytes, 'x', sizeof(bytes));
	strcpy(bytes + 10, "\nold\n");
	strcpy(bytes + sizeof(bytes) - 10, "\nnew\nend\n");
	add_steps(&steps, LIST("a", "<^new$", "b", "<^end$"));
	script_start(&s, &steps, -1);
	script_receive(&s, bytes, sizeof(bytes) - 1);
	ok(script_text(&s, &n) != NULL && n == 1, "a text is still to be sent");
	script_sent(&s);
	ok(script_text(&s, &n) != NULL, "the pattern has matched meanwhile");
	script_sent(&s);
	ok(script_is_done(&s), "and so has the next one");
	script_release(&s);

	add_steps(&steps, LIST("a", "<^old$"));
	script_start(&s, &steps, -1);
	script_receive(&s, bytes, sizeof(bytes) - 1);
	script_sent(&s);
	ok(script_is_expecting(&s), "what did not fit is dropped");
	script_release(&s);
}

static void
errors(void)
{
	struct script_steps steps;
	struct err e = ERR_INIT;
	struct script s;

	add_steps(&steps, LIST("<^220 ", "a", "b", "<^250 ", "<^221 "));
	script_start(&s, &steps, 60000);
	script_receive(&s, "220 x\r\n500 \033\r\n", 14);
	(void)send_texts(&s);
	is_int(script_error(&s, "the peer finished", &e), -1, "an error");
	is_text(e.text,
	    "--expect 2 of 3 ('^250 '): the peer finished; received instead: "
	    "'x\\r\\n500 \\x1b\\r\\n'",
	    "its text");
	ok(script_notice(&s).at_ns == deadline_none().at_ns,
	    "it is not reported that this is awaited, without a terminal");
	script_release(&s);
}

/* Of what was received, an error shows the end. */
static void
long_errors(void)
{
	struct script_steps steps;
	struct err e = ERR_INIT;
	char bytes[203], want[300];
	struct script s;
	int n;

	add_steps(&steps, LIST("<x"));
	script_start(&s, &steps, -1);
	script_error(&s, "why", &e);
	is_text(e.text, "--expect 1 of 1 ('x'): why; received instead: nothing",
	    "nothing was received");
	memset(bytes, 'b', sizeof(bytes));
	bytes[0] = 'a';
	for (n = 199; n < 203; n++) {
		script_release(&s);
		script_start(&s, &steps, -1);
		script_receive(&s, bytes, (size_t)n);
		script_error(&s, "why", &e);
		snprintf(want, sizeof(want),
		    "--expect 1 of 1 ('x'): why; received instead: %s%.*s'",
		    n > 200 ? "...'" : "'", n > 200 ? 200 : n,
		    bytes + (n > 200 ? n - 200 : 0));
		is_text(e.text, want, "at most 200 bytes are shown");
	}
	script_release(&s);
}

int
main(void)
{
	long_errors();
	protocols();
	lines();
	early();
	errors();
	return done_testing();
}
