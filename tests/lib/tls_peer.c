/*
 * A server of TLS 1.3 that renews its keys and asks for the same, as no program
 * does at a time that a test can choose: tls_peer CERT KEY MODE. It says its
 * port, and serves one connection:
 *
 *   late      after the client's end, sends PIECES times 100000 bytes and a key
 *             update
 *   meanwhile sends key updates while the client sends and nothing is read;
 *             then answers how many bytes there were
 *   flood     sends key updates for ever
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECES = 3, SIZE = 100000, REQUESTED = 1, PEM = 1 };

static void *library;
static void *ssl;

/* Calls a function of libssl that returns an int. */
#define CALL(name, parameters, arguments) \
	((int(*) parameters)find(name)) arguments

static void *
find(const char *name)
{
	void *function = dlsym(library, name);

	if (function == NULL) {
		fprintf(stderr, "no %s\n", name);
		exit(1);
	}
	return function;
}

static int
send_all(const void *bytes, int n)
{
	return CALL("SSL_write", (void *, const void *, int),
		   (ssl, bytes, n)) == n;
}

static int
renew(int requested)
{
	return CALL("SSL_key_update", (void *, int), (ssl, requested)) == 1 &&
	       CALL("SSL_do_handshake", (void *), (ssl)) == 1;
}

static long
read_all(void)
{
	static char bytes[1 << 16];
	long total = 0;
	int n;

	while ((n = CALL("SSL_read", (void *, void *, int),
		    (ssl, bytes, (int)sizeof(bytes)))) > 0)
		total += n;
	return total;
}

static void
serve(const char *mode)
{
	static char bytes[SIZE];
	char text[32];
	int i;

	memset(bytes, 'x', sizeof(bytes));
	if (strcmp(mode, "flood") == 0)
		while (renew(0))
			continue;
	if (strcmp(mode, "late") == 0)
		(void)read_all();
	else
		(void)poll(NULL, 0, 300);
	for (i = 0; i < PIECES; i++)
		if (strcmp(mode, "late") == 0 ? send_all(bytes, SIZE) : 1)
			(void)renew(REQUESTED);
	if (strcmp(mode, "meanwhile") == 0) {
		(void)poll(NULL, 0, 300);
		snprintf(text, sizeof(text), "%ld", read_all());
		(void)send_all(text, (int)strlen(text));
	}
	(void)CALL("SSL_shutdown", (void *), (ssl));
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t length = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), small = 8192, c;
	void *context;

	library = dlopen("libssl.so.3", RTLD_NOW);
	if (argc != 4 || library == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(l, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 1) < 0 ||
	    getsockname(l, (struct sockaddr *)&a, &length) < 0)
		return 1;
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	context = ((void *(*)(void *))find("SSL_CTX_new"))(
	    ((void *(*)(void))find("TLS_server_method"))());
	if (CALL("SSL_CTX_use_certificate_chain_file", (void *, const char *),
		(context, argv[1])) != 1 ||
	    CALL("SSL_CTX_use_PrivateKey_file", (void *, const char *, int),
		(context, argv[2], PEM)) != 1)
		return 1;
	c = accept(l, NULL, NULL);
	ssl = ((void *(*)(void *))find("SSL_new"))(context);
	if (CALL("SSL_set_fd", (void *, int), (ssl, c)) != 1 ||
	    CALL("SSL_accept", (void *), (ssl)) != 1)
		return 1;
	serve(argv[3]);
	shutdown(c, SHUT_WR);
	return recv(c, &small, sizeof(small), 0) < 0;
}
