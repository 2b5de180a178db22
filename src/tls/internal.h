/* Certificates, and the process of a TLS connection with its report. Private to
 * tls. */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"

struct ssl_st;
struct tls_context;
struct tls_library;
struct tls_request;
struct x509_st;

/* Names are in UTF-8, and "" if they are too long: a cut name could be another
 * one. */
struct tls_certificate {
	char subject[1024], issuer[1024];
	char names[1024]; /* of the subjectAltName, with ", " between them */
	char not_before[24], not_after[24]; /* RFC 3339, in UTC */
	int days; /* until it expires, rounded; negative: expired */
	char sha256[SHA256_TEXT];
	char key_type[16]; /* "RSA", "EC" */
	int key_bits;
};

void tls_certificate_describe(const struct tls_library *l,
    const struct x509_st *x, struct tls_certificate *c);

/*
 * Checks that no certificate of a STACK_OF(X509) expires within this number of
 * days. Returns 0, or -1 with ERR_PROTOCOL for the first that does.
 */
int tls_certificate_check_days(const struct tls_library *l, const void *chain,
    int64_t days, struct err *e);

/* The process's report of the handshake, sent once before the records of
 * net/link.h. */
struct tls_facts {
	/* Agreed in the handshake; "": none. */
	char protocol[16], cipher[64], alpn[256];
	bool has_peer; /* with a certificate: */
	struct tls_certificate peer;
	char unverified[160]; /* why verification would fail; "": it succeeds */
	bool is_secured;      /* the handshake is done; otherwise: */
	bool is_probe;        /* the client has sent nothing */
	struct err failure;
};

/* Sets the facts of ssl after its handshake. Returns whether the peer has a
 * certificate. */
bool tls_certificate_facts(
    const struct tls_library *l, const struct ssl_st *ssl, struct tls_facts *f);

/* The shortest quiet time before the end of the input is passed on. */
#define TLS_MIN_QUIET_MS 100

/* The descriptors of the process. TLS_FD_HOLD is the other end of TLS_FD_PLAIN,
 * so that only shutdown(2) by sockt ends that, and not its death. TLS_FD_KEYS
 * is the file of SSLKEYLOGFILE, if there is one. */
enum {
	TLS_FD_TCP = 3,
	TLS_FD_PLAIN,
	TLS_FD_REPORT,
	TLS_FD_HOLD,
	TLS_FD_KEYS,
	TLS_FD_END
};

/* The process. request->host is the name that the certificate must have; "":
 * any. fds are those from TLS_FD_TCP on, in that order; -1: none. */
_Noreturn void tls_process_run(const struct tls_request *request,
    struct tls_context *context, const int fds[TLS_FD_END - TLS_FD_TCP]);

#endif
