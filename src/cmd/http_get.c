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
	struct download_options download;
	struct opt_list fields;
};

static struct http_get_options http_get_options = {
    .download.max_redirs = MAX_REDIRS,
};

static const struct opt request_opts[] = {
    FLAG(
	'L', "location", http_get_options, download.follow, "follow redirects"),
    LIST('H', "header", "FIELD", http_get_options, fields,
	"send 'Name: value' too, or in place of a default; 'Name:' removes "
	"one"),
    STRING('u', "user", "USER:PASS", http_get_options, download.user,
	"credentials for Basic authentication"),
    STRING('r', "range", "A-B", http_get_options, download.range,
	"fetch bytes A to B only, counted from 0; A- is to the end, -N the "
	"last N"),
    FLAG('I', "head", http_get_options, download.head_only,
	"request the header only (HEAD); print it on stdout"),
    NUMBER(0, "max-redirs", "N", http_get_options, download.max_redirs,
	"follow at most N redirects", .max = 1000),
    NUMBER(0, "retry", "N", http_get_options, download.retries,
	"retry up to N times after a failure that may pass, and resume",
	.max = 1000000),
    FILENAME(0, "if-modified-since", "DATE|FILE", http_get_options,
	download.since, "fetch only if newer than DATE, or than FILE"),
    FILENAME(0, "unix", "PATH", http_get_options, download.client.unix_path,
	"send requests to the Unix socket PATH", .excludes = "proxy via"),
    {.kind = OPT_END},
};

static const struct opt output_opts[] = {
    FILENAME('o', "output", "FILE", http_get_options, download.output,
	"write the body to FILE, which is replaced when it is complete",
	.excludes = "remote-name", .dash = OPT_DASH_STDOUT),
    FLAG('O', "remote-name", http_get_options, download.remote_name,
	"write the body to a file named as in the URL"),
    FLAG('c', "continue", http_get_options, download.resume,
	"resume an earlier download from FILE.part",
	.excludes = "range include head if-modified-since"),
    FLAG(0, "continue-foreign", http_get_options, download.is_foreign,
	"resume FILE itself, which another program began",
	.excludes = "range include head if-modified-since"),
    FLAG(0, "force", http_get_options, download.force,
	"overwrite a file of --remote-name, or a foreign FILE.part"),
    FLAG(0, "fail-with-body", http_get_options, download.fail_with_body,
	"write the body of an error to stdout, too"),
    FLAG('i', "include", http_get_options, download.include,
	"print the header before the body"),
    FLAG('R', "remote-time", http_get_options, download.remote_time,
	"set the time of the file from Last-Modified"),
    FLAG(0, "raw", http_get_options, download.raw,
	"write control characters to a terminal as they are"),
    FLAG('P', "progress", http_get_options, download.progress,
	"show progress on the terminal, even if the body goes to stdout"),
    FLAG(0, "timing", http_get_options, download.timing,
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

static const struct opt_group http_get_groups[] = {{"output", output_opts},
    {"request", request_opts}, {"addresses", options_names},
    {"addresses", options_proxy}, {"transport", options_via},
    {"transport", OPTIONS_TLS_TRUST}, {"transport", options_tls_local},
    {"local address", options_source}, {"time limits", time_opts},
    {"socket options", options_keepalive}, {"messages", options_report},
    {NULL, NULL}};

static int
http_get_run(const struct command_args *args, struct err *e)
{
	struct http_get_options *o = &http_get_options;
	struct download_options *d = &o->download;
	const struct opt *trust = opt_find_used(args->used, OPTIONS_TLS_TRUST);
	int64_t port;
	int n;

	d->client.connector = &options.connector;
	d->client.idle = options_idle_limit();
	d->client.until = deadline_max_time(options.time.max_ms);
	diag_limit(d->client.until, d->client.idle.ms);
	/* Users of other commands may type HOST PORT. */
	for (n = 1; n < args->count; n++)
		if (num_parse(args->operands[n], 0, INT64_MAX, &port))
			return err_set(e, ERR_USAGE,
			    "'%s' is not a URL: a port belongs to its host, as "
			    "in HOST:PORT",
			    args->operands[n]);
	if (trust == NULL)
		trust = opt_find_used(args->used, options_tls_local);
	d->urls = args->operands;
	d->url_count = args->count;
	d->resume |= d->is_foreign;
	d->fields = o->fields.items;
	d->field_count = o->fields.count;
	d->retry_ms = options.time.retry_ms;
	d->tls_option = trust == NULL ? NULL : trust->name;
	options.connector.timeout = options_connect_limit();
	options.connector.stops_via = true;
	/* How TLS is, for https URLs. */
	options.connector.tls.is_on = true;
	options.connector.tls.alpn = "http/1.1";
	if (options_check_connector(true, args->used, e) < 0 ||
	    signals_catch(e) < 0)
		return -1;
	return download_all(d, e);
}

const struct command http_get_command = {
    .name = "http-get",
    .summary = "fetch a file from a web server",
    .operands = "URL...",
    .min_operands = 1,
    .max_operands = -1,
    .groups = http_get_groups,
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
