/*
 * What a datagram has to say to be answered: a harmless question in the
 * protocol that usually lives on a port.
 */
#ifndef SCAN_UDP_PAYLOAD_H
#define SCAN_UDP_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

/* The payload for a UDP port and its size; without one, nothing and 0. */
const void *udp_payload_for(uint16_t port, size_t *size);

#endif
