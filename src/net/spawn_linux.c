/* Starts processes with the cheapest system calls of Linux. */
#include "net/spawn.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/step.h"
#include "net/os.h"
#include "net/signals.h"

/* Where the C library registers restartable sequences, and the compiler knows
 * the thread's address. */
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35) && __GNUC__ >= 11
#include <sys/rseq.h>
#define HAS_RSEQ
#endif
#endif

/* The search path if PATH is not set. */
#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

/*
 * The rest of glibc's fork() writes to further pages, each of which would be
 * copied.
 */
pid_t
spawn_fork(void)
{
	step_flush();
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
	return _Fork();
#else
	return fork();
#endif
#else
	return fork();
#endif
}

/*
 * The kernel writes a thread's area of restartable sequences (rseq(2)) whenever
 * it runs on another processor, and so both processes copy its page. Only the C
 * library's sched_getcpu() uses it, and does without it. A library that has
 * registered another size keeps it.
 */
void
spawn_prepare(void)
{
#ifdef HAS_RSEQ
	const long unregister = 1, size = 32;

	if (__rseq_size > 0)
		(void)syscall(SYS_rseq,
		    (char *)__builtin_thread_pointer() + __rseq_offset, size,
		    unregister, RSEQ_SIG);
#endif
}

/* Whether to try the next directory after this errno. */
static bool
is_elsewhere(int errnum)
{
	return errnum == EACCES || errnum == ENOENT || errnum == ENOTDIR ||
	       errnum == ESTALE || errnum == ENODEV || errnum == ETIMEDOUT;
}

/* Tries each directory of PATH. Returns only on failure, with an errno. */
static int
execute_in_path(char *const *argv, char *const *environment)
{
	const char *name = argv[0], *at = getenv("PATH"), *end;
	size_t length = strlen(name), n;
	char full[PATH_MAX + 1];
	int found = ENOENT;

	if (length == 0)
		return ENOENT;
	for (at = at != NULL ? at : DEFAULT_PATH; at != NULL;
	     at = *end == ':' ? end + 1 : NULL) {
		end = strchr(at, ':');
		if (end == NULL)
			end = at + strlen(at);
		n = (size_t)(end - at);
		if (n + length + 2 > sizeof(full))
			continue;
		memcpy(full, at, n);
		/* An empty entry means the working directory. */
		if (n > 0)
			full[n++] = '/';
		memcpy(full + n, name, length + 1);
		execve(full, argv, environment);
		if (!is_elsewhere(errno))
			return errno;
		if (errno == EACCES)
			found = EACCES;
	}
	return found;
}

int
spawn_replace(char *const *argv, char *const *environment)
{
	if (strchr(argv[0], '/') == NULL)
		return execute_in_path(argv, environment);
	execve(argv[0], argv, environment);
	return errno;
}

/*
 * In the child, which shares the parent's memory: it must change nothing except
 * its stack. Returns only on failure, with an errno.
 */
static int
become(const struct spawn_program *p, pid_t parent)
{
	if (p->new_group && setpgid(0, 0) < 0)
		return errno;
	if (dup2(p->in, p->first) < 0 || dup2(p->out, p->first + 1) < 0 ||
	    (p->errors != 0 && dup2(p->errors, 2) < 0))
		return errno;
	signals_reset();
	os_follow_parent(parent, SIGTERM);
	return spawn_replace(p->argv, p->environment);
}

/*
 * vfork(2) copies no page table, and shared memory returns the failure. A
 * signal must not run a handler of sockt in the child, which would change the
 * parent's state.
 */
int
spawn_program(const struct spawn_program *p, pid_t *pid)
{
	volatile int errnum = 0;
	pid_t child, parent = getpid();
	sigset_t all, old;

	signals_find_ignored();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	child = vfork();
	if (child == 0) {
		/* On Linux, vfork(2) shares memory and stack; see become(). */
		errnum =
		    become(p, parent); /* NOLINT(clang-analyzer-unix.Vfork) */
		_exit(127);
	}
	if (child < 0)
		errnum = errno;
	else if (errnum != 0)
		waitpid(child, NULL, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	*pid = child;
	return errnum;
}

bool
spawn_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1UL) == 0;
}

void *
spawn_private_memory(void *old, size_t old_size, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* If it fails, the child merely gets a copy. */
	(void)madvise(memory, size, MADV_DONTFORK);
	if (old != NULL) {
		memcpy(memory, old, old_size < size ? old_size : size);
		munmap(old, old_size);
	}
	return memory;
}

void
spawn_private_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}

int
spawn_open_child_events(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

void
spawn_read_child_events(int fd)
{
	struct signalfd_siginfo info;

	/* Pending signals of the same number are merged into one. */
	(void)!read(fd, &info, sizeof(info));
}
