/* Option groups that several commands share. */
#include "cmd/options.h"

#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/proc.h"
#include "tls/tls.h"
#include "dial/connector.h"
#include "serve/server.h"

/* The default of --max-conns. */
#define MAX_CONNS 256

struct options options = {
    .time = {-1, -1, -1, -1, -1},
    .sock = SOCK_OPTIONS_INIT,
    .server = {.max_conns = MAX_CONNS, .backlog = -1, .accept_ms = -1},
    .bind = {.mode = -1},
};

static int
parse_source(void *field, const char *arg, struct err *e)
{
	struct addr a;
	const char *shown = text_shown(arg);

	if (!addr_parse_ip(&a, arg, 0))
		return addr_interface_missing(arg, e)
			   ? -1
			   : err_set(e, ERR_USAGE,
				 "'%s' is not a numeric IPv4 or IPv6 address",
				 shown);
	if (addr_lacks_scope(&a))
		return err_set(e, ERR_USAGE,
		    "%s is a link-local address, which needs its interface: "
		    "%s%%eth0, for example",
		    shown, shown);
	*(struct addr *)field = a;
	return 0;
}

const struct opt options_report[] = {
    COUNT('v', "verbose", options.report, level,
	"report milestones; twice (-vv): every socket call",
	.excludes = "quiet", .max = 2),
    FLAG('q', "quiet", options.report, level, "report errors only",
	.value = DIAG_ERRORS),
    FLAG(0, "json", options.report, json, "report events as JSON Lines"),
    FLAG(0, "log-time", options.report, log_time,
	"put the time of day (UTC) before each line", .excludes = "json"),
    {.kind = OPT_END},
};

const struct opt options_names[] = {
    FLAG('4', "ipv4", options.names, family, "use IPv4 only", .value = AF_INET,
	.excludes = "ipv6"),
    FLAG(
	'6', "ipv6", options.names, family, "use IPv6 only", .value = AF_INET6),
    FLAG('n', "numeric", options.names, numeric,
	"accept numeric addresses only; look nothing up"),
    {.kind = OPT_END},
};

const struct opt options_source[] = {
    CALL('s', "source", "ADDR", options.source, source,
	"send from this local address", .call = parse_source),
    NUMBER('p', "source-port", "PORT", options.source, port,
	"send from this local port", .min = 1, .max = 65535),
    {.kind = OPT_END},
};

const struct opt options_keepalive[] = {
    FLAG(0, "keepalive", options.sock, keepalive,
	"probe an idle connection (SO_KEEPALIVE)"),
    {.kind = OPT_END},
};

const struct opt options_socket[] = {
    NUMBER(0, "tos", "N", options.sock, tos,
	"type of service, or traffic class, of packets", .max = 255),
    NUMBER(0, "ttl", "N", options.sock, ttl,
	"time to live, or hop limit, of packets", .min = 1, .max = 255),
    SIZE(0, "rcvbuf", "SIZE", options.sock, rcvbuf,
	"size of the receive buffer (SO_RCVBUF)", .min = 1, .max = INT32_MAX),
    SIZE(0, "sndbuf", "SIZE", options.sock, sndbuf,
	"size of the send buffer (SO_SNDBUF)", .min = 1, .max = INT32_MAX),
    {.kind = OPT_END},
};

const struct opt options_server[] = {
    NUMBER(0, "max-conns", "N", options.server, max_conns,
	"serve at most N connections at once; others wait", .min = 1,
	.max = 1000000),
    NUMBER(0, "max-per-host", "N", options.server, max_per_host,
	"serve at most N connections per address; close others", .min = 1,
	.max = 1000000),
    NUMBER(0, "backlog", "N", options.server, backlog,
	"let at most N connections wait in the kernel (default: the system's "
	"maximum)",
	.min = 0, .max = INT32_MAX),
    DURATION(0, "accept-timeout", "T", options.server, accept_ms,
	"stop when no connection arrives for T", .min = 1),
    {.kind = OPT_END},
};

void
options_make_server(
    struct server_options *s, const struct access *access, int log_level)
{
	memset(s, 0, sizeof(*s));
	s->max_conns = options.server.max_conns;
	s->max_per_host = options.server.max_per_host;
	s->accept_ms = options.server.accept_ms;
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

const struct opt options_proxy[] = {
    CALL(0, "proxy", "URL", options, proxy,
	"connect through a proxy: socks5://HOST:PORT; or socks4:// or http://, "
	"with [USER:PASS@]; the proxy resolves the name",
	.call = parse_proxy),
    {.kind = OPT_END},
};

const struct opt options_via[] = {
    STRING(0, "via", "CMD", options.transport, via,
	"the connection is the stdin and stdout of CMD, run with sh -c; %h "
	"and %p are the host and the port"),
    {.kind = OPT_END},
};

/* OPTIONS_TLS_TRUST starts after the first row. */
const struct opt options_tls[] = {
    FLAG(0, "tls", options.transport, tls,
	"use TLS; the server's certificate is verified"),
    FILENAME(0, "tls-ca", "FILE|DIR", options.transport, tls_ca,
	"trust only the certificates in FILE, or in DIR (see openssl-rehash)",
	.excludes = "tls-insecure"),
    STRING(0, "tls-name", "NAME", options.transport, tls_name,
	"the certificate must be for NAME instead of the host",
	.excludes = "tls-insecure"),
    FLAG(0, "tls-insecure", options.transport, tls_insecure,
	"do not verify the certificate"),
    {.kind = OPT_END},
};

const struct opt options_tls_local[] = {
    FILENAME(0, "tls-cert", "FILE", options.local, certificate,
	"the local certificate for TLS, with those of its authorities (PEM)"),
    FILENAME(0, "tls-key", "FILE", options.local, key,
	"its private key (default: in the file of --tls-cert)"),
    {.kind = OPT_END},
};

const struct opt options_tls_clients[] = {
    FILENAME(0, "tls-client-ca", "FILE|DIR", options.local, client_ca,
	"demand a certificate from each client, and trust those in FILE or "
	"DIR"),
    {.kind = OPT_END},
};

const struct opt options_tls_alpn[] = {
    STRING(0, "tls-alpn", "NAMES", options.transport, tls_alpn,
	"protocols to offer in the handshake, with commas between them"),
    {.kind = OPT_END},
};

/* Rejects the options of table if they were given with --via. */
static int
check_via(const struct opt *table, const struct opt *const *used, struct err *e)
{
	const struct opt *o = opt_find_used(used, table);

	if (o == NULL)
		return 0;
	return err_set(e, ERR_USAGE,
	    "--%s does not apply with --via: its program makes the connection",
	    o->name);
}

int
options_make_transport(struct connector_options *c, bool is_client,
    const struct opt *const *used, struct err *e)
{
	static const struct opt *const tables[] = {options_names,
	    options_source, options_proxy, options_keepalive, options_socket};
	const struct options *o = &options;
	const struct opt *tls = opt_find_used(used, OPTIONS_TLS_TRUST);
	size_t i;

	for (i = 0; is_client && o->transport.via != NULL &&
		    i < sizeof(tables) / sizeof(tables[0]);
	     i++)
		if (check_via(tables[i], used, e) < 0)
			return -1;
	if (tls == NULL && is_client)
		tls = opt_find_used(used, options_tls_local);
	if (tls == NULL)
		tls = opt_find_used(used, options_tls_alpn);
	if (!o->transport.tls && tls != NULL)
		return err_set(e, ERR_USAGE, "--%s goes with --tls", tls->name);
	if (is_client && o->local.key != NULL && o->local.certificate == NULL)
		return err_set(e, ERR_USAGE, "--tls-key goes with --tls-cert");
	if (o->transport.via != NULL &&
	    proc_check_command(o->transport.via, e) < 0)
		return err_lead(e, "--via: ");
	c->via = o->transport.via;
	c->tls = (struct tls_options){.is_on = o->transport.tls != 0,
	    .ca = o->transport.tls_ca,
	    .name = o->transport.tls_name,
	    .is_insecure = o->transport.tls_insecure != 0,
	    .alpn = o->transport.tls_alpn};
	if (is_client) {
		c->tls.certificate = o->local.certificate;
		c->tls.key = o->local.key;
	}
	return 0;
}

int
options_make_clients(struct tls_options *t, struct err *e)
{
	*t = (struct tls_options){.is_on = options.local.certificate != NULL,
	    .is_server = true,
	    .ca = options.local.client_ca,
	    .certificate = options.local.certificate,
	    .key = options.local.key};
	if (!t->is_on && (t->key != NULL || t->ca != NULL))
		return err_set(e, ERR_USAGE, "--tls-%s goes with --tls-cert",
		    t->key != NULL ? "key" : "client-ca");
	return t->is_on ? tls_check(t, e) : 0;
}

/* The values of access rows. */
enum { ACCESS_DENY, ACCESS_ALLOW };

const struct opt options_access[] = {
    LIST(0, "allow", "CIDR", options, access,
	"accept these clients: an address, NETWORK/BITS, several with commas, "
	"or @FILE; the first rule that matches wins",
	.value = ACCESS_ALLOW),
    LIST(0, "deny", "CIDR", options, access,
	"reject these clients, given as for --allow", .value = ACCESS_DENY),
    {.kind = OPT_END},
};

int
options_make_access(struct access *a, struct deadline until, struct err *e)
{
	const struct opt_list *rules = &options.access;
	bool allow;
	size_t i;

	for (i = 0; i < rules->count; i++) {
		allow = rules->values[i] == ACCESS_ALLOW;
		if (access_add(a, allow, rules->items[i], until, e) < 0)
			return err_prefix(
			    e, "%s", allow ? "--allow" : "--deny");
	}
	return 0;
}

static int
parse_mode(void *field, const char *arg, struct err *e)
{
	int *mode = field;
	size_t n = strlen(arg);

	if (n == 0 || n > 4 || strspn(arg, "01234567") != n ||
	    (n == 4 && arg[0] != '0'))
		return err_set(e, ERR_USAGE,
		    "expected permissions in octal, from 0 to 777");
	for (*mode = 0; *arg != '\0'; arg++)
		*mode = *mode * 8 + (*arg - '0');
	return 0;
}

const struct opt options_bind[] = {
    STRING(0, "fd", "N|systemd", options.bind, fd,
	"use the inherited socket N, or those that systemd passes",
	.excludes = "ipv4 ipv6 numeric backlog keepalive tos ttl "
		    "rcvbuf sndbuf mode"),
    CALL(0, "mode", "OCTAL", options.bind, mode,
	"permissions of the unix socket's path", .call = parse_mode),
    {.kind = OPT_END},
};

/* Options that have no meaning for a kind of endpoint. */
static const struct {
	enum options_endpoint endpoint;
	const char *names, *unless; /* unless another option gives it one */
	const char *why;
} pointless[] = {
    {OPTIONS_UNIX, "allow deny max-per-host", NULL,
	"is for IP addresses: the permissions of a unix socket's path say who "
	"may connect (--mode)"},
    {OPTIONS_UNIX, "ipv4 ipv6 source source-port keepalive tos ttl join", "to",
	"does not apply to a unix socket"},
    {OPTIONS_CONNECTION, "keep-open max-conns max-per-host accept-timeout",
	NULL,
	"is for a listening socket: --fd is a connection, which is served "
	"alone"},
};

/* Returns the first option of the list that was given, or NULL. */
static const struct opt *
find_listed(const struct opt *const *used, const char *list)
{
	while (*used != NULL && !opt_is_listed(list, (*used)->name))
		used++;
	return *used;
}

int
options_check_endpoint(const struct opt *const *used,
    enum options_endpoint endpoint, struct err *e)
{
	const struct opt *o;
	size_t i;

	for (i = 0; i < sizeof(pointless) / sizeof(pointless[0]); i++) {
		if (pointless[i].endpoint != endpoint ||
		    find_listed(used, pointless[i].unless) != NULL)
			continue;
		o = find_listed(used, pointless[i].names);
		if (o != NULL)
			return err_set(
			    e, ERR_USAGE, "--%s %s", o->name, pointless[i].why);
	}
	return 0;
}

int
options_parse_local(struct endpoint *ep, const struct command_args *args,
    const char *protocol, int port, struct err *e)
{
	if (options.bind.fd != NULL)
		return args->count == 0
			   ? 0
			   : err_set(e, ERR_USAGE,
				 "unexpected operand: with --fd the address is "
				 "that of the inherited socket");
	if (args->count == 0 && port < 0)
		return err_set(e, ERR_USAGE,
		    "missing operand: expected [ADDR] PORT, or --fd");
	if (endpoint_parse_local(ep, args->operands, args->count, protocol,
		(uint16_t)port, e) < 0)
		return -1;
	if (options.bind.mode >= 0 &&
	    !(ep->is_unix && addr_has_path(&ep->unix_addr)))
		return err_set(e, ERR_USAGE,
		    "--mode is for the path of a unix socket: unix:PATH");
	return ep->is_unix ? options_check_endpoint(args->used, OPTIONS_UNIX, e)
			   : 0;
}

int
options_check_inherited(
    struct listener *l, const struct opt *const *used, struct err *e)
{
	if ((!l->is_connection ||
		options_check_endpoint(used, OPTIONS_CONNECTION, e) == 0) &&
	    (!addr_is_unix(&l->addrs[0]) ||
		options_check_endpoint(used, OPTIONS_UNIX, e) == 0))
		return 0;
	listener_close(l);
	return -1;
}

void
options_make_listener(struct listener_options *l, int type)
{
	*l = (struct listener_options){.names = options.names,
	    .until = deadline_none(),
	    .type = type,
	    .backlog = options.server.backlog,
	    .sock = options.sock,
	    .mode = options.bind.mode,
	    .fd = options.bind.fd};
}

void
options_make_dial(struct dial_options *d)
{
	*d = (struct dial_options){.names = options.names,
	    .type = SOCK_STREAM,
	    .source = options.source.source,
	    .source_port = (uint16_t)options.source.port,
	    .sock = options.sock};
}

static struct limit
limit_of(int64_t ms, const char *option)
{
	return ms >= 0 ? (struct limit){ms, option}
		       : (struct limit){options.time.timeout_ms, "--timeout"};
}

struct limit
options_connect_limit(void)
{
	return limit_of(options.time.connect_ms, "--connect-timeout");
}

struct limit
options_idle_limit(void)
{
	return limit_of(options.time.idle_ms, "--idle-timeout");
}
