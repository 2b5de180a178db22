/* echo PORT: sends one connection's bytes back, as small as it can be. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, c;
	static char text[65536];
	ssize_t n;

	a.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return 1;
	c = accept(fd, NULL, NULL);
	setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while ((n = read(c, text, sizeof(text))) > 0)
		if (write(c, text, (size_t)n) != n)
			return 1;
	return 0;
}
