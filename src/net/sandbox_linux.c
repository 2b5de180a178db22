/* Confines this process: no_new_privs and seccomp(2). */
#include "net/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* From the kernel's audit.h, filter.h and seccomp.h, which some C libraries
 * lack. */
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
	X32_CALLS = 0x40000000 /* x86-64: of a third architecture */
};

/* Calls that execute a program, or affect other processes or the kernel. */
static const int refused[] = {SYS_execve, SYS_execveat, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp,
    SYS_io_uring_setup, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
    SYS_keyctl, SYS_add_key, SYS_request_key, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_mount, SYS_umount2, SYS_pivot_root,
    SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsmount,
    SYS_unshare, SYS_setns, SYS_open_by_handle_at, SYS_swapon, SYS_swapoff,
    SYS_reboot, SYS_acct, SYS_quotactl, SYS_sethostname, SYS_setdomainname,
    SYS_personality};

#define COUNT (sizeof(refused) / sizeof(refused[0]))

/* A step of the kernel's filter program (struct sock_filter). */
struct instruction {
	uint16_t code;
	uint8_t then, otherwise; /* steps to skip */
	uint32_t k;
};

static void
set_filter(struct instruction *steps, size_t count)
{
	struct {
		uint16_t length;
		struct instruction *steps;
	} program = {(uint16_t)count, steps};

	/* Without no_new_privs only root may set a filter. */
	if (ARCHITECTURE != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		(void)prctl(
		    PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

void
sandbox_enter(void)
{
	struct instruction steps[COUNT + 6], *next = steps;
	size_t i;

	*next++ = (struct instruction){LOAD, 0, 0, CALL_ARCHITECTURE};
	*next++ = (struct instruction){IF_EQUAL, 0, COUNT + 3, ARCHITECTURE};
	*next++ = (struct instruction){LOAD, 0, 0, CALL_NUMBER};
	/* No call of other architectures has such a number. */
	*next++ =
	    (struct instruction){IF_GREATER_OR_EQUAL, COUNT + 1, 0, X32_CALLS};
	for (i = 0; i < COUNT; i++)
		*next++ = (struct instruction){
		    IF_EQUAL, (uint8_t)(COUNT - i), 0, (uint32_t)refused[i]};
	*next++ = (struct instruction){RETURN, 0, 0, SECCOMP_ALLOW};
	*next++ = (struct instruction){RETURN, 0, 0, SECCOMP_REFUSE};
	set_filter(steps, (size_t)(next - steps));
}

/* Landlock, of the kernel's linux/landlock.h; the numbers of the calls are the
 * same on every machine. */
bool
sandbox_enter_folder(int dir)
{
	enum {
		CREATE_RULESET = 444,
		ADD_RULE,
		RESTRICT_SELF,
		GET_VERSION = 1,  /* a flag of create_ruleset */
		PATH_BENEATH = 1, /* a type of add_rule */
		READ_FILE = 1 << 2,
		READ_FOLDER = 1 << 3
	};
	/* What each version has added to the rights of files. */
	static const uint64_t rights[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff};
	struct {
		uint64_t files, net, scopes;
	} ruleset = {0};
	struct {
		uint64_t rights;
		int32_t dir;
	} __attribute__((packed)) below = {READ_FILE | READ_FOLDER, dir};
	long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);
	bool is_confined = false;
	int fd;

	if (version < 1 || dir < 0)
		return version >= 1;
	ruleset.files = version < 5 ? rights[version] : 0xffff;
	ruleset.net = version < 4 ? 0 : 3;
	/* Sockets with an abstract name; signals end a process of TLS. */
	ruleset.scopes = version < 6 ? 0 : 1;
	fd = (int)syscall(CREATE_RULESET, &ruleset,
	    version < 4   ? sizeof(ruleset.files)
	    : version < 6 ? 2 * sizeof(ruleset.files)
			  : sizeof(ruleset),
	    0);
	if (fd >= 0 && syscall(ADD_RULE, fd, PATH_BENEATH, &below, 0) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		is_confined = syscall(RESTRICT_SELF, fd, 0) == 0;
	fd_close(&fd);
	return is_confined;
}

/* Calls that move bytes between open descriptors. ioctl(2) and mmap(2) depend
 * on an argument; setsockopt(2) arms and disarms a reset. */
static const int permitted[] = {
#ifdef SYS_poll /* newer architectures have ppoll(2) alone */
    SYS_poll,
#endif
#ifdef SYS_recvfrom
    SYS_recvfrom, SYS_sendto,
#endif
#ifdef SYS_socketcall /* of older 32-bit systems: any call on sockets */
    SYS_socketcall,
#endif
#ifdef __s390x__ /* its arguments are in memory, which a filter cannot read */
    SYS_mmap,
#endif
#ifdef SYS_clock_gettime64
    SYS_clock_gettime64, SYS_ppoll_time64, SYS_futex_time64,
#endif
    SYS_read, SYS_write, SYS_close, SYS_shutdown, SYS_getsockopt,
    SYS_setsockopt, SYS_getsockname, SYS_brk, SYS_munmap, SYS_mremap,
    SYS_madvise, SYS_futex, SYS_getrandom, SYS_getpid, SYS_clock_gettime,
    SYS_gettimeofday, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall,
    SYS_exit_group, SYS_ppoll, SYS_fstat};

#define PERMITTED (sizeof(permitted) / sizeof(permitted[0]))

#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif

void
sandbox_enter_transfer(void)
{
	enum {
		EXECUTABLE = 4,       /* PROT_EXEC */
		SECOND_ARGUMENT = 24, /* offsets in struct seccomp_data */
		THIRD_ARGUMENT = 32,
		IF_BITS = 0x45
	};
	const uint16_t probe = 1;
	/* The lower half of an argument of 64 bits. */
	uint32_t low = *(const unsigned char *)&probe == 1 ? 0 : 4;
	struct instruction steps[PERMITTED + 16], *next = steps;
	size_t i;

	*next++ = (struct instruction){LOAD, 0, 0, CALL_ARCHITECTURE};
	*next++ = (struct instruction){IF_EQUAL, 1, 0, ARCHITECTURE};
	*next++ = (struct instruction){RETURN, 0, 0, SECCOMP_REFUSE};
	*next++ = (struct instruction){LOAD, 0, 0, CALL_NUMBER};
	for (i = 0; i < PERMITTED; i++)
		*next++ = (struct instruction){IF_EQUAL,
		    (uint8_t)(PERMITTED - i + 7), 0, (uint32_t)permitted[i]};
	*next++ = (struct instruction){IF_EQUAL, 0, 3, SYS_ioctl};
	*next++ = (struct instruction){LOAD, 0, 0, SECOND_ARGUMENT + low};
	/* Bytes not acknowledged, and bytes to read. */
	*next++ = (struct instruction){IF_EQUAL, 5, 0, TIOCOUTQ};
	*next++ = (struct instruction){IF_EQUAL, 4, 3, FIONREAD};
	*next++ = (struct instruction){IF_EQUAL, 0, 2, MMAP};
	*next++ = (struct instruction){LOAD, 0, 0, THIRD_ARGUMENT + low};
	*next++ = (struct instruction){IF_BITS, 0, 1, EXECUTABLE};
	*next++ = (struct instruction){RETURN, 0, 0, SECCOMP_REFUSE};
	*next++ = (struct instruction){RETURN, 0, 0, SECCOMP_ALLOW};
	set_filter(steps, (size_t)(next - steps));
}
