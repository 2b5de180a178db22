/*
 * TLS on a connection, at either end. Another process holds the connection and
 * OpenSSL's libssl, which is found at run time; for sockt the connection is a
 * Unix socket with plain bytes. Its two directions end separately, as in TCP:
 * shutdown(2) sends close_notify and FIN, and the peer's close_notify becomes
 * end of file. link_record_eof() and link_close() report how it really ended
 * (net/link.h).
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/sha256.h"

struct endpoint;
struct err;
struct link;
struct proc;

/* How long a client may take for the handshake with a server. */
#define TLS_ACCEPT_MS 10000

/* How TLS is used on a connection. */
struct tls_options {
	int is_on;      /* use TLS */
	bool is_server; /* the other side begins the handshake */
	/* Trust only the certificates in this file or directory. NULL: a client
	 * trusts those of the system, a server demands no certificate. */
	const char *ca;
	const char *name; /* of the server's certificate; NULL: the host */
	int is_insecure;  /* a client does not verify the certificate */
	/* The SHA-256 of the one certificate that a client accepts, or "". */
	char pin[SHA256_TEXT];
	int version;      /* 0: 1.2 or 1.3; 1: 1.2 alone; 2: 1.3 alone */
	int64_t min_days; /* that a server's certificates must last */
	int is_self;      /* a server makes its certificate */
	const char *alpn; /* protocols to offer, with commas; NULL: none */
	const char *certificate, *key; /* files; NULL: no certificate */
	struct limit idle;             /* without progress while TLS ends */
	bool is_single; /* the first handshake is the last: it clears the
			   private key */
};

/* A handshake. */
struct tls_request {
	const struct tls_options *options;
	/* The server, which errors name, and whose host (a Unix socket has
	 * none) the certificate must have; NULL: the peer is a client. */
	const struct endpoint *server;
	struct deadline until; /* limit of the handshake */
};

/* Loads libssl. Returns its name and version, or NULL with ERR_FAILED. */
const char *tls_version(struct err *e);

/*
 * Loads libssl and the files of the options, which all later handshakes use.
 * Returns 0, or -1 with *e: ERR_FAILED and the package to install, ERR_OUTPUT
 * for a file that cannot be read, ERR_USAGE for one that cannot be used.
 */
int tls_check(const struct tls_options *o, struct err *e);

/*
 * Makes the handshake on a connection, and reports it. Afterwards l has the
 * process, and a non-blocking Unix socket for the plain bytes as descriptor.
 * Returns 0; or -1 with *e and the descriptor closed: ERR_PROTOCOL if the
 * certificate is not accepted or the peer does not speak TLS, ERR_LOST,
 * ERR_TIMEOUT, ERR_FAILED (with EINTR after a caught signal), or the errors of
 * tls_check().
 */
int tls_start(const struct tls_request *request, struct link *l, struct err *e);

/*
 * tls_start() in steps, for many handshakes at a time. tls_begin() starts one.
 * It returns 0; or -1 with *e and the descriptor still open, where e->errnum is
 * EAGAIN or a shortage if no process could be started. When tls_report_fd(l)
 * is readable (ready is 1), or the limit has passed (0), tls_secure() ends the
 * handshake as tls_start() does, and sets l->first if it fails. TLS_PROBED is a
 * failure of a client that sent nothing.
 */
enum tls_result { TLS_SECURED, TLS_FAILED, TLS_PROBED };

int tls_begin(const struct tls_request *request, struct link *l, struct err *e);
enum tls_result tls_secure(const struct tls_request *request, struct link *l,
    int ready, struct err *e);

/* Drops the TLS of l, if it has any: unless that has ended, the connection is
 * reset. */
void tls_drop(struct link *l);

/* The descriptor that tls_begin() has to wait for; -1: l has no TLS. */
int tls_report_fd(const struct link *l);

/* The environment of a program, "SSL_PROTOCOL=TLSv1.3", up to a NULL; NULL: l
 * has no TLS. It is valid as long as that is. */
const char *const *tls_variables(const struct link *l);

/*
 * After a fork. tls_adopt(), in the child: l keeps its TLS, but its process
 * remains the parent's; clears the private keys. tls_detach(), in the parent:
 * drops the TLS of l, and returns its process, or NULL.
 */
void tls_adopt(struct link *l);
struct proc *tls_detach(struct link *l);

#endif
