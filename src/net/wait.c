/* Waits by poll(2) for descriptors, signals and an absolute deadline. */
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/os.h"
#include "net/spawn.h"

/* How often a FIFO without a reader is tried. */
#define OPEN_MS 20

/* The signal pipe. The handler touches nothing else but the flags. It lies
 * where the C library writes at every fork as well: a page less to be copied
 * for each child. */
static _Thread_local struct {
	int ends[2];                    /* read, write; -1: none yet */
	volatile sig_atomic_t pending;  /* came, not yet taken */
	volatile sig_atomic_t stopped;  /* the one that asked to stop */
	unsigned caught;                /* rows of numbers[], a bit each */
	volatile sig_atomic_t is_child; /* that a handler ought not to run in */
	pid_t self;                     /* this process; 0: not known */
} signals = {{-1, -1}, 0, 0, 0, false, 0};

static const struct {
	int bit;
	int number;
} numbers[] = {
    {WAIT_STOP, SIGINT},
    {WAIT_STOP, SIGTERM},
    {WAIT_STOP, SIGHUP},
    {WAIT_CHILD, SIGCHLD},
#ifdef SIGWINCH
    {WAIT_WINCH, SIGWINCH},
#endif
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

/* Dies by a signal, as a shell expects it. */
static void
die_by(int number)
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

/* In a child: what the signal does by default. */
static void
on_signal_in_child(int number)
{
	size_t i;

	for (i = 0; i < NUMBERS; i++)
		if (numbers[i].number == number && numbers[i].bit == WAIT_STOP)
			die_by(number);
}

static void
on_signal(int number)
{
	int saved = errno;
	bool woken = signals.pending != 0;
	size_t i;

	if (signals.is_child) {
		on_signal_in_child(number);
		return;
	}
	for (i = 0; i < NUMBERS; i++) {
		if (numbers[i].number != number)
			continue;
		signals.pending |= numbers[i].bit;
		if (numbers[i].bit == WAIT_STOP)
			signals.stopped = number;
	}
	if (signals.stopped != 0)
		fd_stop_waiting();
	/* A full pipe wakes the poll just as well. */
	while (!woken && write(signals.ends[1], "", 1) < 0 && errno == EINTR)
		continue;
	errno = saved;
}

void
wait_start(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &sa, NULL);
	sa.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &sa, NULL);
	signals.self = getpid();
}

/* What is caught does again what it does by default. */
static void
default_handlers(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	size_t i;

	for (i = 0; i < NUMBERS; i++)
		if (signals.caught & (1U << i))
			sigaction(numbers[i].number, &sa, NULL);
}

/* Whoever started us protects us from these, if he ignores them. */
static bool
is_protected(int number)
{
	struct sigaction old;

	if (number != SIGINT && number != SIGHUP)
		return false;
	sigaction(number, NULL, &old);
	return old.sa_handler == SIG_IGN;
}

int
wait_catch(int mask, struct err *e)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t set;
	size_t i;

	if (signals.is_child) {
		default_handlers();
		signals.is_child = false;
		signals.caught = 0;
	}
	if (signals.ends[0] < 0 && os_pipe(signals.ends, true) < 0)
		return err_sys(e, ERR_FAILED, errno, "signal pipe");
	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	for (i = 0; i < NUMBERS; i++) {
		if (!(numbers[i].bit & mask) || is_protected(numbers[i].number))
			continue;
		if (sigaction(numbers[i].number, &sa, NULL) < 0)
			return err_sys(e, ERR_FAILED, errno,
			    "catching signal %d", numbers[i].number);
		sigaddset(&set, numbers[i].number);
		signals.caught |= 1U << i;
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

/* Takes the signals and the bytes that woke the poll. */
static int
take_signals(void)
{
	sigset_t all, old;
	char drop[64];
	int taken;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	taken = signals.pending;
	signals.pending = 0;
	while (read(signals.ends[0], drop, sizeof(drop)) == sizeof(drop))
		continue;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return taken;
}

int
wait_taken(void)
{
	return signals.pending == 0 ? 0 : take_signals();
}

int
wait_stopped(void)
{
	return signals.stopped;
}

int
wait_server_result(int result, struct err *e)
{
	if (result < 0 && e->errnum != EINTR)
		return result;
	if (signals.stopped == SIGHUP)
		return err_sys(e, ERR_FAILED, EINTR, "serving");
	if (signals.stopped != 0)
		err_clear(e);
	return signals.stopped != 0 ? 0 : result;
}

int
wait_poll(struct pollfd *fds, nfds_t count, struct deadline until)
{
	int n;

	fds[count].fd = signals.ends[0];
	fds[count].events = POLLIN;
	fds[count].revents = 0;
	for (;;) {
		n = poll(fds, count + 1, deadline_poll_ms(until));
		if (signals.pending != 0) {
			errno = EINTR;
			return -1;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && !deadline_passed(until))
			continue;
		if (n > 0 && fds[count].revents != 0)
			n--;
		if (n == 0 && fds[count].revents != 0) {
			/* Bytes of signals that were taken long ago. */
			take_signals();
			continue;
		}
		return n;
	}
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

/* Whether the open of path failed for want of a reader. */
static bool
lacks_reader(const char *path, int errnum)
{
	struct stat st;

	return errnum == ENXIO && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Waits a moment, since no event tells that a FIFO has got a reader. */
static int
wait_for_reader(const char *shown, struct deadline until, struct err *e)
{
	struct deadline next = deadline_first(until, deadline_after(OPEN_MS));

	if (wait_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "opening %s", shown);
	if (deadline_passed(until))
		return err_set(e, ERR_TIMEOUT,
		    "opening %s: nobody reads from this FIFO, and the whole "
		    "run took too long (--max-time)",
		    shown);
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

void
wait_child(void)
{
	size_t i;

	if (signals.self != 0)
		spawn_follow_parent(signals.self, SIGKILL);
	signals.self = getpid();
	signals.is_child = true;
	for (i = 0; i < 2; i++) {
		if (signals.ends[i] >= 0)
			close(signals.ends[i]);
		signals.ends[i] = -1;
	}
	/* It came when the handler did not know yet whose it was. */
	if (signals.stopped != 0)
		die_by(signals.stopped);
	signals.pending = 0;
}

/* Ignored signals, which a program would inherit. They are looked for once:
 * nothing but wait_start() and those who started us has any ignored. */
static struct {
	bool is_known;
	sigset_t set;
} ignored;

void
wait_find_ignored(void)
{
	struct sigaction sa;
	int number;

	if (ignored.is_known)
		return;
	sigemptyset(&ignored.set);
	for (number = 1; number <= SIGRTMAX; number++)
		if (sigaction(number, NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN)
			sigaddset(&ignored.set, number);
	ignored.is_known = true;
}

void
wait_reset_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;
	int number;

	default_handlers();
	for (number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&ignored.set, number) == 1)
			sigaction(number, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
wait_die(void)
{
	die_by(signals.stopped);
}
