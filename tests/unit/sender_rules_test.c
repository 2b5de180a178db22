/* The rules of a sender: the numbers of replies, the rate, the window. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/tap.h"
/* The rules are static. */
#include "udp/sender.c"

static void
finds(const char *text, int64_t want)
{
	struct dgram d = {
	    .bytes = (unsigned char *)text, .length = strlen(text)};

	ok(find_number(&d) == want, "the number of '%s'", text);
}

static void
test_numbers(void)
{
	finds("", -1);
	finds("#", -1);
	finds("#7", -1);
	finds("# ", -1);
	finds("#0 ", 0);
	finds("#9 ", 9);
	finds("#1234567890 x", 1234567890);
	finds("7 ", -1);
	finds("#7x", -1);
	finds("#/ ", -1);
	finds("#: ", -1);
	finds("#1/ ", -1);
	finds("#1: ", -1);
	finds("#-1 ", -1);
	finds("Hello, #12 x!", 12);
	finds("#x #3 ", 3);
	finds("##4 ", 4);
	finds("#5#6 ", 6);
	finds("#7 #8 ", 7);
	finds("#922337203685477580 ", INT64_MAX / 10);
	finds("#9223372036854775799 ", -1);
	finds("#99999999999999999999 ", -1);
}

/* A sender of options, which has sent that many datagrams. */
static struct sender
sender_of(const struct sender_options *o, uint64_t sent)
{
	struct sender x = {.o = o, .stats.sent = sent};

	return x;
}

static void
test_rate(void)
{
	struct sender_options o = {.interval_ns = 1000};
	struct sender x = sender_of(&o, 0);

	x.next_ns = 5000;
	is_int(limit_rate(&x, 10, 4999), 0, "too early");
	is_int(limit_rate(&x, 10, 5000), 1, "the next one");
	is_int(limit_rate(&x, 10, 6999), 2, "two of them");
	is_int(limit_rate(&x, 1, 6999), 1, "but no more than wanted");
	is_int(limit_rate(&x, 0, 6999), 0, "perhaps none");
	is_int(limit_rate(&x, -1, 6999), -1, "or less");
	is_int(x.next_ns, 5000, "from its time on");
	is_int(limit_rate(&x, 1000, 5000 + MAX_LATE_NS), 1000,
	    "a delay is made up for");
	is_int(x.next_ns, 5000, "the whole delay");
	is_int(limit_rate(&x, 1000000, 6000 + MAX_LATE_NS),
	    MAX_LATE_NS / 1000 + 1, "up to a limit");
	is_int(x.next_ns, 6000, "and no more");
	o.interval_ns = 0;
	is_int(limit_rate(&x, 10, 0), 10, "without a rate there is no limit");
}

static void
test_window(void)
{
	struct sender_options o = {.replies = 1, .window = 7};
	struct sender x = sender_of(&o, 0);

	is_int(allowance(&x, 0), 7, "the window");
	x.stats.awaited = 5;
	is_int(allowance(&x, 0), 2, "without what is not answered");
	x.is_trial = true;
	is_int(allowance(&x, 0), 1, "one only, as a trial");
	x.stats.sent = 1;
	is_int(allowance(&x, 0), 0, "and no second one");
	x.is_trial = false;
	o.count = 2;
	is_int(allowance(&x, 0), 1, "what is missing to the count");
	o.window = BATCH_MAX_SEND + 10;
	o.count = 0;
	is_int(allowance(&x, 0), BATCH_MAX_SEND, "at most a batch");
	o.replies = SENDER_NO_REPLY;
	o.window = 1;
	is_int(allowance(&x, 0), BATCH_MAX_SEND, "without replies, no window");
	x.numbered = (unsigned char *)"";
	is_int(allowance(&x, 0), BATCH_MAX_RECEIVE, "fewer with numbers");
}

static void
test_end(void)
{
	struct sender_options o = {.count = 2};
	struct sender x = sender_of(&o, 1);

	ok(!is_complete(&x), "one of two is not all");
	x.stats.sent = 2;
	ok(is_complete(&x), "two are");
	x.out_count = 1;
	ok(!is_complete(&x), "unless one is lent");
	x.sent = 1;
	o.count = 0;
	ok(!is_complete(&x), "without a count");
	x.ended = true;
	ok(is_complete(&x), "the source ends it");
}

/* "#N " before a message. */
static void
test_number_messages(void)
{
	static unsigned char numbered[2][BATCH_PAYLOAD_SIZE + NUMBER_SIZE];
	static unsigned char longest[BATCH_PAYLOAD_SIZE + 1];
	struct sender_options o = {.number = true};
	struct sender x = sender_of(&o, 41);
	struct dgram d = {.bytes = (unsigned char *)"ab", .length = 2};
	struct err e = ERR_INIT;

	x.numbered = numbered[0];
	x.out_count = 1;
	is_int(number_message(&x, &d, &e), 0, "a message gets its number");
	ok(d.bytes == numbered[1] && d.length == 6 &&
		memcmp(d.bytes, "#42 ab", 6) == 0,
	    "before its text");
	d.bytes = longest;
	d.length = BATCH_PAYLOAD_SIZE;
	is_int(number_message(&x, &d, &e), 0, "so does the longest");
	is_int(
	    (long long)d.length, BATCH_PAYLOAD_SIZE + 4, "which gets longer");
	d.length = BATCH_PAYLOAD_SIZE + 1;
	is_int(number_message(&x, &d, &e), -1, "but not a longer one");
	is_int(e.kind, ERR_LOCAL, "an error of this machine");
}

/* A datagram that was sent ends what blocked the one before. */
static void
test_unblock(void)
{
	struct sender x = {.block = SENDER_PAUSED,
	    .pause.pause = 7,
	    .timeout.at_ns = 7,
	    .retried = true,
	    .was_writable = true};

	unblock(&x);
	ok(x.block == SENDER_FREE && x.pause.pause == 0, "no pause");
	ok(!deadline_is_set(x.timeout), "no time limit");
	ok(!x.retried, "another one may be tried again");
	ok(!x.was_writable, "poll(2) is believed");
}

/* A sender of one reply per datagram if none are wanted. */
static void
test_use(void)
{
	static const int64_t wanted[][2] = {
	    {SENDER_NO_REPLY, 1}, {SENDER_ANY_REPLIES, 0}, {1, 1}, {3, 3}};
	struct sender_options o = {.timeout_ms = 1000};
	struct sender_target to = {.fd = -1, .unconnected = true};
	struct sender x;
	size_t i;

	addr_loopback(&to.peer, AF_INET, 7);
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		o.replies = wanted[i][0];
		sender_start(&x, &o);
		x.out_count = 2;
		x.sent = 1;
		x.out[0].remote.len = x.out[1].remote.len = 0;
		x.block = SENDER_FULL;
		sender_use(&x, &to);
		is_int(x.stats.wanted, wanted[i][1], "replies to each");
		ok(x.sent == 0 && x.block == SENDER_FREE, "all are sent again");
		ok(addr_equal(&x.out[0].remote, &to.peer) &&
			addr_equal(&x.out[1].remote, &to.peer),
		    "to the new address");
		ok(x.is_trial, "one at first");
		sender_release(&x);
	}
}

static int idle_result;

static int
on_idle(void *context, struct err *e)
{
	(void)context;
	return idle_result < 0 ? err_set(e, ERR_OUTPUT, "full") : 0;
}

/* A wait for space in a socket, which has some. */
static void
test_wait(void)
{
	struct sender_options o = {.replies = SENDER_NO_REPLY,
	    .until = deadline_after(10000),
	    .on_idle = on_idle};
	struct sender_target to = {.fd = socket(AF_INET, SOCK_DGRAM, 0)};
	struct err e = ERR_INIT;
	struct sender x;

	sender_start(&x, &o);
	sender_use(&x, &to);
	x.out_count = 1;
	x.block = SENDER_FULL;
	x.resume = deadline_none();
	is_int(wait_more(&x, &e), 0, "there is space");
	ok(x.was_writable, "poll(2) has reported it");
	wait_for_space(&x, EAGAIN, &e);
	is_int(x.block, SENDER_PAUSED, "if that was wrong, a pause follows");
	x.resume.at_ns = 1;
	is_int(wait_more(&x, &e), 0, "which ends");
	ok(!x.was_writable, "poll(2) was not asked for space");
	wait_for_space(&x, EAGAIN, &e);
	is_int(x.block, SENDER_FULL, "but is now");
	idle_result = -1;
	is_int(wait_more(&x, &e), -1, "what was received cannot be written");
	is_text(e.text, "full", "the error of that");
	sender_release(&x);
	close(to.fd);
}

int
main(void)
{
	test_wait();
	test_use();
	test_unblock();
	test_numbers();
	test_rate();
	test_window();
	test_end();
	test_number_messages();
	return done_testing();
}
