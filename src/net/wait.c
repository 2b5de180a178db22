/* poll(2) against a deadline; waiting for the reader of a FIFO. */
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/step.h"
#include "base/text.h"
#include "net/signals.h"

/* The interval between attempts to open a FIFO without a reader. */
#define OPEN_MS 20

/* How long nothing must happen before counted steps are shown. */
#define FLUSH_MS 500

/* Counted steps are shown once nothing happens for a while. */
static struct deadline
before_flush(struct deadline until)
{
	return step_is_pending()
		   ? deadline_first(until, deadline_after(FLUSH_MS))
		   : until;
}

static int
poll_until(
    struct pollfd *fds, nfds_t count, struct deadline until, bool children)
{
	bool has_exited;
	int n;

	fds[count].fd = signals_fd();
	fds[count].events = POLLIN;
	fds[count].revents = 0;
	for (;;) {
		/* A signal after this writes to the pipe, and wakes the poll.
		 */
		has_exited = children && signals_child_has_exited();
		n = poll(fds, count + 1,
		    has_exited || signals_pending()
			? 0
			: deadline_poll_ms(before_flush(until)));
		if (signals_pending()) {
			errno = EINTR;
			return -1;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && !has_exited && !deadline_passed(until)) {
			step_flush();
			continue;
		}
		if (n > 0 && fds[count].revents != 0)
			n--;
		if (n == 0 && !has_exited && fds[count].revents != 0) {
			/* Bytes of signals that were already collected. */
			signals_empty_pipe();
			continue;
		}
		return n;
	}
}

int
wait_poll(struct pollfd *fds, nfds_t count, struct deadline until)
{
	return poll_until(fds, count, until, false);
}

int
wait_children(struct pollfd *fds, nfds_t count, struct deadline until)
{
	return poll_until(fds, count, until, true);
}

int
wait_fd(int fd, short events, struct deadline until)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events}};

	return wait_poll(fds, 1, until);
}

int
wait_until(struct deadline until)
{
	struct pollfd spare[1];

	return wait_poll(spare, 0, until);
}

/* Whether the open of path failed because there is no reader. */
static bool
lacks_reader(const char *path, int errnum)
{
	struct stat st;

	return errnum == ENXIO && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Pauses, because no event reports that a FIFO has a reader. */
static int
wait_for_reader(const char *shown, struct deadline until, struct err *e)
{
	struct deadline next = deadline_first(until, deadline_after(OPEN_MS));
	char what[320];

	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "opening %s", shown);
	if (deadline_passed(until)) {
		snprintf(what, sizeof(what),
		    "opening %s: no program reads from this FIFO", shown);
		return deadline_error(until, what, e);
	}
	(void)poll(NULL, 0, deadline_poll_ms(next));
	return 0;
}

int
wait_open(const char *path, int flags, mode_t mode, struct deadline until,
    struct err *e)
{
	char shown[256];
	int fd, saved;

	text_escape_string(shown, sizeof(shown), path);
	for (;;) {
		fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, mode);
		saved = errno;
		if (fd >= 0)
			break;
		if (saved != EINTR && !lacks_reader(path, saved))
			return err_sys(
			    e, ERR_OUTPUT, saved, "opening %s", shown);
		if (wait_for_reader(shown, until, e) < 0)
			return -1;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}
