/*
 * pty FILE FDS COLUMNS[,COLUMNS] PROGRAM [ARG]...: runs a program whose
 * descriptors FDS ("2", "12") are a terminal so wide; the others it inherits.
 * What the terminal shows goes to FILE ("-" is stdout). SIGUSR1 gives the
 * terminal its second width. Where FDS has 0, what comes on stdin is typed at
 * the terminal, which then echoes nothing and alters no output. Ends with the
 * program's status.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master;
static unsigned short next_columns;

static _Noreturn void
die(const char *what)
{
	perror(what);
	_exit(126);
}

static void
set_columns(unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};

	if (ioctl(master, TIOCSWINSZ, &size) < 0)
		die("TIOCSWINSZ");
}

static void
on_signal(int number)
{
	(void)number;
	set_columns(next_columns);
}

/* The terminal of an example: keys work, and output is as it was written. */
static void
set_plain(int fd)
{
	struct termios settings;

	if (tcgetattr(fd, &settings) < 0)
		die("tcgetattr");
	settings.c_lflag &= ~(tcflag_t)ECHO;
	settings.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(fd, TCSANOW, &settings) < 0)
		die("tcsetattr");
}

/* In the child: a session on the terminal, then the program. */
static void
run(const char *name, const char *fds, char **argv)
{
	int fd;

	setsid();
	fd = open(name, O_RDWR);
	if (fd < 0)
		die(name);
	ioctl(fd, TIOCSCTTY, 0);
	if (strchr(fds, '0') != NULL)
		set_plain(fd);
	for (; *fds != '\0'; fds++)
		dup2(fd, *fds - '0');
	close(fd);
	close(master);
	execvp(argv[0], argv);
	die(argv[0]);
}

/* Types what has come on stdin. False at its end. */
static int
type(void)
{
	char bytes[4096];
	ssize_t n = read(0, bytes, sizeof(bytes));

	if (n > 0 && write(master, bytes, (size_t)n) != n)
		die("the terminal");
	return n > 0;
}

/* Copies until the last holder of the terminal is gone: EIO. */
static void
copy(FILE *out, int typed)
{
	struct pollfd fds[2] = {{.fd = master, .events = POLLIN},
	    {.fd = typed ? 0 : -1, .events = POLLIN}};
	char bytes[4096];
	ssize_t n = 1;

	while (n > 0 || (n < 0 && errno == EINTR)) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents != 0 && !type())
			fds[1].fd = -1;
		if (fds[0].revents == 0)
			continue;
		n = read(master, bytes, sizeof(bytes));
		if (n > 0)
			fwrite(bytes, 1, (size_t)n, out);
		fflush(out);
	}
}

int
main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};
	char *second;
	pid_t pid;
	FILE *out;
	int status;

	if (argc < 5)
		return 126;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("posix_openpt");
	set_columns((unsigned short)strtoul(argv[3], &second, 10));
	if (*second == ',')
		next_columns = (unsigned short)strtoul(second + 1, NULL, 10);
	sigaction(SIGUSR1, &sa, NULL);
	out = strcmp(argv[1], "-") == 0 ? stdout : fopen(argv[1], "wb");
	if (out == NULL)
		die(argv[1]);
	pid = fork();
	if (pid == 0)
		run(ptsname(master), argv[2], argv + 4);
	copy(out, strchr(argv[2], '0') != NULL);
	if (pid < 0 || fclose(out) != 0 || waitpid(pid, &status, 0) < 0)
		die("pty");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
