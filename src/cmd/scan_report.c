/* Collects, counts and prints the results of a port scan. */
#include "cmd/scan_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cmd/result.h"
#include "scan/targets.h"

/* The states of ports; each reason belongs to one. */
enum state {
	STATE_OPEN,
	STATE_CLOSED,
	STATE_FILTERED,
	STATE_OPEN_FILTERED, /* UDP: either of the two */
	STATE_UNKNOWN        /* for local reasons */
};

static const char *const state_names[] = {
    "open", "closed", "filtered", "open|filtered", "unknown"};

static const struct {
	const char *name;
	enum state state;
} reasons[SCAN_REASONS] = {
    [SCAN_CONNECTED] = {"connected", STATE_OPEN},
    [SCAN_ANSWERED] = {"answered", STATE_OPEN},
    [SCAN_REFUSED] = {"refused", STATE_CLOSED},
    [SCAN_SILENT] = {"no answer", STATE_FILTERED},
    [SCAN_NO_REPLY] = {"no answer", STATE_OPEN_FILTERED},
    [SCAN_HOST_UNREACH] = {"host unreachable", STATE_FILTERED},
    [SCAN_NET_UNREACH] = {"network unreachable", STATE_FILTERED},
    [SCAN_PROHIBITED] = {"prohibited", STATE_FILTERED},
    [SCAN_PROTO_UNREACH] = {"protocol unreachable", STATE_FILTERED},
    [SCAN_LOCAL] = {"failed on this side", STATE_UNKNOWN},
    [SCAN_SKIPPED] = {"host skipped", STATE_UNKNOWN},
};

/* The file itself is read, since getservent(3) does nothing in some C libraries
 * and loads half the name service in others. */
void
scan_report_read_services(struct scan_report *r)
{
	FILE *f = fopen("/etc/services", "re");
	char line[512], *name, *port, *protocol, *save;
	int64_t n;

	r->services = mem_array(UINT16_MAX + 1, sizeof(r->services[0]));
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "#\n")] = '\0';
		name = strtok_r(line, " \t", &save);
		port = name != NULL ? strtok_r(NULL, " \t/", &save) : NULL;
		protocol = port != NULL ? strtok_r(NULL, " \t", &save) : NULL;
		if (protocol == NULL || strcmp(protocol, r->protocol) != 0 ||
		    !num_parse(port, 1, UINT16_MAX, &n) ||
		    r->services[n] != NULL)
			continue;
		r->services[n] = mem_text(text_shown(name));
	}
	if (f != NULL)
		fclose(f);
}

/* The name of a port, or NULL. */
static const char *
service_name(const struct scan_report *r, uint16_t port)
{
	return r->services != NULL ? r->services[port] : NULL;
}

/* Frees what the results of a host need. */
static void
clear_host(struct scan_report_host *h)
{
	size_t i;

	for (i = 0; i < h->count; i++) {
		free((void *)h->rows[i].banner);
		free((void *)h->rows[i].by);
	}
	free(h->rows);
	memset(h, 0, sizeof(*h));
}

void
scan_report_clear(struct scan_report *r)
{
	size_t i;

	for (i = 0; i < r->slot_count; i++)
		clear_host(&r->slots[i]);
	for (i = 0; i < r->held_count; i++)
		clear_host(&r->held[i]);
	r->held_count = 0;
	memset(r->totals, 0, sizeof(r->totals));
	r->decided = r->open = r->closed = r->failed = 0;
	r->with_open = r->without = r->silent = r->unprobed = 0;
	r->failed_host.len = 0;
	r->failed_hosts = 0;
}

void
scan_report_release(struct scan_report *r)
{
	size_t i;

	scan_report_clear(r);
	for (i = 0; r->services != NULL && i <= UINT16_MAX; i++)
		free(r->services[i]);
	free(r->services);
	free(r->slots);
	free(r->held);
}

static const char *
state_name(enum scan_reason reason)
{
	return state_names[reasons[reason].state];
}

/* The host's address as text. */
static const char *
host_ip(const struct scan_report *r, uint64_t host)
{
	struct addr a;

	targets_host(r->targets, host, 0, &a);
	return addr_ip_text(&a);
}

/* The reason, and who has named it: "refused by 192.0.2.1". */
static const char *
reason_text(const struct scan_report *r, const struct scan_result *row)
{
	const char *name = reasons[row->reason].name, *by;

	if (row->by == NULL)
		return name;
	by = addr_ip_text(row->by);
	return text_format("%s%s %s", name,
	    row->reason == SCAN_REFUSED || row->reason == SCAN_PROHIBITED
		? " by"
		: ", says",
	    strcmp(by, host_ip(r, row->host)) == 0 ? "the host's firewall"
						   : by);
}

static void
emit_port(const struct scan_report *r, const struct scan_result *row)
{
	const char *service = service_name(r, row->port);
	const char *name = targets_name(r->targets, row->host);
	const char *ip = host_ip(r, row->host);
	struct json *j;

	j = diag_event_begin("port");
	json_text(j, "host", name != NULL ? name : ip);
	json_text(j, "ip", ip);
	json_number(j, "port", row->port);
	json_text(j, "protocol", r->protocol);
	json_text(j, "state", state_name(row->reason));
	json_text(j, "reason", reasons[row->reason].name);
	if (row->by != NULL)
		json_text(j, "by", addr_ip_text(row->by));
	if (service != NULL)
		json_text(j, "service", service);
	if (row->banner != NULL)
		json_bytes(j, "banner", row->banner, row->banner_size);
	json_seconds(j, "seconds", (double)row->ns / 1e9);
	diag_event_end(DIAG_STEP + 1, "%s", "");
}

/* Keeps a row, and copies of what it points to. */
static void
keep_row(struct scan_report_host *h, const struct scan_result *result)
{
	struct scan_result *row;

	h->rows = mem_grow(h->rows, h->count, &h->capacity, sizeof(h->rows[0]));
	row = &h->rows[h->count++];
	*row = *result;
	if (row->banner != NULL)
		row->banner = memcpy(mem_array(row->banner_size, 1),
		    row->banner, row->banner_size);
	if (row->by != NULL)
		row->by = memcpy(
		    mem_array(1, sizeof(*row->by)), row->by, sizeof(*row->by));
}

void
scan_report_add(void *report, const struct scan_result *result)
{
	struct scan_report *r = report;
	struct scan_result row = *result;
	struct scan_report_host *h;
	enum state state = reasons[result->reason].state;
	const char *banner = result->banner;
	uint32_t size = r->slot_count;
	struct addr host;

	if (result->slot >= size) {
		r->slot_count = result->slot + result->slot / 2 + 4;
		r->slots =
		    mem_resize(r->slots, r->slot_count, sizeof(r->slots[0]));
		memset(r->slots + size, 0,
		    (r->slot_count - size) * sizeof(r->slots[0]));
	}
	h = &r->slots[result->slot];
	h->index = result->host;
	h->is_used = true;
	h->counts[result->reason] += result->count;
	r->totals[result->reason] += result->count;
	r->decided += result->count;
	if (state == STATE_OPEN)
		r->open += result->count;
	if (state == STATE_CLOSED ||
	    (state == STATE_FILTERED && result->reason != SCAN_SILENT))
		r->closed += result->count;
	if (state == STATE_UNKNOWN && result->errnum != 0) {
		targets_host(r->targets, result->host, 0, &host);
		r->failed_hosts += !addr_equal(&host, &r->failed_host);
		r->failed_host = host;
		r->failed += result->count;
		r->errnum = result->errnum;
	}
	if (result->reason == SCAN_SKIPPED || (!r->all && state != STATE_OPEN))
		return;
	/* The banner is shown without the end of its line. */
	while (row.banner_size > 0 && (banner[row.banner_size - 1] == '\n' ||
					  banner[row.banner_size - 1] == '\r'))
		row.banner_size--;
	/* Who has refused a datagram is named unless it is the host. */
	if (row.by != NULL && row.reason == SCAN_REFUSED &&
	    strcmp(r->protocol, "udp") == 0 &&
	    strcmp(addr_ip_text(row.by), host_ip(r, row.host)) == 0)
		row.by = NULL;
	if (diag_is_json() && !r->waits) {
		emit_port(r, &row);
		return;
	}
	keep_row(h, &row);
}

static int
by_port(const void *a, const void *b)
{
	const struct scan_result *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static int
by_index(const void *a, const void *b)
{
	const struct scan_report_host *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Prints a row, or for NULL the heading. The last column is not padded. */
static void
print_row(const struct scan_report *r, const struct scan_result *row,
    bool with_reason)
{
	const char *texts[] = {"PORT", "STATE", "SERVICE", "REASON", "BANNER"};
	const bool shown[] = {
	    true, true, r->services != NULL, with_reason, r->with_banner};
	const int widths[] = {
	    10, strcmp(r->protocol, "udp") == 0 ? 13 : 8, 16, 20, 0};
	char port[16], banner[SCAN_BANNER * 4 + 8];
	int i, last = 4;

	if (row != NULL) {
		snprintf(port, sizeof(port), "%u/%s", row->port, r->protocol);
		texts[0] = port;
		texts[1] = state_name(row->reason);
		texts[2] = service_name(r, row->port);
		if (texts[2] == NULL)
			texts[2] = "-";
		texts[3] = reason_text(r, row);
		texts[4] = text_escape(banner, sizeof(banner),
		    row->banner != NULL ? row->banner : "", row->banner_size);
	}
	while (!shown[last])
		last--;
	for (i = 0; i <= last; i++)
		if (shown[i])
			result_print("%s%-*s", i > 0 ? " " : "",
			    i == last ? 0 : widths[i], texts[i]);
	result_print("\n");
}

/* Prints the rows of a host, and the counts of the ports without rows: "not
 * shown: 1000 closed (refused), 3 filtered (no answer)". */
static void
print_table(struct scan_report *r, const struct scan_report_host *h)
{
	const char *name = targets_name(r->targets, h->index);
	const char *ip = host_ip(r, h->index);
	bool with_reason = r->with_reason, is_first = true;
	size_t i;

	for (i = 0; i < h->count; i++)
		with_reason = with_reason ||
			      reasons[h->rows[i].reason].state != STATE_OPEN;
	if (r->printed++ > 0)
		result_print("\n");
	if (name != NULL)
		result_print("%s (%s)\n", name, ip);
	else
		result_print("%s\n", ip);
	if (h->count > 0)
		print_row(r, NULL, with_reason);
	for (i = 0; i < h->count; i++)
		print_row(r, &h->rows[i], with_reason);
	for (i = 0; i < SCAN_REASONS; i++) {
		if (h->counts[i] == 0 || reasons[i].state == STATE_OPEN ||
		    (r->all && i != SCAN_SKIPPED))
			continue;
		result_print("%s%" PRIu32 " %s (%s)",
		    is_first ? "not shown: " : ", ", h->counts[i],
		    state_name((enum scan_reason)i), reasons[i].name);
		is_first = false;
	}
	if (!is_first)
		result_print("\n");
}

/* Prints a host; of several, those without rows are only counted. With -q only
 * HOST:PORT of each open port. */
static void
print_host(struct scan_report *r, struct scan_report_host *h)
{
	bool is_bare = !diag_shows(DIAG_SAY);
	const char *ip = host_ip(r, h->index);
	size_t i;

	if (h->count > 0)
		qsort(h->rows, h->count, sizeof(h->rows[0]), by_port);
	if (!diag_is_json() && !is_bare && (h->count > 0 || r->hosts == 1))
		print_table(r, h);
	for (i = 0; i < h->count; i++)
		if (diag_is_json())
			emit_port(r, &h->rows[i]);
		else if (is_bare &&
			 reasons[h->rows[i].reason].state == STATE_OPEN)
			result_print(
			    strchr(ip, ':') != NULL ? "[%s]:%u\n" : "%s:%u\n",
			    ip, h->rows[i].port);
	if (h->counts[SCAN_SKIPPED] > 0 && h->counts[SCAN_LOCAL] == 0)
		diag_note(
		    "%s was skipped: it answered none of its first probes",
		    host_ip(r, h->index));
}

/* Counts a host by the best of its results. */
static void
count_host(struct scan_report *r, const struct scan_report_host *h)
{
	if (h->counts[SCAN_CONNECTED] + h->counts[SCAN_ANSWERED] > 0)
		r->with_open++;
	else if (h->counts[SCAN_REFUSED] > 0)
		r->without++;
	else if (h->counts[SCAN_LOCAL] > 0)
		r->unprobed++;
	else
		r->silent++;
}

void
scan_report_host_done(void *report, uint32_t slot)
{
	struct scan_report *r = report;
	struct scan_report_host *h = &r->slots[slot];
	bool is_shown =
	    h->count > 0 || h->counts[SCAN_SKIPPED] > 0 || r->hosts == 1;

	count_host(r, h);
	r->has_results = true;
	if (!r->waits || !is_shown) {
		if (is_shown)
			print_host(r, h);
		clear_host(h);
		return;
	}
	r->held = mem_grow(
	    r->held, r->held_count, &r->held_capacity, sizeof(r->held[0]));
	r->held[r->held_count++] = *h;
	memset(h, 0, sizeof(*h));
}

/* "4096 of 65535 ports (6%), 3 open, 18000 per second, 3 s left" */
int
scan_report_progress(void *report, struct err *e)
{
	struct scan_report *r = report;
	double seconds = clock_seconds(r->start_ns, clock_now());
	double rate = seconds > 0 ? (double)r->decided / seconds : 0;
	char line[160], left[40] = "";

	if (rate > 0)
		snprintf(left, sizeof(left), ", %.0f s left",
		    (double)(r->total - r->decided) / rate);
	snprintf(line, sizeof(line),
	    "%" PRIu64 " of %" PRIu64 " ports (%d%%), %" PRIu64
	    " open, %.0f per second%s",
	    r->decided, r->total,
	    (int)(100 * (double)r->decided / (double)r->total), r->open, rate,
	    left);
	if (r->has_results)
		progress_draw(&r->live, "");
	if (r->has_results && result_flush(e) < 0)
		return -1;
	r->has_results = false;
	progress_draw(&r->live, line);
	return result_probe(e);
}

/* Prints the numbers of hosts by result, and of ports that are not decided. */
static void
print_sums(const struct scan_report *r)
{
	uint64_t probed = r->with_open + r->without + r->silent + r->unprobed;

	if (r->hosts > 1) {
		result_print("%s%" PRIu64 " hosts: %" PRIu64
			     " with open ports, %" PRIu64 " without, %" PRIu64
			     " that did not answer",
		    r->printed > 0 ? "\n" : "", r->hosts, r->with_open,
		    r->without, r->silent);
		if (r->unprobed > 0)
			result_print(", %" PRIu64 " that could not be probed",
			    r->unprobed);
		if (probed < r->hosts)
			result_print(
			    ", %" PRIu64 " not probed", r->hosts - probed);
		result_print("\n");
	}
	if (r->decided < r->total)
		result_print("partial: %" PRIu64 " of %" PRIu64
			     " ports were not decided\n",
		    r->total - r->decided, r->total);
}

void
scan_report_finish(struct scan_report *r)
{
	size_t i;

	if (r->held_count > 0)
		qsort(r->held, r->held_count, sizeof(r->held[0]), by_index);
	for (i = 0; i < r->held_count; i++)
		print_host(r, &r->held[i]);
	for (i = 0; i < r->slot_count; i++) {
		if (!r->slots[i].is_used)
			continue;
		count_host(r, &r->slots[i]);
		print_host(r, &r->slots[i]);
	}
	if (diag_shows(DIAG_SAY) && !diag_is_json())
		print_sums(r);
	if (r->failed > 0 && r->failed < r->total)
		diag_warn(r->failed_hosts > 1
			      ? "%s could not be probed; the last one, of %s: "
				"%s"
			      : "%s of %s could not be probed: %s",
		    num_count_text(r->failed, "port"),
		    addr_ip_text(&r->failed_host),
		    err_find(r->errnum, ERR_AT_TCP)->reason);
}

void
scan_report_summary(
    const struct scan_report *r, const char *rest, uint64_t sent)
{
	int64_t ns = clock_now() - r->start_ns;
	struct json *j;
	int i;

	j = diag_event_begin("summary");
	json_number(j, "hosts", r->hosts);
	json_number(j, "asked", r->total);
	json_number(j, "open", r->open);
	json_object(j, "reasons");
	for (i = 0; i < SCAN_REASONS; i++)
		if (r->totals[i] > 0)
			json_number(j, reasons[i].name, r->totals[i]);
	json_close(j);
	json_number(j, "probes", sent);
	json_bool(j, "partial", r->decided < r->total);
	if (rest[0] != '\0')
		json_text(j, "rest", rest);
	json_seconds(j, "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE,
	    "%s of %s decided, %" PRIu64 " open, with %s in %s",
	    num_count_text(r->decided, "port"),
	    num_count_text(r->hosts, "host"), r->open,
	    num_count_text(sent, "probe"), num_duration_text(ns));
}

enum err_kind
scan_report_status(const struct scan_report *r)
{
	uint64_t unknown = r->totals[SCAN_LOCAL] + r->totals[SCAN_SKIPPED];

	if (r->open > 0)
		return ERR_NONE;
	if (r->totals[SCAN_REFUSED] > 0)
		return ERR_REFUSED;
	if (r->totals[SCAN_SILENT] > 0 || r->totals[SCAN_NO_REPLY] > 0 ||
	    unknown > r->failed)
		return ERR_TIMEOUT;
	if (r->failed == r->decided)
		return r->errnum == 0 ? ERR_LOCAL
				      : err_find(r->errnum, ERR_AT_TCP)->kind;
	return ERR_UNREACHABLE;
}
