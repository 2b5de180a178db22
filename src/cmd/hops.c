#include "cmd/hops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/transfer.h"
#include "net/endpoint.h"
#include "net/http_request.h"
#include "net/no_proxy.h"
#include "net/url_resolve.h"

void
hops_show_head(const struct transfer *t)
{
	const struct http_head *h = transfer_head(t);
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

void
hops_tell(const struct transfer *t)
{
	const struct http_client *c = &t->f->client;
	char shown[TRANSFER_URL_SIZE];
	int status = transfer_head(t)->status;

	transfer_url(t, shown);
	http_times_tell(&c->times, shown, status, c->parser->body.received);
	if (t->o->timing)
		http_times_draw(
		    &c->times, shown, status, c->parser->body.received);
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

int
hops_check(const struct fetch *f, const char *url, struct err *e)
{
	struct endpoint ep;
	struct url u;

	if (url_parse_typed(&u, url, e) < 0 || url_endpoint(&u, &ep, e) < 0 ||
	    endpoint_check_host(ep.host, e) < 0)
		return -1;
	return http_client_check(&f->client, &ep, proxy_for(f, &ep), e);
}

/* Conditions and ranges. */
static void
fill_conditions(
    const struct transfer *t, struct http_request *r, char *range, size_t size)
{
	if (t->o->range != NULL) {
		r->range = t->o->range;
	} else if (t->asked_from > 0) {
		snprintf(range, size, "%lld-", (long long)t->asked_from);
		r->range = range;
		if (http_validator_is_usable(&t->source))
			r->if_range = t->source.text;
	}
	if (t->if_none_match[0] != '\0')
		r->if_none_match = t->if_none_match;
	if (t->if_modified_since[0] != '\0')
		r->if_modified_since = t->if_modified_since;
}

static int
ask(struct transfer *t, struct err *e)
{
	const struct fetch_options *o = t->o;
	struct http_request r = {
	    .method = o->head_only ? HTTP_HEAD : HTTP_GET,
	    .url = &t->url,
	    .closes = !t->wants_more && !o->follow,
	};
	char secret[2 * PROXY_SECRET], range[32];
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
	fill_conditions(t, &r, range, sizeof(range));
	if (http_client_ask(&t->f->client, &ep, t->proxy, &r, e) == 0)
		return 0;
	if (t->redirects > 0 && e->kind == ERR_USAGE)
		/* It is not the user who named that place. */
		e->kind = ERR_FAILED;
	return -1;
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
	char shown[TRANSFER_URL_SIZE];
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
	char shown[TRANSFER_URL_SIZE], list[512], line[URL_SIZE + 16];
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
	char shown[TRANSFER_URL_SIZE];

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
	hops_tell(t);
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

int
hops_ask(struct transfer *t, struct err *e)
{
	char location[URL_SIZE];

	t->url = t->start;
	t->redirects = 0;
	t->left_origin = false;
	free(t->trail);
	t->trail = NULL;
	for (;;) {
		note_trail(t);
		if (ask(t, e) < 0)
			return -1;
		if (!t->o->follow || !is_redirect(transfer_head(t)->status) ||
		    !http_head_value(transfer_head(t), "location", location,
			sizeof(location)))
			return 0;
		hops_show_head(t);
		if (redirect(t, location, e) < 0)
			return -1;
	}
}
