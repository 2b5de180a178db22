/* Reports readiness to a service manager: the protocol of sd_notify(3). */
#include "net/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/call.h"
#include "net/sock.h"
#include "net/wait.h"

/* How long a manager whose queue is full is waited for. */
#define SEND_MS 1000

/* The manager's socket; its len is 0 if there is none. */
static struct addr manager;

/* Connects, waits for space in the manager's queue, sends. Returns 0, or -1
 * with errno. */
static int
send_text(int fd, const char *text)
{
	if (call_connect(fd, &manager) < 0)
		return -1;
	step_name(fd, "the socket of the service manager", 0);
	if (wait_fd(fd, POLLOUT, deadline_after(SEND_MS)) == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return call_send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void
report_failure(void)
{
	char shown[ADDR_TEXT];

	diag_note("NOTIFY_SOCKET %s: the service manager was not notified: %s",
	    addr_format(&manager, shown, sizeof(shown)),
	    err_reason(errno, ERR_AT_UNIX));
}

static void
notify(const char *text)
{
	int fd;

	if (manager.len == 0)
		return;
	fd = sock_open(AF_UNIX, SOCK_DGRAM);
	if (fd < 0 || send_text(fd, text) < 0)
		report_failure();
	sock_close(&fd);
}

void
notify_ready(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct err e = ERR_INIT;

	if (name == NULL || name[0] == '\0')
		return;
	if (name[0] != '/' && name[0] != '@')
		diag_note("NOTIFY_SOCKET is neither a path nor @NAME");
	else if (addr_unix(&manager, name, &e) < 0)
		diag_note("NOTIFY_SOCKET: %s", e.text);
	unsetenv("NOTIFY_SOCKET");
	notify("READY=1");
}

void
notify_stopping(void)
{
	notify("STOPPING=1");
}
