/* Requests a URL for http-get and follows redirects. */
#include "fetch/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "fetch/transfer.h"
#include "net/endpoint.h"
#include "http/http_request.h"
#include "dial/no_proxy.h"

void
request_show_head(const struct transfer *t)
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
request_report(const struct transfer *t)
{
	const struct http_client *c = &t->f->client;
	char shown[TRANSFER_URL_SIZE];
	int status = transfer_head(t)->status;

	transfer_url(t, shown);
	http_timing_report(&c->times, shown, status, c->response->received);
	if (t->o->timing)
		http_timing_draw(
		    &c->times, shown, status, c->response->received);
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
request_check(const struct fetch *f, const char *url, struct err *e)
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
	    .url = &t->redirect.url,
	    .closes = !t->wants_more && !o->follow,
	};
	char secret[2 * PROXY_SECRET], range[32], label[TRANSFER_LABEL_SIZE];
	struct endpoint ep;

	if (!t->redirect.left_origin) {
		r.fields = o->fields;
		r.field_count = o->field_count;
	}
	if (t->redirect.user[0] != '\0')
		r.user = t->redirect.user;
	if (url_endpoint(&t->redirect.url, &ep, e) < 0)
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
	if (redirect_count(&t->redirect) > 0 && e->kind == ERR_USAGE)
		/* It is not the user who named that place. */
		e->kind = ERR_FAILED;
	/* An error of connecting names the host itself. */
	if (t->f->client.times.connected_ns != 0)
		err_prefix(e, "%s", transfer_label(t, label));
	return -1;
}

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

/* Goes where the answer redirects to. */
static int
redirect(struct transfer *t, const char *location, struct err *e)
{
	struct redirect *r = &t->redirect;
	bool had_left = r->left_origin;
	bool had_secrets = t->o->field_count > 0 || r->user[0] != '\0';
	char shown[TRANSFER_URL_SIZE];
	struct url from = r->url;

	request_report(t);
	if (redirect_follow(r, location, (size_t)t->o->max_redirs, e) < 0)
		return -1;
	http_client_finish(&t->f->client, url_same_origin(&from, &r->url));
	if (r->left_origin && !had_left && had_secrets)
		diag_note("redirected to another origin: credentials and "
			  "--header fields are not sent there");
	diag_note("redirected to %s", transfer_url(t, shown));
	return 0;
}

int
request_send(struct transfer *t, struct err *e)
{
	char location[URL_SIZE];

	redirect_release(&t->redirect);
	redirect_start(&t->redirect, &t->start, t->o->user);
	for (;;) {
		if (ask(t, e) < 0)
			return -1;
		if (!t->o->follow || !is_redirect(transfer_head(t)->status) ||
		    !http_head_value(transfer_head(t), "location", location,
			sizeof(location)))
			return 0;
		request_show_head(t);
		if (redirect(t, location, e) < 0)
			return -1;
	}
}
