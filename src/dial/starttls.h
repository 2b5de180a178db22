/*
 * Requests for TLS in plain protocols, which precede its handshake: RFC 3207
 * (SMTP), RFC 2595 (IMAP and POP3), RFC 4217 (FTP), and the message flow of
 * PostgreSQL.
 */
#ifndef DIAL_STARTTLS_H
#define DIAL_STARTTLS_H

#include "base/deadline.h"

struct err;
struct link;

enum starttls {
	STARTTLS_NONE,
	STARTTLS_SMTP,
	STARTTLS_IMAP,
	STARTTLS_POP3,
	STARTTLS_FTP,
	STARTTLS_POSTGRES
};

/* Their names after STARTTLS_NONE, for an OPT_CHOICE (cli/command.h). */
extern const char *const starttls_names[];

/*
 * Requests TLS from the server at the other end of l, which speaks the
 * protocol, and reports that. Returns 0 when the handshake may follow, with no
 * data left in the socket; or -1 with *e: ERR_PEER if the server declines,
 * ERR_PROTOCOL if it does not speak the protocol, or sent data after its
 * agreement, which would look protected by TLS; ERR_LOST, ERR_TIMEOUT, or
 * ERR_FAILED with EINTR after a caught signal.
 */
int starttls_open(enum starttls protocol, struct link *l, struct deadline until,
    struct err *e);

#endif
