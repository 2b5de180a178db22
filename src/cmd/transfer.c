#include "cmd/transfer.h"

const struct http_head *
transfer_head(const struct transfer *t)
{
	return &t->f->client.parser->head;
}

const char *
transfer_url(const struct transfer *t, char *buf)
{
	return url_absolute(&t->redirect.url, buf, TRANSFER_URL_SIZE);
}
