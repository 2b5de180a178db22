/*
 * A library to be preloaded into sockt: counts its calls of the C library, by
 * function and by process, and makes one of them fail. See Torture.pm.
 *
 * Only calls made by the program's own code count: what the C library calls
 * for itself is neither counted nor hindered.
 *
 * The environment says what to do and is cleared of it at once, so that the
 * programs that sockt runs know nothing of all this:
 *
 * TORTURE_TABLE: the file of struct table, which is shared with the driver.
 * TORTURE_PLAN: PROCESS CALL N LASTS ACTION, that is which call of which
 * process fails, whether all later ones do so too (1), and how: an errno (or an
 * error of getaddrinfo(3), negative), "one" or "half" for a transfer that is
 * cut short.
 */
#define _GNU_SOURCE
/* As in sockt: open is the C library's open64, and so on. */
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Other C libraries have other inner names; there nothing is counted. */
#ifdef __GLIBC__

/* The names that the driver uses. */
/* clang-format off */
#define CALLS(X) \
	X(socket) X(socketpair) X(connect) X(bind) X(listen) X(accept4) \
	X(shutdown) X(close) X(getsockname) X(getpeername) X(getsockopt) \
	X(setsockopt) X(send) X(sendmsg) X(recv) X(recvmsg) X(read) X(write) \
	X(pwritev2) X(splice) X(poll) X(epoll_create1) X(epoll_ctl) \
	X(epoll_wait) X(pipe2) X(dup2) X(fcntl) X(ioctl) X(open) X(fopen) \
	X(fclose) X(fflush) X(fgets) X(stat) X(lstat) X(fstat) X(lseek) \
	X(ftruncate) X(futimens) X(rename) X(link) X(unlink) X(fchmod) \
	X(fchmodat) X(readlink) X(calloc) X(realloc) X(aligned_alloc) \
	X(fork) X(clone) X(execve) X(waitpid) X(kill) X(setpgid) X(prctl) \
	X(sigaction) X(getaddrinfo) X(fdopendir)
/* clang-format on */

#define AS_NUMBER(name) CALL_##name,
enum call { CALLS(AS_NUMBER) CALL_COUNT };

enum action { ACTION_NONE, ACTION_FAIL, ACTION_ONE, ACTION_HALF };

#define AS_NAME(name) #name,
static const char *const call_names[] = {CALLS(AS_NAME)};

enum { MAX_PROCESSES = 32, NAME_SIZE = 16 };

/* What the driver reads. All numbers are 32 bits wide. */
struct table {
	uint32_t call_count;
	uint32_t process_count; /* forked ones */
	uint32_t hits;          /* calls that failed as planned */
	uint32_t open_fds;      /* of the command, at its exit */
	int32_t pids[MAX_PROCESSES];
	uint32_t counts[MAX_PROCESSES][CALL_COUNT];
	char names[CALL_COUNT][NAME_SIZE];
};

static struct table *table;
static uint32_t process; /* 0: the command; N: the Nth that was forked */
static uintptr_t own_start, own_end;
static void *originals[CALL_COUNT];

static struct {
	uint32_t process;
	int call;
	uint32_t number;
	int lasts;
	enum action action;
	int error;
} plan = {.call = -1};

/* The program's own code, which is the first object of all. */
static int
find_program(struct dl_phdr_info *info, size_t size, void *context)
{
	int i;

	(void)size;
	(void)context;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		own_start = info->dlpi_addr + p->p_vaddr;
		own_end = own_start + p->p_memsz;
	}
	return 1;
}

/* The C library's own function. */
static void *
real_call(enum call call)
{
	if (originals[call] == NULL)
		originals[call] = dlsym(RTLD_NEXT, call_names[call]);
	return originals[call];
}

static void
read_plan(const char *text)
{
	char call[NAME_SIZE], action[NAME_SIZE];
	int i;

	if (text == NULL || sscanf(text, "%u %15s %u %d %15s", &plan.process,
				call, &plan.number, &plan.lasts, action) != 5)
		return;
	plan.action = ACTION_FAIL;
	if (strcmp(action, "one") == 0)
		plan.action = ACTION_ONE;
	else if (strcmp(action, "half") == 0)
		plan.action = ACTION_HALF;
	else
		plan.error = (int)strtol(action, NULL, 10);
	for (i = 0; i < CALL_COUNT; i++)
		if (strcmp(call, call_names[i]) == 0)
			plan.call = i;
}

static void
open_table(const char *path)
{
	int i, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, sizeof(*table)) < 0)
		abort();
	memory = mmap(
	    NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		abort();
	table = memory;
	table->call_count = CALL_COUNT;
	table->pids[0] = getpid();
	for (i = 0; i < CALL_COUNT; i++)
		strcpy(table->names[i], call_names[i]);
}

__attribute__((constructor)) static void
start(void)
{
	const char *path = getenv("TORTURE_TABLE");
	int i;

	for (i = 0; i < CALL_COUNT; i++)
		real_call((enum call)i);
	if (path == NULL)
		return;
	open_table(path);
	read_plan(getenv("TORTURE_PLAN"));
	unsetenv("TORTURE_TABLE");
	unsetenv("TORTURE_PLAN");
	unsetenv("LD_PRELOAD");
}

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void),
    void (*)(void), void (*)(void), void *);

static main_function *program_main;

/* From here on it counts; a runtime of coverage has made its calls by then. */
static int
counted_main(int argc, char **argv, char **envp)
{
	if (table != NULL)
		dl_iterate_phdr(find_program, NULL);
	return program_main(argc, argv, envp);
}

/* What the entry point of a program calls. */
start_function __libc_start_main;
int
__libc_start_main(main_function *given, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end)
{
	start_function *original =
	    (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

	program_main = given;
	return original(
	    counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* What the command itself still has open at its end, standard streams apart. */
__attribute__((destructor)) static void
finish(void)
{
	int (*get)(int, int, ...) =
	    (int (*)(int, int, ...))originals[CALL_fcntl];
	uint32_t open_fds = 0;
	int fd;

	if (table == NULL || process != 0)
		return;
	for (fd = 3; fd < 256; fd++)
		open_fds += get(fd, F_GETFD) >= 0;
	table->open_fds = open_fds;
}

/* Counts a call of that function from that address. What is to happen to it;
 * for a failure errno is set. */
static enum action
meet(enum call call, const void *caller)
{
	uint32_t n;

	if (table == NULL || (uintptr_t)caller < own_start ||
	    (uintptr_t)caller >= own_end || process >= MAX_PROCESSES)
		return ACTION_NONE;
	n = ++table->counts[process][call];
	if ((int)call != plan.call || process != plan.process ||
	    (plan.lasts ? n < plan.number : n != plan.number))
		return ACTION_NONE;
	table->hits++;
	if (plan.action == ACTION_FAIL && plan.error > 0)
		errno = plan.error;
	return plan.action;
}

#define MEET(call) meet(CALL_##call, __builtin_return_address(0))
#define ORIGINAL(type, call, params) ((type(*) params)real_call(CALL_##call))

/* Processes. The parent numbers its children, in the order of its forks. */
pid_t
fork(void)
{
	uint32_t number;
	pid_t pid;

	if (MEET(fork) != ACTION_NONE)
		return -1;
	if (table == NULL)
		return ORIGINAL(pid_t, fork, (void))();
	number = __atomic_add_fetch(&table->process_count, 1, __ATOMIC_RELAXED);
	pid = ORIGINAL(pid_t, fork, (void))();
	if (pid == 0) {
		process = number;
		if (number < MAX_PROCESSES)
			table->pids[number] = getpid();
	}
	return pid;
}

/* A process that shares this one's memory until it executes a program. */
static int (*run_shared)(void *);
static uint32_t shared_number;

static int
begin_shared(void *context)
{
	process = shared_number;
	if (process < MAX_PROCESSES)
		table->pids[process] = getpid();
	return run_shared(context);
}

int
clone(int (*run)(void *), void *stack, int flags, void *context, ...)
{
	int (*original)(int (*)(void *), void *, int, void *, ...) =
	    ORIGINAL(int, clone, (int (*)(void *), void *, int, void *, ...));
	uint32_t parent = process;
	int pid;

	if (MEET(clone) != ACTION_NONE)
		return -1;
	if (table == NULL)
		return original(run, stack, flags, context);
	run_shared = run;
	shared_number =
	    __atomic_add_fetch(&table->process_count, 1, __ATOMIC_RELAXED);
	pid = original(begin_shared, stack, flags, context);
	process = parent;
	return pid;
}

/* A call that fails or does not; alias: under which name. */
#define HOOK_AS(alias, type, failed, call, params, args)  \
	type alias params;                                \
	type alias params                                 \
	{                                                 \
		if (MEET(call) != ACTION_NONE)            \
			return failed;                    \
		return ORIGINAL(type, call, params) args; \
	}
#define HOOK(type, failed, call, params, args) \
	HOOK_AS(call, type, failed, call, params, args)

/* A call that may transfer less than n. */
#define HOOK_TRANSFER(call, fd, n, params, args)             \
	ssize_t call params                                  \
	{                                                    \
		enum action action = MEET(call);             \
                                                             \
		if (action == ACTION_FAIL)                   \
			return -1;                           \
		n = shorten(action, fd, n);                  \
		return ORIGINAL(ssize_t, call, params) args; \
	}

/* The functions of which C does not say how many arguments they have. */
#define HOOK_LIST(call, fixed_params, fixed_args, last)              \
	int call fixed_params                                        \
	{                                                            \
		va_list ap;                                          \
		unsigned long rest;                                  \
                                                                     \
		va_start(ap, last);                                  \
		rest = va_arg(ap, unsigned long);                    \
		va_end(ap);                                          \
		if (MEET(call) != ACTION_NONE)                       \
			return -1;                                   \
		return ORIGINAL(int, call, fixed_params) fixed_args; \
	}

/* A part of a datagram is never what a socket transfers. */
static size_t
shorten(enum action action, int fd, size_t n)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof(type);

	if (n < 2 || (action != ACTION_ONE && action != ACTION_HALF))
		return n;
	ORIGINAL(int, getsockopt, (int, int, int, void *, socklen_t *))
	(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (type != SOCK_STREAM)
		return n;
	return action == ACTION_ONE ? 1 : n / 2;
}

/* Sockets. */
HOOK(int, -1, socketpair, (int domain, int type, int protocol, int ends[2]),
    (domain, type, protocol, ends))
HOOK(int, -1, socket, (int domain, int type, int protocol),
    (domain, type, protocol))
HOOK(int, -1, bind, (int fd, const struct sockaddr *a, socklen_t len),
    (fd, a, len))
HOOK(int, -1, listen, (int fd, int backlog), (fd, backlog))
HOOK(int, -1, accept4, (int fd, struct sockaddr *a, socklen_t *len, int flags),
    (fd, a, len, flags))
HOOK(int, -1, shutdown, (int fd, int how), (fd, how))
HOOK(int, -1, getsockname, (int fd, struct sockaddr *a, socklen_t *len),
    (fd, a, len))
HOOK(int, -1, getpeername, (int fd, struct sockaddr *a, socklen_t *len),
    (fd, a, len))
HOOK(int, -1, getsockopt,
    (int fd, int level, int name, void *value, socklen_t *len),
    (fd, level, name, value, len))
HOOK(int, -1, setsockopt,
    (int fd, int level, int name, const void *value, socklen_t len),
    (fd, level, name, value, len))
HOOK_TRANSFER(send, fd, n, (int fd, const void *p, size_t n, int flags),
    (fd, p, n, flags))
HOOK_TRANSFER(
    recv, fd, n, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
HOOK(ssize_t, -1, sendmsg, (int fd, const struct msghdr *m, int flags),
    (fd, m, flags))
HOOK(
    ssize_t, -1, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))

/* An interrupted connect(2) goes on by itself. */
int
connect(int fd, const struct sockaddr *a, socklen_t len)
{
	enum action action = MEET(connect);
	int result = -1;

	if (action == ACTION_NONE || plan.error == EINTR)
		result = ORIGINAL(int, connect,
		    (int, const struct sockaddr *, socklen_t))(fd, a, len);
	if (action == ACTION_NONE)
		return result;
	errno = plan.error;
	return -1;
}

/* What close(2) reports has nothing to do with whether it closes. */
int
close(int fd)
{
	enum action action = MEET(close);
	int result = ORIGINAL(int, close, (int))(fd);

	if (action == ACTION_NONE)
		return result;
	errno = plan.error;
	return -1;
}

/* Files, pipes and both. */
HOOK_TRANSFER(read, fd, n, (int fd, void *p, size_t n), (fd, p, n))
HOOK_TRANSFER(splice, in, n,
    (int in, loff_t *in_at, int out, loff_t *out_at, size_t n, unsigned flags),
    (in, in_at, out, out_at, n, flags))

/* Nothing can be said about a stderr that cannot be written. */
ssize_t
write(int fd, const void *p, size_t n)
{
	enum action action = MEET(write);

	if (action == ACTION_FAIL &&
	    (fd != STDERR_FILENO || errno == EINTR || errno == EAGAIN))
		return -1;
	return ORIGINAL(ssize_t, write, (int, const void *, size_t))(
	    fd, p, shorten(action, fd, n));
}

/* sockt gives it one piece. */
ssize_t
pwritev2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
	enum action action = MEET(pwritev2);
	struct iovec first = pieces[0];

	if (action == ACTION_FAIL)
		return -1;
	first.iov_len = shorten(action, fd, first.iov_len);
	return ORIGINAL(
	    ssize_t, pwritev2, (int, const struct iovec *, int, off_t, int))(
	    fd, &first, count < 1 ? count : 1, at, flags);
}

HOOK(int, -1, pipe2, (int ends[2], int flags), (ends, flags))
HOOK(int, -1, dup2, (int from, int to), (from, to))
HOOK_LIST(fcntl, (int fd, int command, ...), (fd, command, rest), command)
HOOK_LIST(
    ioctl, (int fd, unsigned long request, ...), (fd, request, rest), request)
HOOK_LIST(open, (const char *path, int flags, ...), (path, flags, (mode_t)rest),
    flags)
HOOK_AS(__open64_2, int, -1, open, (const char *path, int flags), (path, flags))
HOOK(int, -1, stat, (const char *path, struct stat *st), (path, st))
HOOK(int, -1, lstat, (const char *path, struct stat *st), (path, st))
HOOK(int, -1, fstat, (int fd, struct stat *st), (fd, st))
HOOK(off_t, -1, lseek, (int fd, off_t at, int from), (fd, at, from))
HOOK(int, -1, ftruncate, (int fd, off_t size), (fd, size))
HOOK(int, -1, futimens, (int fd, const struct timespec times[2]), (fd, times))
HOOK(int, -1, rename, (const char *from, const char *to), (from, to))
HOOK(int, -1, link, (const char *from, const char *to), (from, to))
HOOK(int, -1, unlink, (const char *path), (path))
HOOK(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
HOOK(int, -1, fchmodat, (int at, const char *path, mode_t mode, int flags),
    (at, path, mode, flags))
HOOK(ssize_t, -1, readlink, (const char *path, char *text, size_t size),
    (path, text, size))

/* Streams. */
HOOK(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
HOOK(DIR *, NULL, fdopendir, (int fd), (fd))

/* The bytes of a write that failed are lost, and a stream remembers it. */
int
fflush(FILE *f)
{
	if (f == NULL || !__fwriting(f) || __fpending(f) == 0 ||
	    MEET(fflush) == ACTION_NONE)
		return ORIGINAL(int, fflush, (FILE *))(f);
	__fpurge(f);
	f->_flags |= _IO_ERR_SEEN;
	return EOF;
}

int
fclose(FILE *f)
{
	enum action action = MEET(fclose);
	int result = ORIGINAL(int, fclose, (FILE *))(f);

	if (action == ACTION_NONE)
		return result;
	errno = plan.error;
	return EOF;
}

char *
fgets(char *text, int size, FILE *f)
{
	if (MEET(fgets) == ACTION_NONE)
		return ORIGINAL(char *, fgets, (char *, int, FILE *))(
		    text, size, f);
	f->_flags |= _IO_ERR_SEEN;
	return NULL;
}

/* Waiting. */
HOOK(int, -1, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
HOOK(int, -1, epoll_create1, (int flags), (flags))
HOOK(int, -1, epoll_ctl, (int fd, int op, int of, struct epoll_event *event),
    (fd, op, of, event))
HOOK(int, -1, epoll_wait, (int fd, struct epoll_event *events, int n, int ms),
    (fd, events, n, ms))

/* Memory. The C library's own names, since dlsym(3) may allocate. */
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *
calloc(size_t n, size_t size)
{
	return MEET(calloc) == ACTION_NONE ? __libc_calloc(n, size) : NULL;
}

void *
aligned_alloc(size_t align, size_t n)
{
	return MEET(aligned_alloc) == ACTION_NONE ? __libc_memalign(align, n)
						  : NULL;
}

void *
realloc(void *old, size_t n)
{
	return MEET(realloc) == ACTION_NONE ? __libc_realloc(old, n) : NULL;
}

/* Processes and signals. */
HOOK(int, -1, execve, (const char *path, char *const *argv, char *const *env),
    (path, argv, env))
HOOK(pid_t, -1, waitpid, (pid_t pid, int *status, int flags),
    (pid, status, flags))
HOOK(int, -1, kill, (pid_t pid, int number), (pid, number))
HOOK(int, -1, setpgid, (pid_t pid, pid_t group), (pid, group))
HOOK(int, -1, sigaction,
    (int number, const struct sigaction *sa, struct sigaction *old),
    (number, sa, old))

int
prctl(int option, ...)
{
	unsigned long args[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		args[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (MEET(prctl) != ACTION_NONE)
		return -1;
	return ORIGINAL(int, prctl, (int, ...))(
	    option, args[0], args[1], args[2], args[3]);
}

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	if (MEET(getaddrinfo) != ACTION_NONE) {
		errno = EIO;
		return plan.error;
	}
	return ORIGINAL(int, getaddrinfo,
	    (const char *, const char *, const struct addrinfo *,
		struct addrinfo **))(host, service, hints, found);
}

#endif
