/*
 * Option groups that commands share: a letter has the same meaning in every
 * command. A command embeds the structs and lists the tables it needs. The
 * first member of every command's options is report_options.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/opt.h"
#include "net/addr.h"
#include "dial/proxy.h"
#include "net/resolve.h"
#include "net/sock.h"

struct access;
struct command_args;
struct connector_options;
struct dial_options;
struct endpoint;
struct err;
struct listener;
struct server_options;
struct tls_options;

struct report_options {
	int level; /* enum diag_level */
	int json;  /* report events as JSON Lines */
	int log_time;
};

struct source_options {
	struct addr source;
	int64_t port; /* 0: any */
};

/* Milliseconds; -1: no limit. */
struct time_options {
	int64_t timeout_ms; /* -w: both of the next, or to the first reply */
	int64_t connect_ms; /* to connect */
	int64_t idle_ms;    /* without data in either direction */
	int64_t max_ms;     /* for the command as a whole */
	int64_t retry_ms;   /* to retry until it opens */
};

#define TIME_OPTIONS_INIT          \
	{                          \
		-1, -1, -1, -1, -1 \
	}

/* How connections are accepted; see struct server_options. */
struct accept_options {
	int64_t max_conns;
	int64_t max_per_host; /* 0: any number */
	int64_t backlog;      /* -1: the system's maximum */
	int64_t accept_ms;    /* -1: no limit */
};

#define ACCEPT_OPTIONS_INIT    \
	{                      \
		256, 0, -1, -1 \
	}

/* What a server is bound to, besides its address. */
struct bind_options {
	const char *fd; /* --fd: inherited sockets instead */
	int mode;       /* --mode: permissions of a unix path; -1: not given */
};

#define BIND_OPTIONS_INIT \
	{                 \
		NULL, -1  \
	}

/* --allow and --deny, in the order given. */
struct access_options {
	struct opt_list rules;
};

/* --proxy; its kind is PROXY_NONE if it was not given. */
struct proxy_options {
	struct proxy proxy;
};

/* --via and --tls. */
struct transport_options {
	const char *via; /* NULL: not given */
	int tls;
	const char *tls_ca;   /* NULL: the authorities of the system */
	const char *tls_name; /* NULL: the host */
	int tls_insecure;
	const char *tls_cert, *tls_key; /* NULL: no local certificate */
	const char *tls_alpn;
	const char *tls_client_ca; /* of a server; NULL: demands none */
};

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
	DURATION('w', "timeout", "T", time_options, timeout_ms, help, .min = 1)
#define OPTIONS_CONNECT(help)                                               \
	DURATION(0, "connect-timeout", "T", time_options, connect_ms, help, \
	    .min = 1)
#define OPTIONS_IDLE(help) \
	DURATION(0, "idle-timeout", "T", time_options, idle_ms, help, .min = 1)
#define OPTIONS_MAX(help) \
	DURATION('m', "max-time", "T", time_options, max_ms, help, .min = 1)
#define OPTIONS_RETRY(help) \
	DURATION(0, "retry-for", "T", time_options, retry_ms, help, .min = 1)

/* options_tls without --tls. */
#define OPTIONS_TLS_TRUST (options_tls + 1)

/* The limits for connecting and for idling: --timeout (-w), unless one of its
 * own is given. */
struct limit options_connect_limit(const struct time_options *o);
struct limit options_idle_limit(const struct time_options *o);

/* Fills *d from these groups; source may be NULL. */
void options_make_dial(struct dial_options *d, const struct name_options *names,
    const struct source_options *source, const struct sock_options *sock);

/*
 * Sets via and tls in *c; used are the options given. Returns 0, or -1 with
 * ERR_USAGE if one of them has no effect with these.
 */
int options_make_transport(struct connector_options *c,
    const struct transport_options *o, const struct opt *const *used,
    struct err *e);

/*
 * Sets how the clients of a server use TLS: not at all without --tls-cert.
 * Loads the certificates. Returns 0, or -1 with ERR_USAGE or the error of
 * tls_check().
 */
int options_make_clients(
    struct tls_options *t, const struct transport_options *o, struct err *e);

/* Fills *s, the accept loop's options. access must outlive them. */
void options_make_server(struct server_options *s,
    const struct accept_options *o, const struct access *access, int log_level);

/* Adds the rules of these options to *a, of files within the deadline. Returns
 * 0, or -1 with *e; the caller calls access_release() in both cases. */
int options_make_access(struct access *a, const struct access_options *o,
    struct deadline until, struct err *e);

/* Kinds of endpoints for which some options have no meaning. */
enum options_endpoint { OPTIONS_UNIX, OPTIONS_CONNECTION };

/* Returns 0, or -1 with ERR_USAGE if one of the options given has none. */
int options_check_endpoint(const struct opt *const *used,
    enum options_endpoint endpoint, struct err *e);

/* The operands of a server: [ADDR] PORT. */
struct local_operands {
	const struct command_args *args;
	const char *protocol; /* "tcp" or "udp" */
	int port;             /* the default; -1: none */
};

/*
 * Parses them; with --fd there are none. Returns 0, or -1 with a usage error,
 * also for options that have no meaning for the endpoint.
 */
int options_parse_local(struct endpoint *ep, const struct bind_options *o,
    const struct local_operands *local, struct err *e);

/*
 * Rejects options that have no meaning for what was inherited (--fd). Returns
 * 0, or -1 with ERR_USAGE and the listener closed.
 */
int options_check_inherited(
    struct listener *l, const struct opt *const *used, struct err *e);

#endif
