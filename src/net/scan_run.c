#include "net/scan_run.h"

#include "net/scan_fast.h"
#include "net/sock.h"
#include "net/targets.h"

void
scan_address(const struct scan *s, uint64_t pair, struct addr *a)
{
	targets_host(s->o->targets, scan_host_number(s, pair),
	    scan_port_number(s, pair), a);
}

void
scan_drop_socket(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);

	fast_set_forget(s->set, id);
	sock_abort(&p->fd);
}

bool
scan_is_plentiful(const struct scan *s)
{
	return s->pool.used <= s->pool.most / 4;
}
