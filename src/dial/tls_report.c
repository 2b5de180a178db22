/* Reads what openssl says about a TLS connection. */
#include "dial/tls_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* If no more bytes are lost than the record that ends the TLS may have, only
 * that record met a peer that had closed the connection already. */
#define MAX_LAST_RECORD 128

/* If line begins with prefix, copies the rest to dst. */
static bool
copy_after(char *dst, size_t size, const char *line, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(line, prefix, n) != 0)
		return false;
	snprintf(dst, size, "%s", line + n);
	return true;
}

/* "ID:error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:MORE" */
static void
add_error(struct tls_report *r, const char *line)
{
	const char *at = strstr(line, ":error:");
	int i;

	for (i = 0; at != NULL && i < 4; i++)
		at = strchr(at + 1, ':');
	if (at == NULL)
		return;
	snprintf(r->reason, sizeof(r->reason), "%.*s",
	    (int)strcspn(at + 1, ":"), at + 1);
	if (strstr(line, "X509_load") != NULL ||
	    strstr(line, "by_file") != NULL)
		r->is_bad_file = true;
}

/* A line of tls_process_run(). */
static void
add_failure(struct tls_report *r, const char *line)
{
	char *at;

	r->kind =
	    (enum err_kind)strtol(line + strlen(TLS_REPORT_PREFIX), &at, 10);
	r->undelivered = strtoull(at, &at, 10);
	snprintf(r->failure, sizeof(r->failure), "%s", at + (*at == ' '));
}

void
tls_report_add(struct tls_report *r, const char *line)
{
	const char *at;

	if (strncmp(line, TLS_REPORT_PREFIX, strlen(TLS_REPORT_PREFIX)) == 0)
		add_failure(r, line);
	else if (strstr(line, ":error:") != NULL)
		add_error(r, line);
	else if (strncmp(line, "verify error:", 13) == 0 &&
		 (at = strchr(line + 13, ':')) != NULL)
		snprintf(r->rejected, sizeof(r->rejected), "%s", at + 1);
	else if (strstr(line, "nknown option") != NULL)
		r->is_old = true;
	else if (strcmp(line, "DONE") == 0)
		r->is_done = true;
	else if (strcmp(line, "No peer certificate") == 0 ||
		 copy_after(r->verification, sizeof(r->verification), line,
		     "Verification: ") ||
		 copy_after(r->verification, sizeof(r->verification), line,
		     "Verification error: "))
		r->is_complete = true;
	else if (!copy_after(r->protocol, sizeof(r->protocol), line,
		     "Protocol version: ") &&
		 !copy_after(
		     r->cipher, sizeof(r->cipher), line, "Ciphersuite: "))
		(void)copy_after(r->certificate, sizeof(r->certificate), line,
		    "Peer certificate: ");
}

static bool
has(const struct tls_report *r, const char *reason)
{
	return strstr(r->reason, reason) != NULL;
}

/* Whether the last error is a TCP connection that ended within TLS. */
static bool
is_truncated(const struct tls_report *r)
{
	return has(r, "unexpected eof");
}

/* Whether the peer does not speak TLS. */
static bool
is_other_protocol(const struct tls_report *r)
{
	return has(r, "wrong version number") || has(r, "packet length") ||
	       has(r, "unknown protocol") || has(r, "record layer failure");
}

/* Sets *e to the last error: an alert, for example. */
static int
library_error(const struct tls_report *r, const char *what, struct err *e)
{
	return err_set(e, ERR_PROTOCOL, "%s: %s", what,
	    r->reason[0] == '\0' ? "openssl does not say why"
				 : text_shown(r->reason));
}

/* The error of the process; a lost connection has an errno as elsewhere. */
static int
process_error(const struct tls_report *r, struct err *e)
{
	err_set(e, r->kind == ERR_NONE ? ERR_LOST : r->kind, "%s", r->failure);
	if (e->kind == ERR_LOST)
		e->errnum = ECONNRESET;
	return -1;
}

int
tls_report_handshake(
    const struct tls_report *r, const char *ca_file, struct err *e)
{
	if (r->rejected[0] != '\0')
		return err_set(e, ERR_PROTOCOL,
		    "the certificate is not accepted: %s (--tls-ca names a "
		    "file with the certificate to trust, --tls-insecure "
		    "accepts any)",
		    text_shown(r->rejected));
	if (r->failure[0] != '\0' && r->kind != ERR_NONE &&
	    (r->reason[0] == '\0' || is_truncated(r)))
		return process_error(r, e);
	if (r->is_old)
		return err_set(e, ERR_FAILED,
		    "the openssl in PATH is too old, or another program; "
		    "version 3.0 or newer is needed");
	if (r->is_bad_file && ca_file != NULL)
		return err_set(e, ERR_OUTPUT,
		    "no certificate can be read from %s (--tls-ca)",
		    text_shown(ca_file));
	if (is_truncated(r) || r->reason[0] == '\0') {
		err_set(e, ERR_PROTOCOL,
		    "the peer closed the connection during the handshake");
		e->errnum = ECONNRESET;
		return -1;
	}
	if (is_other_protocol(r))
		return err_set(e, ERR_PROTOCOL,
		    "the peer does not speak TLS on that port");
	return library_error(r, "the handshake failed", e);
}

int
tls_report_end(const struct tls_report *r, int status, struct err *e)
{
	bool is_lost =
	    r->failure[0] != '\0' && (r->undelivered > MAX_LAST_RECORD ||
					 (r->is_done && r->kind != ERR_NONE));

	if (status == 0 && !is_lost)
		return 0;
	if (is_lost || (r->failure[0] != '\0' && r->kind != ERR_NONE))
		return process_error(r, e);
	if (is_truncated(r) || r->reason[0] == '\0')
		return err_set(e, ERR_LOST,
		    "the peer ended the connection without ending TLS "
		    "(close_notify): what it sent may be incomplete");
	return library_error(r, "TLS ended with an error", e);
}
