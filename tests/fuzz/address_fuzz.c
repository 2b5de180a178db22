/*
 * What names a peer: endpoints, proxies, groups, interfaces, access rules. What
 * is accepted is within its bounds, and an endpoint that is shown and read
 * again is the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "dial/proxy.h"
#include "net/access.h"
#include "net/endpoint.h"
#include "udp/multicast.h"
#include "lib/usage_error.h"

#define TEXT_SIZE 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_endpoint(char *text)
{
	char *operands[] = {text, NULL}, again[TEXT_SIZE], shown[ENDPOINT_TEXT];
	struct endpoint ep, copy;
	struct err e = ERR_INIT;

	if (!is_good(endpoint_parse(&ep, operands, 1, "tcp", &e), &e) ||
	    ep.is_unix)
		return;
	if (ep.port == 0 || ep.host[0] == '\0' ||
	    memchr(ep.host, '\0', sizeof(ep.host)) == NULL)
		abort();
	endpoint_format(&ep, shown, sizeof(shown));
	snprintf(again, sizeof(again),
	    strchr(ep.host, ':') != NULL ? "[%s]:%u" : "%s:%u", ep.host,
	    ep.port);
	operands[0] = again;
	if (endpoint_parse(&copy, operands, 1, "tcp", &e) < 0 ||
	    copy.port != ep.port || strcmp(copy.host, ep.host) != 0)
		abort();
}

static void
check_local(char *text, char *second)
{
	char *operands[] = {text, second, NULL};
	int count = second == NULL ? 1 : 2;
	struct endpoint ep;
	struct err e = ERR_INIT;

	(void)is_good(
	    endpoint_parse_local(&ep, operands, count, "udp", 9, &e), &e);
	if (count == 2)
		(void)is_good(
		    endpoint_parse(&ep, operands, count, "udp", &e), &e);
}

static void
check_others(const char *text)
{
	struct access list = ACCESS_INIT;
	struct multicast_group group;
	struct addr a;
	struct proxy p;
	struct err e = ERR_INIT;
	char shown[PROXY_TEXT], secret[2 * PROXY_SECRET];
	unsigned number;

	if (is_good(proxy_parse(&p, text, &e), &e)) {
		proxy_format(&p, shown, sizeof(shown));
		(void)proxy_credentials(&p, secret, sizeof(secret));
	}
	if (is_good(multicast_parse(&group, text, &e), &e) &&
	    group.addr.len == 0)
		abort();
	(void)is_good(multicast_parse_interface(&number, text, &e), &e);
	/* An item with @ is the name of a file. */
	if (strchr(text, '@') == NULL &&
	    is_good(access_add(&list, true, text, &e), &e) &&
	    addr_parse_ip(&a, "192.0.2.1", 80))
		(void)access_allows(&list, &a);
	access_release(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_SIZE], *second;

	if (size >= sizeof(text) - 16)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_endpoint(text);
	check_others(text);
	second = strchr(text, ' ');
	if (second != NULL)
		*second++ = '\0';
	check_local(text, second);
	return 0;
}
