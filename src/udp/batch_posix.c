/* Systems without calls for many datagrams: batch.c moves them one by one. */
#include "udp/batch.h"

#include <errno.h>

int
batch_receive_many(int fd, struct dgram *d, int count)
{
	(void)fd;
	(void)d;
	(void)count;
	errno = ENOSYS;
	return -1;
}

int
batch_send_many(int fd, const struct dgram *d, int count)
{
	(void)fd;
	(void)d;
	(void)count;
	errno = ENOSYS;
	return -1;
}

bool
batch_drops(int fd, uint32_t *count)
{
	(void)fd;
	(void)count;
	return false;
}
