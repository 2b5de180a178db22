/*
 * Option groups that commands share: a letter has the same meaning in every
 * command. A command lists the tables it needs.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"
#include "dial/connector.h"
#include "net/listener.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "serve/server.h"
#include "tls/tls_options.h"

struct access;
struct command_args;
struct endpoint;
struct err;

/*
 * Their values. Modules take the structs by pointer; a command adds what no
 * option says, such as deadlines.
 */
struct options {
	struct report_options {
		int level; /* enum diag_level */
		int json;  /* report events as JSON Lines */
		int log_time;
	} report;
	struct name_options names;
	struct sock_options sock;
	/* Milliseconds; -1: no limit. */
	struct {
		int64_t timeout_ms; /* -w: both of the next, or to the first
				       reply */
		int64_t connect_ms; /* to connect */
		int64_t idle_ms;    /* without data in either direction */
		int64_t max_ms;     /* for the command as a whole */
		int64_t retry_ms;   /* to retry until it opens */
	} time;
	struct connector_options connector; /* of a client, and for --to */
	struct listener_options listener;
	struct server_options server;
	struct opt_list access;     /* --allow and --deny, as given */
	struct tls_options clients; /* of a server: how they use TLS */
};

extern struct options options;

extern const struct opt options_report[];
extern const struct opt options_names[];
extern const struct opt options_source[];      /* -s -p */
extern const struct opt options_keepalive[];   /* --keepalive */
extern const struct opt options_socket[];      /* --tos ... */
extern const struct opt options_server[];      /* --max-conns ... */
extern const struct opt options_bind[];        /* --fd --mode */
extern const struct opt options_proxy[];       /* --proxy */
extern const struct opt options_access[];      /* --allow --deny */
extern const struct opt options_via[];         /* --via */
extern const struct opt options_tls[];         /* --tls --tls-ca ... */
extern const struct opt options_tls_local[];   /* --tls-cert --tls-key */
extern const struct opt options_tls_clients[]; /* --tls-client-ca */
extern const struct opt options_tls_alpn[];    /* --tls-alpn */

/* Rows for struct time_options. Their meaning differs between commands, and so
 * does the help text. */
#define OPTIONS_TIMEOUT(help) \
	DURATION('w', "timeout", "T", options.time, timeout_ms, help, .min = 1)
#define OPTIONS_CONNECT(help)                                               \
	DURATION(0, "connect-timeout", "T", options.time, connect_ms, help, \
	    .min = 1)
#define OPTIONS_IDLE(help) \
	DURATION(0, "idle-timeout", "T", options.time, idle_ms, help, .min = 1)
#define OPTIONS_MAX(help) \
	DURATION('m', "max-time", "T", options.time, max_ms, help, .min = 1)
#define OPTIONS_RETRY(help) \
	DURATION(0, "retry-for", "T", options.time, retry_ms, help, .min = 1)

/* options_tls without --tls. */
#define OPTIONS_TLS_TRUST (options_tls + 1)

/* The limits for connecting and for idling: --timeout (-w), unless one of its
 * own is given. */
struct limit options_connect_limit(void);
struct limit options_idle_limit(void);

/*
 * Completes options.connector, given the options used. In a client (is_client)
 * the local certificate is its own, and those about addresses and sockets are
 * for this connection alone. Returns 0, or -1 with ERR_USAGE if one of them has
 * no effect with these.
 */
int options_check_connector(
    bool is_client, const struct opt *const *used, struct err *e);

/*
 * Completes options.clients: TLS is used with --tls-cert. Loads the
 * certificates. Returns 0, or -1 with ERR_USAGE or the error of tls_check().
 */
int options_check_clients(struct err *e);

/* Adds the rules to *a, of files within --max-time. Returns 0, or -1 with *e;
 * the caller calls access_release() in both cases. */
int options_make_access(struct access *a, struct err *e);

/* Kinds of endpoints for which some options have no meaning. */
enum options_endpoint {
	OPTIONS_UNIX,
	OPTIONS_CONNECTION, /* --fd is one */
	OPTIONS_VIA,        /* a program makes the connection */
	OPTIONS_CLIENT_VIA  /* the same, and there is no other connection */
};

/* Returns 0, or -1 with ERR_USAGE if one of the options given has none. */
int options_check_endpoint(const struct opt *const *used,
    enum options_endpoint endpoint, struct err *e);

/*
 * Parses the operands of a server, [ADDR] PORT, for "tcp" or "udp", where port
 * is the default, or -1; with --fd there are none. Returns 0, or -1 with a
 * usage error, also for options that have no meaning for the endpoint.
 */
int options_parse_local(struct endpoint *ep, const struct command_args *args,
    const char *protocol, int port, struct err *e);

/*
 * Rejects options that have no meaning for what was inherited (--fd). Returns
 * 0, or -1 with ERR_USAGE and the listener closed.
 */
int options_check_inherited(
    struct listener *l, const struct opt *const *used, struct err *e);

#endif
