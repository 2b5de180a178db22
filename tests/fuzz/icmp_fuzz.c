/*
 * ICMP errors as the kernel reports them, with whatever a router has put into
 * them: each has words of the kind that errors consist of, or none.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "net/icmp.h"
#include "net/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const sa_family_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct os_error q = {0};
	struct addr to;
	const char *text;
	enum err_place place;

	memcpy(&q, data, size < sizeof(q) ? size : sizeof(q));
	q.sender.u.sa.sa_family = families[q.sender.len % 3];
	q.sender.len = q.family == AF_INET6 ? sizeof(q.sender.u.in6)
					    : sizeof(q.sender.u.in4);
	addr_loopback(&to, q.family == AF_INET6 ? AF_INET6 : AF_INET, 9);
	(void)icmp_is_exceeded(&q);
	for (place = ERR_AT_TCP; place <= ERR_AT_FILE; place <<= 1) {
		text = icmp_text(&q, &to, place);
		if (text == NULL)
			continue;
		if (text[0] == '\0' || strlen(text) + 1 >= TEXT_SLOT)
			abort();
		for (; *text != '\0'; text++)
			if (!isprint((unsigned char)*text))
				abort();
	}
	return 0;
}
