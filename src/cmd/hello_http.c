/* serve-hello --http: answers one HTTP request per connection. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "cmd/hello_client.h"
#include "http/http_server.h"

/* Reads a request's head: its length; 0, and nothing to answer; or -1. */
static ssize_t
read_head(struct client *c, char *head, size_t size, int *code)
{
	size_t used = 0, length;
	ssize_t n;

	*code = 200;
	while ((length = http_server_head_length(head, used)) == 0) {
		if (used == size) {
			*code = 431;
			return (ssize_t)used;
		}
		n = session_receive(&c->s, head + used, size - used);
		if (n < 0 && c->s.e.kind == ERR_TIMEOUT && used > 0)
			*code = 408;
		else if (n == 0 && used > 0)
			*code = 400;
		else if (n <= 0)
			return n;
		if (n <= 0)
			return (ssize_t)used;
		used += (size_t)n;
	}
	return (ssize_t)length;
}

/* Sends head and body in one piece. */
static int
respond(struct client *c, const struct http_server *r, int code)
{
	unsigned char text[HTTP_SERVER_TEXT + HTTP_SERVER_HEAD * 4];
	unsigned char *body = text + HTTP_SERVER_TEXT, *start;
	const char *phrase = http_server_phrase(code);
	char head[HTTP_SERVER_TEXT];
	size_t head_length, n;
	ssize_t made;

	made = code != 200
		   ? snprintf((char *)body, HTTP_SERVER_TEXT, "%s\n", phrase)
		   : hello_client_answer(c, r->target, r->target_length, body,
			 sizeof(text) - HTTP_SERVER_TEXT);
	if (made < 0)
		return err_set(
		    &c->s.e, ERR_FAILED, "the answer by --reply is too long");
	head_length = http_server_make_head(head, code, (size_t)made);
	start = body - head_length;
	memcpy(start, head, head_length);
	n = head_length + (r->is_head ? 0 : (size_t)made);
	return session_send(&c->s, start, n);
}

/* Tells who asked for what; the whole head at -v. */
static void
tell_request(const struct client *c, const char *head, size_t n)
{
	size_t line = 0;

	while (line < n && head[line] != '\r' && head[line] != '\n')
		line++;
	if (diag_shows(DIAG_NOTE))
		line = n;
	hello_client_tell(c, "request", head, line, DIAG_SAY);
}

int
hello_http_serve(struct client *c, int64_t limit_ms)
{
	char head[HTTP_SERVER_HEAD];
	struct http_server r = {0};
	ssize_t n;
	int code;

	session_phase(
	    &c->s, limit_ms, "the request's head took too long to come");
	n = read_head(c, head, sizeof(head), &code);
	if (n <= 0)
		return (int)n;
	tell_request(c, head, (size_t)n);
	if (code == 200)
		code = http_server_parse(&r, head, (size_t)n);
	if (hello_client_delay(c) < 0)
		return -1;
	session_phase(&c->s, limit_ms, "the answer took too long to be taken");
	if (respond(c, &r, code) < 0)
		return -1;
	if (code == 200)
		return 0;
	return err_set(&c->s.e, ERR_PROTOCOL, "answered %d %s", code,
	    http_server_phrase(code));
}
