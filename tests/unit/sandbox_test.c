/*
 * What a confined process can no longer do, and that it keeps what it needs.
 * Each attempt is made in a child process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"
#include "net/os.h"
#include "net/sandbox.h"

/* Hidden by _POSIX_C_SOURCE. */
long syscall(long number, ...);

static char path[] = "/tmp/sockt-sandbox-XXXXXX";
static int opened; /* a file that was open before */

static int
try_exec(void)
{
	char *argv[] = {(char *)"true", NULL};

	return execv("/bin/true", argv);
}

static int
try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
try_create(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/new", path);
	return open(name, O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 ? -1
								 : unlink(name);
}

static int
try_mkdir(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/dir", path);
	return mkdir(name, 0700) < 0 ? -1 : rmdir(name);
}

static int
try_rename(void)
{
	return rename(path, path);
}

static int
try_chmod(void)
{
	return chmod(path, 0700);
}

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
try_bind(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	return bind(opened, (struct sockaddr *)&any, sizeof(any)) < 0 &&
		       errno == ENOTSOCK
		   ? 0
		   : -1;
}

static int
try_connect(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	return connect(opened, (struct sockaddr *)&any, sizeof(any)) < 0 &&
		       errno == ENOTSOCK
		   ? 0
		   : -1;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

static int
try_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 0L, 0L, NULL, NULL); /* TRACEME */
}

static int
try_read_memory(void)
{
	return (int)syscall(
	    SYS_process_vm_readv, (long)getppid(), NULL, 0L, NULL, 0L, 0L);
}

static int
try_unshare(void)
{
	return (int)syscall(SYS_unshare, 0L);
}

static int
try_mount(void)
{
	return (int)syscall(SYS_mount, "", "/nowhere", "none", 0L, NULL) < 0 &&
		       errno != EPERM
		   ? 0
		   : -1;
}

static int
try_bpf(void)
{
	return (int)syscall(SYS_bpf, -1L, NULL, 0L) < 0 && errno != EPERM ? 0
									  : -1;
}

static int
try_keys(void)
{
	return (int)syscall(SYS_keyctl, -1L) < 0 && errno != EPERM ? 0 : -1;
}

static int
try_modules(void)
{
	return (int)syscall(SYS_init_module, NULL, 0L, NULL) < 0 &&
		       errno != EPERM
		   ? 0
		   : -1;
}

static int
try_read(void)
{
	char byte;

	return lseek(opened, 0, SEEK_SET) == 0 && read(opened, &byte, 1) == 1
		   ? 0
		   : -1;
}

static int
try_signal_itself(void)
{
	return kill(getpid(), 0);
}

static int
try_signal_parent(void)
{
	return kill(getppid(), 0);
}

struct attempt {
	const char *name;
	int (*try)(void);
	unsigned need; /* it is possible with this one */
};

#define NEVER 0x100u
#define ALWAYS 0x200u

static const struct attempt attempts[] = {
    {"execute a program", try_exec, SANDBOX_PROGRAMS},
    {"trace a process", try_ptrace, NEVER},
    {"read another process's memory", try_read_memory, NEVER},
    {"unshare", try_unshare, NEVER},
    {"mount", try_mount, NEVER},
    {"load BPF", try_bpf, NEVER},
    {"use the keyring", try_keys, NEVER},
    {"load a module", try_modules, NEVER},
    {"open a file", try_open, SANDBOX_FILES},
    {"create a file", try_create, SANDBOX_FILES},
    {"make a directory", try_mkdir, SANDBOX_FILES},
    {"rename", try_rename, SANDBOX_FILES},
    {"change a mode", try_chmod, SANDBOX_FILES},
    {"create a socket", try_socket, SANDBOX_SOCKETS},
    {"bind", try_bind, SANDBOX_SOCKETS},
    {"connect", try_connect, SANDBOX_SOCKETS},
    {"fork", try_fork, SANDBOX_PROCESSES},
    {"signal another process", try_signal_parent, SANDBOX_PROGRAMS},
    {"read an open file", try_read, ALWAYS},
    {"signal itself", try_signal_itself, ALWAYS},
};

#define ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* Whether an attempt works in a child with these needs. */
static bool
works(const struct attempt *a, unsigned needs, bool is_confined)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (is_confined)
			sandbox_enter(needs);
		_exit(a->try() >= 0 ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whether it is possible where nothing is confined, so that a refusal counts.
 */
static bool
is_possible(const struct attempt *a)
{
	return works(a, 0, false);
}

/* In a folder: what is created there, and what is elsewhere. */
static void
only_a_folder(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sandbox_enter_folder(SANDBOX_FILES, path);
		_exit((try_create() == 0 ? 1 : 0) | (try_open() < 0 ? 2 : 0) |
		      (try_mkdir() == 0 ? 4 : 0) | (try_exec() < 0 ? 8 : 0));
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		status = WEXITSTATUS(status);
	/* Without landlock(7) only seccomp(2) confines. */
	ok(status == 15 || status == 13, "a folder: %d", status);
}

static bool
is_meaningful(unsigned needs)
{
	return (needs & SANDBOX_PROGRAMS) == 0 || (needs & SANDBOX_FILES) != 0;
}

int
main(void)
{
	const struct attempt *a;
	unsigned needs;
	size_t i;

	if (strcmp(os_name(), "linux") != 0 || mkdtemp(path) == NULL ||
	    (opened = open("/etc/passwd", O_RDONLY)) < 0 ||
	    works(&attempts[0], 0, true)) {
		printf("1..0 # SKIP this system does not confine a process\n");
		return 0;
	}
	for (needs = 0; needs < 16; needs++)
		for (i = 0; i < ATTEMPTS && is_meaningful(needs); i++) {
			a = &attempts[i];
			if (!is_possible(a))
				continue;
			ok(works(a, needs, true) ==
				((a->need & (needs | ALWAYS)) != 0),
			    "needs %u: %s", needs, a->name);
		}
	only_a_folder();
	rmdir(path);
	return done_testing();
}
