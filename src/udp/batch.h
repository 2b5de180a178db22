/*
 * Datagrams as the system moves them: batch_linux.c takes many by one
 * call, batch_posix.c is the portable twin. Only udp/dgram.c calls them.
 */
#ifndef UDP_BATCH_H
#define UDP_BATCH_H

#include <stdbool.h>
#include <stdint.h>

struct dgram;

/*
 * Datagrams, see udp/dgram.h, up to DGRAM_BATCH received and DGRAM_SENDS sent
 * at once and without waiting.
 * The number that was moved, or -1 with errno for the first.
 */
int batch_receive(int fd, struct dgram *d, int count);
int batch_send(int fd, const struct dgram *d, int count);

/*
 * Asks for the address that each datagram comes to. The portable twin knows
 * it for IPv6 sockets (RFC 3542), which take IPv4 too, and where there is
 * IP_RECVDSTADDR; elsewhere answers leave from the address that the system
 * chooses.
 */
void batch_prepare(int fd, int family);

/* Datagrams dropped for want of room; false where nothing is told. */
bool batch_lost(int fd, uint32_t *lost);

/* Takes the oldest that queues: its errno, 0 for what is none of ICMP's, or -1
 * when there is no more. */
int batch_take_error(int fd);

#endif
