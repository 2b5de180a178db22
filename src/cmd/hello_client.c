/* One client of serve-hello: its log, its replies, and HTTP. */
#include "cmd/hello_client.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "http/http_server.h"
#include "serve/message.h"

void
hello_client_log(
    const struct hello_client *c, const char *name, const void *bytes, size_t n)
{
	struct conn_message m = {.bytes = bytes, .length = n, .sent = n};

	conn_event_message(DIAG_SAY, name, c->conn, &m);
}

ssize_t
hello_client_reply(const struct hello_client *c, const struct message *m,
    unsigned char *reply, size_t size)
{
	char ip[ADDR_TEXT];
	struct template_values v = {.message = m->bytes,
	    .length = m->length,
	    .ip = ip,
	    .port = addr_port(&c->conn->remote),
	    .number = (uint64_t)c->answered + 1};
	ssize_t n;

	ip[0] = '\0';
	if (c->server->reply.uses_ip)
		addr_format_ip(&c->conn->remote, ip, sizeof(ip));
	n = template_fill(&c->server->reply, &v, reply, size - m->newline);
	if (n < 0)
		return -1;
	memcpy(reply + n, m->bytes + m->length, m->newline);
	return n + (ssize_t)m->newline;
}

int
hello_client_delay(struct hello_client *c)
{
	if (c->server->o->delay_ms <= 0)
		return 0;
	return session_pause(&c->session, c->server->o->delay_ms);
}

/* Whether bytes start a TLS handshake (RFC 8446 section 5.1). */
static bool
is_tls(const char *bytes, size_t n)
{
	return n >= 2 && bytes[0] == 0x16 && bytes[1] == 3;
}

/* Receives the head of a request. Returns its length; 0 if the client sent
 * nothing; or -1. */
static ssize_t
read_head(struct hello_client *c, char *head, size_t size, int *code)
{
	size_t used = 0, length;
	ssize_t n;

	*code = 200;
	while ((length = http_server_head_length(head, used)) == 0) {
		if (used == size) {
			*code = 431;
			return (ssize_t)used;
		}
		if (is_tls(head, used)) {
			*code = 400;
			return (ssize_t)used;
		}
		n = session_receive(&c->session, head + used, size - used);
		if (n < 0 && c->session.e.kind == ERR_TIMEOUT && used > 0)
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
respond(struct hello_client *c, const struct http_server *r, int code)
{
	unsigned char text[HTTP_SERVER_TEXT + HTTP_SERVER_HEAD * 4];
	unsigned char *body = text + HTTP_SERVER_TEXT, *start;
	struct message target = {
	    (const unsigned char *)r->target, r->target_length, 0};
	char head[HTTP_SERVER_TEXT];
	size_t head_length, n;
	ssize_t made;

	made = code != 200 ? snprintf((char *)body, HTTP_SERVER_TEXT, "%s\n",
				 http_server_phrase(code))
			   : hello_client_reply(c, &target, body,
				 sizeof(text) - HTTP_SERVER_TEXT);
	if (made < 0)
		return err_set(&c->session.e, ERR_FAILED,
		    "the answer by --reply is too long");
	head_length = http_server_make_head(head, code, (size_t)made);
	start = body - head_length;
	memcpy(start, head, head_length);
	n = head_length + (r->is_head ? 0 : (size_t)made);
	return session_send(&c->session, start, n);
}

/* Logs the request line; the whole head at -v. */
static void
log_request(const struct hello_client *c, const char *head, size_t n)
{
	size_t line = 0;

	while (line < n && head[line] != '\r' && head[line] != '\n')
		line++;
	if (diag_shows(DIAG_NOTE))
		line = n;
	hello_client_log(c, "request", head, line);
}

int
hello_client_serve_http(struct hello_client *c, int64_t limit_ms)
{
	char head[HTTP_SERVER_HEAD];
	struct http_server r = {0};
	ssize_t n;
	int code;

	session_phase(&c->session, limit_ms, "no complete request");
	n = read_head(c, head, sizeof(head), &code);
	if (n <= 0)
		return (int)n;
	log_request(c, head, (size_t)n);
	if (code == 200)
		code = http_server_parse(&r, head, (size_t)n);
	if (hello_client_delay(c) < 0)
		return -1;
	session_phase(
	    &c->session, limit_ms, "the client did not read the response");
	if (respond(c, &r, code) < 0)
		return -1;
	if (code == 200)
		return 0;
	return err_set(&c->session.e, ERR_PROTOCOL, "answered %d %s%s", code,
	    http_server_phrase(code),
	    is_tls(head, (size_t)n) ? ": the client speaks TLS (https), which "
				      "is not supported"
				    : "");
}
