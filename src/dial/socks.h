/* The handshake with a SOCKS proxy (RFC 1928, RFC 1929; SOCKS4 and 4a). */
#ifndef DIAL_SOCKS_H
#define DIAL_SOCKS_H

struct tunnel;

/* Requests the target. 0, or -1 with the tunnel's error; see dial/tunnel.h. */
int socks_open(struct tunnel *t);

#endif
