/* STARTTLS: agrees with a server of a plain protocol on TLS. */
#include "dial/connector.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "net/link.h"
#include "net/stream.h"
#include "net/wait.h"

/* The longest line of an answer: RFC 5321 has 512 bytes, RFC 2822 998. */
#define MAX_LINE 2048
/* The most lines of one answer. */
#define MAX_LINES 128

const char *const starttls_names[] = {
    "smtp", "imap", "pop3", "ftp", "postgres", NULL};

/* The meaning of a line for the answer that it belongs to. */
enum answer { ANSWER_MORE, ANSWER_GOOD, ANSWER_DECLINED, ANSWER_MALFORMED };

/* One command and its answer. */
struct exchange {
	const char *command; /* NULL: the server's greeting */
	const char *good;    /* how the last line of a good answer begins */
};

struct protocol {
	/* Classifies a line; that of a good answer begins with good. */
	enum answer (*classify)(const char *line, const char *good);
	const char *first;   /* the bytes that may begin a line */
	bool has_free_lines; /* any line may follow the first of an answer */
	struct exchange exchanges[4]; /* ended by one without good */
};

#define DIGITS "0123456789"

/* "250-text" is continued, "250 text" and "250" are last. */
static enum answer
classify_code(const char *line, const char *good)
{
	if (strspn(line, DIGITS) != 3)
		return ANSWER_MALFORMED;
	if (line[3] == '-')
		return ANSWER_MORE;
	if (line[3] != '\0' && line[3] != ' ')
		return ANSWER_MALFORMED;
	return strncmp(line, good, 3) == 0 ? ANSWER_GOOD : ANSWER_DECLINED;
}

/* The greeting has no tag; later lines without a tag are not part of the
 * answer. */
static enum answer
classify_imap(const char *line, const char *good)
{
	size_t n = strcspn(good, " ");

	if (strncasecmp(line, good, strlen(good)) == 0)
		return ANSWER_GOOD;
	if (good[0] != '*' && line[0] == '*')
		return strncasecmp(line, "* BYE", 5) == 0 ? ANSWER_DECLINED
							  : ANSWER_MORE;
	return strncmp(line, good, n) == 0 && line[n] == ' ' ? ANSWER_DECLINED
							     : ANSWER_MALFORMED;
}

static enum answer
classify_pop3(const char *line, const char *good)
{
	if (strncmp(line, good, strlen(good)) == 0)
		return ANSWER_GOOD;
	return strncmp(line, "-ERR", 4) == 0 ? ANSWER_DECLINED
					     : ANSWER_MALFORMED;
}

static const struct protocol protocols[] = {
    [STARTTLS_SMTP] = {classify_code, DIGITS, false,
	{{NULL, "220"}, {"EHLO localhost", "250"}, {"STARTTLS", "220"}}},
    [STARTTLS_IMAP] = {classify_imap, "*a", false,
	{{NULL, "* OK"}, {"a STARTTLS", "a OK"}}},
    [STARTTLS_POP3] = {classify_pop3, "+-", false,
	{{NULL, "+OK"}, {"STLS", "+OK"}}},
    [STARTTLS_FTP] = {classify_code, DIGITS, true,
	{{NULL, "220"}, {"AUTH TLS", "234"}}},
};

/* An end of waiting or sending other than STREAM_DONE. Returns -1 with *e. */
static int
fail(const struct stream *s, enum stream_end end, struct err *e)
{
	switch (end) {
	case STREAM_ENDED:
		return err_set(
		    e, ERR_PROTOCOL, "the server closed the connection");
	case STREAM_LIMIT:
		return deadline_error(s->until, "the server did not answer", e);
	case STREAM_STOPPED:
		return err_sys(e, ERR_FAILED, errno, "waiting for the answer");
	default:
		return err_sys(e, ERR_LOST, errno, "the connection was lost");
	}
}

static int
send_all(const struct stream *s, const void *bytes, size_t n, struct err *e)
{
	uint64_t sent = 0;
	enum stream_end end = stream_send(s, bytes, n, &sent);

	return end == STREAM_DONE ? 0 : fail(s, end, e);
}

/*
 * Receives a line without its LF or CRLF, and nothing after it. If it does not
 * begin with a byte of first (NULL: any), its end may never come: it is cut
 * after the bytes received. Returns 0, or -1 with *e.
 */
static int
receive_line(
    struct stream *s, const char *first, char line[MAX_LINE], struct err *e)
{
	size_t length = 0, n;
	enum stream_end end;
	char *lf = NULL;

	while (lf == NULL) {
		if (length == MAX_LINE - 1)
			return err_set(e, ERR_PROTOCOL,
			    "the server's answer has a line of more than %d "
			    "bytes",
			    MAX_LINE - 1);
		/* What follows the line must stay in the socket. */
		s->receive_flags = MSG_PEEK;
		end =
		    stream_receive(s, line + length, MAX_LINE - 1 - length, &n);
		if (end == STREAM_DONE) {
			lf = memchr(line + length, '\n', n);
			if (lf != NULL)
				n = (size_t)(lf - line) + 1 - length;
			s->receive_flags = 0;
			end = stream_receive(s, line + length, n, &n);
		}
		if (end != STREAM_DONE)
			return fail(s, end, e);
		length += n;
		if (lf == NULL && first != NULL &&
		    (line[0] == '\0' || strchr(first, line[0]) == NULL))
			lf = line + length;
	}
	if (lf > line && lf[-1] == '\r')
		lf--;
	*lf = '\0';
	return strlen(line) == (size_t)(lf - line)
		   ? 0
		   : err_set(
			 e, ERR_PROTOCOL, "the server's answer has a NUL byte");
}

/* Receives the answer to a command, to its last line. */
static int
receive_answer(struct stream *s, const struct protocol *p,
    const struct exchange *x, struct err *e)
{
	const char *to = x->command != NULL ? x->command : "the connection";
	const char *first;
	char line[MAX_LINE], code[4] = "";
	enum answer answer;
	int lines;

	for (lines = 0; lines < MAX_LINES; lines++) {
		first = lines > 0 && p->has_free_lines ? NULL : p->first;
		if (receive_line(s, first, line, e) < 0)
			return -1;
		answer = p->classify(line, x->good);
		/* Only a line with the code of the first ends it (RFC 959). */
		if (lines > 0 && p->has_free_lines &&
		    (answer == ANSWER_MALFORMED || strncmp(line, code, 3) != 0))
			continue;
		snprintf(code, sizeof(code), "%.3s", line);
		switch (answer) {
		case ANSWER_MORE:
			break;
		case ANSWER_GOOD:
			return 0;
		case ANSWER_DECLINED:
			return err_set(e, ERR_PEER,
			    "the server declined (%s): %s", to,
			    text_shown(line));
		default:
			return err_set(e, ERR_PROTOCOL,
			    "the server does not speak the protocol: it "
			    "answers %s with '%s'",
			    to, text_shown(line));
		}
	}
	return err_set(e, ERR_PROTOCOL,
	    "the server's answer has more than %d lines", MAX_LINES);
}

static int
open_lines(struct stream *s, const struct protocol *p, struct err *e)
{
	const struct exchange *x;
	const char *text;

	for (x = p->exchanges; x->good != NULL; x++) {
		text =
		    x->command == NULL ? "" : text_format("%s\r\n", x->command);
		if (send_all(s, text, strlen(text), e) < 0 ||
		    receive_answer(s, p, x, e) < 0)
			return -1;
	}
	return 0;
}

/* SSLRequest: its length, and a number that is not a version. The answer is one
 * byte. */
static int
open_postgres(struct stream *s, struct err *e)
{
	static const unsigned char request[] = {0, 0, 0, 8, 4, 210, 22, 47};
	char answer = 0;
	size_t n;
	enum stream_end end;

	if (send_all(s, request, sizeof(request), e) < 0)
		return -1;
	end = stream_receive(s, &answer, 1, &n);
	if (end != STREAM_DONE)
		return fail(s, end, e);
	if (answer == 'S')
		return 0;
	return answer == 'N' || answer == 'E'
		   ? err_set(e, ERR_PEER,
			 "the server declined (SSLRequest): %c", answer)
		   : err_set(e, ERR_PROTOCOL,
			 "the server does not speak the protocol: it answers "
			 "SSLRequest with '%s'",
			 text_shown_bytes(&answer, 1));
}

static const char *
wait_text(void *context)
{
	return text_format("--starttls %s: no answer from the server yet (does "
			   "it speak this protocol?)",
	    (const char *)context);
}

int
starttls_open(enum starttls protocol, struct link *l, struct deadline until,
    struct err *e)
{
	struct stream s = {.link = l, .until = until, .idle_ms = -1};
	const char *name = starttls_names[protocol - 1];
	int64_t start = clock_now();
	struct wait_reason reason;
	uint64_t extra;
	struct json *j;
	int result;

	wait_begin(&reason, wait_text, (void *)(uintptr_t)name);
	result = protocol == STARTTLS_POSTGRES
		     ? open_postgres(&s, e)
		     : open_lines(&s, &protocols[protocol], e);
	wait_end();
	/* A TLS server does not send first: bytes inserted by an attacker would
	 * look protected by TLS. */
	extra = result == 0 ? fd_available(l->fd) : 0;
	if (extra > 0)
		result = err_set(e, ERR_PROTOCOL,
		    "%s came after the server had agreed to TLS and before "
		    "its handshake (somebody may have inserted them)",
		    num_count_text(extra, "byte"));
	if (result < 0)
		return err_prefix(e, "--starttls %s", name);
	start = clock_now() - start;
	j = diag_event_begin("starttls");
	json_text(j, "protocol", name);
	json_seconds(j, "seconds", (double)start / 1e9);
	diag_event_end(DIAG_NOTE, "the server agrees to TLS (%s) in %s", name,
	    num_duration_text(start));
	return 0;
}
