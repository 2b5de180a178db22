#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/fast.h"
#include "net/wait.h"

/* More addresses than this of one name are not told by the child. */
#define MOST 64

/* What the child writes into the pipe, behind which the addresses follow. */
struct answer {
	int code;   /* of getaddrinfo(3) */
	int errnum; /* where code is EAI_SYSTEM */
	int count;
};

static void
look_up(const struct endpoint *ep, int family, int out)
{
	struct addrinfo hints = {.ai_family = family,
			    .ai_socktype = SOCK_STREAM},
			*found = NULL, *ai;
	struct answer answer = {0, 0, 0};
	struct addr addrs[MOST];

	memset(addrs, 0, sizeof(addrs));
	answer.code = getaddrinfo(ep->host, NULL, &hints, &found);
	answer.errnum = errno;
	for (ai = found; answer.code == 0 && ai != NULL && answer.count < MOST;
	     ai = ai->ai_next) {
		struct addr *a = &addrs[answer.count];

		if (ai->ai_addrlen > sizeof(a->u))
			continue;
		a->len = ai->ai_addrlen;
		memcpy(&a->u, ai->ai_addr, ai->ai_addrlen);
		addr_set_port(a, ep->port);
		answer.count++;
	}
	if (fd_write_all(out, &answer, sizeof(answer)) == 0)
		(void)fd_write_all(
		    out, addrs, (size_t)answer.count * sizeof(addrs[0]));
}

/* Starts the child. Its pid, or -1 with errno; *in is where it answers. */
static pid_t
start_child(const struct endpoint *ep, int family, int *in)
{
	int ends[2];
	pid_t pid;

	if (fast_pipe(ends, false) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		wait_child();
		look_up(ep, family, ends[1]);
		_exit(0);
	}
	fd_close(&ends[1]);
	if (pid < 0)
		fd_close(&ends[0]);
	*in = ends[0];
	return pid;
}

/* Reads n bytes before the deadline: 0, or -1 with errno; ENODATA: too few. */
static int
read_whole(int fd, void *bytes, size_t n, struct deadline until)
{
	unsigned char *p = bytes;
	ssize_t got;
	int ready;

	while (n > 0) {
		ready = wait_fd(fd, POLLIN, until);
		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return -1;
		got = read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = ENODATA;
		if (got <= 0)
			return -1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* The next address of the family from place *at on, or NULL. */
static const struct addr *
next_of(const struct addr *a, size_t count, int family, size_t *at)
{
	while (*at < count) {
		const struct addr *candidate = &a[(*at)++];

		if (addr_family(candidate) == family)
			return candidate;
	}
	return NULL;
}

static void
add_unique(struct addr_list *list, const struct addr *a)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (addr_equal(&list->items[i], a))
			return;
	addr_list_add(list, a);
}

/* RFC 8305 section 4: the families in turn, the first one's family first. */
static void
interleave(const struct addr *a, size_t count, struct addr_list *list)
{
	int first = count > 0 ? addr_family(&a[0]) : AF_INET;
	int second = first == AF_INET ? AF_INET6 : AF_INET;
	size_t at_first = 0, at_second = 0;
	const struct addr *x, *y;

	do {
		x = next_of(a, count, first, &at_first);
		y = next_of(a, count, second, &at_second);
		if (x != NULL)
			add_unique(list, x);
		if (y != NULL)
			add_unique(list, y);
	} while (x != NULL || y != NULL);
}

static int
name_error(
    const struct endpoint *ep, const struct answer *answer, struct err *e)
{
	char host[ENDPOINT_HOST * 2];

	text_escape_string(host, sizeof(host), ep->host);
	switch (answer->code) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
		return err_set(e, ERR_NAME,
		    "%s: name not found (no address is known for it)", host);
	case EAI_AGAIN:
		return err_set(e, ERR_NAME,
		    "%s: name not resolved (no name server answered; it may "
		    "work later)",
		    host);
	case EAI_SYSTEM:
		return err_sys(
		    e, ERR_NAME, answer->errnum, "%s: name not resolved", host);
	default:
		return err_set(e, ERR_NAME, "%s: name not resolved (%s)", host,
		    gai_strerror(answer->code));
	}
}

/* How the reading from the child failed. */
static int
read_error(const struct endpoint *ep, int errnum, struct err *e)
{
	char host[ENDPOINT_HOST * 2];

	text_escape_string(host, sizeof(host), ep->host);
	if (errnum == ETIMEDOUT) {
		err_set(e, ERR_TIMEOUT,
		    "%s: looking up the name timed out (no name server "
		    "answered within the limit)",
		    host);
		e->errnum = errnum;
		return -1;
	}
	if (errnum == ENODATA)
		return err_set(e, ERR_NAME,
		    "%s: name not resolved (the look-up process died)", host);
	return err_sys(e, ERR_FAILED, errnum, "%s: looking up the name", host);
}

/* Tells the outcome of a look-up. */
static void
tell(const struct endpoint *ep, int64_t start, int errnum,
    const struct addr_list *list)
{
	char host[ENDPOINT_HOST * 2], text[ADDR_TEXT], all[512] = "";
	size_t i, used = 0;
	struct json j;

	text_escape_string(host, sizeof(host), ep->host);
	for (i = 0; i < list->count && used < sizeof(all) - 1; i++) {
		snprintf(all + used, sizeof(all) - used, "%s%s",
		    i > 0 ? ", " : "",
		    addr_format_ip(&list->items[i], text, sizeof(text)));
		used = strlen(all);
	}
	diag_step("resolve", start, errnum, "the name's addresses", "%s%s%s",
	    host, used > 0 ? " to " : "", all);
	if (errnum != 0)
		return;
	diag_event_begin(&j, "resolved");
	json_text(&j, "name", ep->host);
	json_array(&j, "addresses");
	for (i = 0; i < list->count; i++)
		json_text(&j, NULL,
		    addr_format_ip(&list->items[i], text, sizeof(text)));
	json_close(&j);
	diag_event_end(&j, DIAG_NOTE, "%s is %s", host, all);
}

/* A name: asks the child and waits for it. */
static int
resolve_name(const struct endpoint *ep, const struct resolve_options *o,
    struct deadline until, struct addr_list *list, struct err *e)
{
	int64_t start = clock_now();
	struct answer answer = {0, 0, 0};
	struct addr addrs[MOST];
	int in, errnum = 0;
	pid_t pid = start_child(ep, o->family, &in);

	if (pid < 0)
		return err_sys(e, ERR_FAILED, errno, "look-up process");
	if (read_whole(in, &answer, sizeof(answer), until) < 0 ||
	    read_whole(in, addrs, (size_t)answer.count * sizeof(addrs[0]),
		until) < 0) {
		errnum = errno;
		kill(pid, SIGKILL);
	}
	fd_close(&in);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (errnum == 0 && answer.code == 0)
		interleave(addrs, (size_t)answer.count, list);
	tell(ep, start,
	    errnum != 0        ? errnum
	    : answer.code != 0 ? ENOENT
			       : 0,
	    list);
	if (errnum != 0)
		return read_error(ep, errnum, e);
	return answer.code == 0 ? 0 : name_error(ep, &answer, e);
}

int
resolve_check(
    const struct endpoint *ep, const struct resolve_options *o, struct err *e)
{
	char host[ENDPOINT_HOST * 2];
	struct addr a;

	if (ep->is_unix)
		return 0;
	text_escape_string(host, sizeof(host), ep->host);
	if (!addr_parse_ip(&a, ep->host, ep->port))
		return !o->numeric
			   ? 0
			   : err_set(e, ERR_USAGE,
				 "%s is not a numeric address (--numeric)",
				 host);
	if (o->family == AF_UNSPEC || o->family == addr_family(&a))
		return 0;
	return err_set(e, ERR_USAGE, "%s is not an %s address", host,
	    o->family == AF_INET ? "IPv4" : "IPv6");
}

int
resolve(const struct endpoint *ep, const struct resolve_options *o,
    struct deadline until, struct addr_list *list, struct err *e)
{
	struct addr a;

	if (resolve_check(ep, o, e) < 0)
		return -1;
	if (ep->is_unix)
		addr_list_add(list, &ep->unix_addr);
	else if (addr_parse_ip(&a, ep->host, ep->port))
		addr_list_add(list, &a);
	else
		return resolve_name(ep, o, until, list, e);
	return 0;
}
