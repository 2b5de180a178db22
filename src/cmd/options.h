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

struct access;
struct endpoint;
struct err;

/*
 * What the shared options of a command line amount to. What follows from
 * several of them, or from none, has been decided; the values that were typed
 * are private to options.c. The members of groups that a command does not list
 * have their defaults. Times are in milliseconds, and -1 means that the option
 * was not given.
 */
struct options {
	struct name_options names;
	struct sock_options sock;
	int64_t timeout_ms;    /* --timeout (-w), for replies. */
	struct limit idle;     /* --idle-timeout, or else --timeout. */
	int64_t max_ms;        /* --max-time, for what begins later. */
	struct deadline until; /* Its end, if it began with the command. */
	int64_t retry_ms;      /* --retry-for. */
	/* A client's connection, or that of --to. It uses TLS with --tls and
	 * with --starttls; in a client it has the local certificate. */
	struct connector_options connector;
	struct listener_options listener;
	/* A server. Its clients use TLS with --tls-cert and with --tls-self;
	 * --max-time and the idle limit are for each connection. */
	struct server_options server;
	bool has_access_rules; /* --allow or --deny was given. */
};

/* Sets the level and the format of messages for a command. */
void options_start_report(const char *command);

/*
 * Completes the options after the command line was parsed; is_client: the local
 * certificate belongs to the connection that the command makes. Returns them,
 * in static storage.
 */
const struct options *options_complete(bool is_client);

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
extern const struct opt options_tls_server[];  /* --starttls --tls-alpn ... */

/* Time limits, whose meaning and help differ between commands. */
extern const struct opt options_time_connect[];
extern const struct opt options_time_http_get[];
extern const struct opt options_time_listen[];
extern const struct opt options_time_portscan[];
extern const struct opt options_time_serve_hello[];
extern const struct opt options_time_udp_send[];
extern const struct opt options_time_udp_serve[];

/* For options without effect with --via. */
#define OPTIONS_NOT_VIA \
	.excludes = "via", .why = "its program makes the connection"

/*
 * Sets *s to the completed server, with the rules of *a, which
 * options_read_access() adds. Loads the certificates. Returns 0, or -1 with *e.
 */
int options_make_server(
    struct server_options *s, struct access *a, struct err *e);

/* Adds the rules of --allow and --deny to *a, and reads those in files within
 * --max-time. Returns 0, or -1 with *e; the caller calls access_release() in
 * both cases. */
int options_read_access(struct access *a, struct err *e);

/* Checks that the program of --via can be run, if there is one. Call it after
 * the operands were checked, whose errors come first. Returns 0, or -1 with *e.
 */
int options_check_via(struct err *e);

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
