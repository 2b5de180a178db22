/* Allow and deny lists for the peers of a server. */
#include "net/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/wordlist.h"

static const unsigned char *
address_bytes(const struct addr *a)
{
	return addr_family(a) == AF_INET
		   ? (const unsigned char *)&a->u.in4.sin_addr
		   : (const unsigned char *)&a->u.in6.sin6_addr;
}

/* Adds the rule of "ADDRESS" or "ADDRESS/BITS". */
static int
add_rule(void *context, const char *text, struct err *e)
{
	struct access *a = context;
	struct access_rule r = {.allow = a->is_allowing};

	if (addr_parse_network(&r.network, &r.bits, text, e) < 0)
		return -1;
	a->rules = mem_resize(a->rules, a->count + 1, sizeof(a->rules[0]));
	a->rules[a->count++] = r;
	return 0;
}

int
access_add(struct access *a, bool allow, const char *text,
    struct deadline until, struct err *e)
{
	/* An empty allow list allows no peer. */
	a->has_allow = a->has_allow || allow;
	a->is_allowing = allow;
	if (strcmp(text, "@-") == 0)
		return err_set(e, ERR_USAGE,
		    "'@-' is not a file (@./- is a file named '-')");
	if (text[0] == '@')
		return wordlist_read(text + 1, until, add_rule, a, e);
	return wordlist_split(text, add_rule, a, e);
}

static bool
rule_matches(const struct access_rule *r, const struct addr *peer)
{
	const unsigned char *network = address_bytes(&r->network),
			    *host = address_bytes(peer);
	int whole = r->bits / 8, rest = r->bits % 8;

	if (addr_family(&r->network) != addr_family(peer))
		return false;
	/* A rule without a scope applies to every interface. */
	if (addr_family(peer) == AF_INET6 &&
	    r->network.u.in6.sin6_scope_id != 0 &&
	    r->network.u.in6.sin6_scope_id != peer->u.in6.sin6_scope_id)
		return false;
	return memcmp(network, host, (size_t)whole) == 0 &&
	       (rest == 0 || (network[whole] ^ host[whole]) >> (8 - rest) == 0);
}

bool
access_allows(const struct access *a, const struct addr *peer)
{
	struct addr plain = *peer;
	size_t i;

	addr_unmap(&plain);
	if (addr_family(&plain) != AF_INET && addr_family(&plain) != AF_INET6)
		return true;
	for (i = 0; i < a->count; i++)
		if (rule_matches(&a->rules[i], &plain))
			return a->rules[i].allow;
	return !a->has_allow;
}

void
access_release(struct access *a)
{
	free(a->rules);
	*a = (struct access)ACCESS_INIT;
}
