/* http-get: an HTTP client. Parses the URL, connects, sends a request, receives
 * the head, then the body to its declared end, and closes. */
#include "base/err.h"
#include "base/diag.h"
#include "base/num.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "fetch/download.h"
#include "cmd/table.h"
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
	"retry up to N times after a failure that may pass, and resume",
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
    OPTIONS_RETRY("keep trying for at most T, until the server answers with a "
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

static int
http_get_run(
    const void *options, const struct command_args *args, struct err *e)
{
	const struct http_get_options *o = options;
	struct download_options wanted = o->request.download;
	struct transport_options transport = o->transport;
	const struct opt *trust = opt_find_used(args->used, OPTIONS_TLS_TRUST);
	struct client_options client = {
	    .connector.timeout = options_connect_limit(&o->time),
	    .connector.retry_ms = -1,
	    .idle = options_idle_limit(&o->time),
	    .until = deadline_max_time(o->time.max_ms),
	};
	int64_t port;
	int n;

	diag_limit(client.until, client.idle.ms);
	/* Users of other commands may type HOST PORT. */
	for (n = 1; n < args->count; n++)
		if (num_parse(args->operands[n], 0, INT64_MAX, &port))
			return err_set(e, ERR_USAGE,
			    "'%s' is not a URL: a port belongs to its host, as "
			    "in HOST:PORT",
			    args->operands[n]);
	if (wanted.progress)
		diag_progress_always();
	if (trust == NULL)
		trust = opt_find_used(args->used, options_tls_local);
	wanted.resume |= wanted.is_foreign;
	wanted.fields = o->request.fields.items;
	wanted.field_count = o->request.fields.count;
	wanted.retry_ms = o->time.retry_ms;
	wanted.proxy = &o->proxy.proxy;
	wanted.is_via = transport.via != NULL;
	wanted.tls_option = trust == NULL ? NULL : trust->name;
	options_make_dial(
	    &client.connector.dial, &o->names, &o->source, &o->sock);
	/* How TLS is, for https URLs. */
	transport.tls = true;
	if (options_make_transport(
		&client.connector, &transport, args->used, e) < 0)
		return -1;
	client.connector.tls.alpn = "http/1.1";
	client.connector.stops_via = true;
	if (signals_catch(e) < 0)
		return -1;
	return download_all(&wanted, &client, args->operands, args->count, e);
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
	     "retry-for timeout max-time tls-ca timing quiet",
    .notes =
	"The header is printed on stderr; the body goes to stdout, or to FILE. "
	"A status of 400 and up is an error. https needs openssl.",
    .examples = "sockt http-get http://localhost:8080/\n"
		"sockt http-get -qO http://localhost/files/disk.img\n"
		"sockt http-get -I localhost:8080/\n",
    .run = http_get_run,
};
