/* Allow and deny lists for the peers of a server. */
#include "net/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "net/resolve.h"

/* The longest item of a list. */
#define ITEM_SIZE ENDPOINT_HOST
/*
 * Length of the prefix ::ffff:0:0 of a mapped IPv4 address (RFC 4291 2.5.5.2).
 */
#define MAPPED_BITS 96

/*
 * Returns the bytes of an IP address, and sets *bits to their number of bits.
 */
static const unsigned char *
address_bytes(const struct addr *a, int *bits)
{
	if (addr_family(a) == AF_INET) {
		*bits = 32;
		return (const unsigned char *)&a->u.in4.sin_addr;
	}
	*bits = 128;
	return (const unsigned char *)&a->u.in6.sin6_addr;
}

/* Converts a network of mapped addresses to IPv4. */
static void
unmap_rule(struct access_rule *r)
{
	if (addr_family(&r->network) != AF_INET6 || r->bits < MAPPED_BITS)
		return;
	addr_unmap(&r->network);
	if (addr_family(&r->network) == AF_INET)
		r->bits -= MAPPED_BITS;
}

/* Parses "ADDRESS" or "ADDRESS/BITS". */
static bool
parse_rule(struct access_rule *r, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	int64_t bits;
	int max_bits;

	if (!addr_parse_ip_prefix(&r->network, text, n))
		return false;
	address_bytes(&r->network, &max_bits);
	bits = max_bits;
	if (slash != NULL && !num_parse(slash + 1, 0, max_bits, &bits))
		return false;
	r->bits = (int)bits;
	unmap_rule(r);
	return true;
}

/* Whether the part before the slash is an address. */
static bool
is_address(const char *text)
{
	char ip[ADDR_TEXT];
	struct addr a;

	snprintf(ip, sizeof(ip), "%.*s", (int)strcspn(text, "/"), text);
	return addr_parse_ip(&a, ip, 0);
}

static void
append(struct access *a, const struct access_rule *r)
{
	a->rules = mem_resize(a->rules, a->count + 1, sizeof(a->rules[0]));
	a->rules[a->count++] = *r;
}

/*
 * Whether the text can only be a host name: a letter is in its last label, as
 * in every top-level domain (RFC 3696 2), it has nothing of an address, and an
 * endpoint has space for it.
 */
static bool
is_name(const char *text)
{
	static const char permitted[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t n = strlen(text), label;

	if (n == 0 || n >= ENDPOINT_HOST || strspn(text, permitted) != n)
		return false;
	if (text[n - 1] == '.')
		n--;
	for (label = n; label > 0 && text[label - 1] != '.'; label--)
		if (strchr("0123456789-_", text[label - 1]) == NULL)
			return true;
	return false;
}

/* A name that is looked up for a rule. */
struct lookup {
	struct access *access;
	bool allow;
	struct endpoint ep;
};

/*
 * Adds the addresses of one family. Returns how many there are, or -1 with *e
 * if that could not be found out; 0 also sets *e.
 */
static int
add_family(const struct lookup *l, int family, struct err *e)
{
	struct name_options names = *l->access->names;
	struct addr_list list = ADDR_LIST_INIT;
	struct access_rule r = {.allow = l->allow};
	size_t i;
	int result = 0;

	names.family = family;
	if (resolve(&l->ep, &names, deadline_none(), &list, e) < 0 &&
	    e->errnum != CAUSE_NAME_EMPTY && e->errnum != CAUSE_NAME_UNKNOWN)
		result = -1;
	for (i = 0; i < list.count; i++) {
		r.network = list.items[i];
		address_bytes(&r.network, &r.bits);
		unmap_rule(&r);
		append(l->access, &r);
	}
	if (result == 0)
		result = (int)list.count;
	addr_list_release(&list);
	return result;
}

/*
 * Adds every address of a name. The families are looked up one by one: a
 * lookup of both may return one family although the other's failed. Then a rule
 * that denies would leave the name's other addresses open.
 */
static int
add_name(struct access *a, bool allow, const char *text, struct err *e)
{
	struct lookup l = {.access = a, .allow = allow};
	struct err failure = ERR_INIT;
	int ip4, ip6;

	memcpy(l.ep.host, text, strlen(text) + 1);
	ip4 = add_family(&l, AF_INET, &failure);
	ip6 = add_family(&l, AF_INET6, e);
	if (ip4 + ip6 > 0 && ip4 >= 0 && ip6 >= 0)
		return 0;
	/* Otherwise it would be the error for IPv6 alone. */
	if (ip4 == 0 && ip6 == 0)
		return err_at(e, ERR_AT_TCP, e->errnum, "%s", text);
	if (ip4 < 0)
		*e = failure;
	if (!allow || e->kind != ERR_NAME || (ip4 <= 0 && ip6 <= 0))
		return -1;
	diag_warn("%s; --allow accepts only its IPv%d addresses", e->text,
	    ip4 > 0 ? 4 : 6);
	return 0;
}

static int
add_rule(struct access *a, bool allow, const char *text, struct err *e)
{
	struct access_rule r = {.allow = allow};
	char shown[ENDPOINT_HOST];

	if (parse_rule(&r, text)) {
		append(a, &r);
		return 0;
	}
	if (a->names != NULL && is_name(text))
		return add_name(a, allow, text, e);
	text_escape_string(shown, sizeof(shown), text);
	if (strchr(text, '/') != NULL && is_address(text))
		return err_set(e, ERR_USAGE,
		    "'%s': the prefix length must be 0 to %d", shown,
		    strchr(text, ':') != NULL ? 128 : 32);
	return err_set(e, ERR_USAGE,
	    "'%s' is neither an address, ADDRESS/BITS nor a host name", shown);
}

/* Removes the comment and the surrounding spaces; the result may be empty. */
static char *
trim(char *line)
{
	char *end;

	line[strcspn(line, "#\r\n")] = '\0';
	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return line;
}

/*
 * Adds the addresses and networks of a file, one per line; empty lines and text
 * after a '#' are ignored. Returns 0, or -1 with *e set: ERR_OUTPUT if it
 * cannot be read, ERR_USAGE with the line number for anything but a network.
 */
static int
add_file(struct access *a, bool allow, const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	char shown[256], *line = NULL, *text;
	size_t size = 0;
	int number = 0, result = 0;

	/* An empty allow list allows no peer. */
	a->has_allow = a->has_allow || allow;
	text_escape_string(shown, sizeof(shown), path);
	if (f == NULL)
		return err_sys(e, ERR_OUTPUT, errno, "%s", shown);
	while (result == 0 && getline(&line, &size, f) >= 0) {
		number++;
		text = trim(line);
		if (*text != '\0' && add_rule(a, allow, text, e) < 0)
			result = err_prefix(e, "%s line %d", shown, number);
	}
	if (result == 0 && ferror(f))
		result = err_sys(e, ERR_OUTPUT, errno, "%s", shown);
	free(line);
	fclose(f);
	return result;
}

int
access_add(struct access *a, bool allow, const char *text, struct err *e)
{
	char item[ITEM_SIZE];
	size_t n;

	a->has_allow = a->has_allow || allow;
	if (strcmp(text, "@-") == 0)
		return err_set(e, ERR_USAGE,
		    "'@-' is not a file (@./- is a file named '-')");
	if (text[0] == '@')
		return add_file(a, allow, text + 1, e);
	for (;;) {
		n = strcspn(text, ",");
		if (n >= sizeof(item))
			return err_set(e, ERR_USAGE,
			    "an item of %zu bytes is not an address", n);
		memcpy(item, text, n);
		item[n] = '\0';
		if (add_rule(a, allow, item, e) < 0)
			return -1;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}

/* A rule without a scope applies to every interface. */
static bool
scope_matches(const struct addr *network, const struct addr *peer)
{
	return addr_family(network) != AF_INET6 ||
	       network->u.in6.sin6_scope_id == 0 ||
	       network->u.in6.sin6_scope_id == peer->u.in6.sin6_scope_id;
}

static bool
rule_matches(const struct access_rule *r, const struct addr *peer)
{
	const unsigned char *network, *host;
	int max_bits, whole = r->bits / 8, rest = r->bits % 8;

	if (addr_family(&r->network) != addr_family(peer) ||
	    !scope_matches(&r->network, peer))
		return false;
	network = address_bytes(&r->network, &max_bits);
	host = address_bytes(peer, &max_bits);
	if (memcmp(network, host, (size_t)whole) != 0)
		return false;
	return rest == 0 || (network[whole] ^ host[whole]) >> (8 - rest) == 0;
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
	a->rules = NULL;
	a->count = 0;
	a->has_allow = false;
}
