/* Finding a command by its name, a prefix of it, or a misspelling. */
#include "base/err.h"
#include "cli/command.h"
#include "lib/tap.h"

static const struct command connect = {.name = "connect"},
			    udp_send = {.name = "udp-send"},
			    udp_serve = {.name = "udp-serve"},
			    scan = {.name = "portscan"},
			    list = {.name = "list"},
			    listen = {.name = "listen"};
static const struct command *const table[] = {
    &connect, &udp_send, &udp_serve, &scan, &list, &listen, NULL};

static void
finds(const char *name, const struct command *want)
{
	struct err e = ERR_INIT;

	ok(command_find(table, name, &e) == want && e.text[0] == '\0',
	    "'%s' is %s", name, want->name);
}

static void
refuses(const char *name, const char *why)
{
	struct err e = ERR_INIT;

	ok(command_find(table, name, &e) == NULL && e.kind == ERR_USAGE,
	    "'%s' is refused", name);
	is_text(e.text, why, "  and why");
}

int
main(void)
{
	finds("connect", &connect);
	finds("c", &connect);
	finds("conn", &connect);
	finds("udp-sen", &udp_send);
	finds("list", &list);
	finds("liste", &listen);
	refuses("udp", "command 'udp' is ambiguous: udp-send, udp-serve");
	refuses("l", "command 'l' is ambiguous: list, listen");
	refuses("connnect",
	    "there is no command 'connnect'; did you mean 'connect'?");
	refuses("scan", "there is no command 'scan'; did you mean 'portscan'?");
	refuses("udp_send",
	    "there is no command 'udp_send'; did you mean 'udp-send'?");
	refuses("frobnicate", "there is no command 'frobnicate'");
	refuses("", "there is no command ''");
	refuses("x\x1b[0m", "there is no command 'x\\x1b[0m'");
	return done_testing();
}
