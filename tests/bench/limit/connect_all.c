/*
 * What a plain C loop can do, to compare portscan with: connects to every
 * port of 127.0.0.1 with one socket, again after each refusal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = -1, port;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (port = 1; port < 65536; port++) {
		a.sin_port = htons((uint16_t)port);
		if (fd < 0)
			fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
			printf("%d/tcp open\n", port);
			close(fd);
			fd = -1;
		}
	}
	return 0;
}
