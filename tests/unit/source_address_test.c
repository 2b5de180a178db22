/* Control messages that carry the local address of a datagram. */
#include "udp/source_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/tap.h"

/* What is written is what is read. */
static void
keeps(const char *text)
{
	union source_address_control control;
	struct msghdr m = {.msg_name = NULL};
	struct addr local, got;
	char shown[ADDR_IP_TEXT];

	if (!addr_parse_ip(&local, text, 0))
		abort();
	memset(&control, 0xff, sizeof(control));
	memset(&got, 0xff, sizeof(got));
	source_address_write(&m, &control, &local);
	if (m.msg_control == NULL)
		return skip(2, "not on this system");
	ok(m.msg_controllen > 0 && m.msg_controllen <= sizeof(control) &&
		m.msg_controllen % sizeof(size_t) == 0,
	    "%s: %zu bytes", text, (size_t)m.msg_controllen);
	source_address_read(&m, &got);
	is_text(addr_format_ip(&got, shown, sizeof(shown)), text,
	    "the address is the same");
}

/* Messages of any length follow each other. */
static void
test_list(void)
{
	union source_address_control control;
	struct msghdr m = {.msg_control = &control};
	struct cmsghdr *c;
	size_t n, total = 0;

	for (n = 1; n <= 3; n++) {
		memset(&control, 0xff, sizeof(control));
		m.msg_controllen = 0;
		source_address_add_control(&m,
		    &(struct cmsghdr){.cmsg_level = 1,
			.cmsg_type = 2,
			.cmsg_len = (socklen_t)(n * 4)},
		    "abcdefghijkl");
		source_address_add_control(&m,
		    &(struct cmsghdr){
			.cmsg_level = 3, .cmsg_type = 4, .cmsg_len = 1},
		    "z");
		total = CMSG_SPACE(n * 4) + CMSG_SPACE(1);
		is_int((long long)m.msg_controllen, (long long)total,
		    "two messages");
		c = CMSG_FIRSTHDR(&m);
		ok(c->cmsg_level == 1 && c->cmsg_type == 2 &&
			c->cmsg_len == CMSG_LEN(n * 4) &&
			memcmp(CMSG_DATA(c), "abcdefghijkl", n * 4) == 0,
		    "the first one");
		c = CMSG_NXTHDR(&m, c);
		ok(c != NULL && c->cmsg_level == 3 && c->cmsg_type == 4 &&
			c->cmsg_len == CMSG_LEN(1) && *CMSG_DATA(c) == 'z',
		    "the second one");
	}
}

/* A message of another kind says nothing. */
static void
test_others(void)
{
	union source_address_control control;
	struct msghdr m = {.msg_control = &control};
	struct addr got = {.len = 1};
	int level;

	for (level = 0; level < 64; level++) {
		memset(&control, 0, sizeof(control));
		m.msg_controllen = 0;
		source_address_add_control(&m,
		    &(struct cmsghdr){
			.cmsg_level = level, .cmsg_type = 99, .cmsg_len = 20},
		    "abcdefghijklmnopqrst");
		source_address_read(&m, &got);
		if (got.len != 0)
			ok(false, "level %d", level);
	}
	m.msg_controllen = 0;
	source_address_read(&m, &got);
	is_int(got.len, 0, "without a message it is not known");
	source_address_write(&m, &control, &got);
	ok(m.msg_control == NULL, "and none is sent");
}

int
main(void)
{
	keeps("192.0.2.1");
	keeps("127.0.0.1");
	keeps("2001:db8::1");
	test_list();
	test_others();
	return done_testing();
}
