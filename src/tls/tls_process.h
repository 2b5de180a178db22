/*
 * The process of a TLS connection: it holds the connection and libssl, and
 * passes plain bytes on. What happens it reports in lines:
 *
 *	subject NAME, issuer NAME     of the peer's certificate
 *	alpn NAME
 *	unverified REASON             why it would not be accepted
 *	secured VERSION CIPHER DAYS   the handshake is complete
 *	closed                        the peer ended TLS (close_notify)
 *	lost KIND ERRNO TEXT          or it did not, and something may be
 *	                              missing
 *	dropped                       it did so when this side had ended, and
 *	                              sent nothing
 *	end KIND ERRNO TEXT           the last: how the connection ended, or
 *	                              that there is none
 *
 * Each is written before the end of the plain bytes that it explains. Its exit
 * status is KIND. Private to tls.
 */
#ifndef TLS_TLS_PROCESS_H
#define TLS_TLS_PROCESS_H

struct tls_context;
struct tls_options;

struct tls_process_start {
	const struct tls_options *options;
	struct tls_context *context;
	const char *name; /* that the certificate must have; NULL: none */
	int fd;           /* the connection, non-blocking */
	int plain;        /* the plain bytes, a unix socket */
	int hold;         /* its other end: that is only shut down by sockt,
			     and not by its death */
	int report;       /* a pipe; that its reader has gone means that sockt
			     has: the connection is reset */
};

/* Runs it, in a child, which exits. */
_Noreturn void tls_process_run(const struct tls_process_start *start);

#endif
