/*
 * A scan in several processes of which only the first can be started, and has
 * already sent results: one process scans everything, and reports it once.
 */
#include "scan/shards.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/choose_targets.h"
#include "lib/tap.h"
#include "net/os.h"
#include "scan/order.h"
#include "scan/scan.h"

#define PORTS 8192
#define FRAME 4096
#define MAX_FD 64
#define PATIENCE_MS 10000

static int forks;
static int seen[PORTS + 1];

/* Waits until a pipe of this process holds a frame. */
static void
await_frame(void)
{
	int ms, fd, n;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		for (fd = 3; fd < MAX_FD; fd++)
			if (ioctl(fd, FIONREAD, &n) == 0 && n >= FRAME)
				return;
		(void)poll(NULL, 0, 1);
	}
}

pid_t _Fork(void);

/* It takes the place of the C library's, and works once. */
pid_t
fork(void)
{
	if (forks++ == 0)
		return _Fork();
	await_frame();
	errno = EAGAIN;
	return -1;
}

static void
on_result(void *context, const struct scan_result *r)
{
	(void)context;
	seen[r->port]++;
}

int
main(void)
{
	struct targets targets = TARGETS_INIT;
	struct order order;
	const struct scan_options o = {.order = &order,
	    .type = SOCK_STREAM,
	    .retries = -1,
	    .timeout_ms = 1000,
	    .until = deadline_none(),
	    .result = on_result};
	struct scan_progress end;
	struct err e = ERR_INIT;
	int i, wrong = 0;

	/* No server listens there. */
	choose_targets(&targets, "127.77.0.1", "1-8192");
	order_init(&order, &(struct order_options){&targets, 1, 0, 1, false});
	if (shards_count(&o) > 1) {
		ok(shards_run(&o, &end, &e) == 0, "the scan");
		is_int(forks, 2, "two processes were tried");
		for (i = 1; i <= PORTS; i++)
			wrong += seen[i] != 1;
		is_int(wrong, 0, "every port is reported once");
	} else {
		ok(true, "skipped: one process only");
	}
	order_release(&order);
	targets_release(&targets);
	return done_testing();
}
