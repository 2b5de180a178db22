/*
 * --fd and the environment of socket activation. No descriptor here is a
 * socket, so whatever is announced is an error with a text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/inherited.h"
#include "net/listener.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *text)
{
	struct inherited_options o = {.text = text, .type = SOCK_STREAM};
	struct listener l;
	struct err e = ERR_INIT;

	if (inherited_sockets(&l, &o, &e) == 0 || e.text[0] == '\0' ||
	    (e.kind != ERR_USAGE && e.kind != ERR_LOCAL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[128], pid[32], *second;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	second = strchr(text, '\n');
	if (second != NULL)
		*second++ = '\0';
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", second != NULL ? second : pid, 1);
	setenv("LISTEN_FDS", text, 1);
	check("systemd");
	return 0;
}
