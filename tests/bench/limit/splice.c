/*
 * The best that a dedicated program can do for a one-way relay: nothing but
 * blocking splice(2), no poll, no look at the other direction; a low-water mark
 * keeps the receiver asleep until a large piece is there, or the end.
 *
 *	splice send PORT	stdin to 127.0.0.1
 *	splice receive PORT	one connection to stdout
 *	splice both-send PORT, splice both-receive PORT
 *				both ways, a process each
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE (1024 * 1024)
#define LOW_WATER (256 * 1024)

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* All of in to out, one of which is a pipe. */
static bool
splice_all(int in, int out)
{
	ssize_t n;

	do {
		n = splice(in, NULL, out, NULL, PIECE, SPLICE_F_MOVE);
	} while (n > 0);
	return n == 0;
}

/* The same where neither is: by way of a pipe of our own. */
static bool
splice_through(int in, int out)
{
	int inner[2];
	ssize_t n, m;

	if (pipe(inner) < 0)
		return false;
	(void)fcntl(inner[1], F_SETPIPE_SZ, PIECE);
	while ((n = splice(in, NULL, inner[1], NULL, PIECE, 0)) > 0) {
		while (n > 0) {
			m = splice(inner[0], NULL, out, NULL, (size_t)n, 0);
			if (m <= 0)
				return false;
			n -= m;
		}
	}
	return n == 0;
}

static bool
copy(int in, int out)
{
	if (!is_pipe(in) && !is_pipe(out))
		return splice_through(in, out);
	(void)fcntl(is_pipe(in) ? in : out, F_SETPIPE_SZ, PIECE);
	return splice_all(in, out);
}

static int
reach(bool listening, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (!listening)
		return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -1
									 : fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return -1;
	return accept(fd, NULL, NULL);
}

int
main(int argc, char **argv)
{
	bool both, receiving, good = true;
	int fd, status = 0, mark = LOW_WATER;
	pid_t pid = -1;

	if (argc < 3)
		return 2;
	both = strncmp(argv[1], "both-", 5) == 0;
	receiving = strstr(argv[1], "receive") != NULL;
	fd = reach(receiving, atoi(argv[2]));
	if (fd < 0)
		return 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof(mark));
	if (both)
		pid = fork();
	if (pid == 0)
		_exit(copy(fd, STDOUT_FILENO) ? 0 : 1);
	if (both || !receiving) {
		good = copy(STDIN_FILENO, fd);
		shutdown(fd, SHUT_WR);
	} else {
		good = copy(fd, STDOUT_FILENO);
	}
	if (both)
		waitpid(pid, &status, 0);
	return good && status == 0 ? 0 : 1;
}
