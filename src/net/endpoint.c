/* Parses endpoints: a host and a port, or a Unix socket. */
#include "net/endpoint.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"

/* Parses 0-65535 in digits, 0 only if allow_zero, or a service name. */
static int
parse_port(const char *text, const char *protocol, bool allow_zero,
    uint16_t *port, struct err *e)
{
	const struct servent *service;
	int64_t n;

	if (num_parse(text, allow_zero ? 0 : 1, 65535, &n)) {
		*port = (uint16_t)n;
		return 0;
	}
	if (text[0] == '\0')
		return err_set(e, ERR_USAGE, "the port is empty");
	/* Text that begins with a digit is meant as a number. */
	if ((text[0] < '0' || text[0] > '9') &&
	    (service = getservbyname(text, protocol)) != NULL) {
		*port = ntohs((uint16_t)service->s_port);
		return 0;
	}
	return err_set(e, ERR_USAGE,
	    "port '%s' is neither a number from %d to 65535 nor a %s service",
	    text_shown(text), allow_zero ? 0 : 1, protocol);
}

/* Whether text is an IPv4 address to the C library, which accepts "1.2.3",
 * "8081" and "0x7f.1" (inet_aton(3)). */
static bool
resembles_ip4(const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool has_digit = false, is_hex;
	size_t n;

	for (; *text != '\0'; text += *text == '.') {
		is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
		n = is_hex ? 2 + strspn(text + 2, digits)
			   : strspn(text, "0123456789");
		if (text[n] != '.' && text[n] != '\0')
			return false;
		has_digit = has_digit || n > 0;
		text += n;
	}
	return has_digit;
}

int
endpoint_check_host(const char *host, struct err *e)
{
	const char *shown = text_shown(host), *colon = strchr(host, ':');
	struct addr a;

	if (host[strspn(host, "0123456789")] == '\0')
		return err_set(e, ERR_USAGE,
		    "'%s' is a number and not a host, which comes before the "
		    "port",
		    shown);
	if (strpbrk(host, "[]") != NULL)
		return err_set(e, ERR_USAGE,
		    "'%s' has a bracket: only an IPv6 address stands in "
		    "brackets, as in [2001:db8::1]",
		    shown);
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return err_set(e, ERR_USAGE,
		    "'%s' is not a host: it has a port already", shown);
	if (!resembles_ip4(host) || addr_parse_ip(&a, host, 0))
		return 0;
	return err_set(e, ERR_USAGE,
	    "'%s' is not an IPv4 address (that is four numbers from 0 to 255, "
	    "without leading zeros, as in 192.0.2.1)",
	    shown);
}

bool
endpoint_is_under(const struct endpoint *ep, const char *name)
{
	size_t n = strlen(ep->host), length = strlen(name);

	if (n > 0 && ep->host[n - 1] == '.')
		n--;
	return !ep->is_unix && length > 0 && n >= length &&
	       strncasecmp(ep->host + n - length, name, length) == 0 &&
	       (n == length || ep->host[n - length - 1] == '.');
}

/* Finds the colon after the host of HOST:PORT. NULL if there is none, or
 * several without brackets: an IPv6 address without a port. */
static const char *
find_colon(const char *text)
{
	const char *colon;

	if (text[0] == '[') {
		colon = strchr(text, ']');
		return colon != NULL && colon[1] == ':' ? colon + 1 : NULL;
	}
	colon = strchr(text, ':');
	return colon == NULL || strchr(colon + 1, ':') == NULL ? colon : NULL;
}

static int
parse_unix(struct endpoint *ep, const char *text, int count, struct err *e)
{
	if (count > 1)
		return err_set(e, ERR_USAGE,
		    "unexpected operand after '%s': a Unix socket has no port",
		    text_shown(text));
	ep->is_unix = true;
	return addr_unix(&ep->unix_addr, text + strlen("unix:"), e);
}

static bool
is_unix(const char *text)
{
	return strncmp(text, "unix:", strlen("unix:")) == 0;
}

int
endpoint_operands(char *const *operands, int count)
{
	const char *text = operands[0];

	return count > 1 && !is_unix(text) && find_colon(text) == NULL ? 2 : 1;
}

/* Parses HOST PORT or, in one operand, HOST:PORT with that colon. That of a
 * server may lack the host, and its port may be 0. */
static int
parse_host_port(struct endpoint *ep, char *const *operands, const char *colon,
    const char *protocol, bool is_local, struct err *e)
{
	const char *host = operands[0];
	size_t n = colon == NULL ? strlen(host) : (size_t)(colon - host);
	bool has_host = n > 0 || !is_local;

	if (n >= 2 && host[0] == '[' && host[n - 1] == ']' &&
	    (n == 2 || memchr(host, ':', n) != NULL)) {
		host++;
		n -= 2;
	}
	if (n == 0 && has_host)
		return err_set(e, ERR_USAGE, "missing host");
	if (n >= sizeof(ep->host))
		return err_set(e, ERR_USAGE,
		    "host '%s' is longer than a name can be (%d bytes)",
		    text_shown_bytes(host, n), ENDPOINT_HOST - 1);
	memcpy(ep->host, host, n);
	ep->host[n] = '\0';
	if (has_host && endpoint_check_host(ep->host, e) < 0)
		return -1;
	return parse_port(colon == NULL ? operands[1] : colon + 1, protocol,
	    is_local, &ep->port, e);
}

int
endpoint_parse(struct endpoint *ep, char *const *operands, int count,
    const char *protocol, struct err *e)
{
	const char *text = operands[0];
	const char *colon = count > 1 ? NULL : find_colon(text);

	memset(ep, 0, sizeof(*ep));
	if (text[0] == '\0')
		return err_set(e, ERR_USAGE, "the host is empty");
	if (is_unix(text))
		return parse_unix(ep, text, count, e);
	if (colon == NULL && count < 2)
		return err_set(e, ERR_USAGE,
		    "missing %s '%s': expected %sHOST:PORT, [IPV6]:PORT or "
		    "unix:PATH",
		    text[strspn(text, "0123456789")] == '\0' ? "host before"
							     : "port after",
		    text_shown(text), count > 0 ? "HOST PORT, " : "");
	if (colon != NULL && strncmp(colon, "://", 3) == 0)
		return err_set(e, ERR_USAGE,
		    "'%s' is a URL: expected HOST%cPORT", text_shown(text),
		    count > 0 ? ' ' : ':');
	return parse_host_port(ep, operands, colon, protocol, false, e);
}

int
endpoint_parse_local(struct endpoint *ep, char *const *operands, int count,
    const char *protocol, uint16_t port, struct err *e)
{
	const char *text = count > 0 ? operands[0] : "";
	const char *colon = count > 1 ? NULL : find_colon(text);
	struct addr a;
	int64_t n;

	memset(ep, 0, sizeof(*ep));
	ep->port = port;
	if (count == 0)
		return 0;
	if (text[0] == '\0')
		return err_set(e, ERR_USAGE, "the %s is empty",
		    count > 1 ? "address" : "port");
	if (is_unix(text))
		return parse_unix(ep, text, count, e);
	if (count > 1 && num_parse(text, 0, 65535, &n))
		return err_set(e, ERR_USAGE,
		    "unexpected operand '%s' after the port %s",
		    text_shown(operands[1]), text);
	if (count > 1 || colon != NULL)
		return parse_host_port(ep, operands, colon, protocol, true, e);
	if (addr_parse_ip(&a, text, 0))
		return err_set(e, ERR_USAGE,
		    "missing port after '%s': expected [ADDRESS] PORT", text);
	return parse_port(text, protocol, true, &ep->port, e);
}

const char *
endpoint_text(const struct endpoint *ep)
{
	if (ep->is_unix)
		return addr_text(&ep->unix_addr);
	return text_format("%s port %u", text_shown(ep->host), ep->port);
}
