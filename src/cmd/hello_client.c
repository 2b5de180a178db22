/* One client of serve-hello: what its line and HTTP protocols share. */
#include "cmd/hello_client.h"

#include "base/diag.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/server.h"

/* How much of a message or a request is shown. */
#define SHOWN 512

/* Apart for its frame: see net/conn_event.c. */
__attribute__((noinline)) static void
tell(const struct client *c, const char *event, const void *bytes, size_t n,
    int level)
{
	char remote[ADDR_TEXT], shown[SHOWN];
	struct json j;

	diag_event_begin(&j, event);
	addr_json(&c->conn->remote, &j, "remote");
	json_number(&j, "bytes", (int64_t)n);
	json_bytes(&j, "text", bytes, n);
	diag_event_end(&j, level, "%s says: %s",
	    addr_format(&c->conn->remote, remote, sizeof(remote)),
	    text_escape(shown, sizeof(shown), bytes, n));
}

void
hello_client_tell(const struct client *c, const char *event, const void *bytes,
    size_t n, int level)
{
	if (diag_tells(level))
		tell(c, event, bytes, n, level);
}

ssize_t
hello_client_answer(const struct client *c, const void *message, size_t n,
    unsigned char *answer, size_t size)
{
	char ip[ADDR_TEXT];
	struct template_values v = {.message = message,
	    .length = n,
	    .ip = ip,
	    .port = addr_port(&c->conn->remote),
	    .number = c->answered + 1};

	ip[0] = '\0';
	if (c->server->reply.uses_ip)
		addr_format_ip(&c->conn->remote, ip, sizeof(ip));
	return template_fill(&c->server->reply, &v, answer, size);
}

int
hello_client_delay(struct client *c)
{
	if (c->server->o->delay_ms <= 0)
		return 0;
	return session_pause(&c->s, c->server->o->delay_ms);
}
