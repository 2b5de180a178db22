/* Hex dumps of pieces of any length. */
#include <sys/socket.h>
#include <unistd.h>

#include "relay/hexdump.h"
#include "lib/tap.h"

/* The writes of a dump, each a message of its own. */
struct dumped {
	int ends[2];
	int writes;
	size_t length;      /* of all */
	char last[1 << 16]; /* the last message */
	char all[1 << 20];
};

static int
write_message(void *context, const void *bytes, size_t n)
{
	struct dumped *d = context;

	return write(d->ends[1], bytes, n) == (ssize_t)n ? 0 : -1;
}

static void
receive(struct dumped *d)
{
	ssize_t n;

	shutdown(d->ends[1], SHUT_WR);
	while ((n = read(d->ends[0], d->last, sizeof(d->last) - 1)) > 0) {
		d->last[n] = '\0';
		d->writes++;
		memcpy(d->all + d->length, d->last, (size_t)n);
		d->length += (size_t)n;
	}
}

static bool
open_pair(struct dumped *d)
{
	memset(d, 0, sizeof(*d));
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, d->ends) == 0;
}

static void
test_one(struct dumped *d, const void *bytes)
{
	struct hexdump h;
	char line[128];

	if (!open_pair(d))
		exit(1);
	hexdump_init(&h, HEXDUMP_SIZE, write_message, d);
	is_int(hexdump_begin(&h, 0, ""), 0, "begun");
	is_int(hexdump_add(&h, HEXDUMP_SENT, bytes, 5000), 0, "sent");
	is_int(hexdump_add(&h, HEXDUMP_RECEIVED, "Hello", 5), 0, "received");
	hexdump_release(&h);
	receive(d);
	is_int(d->writes, 2, "a piece is one write");
	ok(strncmp(d->all, "> sent at ", 10) == 0, "no number");
	ok(strstr(d->all, "\n00001380  00 00 00 00 00 00 00 00 ") != NULL &&
		strstr(d->all, "  |........|\n< received at ") != NULL,
	    "nothing is missing at the end");
	snprintf(
	    line, sizeof(line), "\n00000000  48 65 6c 6c 6f%36s|Hello|\n", "");
	ok(strstr(d->last, ": 5 bytes from offset 0\n") != NULL &&
		strstr(d->last, line) != NULL,
	    "the other direction has offsets of its own");
}

static void
test_parts(struct dumped *d, const void *bytes)
{
	struct hexdump h;

	if (!open_pair(d))
		exit(1);
	hexdump_init(&h, 512, write_message, d);
	is_int(hexdump_begin(&h, 7, "192.0.2.1 port 80"), 0, "begun");
	is_int(hexdump_add(&h, HEXDUMP_RECEIVED, bytes, 5000), 0, "received");
	hexdump_release(&h);
	receive(d);
	ok(strncmp(d->all, "= connection 7 from 192.0.2.1 port 80 at ", 41) ==
		0,
	    "the number and the peer");
	is_int(d->writes, 1 + (5000 + 63) / 64, "parts of four lines");
	ok(strncmp(d->last, "< received on connection 7 at ", 30) == 0,
	    "each part names the connection");
	ok(strstr(d->last, ": 8 bytes from offset 4992\n00001380  ") != NULL,
	    "and its own length and offset");
}

static void
test_far(struct dumped *d)
{
	struct hexdump h;

	if (!open_pair(d))
		exit(1);
	hexdump_init(&h, 512, write_message, d);
	h.offsets[HEXDUMP_SENT] = UINT64_C(0x123456789);
	is_int(hexdump_add(&h, HEXDUMP_SENT, "\xff\x7e\x7f", 3), 0, "far");
	h.offsets[HEXDUMP_SENT] = UINT64_MAX;
	is_int(hexdump_add(&h, HEXDUMP_SENT, "0123456789abcdef", 16), 0,
	    "at the end");
	hexdump_release(&h);
	receive(d);
	ok(strstr(d->all, "\n123456789  ff 7e 7f  ") != NULL,
	    "an offset over 32 bits");
	ok(strstr(d->all, "  |.~.|\n") != NULL, "what is not printable");
	ok(strstr(d->last, "\nffffffffffffffff  30 31 32 33 34 35 36 37  38 39 "
			   "61 62 63 64 65 66  |0123456789abcdef|\n") != NULL,
	    "the longest line");
}

static void
test_datagrams(struct dumped *d, const unsigned char *bytes)
{
	struct hexdump h;

	if (!open_pair(d))
		exit(1);
	hexdump_init(&h, 512, write_message, d);
	h.peer = "192.0.2.1 port 53";
	is_int(hexdump_add_datagram(&h, HEXDUMP_SENT, bytes, 100), 0,
	    "a datagram in parts");
	h.peer = "unix:/a/path/that/is/so/long/that/it/would/not/fit/into/the/"
		 "first/line/of/a/piece/of/a/hex/dump/of/a/datagram/and/more";
	is_int(hexdump_add_datagram(&h, HEXDUMP_RECEIVED, "", 0), 0,
	    "an empty one");
	is_int(hexdump_add_datagram(&h, HEXDUMP_SENT, "x", 1), 0, "another");
	hexdump_release(&h);
	receive(d);
	ok(strncmp(d->all, "> sent to 192.0.2.1 port 53 at ", 31) == 0,
	    "its peer");
	ok(strstr(d->all, ": 64 bytes\n00000000  00 00 ") != NULL &&
		strstr(d->all, ": 36 bytes\n00000040  00 00 ") != NULL,
	    "the parts have offsets in it");
	ok(strstr(d->all, "\n< received from unix:/a/path/") != NULL &&
		strstr(d->all, ": 0 bytes\n> sent to unix:/a") != NULL,
	    "one line of the empty one");
	ok(strstr(d->last, ": 1 byte\n00000000  78  ") != NULL,
	    "the next one has offsets of its own");
}

int
main(void)
{
	static unsigned char bytes[5000];
	static struct dumped d;

	test_one(&d, bytes);
	test_parts(&d, bytes);
	test_far(&d);
	test_datagrams(&d, bytes);
	return done_testing();
}
