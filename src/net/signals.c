/* Signals: caught ones, ignored ones, and those of a child. */
#include "net/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"

/* The signal pipe. Besides it, the handlers only use the flags. */
static struct {
	/* Its read and its write end; -1 before it is made. */
	int ends[2];
	/* A stop signal was caught, and not collected yet. */
	volatile sig_atomic_t pending;
	/* The last signal that asked sockt to stop, how many have, and when the
	 * last was counted. */
	volatile sig_atomic_t stopped, stop_count;
	int64_t counted_ns;
	/* A child has exited, which was not collected yet. */
	volatile sig_atomic_t child_has_exited;
	/* This is a forked child, which takes the default action. */
	volatile sig_atomic_t is_child;
} signals = {.ends = {-1, -1}};

/* Within this time several signals are one: timeout(1) signals a process, and
 * then its group. */
#define AGAIN_MS 10

/* The signals that ask sockt to stop. */
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

void
signals_die(int number)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigaction(number, &sa, NULL);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(number);
	_exit(128 + number);
}

/* Wakes the poll; a full pipe wakes it, too. */
static void
wake(void)
{
	while (write(signals.ends[1], "", 1) < 0 && errno == EINTR)
		continue;
}

static void
on_signal(int number)
{
	int saved = errno;
	bool woken = signals.pending != 0;

	if (signals.is_child)
		signals_die(number);
	signals.pending = 1;
	signals.stopped = number;
	if (signals.stop_count == 0 ||
	    clock_now() - signals.counted_ns > AGAIN_MS * CLOCK_MS) {
		signals.stop_count++;
		signals.counted_ns = clock_now();
	}
	fd_stop_waiting();
	if (!woken)
		wake();
	errno = saved;
}

static void
on_child(int number)
{
	int saved = errno;

	(void)number;
	if (!signals.child_has_exited) {
		signals.child_has_exited = 1;
		wake();
	}
	errno = saved;
}

/* It only interrupts a call: see fd_read_briefly(). */
static void
on_timer(int number)
{
	(void)number;
}

void
signals_init(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};
	sigset_t set;

	sigaction(SIGPIPE, &sa, NULL);
	/* As EPIPE, EFBIG is an error to handle: clients can fill a log. */
	sigaction(SIGXFSZ, &sa, NULL);
	sa.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &sa, NULL);
	sa.sa_handler = on_timer;
	sigaction(FD_SIGNAL, &sa, NULL);
	/* They may have been blocked when sockt was started. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, FD_SIGNAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int
signals_catch(struct err *e)
{
	struct sigaction sa = {.sa_handler = on_signal}, old;
	sigset_t set;
	size_t i;

	signals.is_child = false;
	if (signals.ends[0] < 0 && fd_pipe(signals.ends, true) < 0)
		return err_sys(e, ERR_FAILED, errno, "preparing for signals");
	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < NUMBERS; i++) {
		/* A shell or nohup(1) protects sockt by ignoring INT or HUP. */
		if (numbers[i] != SIGTERM &&
		    sigaction(numbers[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		if (sigaction(numbers[i], &sa, NULL) < 0)
			return err_sys(e, ERR_FAILED, errno,
			    "catching signal %d", numbers[i]);
		sigaddset(&set, numbers[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

int
signals_catch_children(void)
{
	struct sigaction sa = {
	    .sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP};

	sigemptyset(&sa.sa_mask);
	if (signals.ends[0] < 0 && fd_pipe(signals.ends, true) < 0)
		return -1;
	return sigaction(SIGCHLD, &sa, NULL);
}

/* The caller has cleared the flag, and checks it afterwards: no signal is lost.
 */
static void
empty_pipe(void)
{
	char drop[64];

	while (read(signals.ends[0], drop, sizeof(drop)) == sizeof(drop))
		continue;
}

bool
signals_collect_children(void)
{
	if (signals.child_has_exited == 0)
		return false;
	signals.child_has_exited = 0;
	empty_pipe();
	return true;
}

void
signals_collect(void)
{
	if (signals.pending == 0)
		return;
	signals.pending = 0;
	empty_pipe();
}

int
signals_poll(
    struct pollfd *fds, nfds_t count, int timeout_ms, bool with_children)
{
	/* A signal after this writes to the pipe, and wakes the poll. */
	bool has_exited = with_children && signals.child_has_exited;
	bool is_due = has_exited || signals.pending;
	int n;

	fds[count] = (struct pollfd){signals.ends[0], POLLIN, 0};
	n = poll(fds, count + 1, is_due ? 0 : timeout_ms);
	if (signals.pending) {
		errno = EINTR;
		return -1;
	}
	if (n < 0 && errno == EINTR)
		errno = EAGAIN;
	if (n > 0 && fds[count].revents != 0)
		n--;
	else if (n != 0 || !has_exited)
		return n;
	if (n > 0)
		return n;
	/* Otherwise the bytes belong to signals already collected. */
	if (!has_exited)
		empty_pipe();
	errno = has_exited ? ECHILD : EAGAIN;
	return -1;
}

int
signals_stopped(void)
{
	return signals.stopped;
}

int
signals_stop_count(void)
{
	return signals.stop_count;
}

int
signals_server_result(int result, struct err *e)
{
	if (result < 0 && e->errnum != EINTR)
		return result;
	if (signals.stopped == SIGHUP)
		return err_sys(e, ERR_FAILED, EINTR, "serving");
	if (signals.stopped != 0)
		err_clear(e);
	return signals.stopped != 0 ? 0 : result;
}

void
signals_after_fork(void)
{
	/* The handlers stay: most children never receive a signal. */
	signals.is_child = true;
	fd_close(&signals.ends[0]);
	fd_close(&signals.ends[1]);
	/* A signal that arrived before is_child was set was only recorded. */
	if (signals.stopped != 0)
		signals_die(signals.stopped);
	signals.pending = 0;
	signals.child_has_exited = 0;
}

void
signals_reset(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;
	int number;

	/* sigaction(2) refuses the signals reserved to the C library. */
	for (number = 1; number <= SIGRTMAX; number++)
		(void)sigaction(number, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
