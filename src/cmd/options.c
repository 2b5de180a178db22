/* Option groups that several commands share. */
#include "cmd/options.h"

#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "dial/proxy.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "tls/tls.h"

/* The default of --max-conns. */
#define MAX_CONNS 256

struct options options = {
    .sock = {.tos = -1, .ttl = -1, .rcvbuf = -1, .sndbuf = -1},
    .time = {-1, -1, -1, -1, -1},
    .connector = {.dial = {&options.names, &options.sock, NULL},
	.timeout = LIMIT_NONE,
	.retry_ms = -1},
    .listener = {.names = &options.names,
	.sock = &options.sock,
	.until = {.at_ns = INT64_MAX},
	.type = SOCK_STREAM,
	.backlog = -1,
	.mode = -1},
    .server = {.max_conns = MAX_CONNS,
	.accept_ms = -1,
	.program_ms = -1,
	.until = {.at_ns = INT64_MAX}},
    .clients = {.is_server = true},
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
    CALL('s', "source", "ADDR", options.sock, source,
	"send from this local address", .call = parse_source),
    NUMBER('p', "source-port", "PORT", options.sock, source_port,
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
    NUMBER(0, "backlog", "N", options.listener, backlog,
	"let at most N connections wait in the kernel (default: the system's "
	"maximum)",
	.min = 0, .max = INT32_MAX),
    DURATION(0, "accept-timeout", "T", options.server, accept_ms,
	"stop when no connection arrives for T", .min = 1),
    {.kind = OPT_END},
};

static int
parse_proxy(void *field, const char *arg, struct err *e)
{
	static struct proxy proxy;

	*(const struct proxy **)field = &proxy;
	return proxy_parse(&proxy, arg, e);
}

const struct opt options_proxy[] = {
    CALL(0, "proxy", "URL", options.connector, proxy,
	"connect through a proxy: socks5://HOST:PORT; or socks4:// or http://, "
	"with [USER:PASS@]; the proxy resolves the name",
	.call = parse_proxy),
    {.kind = OPT_END},
};

const struct opt options_via[] = {
    STRING(0, "via", "CMD", options.connector, via,
	"the connection is the stdin and stdout of CMD, run with sh -c; %h "
	"and %p are the host and the port"),
    {.kind = OPT_END},
};

/* OPTIONS_TLS_TRUST starts after the first row. */
const struct opt options_tls[] = {
    FLAG(0, "tls", options.connector.tls, is_on,
	"use TLS; the server's certificate is verified"),
    FILENAME(0, "tls-ca", "FILE|DIR", options.connector.tls, ca,
	"trust only the certificates in FILE, or in DIR (see openssl-rehash)",
	.excludes = "tls-insecure"),
    STRING(0, "tls-name", "NAME", options.connector.tls, name,
	"the certificate must be for NAME instead of the host",
	.excludes = "tls-insecure"),
    FLAG(0, "tls-insecure", options.connector.tls, is_insecure,
	"do not verify the certificate"),
    {.kind = OPT_END},
};

const struct opt options_tls_local[] = {
    FILENAME(0, "tls-cert", "FILE", options.clients, certificate,
	"the local certificate for TLS, with those of its authorities (PEM)"),
    FILENAME(0, "tls-key", "FILE", options.clients, key,
	"its private key (default: in the file of --tls-cert)"),
    {.kind = OPT_END},
};

const struct opt options_tls_clients[] = {
    FILENAME(0, "tls-client-ca", "FILE|DIR", options.clients, ca,
	"demand a certificate from each client, and trust those in FILE or "
	"DIR"),
    {.kind = OPT_END},
};

const struct opt options_tls_alpn[] = {
    STRING(0, "tls-alpn", "NAMES", options.connector.tls, alpn,
	"protocols to offer in the handshake, with commas between them"),
    {.kind = OPT_END},
};

int
options_check_connector(
    bool is_client, const struct opt *const *used, struct err *e)
{
	struct connector_options *c = &options.connector;
	const struct tls_options *local = &options.clients;
	const struct opt *tls = opt_find_used(used, OPTIONS_TLS_TRUST);

	if (c->via != NULL &&
	    (options_check_endpoint(used, OPTIONS_VIA, e) < 0 ||
		(is_client &&
		    options_check_endpoint(used, OPTIONS_CLIENT_VIA, e) < 0)))
		return -1;
	if (tls == NULL && is_client)
		tls = opt_find_used(used, options_tls_local);
	if (tls == NULL)
		tls = opt_find_used(used, options_tls_alpn);
	if (!c->tls.is_on && tls != NULL)
		return err_set(e, ERR_USAGE, "--%s goes with --tls", tls->name);
	if (is_client) {
		c->tls.certificate = local->certificate;
		c->tls.key = local->key;
		if (local->key != NULL && local->certificate == NULL)
			return err_set(
			    e, ERR_USAGE, "--tls-key goes with --tls-cert");
	}
	if (c->via != NULL && proc_check_command(c->via, e) < 0)
		return err_lead(e, "--via: ");
	return 0;
}

int
options_check_clients(struct err *e)
{
	struct tls_options *t = &options.clients;

	t->is_on = t->certificate != NULL;
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
options_make_access(struct access *a, struct err *e)
{
	struct deadline until = deadline_max_time(options.time.max_ms);
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
    STRING(0, "fd", "N|systemd", options.listener, fd,
	"use the inherited socket N, or those that systemd passes",
	.excludes = "ipv4 ipv6 numeric backlog keepalive tos ttl "
		    "rcvbuf sndbuf mode"),
    CALL(0, "mode", "OCTAL", options.listener, mode,
	"permissions of the unix socket's path", .call = parse_mode),
    {.kind = OPT_END},
};

#define MADE_BY_PROGRAM \
	"does not apply with --via: its program makes the connection"

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
    {OPTIONS_VIA, "proxy", NULL, MADE_BY_PROGRAM},
    {OPTIONS_CLIENT_VIA,
	"ipv4 ipv6 numeric source source-port keepalive tos ttl rcvbuf sndbuf",
	NULL, MADE_BY_PROGRAM},
};

int
options_check_endpoint(const struct opt *const *used,
    enum options_endpoint endpoint, struct err *e)
{
	const struct opt *o;
	size_t i;

	for (i = 0; i < sizeof(pointless) / sizeof(pointless[0]); i++) {
		if (pointless[i].endpoint != endpoint ||
		    opt_find_listed(used, pointless[i].unless) != NULL)
			continue;
		o = opt_find_listed(used, pointless[i].names);
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
	if (options.listener.fd != NULL)
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
	if (options.listener.mode >= 0 &&
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
	listener_close(l, NULL);
	return -1;
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
