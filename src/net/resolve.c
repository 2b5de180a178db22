/* Resolves names in a child process, under a deadline. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/step.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "net/wait.h"

/* The socket of the child, its only descriptor above the standard three. */
#define LOOKUP_FD 3

/* getaddrinfo(3) returns codes beyond POSIX, which strict headers hide. */
#if defined(__linux__)
enum { NO_DATA = -5, NO_SUCH_FAMILY = -9 };
#else
enum { NO_DATA = EAI_NONAME, NO_SUCH_FAMILY = EAI_NONAME };
#endif

/* A record from the child, an error or an address. It is written in one piece,
 * so a read returns a whole one. */
struct record {
	/* The result of getaddrinfo(3), and its errno if that is EAI_SYSTEM. */
	int code, errnum;
	/* The address, if code is 0. */
	struct addr addr;
};

static size_t pending;

/* The child's part. */
static void
look_up(const struct resolve *r, int out)
{
	struct addrinfo hints = {.ai_family = r->family,
			    .ai_socktype = SOCK_STREAM},
			*found = NULL, *ai;
	struct record record;

	memset(&record, 0, sizeof(record));
	record.code = getaddrinfo(r->ep->host, NULL, &hints, &found);
	record.errnum = errno;
	if (record.code != 0)
		(void)fd_write_all(out, &record, sizeof(record));
	for (ai = found; record.code == 0 && ai != NULL; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(record.addr.u))
			continue;
		record.addr.len = ai->ai_addrlen;
		memcpy(&record.addr.u, ai->ai_addr, ai->ai_addrlen);
		addr_set_port(&record.addr, r->ep->port);
		if (fd_write_all(out, &record, sizeof(record)) < 0)
			return;
	}
}

/* Runs getaddrinfo(3) in a child process. Returns 0 or an errno. */
static int
start_child(struct resolve *r)
{
	const struct proc_options pair = {.has_pair = true};
	pid_t pid = proc_fork(&r->child, &pair);
	int fd;

	if (pid < 0)
		return errno;
	if (pid == 0) {
		/* A reader of stdout, or of another connection, must see its
		 * end without waiting for this process. */
		for (fd = 0; fd <= 2; fd++)
			close(fd);
		fd_reserve_standard();
		if (dup2(r->child->fd, LOOKUP_FD) == LOOKUP_FD) {
			proc_close_from(LOOKUP_FD + 1);
			look_up(r, LOOKUP_FD);
		}
		_exit(0);
	}
	r->in = r->child->fd;
	pending++;
	return 0;
}

static bool
is_listed(const struct addr_list *list, const struct addr *a)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (addr_equal(&list->items[i], a))
			return true;
	return false;
}

/* RFC 8305 section 4: alternates the families from that of the first address
 * on. Lists each address once. */
static void
interleave(const struct addr_list *found, struct addr_list *list)
{
	const struct addr *a, *first = found->items;
	size_t count = found->count, at[2] = {0, 0};
	int turn; /* 0: the family of the first address; 1: the other one */

	for (turn = 0; at[0] < count || at[1] < count; turn = 1 - turn) {
		while (at[turn] < count) {
			a = &found->items[at[turn]++];
			if ((addr_family(a) != addr_family(first)) != turn ||
			    is_listed(list, a))
				continue;
			addr_list_add(list, a);
			break;
		}
	}
}

/* The cause for a result of getaddrinfo(3); ENODATA means another one. */
static int
name_cause(int code)
{
	if (code == EAI_NONAME)
		return CAUSE_NAME_UNKNOWN;
	if (code == NO_DATA || code == NO_SUCH_FAMILY)
		return CAUSE_NAME_EMPTY;
	return code == EAI_AGAIN ? CAUSE_NAME_NO_SERVER : ENODATA;
}

/* Sets *e to why there is no address: errnum or, if it is 0, r->code. */
static int
lookup_error(
    const struct resolve *r, int errnum, struct deadline until, struct err *e)
{
	const char *host = text_shown(r->ep->host);
	int cause = errnum != 0 ? errnum : name_cause(r->code);
	int digit = r->family == AF_INET ? 4 : 6;

	errno = cause;
	step("resolve", r->start_ns, -1, NULL, "%s", host);
	if (errnum == ETIMEDOUT)
		deadline_error(until, "no answer from a name server", e);
	else if (errnum == ENODATA)
		err_set(e, ERR_NAME, "the lookup process died");
	else if (errnum != 0)
		err_sys(e, ERR_FAILED, errnum, "looking up the name");
	else if (r->code == EAI_SYSTEM)
		return err_sys(e, ERR_NAME, r->errnum, "%s", host);
	else if (cause == ENODATA)
		err_set(e, ERR_NAME, "name not resolved (%s)",
		    gai_strerror(r->code));
	else if (r->family != AF_UNSPEC && cause != CAUSE_NAME_NO_SERVER)
		err_set(e, ERR_NAME,
		    "name not found, or it has no IPv%d address (--ipv%d)",
		    digit, digit);
	else
		err_cause(e, ERR_AT_TCP, cause);
	e->errnum = cause;
	return err_prefix(e, "%s", host);
}

/* Reports the addresses found. note is their source, for -vv. */
static void
log_result(const struct endpoint *ep, int64_t start, const char *note,
    const struct addr_list *list)
{
	const char *one;
	char all[512] = ""; /* those that fit, and the number of the rest */
	struct json *j;
	size_t i;

	for (i = 0; i < list->count; i++) {
		one = addr_ip_text(&list->items[i]);
		if (!buf_fits(sizeof(all), strlen(all) + strlen(one),
			sizeof(", and 18446744073709551615 more")))
			break;
		text_append(all, sizeof(all), "%s%s", i > 0 ? ", " : "", one);
	}
	if (i < list->count)
		text_append(all, sizeof(all), " and %zu more", list->count - i);
	step("resolve", start, 0, note, "%s to %s", text_shown(ep->host), all);
	j = diag_event_begin("resolved");
	json_text(j, "name", ep->host);
	json_array(j, "addresses");
	for (i = 0; i < list->count; i++)
		json_text(j, NULL, addr_ip_text(&list->items[i]));
	json_close(j);
	/* With -vv the step reports this already; localhost needs no report. */
	diag_event_end(step_is_on() || endpoint_is_under(ep, "localhost")
			   ? DIAG_STEP + 1
			   : DIAG_NOTE,
	    "%s is %s", text_shown(ep->host), all);
}

int
resolve_check_scope(const struct addr *a, const char *text,
    const struct name_options *o, struct err *e)
{
	const char *shown = text_shown(text);

	if (o->interface == 0 && addr_lacks_scope(a))
		return err_set(e, ERR_USAGE,
		    "%s is a link-local address, which needs its interface: "
		    "%s%%eth0, for example",
		    shown, shown);
	if (o->interface != 0 && addr_family(a) == AF_INET6 &&
	    a->u.in6.sin6_scope_id != 0 &&
	    a->u.in6.sin6_scope_id != o->interface)
		return err_set(e, ERR_USAGE,
		    "%s names another interface than --interface", shown);
	return 0;
}

int
resolve_check(
    const struct endpoint *ep, const struct name_options *o, struct err *e)
{
	struct addr a;

	if (ep->is_unix)
		return 0;
	if (addr_parse_ip(&a, ep->host, ep->port)) {
		if (o->family != AF_UNSPEC && o->family != addr_family(&a))
			return err_set(e, ERR_USAGE, "%s is not an %s address",
			    text_shown(ep->host),
			    o->family == AF_INET ? "IPv4" : "IPv6");
		return resolve_check_scope(&a, ep->host, o, e);
	}
	if (o->numeric)
		return err_set(e, ERR_USAGE,
		    "%s is not a numeric address (--numeric)",
		    text_shown(ep->host));
	if (strcmp(ep->host, "*") == 0)
		return err_set(e, ERR_USAGE,
		    "'*' is not a host: it means every local address, for a "
		    "server to listen on");
	return endpoint_check_host(ep->host, e);
}

int
resolve_start(struct resolve *r, const struct endpoint *ep,
    const struct name_options *o, struct addr_list *list, struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct addr a;
	size_t i;
	int errnum;

	*r = (struct resolve){.ep = ep,
	    .family = o->family,
	    .list = list,
	    .start_ns = clock_now(),
	    .in = -1};
	if (resolve_check(ep, o, e) < 0)
		return -1;
	if (ep->is_unix || addr_parse_ip(&a, ep->host, ep->port)) {
		addr_list_add(list, ep->is_unix ? &ep->unix_addr : &a);
		return 0;
	}
	if (addr_interface_missing(ep->host, e))
		return -1;
	if (!endpoint_is_under(ep, "localhost")) {
		errnum = start_child(r);
		if (errnum != 0)
			return lookup_error(r, errnum, deadline_none(), e);
		return 0;
	}
	/* IPv4 first: most servers on a single address use it. */
	for (i = 0; i < 2; i++) {
		if (o->family == families[1 - i])
			continue;
		addr_loopback(&a, families[i], ep->port);
		addr_list_add(list, &a);
	}
	log_result(ep, r->start_ns,
	    "the loopback addresses; the name is not looked up", list);
	return 0;
}

bool
resolve_is_pending(void)
{
	return pending > 0;
}

void
resolve_cancel(struct resolve *r)
{
	pending -= r->in >= 0;
	r->in = -1;
	proc_free(&r->child);
	addr_list_release(&r->found);
}

int
resolve_advance(
    struct resolve *r, int errnum, struct deadline until, struct err *e)
{
	struct record record;

	if (errnum == 0 &&
	    read(r->in, &record, sizeof(record)) == (ssize_t)sizeof(record)) {
		r->code = record.code;
		r->errnum = record.errnum;
		addr_unmap(&record.addr);
		if (record.code == 0)
			addr_list_add(&r->found, &record.addr);
		return 0;
	}
	if (errnum == 0 && r->found.count == 0 && r->code == 0)
		errnum = ENODATA;
	if (errnum == 0 && r->found.count > 0) {
		interleave(&r->found, r->list);
		log_result(r->ep, r->start_ns,
		    "another process asked the system's resolver: the hosts "
		    "file, DNS",
		    r->list);
	} else {
		(void)lookup_error(r, errnum, until, e);
	}
	resolve_cancel(r);
	return r->list->count > 0 ? 0 : -1;
}

static const char *
wait_text(void *context)
{
	const struct resolve *r = context;

	return text_format(
	    "looking up %s: no answer yet", text_shown(r->ep->host));
}

int
resolve(const struct endpoint *ep, const struct name_options *o,
    struct deadline until, struct addr_list *list, struct err *e)
{
	struct resolve r;
	struct wait_reason reason;
	int ready, result = resolve_start(&r, ep, o, list, e);

	wait_begin(&reason, wait_text, &r);
	while (result == 0 && r.in >= 0) {
		ready = wait_fd(r.in, POLLIN, until);
		result = resolve_advance(&r,
		    ready < 0    ? errno
		    : ready == 0 ? ETIMEDOUT
				 : 0,
		    until, e);
	}
	wait_end();
	return result;
}
