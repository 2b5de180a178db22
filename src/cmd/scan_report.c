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
#include "net/addr.h"
#include "scan/classify.h"
#include "scan/targets.h"

/* Size of a line of counts. */
#define COUNTS_TEXT 512
/* Longer names of services are truncated. */
#define SERVICE_TEXT 64

/*
 * Reads the first name of each port from services(5): a label for what usually
 * listens there; nothing has been detected. The file itself is read, since
 * getservent(3) does nothing in some C libraries and loads half the name
 * service in others.
 */
static void
read_services(struct scan_report *r)
{
	FILE *f = fopen("/etc/services", "re");
	char line[512], shown[SERVICE_TEXT], *name, *port, *protocol, *save;
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
		text_escape_string(shown, sizeof(shown), name);
		r->services[n] = mem_text(shown);
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

void
scan_report_start(struct scan_report *r)
{
	if (r->with_service)
		read_services(r);
	r->counts = mem_array(
	    (size_t)r->targets->hosts * SCAN_REASONS, sizeof(r->counts[0]));
}

void
scan_report_clear(struct scan_report *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		free(r->rows[i].banner);
	r->count = 0;
	memset(r->counts, 0,
	    (size_t)r->targets->hosts * SCAN_REASONS * sizeof(r->counts[0]));
	memset(r->totals, 0, sizeof(r->totals));
	r->skipped_failed = 0;
}

void
scan_report_release(struct scan_report *r)
{
	size_t i;

	scan_report_clear(r);
	for (i = 0; r->services != NULL && i <= UINT16_MAX; i++)
		free(r->services[i]);
	free(r->services);
	free(r->rows);
	free(r->counts);
}

static const char *
state_name(uint8_t reason)
{
	return classify_state_name(classify_state((enum scan_reason)reason));
}

/* The host's address as text. */
static const char *
host_ip(const struct scan_report *r, uint32_t host, char *buf, size_t size)
{
	struct addr a;

	targets_host(r->targets, host, 0, &a);
	return addr_format_ip(&a, buf, size);
}

static void
emit_port(const struct scan_report *r, const struct scan_row *row)
{
	const char *service = service_name(r, row->port);
	const char *name = targets_name(r->targets, row->host);
	char ip[ADDR_TEXT];
	struct json *j;

	host_ip(r, row->host, ip, sizeof(ip));
	j = diag_event_begin("port");
	json_text(j, "host", name != NULL ? name : ip);
	json_text(j, "ip", ip);
	json_number(j, "port", row->port);
	json_text(j, "protocol", r->protocol);
	json_text(j, "state", state_name(row->reason));
	json_text(
	    j, "reason", classify_reason_name((enum scan_reason)row->reason));
	if (service != NULL)
		json_text(j, "service", service);
	if (row->banner != NULL)
		json_bytes(j, "banner", row->banner, row->banner_size);
	json_seconds(j, "seconds", (double)row->ns / 1e9);
	diag_event_end(DIAG_STEP + 1, "%s", "");
}

/* Copies what the service sent, without the end of its line. */
static void
copy_banner(struct scan_row *row, const struct scan_result *result)
{
	const char *bytes = result->banner;
	size_t n = result->banner_size;

	while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	row->banner = mem_array(n, 1);
	memcpy(row->banner, bytes, n);
	row->banner_size = n;
}

static void
count_result(struct scan_report *r, const struct scan_result *result)
{
	size_t host = (size_t)result->host * SCAN_REASONS;

	r->counts[host + result->reason] += result->count;
	r->totals[result->reason] += result->count;
	if (classify_state(result->reason) != SCAN_UNKNOWN ||
	    result->errnum == 0)
		return;
	r->errnum = result->errnum;
	if (result->reason == SCAN_SKIPPED)
		r->skipped_failed += result->count;
}

void
scan_report_add(struct scan_report *r, const struct scan_result *result)
{
	struct scan_row row = {.host = result->host,
	    .port = result->port,
	    .reason = (uint8_t)result->reason,
	    .ns = result->ns};

	count_result(r, result);
	if (result->reason == SCAN_SKIPPED ||
	    (!r->all && classify_state(result->reason) != SCAN_OPEN))
		return;
	if (result->banner != NULL)
		copy_banner(&row, result);
	if (diag_is_json() && r->with_events) {
		emit_port(r, &row);
		free(row.banner);
		return;
	}
	if (r->count == r->capacity) {
		r->capacity = r->capacity == 0 ? 64 : r->capacity * 2;
		r->rows = mem_resize(r->rows, r->capacity, sizeof(r->rows[0]));
	}
	r->rows[r->count++] = row;
}

uint64_t
scan_report_open(const struct scan_report *r)
{
	return r->totals[SCAN_CONNECTED] + r->totals[SCAN_ANSWERED];
}

uint64_t
scan_report_failed(const struct scan_report *r)
{
	return r->totals[SCAN_LOCAL] + r->skipped_failed;
}

uint64_t
scan_report_decided(const struct scan_report *r)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < SCAN_REASONS; i++)
		n += r->totals[i];
	return n;
}

static int
by_host_and_port(const void *a, const void *b)
{
	const struct scan_row *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

static const uint32_t *
counts_of(const struct scan_report *r, uint32_t host)
{
	return r->counts + (size_t)host * SCAN_REASONS;
}

/* "1000 closed (refused), 3 filtered (no answer)": the ports without rows. */
static const char *
format_hidden(const struct scan_report *r, uint32_t host, char *buf)
{
	const uint32_t *counts = counts_of(r, host);
	int i;

	buf[0] = '\0';
	for (i = 0; i < SCAN_REASONS; i++) {
		enum scan_reason reason = (enum scan_reason)i;

		if (counts[i] == 0 || classify_state(reason) == SCAN_OPEN ||
		    (r->all && reason != SCAN_SKIPPED))
			continue;
		text_append(buf, COUNTS_TEXT, "%s%" PRIu32 " %s (%s)",
		    buf[0] != '\0' ? ", " : "", counts[i],
		    state_name((uint8_t)i), classify_reason_name(reason));
	}
	return buf;
}

/* Prints texts, up to NULL, in columns; the last is not padded. */
static void
print_columns(const struct scan_report *r, const char *const *texts)
{
	int state = strcmp(r->protocol, "udp") == 0 ? 13 : 8;
	const int widths[] = {10, state, 16, 20, 0};
	int i;

	for (i = 0; texts[i] != NULL; i++)
		result_print("%s%-*s", i > 0 ? " " : "",
		    texts[i + 1] == NULL ? 0 : widths[i], texts[i]);
	result_print("\n");
}

static void
print_row(const struct scan_report *r, const struct scan_row *row)
{
	const char *service = service_name(r, row->port), *texts[6];
	char port[16], banner[SCAN_BANNER * 4 + 8];
	int n = 0;

	snprintf(port, sizeof(port), "%u/%s", row->port, r->protocol);
	texts[n++] = port;
	texts[n++] = state_name(row->reason);
	if (r->with_service)
		texts[n++] = service != NULL ? service : "-";
	if (r->with_reason)
		texts[n++] =
		    classify_reason_name((enum scan_reason)row->reason);
	if (r->with_banner)
		texts[n++] = text_escape(banner, sizeof(banner),
		    row->banner != NULL ? row->banner : "", row->banner_size);
	texts[n] = NULL;
	print_columns(r, texts);
}

static void
print_heading(const struct scan_report *r)
{
	const char *texts[6] = {"PORT", "STATE"};
	int n = 2;

	if (r->with_service)
		texts[n++] = "SERVICE";
	if (r->with_reason)
		texts[n++] = "REASON";
	if (r->with_banner)
		texts[n++] = "BANNER";
	texts[n] = NULL;
	print_columns(r, texts);
}

/* Prints a host: its rows, and the counts of ports not shown. */
static void
print_host(const struct scan_report *r, uint32_t host,
    const struct scan_row *rows, size_t count)
{
	const char *name = targets_name(r->targets, host);
	char ip[ADDR_TEXT], hidden[COUNTS_TEXT];
	size_t i;

	host_ip(r, host, ip, sizeof(ip));
	if (name != NULL)
		result_print("%s (%s)\n", name, ip);
	else
		result_print("%s\n", ip);
	if (count > 0)
		print_heading(r);
	for (i = 0; i < count; i++)
		print_row(r, &rows[i]);
	format_hidden(r, host, hidden);
	if (hidden[0] != '\0')
		result_print("not shown: %s\n", hidden);
}

static void
print_bare(const struct scan_report *r, const struct scan_row *row)
{
	char ip[ADDR_TEXT];

	if (classify_state((enum scan_reason)row->reason) != SCAN_OPEN)
		return;
	host_ip(r, row->host, ip, sizeof(ip));
	result_print(
	    strchr(ip, ':') != NULL ? "[%s]:%u\n" : "%s:%u\n", ip, row->port);
}

/* The number of ports of a host in a state. */
static uint32_t
count_of(const struct scan_report *r, uint32_t host, enum scan_state state)
{
	const uint32_t *counts = counts_of(r, host);
	uint32_t n = 0;
	int i;

	for (i = 0; i < SCAN_REASONS; i++)
		if (classify_state((enum scan_reason)i) == state)
			n += counts[i];
	return n;
}

/* Reports the hosts that were skipped after the first probes. */
static void
note_skipped(const struct scan_report *r)
{
	char ip[ADDR_TEXT];
	uint32_t i;

	for (i = 0; r->totals[SCAN_SKIPPED] > 0 && i < r->targets->hosts; i++)
		if (counts_of(r, i)[SCAN_SKIPPED] > 0 &&
		    counts_of(r, i)[SCAN_LOCAL] == 0)
			diag_note("%s was skipped: it answered none of its "
				  "first probes",
			    host_ip(r, i, ip, sizeof(ip)));
}

/* Prints the number of hosts by result. */
static void
print_rest(const struct scan_report *r)
{
	uint32_t i, shown = 0, without = 0, silent = 0, failed = 0;

	for (i = 0; i < r->targets->hosts; i++) {
		if (count_of(r, i, SCAN_OPEN) > 0)
			shown++;
		else if (count_of(r, i, SCAN_CLOSED) > 0)
			without++;
		else if (counts_of(r, i)[SCAN_LOCAL] > 0)
			failed++;
		else
			silent++;
	}
	result_print("%" PRIu32 " hosts: %" PRIu32 " with open ports, %" PRIu32
		     " without, %" PRIu32 " that did not answer",
	    r->targets->hosts, shown, without, silent);
	if (failed > 0)
		result_print(", %" PRIu32 " that could not be probed", failed);
	result_print("\n");
}

static void
print_hosts(const struct scan_report *r)
{
	bool many = r->targets->hosts > 1;
	uint32_t host, printed = 0;
	size_t at = 0, end;

	for (host = 0; host < r->targets->hosts; host++) {
		for (end = at; end < r->count && r->rows[end].host == host;)
			end++;
		if (many && end == at)
			continue;
		if (printed++ > 0)
			result_print("\n");
		print_host(r, host, r->rows + at, end - at);
		at = end;
	}
	if (many) {
		if (printed > 0)
			result_print("\n");
		print_rest(r);
	}
}

void
scan_report_print(struct scan_report *r)
{
	uint64_t decided = scan_report_decided(r);
	uint64_t failed = scan_report_failed(r);
	size_t i;

	if (r->count > 0)
		qsort(r->rows, r->count, sizeof(r->rows[0]), by_host_and_port);
	if (diag_is_json()) {
		for (i = 0; i < r->count; i++)
			emit_port(r, &r->rows[i]);
		return;
	}
	if (r->is_bare)
		for (i = 0; i < r->count; i++)
			print_bare(r, &r->rows[i]);
	else
		print_hosts(r);
	if (decided < r->total && !r->is_bare)
		result_print("partial: %" PRIu64 " of %" PRIu64
			     " ports were not decided\n",
		    r->total - decided, r->total);
	note_skipped(r);
	if (failed > 0 && failed < r->total)
		diag_warn("%" PRIu64 " port%s could not be probed: %s", failed,
		    failed == 1 ? "" : "s", err_reason(r->errnum, ERR_AT_TCP));
}

void
scan_report_summary(const struct scan_report *r, uint64_t sent, int64_t ns)
{
	uint64_t decided = scan_report_decided(r);
	char duration[32];
	struct json *j;
	int i;

	j = diag_event_begin("summary");
	json_number(j, "hosts", r->targets->hosts);
	json_number(j, "asked", r->total);
	json_number(j, "open", scan_report_open(r));
	json_object(j, "reasons");
	for (i = 0; i < SCAN_REASONS; i++)
		if (r->totals[i] > 0)
			json_number(j,
			    classify_reason_name((enum scan_reason)i),
			    r->totals[i]);
	json_close(j);
	json_number(j, "probes", sent);
	json_bool(j, "partial", decided < r->total);
	json_seconds(j, "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE,
	    "%" PRIu64 " port%s of %" PRIu32 " host%s decided, %" PRIu64
	    " open, with %" PRIu64 " probes in %s",
	    decided, decided == 1 ? "" : "s", r->targets->hosts,
	    r->targets->hosts == 1 ? "" : "s", scan_report_open(r), sent,
	    num_format_duration(duration, sizeof(duration), ns));
}

enum err_kind
scan_report_status(const struct scan_report *r)
{
	if (scan_report_open(r) > 0)
		return ERR_NONE;
	if (r->totals[SCAN_REFUSED] > 0)
		return ERR_REFUSED;
	if (r->totals[SCAN_SILENT] > 0 || r->totals[SCAN_NO_REPLY] > 0 ||
	    r->totals[SCAN_SKIPPED] > r->skipped_failed)
		return ERR_TIMEOUT;
	if (scan_report_failed(r) == scan_report_decided(r))
		return r->errnum == 0 ? ERR_LOCAL
				      : err_kind_of(r->errnum, ERR_AT_TCP);
	return ERR_UNREACHABLE;
}
