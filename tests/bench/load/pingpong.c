/*
 * pingpong SIZE COUNT COMMAND...: writes SIZE bytes to the command's stdin and
 * waits until as many come out of its stdout, COUNT times. Prints the median
 * and the 99th percentile in microseconds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* One message there and back. */
static int
exchange(int to, int from, char *text, size_t size)
{
	size_t got = 0;
	ssize_t n;

	if (write(to, text, size) != (ssize_t)size)
		return -1;
	while (got < size) {
		n = read(from, text, size - got);
		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	size_t size = argc > 3 ? (size_t)atoi(argv[1]) : 1, i;
	size_t count = argc > 3 ? (size_t)atoi(argv[2]) : 1;
	double *took = calloc(count, sizeof(*took)), start;
	char *text = calloc(size, 1);
	int to[2], from[2];
	pid_t pid;

	if (argc < 4 || took == NULL || text == NULL || pipe(to) < 0 ||
	    pipe(from) < 0)
		return 2;
	pid = fork();
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	for (i = 0; i < count; i++) {
		start = now();
		if (exchange(to[1], from[0], text, size) < 0)
			return 1;
		took[i] = now() - start;
	}
	qsort(took, count, sizeof(*took), compare);
	printf("%.2f %.2f\n", took[count / 2], took[count * 99 / 100]);
	/* Not every client ends by itself. */
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
