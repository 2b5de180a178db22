/* A process that carries a connection, and what it writes to stderr. */
#include "dial/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/call.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"

/* The pauses between two checks whether the process has exited. */
#define MIN_PAUSE_MS 1
#define MAX_PAUSE_MS 20
/* How much of stderr is kept: as much as a pipe holds. */
#define MAX_ERRORS (64 * 1024)
/* How long the process group may take to exit after its leader. */
#define GROUP_MS 500

int
helper_open(struct helper *h, struct helper_ends *ends, struct err *e)
{
	int sockets[2], errors[2];

	h->hold = h->errors = -1;
	if (call_socketpair(sockets) < 0)
		return err_sys(e, ERR_FAILED, errno, "a pair of sockets");
	h->hold = fcntl(sockets[0], F_DUPFD_CLOEXEC, 3);
	if (h->hold < 0 || sock_nonblocking(sockets[0], true) < 0 ||
	    os_pipe(errors, true) < 0) {
		err_sys(e, ERR_FAILED, errno, "a pipe");
		sock_close(&sockets[0]);
		sock_close(&sockets[1]);
		fd_close(&h->hold);
		return -1;
	}
	h->errors = errors[0];
	*ends = (struct helper_ends){sockets[1], errors[1]};
	return sockets[0];
}

void
helper_close_ends(struct helper_ends *ends)
{
	fd_close(&ends->inner);
	fd_close(&ends->errors);
}

/* Passes on the line read so far; one that is too long has been cut. */
static void
end_line(struct helper *h)
{
	h->text[h->length] = '\0';
	if (h->length > 0)
		h->line(h->context, h->text);
	h->length = 0;
}

static void
add_bytes(struct helper *h, const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n && h->count < MAX_ERRORS; i++) {
		h->count++;
		if (bytes[i] == '\n' || bytes[i] == '\r')
			end_line(h);
		else if (bytes[i] != '\0' && h->length + 1 < sizeof(h->text))
			h->text[h->length++] = bytes[i];
	}
}

int
helper_read(struct helper *h, struct deadline until)
{
	char bytes[4096];
	ssize_t n;

	if (h->errors < 0)
		return 0;
	for (;;) {
		n = read(h->errors, bytes, sizeof(bytes));
		if (n > 0) {
			add_bytes(h, bytes, (size_t)n);
			return 1;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			break;
		n = wait_fd(h->errors, POLLIN, until);
		if (n <= 0)
			return (int)n;
	}
	end_line(h);
	fd_close(&h->errors);
	return 0;
}

/* Sleeps until stderr has output or the pause is over. */
static void
sleep_briefly(struct helper *h, struct deadline until)
{
	if (h->errors >= 0)
		(void)helper_read(h, until);
	else
		(void)wait_until(until);
}

int
helper_wait(struct helper *h, struct deadline until)
{
	struct backoff pause = {.min = MIN_PAUSE_MS, .max = MAX_PAUSE_MS};
	struct child *c = &h->child;
	int status;

	c->until = until;
	while (!child_reap(c, &status)) {
		(void)signals_collect();
		if (deadline_passed(c->until) ||
		    (!c->is_ending && signals_stopped() != 0))
			child_end(c);
		else
			sleep_briefly(
			    h, deadline_first(c->until,
				   deadline_after(backoff_next(&pause))));
	}
	while (h->count < MAX_ERRORS && helper_read(h, deadline_after(0)) > 0)
		continue;
	end_line(h);
	return status;
}

/* Ends what the process has left of its group: the rest of a pipeline. */
static void
end_group(struct child *c)
{
	c->is_ending = false;
	child_end(c);
	c->until = deadline_after(GROUP_MS);
	child_wait_group(c);
}

void
helper_release(struct helper *h)
{
	if (h->child.pid > 0)
		(void)helper_wait(h, deadline_after(0));
	if (h->child.group > 0 && child_group_is_alive(h->child.group))
		end_group(&h->child);
	fd_close(&h->errors);
	fd_close(&h->hold);
}
