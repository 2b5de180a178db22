/* One attempt at a URL: request, redirects, response, body, commit. */
#include "fetch/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "dial/no_proxy.h"
#include "fetch/response.h"
#include "http/http_request.h"
#include "net/endpoint.h"

bool
transfer_may_repeat(const struct transfer *t)
{
	const struct output *o = &t->output;

	return !o->sink.has_failed &&
	       output_accepts(o, output_can_resume(o) ? o->resume.held : 0);
}

void
transfer_report(const struct transfer *t)
{
	char shown[URL_ABSOLUTE_SIZE];

	http_client_report(&t->fetch->client,
	    url_absolute(&t->redirect.url, shown, sizeof(shown)),
	    t->options->timing);
}

/* Shows a head on stderr. */
static void
show_head(const struct http_head *h, bool raw)
{
	size_t used, n;
	char *safe;

	if (raw || fd_kind(STDERR_FILENO) != FD_TERMINAL) {
		diag_raw(h->text, h->length);
		return;
	}
	safe = mem_array(4, h->length);
	n = text_escape_stream(safe, h->text, h->length, true, &used);
	diag_raw(safe, n);
	free(safe);
}

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
transfer_find_route(const struct fetch *f, const struct url *u,
    struct http_route *route, struct err *e)
{
	if (url_endpoint(u, &route->server, e) < 0)
		return -1;
	route->proxy = proxy_for(f, &route->server);
	return 0;
}

/* Begins with the URL as given, and with what of the output is of use. */
static enum transfer_state
start(struct transfer *t)
{
	struct resume *r = &t->output.resume;

	if (!r->is_complete && !output_can_resume(&t->output))
		r->held = 0;
	redirect_release(&t->redirect);
	redirect_start(&t->redirect, t->url, t->options->user);
	return TRANSFER_REQUEST;
}

/* The range and the conditions; range is storage. */
static void
set_conditions(
    const struct transfer *t, struct http_request *r, char *range, size_t size)
{
	const struct resume *resume = &t->output.resume;

	if (t->options->range != NULL) {
		r->range = t->options->range;
	} else if (resume->held > 0) {
		snprintf(range, size, "%lld-", (long long)resume->held);
		r->range = range;
		if (http_validator_is_usable(&resume->source))
			r->if_range = resume->source.text;
	}
	if (t->if_none_match[0] != '\0')
		r->if_none_match = t->if_none_match;
	if (t->if_modified_since[0] != '\0')
		r->if_modified_since = t->if_modified_since;
}

static int
send_request(struct transfer *t, struct err *e)
{
	const struct fetch_options *o = t->options;
	struct http_request r = {
	    .method = o->head_only ? HTTP_HEAD : HTTP_GET,
	    .url = &t->redirect.url,
	    .closes = !t->wants_more && !o->follow,
	};
	char secret[2 * PROXY_SECRET], range[32];
	struct http_route route;

	if (!t->redirect.left_origin) {
		r.fields = o->fields;
		r.field_count = o->field_count;
	}
	if (t->redirect.user[0] != '\0')
		r.user = t->redirect.user;
	if (transfer_find_route(t->fetch, r.url, &route, e) < 0)
		return -1;
	if (route.proxy != NULL && route.proxy->kind == PROXY_HTTP) {
		r.is_absolute = true;
		if (proxy_credentials(route.proxy, secret, sizeof(secret)))
			r.proxy_user = secret;
	}
	set_conditions(t, &r, range, sizeof(range));
	return http_client_request(&t->fetch->client, &route, &r, e);
}

static enum transfer_state
request(struct transfer *t, struct err *e)
{
	char label[URL_LABEL_SIZE];

	if (send_request(t, e) == 0)
		return TRANSFER_HEAD;
	if (redirect_count(&t->redirect) > 0 && e->kind == ERR_USAGE)
		/* It is not the user who named that place. */
		e->kind = ERR_FAILED;
	/* An error of connecting names the host itself. */
	if (http_client_stage(&t->fetch->client) != HTTP_STAGE_NONE)
		err_prefix(e, "%s", url_label(&t->redirect.url, label));
	return TRANSFER_FAILED;
}

static enum transfer_state
follow(struct transfer *t, const char *location, struct err *e)
{
	struct redirect *r = &t->redirect;
	bool had_left = r->left_origin;
	bool had_secrets = t->options->field_count > 0 || r->user[0] != '\0';
	char shown[URL_ABSOLUTE_SIZE];
	struct url from = r->url;

	transfer_report(t);
	if (redirect_follow(r, location, (size_t)t->options->max_redirs, e) < 0)
		return TRANSFER_FAILED;
	http_client_finish(&t->fetch->client, url_same_origin(&from, &r->url));
	if (r->left_origin && !had_left && had_secrets)
		diag_note("redirected to another origin: credentials and "
			  "--header fields are not sent there");
	diag_note(
	    "redirected to %s", url_absolute(&r->url, shown, sizeof(shown)));
	return TRANSFER_REQUEST;
}

static enum transfer_state
handle_head(struct transfer *t, struct err *e)
{
	const struct fetch_options *o = t->options;
	const struct http_head *h =
	    &http_client_response(&t->fetch->client)->head;
	char location[URL_SIZE];
	enum transfer_state next;

	if (o->follow && redirect_location(h, location, sizeof(location))) {
		show_head(h, o->raw);
		return follow(t, location, e);
	}
	if (!o->include && !o->head_only)
		show_head(h, o->raw);
	next = response_handle(t, h, e);
	if (next == TRANSFER_START)
		http_client_finish(&t->fetch->client, true);
	return next;
}

static enum transfer_state
read_body(struct transfer *t, struct err *e)
{
	if (output_read(&t->output, &t->fetch->client, e) < 0)
		return TRANSFER_FAILED;
	transfer_report(t);
	return TRANSFER_COMMIT;
}

/* A part without a length of its own may be another than was announced. */
static int
check_length(const struct transfer *t, struct err *e)
{
	const struct http_response *r = http_client_response(&t->fetch->client);
	int64_t announced = t->output.total - t->output.base;
	char label[URL_LABEL_SIZE];

	if (r->head.status != 206 || t->options->head_only ||
	    r->received == (uint64_t)announced)
		return 0;
	return err_set(e, ERR_PROTOCOL,
	    "%s: %lld bytes were announced by Content-Range, and %llu came",
	    url_label(&t->redirect.url, label), (long long)announced,
	    (unsigned long long)r->received);
}

static enum transfer_state
commit(struct transfer *t, struct err *e)
{
	const struct http_response *r = http_client_response(&t->fetch->client);

	if (check_length(t, e) < 0 ||
	    output_commit(&t->output, &r->head, e) < 0)
		return TRANSFER_FAILED;
	return TRANSFER_DONE;
}

static enum transfer_state
advance(struct transfer *t, enum transfer_state state, struct err *e)
{
	switch (state) {
	case TRANSFER_START:
		return start(t);
	case TRANSFER_REQUEST:
		return request(t, e);
	case TRANSFER_HEAD:
		return handle_head(t, e);
	case TRANSFER_BODY:
		return read_body(t, e);
	case TRANSFER_COMMIT:
		return commit(t, e);
	default:
		return TRANSFER_FAILED;
	}
}

int
transfer_attempt(struct transfer *t, struct err *e)
{
	enum transfer_state state = TRANSFER_START;

	while (state != TRANSFER_DONE && state != TRANSFER_FAILED)
		state = advance(t, state, e);
	http_client_finish(&t->fetch->client, t->wants_more);
	return state == TRANSFER_DONE ? 0 : -1;
}
