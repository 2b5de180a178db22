/* Probe payloads for well-known UDP ports. */
#include "scan/udp_payload.h"

/* RFC 1035: who serves the root? */
static const char dns[] = "so\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
/* RFC 5905: a client's request, version 4; the rest of 48 bytes is zero. */
static const char ntp[48] = {0x23};
/* RFC 1157: get sysDescr.0 of community "public". */
static const char snmp[] = "\x30\x26\2\1\0\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0"
			   "\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0";
/* RFC 8489: a binding request. */
static const char stun[] = "\0\1\0\0\x21\x12\xa4\x42sockt-a-scan";
/* RFC 5531: portmapper (100000), version 2, procedure 0, which does nothing. */
static const char rpc[] = "sckt\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\0"
			  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/* RFC 1002 4.2.17: node status of "*". */
static const char netbios[] = "so\0\0\0\1\0\0\0\0\0\0\x20"
			      "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\1";
/* RFC 7252: an empty confirmable message, a ping. */
static const char coap[] = "\x40\0\0\1";
/* memcached's UDP frame around "version". */
static const char memcached[] = "\0\1\0\0\0\1\0\0version\r\n";
/* UPnP: which devices are there? */
static const char ssdp[] = "M-SEARCH * HTTP/1.1\r\nHOST: "
			   "239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
			   "MX: 1\r\nST: ssdp:all\r\n\r\n";

static const struct {
	uint16_t port;
	uint16_t size;
	const char *bytes;
} payloads[] = {
    {53, sizeof(dns) - 1, dns},
    {111, sizeof(rpc), rpc},
    {123, sizeof(ntp), ntp},
    {137, sizeof(netbios) - 1, netbios},
    {161, sizeof(snmp) - 1, snmp},
    {1900, sizeof(ssdp) - 1, ssdp},
    {3478, sizeof(stun) - 1, stun},
    {5353, sizeof(dns) - 1, dns},
    {5683, sizeof(coap) - 1, coap},
    {11211, sizeof(memcached) - 1, memcached},
};

const void *
udp_payload_for(uint16_t port, size_t *size)
{
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		if (payloads[i].port == port) {
			*size = payloads[i].size;
			return payloads[i].bytes;
		}
	*size = 0;
	return "";
}
