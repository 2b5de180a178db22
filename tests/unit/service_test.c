/* Names of services: lines of services(5), and lists of them. */
#include "scan/service.h"

#include "lib/tap.h"

static const char text[] = "# comment\n"
			   "\n"
			   "ssh 22/tcp\n"
			   "domain\t\t53/udp nameserver # names\n"
			   "http 80/tcp\n"
			   "short 7\n"
			   "zero 0/tcp\n"
			   "high 65536/tcp\n"
			   "word x/tcp\n"
			   "alone\n"
			   "  last 65535/tcp";

static void
is_next(FILE *f, const char *name, const char *protocol, int port)
{
	struct service_line l;

	if (!ok(service_next(f, &l), "another line"))
		return;
	is_text(l.name, name, "its name");
	is_text(l.protocol, protocol, "its protocol");
	is_int(l.port, port, "its port");
}

static void
test_lines(void)
{
	struct service_line l;
	FILE *f = tmpfile();

	fputs(text, f);
	rewind(f);
	is_next(f, "ssh", "tcp", 22);
	is_next(f, "domain", "udp", 53);
	is_next(f, "http", "tcp", 80);
	is_next(f, "last", "tcp", 65535);
	ok(!service_next(f, &l), "no more");
	fclose(f);
}

/* A list as this system's file makes it. */
static void
test_list(const char *protocol)
{
	struct service_list list = {NULL, 0}, empty = {NULL, 0};
	size_t i, wrong = 0;

	is_text(service_name(&empty, 22) == NULL ? "none" : "some", "none",
	    "an empty list has no names");
	service_list_read(&list, protocol);
	for (i = 0; i < list.count; i++) {
		const struct service *s = &list.items[i];

		if (i > 0 && s->port <= s[-1].port)
			wrong++;
		if (service_name(&list, s->port) != s->name)
			wrong++;
		if ((i == 0 || s[-1].port != s->port - 1) &&
		    service_name(&list, (uint16_t)(s->port - 1)) != NULL)
			wrong++;
	}
	is_int((long long)wrong, 0, "each port once, in ascending order");
	service_list_release(&list);
	ok(list.items == NULL && list.count == 0, "nothing is left");
}

/* The first name of each port is the one of the list. */
static void
test_first_names(const char *protocol)
{
	static char first[65536][64];
	struct service_list list = {NULL, 0};
	FILE *f = fopen(SERVICE_FILE, "r");
	struct service_line l;
	const char *name;
	int port, wrong = 0;

	memset(first, 0, sizeof(first));
	while (f != NULL && service_next(f, &l))
		if (strcmp(l.protocol, protocol) == 0 && !*first[l.port])
			snprintf(first[l.port], sizeof(first[0]), "%s", l.name);
	if (f != NULL)
		fclose(f);
	service_list_read(&list, protocol);
	for (port = 0; port < 65536; port++) {
		name = service_name(&list, (uint16_t)port);
		wrong += strcmp(name == NULL ? "" : name, first[port]) != 0;
	}
	is_int(wrong, 0, "the first name of each port counts");
	service_list_release(&list);
}

int
main(void)
{
	test_lines();
	test_list("tcp");
	test_list("udp");
	test_first_names("tcp");
	test_first_names("udp");
	return done_testing();
}
