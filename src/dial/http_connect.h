/* The handshake with an HTTP proxy: CONNECT (RFC 9110 section 9.3.6). */
#ifndef DIAL_HTTP_CONNECT_H
#define DIAL_HTTP_CONNECT_H

struct tunnel;

/* Requests the target. 0, or -1 with the tunnel's error; see dial/tunnel.h. */
int http_connect_open(struct tunnel *t);

#endif
