/* Option groups that several commands share. */
#include "cmd/common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "net/access.h"
#include "dial/dial.h"
#include "serve/server.h"

static int
parse_source(void *field, const char *arg, struct err *e)
{
	char shown[128];
	struct addr a;

	text_escape_string(shown, sizeof(shown), arg);
	if (!addr_parse_ip(&a, arg, 0))
		return err_set(e, ERR_USAGE,
		    "'%s' is not a numeric IPv4 or IPv6 address", shown);
	if (addr_lacks_scope(&a))
		return err_set(e, ERR_USAGE,
		    "%s is a link-local address, which needs its interface: "
		    "%s%%eth0, for example",
		    shown, shown);
	*(struct addr *)field = a;
	return 0;
}

const struct opt common_report_opts[] = {
    {.kind = OPT_COUNT,
	.letter = 'v',
	.name = "verbose",
	.help = "tell milestones; twice: every socket step",
	.offset = offsetof(struct report_options, level),
	.excludes = "quiet"},
    {.kind = OPT_FLAG,
	.letter = 'q',
	.name = "quiet",
	.help = "tell errors only",
	.offset = offsetof(struct report_options, level),
	.value = DIAG_ERRORS},
    {.kind = OPT_FLAG,
	.name = "json",
	.help = "tell events as JSON Lines",
	.offset = offsetof(struct report_options, json),
	.value = 1},
    {.kind = OPT_END}};

const struct opt common_family_opts[] = {
    {.kind = OPT_FLAG,
	.letter = '4',
	.name = "ipv4",
	.help = "use IPv4 only",
	.offset = offsetof(struct family_options, family),
	.value = AF_INET,
	.excludes = "ipv6"},
    {.kind = OPT_FLAG,
	.letter = '6',
	.name = "ipv6",
	.help = "use IPv6 only",
	.offset = offsetof(struct family_options, family),
	.value = AF_INET6},
    {.kind = OPT_FLAG,
	.letter = 'n',
	.name = "numeric",
	.help = "addresses are numbers: no name look-ups",
	.offset = offsetof(struct family_options, numeric),
	.value = 1},
    {.kind = OPT_END}};

const struct opt common_source_opts[] = {
    {.kind = OPT_CALL,
	.letter = 's',
	.name = "source",
	.arg = "ADDR",
	.help = "own address to send from",
	.offset = offsetof(struct source_options, source),
	.call = parse_source},
    {.kind = OPT_NUMBER,
	.letter = 'p',
	.name = "source-port",
	.arg = "PORT",
	.help = "own port to send from",
	.offset = offsetof(struct source_options, port),
	.min = 1,
	.max = 65535},
    {.kind = OPT_END}};

const struct opt common_timeout_opts[] = {
    {.kind = OPT_DURATION,
	.letter = 'w',
	.name = "timeout",
	.arg = "T",
	.help = "wait so long for the other side's first sign",
	.offset = offsetof(struct time_options, timeout_ms),
	.min = 1},
    {.kind = OPT_END}};

const struct opt common_idle_opts[] = {
    {.kind = OPT_DURATION,
	.name = "idle-timeout",
	.arg = "T",
	.help = "give up when no byte moves for so long",
	.offset = offsetof(struct time_options, idle_ms),
	.min = 1},
    {.kind = OPT_END}};

const struct opt common_max_opts[] = {
    {.kind = OPT_DURATION,
	.letter = 'm',
	.name = "max-time",
	.arg = "T",
	.help = "give up when the whole run takes longer",
	.offset = offsetof(struct time_options, max_ms),
	.min = 1},
    {.kind = OPT_END}};

const struct opt common_retry_opts[] = {
    {.kind = OPT_DURATION,
	.name = "retry-for",
	.arg = "T",
	.help = "keep trying until it opens or T has passed",
	.offset = offsetof(struct time_options, retry_ms),
	.min = 1},
    {.kind = OPT_END}};

/* COMMON_DGRAM_OPTS begins behind TCP's two rows. */
const struct opt common_socket_opts[] = {
    {.kind = OPT_FLAG,
	.name = "keepalive",
	.help = "probe an idle connection (SO_KEEPALIVE)",
	.offset = offsetof(struct sock_options, keepalive),
	.value = 1},
    {.kind = OPT_FLAG,
	.name = "nodelay",
	.help = "send small pieces at once (TCP_NODELAY)",
	.offset = offsetof(struct sock_options, nodelay),
	.value = 1},
    {.kind = OPT_NUMBER,
	.name = "tos",
	.arg = "N",
	.help = "type of service, or traffic class",
	.offset = offsetof(struct sock_options, tos),
	.max = 255},
    {.kind = OPT_NUMBER,
	.name = "ttl",
	.arg = "N",
	.help = "time to live, or hop limit",
	.offset = offsetof(struct sock_options, ttl),
	.min = 1,
	.max = 255},
    {.kind = OPT_SIZE,
	.name = "rcvbuf",
	.arg = "SIZE",
	.help = "size of the receive buffer (SO_RCVBUF)",
	.offset = offsetof(struct sock_options, rcvbuf),
	.min = 1,
	.max = INT32_MAX},
    {.kind = OPT_SIZE,
	.name = "sndbuf",
	.arg = "SIZE",
	.help = "size of the send buffer (SO_SNDBUF)",
	.offset = offsetof(struct sock_options, sndbuf),
	.min = 1,
	.max = INT32_MAX},
    {.kind = OPT_END}};

const struct opt common_server_opts[] = {
    {.kind = OPT_NUMBER,
	.name = "max-conns",
	.arg = "N",
	.help = "serve so many at once; the next ones wait (256)",
	.offset = offsetof(struct common_server_options, max_conns),
	.min = 1,
	.max = 1000000},
    {.kind = OPT_NUMBER,
	.name = "max-per-host",
	.arg = "N",
	.help = "serve so many of one address at once; others are closed",
	.offset = offsetof(struct common_server_options, max_per_host),
	.min = 1,
	.max = 1000000},
    {.kind = OPT_NUMBER,
	.name = "backlog",
	.arg = "N",
	.help = "connections that the kernel keeps waiting (its maximum)",
	.offset = offsetof(struct common_server_options, backlog),
	.min = 0,
	.max = INT32_MAX},
    {.kind = OPT_DURATION,
	.name = "accept-timeout",
	.arg = "T",
	.help = "give up when no connection comes for so long",
	.offset = offsetof(struct common_server_options, accept_ms),
	.min = 1},
    {.kind = OPT_END}};

void
common_server_setup(struct server_options *s,
    const struct common_server_options *o, const struct access *access,
    int log_level)
{
	memset(s, 0, sizeof(*s));
	s->max_conns = o->max_conns;
	s->max_per_host = o->max_per_host;
	s->accept_ms = o->accept_ms;
	s->program_ms = -1;
	s->until = deadline_none();
	s->log_level = log_level;
	s->access = access;
}

static int
parse_proxy(void *field, const char *arg, struct err *e)
{
	return proxy_parse(field, arg, e);
}

const struct opt common_proxy_opts[] = {
    {.kind = OPT_CALL,
	.name = "proxy",
	.arg = "URL",
	.help = "go by way of a proxy: socks5://, socks4:// or http://, "
		"[USER:PASS@]HOST[:PORT]; it resolves the name",
	.offset = offsetof(struct proxy_options, proxy),
	.call = parse_proxy},
    {.kind = OPT_END}};

/* What an access row's value stands for. */
enum { ACCESS_DENY, ACCESS_ALLOW };

const struct opt common_access_opts[] = {
    {.kind = OPT_LIST,
	.name = "allow",
	.arg = "CIDR",
	.help = "let these in: address, network/bits, several by commas, or "
		"@FILE; the first rule that matches wins",
	.offset = offsetof(struct access_options, rules),
	.value = ACCESS_ALLOW},
    {.kind = OPT_LIST,
	.name = "deny",
	.arg = "CIDR",
	.help = "turn these away, in the same manner",
	.offset = offsetof(struct access_options, rules),
	.value = ACCESS_DENY},
    {.kind = OPT_END}};

int
common_access(struct access *a, const struct access_options *o, struct err *e)
{
	bool allow;
	size_t i;

	for (i = 0; i < o->rules.count; i++) {
		allow = o->rules.values[i] == ACCESS_ALLOW;
		if (access_add(a, allow, o->rules.items[i], e) < 0)
			return err_prefix(
			    e, "%s", allow ? "--allow" : "--deny");
	}
	return 0;
}

void
common_dial_options(struct dial_options *d, const struct family_options *family,
    const struct source_options *source, const struct sock_options *sock)
{
	memset(d, 0, sizeof(*d));
	d->family = family->family;
	d->numeric = family->numeric != 0;
	d->type = SOCK_STREAM;
	if (source != NULL) {
		d->source = source->source;
		d->source_port = (uint16_t)source->port;
	}
	d->sock = *sock;
}

int
common_flush(struct err *e)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "stdout");
}
