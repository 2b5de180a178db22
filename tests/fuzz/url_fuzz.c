/*
 * URLs: what is taken apart goes together again, resolving ends where it
 * began, and no request can be broken out of.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/endpoint.h"
#include "http/http_file_name.h"
#include "dial/proxy.h"
#include "fetch/http_client.h"
#include "fetch/route.h"
#include "http/url.h"
#include "http/url_reference.h"

static struct url u, base, out, again;

static void
check_bytes(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= 0x20 ||
		    (unsigned char)*text >= 0x7f)
			abort();
}

/* Everything that a request is made of. */
static void
use_http(const struct url *url, const char *text)
{
	char buf[URL_SIZE + 8], more[URL_SIZE + 8], name[HTTP_FILE_NAME_SIZE];
	const struct route_rules rules = {
	    .env_proxy = {.kind = PROXY_HTTP}, .no_proxy = text};
	struct http_route route;
	struct endpoint ep;
	struct err e;

	check_bytes(url_authority(url, buf, sizeof(buf)));
	check_bytes(url_target(url, buf, sizeof(buf)));
	if (buf[0] != '/')
		abort();
	check_bytes(url_absolute(url, buf, sizeof(buf)));
	if (strlen(buf) < URL_SIZE - 8) {
		if (url_parse(&again, buf, &e) < 0)
			abort();
		if (strcmp(url_absolute(&again, more, sizeof(more)), buf) != 0)
			abort();
	}
	if (url_endpoint(url, &ep, &e) == 0) {
		if (ep.host[0] == '\0' || ep.port == 0)
			abort();
		(void)route_find(&rules, url, &route, &e);
	}
	url_userinfo(url, buf, sizeof(buf));
	if (http_file_name_of_url(url, name, sizeof(name)) &&
	    (name[0] == '.' || name[0] == '\0' || strchr(name, '/') != NULL))
		abort();
}

static void
use_reference(const struct url *url)
{
	struct err e;

	url_parse(&base, "http://u@a:81/b/c/d;p?q#f", &e);
	if (url_reference_follow(&base, url->text, &out, &e) < 0)
		return;
	check_bytes(out.text);
	if (!out.scheme.is_present)
		abort();
	/* What was resolved once stays as it is. */
	if (url_reference_follow(&base, out.text, &again, &e) < 0 ||
	    strcmp(out.text, again.text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct proxy p;
	struct err e = ERR_INIT;

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (url_parse(&u, text, &e) == 0) {
		check_bytes(u.text);
		use_reference(&u);
	}
	if (url_reference_parse_typed(&u, text, &e) == 0 &&
	    url_check_http(&u, &e) == 0)
		use_http(&u, text);
	url_parse(&base, "http://a/b#f", &e);
	if (url_reference_follow(&base, text, &out, &e) == 0 &&
	    url_check_http(&out, &e) == 0)
		use_http(&out, text);
	if (proxy_parse(&p, text, &e) == 0 && p.kind == PROXY_NONE)
		abort();
	free(text);
	return 0;
}
