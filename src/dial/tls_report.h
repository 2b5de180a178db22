/* What openssl and the process that runs it say about a TLS connection. */
#ifndef DIAL_TLS_REPORT_H
#define DIAL_TLS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The first word of the lines that the process itself writes to the stderr that
 * it shares with openssl: "sockt: KIND UNDELIVERED TEXT", an enum err_kind
 * (ERR_NONE if the connection was lost after the peer's FIN) and a number of
 * bytes.
 */
#define TLS_REPORT_PREFIX "sockt: "

/* Each text is what openssl writes, not escaped; "": nothing yet. */
struct tls_report {
	char protocol[32], cipher[64], certificate[256];
	char verification[160]; /* "OK", or why not */
	char rejected[160];     /* why the certificate is not accepted */
	char reason[160];       /* of the last error of the library */
	char failure[256];      /* the error of the process */
	enum err_kind kind; /* its kind; ERR_NONE: lost after the peer's FIN */
	uint64_t undelivered; /* bytes, if the connection was lost */
	bool is_complete;     /* the handshake is done */
	bool is_done;         /* the end of the input ended the connection */
	bool is_old;          /* openssl lacks an option */
	bool is_bad_file;     /* the file of --tls-ca has no certificate */
};

/* Reads a line of stderr. */
void tls_report_add(struct tls_report *r, const char *line);

/* Sets *e to why the handshake failed. Returns -1. */
int tls_report_handshake(
    const struct tls_report *r, const char *ca_file, struct err *e);

/*
 * Checks how the connection ended; status is the exit status of the process.
 * Returns 0, or -1 with *e.
 */
int tls_report_end(const struct tls_report *r, int status, struct err *e);

#endif
