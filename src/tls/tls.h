/*
 * TLS on a connection, at either end. Another process holds the connection and
 * OpenSSL's libssl, which is found at run time; for sockt the connection is a
 * unix socket with plain bytes. Its two directions end separately, as those of
 * TCP do: shutdown(2) of it becomes TLS's close_notify and a FIN, and the
 * peer's close_notify is its end of file. How the connection really ended
 * tls_end() reports: a reset, or a FIN without close_notify, is also an end of
 * file.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>

#include "base/deadline.h"
#include "tls/tls_options.h"

struct err;
struct tls;

/* How long a client may take for the handshake with a server. */
#define TLS_ACCEPT_MS 10000

/* A handshake. */
struct tls_request {
	const struct tls_options *options;
	const char *name;      /* in errors: the peer; NULL: not named */
	const char *host;      /* of a server: what its certificate must name;
				  NULL: nothing */
	struct deadline until; /* its limit */
	bool is_last;          /* if it succeeds, this process makes no other,
				  and lets go of the private key */
};

/*
 * Loads libssl. Returns the name and version that it has for itself, or NULL
 * with ERR_FAILED and what to install.
 */
const char *tls_version(struct err *e);

/*
 * Loads libssl and the files of the options, which it uses from then on.
 * Returns 0, or -1 with *e: ERR_FAILED and what to install, ERR_OUTPUT for a
 * file that cannot be read, ERR_USAGE for one that cannot be used.
 */
int tls_check(const struct tls_options *o, struct err *e);

/*
 * Makes the handshake on the connected socket *fd and reports it. Returns the
 * TLS, to be released with tls_release(); *fd is then a non-blocking unix
 * socket for the plain bytes. Or returns NULL with *e, and *fd is closed and
 * -1: ERR_PROTOCOL if the certificate is not accepted or the peer does not
 * speak TLS, ERR_LOST, ERR_TIMEOUT, ERR_FAILED (with EINTR after a caught
 * signal), or the errors of tls_check().
 */
struct tls *tls_start(
    const struct tls_request *request, int *fd, struct err *e);

/*
 * Sets the variables of the environment that describe a TLS to a program:
 * SSL_PROTOCOL, SSL_CIPHER and SSL_CLIENT_S_DN; NULL: removes them.
 */
void tls_set_variables(const struct tls *t);

/* At the end of the plain bytes: whether the peer of this struct tls has ended
 * TLS (close_notify), or nothing was ever sent. Otherwise the rest may be
 * missing. */
bool tls_has_closed(void *context);

/* At the same time: whether the peer can still be answered, which has closed or
 * only finished. */
bool tls_is_there(void *context);

/*
 * Waits for the end of the TLS after the plain connection has been closed, at
 * most until the deadline. is_complete: everything was sent, and nothing more
 * is read; otherwise it only finds out why the connection was lost. Returns 0
 * if the peer has received everything that was sent, and has ended the
 * connection as TLS requires (close_notify), or this side did; or -1 with
 * ERR_LOST, or ERR_PROTOCOL for an alert.
 */
int tls_end(
    struct tls *t, bool is_complete, struct deadline until, struct err *e);

/* Terminates the process, which resets the connection unless it has ended;
 * frees t, which may be NULL. */
void tls_release(struct tls *t);

#endif
