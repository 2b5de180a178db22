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
 *	TORTURE_TABLE   the file of struct table, which is shared with the
 *driver TORTURE_PLAN    PROCESS CALL N LASTS ACTION: which call of which
 *process fails, whether all later ones do so too (1), and how: an errno (or an
 *error of getaddrinfo(3), negative), "one" or "half" for a transfer that is cut
 *short
 */
#define _GNU_SOURCE

#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Other C libraries have other inner names; there nothing is counted. */
#ifdef __GLIBC__

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

void *
inject_original(enum call call)
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
		inject_original((enum call)i);
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

enum action
inject_meet(enum call call, const void *caller)
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

int
inject_error(void)
{
	return plan.error;
}

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

#endif
