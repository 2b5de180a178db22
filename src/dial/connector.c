/* Reaches a peer: resolve, dial, proxy handshake, and retries of all three. */
#include "dial/connector.h"

#include <errno.h>
#include <string.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "net/endpoint.h"
#include "dial/proxy.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "dial/tunnel.h"
#include "net/wait.h"

/* Between tries: the first pause, the longest. */
#define PAUSE_MS 50
#define MAX_PAUSE_MS 1000
/* So many distinct causes are told once each. */
#define TOLD_MOST 8

int
connector_check(
    const struct endpoint *ep, const struct connector_options *o, struct err *e)
{
	char name[ENDPOINT_TEXT + 32];

	if (o->proxy == NULL)
		return resolve_check(ep, &o->dial.names, e);
	if (proxy_check(ep, e) < 0)
		return -1;
	if (resolve_check(&o->proxy->server, &o->dial.names, e) == 0)
		return 0;
	proxy_format(o->proxy, name, sizeof(name));
	return err_prefix(e, "reaching %s", name);
}

bool
connector_is_transient(const struct err *e)
{
	switch (e->kind) {
	case ERR_NAME:
	case ERR_REFUSED:
	case ERR_TIMEOUT:
	case ERR_UNREACHABLE:
	case ERR_LOST:
		return true;
	case ERR_PEER:
		/* What a proxy says of the target, see dial/tunnel.h. */
		return e->errnum != 0;
	default:
		return false;
	}
}

static int
try_once(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	const struct proxy *p = o->proxy;
	char name[ENDPOINT_TEXT + 32];
	int fd;

	until = deadline_first(until, deadline_after(o->timeout_ms));
	if (p == NULL)
		return dial_connect(ep, &o->dial, until, result, e);
	fd = dial_connect(&p->server, &o->dial, until, result, e);
	if (fd < 0) {
		proxy_format(p, name, sizeof(name));
		return err_prefix(e, "reaching %s", name);
	}
	if (tunnel_open(p, fd, ep, until, e) < 0)
		sock_close(&fd);
	return fd;
}

/* Causes of failed tries that were told. */
struct told {
	char texts[TOLD_MOST][ERR_TEXT];
	size_t count;
};

/* Tells why a try failed, unless that was told before. */
static void
tell_once(const struct err *e, struct told *told, int64_t retry_ms)
{
	char took[32];
	size_t i;

	for (i = 0; i < told->count; i++)
		if (strcmp(e->text, told->texts[i]) == 0)
			return;
	if (told->count < TOLD_MOST)
		strcpy(told->texts[told->count++], e->text);
	diag_warn("%s; trying again for %s", e->text,
	    num_format_duration(took, sizeof(took), clock_ns(retry_ms)));
}

/* A try that the end cuts off tells less than the one before it. */
static int
give_up(const struct connector_options *o, struct deadline until,
    const struct err *last, struct err *e)
{
	char took[32];

	if (e->kind == ERR_TIMEOUT && last->kind != ERR_NONE)
		*e = *last;
	e->kind = ERR_TIMEOUT;
	if (deadline_passed(until))
		return err_prefix(e, "gave up when --max-time had passed");
	num_format_duration(took, sizeof(took), clock_ns(o->retry_ms));
	return err_prefix(e, "gave up after %s (--retry-for)", took);
}

int
connector_open(const struct endpoint *ep, const struct connector_options *o,
    struct deadline until, struct dial_result *result, struct err *e)
{
	struct deadline end =
	    deadline_first(until, deadline_after(o->retry_ms));
	struct told told = {.count = 0};
	struct err last = ERR_INIT;
	struct backoff pause = {.min = PAUSE_MS, .max = MAX_PAUSE_MS};
	struct deadline next;
	int fd;

	if (o->retry_ms < 0)
		return try_once(ep, o, until, result, e);
	for (;;) {
		fd = try_once(ep, o, end, result, e);
		if (fd >= 0 || !connector_is_transient(e))
			return fd;
		if (deadline_passed(end))
			return give_up(o, until, &last, e);
		last = *e;
		tell_once(e, &told, o->retry_ms);
		next = deadline_after(backoff_next(&pause));
		if (wait_until(deadline_first(end, next)) < 0)
			return err_sys(e, ERR_FAILED, errno, "waiting");
		if (deadline_passed(end))
			return give_up(o, until, &last, e);
	}
}
