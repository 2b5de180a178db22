/* The reasons for a port's state, and the names of both. */
#include <stddef.h>

#include "scan/scan.h"

static const struct {
	const char *name;
	enum scan_state state;
} reasons[SCAN_REASONS] = {
    [SCAN_CONNECTED] = {"connected", SCAN_OPEN},
    [SCAN_ANSWERED] = {"answered", SCAN_OPEN},
    [SCAN_REFUSED] = {"refused", SCAN_CLOSED},
    [SCAN_SILENT] = {"no answer", SCAN_FILTERED},
    [SCAN_NO_REPLY] = {"no answer", SCAN_OPEN_FILTERED},
    [SCAN_HOST_UNREACH] = {"host unreachable", SCAN_FILTERED},
    [SCAN_NET_UNREACH] = {"network unreachable", SCAN_FILTERED},
    [SCAN_PROHIBITED] = {"prohibited", SCAN_FILTERED},
    [SCAN_PROTO_UNREACH] = {"protocol unreachable", SCAN_FILTERED},
    [SCAN_LOCAL] = {"failed on this side", SCAN_UNKNOWN},
    [SCAN_SKIPPED] = {"host skipped", SCAN_UNKNOWN},
};

enum scan_state
scan_state_of(enum scan_reason reason)
{
	return reasons[reason].state;
}

const char *
scan_reason_name(enum scan_reason reason)
{
	return reasons[reason].name;
}

const char *
scan_state_name(enum scan_state state)
{
	static const char *const names[] = {
	    "open", "closed", "filtered", "open|filtered", "unknown"};

	return names[state];
}
