/* One client of serve-hello, in its own process: the functions that both
 * protocols share, and HTTP. The tutorials' protocol is in serve_hello.c. */
#ifndef CMD_HELLO_CLIENT_H
#define CMD_HELLO_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "base/template.h"
#include "cmd/options.h"
#include "serve/session.h"

struct conn;
struct message;

struct hello_options {
	struct report_options report;
	struct name_options names;
	struct time_options time;
	struct sock_options sock;
	struct access_options access;
	struct accept_options server;
	struct bind_options bind;
	const char *greeting;
	const char *reply; /* NULL: the protocol's default */
	const char *quit_word;
	int64_t messages; /* maximum per client; 0: any number */
	int64_t delay_ms; /* before each answer */
	int http;
};

/* The state that every client's process starts with. */
struct hello_server {
	const struct hello_options *o;
	const struct opt *const *used; /* the options that were given */
	struct template reply;
	unsigned char *greeting; /* owned */
	size_t greeting_length;
	size_t quit_length; /* of o->quit_word */
};

struct hello_client {
	const struct hello_server *server;
	const struct conn *conn;
	struct session session;
	int64_t answered; /* messages answered */
};

/* Logs a message or a request as an event or a line. */
void hello_client_log(const struct hello_client *c, const char *name,
    const void *bytes, size_t n);

/* Makes the reply to a message; it ends as the message does. Returns its
 * length, or -1 if it is longer than size. */
ssize_t hello_client_reply(const struct hello_client *c,
    const struct message *m, unsigned char *reply, size_t size);

/* Waits for --delay. Returns 0, or -1 when the connection's time limit has
 * passed. */
int hello_client_delay(struct hello_client *c);

/* Receives an HTTP request and sends the response, each within limit_ms.
 * Returns 0, or -1 with the session's error. */
int hello_client_serve_http(struct hello_client *c, int64_t limit_ms);

#endif
