/* Follows redirects, and decides which credentials each request may carry. */
#include "http/redirect.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_head.h"
#include "http/url_reference.h"

bool
redirect_location(const struct http_head *h, char *buf, size_t size)
{
	switch (h->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return http_head_value(h, "location", buf, size);
	default:
		return false;
	}
}

/*
 * Moves the credentials out of the URL, so that a relative reference does not
 * inherit them. RFC 7617 requires the colon even without a password.
 */
static void
extract_user(struct redirect *r)
{
	char userinfo[REDIRECT_USER_SIZE - 1];

	r->user[0] = '\0';
	if (url_userinfo(&r->url, userinfo, sizeof(userinfo)))
		snprintf(r->user, sizeof(r->user), "%s%s", userinfo,
		    strchr(userinfo, ':') == NULL ? ":" : "");
	r->url.userinfo = (struct url_part){.is_present = false};
}

void
redirect_start(struct redirect *r, const struct url *start, const char *user)
{
	url_copy(&r->url, start);
	r->left_origin = false;
	r->count = 0;
	extract_user(r);
	if (user != NULL)
		snprintf(r->user, sizeof(r->user), "%s", user);
}

/* Fails because of one redirect too many. */
static int
refuse(const struct redirect *r, const struct url *next, struct err *e)
{
	char shown[URL_ABSOLUTE_SIZE], count[40];

	return err_set(e, ERR_PROTOCOL,
	    "redirected more than %s; the next one would lead to %.200s",
	    num_format_count(count, sizeof(count), r->count, "time"),
	    url_absolute(next, shown, sizeof(shown)));
}

int
redirect_follow(
    struct redirect *r, const char *location, size_t max, struct err *e)
{
	struct url next;
	bool is_same, is_downgrade;

	if (url_reference_follow(&r->url, location, &next, e) < 0)
		return -1;
	if (url_check_http(&next, e) < 0) {
		e->kind = ERR_FAILED;
		return err_prefix(e, "redirected");
	}
	if (r->count >= max)
		return refuse(r, &next, e);
	is_same = url_same_origin(&r->url, &next);
	is_downgrade = url_is_https(&r->url) && !url_is_https(&next);
	r->left_origin |= !is_same;
	url_copy(&r->url, &next);
	if (next.userinfo.is_present || !is_same)
		extract_user(r);
	if (is_downgrade)
		r->user[0] = '\0';
	r->count++;
	return 0;
}

int
redirect_refuse(const struct url *u, const struct http_head *h, struct err *e)
{
	char label[URL_LABEL_SIZE], location[URL_SIZE], to[URL_LABEL_SIZE];
	struct url next;

	if (!redirect_location(h, location, sizeof(location)) ||
	    url_reference_follow(u, location, &next, e) < 0)
		text_escape_string(to, sizeof(to), location);
	else
		url_label(&next, to);
	return err_set(e, ERR_PEER,
	    "%s: redirected to %s (%d); not followed (--location follows it)",
	    url_label(u, label), to, h->status);
}
