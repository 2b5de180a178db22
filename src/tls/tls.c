/* TLS on a connection: starts its process. */
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "net/endpoint.h"
#include "net/link.h"
#include "net/proc.h"
#include "net/sock.h"
#include "net/wait.h"
#include "tls/internal.h"

/* A record of TLS is not requested again within this time. */
#define REQUEST_INTERVAL_MS 10
/* How long to wait for it: the process may be stopped. */
#define REPORT_WAIT_MS 100

/* Reads the records that have arrived. */
static void
read_records(struct tls *t)
{
	struct tls_record record;
	ssize_t n;

	while (!t->peer.seen.has_ended) {
		n = read(t->report, &record, sizeof(record));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n == (ssize_t)sizeof(record))
			t->peer = record;
		/* The process may have been taken over. */
		t->peer.lost.text[sizeof(record.lost.text) - 1] = '\0';
		t->peer.seen.has_ended = n != (ssize_t)sizeof(record);
	}
}

/* Reads the records, and requests another unless the last is new. */
static const struct link_report *
poll_report(struct link_carrier *c)
{
	struct tls *t = (struct tls *)c;
	struct pollfd p = {.fd = t->report, .events = POLLIN};
	int64_t now = clock_now();

	read_records(t);
	if (t->peer.seen.has_ended ||
	    now - t->requested_ns < REQUEST_INTERVAL_MS * CLOCK_MS)
		return &t->peer.seen;
	t->requested_ns = now;
	if (write(t->report, "", 1) == 1 && poll(&p, 1, REPORT_WAIT_MS) > 0)
		read_records(t);
	return &t->peer.seen;
}

static enum link_peer_end
find_peer_end(struct link_carrier *c, struct link *l)
{
	struct tls *t = (struct tls *)c;
	const struct err *lost = &t->peer.lost;

	(void)l;
	/* The process sends the record before it closes. */
	read_records(t);
	if ((t->peer.facts & TLS_FACT_CLOSED) != 0)
		return LINK_WHOLE;
	return lost->kind == ERR_LOST && lost->errnum == 0 ? LINK_BARE
							   : LINK_LOST;
}

/* Waits for the end of TLS: the peer has received everything, and either side
 * has ended TLS as it requires. */
static int
close_tls(struct link_carrier *c, struct link *l, bool is_complete,
    struct deadline until, struct err *e)
{
	struct tls *t = (struct tls *)c;
	const struct tls_record *r = &t->peer;
	int ready = 1;

	if (is_complete)
		(void)sock_shut(t->hold, SHUT_RDWR);
	l->moved_ns = clock_now();
	read_records(t);
	while (!r->seen.has_ended && ready > 0 &&
	       (is_complete || r->lost.kind == ERR_NONE)) {
		ready = link_wait(l, t->report, POLLIN, t->idle.ms, until);
		read_records(t);
	}
	/* The peer has everything, whether it takes the end or not. */
	if (l->wanted == LINK_WANT_NO_DATA && r->seen.acked >= l->sent)
		return 0;
	/* The peer has everything and nothing more is expected from it, so
	 * nothing can be missing. A server is done when the system has its
	 * answer, as without TLS. */
	if (is_complete && l->wanted != LINK_WANT_END &&
	    r->lost.kind == ERR_LOST &&
	    (l->wanted == LINK_WANT_SENT ? r->sent : r->seen.acked) >=
		l->sent) {
		diag_note("%s: after everything was exchanged: %s", t->name,
		    r->lost.text);
		return 0;
	}
	if (r->lost.kind != ERR_NONE) {
		*e = r->lost;
	} else if ((r->facts & TLS_FACT_LAST) != 0) {
		return 0;
	} else if (ready == 0) {
		deadline_idle_error(until, t->idle, e);
		err_append(e, "the peer has not acknowledged everything");
		e->errnum = ETIMEDOUT;
	} else if (ready < 0) {
		return err_sys(e, ERR_FAILED, EINTR, "%s", t->name);
	} else {
		err_set(e, ERR_LOST, "its process was killed");
		e->errnum = ECONNRESET;
	}
	return err_prefix(e, "%s", t->name);
}

static void
release(struct link_carrier *c)
{
	struct tls *t = (struct tls *)c;
	size_t i;

	/* It sends what it has, and resets the connection. */
	fd_close(&t->report);
	if (t->proc != NULL)
		(void)proc_wait(t->proc, deadline_after(PROC_GRACE_MS));
	proc_free(&t->proc);
	fd_close(&t->hold);
	for (i = 0; t->variables[i] != NULL; i++)
		free((void *)t->variables[i]);
	free((void *)t->name);
	free(t);
}

const struct link_ops tls_ops = {.poll_report = poll_report,
    .find_peer_end = find_peer_end,
    .close = close_tls,
    .release = release};

/* The TLS of a connection; NULL: none. */
static struct tls *
tls_of(const struct link *l)
{
	struct link_carrier *c = l->carrier;

	return c != NULL && c->ops == &tls_ops ? (struct tls *)c : NULL;
}

void
tls_drop(struct link *l)
{
	struct tls *t = tls_of(l);

	if (t == NULL)
		return;
	l->carrier = t->carrier.next;
	release(&t->carrier);
}

int
tls_report_fd(const struct link *l)
{
	const struct tls *t = tls_of(l);

	return t != NULL ? t->report : -1;
}

const char *const *
tls_variables(const struct link *l)
{
	const struct tls *t = tls_of(l);

	return t != NULL ? t->variables : NULL;
}

const char *
tls_version(struct err *e)
{
	const struct tls_library *l = tls_library_load(e);

	return l != NULL ? l->OpenSSL_version(0) : NULL;
}

/* The longest name of a certificate (RFC 1035 2.3.4). */
#define MAX_NAME 253

/*
 * Copies a name to verify to to, which has MAX_NAME + 1 bytes, without the zone
 * of an address and the final dot. Returns false if it is not a name: libssl
 * would not check an empty one, and accept any subdomain after a leading dot.
 */
static bool
copy_name(char *to, const char *name)
{
	struct addr ip;
	size_t n =
	    strchr(name, ':') != NULL ? strcspn(name, "%") : strlen(name);

	if (n > MAX_NAME)
		return false;
	memcpy(to, name, n);
	to[n] = '\0';
	if (addr_parse_ip(&ip, to, 0))
		return true;
	if (n > 0 && to[n - 1] == '.')
		to[--n] = '\0';
	return n > 0 && to[0] != '.' && to[n - 1] != '.' &&
	       strpbrk(name, ":%") == NULL && strstr(to, "..") == NULL;
}

int
tls_check(const struct tls_options *o, struct err *e)
{
	char name[MAX_NAME + 1];

	if (o->name != NULL && !copy_name(name, o->name))
		return err_set(e, ERR_USAGE,
		    "--tls-name: '%s' is not a name that a certificate can "
		    "have",
		    text_shown(o->name));
	return tls_library_context(o, e) != NULL ? 0 : -1;
}

/* A peer may have taken the process over, so each text is ended. */
static void
read_facts(int fd, struct tls_facts *f)
{
	if (read(fd, f, sizeof(*f)) != (ssize_t)sizeof(*f)) {
		f->is_secured = false;
		err_set(&f->failure, ERR_FAILED, "its process was killed");
	}
	f->protocol[sizeof(f->protocol) - 1] = '\0';
	f->cipher[sizeof(f->cipher) - 1] = '\0';
	f->alpn[sizeof(f->alpn) - 1] = '\0';
	f->peer.subject[sizeof(f->peer.subject) - 1] = '\0';
	f->peer.issuer[sizeof(f->peer.issuer) - 1] = '\0';
	f->peer.names[sizeof(f->peer.names) - 1] = '\0';
	f->peer.not_before[sizeof(f->peer.not_before) - 1] = '\0';
	f->peer.not_after[sizeof(f->peer.not_after) - 1] = '\0';
	f->peer.sha256[sizeof(f->peer.sha256) - 1] = '\0';
	f->peer.key_type[sizeof(f->peer.key_type) - 1] = '\0';
	f->unverified[sizeof(f->unverified) - 1] = '\0';
	f->failure.text[sizeof(f->failure.text) - 1] = '\0';
}

/* Adds a member unless its text is empty. */
static void
add_text(struct json *j, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_text(j, name, text);
}

/* A text after a word or sign that introduces it; "" if it is empty. */
static const char *
introduced(const char *introduction, const char *text)
{
	if (text[0] == '\0')
		return "";
	return text_format("%s%s", introduction, text_shown(text));
}

/* The certificate as text: subject, issuer, validity and names; "": none. */
static const char *
certificate_text(const struct tls_facts *f, const struct tls_options *o)
{
	const struct tls_certificate *c = &f->peer;
	const char *verified = "verified", *expiry = "expired", *why, *names;

	if (!f->has_peer)
		return "";
	if (o->is_insecure)
		verified = "not verified (--tls-insecure)";
	else if (o->pin[0] != '\0')
		verified = "verified (--tls-pin)";
	if (c->days >= 0)
		expiry = text_format(
		    "expires in %d day%s", c->days, c->days == 1 ? "" : "s");
	why = introduced(": ", f->unverified);
	names = introduced(", for ", c->names);
	return text_format(
	    ", certificate of %s, issued by %s, %s%s, %s%s, valid from %s "
	    "to %s, %s key of %d bits, SHA-256 %s",
	    text_shown(c->subject), text_shown(c->issuer), verified, why,
	    expiry, names, c->not_before, c->not_after, c->key_type,
	    c->key_bits, c->sha256);
}

static void
announce(const struct tls_facts *f, const struct tls_options *o, int64_t ns)
{
	const struct tls_certificate *c = &f->peer;
	const char *certificate;
	char names[sizeof(c->names)], *name, *save;
	struct json *j;

	if (!diag_emits(DIAG_NOTE))
		return;
	j = diag_event_begin("secured");
	json_text(j, "protocol", f->protocol);
	json_text(j, "cipher", f->cipher);
	add_text(j, "alpn", f->alpn);
	add_text(j, "subject", c->subject);
	add_text(j, "issuer", c->issuer);
	if (f->has_peer)
		json_number(j, "days", (uint64_t)(c->days < 0 ? 0 : c->days));
	if (c->names[0] != '\0') {
		memcpy(names, c->names, sizeof(names));
		json_array(j, "names");
		for (name = strtok_r(names, ", ", &save); name != NULL;
		     name = strtok_r(NULL, ", ", &save))
			json_text(j, NULL, name);
		json_close(j);
	}
	add_text(j, "not_before", c->not_before);
	add_text(j, "not_after", c->not_after);
	add_text(j, "sha256", c->sha256);
	add_text(j, "key_type", c->key_type);
	if (f->has_peer)
		json_number(j, "key_bits", (uint64_t)c->key_bits);
	json_bool(j, "verified", f->has_peer && !o->is_insecure);
	add_text(j, "reason", f->unverified);
	json_seconds(j, "seconds", (double)ns / 1e9);
	certificate = certificate_text(f, o);
	diag_event_end(DIAG_NOTE, "%s with %s%s%s, in %s", f->protocol,
	    f->cipher, introduced(", ", f->alpn), certificate,
	    num_duration_text(ns));
}

static const char *
handshake_text(void *context)
{
	const struct tls *t = context;

	return text_format("%s: waiting for the handshake (is that a server of "
			   "TLS?)",
	    t->name);
}

int
tls_begin(const struct tls_request *request, struct link *l, struct err *e)
{
	const struct tls_options *o = request->options;
	struct tls_context *context = tls_library_context(o, e);
	const struct endpoint *ep = request->server;
	const char *host = o->name;
	char name[MAX_NAME + 1] = "";
	struct tls *t;
	int64_t start = step_start();
	int pair[2] = {-1, -1}, ends[2] = {-1, -1}, errnum;
	pid_t pid = -1;

	if (context == NULL)
		return -1;
	if (host == NULL && ep != NULL && !ep->is_unix)
		host = ep->host;
	if (host != NULL && !copy_name(name, host))
		return err_set(e, ERR_PROTOCOL,
		    "%s: TLS: '%s' is not a name that a certificate can have "
		    "(--tls-name sets another)",
		    endpoint_text(ep), text_shown(host));
	t = mem_array(1, sizeof(*t));
	t->carrier = (struct link_carrier){&tls_ops, l->carrier};
	l->carrier = &t->carrier;
	t->begin_ns = clock_now();
	t->idle = o->idle;
	t->name = mem_text(
	    ep == NULL ? "TLS" : text_format("%s: TLS", endpoint_text(ep)));
	if (sock_pair(pair) == 0 && sock_pair(ends) == 0)
		pid = proc_fork(&t->proc, &(const struct proc_options){0});
	if (pid == 0)
		tls_process_run(o, context, name, l->route == LINK_ROUTE_PROXY,
		    l->fd, pair, ends[1]);
	errnum = errno;
	t->hold = pair[0];
	t->report = ends[0];
	step("fork", start, pid, "a process that holds the connection and TLS",
	    "%s in process %ld", step_name_of(l->fd), (long)pid);
	fd_close(&pair[1]);
	fd_close(&ends[1]);
	if (pid < 0) {
		err_sys(e, ERR_FAILED, errnum, "%s", t->name);
		tls_drop(l);
		return -1;
	}
	sock_close_note(&l->fd, "the other process has it");
	return 0;
}

enum tls_result
tls_secure(
    const struct tls_request *request, struct link *l, int ready, struct err *e)
{
	struct tls_facts facts = {.is_secured = false};
	char subject[sizeof(facts.peer.subject) + 32] = "SSL_CLIENT_S_DN=";
	struct tls *t = tls_of(l);

	if (ready > 0)
		read_facts(t->report, &facts);
	if (facts.is_secured)
		l->fd = fcntl(t->hold, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (l->fd >= 0) {
		l->tls_ns = clock_now() - t->begin_ns;
		announce(&facts, request->options, l->tls_ns);
		t->variables[0] =
		    mem_text(text_format("SSL_PROTOCOL=%s", facts.protocol));
		t->variables[1] =
		    mem_text(text_format("SSL_CIPHER=%s", facts.cipher));
		(void)text_append(
		    subject, sizeof(subject), "%s", facts.peer.subject);
		if (facts.peer.subject[0] != '\0')
			t->variables[2] = mem_text(subject);
		if (request->options->is_single)
			tls_library_drop_keys();
		return TLS_SECURED;
	}
	if (ready < 0 || facts.is_secured)
		err_sys(e, ERR_FAILED, errno, "the handshake");
	else if (ready == 0)
		deadline_error(
		    request->until, "the TLS handshake was not done", e);
	else
		*e = facts.failure;
	err_prefix(e, "%s", t->name);
	l->first = facts.is_peer_first ? LINK_FIRST_PEER : LINK_FIRST_US;
	tls_drop(l);
	return facts.is_probe ? TLS_PROBED : TLS_FAILED;
}

int
tls_start(const struct tls_request *request, struct link *l, struct err *e)
{
	struct wait_reason reason;
	int ready;

	if (tls_begin(request, l, e) < 0) {
		sock_close(&l->fd);
		return -1;
	}
	wait_begin(&reason, handshake_text, tls_of(l));
	ready = wait_fd(tls_report_fd(l), POLLIN, request->until);
	wait_end();
	return tls_secure(request, l, ready, e) == TLS_SECURED ? 0 : -1;
}

void
tls_adopt(struct link *l)
{
	struct tls *t = tls_of(l);

	if (t != NULL) {
		t->proc = NULL;
		tls_library_drop_keys();
	}
}

struct proc *
tls_detach(struct link *l)
{
	struct tls *t = tls_of(l);
	struct proc *process = t != NULL ? t->proc : NULL;

	if (t != NULL)
		t->proc = NULL;
	tls_drop(l);
	return process;
}
