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

/* The manager's address, and a socket that is connected to it, or -1. */
static struct addr manager;
static int manager_fd = -1;

/* Waits for space in the manager's queue, and sends. Returns 0, or -1 with
 * errno. */
static int
send_text(int fd, const char *text)
{
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

/* Connects to the manager. Returns 0, or -1 with errno. */
static int
open_manager(void)
{
	manager_fd = sock_open(AF_UNIX, SOCK_DGRAM);
	if (manager_fd < 0 || call_connect(manager_fd, &manager) < 0)
		return -1;
	step_name(manager_fd, "the socket of the service manager", 0);
	return 0;
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
	if (manager.len == 0 ||
	    (open_manager() == 0 && send_text(manager_fd, "READY=1") == 0))
		return;
	report_failure();
	sock_close(&manager_fd);
}

void
notify_stopping(void)
{
	if (manager_fd >= 0 && send_text(manager_fd, "STOPPING=1") < 0)
		report_failure();
	sock_close(&manager_fd);
}
