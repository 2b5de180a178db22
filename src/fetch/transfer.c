/* Accessors of an http-get transfer: its URL, its response, resumability. */
#include "fetch/transfer.h"

#include <stdio.h>
#include <string.h>

#include "fetch/output.h"

const struct http_head *
transfer_head(const struct transfer *t)
{
	return &t->f->client.response->head;
}

const char *
transfer_url(const struct transfer *t, char *buf)
{
	return url_absolute(&t->redirect.url, buf, TRANSFER_URL_SIZE);
}

const char *
transfer_label(const struct transfer *t, char *buf)
{
	char shown[TRANSFER_URL_SIZE];

	transfer_url(t, shown);
	snprintf(buf, TRANSFER_LABEL_SIZE, "%.*s%s", TRANSFER_LABEL_SIZE - 4,
	    shown, strlen(shown) > TRANSFER_LABEL_SIZE - 4 ? "..." : "");
	return buf;
}

bool
transfer_can_resume(const struct transfer *t)
{
	return http_validator_is_usable(&t->source) && t->o->range == NULL &&
	       !t->o->include;
}

bool
transfer_may_go_on(const struct transfer *t)
{
	return !t->out.has_failed &&
	       output_accepts(t, transfer_can_resume(t) ? t->held : 0);
}
