/* --tls: a connection of sockt with TLS on top. */
#include "dial/tls.h"

#include <errno.h>
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
#include "dial/helper.h"
#include "dial/tls_process.h"
#include "dial/tls_report.h"
#include "net/call.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/sock.h"

struct tls {
	struct helper helper;
	struct tls_report report;
	char name[ENDPOINT_TEXT]; /* of the endpoint, for errors */
};

int
tls_check(const struct tls_options *o, struct err *e)
{
	char shown[256];

	if (o->ca_file == NULL || access(o->ca_file, R_OK) == 0)
		return 0;
	return err_sys(e, ERR_OUTPUT, errno, "--tls-ca: %s",
	    text_escape_string(shown, sizeof(shown), o->ca_file));
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
	char certificate[512], duration[32], verified[320];
	bool is_verified = !o->is_insecure;
	struct json *j;

	j = diag_event_begin("secured");
	json_text(j, "protocol", r->protocol);
	json_text(j, "cipher", r->cipher);
	json_text(j, "subject", r->certificate);
	json_bool(j, "verified", is_verified);
	json_seconds(j, "seconds", (double)ns / 1e9);
	text_escape_string(verified, sizeof(verified), r->verification);
	diag_event_end(DIAG_NOTE, "%s with %s, certificate of %s, %s%s, in %s",
	    r->protocol, r->cipher,
	    text_escape_string(
		certificate, sizeof(certificate), r->certificate),
	    is_verified ? "verified" : "not verified (--tls-insecure): ",
	    is_verified ? "" : verified,
	    num_format_duration(duration, sizeof(duration), ns));
}

/* Waits until openssl has made the handshake. Returns 0, or -1 with *e. */
static int
wait_handshake(struct tls *t, const struct tls_request *request, struct err *e)
{
	int more = 1;

	while (more > 0 && !t->report.is_complete)
		more = helper_read(&t->helper, request->until);
	if (more < 0)
		return err_sys(e, ERR_FAILED, errno, "%s: TLS", t->name);
	if (t->report.is_complete)
		return 0;
	if (t->helper.errors >= 0)
		deadline_error(
		    request->until, "the TLS handshake was not done", e);
	else
		tls_report_handshake(&t->report, request->options->ca_file, e);
	return err_prefix(e, "%s: TLS", t->name);
}

static void
report_fork(int fd, pid_t pid, int64_t start)
{
	step_report(&(struct step){.call = "fork",
			.start_ns = start,
			.errnum = pid < 0 ? errno : 0,
			.note = "a process that relays between the connection "
				"and openssl"},
	    "%s in process %ld", step_name_of(fd), (long)pid);
}

/* Starts the process of the TLS. Returns 0, or -1 with errno. */
static int
start_process(struct tls *t, const struct tls_request *request, int fd,
    struct helper_ends *ends)
{
	int64_t start = step_start();
	pid_t parent = getpid(), pid = child_fork();

	if (pid == 0) {
		/* It must be able to remove its directory. */
		os_follow_parent(parent, SIGTERM);
		fd_close(&t->helper.errors);
		_exit(tls_process_run(request, fd, ends));
	}
	report_fork(fd, pid, start);
	t->helper.child.pid = pid > 0 ? pid : 0;
	return pid > 0 ? 0 : -1;
}

struct tls *
tls_start(const struct tls_request *request, int *fd, struct err *e)
{
	struct tls *t = mem_array(1, sizeof(*t));
	struct helper_ends ends = {-1, -1};
	int64_t start = clock_now();
	int plain, result = -1;

	endpoint_format(request->ep, t->name, sizeof(t->name));
	t->helper.line = add_line;
	t->helper.context = t;
	plain = helper_open(&t->helper, &ends, e);
	if (plain >= 0) {
		result = start_process(t, request, *fd, &ends);
		if (result < 0)
			err_sys(e, ERR_FAILED, errno, "%s: TLS", t->name);
		helper_close_ends(&ends);
	}
	(void)call_close(*fd, "the other process has it");
	if (result == 0)
		result = wait_handshake(t, request, e);
	*fd = plain;
	if (result == 0) {
		announce(t, request->options, clock_now() - start);
		return t;
	}
	sock_close(fd);
	tls_release(t);
	return NULL;
}

int
tls_end(struct tls *t, struct deadline until, struct err *e)
{
	int status;

	fd_close(&t->helper.hold);
	status = helper_wait(&t->helper, until);
	if (t->helper.child.is_ending) {
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
	helper_release(&t->helper);
	free(t);
}
