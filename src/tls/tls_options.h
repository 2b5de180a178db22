/* How TLS is used on a connection; see tls/tls.h. */
#ifndef TLS_TLS_OPTIONS_H
#define TLS_TLS_OPTIONS_H

#include <stdbool.h>

struct tls_options {
	int is_on;      /* use TLS */
	bool is_server; /* the other side begins the handshake */
	/* Trust only the certificates in this file or directory. NULL: a client
	 * trusts those of the system, a server demands no certificate. */
	const char *ca;
	const char *name; /* that the server's certificate must have; NULL: the
			     host of the endpoint */
	int is_insecure;  /* a client does not verify the certificate */
	const char *alpn; /* protocols that a client offers, with commas;
			     NULL: none */
	const char *certificate, *key; /* files, of the local certificate; NULL:
					  a client has none */
	/*
	 * Many peers drop what they had to send when they receive the end of
	 * TLS (close_notify). So the end of the input is passed on after the
	 * connection has been quiet for SOCK_QUIET_MS, or if there was no input
	 * for SOCK_QUIET_UNUSED_MS (net/sock.h); or when the peer has ended.
	 * Otherwise at once.
	 */
	bool delays_end;
	/* A peer that then ends without having sent anything is worth a
	 * warning. */
	bool expects_answer;
};

#endif
