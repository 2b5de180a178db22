/* TLS on a connection: the process that holds it, and what that reports. */
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/sock.h"
#include "net/wait.h"
#include "tls/tls_library.h"

/* Four records of the longest kind: more costs every connection memory, and
 * gains little. */
#define BUFFER (64 * 1024)
/* The send buffer of the plain socket. */
#define PLAIN_BUFFER (512 * 1024)
/* How often to check whether everything was acknowledged, at most. */
#define RECHECK_MS 20
/* How long the peer may take to finish when nobody reads any more. */
#define ABANDONED_MS 100
/* How long a server may take to reject a client's certificate, or the lack of
 * one; in TLS 1.3 it does that after the handshake. */
#define REJECT_MS 1000

/*
 * What the process reports, in one piece: when the handshake is done; before
 * the end of the plain bytes, why they end; and when it exits.
 */
struct report {
	/* What the handshake has agreed on; "": nothing. */
	char protocol[16], cipher[64], alpn[256];
	char subject[400], issuer[400]; /* of the peer's certificate */
	int days;                       /* until that expires */
	char unverified[160]; /* why the certificate would not be accepted */
	bool is_secured;      /* the handshake is done */
	bool is_closed;   /* the peer has ended TLS (close_notify), or nothing
			     was ever sent */
	bool has_dropped; /* it did so when this side had ended, and sent
			     nothing */
	bool is_last;
	struct err lost; /* why the connection was lost, and something may be
			    missing, or why there is none; or ERR_NONE */
};

/* So that it is written and read in one piece. */
_Static_assert(sizeof(struct report) <= PIPE_BUF, "of a pipe");

struct tls {
	struct proc *process;
	int reports; /* a pipe from it; that this end is closed ends it */
	int hold; /* a copy of the plain socket: closing that does not end it */
	struct report r;  /* the last */
	const char *name; /* of the peer, owned */
};

/* The descriptors of the process, from this one on. FD_HOLD is the other end of
 * FD_PLAIN: that is only shut down by sockt, and not by its death. */
enum { FD_TCP = 3, FD_PLAIN, FD_REPORT, FD_HOLD, FD_END };

struct buffer {
	unsigned char bytes[BUFFER];
	size_t from, to;
	uint64_t total; /* bytes that left it */
	short wants;    /* events of the connection that it waits for; 0: it
			   can go on at once */
};

/* The only one of the process: libssl's callbacks get no context. */
static struct {
	const struct tls_library *l;
	struct ssl_st *ssl;
	const struct tls_request *request;
	char name[256];         /* that the certificate must have; "": none */
	struct buffer up, down; /* to the peer, and from it */
	bool input_ended;       /* sockt has sent everything */
	bool is_finishing;      /* that it has waits for the connection */
	bool is_finished;       /* and the peer has close_notify and FIN */
	bool send_lost;         /* the peer accepts no more */
	bool peer_ended;        /* nothing more will come from it */
	bool is_abandoned;      /* nobody reads what comes */
	bool has_close_notify;  /* the peer's */
	bool asks_certificate;  /* the server asks for one */
	uint64_t notify_bytes;  /* length of this side's close_notify */
	int64_t moved_ns;       /* when bytes last moved */
	int64_t abandoned_ns;
	struct report r;
} p;

static _Noreturn void cut(void);

static void
report(void)
{
	/* If nobody reads it any more, sockt has gone. */
	if (fd_write_all(FD_REPORT, &p.r, sizeof(p.r)) < 0)
		cut();
}

static _Noreturn void
leave(void)
{
	p.r.is_last = true;
	report();
	_exit((int)p.r.lost.kind);
}

static void
note_info(const struct ssl_st *ssl, int where, int result)
{
	(void)ssl;
	if (where == TLS_CALLBACK_READ_ALERT &&
	    result == TLS_ALERT_CLOSE_NOTIFY)
		p.has_close_notify = true;
}

static int
note_request(struct ssl_st *ssl, void *certificate, void *key)
{
	(void)ssl, (void)certificate, (void)key;
	p.asks_certificate = true;
	return 0;
}

static void
explain_certificate(long result, struct err *e)
{
	enum { NOT_YET = 9, EXPIRED = 10, OTHER_NAME = 62, OTHER_IP = 64 };
	const char *why = p.l->X509_verify_cert_error_string(result);
	bool is_server = p.request->options->is_server;

	err_set(e, ERR_PROTOCOL, "the %scertificate is not accepted: %s",
	    is_server ? "client's " : "", why);
	if (is_server)
		return;
	if (result == OTHER_NAME || result == OTHER_IP)
		(void)text_append(e->text, sizeof(e->text),
		    ": it is not for %s (--tls-name sets another name, "
		    "--tls-insecure accepts any)",
		    p.name);
	else if (result == NOT_YET || result == EXPIRED)
		(void)text_append(
		    e->text, sizeof(e->text), " (--tls-insecure accepts any)");
	else
		(void)text_append(e->text, sizeof(e->text),
		    " (--tls-ca names a file with the certificate to trust, "
		    "--tls-insecure accepts any)");
}

/* What libssl's reasons mean; only in a handshake, but for those of records and
 * the peer's alerts (RFC 8446 6.2). */
static const struct {
	unsigned reason;
	const char *text, *of_server; /* NULL: the same */
} reasons[] = {
    {TLS_REASON_BAD_MAC, "a record was damaged or tampered with on the way",
	NULL},
    {TLS_REASON_NO_CERTIFICATE, NULL,
	"the client sent no certificate (--tls-client-ca)"},
    {TLS_REASON_HTTP_REQUEST, NULL,
	"the client speaks HTTP without TLS (an https:// URL uses it)"},
    {TLS_REASON_WRONG_VERSION, "the peer does not speak TLS on that port",
	"the client does not speak TLS"},
    {TLS_REASON_UNSUPPORTED, "the peer supports no version from TLS 1.2 on",
	NULL},
    {TLS_REASON_ALERT + 70,
	"the peer supports no version from TLS 1.2 on, or demands a newer one",
	NULL},
    {TLS_REASON_ALERT + 116, "the server demands a certificate (--tls-cert)",
	NULL},
};

/*
 * Sets *e to why a call failed, from the result of SSL_get_error() and errno.
 */
static void
explain(int kind, int errnum, bool in_handshake, struct err *e)
{
	enum { BAD_CERTIFICATE = 42, UNKNOWN_AUTHORITY = 48 };
	unsigned long code = p.l->ERR_peek_error();
	unsigned reason = (unsigned)(code & 0x7fffff),
		 alert = reason - TLS_REASON_ALERT;
	long verified = p.l->SSL_get_verify_result(p.ssl);
	bool is_server = p.request->options->is_server;
	const char *known = NULL, *text = p.l->ERR_reason_error_string(code);
	size_t i;

	if (text == NULL)
		text = "libssl does not say why";
	/* An older server has no alert of its own for that. */
	if (alert == 40 && p.asks_certificate)
		reason = TLS_REASON_ALERT + 116;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].reason == reason &&
		    (in_handshake || reason == TLS_REASON_BAD_MAC ||
			reason >= TLS_REASON_ALERT))
			known = is_server && reasons[i].of_server != NULL
				    ? reasons[i].of_server
				    : reasons[i].text;
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
		explain_certificate(verified, e);
	} else if (alert >= BAD_CERTIFICATE && alert <= UNKNOWN_AUTHORITY) {
		err_set(e, ERR_PROTOCOL,
		    "the peer does not accept %s certificate: %s",
		    p.request->options->certificate != NULL ? "this side's"
							    : "the",
		    text);
	} else {
		err_set(e, ERR_PROTOCOL, "%s: %s",
		    reason >= TLS_REASON_ALERT ? "the peer reports an error"
		    : in_handshake             ? "the handshake failed"
					       : "TLS ended with an error",
		    text);
	}
}

/*
 * Waits for events of the connection, until the deadline, and that sockt is
 * there: otherwise exits, and thereby resets the connection.
 */
static void
wait_connection(short events, struct deadline until)
{
	struct pollfd fds[2] = {{FD_TCP, events, 0}, {FD_REPORT, 0, 0}};
	int n;

	do
		n = poll(fds, 2, deadline_poll_ms(until));
	while (n < 0 && errno == EINTR);
	deadline_looked(clock_now());
	if ((fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		_exit(ERR_FAILED);
}

/* The events that a failed call waits for, or 0 and *e. */
static short
wanted(int result, bool in_handshake, struct err *e)
{
	int errnum = errno, kind = p.l->SSL_get_error(p.ssl, result);

	if (kind == TLS_ERROR_WANT_READ)
		return POLLIN;
	if (kind == TLS_ERROR_WANT_WRITE)
		return POLLOUT;
	explain(kind, errnum, in_handshake, e);
	return 0;
}

/* An older error would be reported again. */
static void
forget_errors(void)
{
	errno = 0;
	p.l->ERR_clear_error();
}

static void
read_peer(void)
{
	struct buffer *b = &p.down;
	struct err e = ERR_INIT;
	int n;

	b->wants = 0;
	while (!p.peer_ended && b->to < sizeof(b->bytes)) {
		forget_errors();
		n = p.l->SSL_read(
		    p.ssl, b->bytes + b->to, (int)(sizeof(b->bytes) - b->to));
		if (n > 0) {
			b->to += (size_t)n;
			p.moved_ns = clock_now();
			continue;
		}
		b->wants = wanted(n, false, &e);
		if (b->wants != 0)
			return;
		p.peer_ended = true;
		if (p.has_close_notify)
			return;
		/* libssl may have got the reset when it sent, and told nobody.
		 */
		if (e.kind == ERR_LOST && e.errnum == 0 && !p.is_finished &&
		    sock_is_closed(FD_TCP))
			err_sys(&e, ERR_LOST, ECONNRESET,
			    "the connection was lost");
		/* Nothing can be missing of nothing. */
		if (e.kind == ERR_LOST && e.errnum == 0 &&
		    b->total + b->to + p.up.total == 0)
			return;
		/* After a failed send the end has no cause of its own. */
		if (p.r.lost.kind == ERR_NONE)
			p.r.lost = e;
		/* Only after a bare FIN something can still be sent. */
		p.send_lost =
		    p.send_lost || e.errnum != 0 || e.kind != ERR_LOST;
	}
}

/* Sets text to a name of a certificate, in UTF-8. */
static void
print_name(char *text, size_t size, const struct X509_name_st *name)
{
	struct bio_st *bio = p.l->BIO_new(p.l->BIO_s_mem());
	int n;

	if (bio == NULL)
		return;
	n = p.l->X509_NAME_print_ex(bio, name, 0, TLS_NAME_FLAGS);
	n = n < 0 ? n : p.l->BIO_read(bio, text, (int)size - 1);
	text[n < 0 ? 0 : n] = '\0';
	p.l->BIO_free(bio);
}

static void
set_facts(struct report *f)
{
	struct x509_st *peer = p.l->SSL_get1_peer_certificate(p.ssl);
	const unsigned char *alpn = NULL;
	long verified = p.l->SSL_get_verify_result(p.ssl);
	int seconds = 0;
	unsigned n = 0;

	snprintf(f->protocol, sizeof(f->protocol), "%s",
	    p.l->SSL_get_version(p.ssl));
	snprintf(f->cipher, sizeof(f->cipher), "%s",
	    p.l->SSL_CIPHER_get_name(p.l->SSL_get_current_cipher(p.ssl)));
	p.l->SSL_get0_alpn_selected(p.ssl, &alpn, &n);
	snprintf(f->alpn, sizeof(f->alpn), "%.*s", (int)n, (const char *)alpn);
	if (peer == NULL)
		return;
	print_name(
	    f->subject, sizeof(f->subject), p.l->X509_get_subject_name(peer));
	print_name(
	    f->issuer, sizeof(f->issuer), p.l->X509_get_issuer_name(peer));
	(void)p.l->ASN1_TIME_diff(
	    &f->days, &seconds, NULL, p.l->X509_get0_notAfter(peer));
	/* To the nearest day; less than none has expired. */
	f->days += seconds > 43200 ? 1 : seconds < 0 ? -1 : 0;
	if (verified != 0)
		snprintf(f->unverified, sizeof(f->unverified), "%s",
		    p.l->X509_verify_cert_error_string(verified));
}

/* Sets the name to send and to verify: without scope and final dot. */
static void
set_name(void)
{
	const char *name = p.request->options->name;
	struct addr ip;
	size_t n;

	if (name == NULL)
		name = p.request->host;
	if (name == NULL)
		return;
	n = strcspn(name, "%");
	if (n > 1 && name[n - 1] == '.')
		n--;
	snprintf(p.name, sizeof(p.name), "%.*s", (int)n, name);
	p.l->SSL_set_hostflags(p.ssl, TLS_NO_PARTIAL_WILDCARDS);
	if (addr_parse_ip(&ip, p.name, 0)) {
		(void)p.l->X509_VERIFY_PARAM_set1_ip_asc(
		    p.l->SSL_get0_param(p.ssl), p.name);
		return;
	}
	(void)p.l->SSL_ctrl(p.ssl, TLS_CTRL_SERVER_NAME, 0, p.name);
	(void)p.l->SSL_set1_host(p.ssl, p.name);
}

static void
handshake(struct tls_context *context)
{
	bool is_server = p.request->options->is_server,
	     has_certificate = p.request->options->certificate != NULL;
	short events;
	int n;

	p.l->SSL_CTX_set_info_callback(context->ssl, note_info);
	if (!is_server && !has_certificate)
		p.l->SSL_CTX_set_client_cert_cb(context->ssl, note_request);
	p.ssl = p.l->SSL_new(context->ssl);
	if (p.ssl == NULL || p.l->SSL_set_fd(p.ssl, FD_TCP) != 1 ||
	    (context->key != NULL &&
		p.l->SSL_use_PrivateKey(p.ssl, context->key) != 1)) {
		err_set(
		    &p.r.lost, ERR_FAILED, "libssl cannot make a connection");
		leave();
	}
	if (!is_server)
		set_name();
	for (;;) {
		forget_errors();
		n = is_server ? p.l->SSL_accept(p.ssl)
			      : p.l->SSL_connect(p.ssl);
		if (n == 1)
			break;
		events = wanted(n, true, &p.r.lost);
		if (events == 0) {
			/* The peer gets the alert, not a reset. */
			sock_reset_on_close(FD_TCP, false);
			leave();
		}
		wait_connection(events, deadline_none());
	}
	set_facts(&p.r);
	/* In TLS 1.3 that is all for a client, before the server has seen its
	 * certificate: it waits for the first record. */
	if (!is_server && (p.asks_certificate || has_certificate) &&
	    strcmp(p.r.protocol, "TLSv1.3") == 0) {
		wait_connection(POLLIN, deadline_after(REJECT_MS));
		read_peer();
		if (p.r.lost.kind != ERR_NONE)
			leave();
	}
	p.r.is_secured = true;
	report();
	p.l->SSL_certs_clear(p.ssl);
	tls_library_drop_key(context);
}

static void
read_input(void)
{
	struct buffer *b = &p.up;
	ssize_t n;

	if (p.input_ended || p.send_lost || b->to > 0)
		return;
	n = read(FD_PLAIN, b->bytes, sizeof(b->bytes));
	if (n > 0)
		b->to = (size_t)n;
	else if (n == 0)
		p.input_ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		_exit(ERR_FAILED);
}

/* Nothing more can be sent: sockt learns it when it writes. */
static void
lose_sending(const struct err *e)
{
	p.send_lost = true;
	p.up.from = p.up.to = 0;
	if (p.r.lost.kind == ERR_NONE)
		p.r.lost = *e;
	p.r.lost.kind = ERR_LOST;
	(void)sock_shut(FD_PLAIN, SHUT_RD);
}

static void
wait_to_send(int result)
{
	struct err e = ERR_INIT;

	p.up.wants = wanted(result, false, &e);
	if (p.up.wants == 0)
		lose_sending(&e);
}

static void
write_peer(void)
{
	struct buffer *b = &p.up;
	int n;

	b->wants = 0;
	while (b->from < b->to && !p.send_lost) {
		forget_errors();
		n = p.l->SSL_write(
		    p.ssl, b->bytes + b->from, (int)(b->to - b->from));
		if (n <= 0) {
			wait_to_send(n);
			return;
		}
		b->from += (size_t)n;
		b->total += (uint64_t)n;
		p.moved_ns = clock_now();
	}
	b->from = b->to = 0;
}

/* When the end of the input is passed on; none while it has not ended. */
static struct deadline
end_deadline(void)
{
	if (!p.input_ended || p.up.to > 0 || p.is_finished || p.send_lost)
		return deadline_none();
	if (!p.request->options->delays_end || p.peer_ended || p.is_abandoned)
		return deadline_from(0, 0);
	return deadline_from(
	    p.moved_ns, p.up.total > 0 ? SOCK_QUIET_MS : SOCK_QUIET_UNUSED_MS);
}

/* Passes the end of the input on: close_notify and FIN. */
static void
finish(void)
{
	struct bio_st *bio = p.l->SSL_get_wbio(p.ssl);
	uint64_t before = p.l->BIO_number_written(bio);
	int n;

	if (!deadline_passed(end_deadline()))
		return;
	/* While bytes are on the way it is not quiet. */
	if (p.request->options->delays_end && !p.peer_ended &&
	    !p.is_abandoned && sock_unacked_bytes(FD_TCP) > 0) {
		p.moved_ns = clock_now();
		return;
	}
	/* A second call would read. */
	forget_errors();
	n = p.l->SSL_shutdown(p.ssl);
	if (n < 0)
		wait_to_send(n);
	p.is_finishing = n < 0 && !p.send_lost;
	if (n < 0)
		return;
	p.notify_bytes = p.l->BIO_number_written(bio) - before;
	p.is_finished = true;
	(void)sock_finish(FD_TCP);
}

/* Passes on what has been received, and then the peer's end. */
static void
write_output(void)
{
	struct buffer *b = &p.down;
	static bool is_ended;
	ssize_t n;

	while (b->from < b->to && !p.is_abandoned) {
		n = write(FD_PLAIN, b->bytes + b->from, b->to - b->from);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0 && errno != EPIPE)
			_exit(ERR_FAILED);
		if (n < 0) {
			p.is_abandoned = true;
			p.abandoned_ns = clock_now();
			break;
		}
		b->from += (size_t)n;
		b->total += (uint64_t)n;
		p.moved_ns = clock_now();
	}
	b->from = b->to = 0;
	if (!p.peer_ended || is_ended)
		return;
	is_ended = true;
	p.r.is_closed = p.r.lost.kind == ERR_NONE;
	p.r.has_dropped = p.r.is_closed && p.is_finished && b->total == 0 &&
			  p.up.total > 0 && p.request->options->expects_answer;
	/* Only a probe finds that a peer has vanished. */
	if (p.r.is_closed && !p.is_finished)
		sock_start_keepalive(FD_TCP);
	report();
	(void)sock_shut(FD_PLAIN, SHUT_WR);
}

/* Whether both directions are over: the peer has everything, or that is lost.
 */
static bool
is_over(void)
{
	bool is_read = p.peer_ended && p.down.to == 0;

	if (p.send_lost)
		return is_read;
	if (!p.is_finished || !(is_read || p.is_abandoned) ||
	    !sock_is_acked(FD_TCP))
		return false;
	/* close_notify and FIN need not arrive at a peer that has ended. */
	if (sock_unacked_bytes(FD_TCP) > p.notify_bytes + 1 &&
	    p.r.lost.kind == ERR_NONE)
		err_sys(
		    &p.r.lost, ERR_LOST, ECONNRESET, "the connection was lost");
	return is_read ||
	       deadline_passed(deadline_from(p.abandoned_ns, ABANDONED_MS));
}

/*
 * Resets the connection, of which sockt has let go, once what it had sent is on
 * its way: the peer gets as much as without TLS.
 */
static _Noreturn void
cut(void)
{
	do {
		write_peer();
		read_input();
	} while (p.up.to > 0 && p.up.wants == 0);
	_exit(ERR_FAILED);
}

static void
wait_both(void)
{
	struct pollfd fds[3] = {
	    {FD_TCP, 0, 0}, {FD_PLAIN, 0, 0}, {FD_REPORT, 0, 0}};
	struct deadline until = end_deadline();
	struct err e = ERR_INIT;
	int errnum;

	if (p.is_finishing)
		until = deadline_none();
	if (p.up.to > 0 || p.is_finishing)
		fds[0].events |= p.up.wants;
	else if (!p.input_ended && !p.send_lost)
		fds[1].events |= POLLIN;
	if (p.down.to > 0)
		fds[1].events |= POLLOUT;
	else if (!p.peer_ended && p.down.wants == 0)
		/* libssl may have more, which poll(2) does not see. */
		until = deadline_after(0);
	else if (!p.peer_ended)
		fds[0].events |= p.down.wants;
	if (p.is_finished)
		until = deadline_first(until, deadline_after(RECHECK_MS));
	/* A hang-up that is known must not be reported again and again. */
	if (fds[1].events == 0 && (p.peer_ended || p.is_abandoned))
		fds[1].fd = -1;
	if (fds[0].events == 0 && p.is_finished)
		fds[0].fd = -1;
	if (poll(fds, 3, deadline_poll_ms(until)) < 0)
		return;
	deadline_looked(clock_now());
	if (fds[2].revents != 0)
		cut();
	if (fds[1].fd >= 0 && (fds[1].revents & (POLLHUP | POLLERR)) != 0 &&
	    !p.is_abandoned) {
		p.is_abandoned = true;
		p.abandoned_ns = clock_now();
	}
	/* The peer has ended, and then vanished. */
	if (fds[0].fd >= 0 && p.peer_ended && !p.is_finished && !p.send_lost &&
	    (fds[0].revents & (POLLERR | POLLHUP)) != 0) {
		errnum = sock_error(FD_TCP);
		err_sys(&e, ERR_LOST, errnum != 0 ? errnum : ECONNRESET,
		    "the connection was lost");
		lose_sending(&e);
	}
}

/* The process. fds are those from FD_TCP on, in that order. */
static _Noreturn void
run_process(const struct tls_request *request, struct tls_context *context,
    const int fds[FD_END - FD_TCP])
{
	static const int ignored[] = {SIGINT, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	int moved[FD_END - FD_TCP], null;
	size_t i;

	/* A terminal's signals are sockt's, whose end ends this process. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
	for (i = 0; i < FD_END - FD_TCP; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD, FD_END);
		if (moved[i] < 0) {
			err_sys(&p.r.lost, ERR_FAILED, errno, "its process");
			(void)dup2(fds[FD_REPORT - FD_TCP], FD_REPORT);
			leave();
		}
	}
	for (i = 0; i < FD_END - FD_TCP; i++)
		if (dup2(moved[i], FD_TCP + (int)i) < 0)
			_exit(ERR_FAILED);
	proc_close_from(FD_END);
	/* stdin and stdout are sockt's, and their other ends must see it. */
	null = open("/dev/null", O_RDWR);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
		err_sys(&p.r.lost, ERR_FAILED, errno, "/dev/null");
		leave();
	}
	(void)close(null);
	/* Until the end is orderly, any end of this process is a reset. */
	sock_reset_on_close(FD_TCP, true);
	(void)sock_nonblocking(FD_TCP, true);
	(void)sock_nonblocking(FD_PLAIN, true);
	(void)sock_set_quietly(FD_PLAIN, SOL_SOCKET, SO_SNDBUF, PLAIN_BUFFER);
	p.request = request;
	p.l = context->l;
	handshake(context);
	sandbox_enter_transfer();
	p.moved_ns = clock_now();
	while (!is_over()) {
		wait_both();
		read_input();
		write_peer();
		finish();
		if (p.down.to == 0)
			read_peer();
		write_output();
	}
	if (p.r.lost.kind == ERR_NONE)
		sock_reset_on_close(FD_TCP, false);
	leave();
}

const char *
tls_version(struct err *e)
{
	const struct tls_library *l = tls_library_load(e);

	return l != NULL ? l->OpenSSL_version(0) : NULL;
}

int
tls_check(const struct tls_options *o, struct err *e)
{
	return tls_library_context(o, e) != NULL ? 0 : -1;
}

/* Reads the next report. Returns false if there is none, or none yet. */
static bool
next_report(struct tls *t)
{
	struct report r;

	if (read(t->reports, &r, sizeof(r)) != (ssize_t)sizeof(r))
		return false;
	/* Whatever has become of that process. */
	r.protocol[sizeof(r.protocol) - 1] = '\0';
	r.cipher[sizeof(r.cipher) - 1] = '\0';
	r.alpn[sizeof(r.alpn) - 1] = '\0';
	r.subject[sizeof(r.subject) - 1] = '\0';
	r.issuer[sizeof(r.issuer) - 1] = '\0';
	r.unverified[sizeof(r.unverified) - 1] = '\0';
	r.lost.text[sizeof(r.lost.text) - 1] = '\0';
	if (r.has_dropped && !t->r.has_dropped)
		diag_warn("%s: the peer ended the connection when it learned "
			  "that stdin had ended, and sent nothing; it may have "
			  "dropped its answer (--on-eof keep)",
		    t->name);
	t->r = r;
	return true;
}

static void
announce(const struct tls *t, const struct tls_options *o, int64_t ns)
{
	const struct report *f = &t->r;
	bool has_peer = f->subject[0] != '\0' || f->issuer[0] != '\0',
	     is_verified = has_peer && !o->is_insecure;
	struct json *j;
	char peer[900];

	j = diag_event_begin("secured");
	json_text(j, "protocol", f->protocol);
	json_text(j, "cipher", f->cipher);
	if (f->alpn[0] != '\0')
		json_text(j, "alpn", f->alpn);
	if (has_peer) {
		json_text(j, "subject", f->subject);
		json_text(j, "issuer", f->issuer);
		json_number(j, "days", (uint64_t)(f->days < 0 ? 0 : f->days));
	}
	json_bool(j, "verified", is_verified);
	json_seconds(j, "seconds", (double)ns / 1e9);
	peer[0] = '\0';
	if (has_peer)
		snprintf(peer, sizeof(peer),
		    ", certificate of %s, issued by %s, %s%s%s, %s",
		    text_shown(f->subject), text_shown(f->issuer),
		    is_verified ? "verified" : "not verified (--tls-insecure)",
		    f->unverified[0] == '\0' ? "" : ": ",
		    text_shown(f->unverified),
		    f->days < 0 ? "expired"
				: text_format("expires in %d day%s", f->days,
				      f->days == 1 ? "" : "s"));
	diag_event_end(DIAG_NOTE, "%s with %s%s%s%s, in %s", f->protocol,
	    f->cipher, f->alpn[0] == '\0' ? "" : ", ", text_shown(f->alpn),
	    peer, num_duration_text(ns));
}

static const char *
handshake_text(void *context)
{
	const struct tls *t = context;

	return text_format("%s: waiting for the handshake (is that a server of "
			   "TLS?)",
	    t->name);
}

struct tls *
tls_start(const struct tls_request *request, int *fd, struct err *e)
{
	struct tls_context *context = tls_library_context(request->options, e);
	int64_t begin = step_start(), start = clock_now();
	int pair[2] = {-1, -1}, ends[2] = {-1, -1}, ready = -1;
	struct wait_reason reason;
	struct tls *t;
	pid_t pid = -1;

	if (context == NULL) {
		sock_close(fd);
		return NULL;
	}
	t = mem_array(1, sizeof(*t));
	t->name = request->name == NULL
		      ? mem_text("TLS")
		      : mem_text(text_format("%s: TLS", request->name));
	if (sock_pair(pair) == 0 && sock_nonblocking(pair[0], true) == 0 &&
	    fd_pipe(ends, true) == 0)
		pid = proc_fork(&t->process, NULL);
	if (pid == 0)
		run_process(
		    request, context, (int[]){*fd, pair[1], ends[1], pair[0]});
	t->hold = pair[0];
	t->reports = ends[0];
	step("fork", begin, pid, "a process that holds the connection and TLS",
	    "%s in process %ld", step_name_of(*fd), (long)pid);
	fd_close(&pair[1]);
	fd_close(&ends[1]);
	sock_close_note(fd, "the other process has it");
	if (pid > 0) {
		wait_begin(&reason, handshake_text, t);
		ready = wait_fd(t->reports, POLLIN, request->until);
		wait_end();
	}
	if (ready > 0 && next_report(t) && t->r.is_secured) {
		announce(t, request->options, clock_now() - start);
		if (request->is_last)
			tls_library_drop_key(context);
		*fd = fcntl(t->hold, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		ready = *fd;
	}
	if (*fd >= 0)
		return t;
	if (ready < 0)
		err_sys(e, ERR_FAILED, errno, "%s", t->name);
	else if (ready == 0)
		deadline_error(
		    request->until, "the TLS handshake was not done", e);
	else if (t->r.is_last)
		*e = t->r.lost;
	else
		err_set(e, ERR_FAILED, "its process was killed");
	if (ready >= 0)
		err_prefix(e, "%s", t->name);
	tls_release(t);
	return NULL;
}

void
tls_set_variables(const struct tls *t)
{
	const char *const values[][2] = {
	    {"SSL_PROTOCOL", t != NULL ? t->r.protocol : ""},
	    {"SSL_CIPHER", t != NULL ? t->r.cipher : ""},
	    {"SSL_CLIENT_S_DN", t != NULL ? t->r.subject : ""}};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i][1][0] != '\0')
			(void)setenv(values[i][0], values[i][1], 1);
		else
			(void)unsetenv(values[i][0]);
}

bool
tls_has_closed(void *context)
{
	struct tls *t = context;

	/* The report was written before the end. */
	while (!t->r.is_closed && t->r.lost.kind == ERR_NONE && next_report(t))
		continue;
	return t->r.is_closed;
}

bool
tls_is_there(void *context)
{
	const struct tls *t = context;

	return tls_has_closed(context) ||
	       (t->r.lost.kind == ERR_LOST && t->r.lost.errnum == 0);
}

int
tls_end(struct tls *t, bool is_complete, struct deadline until, struct err *e)
{
	if (is_complete)
		(void)sock_shut(t->hold, SHUT_RDWR);
	if (is_complete || t->r.lost.kind == ERR_NONE)
		(void)proc_wait(t->process, until);
	while (next_report(t))
		continue;
	if (t->r.lost.kind != ERR_NONE) {
		*e = t->r.lost;
	} else if (t->r.is_last) {
		return 0;
	} else {
		err_set(e, ERR_LOST,
		    t->process->is_ending
			? "the peer did not acknowledge everything in time"
			: "its process was killed");
		e->errnum = t->process->is_ending ? ETIMEDOUT : ECONNRESET;
	}
	return err_prefix(e, "%s", t->name);
}

void
tls_release(struct tls *t)
{
	if (t == NULL)
		return;
	/* It sends what it has, and resets the connection. */
	fd_close(&t->reports);
	if (t->process != NULL)
		(void)proc_wait(t->process, deadline_after(PROC_GRACE_MS));
	proc_free(&t->process);
	fd_close(&t->hold);
	free((void *)t->name);
	free(t);
}
