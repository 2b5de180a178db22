#include "cmd/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/download.h"
#include "net/endpoint.h"
#include "net/http_name.h"
#include "net/http_request.h"
#include "net/no_proxy.h"
#include "net/sink.h"
#include "net/url.h"
#include "net/url_resolve.h"

#define USER_SIZE 1024

/* One URL on its way. */
struct transfer {
	struct fetch *f;
	const struct fetch_options *o;
	struct url start, url; /* as given, and where redirects have led */
	char *trail;           /* URLs so far, each on a line; owned */
	int redirects;
	const struct proxy *proxy; /* the way of the last request, or NULL */
	bool left_origin;          /* own fields and credentials stay home */
	char user[USER_SIZE];      /* USER:PASS, or "" */
	bool is_file;
	struct download file;
	struct sink out;
};

/* Everything has to be known before anything is attempted. */
int
fetch_check_url(const struct fetch_options *o, const char *text, struct err *e)
{
	char name[HTTP_NAME_SIZE];
	struct endpoint ep;
	struct url u;

	if (url_parse_typed(&u, text, e) < 0 || url_check_http(&u, e) < 0 ||
	    url_endpoint(&u, &ep, e) < 0)
		return -1;
	if (o->remote_name && !http_name_of_url(&u, name, sizeof(name)))
		return err_set(e, ERR_USAGE,
		    "URL '%s' names no file; --output FILE does", u.text);
	return 0;
}

/* The head that the parser holds, as it came. */
static const struct http_head *
head_of(const struct transfer *t)
{
	return &t->f->client.parser->head;
}

/* Shows the head on stderr. */
static void
show_head(const struct transfer *t)
{
	const struct http_head *h = head_of(t);
	size_t used, n;
	char *safe;

	if (t->o->raw || fd_kind(STDERR_FILENO) != FD_TERMINAL) {
		diag_raw(h->text, h->length);
		return;
	}
	safe = mem_array(4, h->length);
	n = text_escape_stream(safe, h->text, h->length, true, &used);
	diag_raw(safe, n);
	free(safe);
}

static void
tell_response(const struct transfer *t)
{
	const struct http_client *c = &t->f->client;
	const struct http_times *times = &c->times;
	int64_t start = times->start_ns, end = clock_now();
	char shown[URL_SIZE + 8], took[32];
	struct json j;

	url_absolute(&t->url, shown, sizeof(shown));
	num_format_duration(took, sizeof(took), end - start);
	diag_event_begin(&j, "response");
	json_text(&j, "url", shown);
	json_number(&j, "status", head_of(t)->status);
	json_number(&j, "bytes", (int64_t)c->parser->body.received);
	json_object(&j, "phases");
	json_seconds(&j, "resolved", clock_seconds(start, times->resolved_ns));
	json_seconds(
	    &j, "connected", clock_seconds(start, times->connected_ns));
	json_seconds(&j, "sent", clock_seconds(start, times->sent_ns));
	json_seconds(&j, "first", clock_seconds(start, times->first_ns));
	json_seconds(&j, "end", clock_seconds(start, end));
	json_close(&j);
	json_bool(&j, "reused", times->is_reused);
	diag_event_end(&j, DIAG_NOTE, "response %d from %s: %llu bytes in %s",
	    head_of(t)->status, shown,
	    (unsigned long long)c->parser->body.received, took);
}

/* The way to ep. */
static const struct proxy *
proxy_for(const struct fetch *f, const struct endpoint *ep)
{
	if (f->proxy != NULL)
		return f->proxy;
	if (f->env_proxy.kind == PROXY_NONE || no_proxy_has(f->no_proxy, ep))
		return NULL;
	return &f->env_proxy;
}

static int
ask(struct transfer *t, bool wants_more, struct err *e)
{
	const struct fetch_options *o = t->o;
	struct http_request r = {
	    .method = o->head_only ? HTTP_HEAD : HTTP_GET,
	    .url = &t->url,
	    .closes = !wants_more && !o->follow,
	};
	char secret[2 * PROXY_SECRET];
	struct endpoint ep;

	if (!t->left_origin) {
		r.fields = o->fields.items;
		r.field_count = o->fields.count;
		r.user = t->user[0] != '\0' ? t->user : NULL;
	}
	if (url_endpoint(&t->url, &ep, e) < 0)
		return -1;
	t->proxy = proxy_for(t->f, &ep);
	if (t->proxy != NULL && t->proxy->kind == PROXY_HTTP) {
		r.is_absolute = true;
		if (proxy_credentials(t->proxy, secret, sizeof(secret)))
			r.proxy_user = secret;
	}
	return http_client_ask(&t->f->client, &ep, t->proxy, &r, e);
}

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

/* Adds the present URL to the trail. */
static void
note_trail(struct transfer *t)
{
	char shown[URL_SIZE + 8];
	size_t old = t->trail == NULL ? 0 : strlen(t->trail), n;

	n = strlen(url_absolute(&t->url, shown, sizeof(shown)));
	t->trail = mem_resize(t->trail, old + n + 2, 1);
	memcpy(t->trail + old, shown, n);
	memcpy(t->trail + old + n, "\n", 2);
}

/* Too many redirects; if they run in a circle, it is named. */
static int
too_many(const struct transfer *t, const struct url *next, struct err *e)
{
	char shown[URL_SIZE + 8], list[512], line[URL_SIZE + 16];
	const char *loop;
	size_t i, n;

	n = strlen(url_absolute(next, shown, sizeof(shown)));
	snprintf(line, sizeof(line), "%s\n", shown);
	loop = strstr(t->trail, line);
	if (loop == NULL)
		return err_set(e, ERR_PROTOCOL,
		    "redirected more than %d times; the next one would lead "
		    "to %.200s",
		    t->redirects, shown);
	snprintf(list, sizeof(list), "%s", loop);
	if ((loop = strstr(list + n, line)) != NULL)
		list[loop - list] = '\0';
	for (i = 0; list[i] != '\0'; i++)
		if (list[i] == '\n')
			list[i] = ' ';
	return err_set(e, ERR_PROTOCOL,
	    "redirected more than %d times, in a loop: %sand again %.200s",
	    t->redirects, list, shown);
}

/* Goes where the answer sends us. */
static int
redirect(struct transfer *t, const char *location, struct err *e)
{
	struct url next;
	char shown[URL_SIZE + 8];

	if (url_follow(&t->url, location, &next, e) < 0)
		return -1;
	if (url_check_http(&next, e) < 0) {
		e->kind = ERR_FAILED;
		return err_prefix(e, "redirected");
	}
	if (t->redirects == t->o->max_redirs)
		return too_many(t, &next, e);
	t->redirects++;
	http_client_finish(&t->f->client, url_same_origin(&t->url, &next));
	if (!url_same_origin(&t->url, &next) && !t->left_origin) {
		t->left_origin = true;
		if (t->o->fields.count > 0 || t->user[0] != '\0')
			diag_note("redirected to another origin: credentials "
				  "and --header fields are not sent there");
	}
	t->url = next;
	diag_note(
	    "redirected to %s", url_absolute(&next, shown, sizeof(shown)));
	return 0;
}

/* Asks, and follows redirects to the final answer. */
static int
ask_and_follow(struct transfer *t, bool wants_more, struct err *e)
{
	char location[URL_SIZE];

	for (;;) {
		note_trail(t);
		if (ask(t, wants_more, e) < 0)
			return -1;
		if (!t->o->follow || !is_redirect(head_of(t)->status) ||
		    !http_head_value(
			head_of(t), "location", location, sizeof(location)))
			return 0;
		show_head(t);
		tell_response(t);
		if (redirect(t, location, e) < 0)
			return -1;
	}
}

/* Reads the body, and the head before it where it was asked for. */
static int
take_body(struct transfer *t, struct sink *out, struct err *e)
{
	const struct http_head *h = head_of(t);
	char shown[URL_SIZE + 8];

	if ((t->o->include || t->o->head_only) &&
	    sink_write(out, h->text, h->length, t->f->until, e) < 0)
		return -1;
	if (http_client_read(&t->f->client, out, NULL, NULL, e) == 0)
		return 0;
	if (e->kind != ERR_OUTPUT)
		err_prefix(
		    e, "%s", url_absolute(&t->url, shown, sizeof(shown)));
	return -1;
}

/*
 * An answer that is not the file: its body is kept beside the file, and its
 * path in kept; "" when there is none.
 */
static int
keep_aside(struct transfer *t, char *kept, size_t size, struct err *e)
{
	struct sink out;
	int fd, result;

	snprintf(kept, size, "%s.error", t->file.target);
	fd = open(
	    kept, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, ERR_OUTPUT, errno, "writing %s", kept);
	sink_init(&out, fd, kept, false);
	result = take_body(t, &out, e);
	if (close(fd) < 0 && result == 0)
		result = err_sys(e, ERR_OUTPUT, errno, "closing %s", kept);
	if (out.bytes == 0) {
		(void)unlink(kept);
		kept[0] = '\0';
	}
	return result;
}

/* An answer that is not what was asked for: 400 and up, or a redirect. */
static int
take_refusal(struct transfer *t, struct err *e)
{
	const struct http_head *h = head_of(t);
	char shown[URL_SIZE + 8], reason[128], kept[PATH_MAX] = "", name[512];
	int status = h->status;

	if (t->is_file && !t->file.is_special) {
		if (keep_aside(t, kept, sizeof(kept), e) < 0)
			return -1;
	} else if (take_body(t, &t->out, e) < 0) {
		return -1;
	}
	tell_response(t);
	text_escape(
	    reason, sizeof(reason), h->text + h->reason, h->reason_length);
	text_escape_string(name, sizeof(name), kept);
	if (status == 407 && t->proxy != NULL)
		return err_set(e, ERR_PEER,
		    "%s declined: 407, it wants %s user and password",
		    proxy_format(t->proxy, shown, sizeof(shown)),
		    t->proxy->user[0] == '\0' ? "a" : "another");
	return err_set(e, ERR_PEER, "%s: the server answered %d%s%s%s%s",
	    url_absolute(&t->url, shown, sizeof(shown)), status,
	    reason[0] != '\0' ? " " : "", reason,
	    name[0] != '\0' ? "; its body is in " : "", name);
}

/* A redirect that nobody follows is the answer, but never the file. */
static bool
is_refusal(const struct transfer *t)
{
	int status = head_of(t)->status;

	return status >= 400 || (status >= 300 && t->is_file);
}

static int
take_answer(struct transfer *t, struct err *e)
{
	struct http_validator v;
	char shown[URL_SIZE + 8];

	if (is_refusal(t))
		return take_refusal(t, e);
	url_absolute(&t->start, shown, sizeof(shown));
	http_validator_take(&v, head_of(t));
	if (t->is_file && download_begin(&t->file, 0, shown, &v, e) < 0)
		return -1;
	if (take_body(t, &t->out, e) < 0)
		return -1;
	tell_response(t);
	return t->is_file ? download_commit(&t->file, e) : 0;
}

/* Opens what the body will go to. */
static int
open_output(struct transfer *t, struct err *e)
{
	char name[HTTP_NAME_SIZE];
	const char *path = t->o->output;

	if (t->o->remote_name &&
	    http_name_of_url(&t->start, name, sizeof(name)))
		path = name;
	if (path == NULL || strcmp(path, "-") == 0) {
		if (!fd_is_writable(STDOUT_FILENO))
			return err_set(e, ERR_OUTPUT, "stdout is closed");
		sink_init(&t->out, STDOUT_FILENO, "stdout", !t->o->raw);
		return 0;
	}
	if (download_open(&t->file, path, t->o->force != 0, e) < 0)
		return -1;
	t->is_file = true;
	sink_init(&t->out, t->file.fd, t->file.target, !t->o->raw);
	return 0;
}

static int
run(struct transfer *t, bool wants_more, struct err *e)
{
	int result;

	if (open_output(t, e) < 0)
		return -1;
	result = ask_and_follow(t, wants_more, e);
	if (result == 0) {
		if (!t->o->include && !t->o->head_only)
			show_head(t);
		result = take_answer(t, e);
		http_client_finish(&t->f->client, wants_more);
	}
	if (t->is_file)
		download_close(&t->file);
	return result;
}

int
fetch_url(struct fetch *f, const char *text, bool wants_more, struct err *e)
{
	struct transfer *t = mem_array(1, sizeof(*t));
	int result;

	t->f = f;
	t->o = f->options;
	result = url_parse_typed(&t->start, text, e);
	if (result == 0) {
		t->url = t->start;
		if (t->o->user != NULL)
			snprintf(t->user, sizeof(t->user), "%s", t->o->user);
		else
			url_userinfo(&t->start, t->user, sizeof(t->user));
		result = run(t, wants_more, e);
	}
	free(t->trail);
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
		f->no_proxy = getenv("no_proxy");
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
