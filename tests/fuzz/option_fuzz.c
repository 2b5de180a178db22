/*
 * The values of options: every parser of one, whichever command has it, and the
 * templates that are checked later: --via, --output, --hexdump. A value is
 * accepted, or refused with a usage error that has a text. Then the same text
 * as a file of --allow.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/opt.h"
#include "cmd/table.h"
#include "dial/via.h"
#include "fetch/fetch.h"
#include "fetch/fetch_options.h"
#include "http/http_head.h"
#include "http/http_request.h"
#include "net/access.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/resolve.h"
#include "relay/recorder.h"
#include "lib/usage_error.h"

#define TEXT_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every row of a command that has a parser of its own. */
static void
check_command(const struct command *c, const char *text)
{
	char *options = calloc(1, c->size);
	const struct opt_group *g;
	const struct opt *o;

	if (options == NULL)
		return;
	for (g = c->groups; g->opts != NULL; g++)
		for (o = g->opts; o->kind != OPT_END; o++) {
			struct err e = ERR_INIT;

			if (o->kind != OPT_CALL)
				continue;
			if (c->defaults != NULL)
				memcpy(options, c->defaults, c->size);
			(void)is_good(
			    o->call(options + g->base + o->offset, text, &e),
			    &e);
		}
	free(options);
}

static void
check_templates(const char *text)
{
	const struct recorder_options records = {text, text, 0};
	struct endpoint path = {.is_unix = true}, host = {.port = 80};
	struct err e = ERR_INIT;
	int at_once;

	for (at_once = 0; at_once < 2; at_once++) {
		err_clear(&e);
		(void)is_good(recorder_check(&records, at_once != 0, &e), &e);
	}
	err_clear(&e);
	if (addr_unix(&path.unix_addr, "/tmp/a 'b", &e) < 0)
		abort();
	(void)is_good(via_check(text, &path, &e), &e);
	err_clear(&e);
	snprintf(host.host, sizeof(host.host), "%.*s", 100, text);
	(void)is_good(via_check("nc %h %p", &host, &e), &e);
}

static void
check_requests(const char *text)
{
	struct http_range range;
	const char *const fields[] = {text};
	const struct fetch_options o = {.fields = fields,
	    .field_count = 1,
	    .user = text,
	    .range = text,
	    .output = text};
	struct err e = ERR_INIT;

	if (http_request_parse_range(text, &range) && range.from > range.to &&
	    range.from >= 0 && range.to >= 0)
		abort();
	(void)is_good(http_request_check_field(text, &e), &e);
	err_clear(&e);
	(void)is_good(fetch_check(&o, 1, &e), &e);
}

/* The text as the file of --allow @FILE. */
static void
check_access(const uint8_t *data, size_t size)
{
	struct access list = ACCESS_INIT;
	struct addr a;
	struct err e = ERR_INIT;
	char name[32];
	int ends[2];

	if (pipe(ends) < 0)
		return;
	if (write(ends[1], data, size) != (ssize_t)size)
		abort();
	close(ends[1]);
	snprintf(name, sizeof(name), "@/dev/fd/%d", ends[0]);
	if (is_good(access_add(&list, true, name, &e), &e) &&
	    addr_parse_ip(&a, "192.0.2.1", 80))
		(void)access_allows(&list, &a);
	access_release(&list);
	close(ends[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct command *const *c;
	char text[TEXT_SIZE];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (c = command_table; *c != NULL; c++)
		check_command(*c, text);
	check_templates(text);
	check_requests(text);
	check_access(data, size);
	return 0;
}
