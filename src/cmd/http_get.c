/* http-get: an HTTP client. Parses the URL, connects, sends a request, receives
 * the head, then the body to its declared end, and closes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "fetch/download.h"
#include "cmd/table.h"
#include "net/signals.h"
#include "net/wait.h"

#define MAX_REDIRS 20
/* The maximum size of all files with fields or credentials. */
#define MAX_SECRETS (64 * 1024)

static struct {
	struct download_options download;
	struct opt_list fields;
} http_get_options = {.download.max_redirs = MAX_REDIRS};

static const struct opt request_opts[] = {
    FLAG(
	'L', "location", http_get_options, download.follow, "follow redirects"),
    LIST('H', "header", "FIELD", http_get_options, fields,
	"send 'Name: value' too, or in place of a default; 'Name:' removes "
	"one; @FILE has one on each line"),
    STRING('u', "user", "USER:PASSWORD", http_get_options, download.user,
	"credentials for Basic authentication; @FILE has them on its first "
	"line"),
    STRING(0, "connect-to", "HOST:PORT", http_get_options, download.connect_to,
	"connect there in place of the URL's host and port",
	.excludes = "unix"),
    STRING('r', "range", "RANGE", http_get_options, download.range,
	"fetch bytes A to B only, counted from 0; A- is to the end, -N the "
	"last N"),
    FLAG('I', "head", http_get_options, download.head_only,
	"request the header only (HEAD); print it on stdout"),
    NUMBER(0, "max-redirs", "N", http_get_options, download.max_redirs,
	"follow at most N redirects", .max = 1000),
    NUMBER(0, "retry", "N", http_get_options, download.retries,
	"retry up to N times after a failure that may pass, and resume",
	.max = 1000000),
    SIZE(0, "limit-rate", "SIZE", http_get_options, download.rate,
	"receive at most SIZE bytes per second", .min = 1, .max = 1 << 30),
    FILENAME(0, "if-modified-since", "DATE|FILE", http_get_options,
	download.since, "fetch only if newer than DATE, or than FILE"),
    FILENAME(0, "unix", "PATH", http_get_options, download.unix_path,
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
    STRING(0, "sha256", "HEX", http_get_options, download.sha256,
	"fail unless the file has this SHA-256",
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

static const struct opt_group http_get_groups[] = {GROUP("output", output_opts),
    GROUP("request", request_opts),
    GROUP("addresses", options_names, OPTIONS_NOT_VIA),
    GROUP("transport", options_proxy), GROUP("transport", options_tls),
    GROUP("transport", options_tls_local),
    GROUP("transport", options_tls_version),
    GROUP("local address", options_source, OPTIONS_NOT_VIA),
    GROUP("local address", options_interface, OPTIONS_NOT_VIA),
    GROUP("time limits", options_time_http_get),
    GROUP("socket options", options_keepalive, OPTIONS_NOT_VIA),
    GROUP("messages", options_report), {.opts = NULL}};

/*
 * Reads the file of an argument @FILE, so that secrets are not in the list of
 * processes. Returns its text, which is kept, or NULL with *e.
 */
static char *
read_secrets(
    const char *option, const char *path, struct deadline until, struct err *e)
{
	static char texts[MAX_SECRETS + 2]; /* of all files */
	static size_t used;
	char *text = texts + used;
	const char *shown = text_shown(path);
	struct stat st;
	ssize_t n = -1;
	/* It may be a FIFO that nobody writes to. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), ready = 1;

	while (fd >= 0 && (ready = wait_fd(fd, POLLIN, until)) > 0 &&
	       (n = read(fd, texts + used, MAX_SECRETS + 1 - used)) > 0)
		used += (size_t)n;
	if (ready == 0)
		deadline_error(
		    until, text_format("--%s: reading %s", option, shown), e);
	else if (n < 0)
		err_sys(
		    e, ERR_OUTPUT, errno, "--%s: reading %s", option, shown);
	else if (used > MAX_SECRETS)
		err_set(e, ERR_USAGE,
		    "--%s: with %s, the files of --header and --user have "
		    "more than %d bytes",
		    option, shown, MAX_SECRETS);
	else if (text + strlen(text) != texts + used)
		err_set(e, ERR_USAGE,
		    "--%s: %s is not a text: it has a NUL byte", option, shown);
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		 (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
		diag_warn("--%s: other users can read %s (chmod 600 prevents "
			  "it)",
		    option, shown);
	fd_close(&fd);
	used++;
	return e->kind == ERR_NONE ? text : NULL;
}

/* Makes the line at text a string of its own. Returns the next line, or NULL at
 * the end of the text. */
static char *
split_line(char *text)
{
	char *end = text + strcspn(text, "\n");
	bool is_last = *end == '\0' || end[1] == '\0';

	*end = '\0';
	if (end > text && end[-1] == '\r')
		end[-1] = '\0';
	return is_last ? NULL : end + 1;
}

/* Replaces each @FILE by the contents of that file, which are kept. Returns 0,
 * or -1 with *e. */
static int
expand_files(struct download_options *d, struct err *e)
{
	const struct opt_list *list = &http_get_options.fields;
	static const char **fields;
	struct deadline until = d->until;
	char *line, *next;
	bool is_file;
	size_t i;

	for (i = 0; i < list->count; i++) {
		line = (char *)list->items[i].text;
		is_file = line[0] == '@';
		if (is_file &&
		    (line = read_secrets("header", line + 1, until, e)) == NULL)
			return -1;
		for (; line != NULL; line = next) {
			next = is_file ? split_line(line) : NULL;
			fields = mem_resize(
			    fields, d->field_count + 1, sizeof(fields[0]));
			fields[d->field_count++] = line;
			if (is_file && strchr(line, ':') == NULL)
				return err_set(e, ERR_USAGE,
				    "--header: a line of %s is not 'Name: "
				    "value'",
				    text_shown(list->items[i].text + 1));
		}
	}
	d->fields = fields;
	if (d->user == NULL || d->user[0] != '@')
		return 0;
	line = read_secrets("user", d->user + 1, until, e);
	if (line == NULL)
		return -1;
	(void)split_line(line);
	d->user = line;
	return 0;
}

static int
http_get_run(const struct command_args *args, struct err *e)
{
	struct download_options download = http_get_options.download,
				*d = &download;
	const struct options *options = options_complete(true);
	struct connector_options connector;
	const struct opt **used = args->used;
	struct stat st;
	int64_t port;
	int n;

	d->connector = &connector;
	d->idle = options->idle;
	d->until = options->until;
	diag_limit(d->until, d->idle.ms);
	/* wget -P FOLDER URL */
	for (n = 0; d->progress && args->count > 1 && n < args->count; n++)
		if (strchr(args->operands[n], ':') == NULL &&
		    stat(args->operands[n], &st) == 0 && S_ISDIR(st.st_mode))
			return err_set(e, ERR_USAGE,
			    "'%s' is a folder and not a URL: the folder is "
			    "part of --output (--progress, -P, takes none)",
			    text_shown(args->operands[n]));
	/* Users of other commands may type HOST PORT. */
	for (n = 1; n < args->count; n++)
		if (num_parse(args->operands[n], 0, INT64_MAX, &port))
			return err_set(e, ERR_USAGE,
			    "'%s' is not a URL: a port belongs to its host, as "
			    "in HOST:PORT",
			    args->operands[n]);
	while (*used != NULL && strncmp((*used)->name, "tls-", 4) != 0)
		used++;
	d->urls = args->operands;
	d->url_count = args->count;
	d->resume |= d->is_foreign;
	if (expand_files(d, e) < 0 || options_check_via(e) < 0)
		return -1;
	d->retry_ms = options->retry_ms;
	d->tls_option = *used == NULL ? NULL : (*used)->name;
	connector = options->connector;
	connector.stops_via = true;
	/* The download retries. */
	connector.retry_ms = -1;
	/* These settings are for https URLs. */
	connector.tls.is_on = true;
	connector.tls.alpn = "http/1.1";
	return signals_catch(e) < 0 ? -1 : download_all(d, e);
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
	"A status of 400 and up is an error. https needs libssl.so.3.",
    .examples = "sockt http-get http://localhost:8080/\n"
		"sockt http-get -qO http://localhost/files/disk.img\n"
		"sockt http-get -I localhost:8080/\n",
    .run = http_get_run,
};
