/* The portable twin of spawn_linux.c. */
#include "net/spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/step.h"

extern char **environ;

void
spawn_prepare(void)
{
}

pid_t
spawn_fork(void)
{
	step_flush();
	return fork();
}

/*
 * Resets the signals to their defaults, because ignored ones would be
 * inherited; creates a process group, so that the program can be terminated
 * with all its descendants.
 */
static void
set_attributes(posix_spawnattr_t *attr, bool new_group)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t set;

	sigemptyset(&set);
	posix_spawnattr_setsigmask(attr, &set);
	sigfillset(&set);
	sigdelset(&set, SIGKILL);
	sigdelset(&set, SIGSTOP);
	posix_spawnattr_setsigdefault(attr, &set);
	if (new_group) {
		posix_spawnattr_setpgroup(attr, 0);
		flags |= POSIX_SPAWN_SETPGROUP;
	}
	posix_spawnattr_setflags(attr, flags);
}

int
spawn_program(const struct spawn_program *p, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int errnum;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, p->in, p->first);
	posix_spawn_file_actions_adddup2(&files, p->out, p->first + 1);
	if (p->errors != 0)
		posix_spawn_file_actions_adddup2(&files, p->errors, 2);
	set_attributes(&attr, p->new_group);
	errnum = posix_spawnp(
	    pid, p->argv[0], &files, &attr, p->argv, p->environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return errnum;
}

int
spawn_replace(char *const *argv, char *const *environment)
{
	environ = (char **)environment;
	execvp(argv[0], argv);
	return errno;
}

bool
spawn_adopt(void)
{
	return false;
}

void *
spawn_private_memory(void *old, size_t old_size, size_t size)
{
	unsigned char *memory = realloc(old, size);

	if (memory != NULL && size > old_size)
		memset(memory + old_size, 0, size - old_size);
	return memory;
}

void
spawn_private_free(void *memory, size_t size)
{
	(void)size;
	free(memory);
}

int
spawn_open_child_events(void)
{
	errno = ENOTSUP;
	return -1;
}

void
spawn_read_child_events(int fd)
{
	(void)fd;
}
