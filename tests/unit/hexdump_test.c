/* Hex dumps of pieces of any length. */
#include <sys/socket.h>
#include <unistd.h>

#include "relay/hexdump.h"
#include "lib/tap.h"

static int
write_message(void *context, const void *bytes, size_t n)
{
	return write(*(int *)context, bytes, n) == (ssize_t)n ? 0 : -1;
}

int
main(void)
{
	static unsigned char bytes[5000];
	static char got[1 << 20], all[1 << 20];
	int ends[2], writes = 0, cut = 0;
	struct hexdump h;
	ssize_t n;

	/* Each write(2) is a message of its own. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		return 1;
	hexdump_start(&h, write_message, &ends[1]);
	is_int(hexdump_add(&h, HEXDUMP_SENT, bytes, sizeof(bytes)), 0, "sent");
	is_int(hexdump_add(&h, HEXDUMP_RECEIVED, "Hello", 5), 0, "received");
	close(ends[1]);
	while ((n = read(ends[0], got, sizeof(got) - 1)) > 0) {
		got[n] = '\0';
		cut += got[n - 1] != '\n';
		writes++;
		strcat(all, got);
	}
	close(ends[0]);
	ok(writes > 2, "a long piece takes several writes");
	is_int(cut, 0, "and each of them is whole lines");
	ok(strstr(all, "\n00001380  00 00 00 00 00 00 00 00 ") != NULL &&
		strstr(all, "  |........|\n< received at ") != NULL,
	    "nothing is missing at the end");
	ok(strstr(all, ": 5 bytes from offset 0\n00000000  48 65 6c 6c 6f") !=
		NULL,
	    "the other direction has offsets of its own");
	return done_testing();
}
