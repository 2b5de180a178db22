/* poll(2) against a deadline; opening outputs, and waiting for the reader of a
 * FIFO. */
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/signals.h"
#include "net/sock.h"

/* The interval between attempts to open a FIFO without a reader. */
#define OPEN_MS 20

/*
 * A wait that returns this late was stopped (SIGSTOP), perhaps together with
 * the process it waits for, as ^Z stops a pipeline: it is extended by this
 * time.
 */
#define LATE_MS INT64_C(100)

/* The innermost reason. */
static struct wait_reason *reasons;

void
wait_begin(
    struct wait_reason *r, const char *(*text)(void *context), void *context)
{
	*r = (struct wait_reason){.text = text,
	    .context = context,
	    .start_ns = clock_now(),
	    .outer = reasons};
	r->due = deadline_from(r->start_ns, WAIT_REPORT_MS);
	reasons = r;
}

void
wait_end(void)
{
	const struct wait_reason *inner = reasons;

	reasons = inner->outer;
	if (reasons != NULL && deadline_is_set(reasons->due))
		reasons->due.at_ns += clock_now() - inner->start_ns;
}

/* The descriptor that every wait reads; fd -1: none. */
static struct {
	int fd;
	ssize_t (*receive)(void *context);
	void *context;
} reader = {.fd = -1};

void
wait_start_reading(int fd, ssize_t (*receive)(void *context), void *context)
{
	reader.fd = fd;
	reader.receive = receive;
	reader.context = context;
}

void
wait_stop_reading(void)
{
	reader.fd = -1;
}

/* The output that every wait watches; fd -1: none. */
static struct {
	int fd;
	bool is_unread;
} output = {.fd = -1};

void
wait_watch_reader(int fd)
{
	output.is_unread = false;
	output.fd = fd >= 0 && sock_shows_reader(fd, sock_kind(fd)) ? fd : -1;
}

bool
wait_is_unread(void)
{
	return output.is_unread;
}

/* How long the first stop signal is held back, and until when. */
static struct {
	int64_t ms; /* 0: not at all */
	struct deadline until;
} stop = {0, {INT64_MAX, 0, NULL}};

void
wait_hold_stop(int64_t ms)
{
	stop.ms = ms;
	stop.until = deadline_none();
}

bool
wait_is_stopped(void)
{
	if (stop.ms == 0 || signals_stop_count() != 1)
		return signals_stopped() != 0;
	if (!deadline_is_set(stop.until))
		stop.until = deadline_after(stop.ms);
	return deadline_passed(stop.until);
}

void
wait_after_fork(void)
{
	reasons = NULL;
	output.fd = -1;
	wait_stop_reading();
}

/* signals_poll(), with the reader and the output. */
static int
poll_and_read(
    struct pollfd *fds, nfds_t count, int timeout_ms, bool with_children)
{
	int ready;
	ssize_t n;

	fds[count] = (struct pollfd){reader.fd, POLLIN, 0};
	fds[count + 1] = (struct pollfd){output.fd, 0, 0};
	ready = signals_poll(fds, count + 2, timeout_ms, with_children);
	if (ready > 0 && fds[count + 1].revents != 0) {
		output.is_unread = true;
		errno = EPIPE;
		if (--ready == 0)
			return -1;
	}
	if (ready <= 0 || fds[count].revents == 0)
		return ready;
	n = reader.receive(reader.context);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		wait_stop_reading();
	/* Constant input must not hide that a child has exited. */
	return ready > 1 ? ready - 1
			 : signals_poll(fds, count, 0, with_children);
}

static struct deadline
report_time(void)
{
	return reasons == NULL || reasons->is_reported ? deadline_none()
						       : reasons->due;
}

static void
report_reason(void)
{
	const char *text;
	struct json *j;

	if (!deadline_passed(report_time()))
		return;
	text = reasons->text(reasons->context);
	reasons->due = deadline_after(WAIT_REPORT_MS);
	reasons->is_reported = text != NULL;
	if (text == NULL)
		return;
	j = diag_event_begin("waiting");
	json_text(j, "text", text);
	diag_event_end(DIAG_SAY, "%s", text);
}

int
wait_events(
    struct pollfd *fds, nfds_t count, struct deadline until, bool with_children)
{
	int64_t entered_ns, late_ns;
	bool is_late = false;
	struct deadline next;
	int n;

	for (;;) {
		report_reason();
		entered_ns = clock_now();
		next = deadline_first(until, report_time());
		next = deadline_first(next, stop.until);
		n = poll_and_read(
		    fds, count, deadline_poll_ms(next), with_children);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0 && errno == EINTR && !wait_is_stopped()) {
			signals_collect();
			continue;
		}
		if (n == 0 && stop.ms > 0 && deadline_passed(stop.until)) {
			errno = EINTR;
			return -1;
		}
		/* This process may have been stopped: data that is ready is
		 * received before a deadline that passed meanwhile counts. */
		deadline_looked(entered_ns);
		if (n != 0)
			return n < 0 && errno == ECHILD ? 0 : n;
		if (deadline_poll_ms(until) != 0)
			continue;
		late_ns = clock_now() -
			  (until.at_ns > entered_ns ? until.at_ns : entered_ns);
		if (is_late || late_ns <= LATE_MS * CLOCK_MS) {
			deadline_looked(until.at_ns);
			return 0;
		}
		/* Only once: repeated stops must not extend it for ever. */
		is_late = true;
		until = deadline_after(LATE_MS);
	}
}

int
wait_poll(struct pollfd *fds, nfds_t count, struct deadline until)
{
	return wait_events(fds, count, until, false);
}

int
wait_fd(int fd, short events, struct deadline until)
{
	struct pollfd fds[1 + WAIT_SPARE] = {{.fd = fd, .events = events}};

	return wait_poll(fds, 1, until);
}

int
wait_until(struct deadline until)
{
	struct pollfd spare[WAIT_SPARE];

	return wait_poll(spare, 0, until);
}

/* Returns a copy of an open descriptor, or -1 with *e. */
static int
copy_descriptor(int fd, const char *name, struct err *e)
{
	int flags = fcntl(fd, F_GETFD), copy;

	/* Others than the user's are closed on exec. */
	if (flags < 0 || (fd > STDERR_FILENO && (flags & FD_CLOEXEC) != 0))
		return err_set(e, ERR_OUTPUT,
		    "opening %s: descriptor %d is not open", text_shown(name),
		    fd);
	if (!fd_permits(fd, O_WRONLY))
		return err_set(e, ERR_OUTPUT,
		    "opening %s: descriptor %d is open for reading only",
		    text_shown(name), fd);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (copy < 0)
		return err_sys(e, ERR_OUTPUT, errno, "%s", text_shown(name));
	return copy;
}

static const char *
reader_text(void *path)
{
	return text_format("%s: waiting until a program reads from this FIFO",
	    text_shown(path));
}

/* Opens a file or a FIFO; no event reports that a FIFO has a reader. */
static int
open_path(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, mode);
		if (fd >= 0)
			break;
		if (errno != EINTR && (errno != ENXIO || stat(path, &st) < 0 ||
					  !S_ISFIFO(st.st_mode)))
			return err_sys(e, ERR_OUTPUT, errno, "opening %s",
			    text_shown(path));
		if (signals_stopped() != 0)
			return err_sys(e, ERR_FAILED, EINTR, "opening %s",
			    text_shown(path));
		if (deadline_passed(until))
			return deadline_error(until,
			    text_format("opening %s: no program reads from "
					"this FIFO",
				text_shown(path)),
			    e);
		(void)wait_until(
		    deadline_first(until, deadline_after(OPEN_MS)));
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

int
wait_open(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e)
{
	struct wait_reason reason;
	int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO : fd_named(path);

	if (fd >= 0)
		return copy_descriptor(fd, path, e);
	wait_begin(&reason, reader_text, (void *)(uintptr_t)path);
	fd = open_path(path, flags, mode, until, e);
	wait_end();
	return fd;
}
