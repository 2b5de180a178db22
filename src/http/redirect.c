/* Follows redirects, and decides which credentials each request may carry. */
#include "http/redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
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

/* Records the current URL. */
static void
record_visit(struct redirect *r)
{
	char shown[URL_ABSOLUTE_SIZE];

	if (r->count == r->visited_capacity) {
		r->visited_capacity = 2 * r->visited_capacity + 8;
		r->visited = mem_resize(
		    r->visited, r->visited_capacity, sizeof(*r->visited));
	}
	r->visited[r->count++] =
	    mem_text(url_absolute(&r->url, shown, sizeof(shown)));
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
	r->visited = NULL;
	r->count = r->visited_capacity = 0;
	extract_user(r);
	if (user != NULL)
		snprintf(r->user, sizeof(r->user), "%s", user);
	record_visit(r);
}

void
redirect_release(struct redirect *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		free(r->visited[i]);
	free(r->visited);
	r->visited = NULL;
	r->count = r->visited_capacity = 0;
}

size_t
redirect_count(const struct redirect *r)
{
	return r->count - 1;
}

/* Returns the index of the first visit of url, from index from on, or count. */
static size_t
find_visit(const struct redirect *r, const char *url, size_t from)
{
	while (from < r->count && strcmp(r->visited[from], url) != 0)
		from++;
	return from;
}

/* Joins the URLs from first up to end, each followed by a space. The caller
 * frees the result. */
static char *
join_visits(const struct redirect *r, size_t first, size_t end)
{
	size_t size = 1, at = 0, i, n;
	char *text;

	for (i = first; i < end; i++)
		size += strlen(r->visited[i]) + 1;
	text = mem_array(1, size);
	for (i = first; i < end; i++) {
		n = strlen(r->visited[i]);
		memcpy(text + at, r->visited[i], n);
		at += n;
		text[at++] = ' ';
	}
	text[at] = '\0';
	return text;
}

/* Fails because of one redirect too many; the error names the loop, if any. */
static int
refuse(const struct redirect *r, const struct url *next, struct err *e)
{
	char shown[URL_ABSOLUTE_SIZE], count[40], *loop;
	size_t first;

	num_format_count(count, sizeof(count), redirect_count(r), "time");
	url_absolute(next, shown, sizeof(shown));
	first = find_visit(r, shown, 0);
	if (first == r->count)
		return err_set(e, ERR_PROTOCOL,
		    "redirected more than %s; the next one would lead to "
		    "%.200s",
		    count, shown);
	loop = join_visits(r, first, find_visit(r, shown, first + 1));
	err_set(e, ERR_PROTOCOL,
	    "redirected more than %s, in a loop: %.500s%sand again %.200s",
	    count, loop, strlen(loop) > 500 ? "... " : "", shown);
	free(loop);
	return -1;
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
	if (redirect_count(r) >= max)
		return refuse(r, &next, e);
	is_same = url_same_origin(&r->url, &next);
	is_downgrade = url_is_https(&r->url) && !url_is_https(&next);
	r->left_origin |= !is_same;
	url_copy(&r->url, &next);
	if (next.userinfo.is_present || !is_same)
		extract_user(r);
	if (is_downgrade)
		r->user[0] = '\0';
	record_visit(r);
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
