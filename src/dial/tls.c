/* --tls: a connection of sockt with TLS on top. */
#include "dial/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "dial/tls_process.h"
#include "dial/tls_report.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"

struct tls {
	struct proc *process;
	int hold; /* a copy of the connection: the process sees the end of its
		     input only after shutdown(2), not when sockt abandons an
		     incomplete transfer; or -1 */
	struct tls_report report;
	char name[ENDPOINT_TEXT]; /* of the endpoint, for errors */
};

int
tls_check(const struct tls_options *o, struct err *e)
{
	if (o->ca_file == NULL || access(o->ca_file, R_OK) == 0)
		return 0;
	return err_sys(
	    e, ERR_OUTPUT, errno, "--tls-ca: %s", text_shown(o->ca_file));
}

static void
add_line(void *context, const char *line)
{
	struct tls *t = context;

	tls_report_add(&t->report, line);
}

/* Reports the TLS of a connection. */
static void
announce(const struct tls *t, const struct tls_options *o, int64_t ns)
{
	const struct tls_report *r = &t->report;
	const char *verified;
	bool is_verified = !o->is_insecure;
	struct json *j;

	j = diag_event_begin("secured");
	json_text(j, "protocol", r->protocol);
	json_text(j, "cipher", r->cipher);
	json_text(j, "subject", r->certificate);
	json_bool(j, "verified", is_verified);
	json_seconds(j, "seconds", (double)ns / 1e9);
	verified = text_shown(r->verification);
	diag_event_end(DIAG_NOTE, "%s with %s, certificate of %s, %s%s, in %s",
	    r->protocol, r->cipher, text_shown(r->certificate),
	    is_verified ? "verified" : "not verified (--tls-insecure): ",
	    is_verified ? "" : verified, num_duration_text(ns));
}

/* Waits until openssl has made the handshake. Returns 0, or -1 with *e. */
static int
wait_handshake(struct tls *t, const struct tls_request *request, struct err *e)
{
	int more = 1;

	while (more > 0 && !t->report.is_complete)
		more = proc_read_lines(t->process, request->until);
	if (more < 0)
		return err_sys(e, ERR_FAILED, errno, "%s: TLS", t->name);
	if (t->report.is_complete)
		return 0;
	if (t->process->errors >= 0)
		deadline_error(
		    request->until, "the TLS handshake was not done", e);
	else
		tls_report_handshake(&t->report, request->options->ca_file, e);
	return err_prefix(e, "%s: TLS", t->name);
}

struct tls *
tls_start(const struct tls_request *request, int *fd, struct err *e)
{
	struct tls *t = mem_array(1, sizeof(*t));
	const struct proc_options options = {
	    .has_pair = true, .on_line = add_line, .context = t};
	int64_t begin = step_start(), start = clock_now();
	pid_t parent = getpid(), pid = proc_fork(&t->process, &options);

	if (pid == 0) {
		/* It must be able to remove its directory. */
		os_follow_parent(parent, SIGTERM);
		_exit(tls_process_run(
		    request, *fd, t->process->fd, t->process->errors));
	}
	step("fork", begin, pid,
	    "a process that relays between the connection and openssl",
	    "%s in process %ld", step_name_of(*fd), (long)pid);
	endpoint_format(request->ep, t->name, sizeof(t->name));
	t->hold = -1;
	if (pid > 0)
		t->hold = fcntl(t->process->fd, F_DUPFD_CLOEXEC, 3);
	if (t->hold < 0)
		err_sys(e, ERR_FAILED, errno, "%s: TLS", t->name);
	sock_close_note(fd, "the other process has it");
	if (t->hold < 0 || wait_handshake(t, request, e) < 0) {
		tls_release(t);
		return NULL;
	}
	announce(t, request->options, clock_now() - start);
	*fd = t->process->fd;
	t->process->fd = -1;
	return t;
}

int
tls_end(struct tls *t, struct deadline until, struct err *e)
{
	int status;

	fd_close(&t->hold);
	status = proc_wait(t->process, until);
	if (t->process->is_ending) {
		err_set(e, ERR_LOST, "openssl did not end the connection");
		e->errnum = ETIMEDOUT;
	} else if (tls_report_end(&t->report, status, e) == 0) {
		return 0;
	}
	return err_prefix(e, "%s: TLS", t->name);
}

void
tls_release(struct tls *t)
{
	if (t == NULL)
		return;
	proc_free(&t->process);
	fd_close(&t->hold);
	free(t);
}
