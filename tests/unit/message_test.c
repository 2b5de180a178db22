/* The hello protocol's framing, byte by byte. */
#include "lib/tap.h"
#include "serve/message.h"

static struct message_reader h;

static void
put(const char *text)
{
	size_t n = strlen(text), done = 0, capacity = 1;
	unsigned char *space;

	while (done < n && capacity > 0) {
		space = message_space(&h, &capacity);
		if (capacity > n - done)
			capacity = n - done;
		memcpy(space, text + done, capacity);
		buf_added(&h.queue, capacity);
		done += capacity;
	}
	ok(done == n, "%zu bytes come", n);
}

static void
is_message(
    bool got, const struct message *m, const char *text, const char *newline)
{
	if (!ok(got, "there is a message"))
		return;
	ok(m->length == strlen(text) && memcmp(m->bytes, text, m->length) == 0,
	    "it is '%s'", text);
	ok(m->newline == strlen(newline) &&
		memcmp(m->bytes + m->length, newline, m->newline) == 0,
	    "and ends like that");
}

static void
test_lines(void)
{
	struct message m;

	message_init(&h);
	is_int(message_wait_ms(&h), -1, "nothing waits");
	put("one\ntwo\r\n\r\n\nlast");
	is_message(message_next_line(&h, &m), &m, "one", "\n");
	is_message(message_next_line(&h, &m), &m, "two", "\r\n");
	is_message(message_next_line(&h, &m), &m, "", "\r\n");
	is_message(message_next_line(&h, &m), &m, "", "\n");
	ok(!message_next_line(&h, &m), "the last one has no newline");
	is_int(message_wait_ms(&h), MESSAGE_LINE_MS, "a line client may pause");
	is_message(message_rest(&h, &m), &m, "last", "");
	ok(!message_rest(&h, &m), "that was all");
}

static void
test_split(void)
{
	const char *text = "Michael\r\n";
	struct message m;
	char one[2] = "";
	size_t i;

	message_init(&h);
	for (i = 0; text[i] != '\0'; i++) {
		ok(!message_next_line(&h, &m), "not yet");
		one[0] = text[i];
		put(one);
		is_int(message_wait_ms(&h), MESSAGE_BARE_MS, "waits a moment");
	}
	is_message(message_next_line(&h, &m), &m, "Michael", "\r\n");
}

static void
test_bound(void)
{
	static char most[MESSAGE_MAX + 1];
	struct message m;

	memset(most, 'x', MESSAGE_MAX);
	message_init(&h);
	put(most);
	ok(!message_is_too_long(&h), "the longest message");
	put("\r");
	ok(!message_is_too_long(&h), "may be followed by CR");
	put("\n");
	ok(!message_is_too_long(&h), "and LF");
	is_message(message_next_line(&h, &m), &m, most, "\r\n");
	put(most);
	put("y");
	ok(message_is_too_long(&h), "one byte more is too long");
	message_init(&h);
	put(most);
	put("y\n");
	ok(message_is_too_long(&h), "with its newline too");
	message_init(&h);
	put("short\n");
	put(most + 8);
	ok(!message_is_too_long(&h),
	    "what is behind a line does not count yet");
}

int
main(void)
{
	test_lines();
	test_split();
	test_bound();
	return done_testing();
}
