/*
 * What a kernel before 4.19 does not report of a connection is not taken for
 * zero: getsockopt(2) is wrapped (ld's --wrap).
 */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pair.h"
#include "lib/tap.h"
#include "lib/time64.h"
#include "net/os.h"

#define SIZE_OF_4_18 200 /* of struct tcp_info */

static bool is_old;

int __real_getsockopt(int fd, int level, int name, void *v, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n);

int
__wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n)
{
	if (is_old && level == IPPROTO_TCP && *n > SIZE_OF_4_18)
		*n = SIZE_OF_4_18;
	return __real_getsockopt(fd, level, name, v, n);
}

int
main(void)
{
	struct os_tcp tcp;
	int ends[2];

	connect_pair(ends);
	if (os_tcp_info(ends[0], &tcp))
		is_int((long long)tcp.sent, 0, "nothing was sent");
	else
		skip(1, "this system does not report it");
	is_old = true;
	ok(!os_tcp_info(ends[0], &tcp), "an older system's report is not used");
	close(ends[0]);
	close(ends[1]);
	return done_testing();
}
