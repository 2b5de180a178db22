/* TLS on a connection: starts the process that holds it, and reads its reports.
 */
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
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
#include "net/proc.h"
#include "net/sock.h"
#include "net/wait.h"
#include "tls/tls_context.h"
#include "tls/tls_library.h"
#include "tls/tls_process.h"

struct tls {
	struct proc *process;
	int hold; /* a copy of the plain socket: closing that does not end it */
	bool is_secured; /* the handshake is done */
	bool is_closed;  /* the peer has ended TLS in good order */
	bool is_lost;    /* or it was lost, as end says */
	bool has_end;    /* the last report was received */
	struct tls_facts facts;
	char unverified[160]; /* why the certificate would not be accepted */
	struct err end;
	const char *name; /* of the peer, owned */
};

const char *
tls_version(struct err *e)
{
	const struct tls_library *l = tls_library_load(e);

	return l != NULL ? l->OpenSSL_version(0) : NULL;
}

int
tls_check(const struct tls_options *o, struct err *e)
{
	return tls_context_get(o, e) != NULL ? 0 : -1;
}

/* Returns what follows word and a space in line, or NULL. */
static const char *
after(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1
							     : NULL;
}

/* Reads a report; see tls/tls_process.h. */
static void
add_report(void *context, const char *line)
{
	struct tls *t = context;
	struct tls_facts *f = &t->facts;
	int kind, errnum, n = 0;
	const char *rest;

	if ((rest = after(line, "subject")) != NULL) {
		snprintf(f->subject, sizeof(f->subject), "%s", rest);
	} else if ((rest = after(line, "issuer")) != NULL) {
		snprintf(f->issuer, sizeof(f->issuer), "%s", rest);
	} else if ((rest = after(line, "alpn")) != NULL) {
		snprintf(f->alpn, sizeof(f->alpn), "%s", rest);
	} else if ((rest = after(line, "unverified")) != NULL) {
		snprintf(t->unverified, sizeof(t->unverified), "%s", rest);
	} else if ((rest = after(line, "secured")) != NULL) {
		t->is_secured = sscanf(rest, "%15s %63s %d", f->protocol,
				    f->cipher, &f->days) == 3;
	} else if (strcmp(line, "closed") == 0) {
		t->is_closed = true;
	} else if (((rest = after(line, "lost")) != NULL ||
		       (rest = after(line, "end")) != NULL) &&
		   sscanf(rest, "%d %d %n", &kind, &errnum, &n) == 2) {
		t->is_lost = t->is_lost || kind != ERR_NONE;
		t->has_end = t->has_end || line[0] == 'e';
		err_set(&t->end, (enum err_kind)kind, "%s", rest + n);
		t->end.errnum = errnum;
	} else if (strcmp(line, "dropped") == 0) {
		diag_warn("%s: the peer ended the connection when it learned "
			  "that stdin had ended, and sent nothing; it may have "
			  "dropped its answer (--on-eof keep)",
		    t->name);
	}
}

/* Reports the TLS of a connection. */
static void
announce(const struct tls *t, const struct tls_options *o, int64_t ns)
{
	const struct tls_facts *f = &t->facts;
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
		    t->unverified[0] == '\0' ? "" : ": ",
		    text_shown(t->unverified),
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

/* Waits for the handshake. Returns 0, or -1 with *e. */
static int
wait_handshake(struct tls *t, struct deadline until, struct err *e)
{
	struct wait_reason reason;
	int more = 1;

	wait_begin(&reason, handshake_text, t);
	while (more > 0 && !t->is_secured && !t->has_end)
		more = proc_read_lines(t->process, until);
	wait_end();
	if (more < 0)
		return err_sys(e, ERR_FAILED, errno, "%s", t->name);
	if (t->is_secured)
		return 0;
	if (t->has_end)
		*e = t->end;
	else if (t->process->errors >= 0)
		deadline_error(until, "the TLS handshake was not done", e);
	else
		err_set(e, ERR_FAILED, "its process was killed");
	return err_prefix(e, "%s", t->name);
}

/* The name to verify, without scope and final dot, in buf; NULL: none. */
static const char *
verified_name(const struct tls_request *request, char *buf, size_t size)
{
	const char *name = request->options->name;
	size_t n;

	if (name == NULL)
		name = request->host;
	if (name == NULL)
		return NULL;
	n = strcspn(name, "%");
	if (n > 1 && name[n - 1] == '.')
		n--;
	snprintf(buf, size, "%.*s", (int)n, name);
	return buf;
}

struct tls *
tls_start(const struct tls_request *request, int *fd, struct err *e)
{
	struct tls_context *context = tls_context_get(request->options, e);
	struct tls *t;
	struct proc_options options = {.on_line = add_report};
	int64_t begin = step_start(), start = clock_now();
	int pair[2] = {-1, -1};
	char host[256];
	pid_t pid = -1;

	if (context == NULL) {
		sock_close(fd);
		return NULL;
	}
	t = mem_array(1, sizeof(*t));
	options.context = t;
	t->name = request->name == NULL
		      ? mem_text("TLS")
		      : mem_text(text_format("%s: TLS", request->name));
	if (sock_pair(pair) == 0 && sock_nonblocking(pair[0], true) == 0)
		pid = proc_fork(&t->process, &options);
	t->hold = pair[0];
	if (pid == 0)
		tls_process_run(
		    &(struct tls_process_start){.options = request->options,
			.context = context,
			.name = verified_name(request, host, sizeof(host)),
			.fd = *fd,
			.plain = pair[1],
			.hold = t->hold,
			.report = t->process->errors});
	step("fork", begin, pid, "a process that holds the connection and TLS",
	    "%s in process %ld", step_name_of(*fd), (long)pid);
	if (pid < 0)
		err_sys(e, ERR_FAILED, errno, "%s", t->name);
	fd_close(&pair[1]);
	sock_close_note(fd, "the other process has it");
	if (pid > 0 && wait_handshake(t, request->until, e) == 0) {
		announce(t, request->options, clock_now() - start);
		*fd = fcntl(t->hold, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (request->is_last)
			tls_context_drop_key(context);
		if (*fd >= 0)
			return t;
		err_sys(e, ERR_FAILED, errno, "%s", t->name);
	}
	tls_release(t);
	return NULL;
}

const struct tls_facts *
tls_facts(const struct tls *t)
{
	return &t->facts;
}

bool
tls_has_closed(void *context)
{
	struct tls *t = context;

	/* The report was written before the end. */
	while (!t->is_closed && !t->is_lost &&
	       proc_read_lines(t->process, deadline_after(0)) > 0)
		continue;
	return t->is_closed;
}

int
tls_end(struct tls *t, bool is_complete, struct deadline until, struct err *e)
{
	if (is_complete)
		(void)sock_shut(t->hold, SHUT_RDWR);
	if (is_complete || !t->is_lost)
		(void)proc_wait(t->process, until);
	if (t->has_end && !t->is_lost)
		return 0;
	if (t->is_lost) {
		*e = t->end;
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
	if (t->process != NULL) {
		/* It sends what it has, and resets the connection. */
		fd_close(&t->process->errors);
		(void)proc_wait(t->process, deadline_after(PROC_GRACE_MS));
		proc_free(&t->process);
	}
	fd_close(&t->hold);
	free((void *)t->name);
	free(t);
}
