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
	int is_on;      /* The connection uses TLS. */
	bool is_server; /* The other side begins the handshake. */

	/* Whom to trust: only the certificates in this file or directory. NULL:
	 * a client trusts the system's; a server demands no certificate. */
	const char *ca;
	/* The server's certificate must be for this name; NULL: for the host.
	 */
	const char *name;
	/* A client does not verify the certificate. */
	int is_insecure;
	/* A client accepts only the certificate with this SHA-256, whoever
	 * issued it; "": any that is trusted. */
	char pin[SHA256_TEXT];
	/* A server's certificates must last at least for this many days. */
	int64_t min_days;

	/* What to offer. */
	int version;      /* 0: TLS 1.2 and up; 1: only 1.2; 2: only 1.3. */
	const char *alpn; /* These protocols, with commas; NULL: none. */
	/* The names of files; NULL: no certificate. */
	const char *certificate, *key;
	int is_self; /* A server makes its certificate for this run. */
	/* Only one handshake is made; the key is cleared after it. */
	bool is_single;

	/* While TLS ends, the peer must make progress within this time. */
	struct limit idle;
};

/* A handshake. */
struct tls_request {
	const struct tls_options *options;
	/* The server, which errors name, and whose host (a Unix socket has
	 * none) the certificate must have; NULL: the peer is a client. */
	const struct endpoint *server;
	struct deadline until; /* The handshake must be done by then. */
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
 * certificate is not accepted or the peer does not use TLS, ERR_LOST,
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

/* Drops the TLS of l, if it has any. Unless TLS has ended, that resets the
 * connection. */
void tls_drop(struct link *l);

/* Returns the descriptor on which the process of tls_begin() reports; -1: l has
 * no TLS. */
int tls_report_fd(const struct link *l);

/* Returns the environment of a program, "SSL_PROTOCOL=TLSv1.3", up to a NULL;
 * NULL: l has no TLS. It is valid until that is dropped. */
const char *const *tls_variables(const struct link *l);

/*
 * Call these after a fork. tls_adopt(), in the child, keeps the TLS of l, whose
 * process remains the parent's, and clears the private keys. tls_detach(), in
 * the parent, drops the TLS of l, and returns its process, which the caller
 * then owns; NULL if there is none.
 */
void tls_adopt(struct link *l);
struct proc *tls_detach(struct link *l);

#endif
