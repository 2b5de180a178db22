/* STARTTLS: agrees with a server of a plain protocol on TLS. */
#include "dial/starttls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "net/link.h"
#include "net/wait.h"

/* The longest line of an answer: RFC 5321 has 512 bytes, RFC 2822 998. */
#define MAX_LINE 2048
/* The most lines of one answer. */
#define MAX_LINES 128

const char *const starttls_names[] = {
    "smtp", "imap", "pop3", "ftp", "postgres", NULL};

/* The meaning of a line for the answer that it belongs to. */
enum reply { REPLY_MORE, REPLY_GOOD, REPLY_DECLINED, REPLY_MALFORMED };

/* One turn of the dialogue: a command and its answer. */
struct turn {
	/* The command, or NULL if the server speaks first, with a greeting. */
	const char *command;
	/* How the last line of a good answer begins. */
	const char *good;
};

struct protocol {
	/* Classifies a line; the last one of a good answer begins with good. */
	enum reply (*classify)(const char *line, const char *good);
	/* The bytes that may begin a line. */
	const char *first;
	/* Any line may follow the first one of an answer. */
	bool has_free_lines;
	/* The turns. One without good ends them. */
	struct turn turns[4];
};

#define DIGITS "0123456789"

/* "250-text" is continued, "250 text" and "250" are last. */
static enum reply
classify_code(const char *line, const char *good)
{
	if (strspn(line, DIGITS) != 3)
		return REPLY_MALFORMED;
	if (line[3] == '-')
		return REPLY_MORE;
	if (line[3] != '\0' && line[3] != ' ')
		return REPLY_MALFORMED;
	return strncmp(line, good, 3) == 0 ? REPLY_GOOD : REPLY_DECLINED;
}

/* The greeting has no tag; later, lines without one are not the answer. */
static enum reply
classify_imap(const char *line, const char *good)
{
	size_t n = strcspn(good, " ");

	if (strncasecmp(line, good, strlen(good)) == 0)
		return REPLY_GOOD;
	if (good[0] != '*' && line[0] == '*')
		return strncasecmp(line, "* BYE", 5) == 0 ? REPLY_DECLINED
							  : REPLY_MORE;
	return strncmp(line, good, n) == 0 && line[n] == ' ' ? REPLY_DECLINED
							     : REPLY_MALFORMED;
}

static enum reply
classify_pop3(const char *line, const char *good)
{
	if (strncmp(line, good, strlen(good)) == 0)
		return REPLY_GOOD;
	return strncmp(line, "-ERR", 4) == 0 ? REPLY_DECLINED : REPLY_MALFORMED;
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

/* The dialogue with a server. */
struct dialogue {
	struct link *link;
	struct deadline until;
	struct err *e;
};

/* After a call has failed with errno. Returns -1 with an error. */
static int
fail(struct dialogue *d)
{
	if (errno == EAGAIN)
		return deadline_error(
		    d->until, "the server did not answer", d->e);
	return err_sys(d->e, errno == EINTR ? ERR_FAILED : ERR_LOST, errno,
	    "waiting for the answer");
}

static int
send_all(struct dialogue *d, const void *bytes, size_t n)
{
	return link_send(d->link, bytes, n, -1, d->until) < 0 ? fail(d) : 0;
}

/* As recv(2), but waits for a byte. Returns how many, or -1 with an error. */
static ssize_t
receive_some(struct dialogue *d, void *space, size_t size, int flags)
{
	ssize_t n = link_receive(d->link, space, size, flags, -1, d->until);

	if (n == 0)
		return err_set(
		    d->e, ERR_PROTOCOL, "the server closed the connection");
	return n < 0 ? fail(d) : n;
}

/*
 * Receives a line without its LF or CRLF, and nothing after it. If it does not
 * begin with a byte of first (NULL: any), its end may never come: it is cut
 * after the bytes received. Returns 0, or -1 with an error.
 */
static int
receive_line(struct dialogue *d, const char *first, char line[MAX_LINE])
{
	size_t length = 0;
	char *lf = NULL;
	ssize_t n;

	while (lf == NULL) {
		if (length == MAX_LINE - 1)
			return err_set(d->e, ERR_PROTOCOL,
			    "the server's answer has a line of more than %d "
			    "bytes",
			    MAX_LINE - 1);
		/* What follows the line must stay in the socket. */
		n = receive_some(
		    d, line + length, MAX_LINE - 1 - length, MSG_PEEK);
		if (n < 0)
			return -1;
		lf = memchr(line + length, '\n', (size_t)n);
		if (lf != NULL)
			n = lf + 1 - (line + length);
		n = receive_some(d, line + length, (size_t)n, 0);
		if (n < 0)
			return -1;
		length += (size_t)n;
		if (lf == NULL && first != NULL &&
		    (line[0] == '\0' || strchr(first, line[0]) == NULL))
			lf = line + length;
	}
	if (lf > line && lf[-1] == '\r')
		lf--;
	*lf = '\0';
	if (strlen(line) != (size_t)(lf - line))
		return err_set(
		    d->e, ERR_PROTOCOL, "the server's answer has a NUL byte");
	return 0;
}

/* Receives the answer to a command, to its last line. */
static int
receive_reply(
    struct dialogue *d, const struct protocol *p, const struct turn *turn)
{
	const char *to =
	    turn->command != NULL ? turn->command : "the connection";
	const char *first;
	char line[MAX_LINE], code[4] = "";
	enum reply reply;
	int lines;

	for (lines = 0; lines < MAX_LINES; lines++) {
		first = lines > 0 && p->has_free_lines ? NULL : p->first;
		if (receive_line(d, first, line) < 0)
			return -1;
		reply = p->classify(line, turn->good);
		/* Only a line with the code of the first ends it (RFC 959). */
		if (lines > 0 && p->has_free_lines &&
		    (reply == REPLY_MALFORMED || strncmp(line, code, 3) != 0))
			continue;
		snprintf(code, sizeof(code), "%.3s", line);
		switch (reply) {
		case REPLY_MORE:
			break;
		case REPLY_GOOD:
			return 0;
		case REPLY_DECLINED:
			return err_set(d->e, ERR_PEER,
			    "the server declined (%s): %s", to,
			    text_shown(line));
		default:
			return err_set(d->e, ERR_PROTOCOL,
			    "the server does not speak the protocol: it "
			    "answers %s with '%s'",
			    to, text_shown(line));
		}
	}
	return err_set(d->e, ERR_PROTOCOL,
	    "the server's answer has more than %d lines", MAX_LINES);
}

static int
open_lines(struct dialogue *d, const struct protocol *p)
{
	const struct turn *turn;
	const char *text;

	for (turn = p->turns; turn->good != NULL; turn++) {
		text = turn->command == NULL
			   ? ""
			   : text_format("%s\r\n", turn->command);
		if (send_all(d, text, strlen(text)) < 0 ||
		    receive_reply(d, p, turn) < 0)
			return -1;
	}
	return 0;
}

/* SSLRequest: its length, and a number that is not a version. The answer is one
 * byte. */
static int
open_postgres(struct dialogue *d)
{
	static const unsigned char request[] = {0, 0, 0, 8, 4, 210, 22, 47};
	char reply;

	if (send_all(d, request, sizeof(request)) < 0 ||
	    receive_some(d, &reply, 1, 0) < 0)
		return -1;
	if (reply == 'N' || reply == 'E')
		return err_set(d->e, ERR_PEER,
		    "the server declined (SSLRequest): %c", reply);
	if (reply != 'S')
		return err_set(d->e, ERR_PROTOCOL,
		    "the server does not speak the protocol: it answers "
		    "SSLRequest with '%s'",
		    text_shown_bytes(&reply, 1));
	return 0;
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
	struct dialogue d = {l, until, e};
	const char *name = starttls_names[protocol - 1];
	int64_t start = clock_now();
	struct wait_reason reason;
	uint64_t extra;
	struct json *j;
	int result;

	wait_begin(&reason, wait_text, (void *)(uintptr_t)name);
	result = protocol == STARTTLS_POSTGRES
		     ? open_postgres(&d)
		     : open_lines(&d, &protocols[protocol]);
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
	l->sent = l->received = 0;
	start = clock_now() - start;
	j = diag_event_begin("starttls");
	json_text(j, "protocol", name);
	json_seconds(j, "seconds", (double)start / 1e9);
	diag_event_end(DIAG_NOTE, "the server agrees to TLS (%s) in %s", name,
	    num_duration_text(start));
	return 0;
}
