/* Files of a record: their names, what is in them, and errors. */
#include "relay/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/conn_event.h"

static char folder[] = "/tmp/sockt-record-XXXXXX";
static struct conn conn;

/* The path of a file in the folder. */
static const char *
path_of(const char *name)
{
	static char paths[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(paths[next], sizeof(paths[0]), "%s/%s", folder, name);
	return paths[next];
}

static void
holds(const char *name, const char *want)
{
	char text[4096] = "no file";
	FILE *f = fopen(path_of(name), "r");

	if (f != NULL) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	is_text(text, want, name);
	unlink(path_of(name));
}

static void
is_misuse(const char *output, const char *hexdump, bool append, bool at_once,
    const char *why)
{
	const struct recorder_options o = {output, hexdump, append};
	struct err e = ERR_INIT;

	if (why == NULL) {
		ok(recorder_check(&o, at_once, &e) == 0, "%s is taken",
		    output != NULL ? output : hexdump);
		return;
	}
	ok(recorder_check(&o, at_once, &e) < 0 && e.kind == ERR_USAGE &&
		strncmp(e.text, why, strlen(why)) == 0,
	    "%s", e.text);
}

static void
test_names(void)
{
	is_misuse("a", NULL, false, false, NULL);
	is_misuse("%n%d%%", NULL, true, true, NULL);
	is_misuse(NULL, "%n%%", true, true, NULL);
	is_misuse(NULL, "a", false, true, NULL);
	is_misuse("a", NULL, false, true, "--output: the bytes of several");
	is_misuse("%%n", NULL, false, true, "--output: the bytes of several");
	is_misuse("%d", NULL, false, true, "--output: the bytes of several");
	is_misuse("a%", NULL, false, false,
	    "--output: after % there may be n (the number of the connection), "
	    "d (received or sent) or another %");
	is_misuse("%x", NULL, false, false, "--output: after %");
	is_misuse("file%", NULL, false, false, "--output: after %");
	is_misuse("file%", NULL, true, true, "--output: after %");
	is_misuse("%n%x", NULL, false, false, "--output: after %");
	is_misuse(NULL, "%d", false, false,
	    "--hexdump: after % there may be n (the number of the connection) "
	    "or another %");
	is_misuse("-", NULL, true, false, "--append goes with a file");
	is_misuse(NULL, "-", true, false, "--append goes with a file");
	is_misuse("-", "a", true, false, NULL);
	is_misuse("a", "-", true, false, NULL);
}

/* Records two connections. */
static void
record(const char *output, bool append)
{
	const struct recorder_options o = {
	    .output = path_of(output), .append = append};
	struct recorder r = {
	    .has_several = true, .until = deadline_none(), .idle_ms = -1};
	struct err e = ERR_INIT;
	int result = recorder_open(&r, &o, &e);
	unsigned i;

	ok(r.is_on, "there is something to record");
	for (i = 0; result == 0 && i < 2; i++) {
		conn.number = i == 0 ? 0 : 22;
		result = recorder_begin(&r, &conn, &e);
		if (result == 0)
			result = recorder_add(&r, true, "sent", i + 3, &e);
		if (result == 0)
			result = recorder_add(&r, false, "received", i + 7, &e);
		result = recorder_end(&r, result, &e);
	}
	is_int(recorder_close(&r, result, &e), 0, e.text);
	ok(r.output[0].path == NULL && r.output[0].fd < 0, "closed");
}

static void
test_outputs(void)
{
	record("all", false);
	holds("all", "receivereceived");
	record("each%n", false);
	holds("each1", "receive");
	holds("each22", "received");
	record("%d", false);
	holds("received", "receivereceived");
	holds("sent", "sensent");
	record("%n%%%d%n", false);
	holds("1%received1", "receive");
	holds("1%sent1", "sen");
	holds("22%received22", "received");
	holds("22%sent22", "sent");
	record("long", false);
	record("long", false);
	holds("long", "receivereceived");
	record("long", false);
	record("long", true);
	holds("long", "receivereceivedreceivereceived");
}

static void
test_dump(void)
{
	const char *path = path_of("dump");
	const struct recorder_options o = {.hexdump = path};
	struct recorder r = {.until = deadline_none(), .idle_ms = -1};
	const struct recorder_datagram d = {
	    .remote = &conn.remote, .bytes = "ab", .length = 2};
	struct err e = ERR_INIT;
	char text[1024];
	FILE *f;

	addr_loopback(&conn.remote, AF_INET, 7);
	conn.number = 0;
	is_int(recorder_open(&r, &o, &e), 0, "a dump");
	is_int(recorder_begin(&r, &conn, &e), 0, "begins");
	is_int(recorder_add(&r, true, "xyz", 3, &e), 0, "with bytes");
	is_int(recorder_add_datagram(&r, &d, &e), 0, "and a datagram");
	is_int(recorder_end(&r, -1, &e), -1, "an error stays one");
	is_int(recorder_close(&r, 0, &e), 0, "it is closed");
	f = fopen(path, "r");
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	unlink(path);
	ok(strstr(text, "> sent") == text && strstr(text, "xyz") != NULL,
	    "what is sent");
	ok(strstr(text, "< received from 127.0.0.1 port 7") != NULL &&
		strstr(text, "|ab|") != NULL,
	    "what is received: %s", text);
}

/* A file that cannot be opened, or accepts nothing. */
static void
test_errors(void)
{
	struct recorder_options o = {.output = "/nowhere/a\033"};
	struct recorder r = {.until = deadline_none(), .idle_ms = -1}, none;
	struct err e = ERR_INIT;

	is_int(recorder_open(&r, &o, &e), -1, "a file in no folder");
	is_int(e.kind, ERR_OUTPUT, "cannot be opened");
	is_int(recorder_close(&r, -1, &e), -1, "the error stays");
	memset(&none, 0, sizeof(none));
	is_int(recorder_close(&none, 0, &e), 0, "without a record, no error");
	is_int(recorder_close(&none, -1, &e), -1, "nor is one lost");
	o.output = "/dev/full";
	o.append = true;
	memset(&r, 0, sizeof(r));
	r.until = deadline_none();
	r.idle_ms = -1;
	if (access(o.output, W_OK) < 0 || recorder_open(&r, &o, &e) < 0)
		return skip(3, "no /dev/full");
	is_int(recorder_begin(&r, &conn, &e), 0, "a full disk");
	is_int(recorder_add(&r, false, "a", 1, &e), -1, "accepts nothing");
	ok(e.kind == ERR_OUTPUT && e.errnum == ENOSPC &&
		strstr(e.text, "/dev/full: ") == e.text,
	    "%s", e.text);
	recorder_close(&r, -1, &e);
}

/* Closing may show that what was written is lost. */
static void
test_close(void)
{
	const struct recorder_options o = {.output = path_of("lost")};
	struct recorder r = {.until = deadline_none(), .idle_ms = -1};
	struct err e = ERR_INIT;

	if (recorder_open(&r, &o, &e) < 0)
		abort();
	close(r.output[0].fd);
	is_int(recorder_close(&r, 0, &e), -1, "closing fails");
	ok(e.kind == ERR_OUTPUT && e.errnum == EBADF &&
		strstr(e.text, "/lost: ") != NULL,
	    "%s", e.text);
	if (recorder_open(&r, &o, &e) < 0)
		abort();
	err_set(&e, ERR_LOST, "an earlier error");
	close(r.output[0].fd);
	is_int(recorder_close(&r, -1, &e), -1, "closing fails");
	is_text(e.text, "an earlier error", "an earlier error stays");
	unlink(o.output);
}

/* A FIFO whose reader takes nothing. */
static void
test_limits(void)
{
	const struct recorder_options o = {.output = path_of("fifo")};
	struct recorder r = {.until = deadline_none(), .idle_ms = 50};
	static char bytes[1 << 17];
	struct err e = ERR_INIT;
	int fd;

	if (mkfifo(o.output, 0600) < 0)
		abort();
	fd = open(o.output, O_RDONLY | O_NONBLOCK);
	if (recorder_open(&r, &o, &e) < 0 || recorder_begin(&r, &conn, &e) < 0)
		abort();
	is_int(recorder_add(&r, false, bytes, sizeof(bytes), &e), -1,
	    "a FIFO that nobody reads");
	ok(e.kind == ERR_TIMEOUT &&
		strstr(e.text, "its reader took nothing within 50 ms "
			       "(--idle-timeout)") != NULL,
	    "%s", e.text);
	recorder_close(&r, -1, &e);
	close(fd);
	unlink(o.output);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		abort();
	test_names();
	test_outputs();
	test_dump();
	test_errors();
	test_close();
	test_limits();
	ok(rmdir(folder) == 0, "there are no other files");
	return done_testing();
}
