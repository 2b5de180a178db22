/* Option groups that several commands share. */
#include "cmd/options.h"

#include <net/if.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "dial/proxy.h"
#include "dial/starttls.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "tls/tls.h"

/* The default of --max-conns. */
#define MAX_CONNS 256

/* What the rows below fill, and options_complete() completes. */
static struct options options = {
    .sock = {.tos = -1, .ttl = -1, .rcvbuf = -1, .sndbuf = -1},
    .timeout_ms = -1,
    .max_ms = -1,
    .retry_ms = -1,
    .connector.dial = {.names = &options.names, .sock = &options.sock},
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
};

/* Values as they were given, from which others follow. */
static struct {
	int level, json, log_time;   /* of messages; level: enum diag_level */
	int64_t connect_ms, idle_ms; /* -1: not given */
	struct opt_list access;      /* --allow and --deny, in order */
	struct tls_options clients;  /* of a server: how they use TLS */
	int tls_version;             /* an index of tls_versions; -1: any */
	int starttls;                /* an index of starttls_names; -1: none */
} given = {
    .connect_ms = -1,
    .idle_ms = -1,
    .clients = {.is_server = true},
    .tls_version = -1,
    .starttls = -1,
};

/* Checks that -s, if given, is not an address of another interface. */
static int
check_source_scope(struct err *e)
{
	const struct addr *a = &options.sock.source;

	return resolve_check_scope(a, addr_ip_text(a), &options.names, e);
}

/* Stores an interface: sockets need its name, addresses have its index. */
static int
parse_interface(void *field, const char *arg, struct err *e)
{
	struct addr a;

	if (addr_parse_ip(&a, arg, 0))
		return err_set(e, ERR_USAGE,
		    "'%s' is an address, not an interface: a client's local "
		    "address is --source (-s), a server's an operand",
		    text_shown(arg));
	options.names.interface = if_nametoindex(arg);
	if (options.names.interface == 0)
		return err_set(e, arg[0] == '\0' ? ERR_USAGE : ERR_LOCAL,
		    "this machine has no interface '%s'", text_shown(arg));
	*(const char **)field = arg;
	return check_source_scope(e);
}

static int
parse_source(void *field, const char *arg, struct err *e)
{
	/* A link-local address names its interface itself. */
	const struct name_options no_interface = {0};
	struct addr a;

	if (!addr_parse_ip(&a, arg, 0))
		return addr_interface_missing(arg, e)
			   ? -1
			   : err_set(e, ERR_USAGE,
				 "'%s' is not a numeric IPv4 or IPv6 address",
				 text_shown(arg));
	if (resolve_check_scope(&a, arg, &no_interface, e) < 0)
		return -1;
	*(struct addr *)field = a;
	return check_source_scope(e);
}

const struct opt options_report[] = {
    COUNT('v', "verbose", given, level,
	"report milestones; twice (-vv): the socket calls of the tutorials",
	.excludes = "quiet", .max = 2),
    FLAG(
	'q', "quiet", given, level, "report errors only", .value = DIAG_ERRORS),
    FLAG(0, "json", given, json, "report events as JSON Lines"),
    FLAG(0, "log-time", given, log_time,
	"put the time of day (UTC) before each line", .excludes = "json"),
    {.kind = OPT_END},
};

const struct opt options_names[] = {
    FLAG('4', "ipv4", options.names, family, "use IPv4 only", .value = AF_INET,
	.excludes = "ipv6 fd unix"),
    FLAG('6', "ipv6", options.names, family, "use IPv6 only", .value = AF_INET6,
	.excludes = "fd unix"),
    FLAG('n', "numeric", options.names, numeric,
	"accept numeric addresses only; look nothing up", .excludes = "fd"),
    {.kind = OPT_END},
};

const struct opt options_source[] = {
    CALL('s', "source", "ADDRESS", options.sock, source,
	"send from this local address", .call = parse_source,
	.excludes = "unix"),
    NUMBER('p', "source-port", "PORT", options.sock, source_port,
	"send from this local port", .min = 1, .max = 65535,
	.excludes = "unix"),
    {.kind = OPT_END},
};

const struct opt options_interface[] = {
    CALL(0, "interface", "INTERFACE", options.sock, interface,
	"send and receive through INTERFACE only", .call = parse_interface,
	.excludes = "fd unix"),
    {.kind = OPT_END},
};

const struct opt options_keepalive[] = {
    FLAG(0, "keepalive", options.sock, keepalive,
	"probe an idle connection (SO_KEEPALIVE)", .excludes = "fd unix"),
    {.kind = OPT_END},
};

const struct opt options_socket[] = {
    NUMBER(0, "tos", "N", options.sock, tos,
	"type of service, or traffic class, of packets", .max = 255,
	.excludes = "fd unix"),
    NUMBER(0, "ttl", "N", options.sock, ttl,
	"time to live, or hop limit, of packets", .min = 1, .max = 255,
	.excludes = "fd unix"),
    SIZE(0, "rcvbuf", "SIZE", options.sock, rcvbuf,
	"size of the receive buffer (SO_RCVBUF)", .min = 1, .max = INT32_MAX,
	.excludes = "fd"),
    SIZE(0, "sndbuf", "SIZE", options.sock, sndbuf,
	"size of the send buffer (SO_SNDBUF)", .min = 1, .max = INT32_MAX,
	.excludes = "fd"),
    {.kind = OPT_END},
};

const struct opt options_server[] = {
    NUMBER(0, "max-conns", "N", options.server, max_conns,
	"serve at most N connections at once; others wait", .min = 1,
	.max = 1000000, .excludes = "connection"),
    NUMBER(0, "max-per-host", "N", options.server, max_per_host,
	"serve at most N connections per address; close others", .min = 1,
	.max = 1000000, .excludes = "connection unix-clients"),
    NUMBER(0, "backlog", "N", options.listener, backlog,
	"let at most N connections wait in the kernel (default: the system's "
	"maximum)",
	.min = 0, .max = INT32_MAX, .excludes = "fd"),
    DURATION(0, "accept-timeout", "TIME", options.server, accept_ms,
	"stop when no connection arrives for TIME", .min = 1,
	.excludes = "connection"),
    DURATION(0, "drain", "TIME", options.server, drain_ms,
	"when told to stop, accept no more, and let the connections go on for "
	"at most TIME; a second signal ends them",
	.min = 1),
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
	"with [USER:PASSWORD@]; the proxy resolves the name",
	.call = parse_proxy, OPTIONS_NOT_VIA),
    STRING(0, "via", "COMMAND", options.connector, via,
	"the connection is the stdin and stdout of COMMAND, run with sh -c; %h "
	"and %p are the host and the port"),
    {.kind = OPT_END},
};

static int
parse_pin(void *field, const char *arg, struct err *e)
{
	if (sha256_parse(field, arg, true))
		return 0;
	return err_set(e, ERR_USAGE,
	    "'%s' is not the SHA-256 of a certificate: 64 hexadecimal digits, "
	    "with colons between the bytes or without",
	    text_shown(arg));
}

static const char *const tls_versions[] = {"1.2", "1.3", NULL};

const struct opt options_tls_on[] = {
    FLAG(0, "tls", options.connector.tls, is_on,
	"use TLS; the server's certificate is verified"),
    {.kind = OPT_END},
};

const struct opt options_tls[] = {
    FILENAME(0, "tls-ca", "FILE|DIR", options.connector.tls, ca,
	"trust only the certificates in FILE, or in DIR (see openssl-rehash)",
	.excludes = "tls-insecure"),
    STRING(0, "tls-name", "NAME", options.connector.tls, name,
	"the certificate must be for NAME instead of the host",
	.excludes = "tls-insecure"),
    FLAG(0, "tls-insecure", options.connector.tls, is_insecure,
	"do not verify the certificate"),
    CALL(0, "tls-pin", "DIGEST", options.connector.tls, pin,
	"accept the certificate with this digest alone, whatever is in it",
	.call = parse_pin, .excludes = "tls-ca tls-insecure"),
    {.kind = OPT_END},
};

const struct opt options_tls_local[] = {
    FILENAME(0, "tls-cert", "FILE", given.clients, certificate,
	"the local certificate for TLS, with those of its authorities (PEM)"),
    FILENAME(0, "tls-key", "FILE", given.clients, key,
	"its private key (default: in the file of --tls-cert)",
	.needs = "tls-cert"),
    {.kind = OPT_END},
};

const struct opt options_tls_version[] = {
    CHOICE(0, "tls-version", "VERSION", given, tls_version,
	"use this version of TLS alone", .choices = tls_versions),
    {.kind = OPT_END},
};

const struct opt options_tls_clients[] = {
    FLAG(0, "tls-self", given.clients, is_self,
	"use TLS with a certificate that is made for this run, and print its "
	"digest for --tls-pin",
	.excludes = "tls-cert tls-key"),
    FILENAME(0, "tls-client-ca", "FILE|DIR", given.clients, ca,
	"demand a certificate from each client, and trust those in FILE or "
	"DIR",
	.needs = "tls-cert tls-self"),
    {.kind = OPT_END},
};

const struct opt options_tls_server[] = {
    CHOICE(0, "starttls", "PROTOCOL", given, starttls,
	"ask the server of a plain protocol for TLS first, and then use it",
	.choices = starttls_names),
    STRING(0, "tls-alpn", "NAMES", options.connector.tls, alpn,
	"protocols to offer in the handshake, with commas between them",
	.needs = "tls starttls"),
    NUMBER(0, "tls-days", "N", options.connector.tls, min_days,
	"fail if a certificate of the server expires within N days", .min = 1,
	.max = 100000, .needs = "tls starttls"),
    {.kind = OPT_END},
};

/*
 * Time limits. -w limits what a user of nc expects of it: connecting and then
 * idling, and where nothing is connected the wait for an answer.
 */
#define TIME(l, n, s, f, ...) \
	DURATION(l, n, "TIME", s, f, __VA_ARGS__, .min = 1)
#define TIMEOUT(...) TIME('w', "timeout", options, timeout_ms, __VA_ARGS__)
#define CONNECT(...) TIME(0, "connect-timeout", given, connect_ms, __VA_ARGS__)
#define IDLE(...) TIME(0, "idle-timeout", given, idle_ms, __VA_ARGS__)
#define MAX(...) TIME('m', "max-time", options, max_ms, __VA_ARGS__)
#define RETRY(...) TIME(0, "retry-for", options, retry_ms, __VA_ARGS__)

const struct opt options_time_connect[] = {
    TIMEOUT("connect within TIME, then idle for at most TIME"),
    CONNECT("connect within TIME"),
    RETRY("keep retrying for at most TIME"),
    IDLE("stop when nothing is sent or received for TIME",
	.excludes = "zero exec program trace"),
    MAX("run for at most TIME"),
    {.kind = OPT_END},
};

const struct opt options_time_http_get[] = {
    TIMEOUT("connect within TIME, then idle for at most TIME"),
    CONNECT("connect within TIME"),
    RETRY("keep trying for at most TIME, until the server answers with a "
	  "status below 400"),
    IDLE("stop when nothing is sent or received for TIME"),
    MAX("run for at most TIME"),
    {.kind = OPT_END},
};

#define NOT_PROGRAM \
	.excludes = "exec program", .why = "--max-time limits a program"

const struct opt options_time_listen[] = {
    TIMEOUT("close a connection without data for TIME; with --to "
	    "for connecting to each",
	NOT_PROGRAM),
    CONNECT("connect to each --to within TIME", .needs = "to"),
    RETRY("keep retrying to reach --to for at most TIME", .needs = "to"),
    IDLE("close a connection without data for TIME", NOT_PROGRAM),
    MAX("run for at most TIME; with a handler, each connection"),
    {.kind = OPT_END},
};

const struct opt options_time_serve_hello[] = {
    IDLE("close a connection without data for TIME"),
    MAX("close a connection after TIME"),
    {.kind = OPT_END},
};

const struct opt options_time_portscan[] = {
    TIMEOUT("wait at most TIME for the answer to a probe (default: 3 s)"),
    RETRY("keep scanning for at most TIME, until --until holds"),
    MAX("run for at most TIME"),
    {.kind = OPT_END},
};

const struct opt options_time_udp_send[] = {
    TIMEOUT("wait at most TIME for the replies to a datagram, or after the end "
	    "of stdin (default: 2 s)"),
    MAX("run for at most TIME"),
    {.kind = OPT_END},
};

const struct opt options_time_udp_serve[] = {
    IDLE("stop when no datagram arrives for TIME"),
    MAX("run for at most TIME"),
    {.kind = OPT_END},
};

void
options_start_report(const char *command)
{
	diag_start(command, given.level, given.json != 0, given.log_time != 0);
}

static struct limit
limit_of(int64_t ms, const char *option)
{
	return ms >= 0 ? (struct limit){ms, option}
		       : (struct limit){options.timeout_ms, "--timeout"};
}

const struct options *
options_complete(bool is_client)
{
	struct connector_options *c = &options.connector;
	struct tls_options *tls = &options.server.tls;

	options.idle = limit_of(given.idle_ms, "--idle-timeout");
	options.until = deadline_max_time(options.max_ms);
	options.has_access_rules = given.access.count > 0;

	c->timeout = limit_of(given.connect_ms, "--connect-timeout");
	c->retry_ms = options.retry_ms;
	c->starttls = (enum starttls)(given.starttls + 1);
	c->tls.is_on |= c->starttls != STARTTLS_NONE;
	c->tls.idle = options.idle;
	c->tls.version = given.tls_version + 1;
	if (is_client) {
		c->tls.certificate = given.clients.certificate;
		c->tls.key = given.clients.key;
	}

	*tls = given.clients;
	tls->is_on = tls->certificate != NULL || tls->is_self;
	tls->idle = options.idle;
	options.server.max_ms = options.max_ms;
	return &options;
}

int
options_check_via(struct err *e)
{
	const char *via = options.connector.via;

	if (via != NULL && proc_check_command(via, e) < 0)
		return err_lead(e, "--via: ");
	return 0;
}

int
options_make_server(struct server_options *s, struct access *a, struct err *e)
{
	*s = options.server;
	s->access = a;
	if (s->tls.is_on && tls_check(&s->tls, e) < 0)
		return -1;
	return options_read_access(a, e);
}

int
options_read_access(struct access *a, struct err *e)
{
	const struct opt_list *rules = &given.access;
	bool allow;
	size_t i;

	for (i = 0; i < rules->count; i++) {
		allow = rules->items[i].value != 0;
		if (access_add(
			a, allow, rules->items[i].text, options.until, e) < 0)
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
	"use the inherited socket N, or those that systemd passes"),
    CALL(0, "mode", "OCTAL", options.listener, mode,
	"permissions of the Unix socket's path", .call = parse_mode,
	.excludes = "fd"),
    LIST(0, "allow", "CIDR", given, access,
	"accept these clients: an address, ADDRESS/BITS, several with commas, "
	"or @FILE; the first rule that matches wins",
	.value = true, .excludes = "unix-clients"),
    LIST(0, "deny", "CIDR", given, access,
	"deny these clients, given as for --allow", .excludes = "unix-clients"),
    {.kind = OPT_END},
};

int
options_check_unix(const struct command_args *args, struct err *e)
{
	return command_check(
	    args, "unix", "does not apply to a Unix socket", e);
}

/* For a server. With --to, options about addresses are for the target. */
static int
check_unix_server(const struct command_args *args, struct err *e)
{
	static const char why[] =
	    "is for IP addresses: the permissions of a Unix socket's path say "
	    "who may connect (--mode)";

	if (command_check(args, "unix-clients", why, e) < 0)
		return -1;
	if (command_find_listed(args, "to") != NULL)
		return 0;
	return options_check_unix(args, e);
}

int
options_parse_local(struct endpoint *ep, const struct command_args *args,
    const char *protocol, int port, struct err *e)
{
	if (options.listener.fd != NULL && args->count > 0)
		return err_set(e, ERR_USAGE,
		    "unexpected operand: with --fd the address is that of the "
		    "inherited socket");
	if (options.listener.fd != NULL)
		return 0;
	if (args->count == 0 && port < 0)
		return err_set(e, ERR_USAGE,
		    "missing operand: expected [ADDRESS] PORT, or --fd");
	if (endpoint_parse_local(ep, args->operands, args->count, protocol,
		(uint16_t)port, e) < 0)
		return -1;
	if (options.sock.interface != NULL && !ep->is_unix &&
	    ep->host[0] == '\0' && command_find_listed(args, "join") == NULL)
		return err_set(e, ERR_USAGE,
		    "--interface goes with an address: '*' is every address "
		    "of it");
	if (options.listener.mode >= 0 &&
	    !(ep->is_unix && addr_has_path(&ep->unix_addr)))
		return err_set(e, ERR_USAGE,
		    "--mode is for the path of a Unix socket: unix:PATH");
	return ep->is_unix ? check_unix_server(args, e) : 0;
}

int
options_check_inherited(
    const struct listener *l, const struct command_args *args, struct err *e)
{
	static const char why[] = "is for a listening socket: --fd is a "
				  "connection, which is served alone";

	if (l->is_connection && command_check(args, "connection", why, e) < 0)
		return -1;
	return addr_is_unix(&l->addrs[0]) ? check_unix_server(args, e) : 0;
}
