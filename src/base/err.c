/* Errors as values: a kind, an errno and a text that gains context. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* One row per errno: its kind, its words, and what it means. */
static const struct reason {
	int errnum;
	enum err_kind kind;
	const char *reason;
	const char *meaning;
} reasons[] = {
    {ECONNREFUSED, ERR_REFUSED, "refused",
	"the host answered; nothing listens on that port"},
    {ETIMEDOUT, ERR_TIMEOUT, "timed out",
	"no answer; the host is down or a firewall drops the packets"},
    {EHOSTUNREACH, ERR_UNREACHABLE, "host unreachable",
	"no way to that host, or it is down"},
    {ENETUNREACH, ERR_UNREACHABLE, "network unreachable",
	"no route to that network from here"},
#ifdef EHOSTDOWN
    {EHOSTDOWN, ERR_UNREACHABLE, "host down",
	"a neighbour that should be that host does not answer"},
#endif
    {ENETDOWN, ERR_UNREACHABLE, "network down", "the interface is down"},
    {ENOPROTOOPT, ERR_UNREACHABLE, "protocol unreachable",
	"the host does not speak that protocol"},
    {EADDRINUSE, ERR_LOCAL, "address in use",
	"another socket holds that address and port"},
    {EADDRNOTAVAIL, ERR_LOCAL, "address not available",
	"that address is not one of this machine's"},
    {EACCES, ERR_LOCAL, "permission denied", NULL},
    {EPERM, ERR_UNREACHABLE, "not permitted",
	"a firewall rule on this machine forbids it"},
    {ECONNRESET, ERR_LOST, "connection reset",
	"the other side ended it without reading everything"},
    {EPIPE, ERR_LOST, "broken pipe", "the other side no longer reads"},
    {ECONNABORTED, ERR_LOST, "connection aborted", NULL},
    {ENETRESET, ERR_LOST, "connection reset by network", NULL},
    {ENOSPC, ERR_OUTPUT, "no space left", "the disk is full"},
    {EMFILE, ERR_FAILED, "too many open files",
	"the limit of this process; see ulimit -n"},
    {ENFILE, ERR_FAILED, "too many open files",
	"the limit of the whole system"},
    {EAFNOSUPPORT, ERR_LOCAL, "address family not supported",
	"this system has no IPv6, or no IPv4"},
};

static const struct reason *
reason_find(int errnum)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].errnum == errnum)
			return &reasons[i];
	return NULL;
}

void
err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->errnum = 0;
	e->text[0] = '\0';
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->kind = kind;
	e->errnum = 0;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
{
	const char *meaning = err_meaning(errnum);
	va_list ap;

	e->kind = kind;
	e->errnum = errnum;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	text_append(e->text, sizeof(e->text), ": %s%s%s%s", err_reason(errnum),
	    meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "");
	errno = errnum;
	return -1;
}

int
err_status(struct err *e, int status)
{
	err_clear(e);
	e->kind = (enum err_kind)status;
	return -1;
}

int
err_append(struct err *e, const char *fmt, ...)
{
	va_list ap;

	text_append(e->text, sizeof(e->text), "; ");
	va_start(ap, fmt);
	text_append_list(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_append(text, sizeof(text), ": %s", e->text);
	memcpy(e->text, text, sizeof(e->text));
	return -1;
}

enum err_kind
err_kind_of(int errnum)
{
	const struct reason *r = reason_find(errnum);

	return r == NULL ? ERR_FAILED : r->kind;
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {"none", "failed", "usage", "name",
	    "refused", "timeout", "unreachable", "local", "peer", "protocol",
	    "lost", "output"};

	/* Above them are the statuses of programs. */
	if ((size_t)kind >= sizeof(names) / sizeof(names[0]))
		return "program";
	return names[kind];
}

const char *
err_reason(int errnum)
{
	const struct reason *r = reason_find(errnum);

	return r == NULL ? strerror(errnum) : r->reason;
}

const char *
err_meaning(int errnum)
{
	const struct reason *r = reason_find(errnum);

	return r == NULL ? NULL : r->meaning;
}
