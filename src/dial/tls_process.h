/*
 * The process of a TLS connection. It starts openssl, which can only connect
 * to an address, and relays between it and a connection that sockt has made.
 */
#ifndef DIAL_TLS_PROCESS_H
#define DIAL_TLS_PROCESS_H

struct tls_request;

/*
 * Runs the process, a child that exits afterwards: TLS on fd, plain bytes on
 * inner, and on errors what openssl writes to stderr and the lines of
 * dial/tls_report.h. Returns the exit status of openssl, or 1 if it was not
 * started.
 */
int tls_process_run(
    const struct tls_request *request, int fd, int inner, int errors);

#endif
