/* Programs that answer datagrams: what they get, what they answer, when they
 * are killed, and that no descriptor stays open. */
#include "udp/udp_programs.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "net/signals.h"

static struct dgram_endpoints endpoints;

static int
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* The descriptor that is opened next. */
static int
first_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int
run(struct udp_programs *w, const void *bytes, size_t length, struct err *e)
{
	const struct dgram d = {
	    .bytes = (unsigned char *)bytes, .length = length};

	return udp_programs_run(w, &d, &endpoints, e);
}

/* Polls until a program has ended. Its number of polls is limited. */
static struct udp_program *
wait_for_one(struct udp_programs *w)
{
	struct udp_program *p = NULL;
	struct pollfd fds[8];
	struct deadline until;
	int i, ms;

	for (i = 0; i < 20000 && p == NULL; i++) {
		until = deadline_after(10000);
		size_t n = udp_programs_pollfds(w, fds, &until);

		ms = deadline_poll_ms(until);
		/* The end of a process is not polled for here. */
		poll(fds, (nfds_t)n, n == 0 && ms > 1 ? 1 : ms);
		p = udp_programs_advance(w);
	}
	if (p == NULL)
		abort();
	return p;
}

/* A shell script answers a datagram. Its answer is in *w's first slot. */
static struct udp_program *
answer(struct udp_programs *w, const char *script, const void *bytes,
    size_t length, int64_t limit_ms)
{
	static char *argv[4];
	struct err e = ERR_INIT;

	argv[0] = (char *)"sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)script;
	udp_programs_start(w, argv, 4, limit_ms);
	if (run(w, bytes, length, &e) < 0)
		abort();
	return wait_for_one(w);
}

static void
end(struct udp_programs *w, struct udp_program *p)
{
	udp_programs_remove(w, p);
	is_int((long long)w->count, 0, "it is removed");
	udp_programs_stop(w);
}

static void
test_answers(void)
{
	struct udp_programs w;
	struct udp_program *p;
	int before = count_fds();

	p = answer(&w, "tr a-z A-Z; exit 3", "hello", 5, 10000);
	ok(p->answer.length == 5 && memcmp(p->answer.bytes, "HELLO", 5) == 0,
	    "the payload is answered");
	ok(p->status == 3 && !p->timed_out && p->errnum == 0 && !p->too_long,
	    "with the status of the program");
	end(&w, p);
	p = answer(&w, "exit 0", "hello", 5, 10000);
	ok(p->answer.length == 0 && p->status == 0 && p->errnum == 0,
	    "a program need not read, nor answer");
	end(&w, p);
	p = answer(&w, "wc -c | tr -d ' \\n'", "", 0, 10000);
	ok(p->answer.length == 1 && p->answer.bytes[0] == '0',
	    "an empty datagram");
	end(&w, p);
	p = answer(&w, "printf %s $UDPLOCALPORT,$UDPREMOTEPORT", "", 0, 10000);
	ok(p->answer.length == 3 && memcmp(p->answer.bytes, "1,2", 3) == 0,
	    "a program knows both ends");
	end(&w, p);
	is_int(count_fds(), before, "no descriptor stays open");
}

static void
test_sizes(void)
{
	static unsigned char payload[DGRAM_PAYLOAD_SIZE];
	struct udp_programs w;
	struct udp_program *p;
	size_t i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (unsigned char)(i * 7 + i / 251);
	p = answer(&w, "cat", payload, sizeof(payload), 10000);
	ok(p->answer.length == sizeof(payload) && !p->too_long &&
		memcmp(p->answer.bytes, payload, sizeof(payload)) == 0,
	    "the longest answer");
	end(&w, p);
	p = answer(&w, "cat; echo", payload, sizeof(payload), 10000);
	ok(p->answer.length == sizeof(payload) && p->too_long,
	    "one byte more is too long");
	end(&w, p);
}

static void
test_limit(void)
{
	struct deadline until = deadline_after(60000);
	int before = count_fds();
	struct udp_programs w;
	struct udp_program *p;
	struct pollfd fds[2];

	p = answer(&w, "echo a; exec sleep 100", "x", 1, 200);
	ok(p->timed_out && p->status == 128 + SIGKILL,
	    "a program that takes too long is killed");
	ok(p->in < 0 && p->out < 0, "its pipes are closed");
	is_int((long long)udp_programs_pollfds(&w, fds, &until), 0,
	    "and not polled");
	ok(deadline_passed(until), "its time has passed");
	end(&w, p);
	is_int(count_fds(), before, "no descriptor stays open");
}

/* Several at once, until all are stopped. */
static void
test_several(void)
{
	char *argv[] = {(char *)"cat", NULL}, *none[] = {(char *)"/", NULL};
	int before = count_fds();
	struct deadline until = deadline_none();
	struct udp_programs w;
	struct udp_program *p;
	struct err e = ERR_INIT;
	struct pollfd fds[8];
	int i;

	udp_programs_start(&w, argv, 3, 10000);
	for (i = 0; i < 3; i++)
		is_int(run(&w, "abc", (size_t)i + 1, &e), 0, "one more");
	is_int((long long)udp_programs_pollfds(&w, fds, &until), 6,
	    "two pipes each are polled");
	ok(fds[0].events == POLLOUT && fds[1].events == POLLIN &&
		fds[4].fd == w.slots[2].in && fds[5].fd == w.slots[2].out,
	    "to write and to read");
	ok(deadline_is_set(until) &&
		until.at_ns <= w.slots[2].child.until.at_ns,
	    "until the first time limit");
	p = wait_for_one(&w);
	ok(p->answer.length == p->length && p->length >= 1, "one answers");
	udp_programs_remove(&w, p);
	is_int((long long)w.count, 2, "two are left");
	p = wait_for_one(&w);
	ok(p->answer.length == p->length, "another one answers");
	udp_programs_stop(&w);
	udp_programs_start(&w, none, 1, 10000);
	if (run(&w, "abc", 3, &e) == 0) {
		p = wait_for_one(&w);
		/* An emulator forks in place of vfork(2): 127. */
		ok(p->status == 126 || p->status == 127,
		    "one that cannot be executed");
	} else {
		ok(w.count == 0, "one that cannot be started");
	}
	udp_programs_stop(&w);
	is_int(count_fds(), before, "no descriptor stays open");
}

/* Without descriptors for both pipes, none stays open. */
static void
test_no_descriptors(void)
{
	char *argv[] = {(char *)"cat", NULL};
	int before = count_fds(), spare;
	struct udp_programs w;
	struct err e = ERR_INIT;
	struct rlimit old, few;

	udp_programs_start(&w, argv, 1, 10000);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	for (spare = 0; spare < 4; spare++) {
		few.rlim_cur = (rlim_t)first_free() + (rlim_t)spare;
		setrlimit(RLIMIT_NOFILE, &few);
		is_int(run(&w, "a", 1, &e), -1, "too few descriptors");
		setrlimit(RLIMIT_NOFILE, &old);
		ok(e.errnum == EMFILE && w.count == 0, "%s", e.text);
		is_int(count_fds(), before, "none stays open");
	}
	udp_programs_stop(&w);
}

int
main(void)
{
	signals_init();
	addr_loopback(&endpoints.local, AF_INET, 1);
	addr_loopback(&endpoints.remote, AF_INET, 2);
	test_answers();
	test_sizes();
	test_limit();
	test_several();
	test_no_descriptors();
	return done_testing();
}
