/* Events can only be what their table says. */
#include "base/event.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"

/* The whole of one: its members in order, without an optional one. */
static void
test_members(void)
{
	struct event ev;
	struct json *j;

	event_begin(&ev, EVENT_RESPONSE, 1.5);
	event_text(&ev, "url", "http://x/");
	event_number(&ev, "status", 200);
	event_number(&ev, "bytes", 7);
	j = event_nested(&ev, "phases");
	json_seconds(j, "total", 0.25);
	json_close(j);
	event_number(&ev, "rate", 28);
	event_bool(&ev, "reused", false);
	is_text(event_end(&ev),
	    "{\"event\":\"response\",\"time\":1.500000,"
	    "\"url\":\"http://x/\",\"status\":200,\"bytes\":7,"
	    "\"phases\":{\"total\":0.250000},\"rate\":28,"
	    "\"reused\":false}\n",
	    "a response");
	event_begin(&ev, EVENT_RESOLVED, 0);
	event_bytes(&ev, "name", "a\0b", 3);
	j = event_nested(&ev, "addresses");
	json_text(j, NULL, "::1");
	json_close(j);
	is_text(event_end(&ev),
	    "{\"event\":\"resolved\",\"time\":0.000000,"
	    "\"name\":\"a\\u0000b\",\"addresses\":[\"::1\"]}\n",
	    "a list");
	event_begin(&ev, EVENT_SERVE_SUMMARY, 0);
	event_number(&ev, "received", 3);
	event_number(&ev, "answered", 2);
	event_number(&ev, "ignored", 1);
	is_text(event_end(&ev),
	    "{\"event\":\"summary\",\"time\":0.000000,\"received\":3,"
	    "\"answered\":2,\"ignored\":1}\n",
	    "without an optional member");
}

static void
test_ignored(void)
{
	struct event ev;

	event_begin_ignored(&ev);
	ok(event_is_ignored(&ev), "nobody reads it");
	event_text(&ev, "url", "http://x/");
	json_close(event_nested(&ev, "phases"));
	ok(event_is_ignored(&ev), "and members change nothing");
}

static void
unknown(struct event *ev)
{
	event_number(ev, "count", 1);
	event_number(ev, "colour", 1);
}

static void
wrong_type(struct event *ev)
{
	event_text(ev, "count", "1");
}

static void
wrong_kind(struct event *ev)
{
	(void)event_nested(ev, "count");
}

static void
twice(struct event *ev)
{
	event_number(ev, "count", 1);
	event_number(ev, "count", 1);
}

static void
incomplete(struct event *ev)
{
	(void)event_end(ev);
}

/* Whether a "lost" event that make() puts together ends the process. */
static void
refuses(void (*make)(struct event *ev), const char *what)
{
	struct rlimit none = {0, 0};
	struct event ev;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO);
		event_begin(&ev, EVENT_LOST, 0);
		make(&ev);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s", what);
}

static void
test_refused(void)
{
#ifdef NDEBUG
	skip(5, "assertions are off");
	return;
#endif
	refuses(unknown, "a member that the table lacks");
	refuses(wrong_type, "a number as text");
	refuses(wrong_kind, "a number as an object");
	refuses(twice, "a member twice");
	refuses(incomplete, "no member where one is needed");
}

int
main(void)
{
	test_members();
	test_ignored();
	test_refused();
	return done_testing();
}
