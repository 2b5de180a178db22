/* Fetches URLs one after another: attempts, retries and connection reuse. */
#include "fetch/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "fetch/response.h"
#include "fetch/etag.h"
#include "fetch/request.h"
#include "fetch/output.h"
#include "fetch/transfer.h"
#include "net/endpoint.h"
#include "http/http_file_name.h"
#include "http/http_request.h"
#include "dial/no_proxy.h"
#include "dial/connector.h"
#include "net/wait.h"

/* Between tries: from, up to; and the longest Retry-After that is heeded. */
#define PAUSE_MS 250
#define PAUSE_MOST_MS (30 * 1000)
#define RETRY_AFTER_MOST 600

/* "A-B", "A-" or "-N". */
static int
check_range(const char *text, struct err *e)
{
	const char *dash = strchr(text, '-');
	int64_t from = 0, to = INT64_MAX;
	char first[32], shown[64];
	size_t n = dash == NULL ? 0 : (size_t)(dash - text);
	bool good = dash != NULL && n < sizeof(first) && strlen(text) > 1;

	if (good && n > 0) {
		memcpy(first, text, n);
		first[n] = '\0';
		good = num_parse(first, 0, INT64_MAX, &from);
	}
	if (good && dash[1] != '\0')
		good = num_parse(dash + 1, 0, INT64_MAX, &to);
	if (good && from <= to)
		return 0;
	return err_set(e, ERR_USAGE, "--range: '%s' is not A-B, A- or -N",
	    text_escape_string(shown, sizeof(shown), text));
}

int
fetch_check(const struct fetch_options *o, int urls, struct err *e)
{
	bool is_file = o->output != NULL && strcmp(o->output, "-") != 0;
	size_t i;

	for (i = 0; i < o->field_count; i++)
		if (http_request_check_field(o->fields[i], e) < 0)
			return err_prefix(e, "--header");
	if (o->user != NULL && (strchr(o->user, ':') == NULL ||
				   strlen(o->user) >= REDIRECT_USER_SIZE))
		return err_set(e, ERR_USAGE, "--user: it is USER:PASS");
	if (o->range != NULL && check_range(o->range, e) < 0)
		return -1;
	if (is_file && urls > 1)
		return err_set(e, ERR_USAGE,
		    "--output is one file, and there are %d URLs", urls);
	if (o->etag != NULL && urls > 1)
		return err_set(e, ERR_USAGE,
		    "--etag is for one URL, and there are %d", urls);
	if (o->resume && !is_file && !o->remote_name)
		return err_set(e, ERR_USAGE,
		    "--continue resumes a file: --output or --remote-name "
		    "says which");
	if (o->disposition && !o->remote_name)
		return err_set(e, ERR_USAGE,
		    "--content-disposition goes with --remote-name");
	return 0;
}

int
fetch_check_url(const struct fetch_options *o, const char *text, struct err *e)
{
	char name[HTTP_FILE_NAME_SIZE];
	struct endpoint ep;
	struct url u;

	if (url_parse_typed(&u, text, e) < 0 || url_check_http(&u, e) < 0 ||
	    url_endpoint(&u, &ep, e) < 0)
		return -1;
	if (o->remote_name && !o->disposition &&
	    !http_file_name_of_url(&u, name, sizeof(name)))
		return err_set(e, ERR_USAGE,
		    "URL '%s' names no file; --output FILE does", u.text);
	return 0;
}

/* Whether the failure may pass, and what is held can be gone on from. */
static bool
may_retry(const struct transfer *t, const struct err *e)
{
	int status = transfer_head(t)->status;

	if (deadline_passed(t->f->until) || e->errnum == EINTR)
		return false;
	if (!transfer_may_go_on(t))
		return false;
	switch (e->kind) {
	case ERR_REFUSED:
	case ERR_TIMEOUT:
	case ERR_UNREACHABLE:
	case ERR_LOST:
		return true;
	case ERR_PROTOCOL:
		return t->f->client.is_truncated;
	case ERR_PEER:
		if (t->f->client.times.first_ns == 0)
			/* It is a proxy that says so. */
			return connector_is_transient(e);
		return response_is_transient(status);
	default:
		return false;
	}
}

/* What the server asks for by Retry-After, in seconds; 0: nothing. */
static int64_t
retry_after(const struct transfer *t)
{
	char value[64];
	int64_t after;

	if (!http_head_value(
		transfer_head(t), "retry-after", value, sizeof(value)))
		return 0;
	if (!num_parse(value, 0, INT64_MAX, &after)) {
		if (!http_date_parse(value, &after))
			return 0;
		after -= (int64_t)time(NULL);
	}
	return after < RETRY_AFTER_MOST ? after : RETRY_AFTER_MOST;
}

/* How long to wait before the next try. */
static int64_t
pause_ms(const struct transfer *t, const struct err *e, int tries)
{
	int64_t ms = PAUSE_MS, after;

	while (tries-- > 0 && ms < PAUSE_MOST_MS)
		ms *= 2;
	if (ms > PAUSE_MOST_MS)
		ms = PAUSE_MOST_MS;
	after = e->kind == ERR_PEER ? retry_after(t) * 1000 : 0;
	return after > ms ? after : ms;
}

/* Asks, and asks anew when what is held turns out to be of no use. */
static int
try_once(struct transfer *t, struct err *e)
{
	enum response_result result = RESPONSE_ASK_AGAIN;

	while (result == RESPONSE_ASK_AGAIN) {
		if (t->complete_size < 0) {
			if (!transfer_can_resume(t))
				t->held = 0;
			t->asked_from = t->held;
		}
		if (request_send(t, e) < 0) {
			http_client_finish(&t->f->client, t->wants_more);
			return -1;
		}
		if (!t->o->include && !t->o->head_only)
			request_show_head(t);
		result = response_handle(t, e);
		http_client_finish(&t->f->client,
		    result == RESPONSE_ASK_AGAIN || t->wants_more);
	}
	return result == RESPONSE_DONE ? 0 : -1;
}

static int
try_often(struct transfer *t, struct err *e)
{
	char took[32];
	int64_t ms;
	int tries;

	for (tries = 0;; tries++) {
		t->tries_left = t->o->retries - tries;
		/* A failed connect must not be judged by an old answer. */
		t->f->client.times.first_ns = 0;
		if (try_once(t, e) == 0)
			return 0;
		if (t->tries_left == 0 || !may_retry(t, e))
			return -1;
		ms = pause_ms(t, e, tries);
		diag_warn("%s; trying again in %s", e->text,
		    num_format_duration(took, sizeof(took), clock_ns(ms)));
		if (wait_until(
			deadline_first(t->f->until, deadline_after(ms))) < 0)
			return err_sys(e, ERR_FAILED, errno, "waiting");
		if (deadline_passed(t->f->until)) {
			e->kind = ERR_TIMEOUT;
			return err_prefix(
			    e, "gave up when --max-time had passed");
		}
		err_clear(e);
	}
}

/* A date, or the time of a file. */
static void
take_since(struct transfer *t)
{
	struct stat st;
	int64_t seconds;
	char shown[128];

	if (t->o->since == NULL ||
	    (t->is_file && access(t->file.target, F_OK) < 0))
		return;
	if (stat(t->o->since, &st) == 0)
		seconds = (int64_t)st.st_mtime;
	else if (!http_date_parse(t->o->since, &seconds)) {
		diag_warn("--if-modified-since: '%s' is neither a file nor a "
			  "date; asking without it",
		    text_escape_string(shown, sizeof(shown), t->o->since));
		return;
	}
	http_date_format(
	    t->if_modified_since, sizeof(t->if_modified_since), seconds);
}

static int
run(struct transfer *t, struct err *e)
{
	int result;

	if (output_open(t, e) < 0)
		return -1;
	if (t->o->etag != NULL &&
	    (!t->is_file || access(t->file.target, F_OK) == 0))
		etag_read(
		    t->o->etag, t->if_none_match, sizeof(t->if_none_match));
	take_since(t);
	result = try_often(t, e);
	if (t->out.has_failed && !t->is_file)
		t->f->stdout_failed = true;
	output_close(t);
	return result;
}

int
fetch_url(struct fetch *f, const char *text, bool wants_more, struct err *e)
{
	struct transfer *t = mem_array(1, sizeof(*t));
	int result;

	t->f = f;
	t->o = f->options;
	t->wants_more = wants_more;
	http_validator_clear(&t->source);
	result = url_parse_typed(&t->start, text, e);
	if (result == 0)
		result = run(t, e);
	redirect_release(&t->redirect);
	free(t);
	return result;
}

int
fetch_start(struct fetch *f, const struct fetch_options *o,
    const struct proxy *proxy, const struct http_client_options *client,
    struct err *e)
{
	/* HTTP_PROXY is not asked: a web server sets it from a field of the
	 * request when it runs a program (CGI). */
	const char *env = getenv("http_proxy");

	memset(f, 0, sizeof(*f));
	f->options = o;
	f->until = client->until;
	http_client_init(&f->client, client);
	if (proxy->kind != PROXY_NONE) {
		f->proxy = proxy;
	} else if (env != NULL && *env != '\0') {
		f->no_proxy = no_proxy_list();
		if (proxy_parse(&f->env_proxy, env, e) < 0)
			return err_prefix(e, "http_proxy");
	}
	return 0;
}

void
fetch_release(struct fetch *f)
{
	http_client_release(&f->client);
}
