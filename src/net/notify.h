/* The state of a server, for the service manager that has started it. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

/*
 * Sends READY=1 to the unix datagram socket of NOTIFY_SOCKET (sd_notify(3)), a
 * path or "@NAME", and removes that variable from the environment, so that no
 * program sends in its place. Does nothing if it is not set. A failure is
 * reported with -v only. The socket stays open for notify_stopping().
 */
void notify_ready(void);

/* The same with STOPPING=1, after notify_ready(). */
void notify_stopping(void);

#endif
