/* http-get: an HTTP client. Parses the URL, connects, sends a request, receives
 * the head, then the body to its declared end, and closes. */
#include <errno.h>

#include "base/err.h"
#include "base/diag.h"
#include "base/num.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "fetch/download.h"
#include "cmd/table.h"
#include "net/sandbox.h"
#include "net/signals.h"

#define MAX_REDIRS 20

struct http_get_options {
	struct report_options report;
	struct name_options names;
	struct source_options source;
	struct time_options time;
	struct sock_options sock;
	struct proxy_options proxy;
	struct transport_options transport;
	struct request_options {
		/* The first member: the offsets in the tables start here. */
		struct download_options download;
		struct opt_list fields;
	} request;
};

static const struct http_get_options http_get_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
    .request.download.max_redirs = MAX_REDIRS,
};

static const struct opt request_opts[] = {
    FLAG('I', "head", download_options, head_only,
	"request the header only (HEAD); print it on stdout"),
    LIST('H', "header", "FIELD", request_options, fields,
	"send 'Name: value' too, or in place of a default; 'Name:' removes "
	"one"),
    STRING('u', "user", "USER:PASS", download_options, user,
	"credentials for Basic authentication"),
    STRING('r', "range", "A-B", download_options, range,
	"fetch bytes A to B only, counted from 0; A- is to the end, -N the "
	"last N"),
    FILENAME(0, "if-modified-since", "DATE|FILE", download_options, since,
	"fetch only if newer than DATE, or than FILE"),
    FILENAME(0, "unix", "PATH", download_options, unix_path,
	"send requests to the Unix socket PATH", .excludes = "proxy via"),
    FLAG('L', "location", download_options, follow, "follow redirects"),
    NUMBER(0, "max-redirs", "N", download_options, max_redirs,
	"follow at most N redirects", .max = 1000),
    NUMBER(0, "retry", "N", download_options, retries,
	"after a failure that may pass, retry up to N times and resume",
	.max = 1000000),
    {.kind = OPT_END},
};

static const struct opt output_opts[] = {
    FILENAME('o', "output", "FILE", download_options, output,
	"write the body to FILE, which is replaced when it is complete",
	.excludes = "remote-name", .dash = OPT_DASH_STDOUT),
    FLAG('O', "remote-name", download_options, remote_name,
	"write the body to a file named as in the URL"),
    FLAG('c', "continue", download_options, resume,
	"resume an earlier download from FILE.part",
	.excludes = "range include head if-modified-since"),
    FLAG(0, "continue-foreign", download_options, is_foreign,
	"resume FILE itself, which another program began",
	.excludes = "range include head if-modified-since"),
    FLAG(0, "force", download_options, force,
	"overwrite a file of --remote-name, or a foreign FILE.part"),
    FLAG(0, "fail-with-body", download_options, fail_with_body,
	"write the body of an error to stdout, too"),
    FLAG('i', "include", download_options, include,
	"print the header before the body"),
    FLAG('R', "remote-time", download_options, remote_time,
	"set the time of the file from Last-Modified"),
    FLAG(0, "raw", download_options, raw,
	"write control characters to a terminal as they are"),
    FLAG('P', "progress", download_options, progress,
	"show progress on the terminal, even if the body goes to stdout"),
    FLAG(0, "timing", download_options, timing,
	"print the duration of each phase"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT("time limit for connecting, and then without data"),
    OPTIONS_CONNECT("time limit for connecting alone"),
    OPTIONS_RETRY("keep trying for at most T until the server answers with a "
		  "status below 400"),
    OPTIONS_IDLE("time limit without data sent or received alone"),
    OPTIONS_MAX("time limit for the command as a whole"),
    {.kind = OPT_END},
};

static const struct opt_group http_get_groups[] = {
    {"request", request_opts, offsetof(struct http_get_options, request)},
    {"output", output_opts, offsetof(struct http_get_options, request)},
    {"addresses", options_names, offsetof(struct http_get_options, names)},
    {"addresses", options_proxy, offsetof(struct http_get_options, proxy)},
    {"transport", options_via, offsetof(struct http_get_options, transport)},
    {"transport", OPTIONS_TLS_TRUST,
	offsetof(struct http_get_options, transport)},
    {"transport", options_tls_local,
	offsetof(struct http_get_options, transport)},
    {"local address", options_source,
	offsetof(struct http_get_options, source)},
    {"time limits", time_opts, offsetof(struct http_get_options, time)},
    {"socket options", options_keepalive,
	offsetof(struct http_get_options, sock)},
    {"messages", options_report, offsetof(struct http_get_options, report)},
    {NULL, NULL, 0}};

/* Users of other commands may type HOST PORT. */
static int
check_operand(const struct command_args *args, int n, struct err *e)
{
	const char *text = args->operands[n];
	int64_t port;

	if (n == 0 || !num_parse(text, 0, INT64_MAX, &port))
		return 0;
	return err_set(e, ERR_USAGE,
	    "'%s' is not a URL: a port belongs to its host, as in HOST:PORT",
	    text);
}

/* Sets how connections are made, and how TLS is, for https URLs. */
static int
set_transport(struct connector_options *c, const struct http_get_options *o,
    const struct opt *const *used, struct err *e)
{
	struct transport_options transport = o->transport;

	transport.tls = true;
	if (options_make_transport(c, &transport, used, e) < 0)
		return -1;
	c->tls.alpn = "http/1.1";
	c->stops_via = true;
	return 0;
}

/* Checks what the tables cannot. */
static int
check(const struct command_args *args, const struct download_options *o,
    struct err *e)
{
	int n;

	for (n = 0; n < args->count; n++)
		if (check_operand(args, n, e) < 0)
			return -1;
	return download_check(o, args->count, e);
}

/* Checks the URLs, and that the options of TLS are for some of them. Then lets
 * go of programs, if --via runs none. */
static int
check_urls(const struct download_run *d, const struct command_args *args,
    const struct http_get_options *o, struct err *e)
{
	const struct opt *trust = opt_find_used(args->used, OPTIONS_TLS_TRUST);
	bool may_use_tls = o->request.download.follow != 0, is_https;
	int n;

	for (n = 0; n < args->count; n++) {
		if (download_check_url(d, args->operands[n], &is_https, e) < 0)
			return -1;
		may_use_tls |= is_https;
	}
	if (trust == NULL)
		trust = opt_find_used(args->used, options_tls_local);
	if (trust != NULL && !may_use_tls)
		return err_set(e, ERR_USAGE,
		    "--%s is for https URLs, and there are none (--location "
		    "may lead to one)",
		    trust->name);
	if (o->transport.via == NULL)
		sandbox_enter();
	return 0;
}

/* Fetches the URLs in order; reports each error and keeps the first kind. */
static int
fetch_all(
    struct download_run *d, const struct command_args *args, struct err *e)
{
	enum err_kind worst = ERR_NONE;
	int n, count = args->count;

	for (n = 0; n < count && signals_stopped() == 0; n++) {
		err_clear(e);
		if (download_url(d, args->operands[n], n + 1 < count, e) == 0)
			continue;
		if (worst == ERR_NONE)
			worst = e->kind;
		if (n + 1 == count || signals_stopped() != 0 ||
		    d->stdout_failed)
			break;
		diag_error(e);
	}
	if (signals_stopped() != 0)
		return e->errnum == EINTR
			   ? -1
			   : err_sys(e, ERR_FAILED, EINTR, "fetching");
	if (n < count && e->kind != ERR_NONE)
		e->kind = worst;
	else if (worst != ERR_NONE)
		return err_status(e, (int)worst);
	return worst == ERR_NONE ? 0 : -1;
}

static int
http_get_run(
    const void *options, const struct command_args *args, struct err *e)
{
	const struct http_get_options *o = options;
	struct download_options wanted = o->request.download;
	struct client_options client = {
	    .connector.timeout = options_connect_limit(&o->time),
	    .connector.retry_ms = -1,
	    .idle = options_idle_limit(&o->time),
	    .until = deadline_max_time(o->time.max_ms),
	};
	struct download_run d;
	int result;

	diag_limit(client.until, client.idle.ms);
	if (wanted.progress)
		diag_progress_always();
	wanted.resume |= wanted.is_foreign;
	wanted.fields = o->request.fields.items;
	wanted.field_count = o->request.fields.count;
	wanted.retry_ms = o->time.retry_ms;
	wanted.proxy = &o->proxy.proxy;
	wanted.is_via = o->transport.via != NULL;
	options_make_dial(
	    &client.connector.dial, &o->names, &o->source, &o->sock);
	if (set_transport(&client.connector, o, args->used, e) < 0 ||
	    check(args, &wanted, e) < 0 || signals_catch(e) < 0)
		return -1;
	result = download_start(&d, &wanted, &client, e);
	if (result == 0)
		result = check_urls(&d, args, o, e);
	if (result == 0)
		result = fetch_all(&d, args, e);
	download_release(&d);
	return result;
}

const struct command http_get_command = {
    .name = "http-get",
    .summary = "fetch a file from a web server",
    .operands = "URL...",
    .min_operands = 1,
    .max_operands = -1,
    .groups = http_get_groups,
    .defaults = &http_get_defaults,
    .size = sizeof(struct http_get_options),
    .usual = "output remote-name location continue head header user retry "
	     "timing quiet",
    .notes =
	"The header is printed on stderr; the body goes to stdout, or to FILE. "
	"A status of 400 and up is an error. https needs openssl.",
    .examples = "sockt http-get http://localhost:8080/\n"
		"sockt http-get -qO http://localhost/files/disk.img\n"
		"sockt http-get -I localhost:8080/\n",
    .run = http_get_run,
};
