/* Matches a host against the no_proxy list. */
#include "dial/no_proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/num.h"
#include "net/access.h"
#include "net/addr.h"
#include "net/endpoint.h"

#define ITEM_SIZE 320

/* Takes ":PORT" off, and brackets. False when the port is another one. */
static bool
take_port(char *item, uint16_t port)
{
	char *colon = strrchr(item, ':');
	size_t n;
	int64_t wanted;

	if (colon != NULL && (strchr(item, ':') == colon || colon[-1] == ']') &&
	    num_parse(colon + 1, 1, 65535, &wanted)) {
		if (wanted != port)
			return false;
		*colon = '\0';
	}
	n = strlen(item);
	if (item[0] == '[' && item[n - 1] == ']') {
		memmove(item, item + 1, n - 2);
		item[n - 2] = '\0';
	}
	return true;
}

/* host is name, or ends in "." and name. */
static bool
is_under(const char *host, const char *name)
{
	size_t h = strlen(host), n;

	if (*name == '.')
		name++;
	n = strlen(name);
	if (h > 0 && host[h - 1] == '.')
		h--;
	if (n == 0 || n > h || strncasecmp(host + h - n, name, n) != 0)
		return false;
	return n == h || host[h - n - 1] == '.';
}

/* An address in the network that item is. */
static bool
is_within(const char *host, const char *item)
{
	struct access list = ACCESS_INIT;
	struct addr a;
	struct err e;
	bool result;

	if (item[0] == '@' || !addr_parse_ip(&a, host, 0))
		return false;
	result =
	    access_add(&list, true, item, &e) == 0 && access_allows(&list, &a);
	access_release(&list);
	return result;
}

static bool
matches(char *item, const struct endpoint *ep)
{
	if (strcmp(item, "*") == 0)
		return true;
	return take_port(item, ep->port) &&
	       (is_under(ep->host, item) || is_within(ep->host, item));
}

const char *
no_proxy_list(void)
{
	const char *list = getenv("no_proxy");

	return list != NULL ? list : getenv("NO_PROXY");
}

bool
no_proxy_has(const char *list, const struct endpoint *ep)
{
	char item[ITEM_SIZE];
	size_t n;

	for (; list != NULL && *list != '\0'; list += n) {
		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == 0 || n >= sizeof(item))
			continue;
		memcpy(item, list, n);
		item[n] = '\0';
		if (matches(item, ep))
			return true;
	}
	return false;
}
