/*
 * Option groups that commands share: the same letter means the same thing
 * everywhere. A command puts the structs into its own and takes the tables it
 * needs. The first member of every command's options is report_options.
 */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include <stdint.h>

#include "base/clock.h"
#include "cli/opt.h"
#include "net/addr.h"
#include "net/sock.h"

struct access;
struct dial_options;
struct err;
struct relay_options;

struct report_options {
	int level; /* enum diag_level */
	int json;  /* events as JSON Lines */
};

struct family_options {
	int family; /* AF_INET, AF_INET6 or AF_UNSPEC */
	int numeric;
};

struct source_options {
	struct addr source;
	int64_t port; /* 0: any */
};

/* Milliseconds; -1: no limit. */
struct time_options {
	int64_t timeout_ms; /* the other side's first sign */
	int64_t idle_ms;    /* no byte either way */
	int64_t max_ms;     /* the whole run */
};

#define TIME_OPTIONS_INIT  \
	{                  \
		-1, -1, -1 \
	}

struct common_relay_options {
	int on_eof;      /* enum relay_on_eof */
	int on_peer_eof; /* enum relay_on_peer_eof */
	int send_only;
	int recv_only;
};

/* --allow and --deny, in the order given. */
struct access_options {
	struct opt_list rules;
};

extern const struct opt common_report_opts[];
extern const struct opt common_family_opts[];
extern const struct opt common_source_opts[];  /* -s -p */
extern const struct opt common_timeout_opts[]; /* -w */
extern const struct opt common_idle_opts[];    /* --idle-timeout */
extern const struct opt common_max_opts[];     /* -m */
extern const struct opt common_socket_opts[];  /* --keepalive ... */
extern const struct opt common_relay_opts[];   /* --on-eof ... */
extern const struct opt common_access_opts[];  /* --allow --deny */

/* The dial options that these groups make; source may be NULL. */
void common_dial_options(struct dial_options *d,
    const struct family_options *family, const struct source_options *source,
    const struct sock_options *sock);

/*
 * The lists that these options make; a->rules is access_release()'s in both
 * cases. 0, or -1 with *e.
 */
int common_access(
    struct access *a, const struct access_options *o, struct err *e);

/* Whether stdin and stdout are open as far as these need them; see fd.h. */
int common_relay_check(const struct common_relay_options *o, struct err *e);

/* A relay of stdin and stdout by these options. */
void common_relay_setup(struct relay_options *r,
    const struct common_relay_options *o, const struct time_options *time,
    struct deadline until);

/*
 * Flushes stdout and finds out whether everything got there. 0, or -1 with
 * ERR_OUTPUT.
 */
int common_flush(struct err *e);

#endif
