/* Serves the files of a folder: requests, conditions, ranges, listings. */
#include "serve/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_date.h"
#include "http/http_request.h"
#include "http/http_server.h"
#include "net/link.h"
#include "net/os.h"
#include "net/sandbox.h"
#include "net/sock.h"
#include "net/wait.h"

#define REQUEST_MS 30000
/* A file of at most this size is sent together with the head. */
#define SMALL (64 * 1024)
#define MAX_PATH 4096
#define MAX_NAME 255
#define JSON_TYPE "application/json"

/* A request and its response. */
struct file_request {
	struct session *s;
	/* The folder that is served. */
	int dir;
	struct http_server request;
	/* The path in that folder, and what follows "?" in the target. */
	char path[MAX_PATH];
	struct http_part query;
	struct http_server_response response;
	/* Fields of the response. A redirect repeats the path and the query. */
	char fields[3 * MAX_PATH + HTTP_SERVER_HEAD + 512];
	/* The file or folder that is open, owned; -1 for none. */
	int fd;
	struct stat st;
	/* The offset of the first byte of the file that is sent. */
	int64_t from;
	/* A body that is not a file, owned; or NULL. */
	char *page;
	/* How many bytes the head of the response has. */
	size_t head;
};

/* A path as a part of a URL, in a buffer of three times its length and 1. */
static char *
encode(char *dst, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~/";
	char *out = dst;

	for (; *path != '\0'; path++)
		if (strchr(plain, *path) != NULL)
			*out++ = *path;
		else
			out += snprintf(out, 4, "%%%02X", (unsigned char)*path);
	*out = '\0';
	return dst;
}

/* Appends text to a page of HTML, with control characters escaped. */
static void
put_escaped(FILE *page, const char *text)
{
	char shown[4 * MAX_PATH + 1], *at = shown;
	size_t n;

	text_escape(shown, sizeof(shown), text, strlen(text));
	for (;; at++) {
		n = strcspn(at, "&<>\"'");
		fprintf(page, "%.*s", (int)n, at);
		at += n;
		if (*at == '\0')
			return;
		fprintf(page, "&#%d;", *at);
	}
}

struct item {
	char *name; /* owned */
	bool is_folder;
	uint64_t size;
	int64_t modified; /* seconds since 1970 */
};

/* Folders first, then by name. */
static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = y->is_folder - x->is_folder;

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* The files and folders in a folder, which it closes; the caller frees them. If
 * the folder cannot be read, it stays open, and errno is set. */
static struct item *
read_folder(struct file_request *q, size_t *count)
{
	struct item *items = NULL;
	char path[MAX_PATH + 256];
	size_t capacity = 0;
	struct dirent *entry;
	DIR *d = fdopendir(q->fd);
	struct stat st;
	int fd;

	*count = 0;
	if (d == NULL)
		return NULL;
	q->fd = -1;
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    strlen(entry->d_name) > MAX_NAME ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) <
			0)
			continue;
		if (S_ISLNK(st.st_mode)) {
			snprintf(
			    path, sizeof(path), "%s%s", q->path, entry->d_name);
			fd = os_open_beneath(q->dir, path);
			if (fd < 0 || fstat(fd, &st) < 0)
				st.st_mode = 0;
			fd_close(&fd);
		}
		if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			continue;
		items = mem_grow(items, *count, &capacity, sizeof(*items));
		items[(*count)++] =
		    (struct item){mem_text(entry->d_name), S_ISDIR(st.st_mode),
			(uint64_t)st.st_size, (int64_t)st.st_mtime};
	}
	closedir(d);
	if (items != NULL)
		qsort(items, *count, sizeof(*items), compare);
	return items;
}

static const char *
time_text(int64_t seconds, const char *format)
{
	time_t then = (time_t)seconds;
	struct tm tm;
	char *text = text_slot();

	if (gmtime_r(&then, &tm) == NULL ||
	    strftime(text, 32, format, &tm) == 0)
		return "";
	return text;
}

static void
list_json(FILE *page, const struct item *items, size_t count)
{
	static struct json object;
	const struct item *p;
	const char *line;

	fprintf(page, "[");
	for (p = items; p < items + count; p++) {
		json_begin(&object);
		json_bytes(&object, "name", p->name, strlen(p->name));
		json_text(&object, "type", p->is_folder ? "folder" : "file");
		if (!p->is_folder)
			json_number(&object, "size", p->size);
		json_text(&object, "modified",
		    time_text(p->modified, "%Y-%m-%dT%H:%M:%SZ"));
		line = json_end(&object);
		fprintf(page, "%s\n%.*s", p > items ? "," : "",
		    (int)strlen(line) - 1, line);
	}
	fprintf(page, "\n]\n");
}

static void
list_html(FILE *page, const char *path, const struct item *items, size_t count)
{
	static const char style[] =
	    "body{font:16px/1.5 sans-serif;max-width:60em;margin:1em auto;"
	    "padding:0 .7em}h1{font-size:1.2em;overflow-wrap:anywhere}"
	    "table{border-collapse:collapse;width:100%}"
	    "td,th{padding:.35em .5em;text-align:left;vertical-align:baseline;"
	    "border-bottom:1px solid #8884}td:first-child{overflow-wrap:"
	    "anywhere}td+td,th+th{white-space:nowrap;text-align:right}"
	    "@media(max-width:30em){td+td,th{font-size:.8em}}"
	    "@media(prefers-color-scheme:dark){body{background:#111;color:"
	    "#ddd}a{color:#8bf}}";
	char link[3 * MAX_NAME + 1];
	const struct item *p;

	fprintf(page,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n<title>/");
	put_escaped(page, path);
	fprintf(
	    page, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>/", style);
	put_escaped(page, path);
	fprintf(page, "</h1>\n<table>\n<tr><th>Name</th><th>Size</th>"
		      "<th>Modified (UTC)</th></tr>\n");
	if (path[0] != '\0')
		fprintf(page, "<tr><td><a href=\"../\">../</a></td><td></td>"
			      "<td></td></tr>\n");
	for (p = items; p < items + count; p++) {
		fprintf(page, "<tr><td><a href=\"%s%s\">",
		    encode(link, p->name), p->is_folder ? "/" : "");
		put_escaped(page, p->name);
		fprintf(page, "%s</a></td><td>%s</td><td>%s</td></tr>\n",
		    p->is_folder ? "/" : "",
		    p->is_folder ? "" : num_size_text(p->size),
		    time_text(p->modified, "%Y-%m-%d %H:%M"));
	}
	fprintf(page, "</table>\n</body>\n</html>\n");
}

/* The media type of a file by its name. */
static const char *
type_of(const char *path)
{
	static const char *const types[][2] = {
	    {"html htm", "text/html; charset=utf-8"},
	    {"css", "text/css; charset=utf-8"},
	    {"js mjs", "text/javascript; charset=utf-8"},
	    {"txt md log csv", "text/plain; charset=utf-8"},
	    {"json map", JSON_TYPE}, {"xml", "application/xml"},
	    {"pdf", "application/pdf"}, {"wasm", "application/wasm"},
	    {"gz tgz", "application/gzip"}, {"zip", "application/zip"},
	    {"png", "image/png"}, {"jpg jpeg", "image/jpeg"},
	    {"gif", "image/gif"}, {"svg", "image/svg+xml"},
	    {"webp", "image/webp"}, {"avif", "image/avif"},
	    {"ico", "image/x-icon"}, {"mp4 m4v", "video/mp4"},
	    {"webm", "video/webm"}, {"mp3", "audio/mpeg"},
	    {"ogg opus", "audio/ogg"}, {"wav", "audio/wav"},
	    {"m4a", "audio/mp4"}, {"woff2", "font/woff2"},
	    {"woff", "font/woff"}, {"ttf", "font/ttf"}};
	const char *dot = strrchr(path, '.'), *at;
	size_t i, n;

	for (i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		for (at = types[i][0]; *at != '\0'; at += n + (at[n] == ' ')) {
			n = strcspn(at, " ");
			if (strlen(dot + 1) == n &&
			    strncasecmp(dot + 1, at, n) == 0)
				return types[i][1];
		}
	return "application/octet-stream";
}

/* Whether a condition holds: "*", or a list with the tag, which is strong.
 * is_weak: W/ before it makes no difference (RFC 9110 section 8.8.3.2). */
static bool
has_tag(const struct http_part *condition, const char *tag, bool is_weak)
{
	char value[HTTP_SERVER_HEAD];
	const char *at;

	if (!http_server_copy(condition, value, sizeof(value)))
		return false;
	for (at = value; (at = strstr(at, tag)) != NULL; at++)
		if (is_weak || at == value || at[-1] != '/')
			return true;
	return strcmp(value, "*") == 0;
}

static bool
parse_date(const struct http_part *condition, int64_t *then)
{
	char value[64];

	return http_server_copy(condition, value, sizeof(value)) &&
	       http_date_parse(value, then);
}

/* Evaluates the conditions of a request, in the order of RFC 9110 section
 * 13.2.2. Returns the status: 200, 304, 412. */
static int
check_conditions(
    const struct http_server *r, const struct stat *st, const char *tag)
{
	int64_t then;

	if (r->if_match.at != NULL
		? !has_tag(&r->if_match, tag, false)
		: parse_date(&r->if_unmodified_since, &then) &&
		      st->st_mtime > then)
		return 412;
	if (r->if_none_match.at != NULL
		? has_tag(&r->if_none_match, tag, true)
		: parse_date(&r->if_modified_since, &then) &&
		      st->st_mtime <= then)
		return 304;
	return 200;
}

/*
 * Evaluates the conditions and the range of a request for a file, and sets the
 * fields. Returns the status: 200, 206, 304, 412, 416.
 */
static int
evaluate(struct file_request *q)
{
	const struct http_server *r = &q->request;
	const struct stat *st = &q->st;
	int64_t size = st->st_size, now = (int64_t)time(NULL), then, to;
	char value[1024], tag[80];
	struct http_range range;
	int code;

	snprintf(tag, sizeof(tag), "\"%llx-%llx-%llx-%llx.%lx\"",
	    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
	    (unsigned long long)size, (unsigned long long)st->st_mtim.tv_sec,
	    (unsigned long)st->st_mtim.tv_nsec);
	/* A date to come would be no date of a change (RFC 9110 8.8.2.1). */
	text_append(q->fields, sizeof(q->fields),
	    "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n",
	    http_date_text(st->st_mtime < now ? st->st_mtime : now), tag);
	code = check_conditions(r, st, tag);
	if (code != 200 || r->is_head)
		return code;
	if (r->if_range.at != NULL &&
	    (!http_server_copy(&r->if_range, value, sizeof(value)) ||
		(strcmp(value, tag) != 0 &&
		    (!parse_date(&r->if_range, &then) || then != st->st_mtime ||
			then >= now))))
		return 200;
	/* A range in other words, or several: the whole file. */
	if (!http_server_copy(&r->range, value, sizeof(value)) ||
	    strncasecmp(value, "bytes=", 6) != 0 ||
	    !http_request_parse_range(value + 6, &range))
		return 200;
	q->from = range.from >= 0    ? range.from
		  : range.to >= size ? 0
				     : size - range.to;
	to = range.from < 0 || range.to >= size ? size - 1 : range.to;
	if (q->from > to) {
		text_append(q->fields, sizeof(q->fields),
		    "Content-Range: bytes */%lld\r\n", (long long)size);
		return 416;
	}
	q->response.length = (uint64_t)(to - q->from + 1);
	text_append(q->fields, sizeof(q->fields),
	    "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)q->from,
	    (long long)to, (long long)size);
	return 206;
}

/* Opens what the path names. Returns 200, or 404; or -1 with the session's
 * error for a shortage or a broken disk, of which the client learns by a
 * reset. */
static int
open_path(struct file_request *q)
{
	q->fd = os_open_beneath(q->dir, q->path);
	if (q->fd >= 0 && fstat(q->fd, &q->st) == 0)
		return 200;
	if (err_is_shortage(errno) || errno == EIO)
		return err_sys(
		    &q->s->e, ERR_OUTPUT, errno, "/%s", text_shown(q->path));
	return 404;
}

/* Answers with a folder: a redirect to its path with a slash, index.html, or a
 * listing. Returns the status, or -1 with the session's error. */
static int
open_folder(struct file_request *q)
{
	const struct http_part *query = &q->query;
	char accept[256], encoded[3 * MAX_PATH + 1];
	size_t n = strlen(q->path), count, length;
	struct item *items;
	struct stat st;
	bool is_json;
	FILE *page;
	int fd;

	is_json =
	    (query->length == 4 && memcmp(query->at, "json", 4) == 0) ||
	    (http_server_copy(&q->request.accept, accept, sizeof(accept)) &&
		strncasecmp(accept, JSON_TYPE, strlen(JSON_TYPE)) == 0);
	if (n > 0 && q->path[n - 1] != '/') {
		snprintf(q->fields, sizeof(q->fields),
		    "Location: /%s/%s%.*s\r\n", encode(encoded, q->path),
		    query->length > 0 ? "?" : "", (int)query->length,
		    query->at != NULL ? query->at : "");
		return 301;
	}
	text_append(q->fields, sizeof(q->fields), "Vary: Accept\r\n");
	snprintf(q->path + n, sizeof(q->path) - n, "index.html");
	fd = is_json ? -1 : os_open_beneath(q->dir, q->path);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		fd_close(&q->fd);
		q->fd = fd;
		q->st = st;
		return 200;
	}
	fd_close(&fd);
	q->path[n] = '\0';
	page = open_memstream(&q->page, &length);
	if (page == NULL)
		return err_sys(&q->s->e, ERR_FAILED, errno, "the listing");
	items = read_folder(q, &count);
	if (is_json)
		list_json(page, items, count);
	else
		list_html(page, q->path, items, count);
	while (count > 0)
		free(items[--count].name);
	free(items);
	if (fclose(page) != 0 || q->fd >= 0)
		return err_sys(&q->s->e, ERR_FAILED, errno, "the listing");
	q->response.type = is_json ? JSON_TYPE : "text/html; charset=utf-8";
	q->response.length = length;
	text_append(
	    q->fields, sizeof(q->fields), "Cache-Control: no-cache\r\n");
	return 200;
}

/* Sends the response: its head, and its body or the file. */
static int
respond(struct file_request *q)
{
	static char text[sizeof(q->fields) + HTTP_SERVER_TEXT + SMALL];
	struct http_server_response *r = &q->response;
	bool is_file = q->fd >= 0 && (r->code == 200 || r->code == 206);
	size_t n, length, size = sizeof(text) - SMALL;
	ssize_t got;

	if (!is_file && q->page == NULL) {
		r->type = NULL;
		q->page = mem_text(text_format(
		    "%d %s\n", r->code, http_server_phrase(r->code)));
		r->length = strlen(q->page);
	}
	text_append(q->fields, sizeof(q->fields),
	    "X-Content-Type-Options: nosniff\r\n");
	r->fields = q->fields;
	q->head = n = http_server_make_head(text, size, r);
	if (q->request.is_head || r->code == 304) {
		r->length = 0;
		return session_send(q->s, text, n);
	}
	if (is_file && r->length > SMALL)
		return session_send_file(
		    q->s, text, n, q->fd, (off_t)q->from, r->length);
	/* It fits into memory. */
	length = (size_t)r->length;
	if (!is_file) {
		q->page = mem_resize(q->page, n + length, 1);
		memmove(q->page + n, q->page, length);
		memcpy(q->page, text, n);
		return session_send(q->s, q->page, n + length);
	}
	got = pread(q->fd, text + n, length, (off_t)q->from);
	if (got < 0)
		return err_sys(&q->s->e, ERR_OUTPUT, errno, "reading /%s",
		    text_shown(q->path));
	if (got != (ssize_t)length)
		return err_set(&q->s->e, ERR_OUTPUT,
		    "/%s: it has become shorter", text_shown(q->path));
	return session_send(q->s, text, n + length);
}

/* Reports a request; bytes: of the body, sent. */
static void
report(const struct file_request *q, uint64_t bytes, int64_t ns)
{
	const struct http_part *method = &q->request.method,
			       *target = &q->request.target;
	const struct link *l = q->s->link;
	struct json *j;

	if (!diag_emits(DIAG_NOTE))
		return;
	j = diag_event_begin("request");
	addr_json(&l->local, j, "local");
	addr_json(&l->remote, j, "remote");
	json_bytes(j, "method", method->at, method->length);
	json_bytes(j, "resource", target->at, target->length);
	json_number(j, "status", (unsigned)q->response.code);
	json_number(j, "bytes", bytes);
	json_seconds(j, "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE, "%s: %s %s: %d, %s in %s",
	    addr_text(&l->remote), text_shown_bytes(method->at, method->length),
	    text_shown_bytes(target->at, target->length), q->response.code,
	    num_count_text(bytes, "byte"), num_duration_text(ns));
}

/* Waits for another request on a kept connection. Returns false if there is
 * none: a limit has passed, or the server is stopping. */
static bool
await_request(const struct session *s)
{
	struct deadline idle = deadline_after(s->idle.ms);
	int ready = 1;

	if (s->stop >= 0) {
		wait_watch_reader(s->stop);
		ready = wait_fd(
		    s->link->fd, POLLIN, deadline_first(s->until, idle));
		/* A client may keep its side open until its next request. */
		if (wait_is_unread() && link_is_acked(s->link))
			s->link->wanted = LINK_WANT_NO_DATA;
		wait_watch_reader(-1);
	}
	return ready > 0;
}

/* Answers a request; q->response.code is 200, or the status of its error. */
static int
serve_request(struct file_request *q)
{
	struct http_server_response *r = &q->response;
	uint64_t before = q->s->link->sent, sent;
	int64_t start_ns = clock_now();
	int result, code = r->code;

	session_answer(q->s);
	if (code == 200)
		code = http_server_path(
		    &q->request, q->path, sizeof(q->path) - 16, &q->query);
	if (code == 200)
		code = open_path(q);
	if (code == 200 && S_ISDIR(q->st.st_mode))
		code = open_folder(q);
	if (code < 0)
		return -1;
	if (code == 200 && q->fd >= 0) {
		r->type = type_of(q->path);
		r->length = (uint64_t)q->st.st_size;
		code = evaluate(q);
	}
	r->code = code;
	r->closes = q->request.closes || code == 400 || code == 408 ||
		    code == 414 || code == 431 || code == 501;
	result = respond(q);
	sent = q->s->link->sent - before;
	report(q, sent > q->head ? sent - q->head : 0, clock_now() - start_ns);
	return result;
}

int
files_serve(struct session *s, int dir)
{
	static char head[HTTP_SERVER_HEAD];
	static struct file_request q;
	int64_t request_ms = s->idle.option != NULL ? s->idle.ms : REQUEST_MS;
	bool is_first = true;
	size_t used = 0;
	ssize_t n;
	int result;

	(void)sandbox_enter_folder(dir);
	if (sock_nonblocking(s->link->fd, true) < 0)
		return err_sys(&s->e, ERR_FAILED, errno, "the connection");
	do {
		result = 0;
		if (!is_first && s->link->wanted == LINK_WANT_SENT &&
		    !await_request(s))
			break;
		q = (struct file_request){.s = s, .dir = dir, .fd = -1};
		s->phase =
		    is_first ? deadline_after(request_ms) : deadline_none();
		s->missing = "no request";
		n = session_receive_head(s, head, sizeof(head), &used,
		    is_first ? -1 : request_ms, &q.response.code);
		s->phase = deadline_none();
		/* Nothing is outstanding between two requests. */
		result = n < 0 && s->e.kind != ERR_TIMEOUT ? -1 : 0;
		if (n <= 0)
			break;
		if (q.response.code == 200)
			q.response.code =
			    http_server_parse(&q.request, head, (size_t)n);
		result = serve_request(&q);
		fd_close(&q.fd);
		free(q.page);
		used -= (size_t)n;
		memmove(head, head + n, used);
		is_first = false;
		s->link->wanted = used == http_server_blank_length(head, used)
				      ? LINK_WANT_SENT
				      : LINK_WANT_END;
	} while (result == 0 && !q.response.closes);
	/* Clients that stop, in a download or after it, are no errors. */
	if (result < 0 && s->e.kind == ERR_LOST)
		s->e.text[0] = '\0';
	return result;
}
