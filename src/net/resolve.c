/* Resolves names in a child process, under a deadline. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/diag.h"
#include "base/step.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/addr.h"
#include "net/child.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/wait.h"

/* RFC 8305 section 3: the Resolution Delay. */
#define RESOLUTION_DELAY_MS 50
/* After this time, a lookup of both families is split by family. */
#define ALONE_MS 200

/* getaddrinfo(3) returns codes beyond POSIX, which strict headers hide. */
#if defined(__GLIBC__)
enum { NO_DATA = -5, NO_SUCH_FAMILY = -9 };
#else
enum { NO_DATA = EAI_NONAME, NO_SUCH_FAMILY = EAI_NONAME };
#endif

/* What a child writes into its pipe, before the addresses. */
struct answer {
	int code;   /* of getaddrinfo(3) */
	int errnum; /* errno, if code is EAI_SYSTEM */
};

/* One getaddrinfo(3) in a child process. */
struct query {
	int family; /* AF_UNSPEC: both */
	pid_t pid;  /* 0: not started, or reaped */
	int in;     /* read end of the child's pipe; -1: end of file */
	unsigned char *bytes; /* owned: the bytes read */
	size_t length;
};

/* The queries for a name: both families; each separately. */
enum { BOTH, IP6, IP4, QUERY_COUNT };

static void
look_up(const struct endpoint *ep, int family, int out)
{
	struct addrinfo hints = {.ai_family = family,
			    .ai_socktype = SOCK_STREAM},
			*found = NULL, *ai;
	struct answer answer = {0, 0};
	struct addr a;

	answer.code = getaddrinfo(ep->host, NULL, &hints, &found);
	answer.errnum = errno;
	if (fd_write_all(out, &answer, sizeof(answer)) < 0)
		return;
	for (ai = found; answer.code == 0 && ai != NULL; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(a.u))
			continue;
		memset(&a, 0, sizeof(a));
		a.len = ai->ai_addrlen;
		memcpy(&a.u, ai->ai_addr, ai->ai_addrlen);
		addr_set_port(&a, ep->port);
		if (fd_write_all(out, &a, sizeof(a)) < 0)
			return;
	}
}

/* Starts the child. Returns 0, or -1 with errno. */
static int
query_start(struct query *q, const struct endpoint *ep)
{
	int ends[2];

	if (os_pipe(ends, false) < 0)
		return -1;
	q->pid = fork();
	if (q->pid == 0) {
		signals_after_fork();
		/* The reader of stdout must not wait for this process. */
		fd_close_standard();
		look_up(ep, q->family, ends[1]);
		_exit(0);
	}
	fd_close(&ends[1]);
	if (q->pid < 0) {
		fd_close(&ends[0]);
		q->pid = 0;
		return -1;
	}
	q->in = ends[0];
	return 0;
}

/* Reads available bytes from the pipe. */
static void
query_read(struct query *q)
{
	unsigned char piece[4096];
	ssize_t n = read(q->in, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		fd_close(&q->in);
		return;
	}
	q->bytes = mem_resize(q->bytes, q->length + (size_t)n, 1);
	memcpy(q->bytes + q->length, piece, (size_t)n);
	q->length += (size_t)n;
}

/* Whether the query was started and has ended. */
static bool
query_is_over(const struct query *q)
{
	return q->pid != 0 && q->in < 0;
}

/* The query's answer; code is 0 even if the child has died. */
static struct answer
query_answer(const struct query *q)
{
	struct answer answer = {0, 0};

	if (q->length >= sizeof(answer))
		memcpy(&answer, q->bytes, sizeof(answer));
	return answer;
}

/* The number of addresses of a completed query. */
static size_t
query_count(const struct query *q)
{
	if (!query_is_over(q) || q->length < sizeof(struct answer))
		return 0;
	return (q->length - sizeof(struct answer)) / sizeof(struct addr);
}

static void
query_release(struct query *q)
{
	struct child child = {.pid = q->pid};

	if (q->pid > 0)
		(void)child_kill(&child);
	fd_close(&q->in);
	free(q->bytes);
}

/* The next address of the family from index *at, or NULL. */
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

/* RFC 8305 section 4: alternates the families, the first address's first. */
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

/* The cause for a result of getaddrinfo(3); ENODATA means another one. */
static int
name_cause(int code)
{
	if (code == NO_DATA || code == NO_SUCH_FAMILY)
		return CAUSE_NAME_EMPTY;
	if (code == EAI_NONAME)
		return CAUSE_NAME_UNKNOWN;
	return code == EAI_AGAIN ? CAUSE_NAME_NO_SERVER : ENODATA;
}

/* Sets *e to why getaddrinfo(3) returned no address. */
static int
name_error(
    const struct endpoint *ep, const struct answer *answer, struct err *e)
{
	char host[ENDPOINT_HOST * 2];
	int cause = name_cause(answer->code);

	text_escape_string(host, sizeof(host), ep->host);
	if (cause != ENODATA)
		return err_at(e, ERR_AT_TCP, cause, "%s", host);
	if (answer->code == EAI_SYSTEM)
		return err_sys(e, ERR_NAME, answer->errnum, "%s", host);
	return err_set(e, ERR_NAME, "%s: name not resolved (%s)", host,
	    gai_strerror(answer->code));
}

/* Sets *e to why reading from the child failed. */
static int
read_error(
    const struct endpoint *ep, int errnum, struct deadline until, struct err *e)
{
	char host[ENDPOINT_HOST * 2];

	err_sys(e, ERR_FAILED, errnum, "looking up the name");
	if (errnum == ETIMEDOUT)
		deadline_error(until, "no answer from a name server", e);
	if (errnum == ENODATA)
		err_set(e, ERR_NAME, "the lookup process died");
	e->errnum = errnum;
	return err_prefix(
	    e, "%s", text_escape_string(host, sizeof(host), ep->host));
}

/* Formats the addresses that fit into buf, and the number of the rest. */
static void
format_list(const struct addr_list *list, char *buf, size_t size)
{
	char text[ADDR_TEXT];
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < list->count; i++) {
		addr_format_ip(&list->items[i], text, sizeof(text));
		if (!bounds_fit(size, strlen(buf) + strlen(text),
			sizeof(", and 18446744073709551615 more")))
			break;
		text_append(buf, size, "%s%s", i > 0 ? ", " : "", text);
	}
	if (i < list->count)
		text_append(buf, size, " and %zu more", list->count - i);
}

/* Reports in -vv why no address was found; errnum is the wait's, or 0. */
static void
report_failure(const struct endpoint *ep, int64_t start, int errnum,
    const struct answer *answer)
{
	struct step s = {.call = "resolve",
	    .start_ns = start,
	    .errnum = errnum != 0 ? errnum : name_cause(answer->code)};
	char host[ENDPOINT_HOST * 2];

	step_report(&s, "%s", text_escape_string(host, sizeof(host), ep->host));
}

/* Reports the addresses found. note says for -vv where they are from. */
static void
log_result(const struct endpoint *ep, int64_t start, const char *note,
    const struct addr_list *list)
{
	char host[ENDPOINT_HOST * 2], text[ADDR_TEXT], all[512];
	struct json *j;
	size_t i;

	text_escape_string(host, sizeof(host), ep->host);
	format_list(list, all, sizeof(all));
	step_report(
	    &(struct step){.call = "resolve", .start_ns = start, .note = note},
	    "%s to %s", host, all);
	j = diag_event_begin("resolved");
	json_text(j, "name", ep->host);
	json_array(j, "addresses");
	for (i = 0; i < list->count; i++)
		json_text(j, NULL,
		    addr_format_ip(&list->items[i], text, sizeof(text)));
	json_close(j);
	diag_event_end(DIAG_NOTE, "%s is %s", host, all);
}

/*
 * Queries each family separately: a resolver may hold back one answer for the
 * other's. Not from the start: /etc/hosts may have one family of a name whose
 * other family in the DNS is another machine.
 */
static void
start_alone(struct query *queries, const struct endpoint *ep)
{
	/* If this fails, the first lookup is still in progress. */
	(void)query_start(&queries[IP6], ep);
	(void)query_start(&queries[IP4], ep);
}

/* The query whose addresses to use now, or NULL. */
static const struct query *
first_answer(const struct query *queries)
{
	size_t i;

	for (i = 0; i < QUERY_COUNT; i++)
		if (query_count(&queries[i]) > 0)
			return &queries[i];
	return NULL;
}

/* Whether no remaining query can change the result. */
static bool
is_decided(const struct query *queries)
{
	return query_is_over(&queries[BOTH]) ||
	       (query_is_over(&queries[IP6]) && query_is_over(&queries[IP4]) &&
		   first_answer(queries) != NULL);
}

/* Waits for and reads from the queries. Returns 0, or -1 with errno. */
static int
wait_queries(struct query *queries, struct deadline until)
{
	struct pollfd fds[QUERY_COUNT + 1];
	size_t i, n = 0, which[QUERY_COUNT];
	int ready;

	for (i = 0; i < QUERY_COUNT; i++) {
		if (queries[i].in < 0)
			continue;
		fds[n] = (struct pollfd){queries[i].in, POLLIN, 0};
		which[n++] = i;
	}
	ready = wait_poll(fds, n, until);
	/* SIGCHLD also interrupts the wait if the caller catches it. */
	if (ready < 0 && (errno != EINTR || signals_stopped() != 0))
		return -1;
	for (i = 0; i < n; i++)
		if (fds[i].revents != 0)
			query_read(&queries[which[i]]);
	return 0;
}

/* Runs the queries until they are decided or late. Returns 0 or an errno. */
static int
run_queries(
    struct query *queries, const struct endpoint *ep, struct deadline until)
{
	bool can_split = queries[BOTH].family == AF_UNSPEC;
	struct deadline next =
	    can_split ? deadline_after(ALONE_MS) : deadline_none();
	bool is_late = false;

	if (query_start(&queries[BOTH], ep) < 0)
		return errno;
	while (!is_decided(queries)) {
		if (wait_queries(queries, deadline_first(until, next)) < 0)
			return errno;
		if (can_split && deadline_passed(next)) {
			can_split = false;
			next = deadline_none();
			start_alone(queries, ep);
		}
		if (!is_late && first_answer(queries) != NULL) {
			is_late = true;
			next = deadline_after(RESOLUTION_DELAY_MS);
		}
		if (is_late && deadline_passed(next))
			return 0;
		if (deadline_passed(until))
			return first_answer(queries) != NULL ? 0 : ETIMEDOUT;
	}
	return 0;
}

/* Adds the addresses found, of both families if there are both. */
static void
collect(const struct query *queries, struct addr_list *list)
{
	size_t i, count = 0, n;
	struct addr *all = NULL;

	for (i = 0; i < QUERY_COUNT; i++) {
		n = query_count(&queries[i]);
		if (n == 0)
			continue;
		all = mem_resize(all, count + n, sizeof(*all));
		memcpy(all + count, queries[i].bytes + sizeof(struct answer),
		    n * sizeof(*all));
		count += n;
		if (i == BOTH)
			break;
	}
	interleave(all, count, list);
	free(all);
}

/* Reports that a family's answer was not waited for. */
static void
report_missing(const struct query *queries, const struct endpoint *ep)
{
	char host[ENDPOINT_HOST * 2];
	bool has_ip6 = query_is_over(&queries[IP6]);

	if (query_count(&queries[BOTH]) > 0 ||
	    has_ip6 == query_is_over(&queries[IP4]))
		return;
	diag_note("%s: the lookup of %s addresses is late; using "
		  "those of %s",
	    text_escape_string(host, sizeof(host), ep->host),
	    has_ip6 ? "IPv4" : "IPv6", has_ip6 ? "IPv6" : "IPv4");
}

static void
set_queries(struct query *q, int family)
{
	q[IP6] = (struct query){.family = AF_INET6, .in = -1};
	q[BOTH] = q[IP4] = (struct query){.family = AF_INET, .in = -1};
	q[BOTH].family = family;
}

static void
release_queries(struct query *queries)
{
	size_t i;

	for (i = 0; i < QUERY_COUNT; i++)
		query_release(&queries[i]);
}

/* If the name has no address of the family, replaces *e by an error with the
 * other family's. Returns -1. */
static int
family_error(
    const struct endpoint *ep, int family, struct deadline until, struct err *e)
{
	struct query queries[QUERY_COUNT];
	struct addr_list list = ADDR_LIST_INIT;
	char host[ENDPOINT_HOST * 2], all[256];
	int digit = family == AF_INET ? 4 : 6, cause = e->errnum;

	if (cause != CAUSE_NAME_EMPTY && cause != CAUSE_NAME_UNKNOWN)
		return -1;
	set_queries(queries, AF_UNSPEC);
	if (run_queries(queries, ep, until) == 0)
		collect(queries, &list);
	format_list(&list, all, sizeof(all));
	release_queries(queries);
	if (list.count > 0 || cause == CAUSE_NAME_EMPTY)
		err_set(e, ERR_NAME,
		    "%s has no IPv%d address (--ipv%d); it has %s",
		    text_escape_string(host, sizeof(host), ep->host), digit,
		    digit, list.count > 0 ? all : "no other either");
	e->errnum = cause;
	addr_list_release(&list);
	return -1;
}

/* Resolves a name in child processes and waits for them. */
static int
resolve_name(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e)
{
	struct query queries[QUERY_COUNT];
	int64_t start = clock_now();
	char host[ENDPOINT_HOST * 2];
	struct answer answer;
	int errnum, result = 0;

	if (step_is_on())
		step_wait("resolve",
		    "another process asks the system's resolver: the hosts "
		    "file, DNS",
		    "%s", text_escape_string(host, sizeof(host), ep->host));
	set_queries(queries, o->family);
	errnum = run_queries(queries, ep, until);
	if (errnum == 0)
		collect(queries, list);
	if (list->count > 0) {
		report_missing(queries, ep);
		log_result(ep, start, "the name's addresses", list);
	} else {
		answer = query_answer(&queries[BOTH]);
		report_failure(ep, start, errnum, &answer);
		if (errnum == 0 && answer.code == 0)
			errnum = ENODATA;
		result = errnum != 0 ? read_error(ep, errnum, until, e)
				     : name_error(ep, &answer, e);
	}
	release_queries(queries);
	if (result < 0 && o->family != AF_UNSPEC)
		return family_error(ep, o->family, until, e);
	return result;
}

/* Loopback, IPv4 first: most servers on only one address are on that one. */
static int
resolve_localhost(const struct endpoint *ep, const struct name_options *o,
    struct addr_list *list)
{
	int64_t start = clock_now();
	struct addr a;

	if (o->family != AF_INET6) {
		addr_loopback(&a, AF_INET, ep->port);
		addr_list_add(list, &a);
	}
	if (o->family != AF_INET) {
		addr_loopback(&a, AF_INET6, ep->port);
		addr_list_add(list, &a);
	}
	log_result(ep, start,
	    "the loopback addresses; the name is not looked up", list);
	return 0;
}

/* Rejects an address of the other family, or one that needs an interface. */
static int
check_number(const struct addr *a, int family, const char *host, struct err *e)
{
	bool is_other = family != AF_UNSPEC && family != addr_family(a);
	char shown[ENDPOINT_HOST * 2];

	if (!is_other && !addr_lacks_scope(a))
		return 0;
	text_escape_string(shown, sizeof(shown), host);
	if (is_other)
		return err_set(e, ERR_USAGE, "%s is not an %s address", shown,
		    family == AF_INET ? "IPv4" : "IPv6");
	return err_set(e, ERR_USAGE,
	    "%s is a link-local address, which needs its interface: "
	    "%s%%eth0, for example",
	    shown, shown);
}

int
resolve_check(
    const struct endpoint *ep, const struct name_options *o, struct err *e)
{
	char shown[ENDPOINT_HOST * 2];
	struct addr a;

	if (ep->is_unix)
		return 0;
	if (addr_parse_ip(&a, ep->host, ep->port))
		return check_number(&a, o->family, ep->host, e);
	if (o->numeric)
		return err_set(e, ERR_USAGE,
		    "%s is not a numeric address (--numeric)",
		    text_escape_string(shown, sizeof(shown), ep->host));
	if (strcmp(ep->host, "*") == 0)
		return err_set(e, ERR_USAGE,
		    "'*' is not a host: it means every local address, for a "
		    "server to listen on");
	return endpoint_check_host(ep->host, e);
}

int
resolve(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e)
{
	struct addr a;

	if (resolve_check(ep, o, e) < 0)
		return -1;
	if (ep->is_unix)
		addr_list_add(list, &ep->unix_addr);
	else if (addr_parse_ip(&a, ep->host, ep->port))
		addr_list_add(list, &a);
	else if (strchr(ep->host, '%') != NULL)
		return endpoint_scope_error(ep, e);
	else if (endpoint_is_localhost(ep))
		return resolve_localhost(ep, o, list);
	else
		return resolve_name(ep, o, until, list, e);
	return 0;
}
