/*
 * Option groups that commands share: a letter has the same meaning in every
 * command. A command lists the tables it needs.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "dial/connector.h"
#include "net/listener.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "serve/server.h"
#include "tls/tls.h"

struct access;
struct command_args;
struct endpoint;
struct err;

/*
 * Their values, as they were given. A command completes copies by what no
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
		int64_t timeout_ms; /* -w: the next two, or to a first reply */
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
	int tls_version;            /* an index: 1.2 or 1.3 alone; -1: either */
	int starttls;               /* an index of starttls_names; -1: none */
};

extern struct options options;

extern const struct opt options_report[];
extern const struct opt options_names[];
extern const struct opt options_source[];      /* -s -p */
extern const struct opt options_interface[];   /* --interface */
extern const struct opt options_keepalive[];   /* --keepalive */
extern const struct opt options_socket[];      /* --tos ... */
extern const struct opt options_server[];      /* --max-conns ... */
extern const struct opt options_bind[];        /* --fd --mode --allow --deny */
extern const struct opt options_proxy[];       /* --proxy --via */
extern const struct opt options_tls_on[];      /* --tls */
extern const struct opt options_tls[];         /* --tls-ca ... */
extern const struct opt options_tls_local[];   /* --tls-cert --tls-key */
extern const struct opt options_tls_version[]; /* --tls-version */
extern const struct opt options_tls_clients[]; /* --tls-self --tls-client-ca */

/* Rows for options.time, whose meaning and help differ between commands. */
#define OPTIONS_TIME(l, n, f, ...) \
	DURATION(l, n, "TIME", options.time, f, __VA_ARGS__, .min = 1)
#define OPTIONS_TIMEOUT(...) \
	OPTIONS_TIME('w', "timeout", timeout_ms, __VA_ARGS__)
#define OPTIONS_CONNECT(...) \
	OPTIONS_TIME(0, "connect-timeout", connect_ms, __VA_ARGS__)
#define OPTIONS_IDLE(...) OPTIONS_TIME(0, "idle-timeout", idle_ms, __VA_ARGS__)
#define OPTIONS_MAX(...) OPTIONS_TIME('m', "max-time", max_ms, __VA_ARGS__)
#define OPTIONS_RETRY(...) OPTIONS_TIME(0, "retry-for", retry_ms, __VA_ARGS__)

/* For options that the program of --via leaves nothing to. */
#define OPTIONS_NOT_VIA \
	.excludes = "via", .why = "its program makes the connection"

/* The limit for idling: --idle-timeout, or --timeout (-w). */
struct limit options_idle_limit(void);

/*
 * Sets *c to options.connector with its limits and, in a client (is_client),
 * the local certificate. Returns 0, or -1 with *e if the program of --via
 * cannot be run.
 */
int options_make_connector(
    struct connector_options *c, bool is_client, struct err *e);

/*
 * Sets *s to options.server with the rules of *a, which options_make_access()
 * adds, the limits, and the TLS of clients: it is used with --tls-cert or
 * --tls-self. Loads the certificates. Returns 0, or -1 with *e.
 */
int options_make_server(
    struct server_options *s, struct access *a, struct err *e);

/* Adds the rules to *a, of files within --max-time. Returns 0, or -1 with *e;
 * the caller calls access_release() in both cases. */
int options_make_access(struct access *a, struct err *e);

/* Rejects options that have no meaning for a client of a Unix socket. Returns
 * 0, or -1 with ERR_USAGE. */
int options_check_unix(const struct command_args *args, struct err *e);

/*
 * Parses the operands of a server, [ADDRESS] PORT, for "tcp" or "udp", where
 * port is the default, or -1; with --fd there are none. Returns 0, or -1 with a
 * usage error, also for options that have no meaning for the endpoint.
 */
int options_parse_local(struct endpoint *ep, const struct command_args *args,
    const char *protocol, int port, struct err *e);

/* Rejects options that have no meaning for what was inherited (--fd). Returns
 * 0, or -1 with ERR_USAGE. */
int options_check_inherited(
    const struct listener *l, const struct command_args *args, struct err *e);

#endif
