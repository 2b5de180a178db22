/* The process that holds a TLS connection. */
#include "tls/internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/link.h"
#include "net/os.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/sock.h"
#include "tls/tls.h"

/* Four records of the greatest length. More costs memory and gains little. */
#define BUFFER (64 * 1024)
/* Received bytes are passed on in pieces of up to this size: smaller ones wake
 * sockt more often, larger ones do not fit into a user's send buffer. */
#define RECEIVED (256 * 1024)
/* The send buffer of the plain socket. */
#define PLAIN_BUFFER (512 * 1024)
/* With more unsent bytes, nothing is read: a peer could demand any number of
 * key updates without reading them. */
#define MAX_UNSENT (4 * BUFFER)
/* How long the peer may take to finish when sockt no longer reads. */
#define ABANDONED_MS 100
/* How long a server may take to reject a client's certificate, or a missing
 * one: in TLS 1.3 it does that after the handshake. */
#define REJECT_MS 1000

/* How long a peer behind a proxy may take to answer close_notify: many proxies
 * end both directions at a FIN, and its own close_notify would be lost. */
#define NOTIFY_MS 1000

/* The direction to the peer. */
enum sending {
	SENDING,
	SENDING_ENDED,    /* Sockt has written everything, and its end. */
	SENDING_NOTIFIED, /* close_notify was written, perhaps not sent. */
	SENDING_FINISHED, /* close_notify and FIN were sent. */
	SENDING_LOST      /* The peer accepts no more. */
};

/* The direction from the peer. */
enum receiving {
	RECEIVING,
	RECEIVING_ENDED, /* The peer has ended; the buffer may have data. */
	RECEIVING_DONE   /* Sockt has all data, and the end. */
};

struct tls_process {
	const struct tls_library *l;
	struct ssl *ssl;
	int tcp, plain, report; /* Its descriptors. */
	int key_log;            /* As in struct tls_context. */
	/* The bytes that libssl has written and that are not yet sent. It
	 * writes to memory, never to the connection, so that a sending
	 * direction that is blocked or has ended cannot fail the receiving one.
	 */
	struct bio *unsent;
	const struct tls_options *options;
	bool has_proxy;   /* The connection goes through a proxy. */
	const char *host; /* The certificate must have this name; "": any. */

	/* The state of both directions. */
	enum sending sending;
	enum receiving receiving;
	bool has_close_notify;  /* The peer's close_notify was received. */
	bool wants_certificate; /* The server has requested a certificate. */
	bool has_more;          /* libssl may have more received data. */
	/* The peer's certificate, if it was not accepted. */
	struct tls_certificate refused;

	/* The plain bytes that were received and not yet passed on. */
	unsigned char received[RECEIVED];
	size_t received_from, received_to;

	/* Totals and times. */
	uint64_t sent_bytes, received_bytes; /* This many plain bytes so far. */
	size_t notify_bytes; /* This side's close_notify has this length. */
	int64_t moved_ns;    /* Bytes last moved at this time. */
	/* Sockt no longer reads since this time; 0: it does. */
	int64_t abandoned_ns;

	/* What is reported. */
	struct tls_record record;
	struct err lost;
};

/* The only one: callbacks of libssl find it here. */
static struct tls_process process;

static void
info_callback(const struct ssl *ssl, int where, int result)
{
	(void)ssl;
	if (where == TLS_CALLBACK_READ_ALERT &&
	    result == TLS_ALERT_CLOSE_NOTIFY)
		process.has_close_notify = true;
}

/* Describes a certificate that is not accepted, for the error. */
static int
verify_callback(int is_good, struct store *store)
{
	struct tls_process *p = &process;
	struct x509 *x = p->l->X509_STORE_CTX_get_current_cert(store);

	if (!is_good && x != NULL)
		tls_library_describe(x, &p->refused);
	return is_good;
}

/* Accepts only the certificate of --tls-pin. */
static int
check_pin(struct store *store, void *pin)
{
	struct tls_process *p = &process;
	struct x509 *x = p->l->X509_STORE_CTX_get0_cert(store);

	if (x != NULL)
		tls_library_describe(x, &p->refused);
	if (x != NULL && strcmp(p->refused.sha256, pin) == 0)
		return 1;
	p->l->X509_STORE_CTX_set_error(store, TLS_VERIFY_BY_PIN);
	return 0;
}

/* Writes a line to the file of SSLKEYLOGFILE. */
static void
log_key(const struct ssl *ssl, const char *line)
{
	const char *text = text_format("%s\n", line);

	(void)ssl;
	(void)fd_write_all(process.key_log, text, strlen(text));
}

static int
certificate_callback(struct ssl *ssl, void *certificate, void *key)
{
	(void)ssl, (void)certificate, (void)key;
	process.wants_certificate = true;
	return 0;
}

static void
explain_certificate(const struct tls_process *p, long result, struct err *e)
{
	enum { NOT_YET = 9, EXPIRED = 10, OTHER_NAME = 62, OTHER_IP = 64 };
	const char *why = p->l->X509_verify_cert_error_string(result);
	bool is_server = p->options->is_server;
	const struct tls_certificate *c = &p->refused;

	if (result == TLS_VERIFY_BY_PIN) {
		err_set(e, ERR_PROTOCOL,
		    "the certificate is not accepted: its SHA-256 is %s "
		    "(--tls-pin)",
		    c->sha256);
		return;
	}
	err_set(e, ERR_PROTOCOL, "the %scertificate is not accepted: %s",
	    is_server ? "client's " : "", why);
	if (result == EXPIRED)
		(void)text_append(e->text, sizeof(e->text),
		    ": that of %s expired on %s", text_shown(c->subject),
		    c->not_after);
	else if (result == NOT_YET)
		(void)text_append(e->text, sizeof(e->text),
		    ": that of %s is valid from %s on", text_shown(c->subject),
		    c->not_before);
	if (is_server)
		return;
	if (result == OTHER_NAME || result == OTHER_IP)
		(void)text_append(e->text, sizeof(e->text),
		    ": it is not for %s%s%s (--tls-name sets another name, "
		    "--tls-insecure accepts any)",
		    p->host, c->names[0] == '\0' ? "" : ", but for ",
		    text_shown(c->names));
	else if (result == NOT_YET || result == EXPIRED)
		(void)text_append(
		    e->text, sizeof(e->text), " (--tls-insecure accepts any)");
	else
		(void)text_append(e->text, sizeof(e->text),
		    ": it is of %s, issued by %s (--tls-ca names a file with "
		    "the certificate to trust, --tls-insecure accepts any)",
		    text_shown(c->subject), text_shown(c->issuer));
}

/* Texts for libssl's reasons in a handshake. The texts for records and for the
 * peer's alerts (RFC 8446 6.2) apply at any time. */
static const struct {
	unsigned reason;
	const char *text, *of_server; /* For a server; NULL: text. */
} reasons[] = {
    {TLS_REASON_BAD_MAC, "a record was damaged or tampered with on the way",
	NULL},
    {TLS_REASON_NO_CERTIFICATE, NULL,
	"the client sent no certificate (--tls-client-ca)"},
    {TLS_REASON_HTTP_REQUEST, NULL,
	"the client speaks HTTP without TLS (an https:// URL uses it)"},
    {TLS_REASON_WRONG_VERSION, "the peer does not speak TLS on that port",
	"the client does not speak TLS"},
    {TLS_REASON_ALERT + 116, "the server demands a certificate (--tls-cert)",
	NULL},
};

/* Texts for no common version, by tls_options.version. */
static const char *const no_version[] = {
    "no common version (this side allows TLS 1.2 and up)",
    "no common version (--tls-version allows only TLS 1.2)",
    "no common version (--tls-version allows only TLS 1.3)"};

/* Returns the text for a reason of libssl, or NULL. */
static const char *
find_text(const struct tls_process *p, unsigned reason, bool in_handshake)
{
	size_t i;

	if (reason == TLS_REASON_ALERT + 70 ||
	    (reason == TLS_REASON_UNSUPPORTED && in_handshake))
		return no_version[p->options->version];
	if (!in_handshake && reason != TLS_REASON_BAD_MAC &&
	    reason < TLS_REASON_ALERT)
		return NULL;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].reason == reason)
			return p->options->is_server &&
				       reasons[i].of_server != NULL
				   ? reasons[i].of_server
				   : reasons[i].text;
	return NULL;
}

/* Whether a call that returned result has failed, with *e, or only needs more
 * of the peer. */
static bool
has_failed(
    const struct tls_process *p, int result, bool in_handshake, struct err *e)
{
	enum { BAD_CERTIFICATE = 42, UNKNOWN_AUTHORITY = 48 };
	int errnum = errno, kind = p->l->SSL_get_error(p->ssl, result);
	unsigned long code = p->l->ERR_peek_error();
	unsigned reason = (unsigned)(code & 0x7fffff),
		 alert = reason - TLS_REASON_ALERT;
	long verified = p->l->SSL_get_verify_result(p->ssl);
	const char *known, *text;

	if (kind == TLS_ERROR_WANT_READ)
		return false;
	text = p->l->ERR_reason_error_string(code);
	if (text == NULL)
		text = "libssl does not say why";
	/* Older servers use the general alert for a missing certificate. */
	if (alert == 40 && p->wants_certificate)
		reason = TLS_REASON_ALERT + 116;
	known = find_text(p, reason, in_handshake);
	if (kind == TLS_ERROR_SYSCALL && errnum != 0) {
		err_sys(e, ERR_LOST, errnum,
		    in_handshake ? "the handshake" : "the connection was lost");
	} else if (kind != TLS_ERROR_SSL ||
		   reason == TLS_REASON_UNEXPECTED_EOF) {
		err_set(e, in_handshake ? ERR_PROTOCOL : ERR_LOST, "%s",
		    in_handshake ? "the peer closed the connection during the "
				   "handshake"
				 : "the peer ended the connection without "
				   "ending TLS (close_notify): what it sent "
				   "may be incomplete");
		e->errnum = in_handshake ? ECONNRESET : 0;
	} else if (known != NULL) {
		err_set(e, ERR_PROTOCOL, "%s", known);
	} else if (reason == TLS_REASON_VERIFY && verified != 0) {
		explain_certificate(p, verified, e);
	} else if (alert >= BAD_CERTIFICATE && alert <= UNKNOWN_AUTHORITY) {
		err_set(e, ERR_PROTOCOL,
		    "the peer does not accept %s certificate: %s",
		    p->options->certificate != NULL ? "this side's" : "the",
		    text);
	} else {
		err_set(e, ERR_PROTOCOL, "%s: %s",
		    reason >= TLS_REASON_ALERT ? "the peer reports an error"
		    : in_handshake             ? "the handshake failed"
					       : "TLS ended with an error",
		    text);
	}
	return true;
}

/* Whether the peer must have an accepted certificate. */
static bool
is_verifying(const struct tls_options *o)
{
	return o->is_server ? o->ca != NULL : !o->is_insecure;
}

/* Sets the name to send and to verify, or the error. */
static void
set_name(struct tls_process *p)
{
	const char *name = p->host;
	struct addr ip;
	bool is_set;

	if (name[0] == '\0')
		return;
	p->l->SSL_set_hostflags(p->ssl, TLS_NO_PARTIAL_WILDCARDS);
	if (addr_parse_ip(&ip, name, 0))
		is_set =
		    p->l->X509_VERIFY_PARAM_set1_ip_asc(
			p->l->SSL_get0_param(p->ssl), addr_ip_text(&ip)) == 1;
	else
		is_set = p->l->SSL_ctrl(p->ssl, TLS_CTRL_SERVER_NAME, 0,
			     (void *)name) == 1 &&
			 p->l->SSL_set1_host(p->ssl, name) == 1;
	if (!is_set)
		err_set(&p->lost, ERR_PROTOCOL,
		    "libssl does not verify the name '%s'", name);
}

/* Nothing may follow the FIN, such as the answer to a key update. */
static size_t
unsent(const struct tls_process *p)
{
	return p->sending >= SENDING_FINISHED
		   ? 0
		   : (size_t)p->l->BIO_ctrl(
			 p->unsent, TLS_BIO_PENDING, 0, NULL);
}

/* Sends what the connection accepts. Returns 0, or -1 with errno. */
static int
send_unsent(struct tls_process *p)
{
	static char sent[2 * BUFFER];
	size_t left;
	ssize_t n;
	char *bytes;

	while ((left = unsent(p)) > 0) {
		(void)p->l->BIO_ctrl(p->unsent, TLS_BIO_BYTES, 0, &bytes);
		n = write(
		    p->tcp, bytes, left < sizeof(sent) ? left : sizeof(sent));
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		(void)p->l->BIO_read(p->unsent, sent, (int)n);
		p->moved_ns = clock_now();
	}
	p->record.sent = p->sent_bytes;
	return 0;
}

/* Waits for events of the connection. Exits if sockt has exited. */
static void
wait_connection(
    const struct tls_process *p, short events, struct deadline until)
{
	struct pollfd fds[2] = {{p->tcp, events, 0}, {p->report, 0, 0}};
	int n;

	do
		n = poll(fds, 2, deadline_poll_ms(until));
	while (n < 0 && errno == EINTR);
	deadline_looked(clock_now());
	if (fds[1].revents != 0)
		_exit(ERR_FAILED);
}

/* Libssl would report an older error again. */
static void
forget_errors(const struct tls_process *p)
{
	errno = 0;
	p->l->ERR_clear_error();
}

/* Whether the peer has acknowledged everything but the end: a peer that has
 * ended itself need not receive that. */
static bool
is_delivered(const struct tls_process *p)
{
	return p->sending == SENDING_FINISHED &&
	       sock_unacked_bytes(p->tcp) <= p->notify_bytes + 1;
}

/* Sends a record. Returns 0, or -1 if sockt has exited. */
static int
report(struct tls_process *p)
{
	uint64_t left = sock_unacked_bytes(p->tcp) + unsent(p),
		 end = p->sending == SENDING_FINISHED ? p->notify_bytes + 1 : 0;

	/* Unacknowledged encrypted bytes are counted as plain ones, so acked
	 * may be too low until everything is acknowledged. */
	left -= left < end ? left : end;
	left = left < p->sent_bytes ? left : p->sent_bytes;
	if (p->sent_bytes - left > p->record.seen.acked)
		p->record.seen.acked = p->sent_bytes - left;
	p->record.seen.written = p->sent_bytes;
	p->record.lost = p->lost;
	return fd_write_all(p->report, &p->record, sizeof(p->record));
}

/* The next write by sockt fails. errnum is the cause; 0: libssl knows it. */
static void
lose_sending(struct tls_process *p, int errnum)
{
	struct err e = ERR_INIT;

	if (errnum != 0)
		err_sys(&e, ERR_LOST, errnum, "the connection was lost");
	else
		(void)has_failed(p, -1, false, &e);
	p->sending = SENDING_LOST;
	if (p->lost.kind == ERR_NONE)
		p->lost = e;
	p->lost.kind = ERR_LOST;
	(void)sock_shut(p->plain, SHUT_RD);
}

/* The peer sends nothing more; *e is the error of SSL_read(). */
static void
finish_receiving(struct tls_process *p, struct err *e)
{
	p->receiving = RECEIVING_ENDED;
	if (p->has_close_notify)
		return;
	/* A failed send may have consumed the reset. */
	if (e->kind == ERR_LOST && e->errnum == 0 &&
	    p->sending != SENDING_FINISHED && sock_is_closed(p->tcp))
		err_sys(e, ERR_LOST, ECONNRESET, "the connection was lost");
	/* No data was exchanged, or sockt would not read what is missing. */
	if (e->kind == ERR_LOST &&
	    ((e->errnum == 0 && p->received_bytes + p->sent_bytes == 0) ||
		(p->abandoned_ns != 0 && is_delivered(p))))
		return;
	/* A failed send is the cause of the end. */
	if (p->lost.kind == ERR_NONE)
		p->lost = *e;
	/* After a bare FIN, data can be sent; otherwise only the alert. */
	if (e->errnum == 0 && e->kind == ERR_LOST)
		return;
	(void)send_unsent(p);
	if (p->sending != SENDING_FINISHED)
		p->sending = SENDING_LOST;
}

static void
read_peer(struct tls_process *p)
{
	struct err e = ERR_INIT;
	int n;

	p->has_more = false;
	while (p->receiving == RECEIVING && p->received_to < RECEIVED) {
		forget_errors(p);
		n = p->l->SSL_read(p->ssl, p->received + p->received_to,
		    (int)(RECEIVED - p->received_to));
		if (n <= 0) {
			if (has_failed(p, n, false, &e))
				finish_receiving(p, &e);
			return;
		}
		p->received_to += (size_t)n;
		p->received_bytes += (uint64_t)n;
		p->moved_ns = clock_now();
	}
	p->has_more = true;
}

/* Reports that the handshake has failed, and exits. */
static _Noreturn void
fail_handshake(struct tls_process *p, struct tls_facts *f)
{
	struct os_tcp tcp;

	f->failure = p->lost;
	f->is_peer_first =
	    p->lost.errnum == ECONNRESET ||
	    (os_tcp_info(p->tcp, &tcp) && (tcp.peer_finished || tcp.is_closed));
	f->is_probe = p->options->is_server && p->ssl != NULL &&
		      p->lost.errnum == ECONNRESET &&
		      p->l->BIO_number_read(p->l->SSL_get_rbio(p->ssl)) == 0;
	(void)fd_write_all(p->report, f, sizeof(*f));
	_exit((int)p->lost.kind);
}

/* Makes the SSL of the process; or sets p->lost. */
static void
open_ssl(struct tls_process *p, struct tls_context *context)
{
	const struct tls_library *l = p->l;
	const struct tls_options *o = p->options;

	l->SSL_CTX_set_info_callback(context->ssl, info_callback);
	if (is_verifying(o))
		l->SSL_CTX_set_verify(context->ssl,
		    TLS_VERIFY_PEER | (o->is_server ? TLS_VERIFY_REQUIRED : 0),
		    verify_callback);
	if (o->pin[0] != '\0')
		l->SSL_CTX_set_cert_verify_callback(
		    context->ssl, check_pin, (void *)o->pin);
	if (context->key_log >= 0)
		l->SSL_CTX_set_keylog_callback(context->ssl, log_key);
	if (!o->is_server && o->certificate == NULL)
		l->SSL_CTX_set_client_cert_cb(
		    context->ssl, certificate_callback);
	p->unsent = l->BIO_new(l->BIO_s_mem());
	p->ssl = l->SSL_new(context->ssl);
	if (p->unsent == NULL || p->ssl == NULL ||
	    l->SSL_set_rfd(p->ssl, p->tcp) != 1 ||
	    ((o->certificate != NULL || o->is_self) && context->key != NULL &&
		l->SSL_use_PrivateKey(p->ssl, context->key) != 1)) {
		err_set(
		    &p->lost, ERR_FAILED, "libssl cannot make a connection");
		return;
	}
	l->SSL_set0_wbio(p->ssl, p->unsent);
	if (!o->is_server)
		set_name(p);
}

static void
set_facts(const struct tls_process *p, struct tls_facts *f)
{
	const struct tls_library *l = p->l;
	struct x509 *peer = l->SSL_get1_peer_certificate(p->ssl);
	const unsigned char *alpn = NULL;
	long verified = l->SSL_get_verify_result(p->ssl);
	unsigned n = 0;

	snprintf(
	    f->protocol, sizeof(f->protocol), "%s", l->SSL_get_version(p->ssl));
	snprintf(f->cipher, sizeof(f->cipher), "%s",
	    l->SSL_CIPHER_get_name(l->SSL_get_current_cipher(p->ssl)));
	l->SSL_get0_alpn_selected(p->ssl, &alpn, &n);
	snprintf(f->alpn, sizeof(f->alpn), "%.*s", (int)n, (const char *)alpn);
	f->has_peer = peer != NULL;
	if (!f->has_peer)
		return;
	tls_library_describe(peer, &f->peer);
	if (verified != 0)
		snprintf(f->unverified, sizeof(f->unverified), "%s",
		    l->X509_verify_cert_error_string(verified));
}

static void
handshake(
    struct tls_process *p, struct tls_context *context, struct tls_facts *f)
{
	const struct tls_options *o = p->options;
	bool is_server = o->is_server, has_certificate = o->certificate != NULL,
	     waits;
	int n, errnum = 0;

	open_ssl(p, context);
	if (p->lost.kind != ERR_NONE)
		fail_handshake(p, f);
	for (;;) {
		forget_errors(p);
		n = is_server ? p->l->SSL_accept(p->ssl)
			      : p->l->SSL_connect(p->ssl);
		if (n == 1)
			break;
		waits = !has_failed(p, n, true, &p->lost);
		if (waits && errnum != 0)
			err_sys(&p->lost, ERR_LOST, errnum, "the handshake");
		/* If sending fails, the peer may have sent the reason. */
		errnum = send_unsent(p) < 0 ? errno : 0;
		if (p->lost.kind != ERR_NONE) {
			/* The peer gets the alert, not a reset. */
			sock_reset_on_close(p->tcp, false);
			fail_handshake(p, f);
		}
		wait_connection(p, unsent(p) > 0 ? POLLIN | POLLOUT : POLLIN,
		    deadline_none());
	}
	(void)send_unsent(p);
	set_facts(p, f);
	/* OPENSSL_CONF may allow a handshake without a certificate. */
	if (!f->has_peer && is_verifying(o))
		err_set(&p->lost, ERR_PROTOCOL, "the peer has no certificate");
	else if (o->min_days > 0)
		(void)tls_library_check_days(
		    is_verifying(o) && o->pin[0] == '\0'
			? p->l->SSL_get0_verified_chain(p->ssl)
			: p->l->SSL_get_peer_cert_chain(p->ssl),
		    o->min_days, &p->lost);
	if (p->lost.kind != ERR_NONE)
		fail_handshake(p, f);
	/* In TLS 1.3 the handshake of a client ends before the server has seen
	 * its certificate: waits for the first record. */
	if (!is_server && (p->wants_certificate || has_certificate) &&
	    strcmp(f->protocol, "TLSv1.3") == 0) {
		wait_connection(p, POLLIN, deadline_after(REJECT_MS));
		read_peer(p);
		if (p->lost.kind != ERR_NONE)
			fail_handshake(p, f);
	}
	f->is_secured = true;
	if (fd_write_all(p->report, f, sizeof(*f)) < 0)
		_exit(ERR_FAILED);
	p->l->SSL_certs_clear(p->ssl);
	tls_library_drop_keys();
}

/* Whether a message of the handshake, as a ticket, has come in part: libssl
 * sends nothing until the rest has. */
static bool
is_interrupted(const struct tls_process *p)
{
	return p->receiving == RECEIVING && p->l->SSL_in_init(p->ssl) != 0;
}

/* Encrypts data, once earlier data is sent. Returns whether there was any. */
static bool
read_input(struct tls_process *p)
{
	static unsigned char plain[BUFFER];
	ssize_t n;

	if (p->sending != SENDING || unsent(p) > 0 || is_interrupted(p))
		return false;
	n = read(p->plain, plain, sizeof(plain));
	if (n == 0)
		p->sending = SENDING_ENDED;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		_exit(ERR_FAILED);
	if (n <= 0)
		return false;
	forget_errors(p);
	if (p->l->SSL_write(p->ssl, plain, (int)n) != (int)n) {
		lose_sending(p, 0);
		return false;
	}
	p->sent_bytes += (uint64_t)n;
	p->moved_ns = clock_now();
	return true;
}

/* Passes the end of the input on: close_notify and, once that is sent, FIN. */
static void
send_close_notify(struct tls_process *p)
{
	size_t before = unsent(p);

	if (p->sending != SENDING_ENDED || is_interrupted(p))
		return;
	/* A second call would read. */
	forget_errors(p);
	if (p->l->SSL_shutdown(p->ssl) < 0) {
		lose_sending(p, 0);
		return;
	}
	p->notify_bytes = unsent(p) - before;
	p->sending = SENDING_NOTIFIED;
}

/* When FIN follows close_notify; none while that is not sent. */
static struct deadline
fin_deadline(const struct tls_process *p)
{
	if (p->sending != SENDING_NOTIFIED || unsent(p) > 0)
		return deadline_none();
	if (!p->has_proxy || p->receiving != RECEIVING || p->abandoned_ns != 0)
		return deadline_from(0, 0);
	return deadline_from(p->moved_ns, NOTIFY_MS);
}

static void
send_output(struct tls_process *p)
{
	if (p->sending >= SENDING_FINISHED) {
		(void)p->l->BIO_ctrl(p->unsent, TLS_BIO_RESET, 0, NULL);
	} else if (send_unsent(p) < 0) {
		lose_sending(p, errno);
		/* A peer that is still there must not wait for the rest. */
		(void)sock_finish(p->tcp);
	} else if (deadline_passed(fin_deadline(p))) {
		(void)sock_finish(p->tcp);
		p->sending = SENDING_FINISHED;
	}
}

/* Sockt has closed the connection without an end: sends the data that it had
 * written, as the system does without TLS, and resets the connection. */
static _Noreturn void
abandon(struct tls_process *p)
{
	do
		send_output(p);
	while (read_input(p));
	_exit(ERR_FAILED);
}

/* Passes received data on, and then the peer's end. */
static void
write_received(struct tls_process *p)
{
	ssize_t n;

	while (p->received_from < p->received_to && p->abandoned_ns == 0) {
		n = write(p->plain, p->received + p->received_from,
		    p->received_to - p->received_from);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0 && errno != EPIPE)
			abandon(p);
		if (n < 0) {
			p->abandoned_ns = clock_now();
			break;
		}
		p->received_from += (size_t)n;
		p->moved_ns = clock_now();
	}
	p->received_from = p->received_to = 0;
	if (p->receiving != RECEIVING_ENDED)
		return;
	p->receiving = RECEIVING_DONE;
	if (p->lost.kind == ERR_NONE) {
		if (p->abandoned_ns == 0)
			p->record.facts |= TLS_FACT_CLOSED;
		/* Only a probe finds that a peer has vanished. */
		if (p->sending != SENDING_FINISHED)
			sock_start_keepalive(p->tcp);
	}
	if (report(p) < 0)
		abandon(p);
	(void)sock_shut(p->plain, SHUT_WR);
}

/* Whether only acknowledgements are missing. */
static bool
awaits_acks(const struct tls_process *p)
{
	return p->sending == SENDING_FINISHED &&
	       (p->receiving == RECEIVING_DONE || p->abandoned_ns != 0);
}

/* Whether the peer has acknowledged everything, or the connection is lost. */
static bool
is_finished(struct tls_process *p)
{
	bool is_read = p->receiving == RECEIVING_DONE;

	if (p->sending == SENDING_LOST)
		return is_read;
	if (!awaits_acks(p) || !sock_is_acked(p->tcp))
		return false;
	if (!is_delivered(p) && p->lost.kind == ERR_NONE)
		err_sys(
		    &p->lost, ERR_LOST, ECONNRESET, "the connection was lost");
	return is_read ||
	       deadline_passed(deadline_from(p->abandoned_ns, ABANDONED_MS));
}

static void
wait_events(struct tls_process *p)
{
	struct pollfd fds[3] = {
	    {p->tcp, 0, 0}, {p->plain, 0, 0}, {p->report, POLLIN, 0}};
	struct deadline until = fin_deadline(p);
	bool has_received = p->received_from < p->received_to,
	     is_watched =
		 p->receiving != RECEIVING && p->sending < SENDING_FINISHED;
	char request;
	int errnum;

	if (unsent(p) > 0)
		fds[0].events |= POLLOUT;
	if (p->receiving == RECEIVING && !has_received &&
	    unsent(p) < MAX_UNSENT)
		fds[0].events |= POLLIN;
	if (p->sending == SENDING && unsent(p) == 0 && !is_interrupted(p))
		fds[1].events |= POLLIN;
	if (has_received)
		fds[1].events |= POLLOUT;
	/* poll(2) would report a known hang-up again and again. */
	if (fds[0].events == 0 && !is_watched)
		fds[0].fd = -1;
	if (fds[1].events == 0 &&
	    (p->receiving != RECEIVING || p->abandoned_ns != 0))
		fds[1].fd = -1;
	/* poll(2) does not see data that libssl has. */
	if (p->has_more && (fds[0].events & POLLIN) != 0)
		until = deadline_after(0);
	if (awaits_acks(p))
		until = deadline_first(until, sock_recheck(p->moved_ns));
	if (poll(fds, 3, deadline_poll_ms(until)) < 0)
		return;
	deadline_looked(clock_now());
	if (fds[2].revents != 0) {
		/* What sockt has written before counts. */
		(void)read_input(p);
		(void)os_tcp_info(p->tcp, &p->record.seen.tcp);
		if (read(p->report, &request, 1) != 1 || report(p) < 0)
			abandon(p);
	}
	if (fds[1].fd >= 0 && (fds[1].revents & (POLLHUP | POLLERR)) != 0 &&
	    p->abandoned_ns == 0)
		p->abandoned_ns = clock_now();
	/* The peer has ended, and then vanished. */
	if (is_watched && (fds[0].revents & (POLLERR | POLLHUP)) != 0) {
		errnum = sock_error(p->tcp);
		lose_sending(p, errnum != 0 ? errnum : ECONNRESET);
	}
}

/* Sets up the descriptors of the process and its signals. */
static void
set_up(struct tls_process *p, int hold)
{
	static const int ignored[] = {
	    SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTERM};
	const int kept[] = {p->tcp, p->plain, p->report, p->key_log, hold};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	size_t i, count = sizeof(kept) / sizeof(kept[0]);
	int fd, end = 0;

	/* Sockt handles signals, and its end ends this process. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
	for (i = 0; i < count; i++)
		end = kept[i] < end ? end : kept[i] + 1;
	proc_close_from(end);
	for (fd = STDERR_FILENO + 1; fd < end; fd++) {
		for (i = 0; i < count && kept[i] != fd;)
			i++;
		if (i == count)
			(void)close(fd);
	}
	/* The other ends of stdin and stdout must see sockt close them. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	fd_reserve_standard();
	/* Until the end is orderly, any exit of this process is a reset. */
	sock_reset_on_close(p->tcp, true);
	if (sock_nonblocking(p->tcp, true) < 0 ||
	    sock_nonblocking(p->plain, true) < 0)
		err_sys(&p->lost, ERR_FAILED, errno, "the connection");
	(void)sock_set_quietly(p->plain, SOL_SOCKET, SO_SNDBUF, PLAIN_BUFFER);
}

_Noreturn void
tls_process_run(const struct tls_options *o, struct tls_context *context,
    const char *host, bool has_proxy, int tcp, const int plain[2],
    int report_fd)
{
	static struct tls_facts facts;
	struct tls_process *p = &process;

	p->options = o;
	p->host = host;
	p->has_proxy = has_proxy;
	p->l = tls_library_load(&p->lost);
	p->tcp = tcp;
	p->plain = plain[1];
	p->report = report_fd;
	p->key_log = context->key_log;
	set_up(p, plain[0]);
	handshake(p, context, &facts);
	sandbox_enter_transfer();
	p->moved_ns = clock_now();
	p->has_more = true;
	while (!is_finished(p)) {
		wait_events(p);
		(void)read_input(p);
		send_close_notify(p);
		if (p->received_to == 0 && unsent(p) < MAX_UNSENT)
			read_peer(p);
		send_output(p);
		write_received(p);
	}
	if (p->lost.kind == ERR_NONE)
		sock_reset_on_close(p->tcp, false);
	p->record.facts |= TLS_FACT_LAST;
	(void)report(p);
	_exit((int)p->lost.kind);
}
