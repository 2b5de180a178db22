/*
 * What a confined process can no longer do, and what it still can. Each call is
 * made in a child process of its own, with arguments that make it fail in
 * another way than by the filter.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"
#include "net/os.h"
#include "net/sandbox.h"

/* Hidden by _POSIX_C_SOURCE. */
long syscall(long number, ...);

#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif

/* Does not confine. */
static void
stay_free(void)
{
}

/* The errno of a call, in a child that enter() may confine. */
static int
result_of(long number, void (*enter)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		enter();
		errno = 0;
		(void)syscall(number, -1L, NULL, -1L, -1L, -1L, -1L);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int
main(void)
{
	static const struct {
		const char *name;
		long number;
		bool is_refused, is_refused_transfer;
	} calls[] = {
	    {"execute a program", SYS_execve, true, true},
	    {"execute a file that is open", SYS_execveat, true, true},
	    {"trace a process", SYS_ptrace, true, true},
	    {"read another process's memory", SYS_process_vm_readv, true, true},
	    {"mount", SYS_mount, true, true},
	    {"load BPF", SYS_bpf, true, true},
	    {"load a module", SYS_init_module, true, true},
	    {"open a file", SYS_openat, false, true},
	    {"create a socket", SYS_socket, false, true},
	    {"start a process", SYS_clone, false, true},
	    {"map memory to be executed", MMAP, false, true},
	    {"read", SYS_read, false, false},
	    {"write", SYS_write, false, false},
	};
	size_t i;

	if (strcmp(os_name, "linux") != 0 ||
	    result_of(SYS_execve, sandbox_enter) != EPERM) {
		printf("1..0 # SKIP this system does not confine a process\n");
		return 0;
	}
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		/* Refused without the filter too, to all but root. */
		if (result_of(calls[i].number, stay_free) == EPERM)
			continue;
		ok((result_of(calls[i].number, sandbox_enter) == EPERM) ==
			calls[i].is_refused,
		    "%s: %s", calls[i].name,
		    calls[i].is_refused ? "not permitted" : "still possible");
		ok((result_of(calls[i].number, sandbox_enter_transfer) ==
		       EPERM) == calls[i].is_refused_transfer,
		    "%s, of a transfer: %s", calls[i].name,
		    calls[i].is_refused_transfer ? "not permitted"
						 : "still possible");
	}
	return done_testing();
}
