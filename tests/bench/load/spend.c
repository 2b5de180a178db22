/*
 * spend FILE COMMAND...: runs the command and writes to FILE what it and its
 * children took: user and system seconds, largest resident KiB, wait status,
 * seconds from its start to its end.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct rusage used;
	double start = now(), took;
	int status = 0;
	FILE *f;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = vfork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		return 1;
	took = now() - start;
	f = fopen(argv[1], "w");
	if (f == NULL)
		return 1;
	fprintf(f, "%.6f %.6f %ld %d %.6f\n", seconds(used.ru_utime),
	    seconds(used.ru_stime), used.ru_maxrss, status, took);
	return fclose(f) == 0 ? 0 : 1;
}
