/*
 * A resolver that tests decide on, linked in front of the C library's. It reads
 * SOCKT_TEST_NAMES: "NAME=ADDR,ADDR NAME=hang NAME=none". With hang4 or hang6
 * among the addresses the question for that family has no answer; with fail6
 * that for IPv6 fails for now. Its vfork(2) is a fork(2).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

#ifndef __SANITIZE_ADDRESS__
/* As that of some C libraries: the processes share nothing. POSIX has none. */
pid_t vfork(void);

pid_t
vfork(void)
{
	return fork();
}
#endif
