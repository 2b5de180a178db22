/* Confines this process: no_new_privs, seccomp(2), landlock(7). */
#include "net/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/step.h"

/*
 * The kernel's headers audit.h, filter.h, seccomp.h and landlock.h: not every C
 * library brings them.
 */
#if defined __x86_64__ && defined __LP64__
#define ARCHITECTURE 0xc000003e
#elif defined __i386__
#define ARCHITECTURE 0x40000003
#elif defined __aarch64__ && defined __AARCH64EL__
#define ARCHITECTURE 0xc00000b7
#elif defined __arm__ && defined __ARMEL__
#define ARCHITECTURE 0x40000028
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE 0xc00000f3
#elif defined __s390x__
#define ARCHITECTURE 0x80000016
#elif defined __powerpc64__ && defined __LITTLE_ENDIAN__
#define ARCHITECTURE 0xc0000015
#else
#define ARCHITECTURE 0 /* no filter */
#endif

enum {
	SECCOMP_MODE_FILTER = 2,
	SECCOMP_ALLOW = 0x7fff0000,
	SECCOMP_REFUSE = 0x00050000 | EPERM,
	LOAD = 0x20, /* a 32-bit word of struct seccomp_data */
	IF_EQUAL = 0x15,
	IF_GREATER_OR_EQUAL = 0x35,
	RETURN = 0x06,
	CALL_NUMBER = 0, /* offsets in that struct */
	CALL_ARCHITECTURE = 4,
	CALL_ARGUMENT = 16,
	X32_CALLS = 0x40000000 /* x86-64: of a third architecture */
};

/* The names of calls that C libraries do not have yet. */
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* Calls that sockt never makes. */
static const int refused_always[] = {SYS_ptrace, SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp, SYS_io_uring_setup,
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key,
    SYS_request_key, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
    SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsmount, SYS_unshare,
    SYS_setns, SYS_open_by_handle_at, SYS_swapon, SYS_swapoff, SYS_reboot,
    SYS_acct, SYS_quotactl, SYS_sethostname, SYS_setdomainname,
    SYS_personality};

static const int refused_files[] = {
#ifdef SYS_open /* only architectures that have long existed */
    SYS_open, SYS_creat, SYS_rename, SYS_link, SYS_symlink, SYS_unlink,
    SYS_mkdir, SYS_rmdir, SYS_mknod, SYS_chmod, SYS_chown, SYS_lchown,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_openat, SYS_openat2, SYS_renameat2, SYS_linkat, SYS_symlinkat,
    SYS_unlinkat, SYS_mkdirat, SYS_mknodat, SYS_truncate, SYS_fchmodat,
    SYS_fchmodat2, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr,
    SYS_lremovexattr};

static const int refused_sockets[] = {SYS_socket, SYS_bind, SYS_connect};

static const int refused_programs[] = {SYS_execve, SYS_execveat};

static const int refused_processes[] = {
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    SYS_clone, SYS_clone3};

/* Steps of the kernel's filter program (struct sock_filter). */
struct instruction {
	uint16_t code;
	uint8_t then, otherwise; /* steps to skip */
	uint32_t k;
};

struct program {
	uint16_t length;
	struct instruction *steps;
};

#define MAX_REFUSED 96
/* How many numbers a block of the search has: jumps are at most 255 steps. */
#define BLOCK 8

/* A filter that is being built. */
struct filter {
	int refused[MAX_REFUSED]; /* call numbers */
	size_t count;
	struct instruction steps[3 * MAX_REFUSED];
	uint16_t length;
};

static void
add(struct filter *f, struct instruction step)
{
	f->steps[f->length++] = step;
}

static void
add_return(struct filter *f, uint32_t result)
{
	add(f, (struct instruction){.code = RETURN, .k = result});
}

/* Refuses if the loaded word is k. */
static void
refuse_if(struct filter *f, int k)
{
	add(f, (struct instruction){IF_EQUAL, 0, 1, (uint32_t)k});
	add_return(f, SECCOMP_REFUSE);
}

static void
collect(struct filter *f, const int *calls, size_t count)
{
	memcpy(f->refused + f->count, calls, count * sizeof(calls[0]));
	f->count += count;
}

#define COLLECT(f, calls) \
	collect((f), (calls), sizeof(calls) / sizeof((calls)[0]))

static int
compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Refuses the collected calls. The kernel runs a new filter once for every call
 * that it has, so each is looked up in one block of the sorted numbers.
 */
static void
add_search(struct filter *f)
{
	size_t count = (f->count + BLOCK - 1) / BLOCK, i, n;
	struct instruction *jump;

	qsort(f->refused, f->count, sizeof(f->refused[0]), compare);
	jump = &f->steps[f->length + count];
	for (i = count; i-- > 0;)
		add(f, (struct instruction){IF_GREATER_OR_EQUAL, 0, 0,
			   (uint32_t)f->refused[i * BLOCK]});
	add_return(f, SECCOMP_ALLOW);
	for (i = 0; i < count; i++) {
		jump--;
		jump->then = (uint8_t)(&f->steps[f->length] - jump - 1);
		for (n = i * BLOCK; n < (i + 1) * BLOCK && n < f->count; n++)
			refuse_if(f, f->refused[n]);
		add_return(f, SECCOMP_ALLOW);
	}
}

/* socketcall(2), one number for all socket calls: its argument selects. */
static void
add_socketcall(struct filter *f)
{
#ifdef SYS_socketcall
	const uint16_t one = 1;
	bool is_big_endian = *(const uint8_t *)&one == 0;
	uint32_t low = sizeof(long) == 8 && is_big_endian ? 4 : 0;
	int socket_call = 1, bind_call = 2, connect_call = 3;

	add(f, (struct instruction){IF_EQUAL, 0, 8, SYS_socketcall});
	add(f, (struct instruction){.code = LOAD, .k = CALL_ARGUMENT + low});
	refuse_if(f, socket_call);
	refuse_if(f, bind_call);
	refuse_if(f, connect_call);
	add_return(f, SECCOMP_ALLOW);
#else
	(void)f;
#endif
}

/*
 * Decides on the calls of other architectures, and loads the call's number. A
 * program that may still be executed can be of another one: openssl of a 64-bit
 * system, run by a 32-bit sockt.
 */
static void
add_architecture(struct filter *f, bool may_execute)
{
	add(f, (struct instruction){.code = LOAD, .k = CALL_ARCHITECTURE});
	add(f, (struct instruction){IF_EQUAL, 1, 0, ARCHITECTURE});
	add_return(f, may_execute ? SECCOMP_ALLOW : SECCOMP_REFUSE);
	add(f, (struct instruction){.code = LOAD, .k = CALL_NUMBER});
#ifdef __x86_64__
	add(f, (struct instruction){IF_GREATER_OR_EQUAL, 0, 1, X32_CALLS});
	add_return(f, SECCOMP_REFUSE);
#endif
}

/* Refuses with EPERM what is not needed. Returns whether the kernel does. */
static bool
filter_calls(unsigned needs)
{
	struct filter f = {.count = 0};
	struct program p;

	if (ARCHITECTURE == 0)
		return false;
	add_architecture(&f, (needs & SANDBOX_PROGRAMS) != 0);
	COLLECT(&f, refused_always);
	if ((needs & SANDBOX_FILES) == 0)
		COLLECT(&f, refused_files);
	if ((needs & SANDBOX_PROCESSES) == 0)
		COLLECT(&f, refused_processes);
	if ((needs & SANDBOX_PROGRAMS) == 0)
		COLLECT(&f, refused_programs);
	if ((needs & SANDBOX_SOCKETS) == 0) {
		COLLECT(&f, refused_sockets);
		add_socketcall(&f);
	}
	add_search(&f);
	p = (struct program){f.length, f.steps};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) == 0;
}

/* A right to files of landlock(7). */
#define EXECUTE UINT64_C(1)

/* What a rule set controls; a kernel that knows less takes zeros. */
struct ruleset {
	uint64_t files, net, scoped;
};

/* The rights to files that a version of landlock(7) controls. */
static uint64_t
file_rights(long version)
{
	if (version >= 5)
		return 0xffff;
	return version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff;
}

/* A rule: what is permitted below an open folder. */
struct path_rule {
	uint64_t permitted;
	int32_t folder;
} __attribute__((packed));

/* Permits in a rule set what r controls below folder, except to execute. */
static bool
permit_folder(int fd, const struct ruleset *r, const char *folder)
{
	const int path_beneath = 1;
	struct path_rule rule = {r->files & ~EXECUTE, -1};
	bool done;

	rule.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rule.folder < 0)
		return false;
	done = syscall(SYS_landlock_add_rule, fd, path_beneath, &rule, 0) == 0;
	close(rule.folder);
	return done;
}

/*
 * Uses landlock(7) against what is not needed: but for the folder, which may be
 * NULL, it has no rules, and so permits nothing of what it controls. Returns
 * whether the kernel supports it.
 */
static bool
restrict_paths(unsigned needs, const char *folder)
{
	const uint64_t tcp = 3, signals = 2;
	struct ruleset r = {.files = 0};
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1);
	bool done;
	int fd;

	if (version < 1)
		return false;
	if ((needs & SANDBOX_PROGRAMS) == 0)
		r.files = EXECUTE;
	if ((needs & SANDBOX_FILES) == 0 || folder != NULL)
		r.files = file_rights(version);
	if ((needs & SANDBOX_SOCKETS) == 0 && version >= 4)
		r.net = tcp;
	if ((needs & SANDBOX_PROGRAMS) == 0 && version >= 6)
		r.scoped = signals;
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (fd < 0)
		return false;
	done = (folder == NULL || permit_folder(fd, &r, folder)) &&
	       syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	fd_close(&fd);
	return done;
}

/* What the kernel has. */
enum { BY_SECCOMP = 1, BY_LANDLOCK = 2 };

/* Reports the step: which means there are, and what it may no longer do. */
static void
report(int64_t start, unsigned means, unsigned needs, const char *folder)
{
	static const char *const names[] = {
	    "", " by seccomp", " by Landlock", " by seccomp and Landlock"};
	bool in_folder = folder != NULL && (means & BY_LANDLOCK) != 0;
	char note[160];

	snprintf(note, sizeof(note), "it can no longer %s%s%s%s",
	    (needs & SANDBOX_PROGRAMS) == 0 ? "execute programs"
					    : "trace processes",
	    (needs & SANDBOX_FILES) == 0 ? ", open files"
	    : in_folder                  ? ", open files elsewhere"
					 : "",
	    (needs & SANDBOX_SOCKETS) == 0 ? ", make connections" : "",
	    (needs & SANDBOX_PROCESSES) == 0 ? ", start processes" : "");
	step_report(&(struct step){.call = "confine",
			.start_ns = start,
			.result = means != 0 ? NULL : "not supported",
			.note = means != 0 ? note : "by this kernel"},
	    "this process%s", names[means]);
}

void
sandbox_enter_folder(unsigned needs, const char *folder)
{
	int64_t start = step_start();
	unsigned means = 0;

	/* Without it only root may confine a process. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return;
	if (restrict_paths(needs, folder))
		means |= BY_LANDLOCK;
	if (filter_calls(needs))
		means |= BY_SECCOMP;
	if (step_is_on())
		report(start, means, needs, folder);
}

void
sandbox_enter(unsigned needs)
{
	sandbox_enter_folder(needs, NULL);
}
