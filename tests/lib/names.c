/*
 * Calls that tests decide on, linked in front of the C library's: a resolver,
 * and listen(2) and unlink(2), which wait where SOCKT_TEST_PAUSE is their name,
 * ':' and a file: they make the file and go on when it has gone. The resolver
 * reads SOCKT_TEST_NAMES: "NAME=ADDR,ADDR NAME=hang NAME=none". With hang4 or
 * hang6 among the addresses the question for that family has no answer; with
 * fail6 that for IPv6 fails for now.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

long syscall(long number, ...);

/* One item of the list; the storage is never freed: the process is short. */
static struct addrinfo *
make_item(const char *text)
{
	struct addrinfo *ai = calloc(1, sizeof(*ai));
	struct sockaddr_storage *ss = calloc(1, sizeof(*ss));
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;

	ai->ai_addr = (struct sockaddr *)ss;
	ai->ai_socktype = SOCK_STREAM;
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		ai->ai_family = AF_INET;
		ai->ai_addrlen = sizeof(*in4);
	} else {
		inet_pton(AF_INET6, text, &in6->sin6_addr);
		ai->ai_family = AF_INET6;
		ai->ai_addrlen = sizeof(*in6);
	}
	ss->ss_family = (sa_family_t)ai->ai_family;
	return ai;
}

/* Waits for ever where that family was asked for, alone or with the other. */
static void
hang_for(int family, int asked)
{
	while (asked == AF_UNSPEC || asked == family)
		pause();
}

static int
answer(char *list, int family, struct addrinfo **res)
{
	struct addrinfo **end = res;
	char *save, *one;

	*res = NULL;
	if (strcmp(list, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(list, "none") == 0)
		return EAI_NONAME;
	/* glibc's EAI_NODATA, which strict headers hide. */
	if (strcmp(list, "nodata") == 0)
		return -5;
	for (one = strtok_r(list, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save)) {
		struct addrinfo *ai;

		if (strncmp(one, "hang", 4) == 0) {
			hang_for(one[4] == '6' ? AF_INET6 : AF_INET, family);
			continue;
		}
		if (strcmp(one, "fail6") == 0) {
			if (family == AF_INET6)
				return EAI_AGAIN;
			continue;
		}
		ai = make_item(one);
		if (family != AF_UNSPEC && family != ai->ai_family)
			continue;
		*end = ai;
		end = &ai->ai_next;
	}
	return *res == NULL ? EAI_NONAME : 0;
}

int
getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
	const char *names = getenv("SOCKT_TEST_NAMES");
	char *copy, *save, *one, *list;

	(void)service;
	copy = strdup(names == NULL ? "" : names);
	for (one = strtok_r(copy, " ", &save); one != NULL;
	     one = strtok_r(NULL, " ", &save)) {
		list = strchr(one, '=');
		if (list == NULL)
			continue;
		*list++ = '\0';
		if (strcmp(one, node) == 0)
			return answer(list, hints->ai_family, res);
	}
	return EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *res)
{
	(void)res;
}

/* Waits where this call is to wait. */
static void
pause_in(const char *call)
{
	static const struct timespec moment = {0, 1000000};
	const char *wanted = getenv("SOCKT_TEST_PAUSE");
	size_t n = strlen(call);

	if (wanted == NULL || strncmp(wanted, call, n) != 0 || wanted[n] != ':')
		return;
	close(open(wanted + n + 1, O_WRONLY | O_CREAT, 0600));
	while (access(wanted + n + 1, F_OK) == 0)
		nanosleep(&moment, NULL);
}

#if defined(SYS_listen) && defined(SYS_unlinkat) && defined(AT_FDCWD)
int
listen(int fd, int backlog)
{
	pause_in("listen");
	return (int)syscall(SYS_listen, fd, backlog);
}

int
unlink(const char *path)
{
	pause_in("unlink");
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
#endif
