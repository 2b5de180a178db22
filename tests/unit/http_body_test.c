/*
 * The parser of bodies, by exhaustion: every reachable state meets every byte,
 * the end of the connection, and a second reading in one piece. A decoder that
 * sees all bytes at once, and the rules of RFC 9112 section 6.3 written down
 * again, say what must come out.
 */
#include "http/http_response.h"

#include "base/err.h"
#include "lib/tap.h"

#define MAX_BYTES 64
#define MAX_NODES 4096

/* A way to a state: the bytes of the body that lead there. */
struct node {
	unsigned char bytes[MAX_BYTES];
	size_t n;
	uint64_t key;
	enum http_response_state state;
	bool has_way_out;
	bool is_leaf; /* not explored further */
};

enum answer { MORE, COMPLETE, BAD };

/* Where the decoder is. */
enum phase { AT_LINE, IN_LINE, IN_DATA, AFTER_DATA, AFTER_CR, IN_TRAILER };

/* What a decoder makes of a whole body. */
struct decoded {
	enum answer answer;
	enum phase phase;
	size_t left; /* bytes of the chunk */
	unsigned char data[MAX_BYTES];
	size_t n;    /* of data */
	size_t used; /* bytes, up to the end of the body */
};

static struct http_response r;
static struct node nodes[MAX_NODES];
static size_t count;
static long transitions;
static int complaints;
static enum http_framing framing;

/* --- A decoder that sees everything ------------------------------------ */

static bool
is_hex(unsigned char c)
{
	return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* The length of a size line at p, 0 if more is needed, -1 if it is bad. */
static int
size_line(const unsigned char *p, size_t n, size_t *size)
{
	size_t i = 0, blanks;

	*size = 0;
	while (i < n && is_hex(p[i])) {
		char digit[2] = {(char)p[i], '\0'};

		*size = *size * 16 + strtoul(digit, NULL, 16);
		i++;
	}
	if (i == n)
		return 0;
	if (i == 0)
		return -1;
	for (blanks = 0; i < n && (p[i] == ' ' || p[i] == '\t'); i++)
		blanks++;
	if (i < n && p[i] == ';')
		while (i < n && p[i] != '\r' && p[i] != '\n' && p[i] != '\0')
			i++;
	else if (blanks > 0 && i < n)
		return -1;
	if (i == n)
		return 0;
	if (p[i++] != '\r')
		return -1;
	if (i == n)
		return 0;
	return p[i] == '\n' ? (int)i + 1 : -1;
}

/* Whether a line of a trailer, without its LF, is a field. */
static bool
is_field(const unsigned char *p, size_t n, bool is_first)
{
	size_t i = 0;

	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (memchr(p, '\r', n) != NULL || memchr(p, '\0', n) != NULL)
		return false;
	if (n > 0 && (p[0] == ' ' || p[0] == '\t'))
		return !is_first;
	while (i < n && p[i] > ' ' && p[i] < 127 &&
	       strchr("()<>@,;:\\\"/[]?={}", p[i]) == NULL)
		i++;
	return i > 0 && i < n && p[i] == ':';
}

/* The trailer at p: sets the answer and the length. */
static void
decode_trailer(struct decoded *d, const unsigned char *p, size_t n)
{
	const unsigned char *lf;
	bool is_first = true;
	size_t length;

	while ((lf = memchr(p, '\n', n)) != NULL) {
		length = (size_t)(lf - p);
		d->used += length + 1;
		if (length == 0 || (length == 1 && *p == '\r')) {
			d->answer = COMPLETE;
			return;
		}
		if (!is_field(p, length, is_first)) {
			d->answer = BAD;
			return;
		}
		is_first = false;
		p += length + 1;
		n -= length + 1;
	}
}

static void
decode_chunks(struct decoded *d, const unsigned char *p, size_t n)
{
	size_t size, have;
	int line;

	while ((line = size_line(p, n, &size)) > 0) {
		p += line;
		n -= (size_t)line;
		d->used += (size_t)line;
		if (size == 0) {
			d->phase = IN_TRAILER;
			decode_trailer(d, p, n);
			return;
		}
		have = size < n ? size : n;
		memcpy(d->data + d->n, p, have);
		d->n += have;
		d->left = n < size ? size - n : 0;
		d->phase = n < size    ? IN_DATA
			   : n == size ? AFTER_DATA
				       : AFTER_CR;
		if (n < size + 1)
			return;
		if (p[size] != '\r' || (n > size + 1 && p[size + 1] != '\n')) {
			d->answer = BAD;
			return;
		}
		if (n < size + 2)
			return;
		p += size + 2;
		n -= size + 2;
		d->used += size + 2;
	}
	d->left = size;
	d->phase = n == 0 ? AT_LINE : IN_LINE;
	if (line < 0)
		d->answer = BAD;
}

/* Decodes a body; one with a length has three bytes. */
static struct decoded
decode(const unsigned char *p, size_t n)
{
	struct decoded d = {.answer = MORE};

	switch (framing) {
	case HTTP_FRAME_CHUNKED:
		decode_chunks(&d, p, n);
		return d;
	case HTTP_FRAME_LENGTH:
		d.n = n < 3 ? n : 3;
		d.answer = n < 3 ? MORE : COMPLETE;
		break;
	case HTTP_FRAME_CLOSE:
		d.n = n;
		break;
	default:
		d.answer = COMPLETE;
	}
	memcpy(d.data, p, d.n);
	d.used = d.n;
	return d;
}

/* --- The parser -------------------------------------------------------- */

static void
hold(bool good, const unsigned char *p, size_t n, const char *what)
{
	size_t i;

	if (good || complaints++ > 8)
		return;
	printf("# %s:", what);
	for (i = 0; i < n; i++)
		printf(" %02x", p[i]);
	printf(" state %d\n", (int)r.state);
}

/* Parses a head that says how the body ends. */
static void
start(void)
{
	static const char *const heads[] = {
	    [HTTP_FRAME_NONE] = "HTTP/1.1 204 N\r\n\r\n",
	    [HTTP_FRAME_LENGTH] = "HTTP/1.1 200 O\r\nContent-Length: 3\r\n\r\n",
	    [HTTP_FRAME_CHUNKED] =
		"HTTP/1.1 200 O\r\nTransfer-Encoding: chunked\r\n\r\n",
	    [HTTP_FRAME_CLOSE] = "HTTP/1.1 200 O\r\n\r\n"};
	struct http_input in = {
	    (const unsigned char *)heads[framing], strlen(heads[framing])};
	struct err e;

	http_response_start(&r, HTTP_GET);
	if (http_response_parse(&r, &in, &e) != HTTP_GOT_HEAD ||
	    r.framing != framing || in.length != 0)
		abort();
}

/* Parses bytes in pieces of at most one size; appends the data to *d. */
static void
parse(struct decoded *d, const unsigned char *p, size_t n, size_t piece)
{
	enum http_event event = HTTP_WANTS_MORE;
	struct http_input in;
	struct err e;
	size_t length;

	while (n > 0 && event != HTTP_GOT_ERROR && event != HTTP_GOT_END) {
		length = piece < n ? piece : n;
		in = (struct http_input){p, length};
		do {
			event = http_response_parse(&r, &in, &e);
			if (event != HTTP_GOT_DATA)
				continue;
			memcpy(d->data + d->n, r.data, r.data_length);
			d->n += r.data_length;
		} while (event == HTTP_GOT_DATA &&
			 !http_response_is_complete(&r) && in.length > 0);
		if (http_response_is_complete(&r))
			event = HTTP_GOT_END;
		d->used += length - in.length;
		p += length - in.length;
		n -= length - in.length;
	}
	d->answer = r.state == HTTP_BROKEN          ? BAD
		    : http_response_is_complete(&r) ? COMPLETE
						    : MORE;
}

static bool
is_same(const struct decoded *a, const struct decoded *b)
{
	return a->answer == b->answer && a->n == b->n &&
	       memcmp(a->data, b->data, a->n) == 0 &&
	       (a->answer != COMPLETE || a->used == b->used);
}

/* What does not change any more does not change. */
static void
check_final(const unsigned char *p, size_t n)
{
	struct http_input in = {(const unsigned char *)"0\r\n\r\n", 5};
	bool is_complete = r.state == HTTP_AT_END;
	struct err e;

	if (!is_complete && r.state != HTTP_BROKEN)
		return;
	hold(http_response_parse(&r, &in, &e) ==
		     (is_complete ? HTTP_GOT_END : HTTP_GOT_ERROR) &&
		 (!is_complete || in.length == 5),
	    p, n, "an end that is not one");
}

/* The end of the connection here. */
static void
check_finish(const unsigned char *p, size_t n, enum answer answer)
{
	struct err e = {.kind = ERR_NONE};
	bool is_good = answer == COMPLETE ||
		       (framing == HTTP_FRAME_CLOSE && answer == MORE);

	hold(http_response_keeps_alive(&r) ==
		 (answer == COMPLETE && framing != HTTP_FRAME_CLOSE),
	    p, n, "reuse");
	hold((http_response_finish(&r, &e) == 0) == is_good, p, n,
	    "the end of the connection");
	if (answer == MORE && !is_good)
		hold(e.kind == ERR_PROTOCOL, p, n, "its error");
}

/* The body so far, one byte at a time, in one piece, and extracted. */
static void
check(const unsigned char *p, size_t n)
{
	struct decoded want = decode(p, n), got = {.n = 0}, whole = {.n = 0},
		       extracted = {.n = 0};
	unsigned char copy[MAX_BYTES];
	ssize_t used;
	struct err e;

	start();
	parse(&whole, p, n, n);
	hold(is_same(&whole, &want), p, n, "in one piece");
	start();
	memcpy(copy, p, n);
	used = http_response_extract(&r, copy, n, &e);
	extracted.answer = used < 0                        ? BAD
			   : http_response_is_complete(&r) ? COMPLETE
							   : MORE;
	extracted.used = (size_t)(used < 0 ? 0 : used);
	extracted.n = r.data_length;
	memcpy(extracted.data, r.data, r.data_length);
	hold(is_same(&extracted, &want), p, n, "extracted");
	start();
	parse(&got, p, n, 1);
	hold(is_same(&got, &want), p, n, "byte by byte");
	check_final(p, n);
	check_finish(p, n, got.answer);
}

/* --- The walk ---------------------------------------------------------- */

/* The bytes of a trailer's line that the parser distinguishes. */
static unsigned
class_of(char c)
{
	static const char classes[] = "\r\n: ";
	const char *at = c == '\0' ? NULL : strchr(classes, c);

	if (at != NULL)
		return (unsigned)(at - classes) + 1;
	return c == '\0' ? 5 : c > ' ' && c < 127 && c != ';' ? 6 : 7;
}

/* What distinguishes the states of parser and decoder; false: too far to go on.
 */
static bool
key_of(const struct decoded *d, uint64_t *key)
{
	const struct http_head *t = &r.trailer;
	bool is_near = r.left <= 16 || framing == HTTP_FRAME_CLOSE;
	size_t i;

	*key = (uint64_t)(d->n > 0) << 36 | (uint64_t)d->phase << 24 |
	       (uint64_t)(d->left < 17 ? d->left : 17) << 28 |
	       (uint64_t)r.state << 16 | (uint64_t)r.has_digit << 8 |
	       (uint64_t)(is_near && r.left <= 16 ? r.left : 17);
	if (r.state != HTTP_IN_TRAILER)
		return is_near;
	*key = *key << 4 | (t->count < 2 ? t->count : 2);
	for (i = t->line; i < t->length; i++)
		*key = *key << 3 | class_of(t->text[i]);
	return t->length - t->line <= 2 && t->count <= 1;
}

/* The node of the parser's state, after these bytes. */
static size_t
find(const unsigned char *p, size_t n)
{
	uint64_t key;
	const struct decoded d = decode(p, n);
	bool goes_on = key_of(&d, &key);
	size_t i;

	for (i = 0; i < count; i++)
		if (nodes[i].key == key)
			return i;
	if (count == MAX_NODES || n >= MAX_BYTES)
		abort();
	nodes[count] = (struct node){
	    .key = key, .state = r.state, .n = n, .is_leaf = !goes_on};
	memcpy(nodes[count].bytes, p, n);
	return count++;
}

/* Where a byte leads. */
static size_t
advance(const struct node *from, int byte)
{
	unsigned char bytes[MAX_BYTES];
	struct decoded d = {.n = 0};

	memcpy(bytes, from->bytes, from->n);
	bytes[from->n] = (unsigned char)byte;
	check(bytes, from->n + 1);
	start();
	parse(&d, bytes, from->n + 1, 1);
	return find(bytes, from->n + 1);
}

/* Which states can still become a complete body. */
static void
find_ways_out(size_t (*edges)[256])
{
	bool has_changed = true;
	size_t i;
	int byte;

	while (has_changed) {
		has_changed = false;
		for (i = count; i-- > 0;) {
			for (byte = 0; byte < 256 && !nodes[i].has_way_out;
			     byte++)
				if (edges[i][byte] != i &&
				    nodes[edges[i][byte]].has_way_out)
					has_changed = nodes[i].has_way_out =
					    true;
		}
	}
}

static void
walk(enum http_framing how, const char *name)
{
	static size_t edges[MAX_NODES][256];
	struct decoded d = {.n = 0};
	size_t i, stuck = 0;
	int byte;

	framing = how;
	count = 0;
	transitions = 0;
	complaints = 0;
	check((const unsigned char *)"", 0);
	start();
	parse(&d, NULL, 0, 1);
	find((const unsigned char *)"", 0);
	for (i = 0; i < count; i++) {
		d = decode(nodes[i].bytes, nodes[i].n);
		nodes[i].has_way_out = d.answer == COMPLETE ||
				       nodes[i].is_leaf ||
				       how == HTTP_FRAME_CLOSE;
		for (byte = 0; byte < 256; byte++) {
			edges[i][byte] = i;
			if (nodes[i].is_leaf || d.answer != MORE)
				continue;
			edges[i][byte] = advance(&nodes[i], byte);
			transitions++;
		}
	}
	find_ways_out(edges);
	/* A bad line of a trailer is refused only when it is complete. */
	for (i = 0; i < count; i++)
		stuck += !nodes[i].has_way_out &&
			 nodes[i].state != HTTP_BROKEN &&
			 nodes[i].state != HTTP_IN_TRAILER;
	ok(complaints == 0, "%s: every byte in every state", name);
	ok(stuck == 0, "every state can still become a complete body");
	printf("# %zu states, %ld transitions\n", count, transitions);
}

/* --- How a body ends: RFC 9112 section 6.3 ----------------------------- */

struct message {
	enum http_method method;
	int status, minor, length, coding, connection;
};

static const char *const length_fields[] = {"", "Content-Length: 0\r\n",
    "Content-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n"};
static const char *const coding_fields[] = {"",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: chunked, chunked\r\n"};
static const char *const connection_fields[] = {
    "", "Connection: close\r\n", "Connection: keep-alive\r\n"};

/* The framing; -1: the message is refused. */
static int
expected_framing(const struct message *m)
{
	if (m->status == 101)
		return -1;
	if (m->method == HTTP_HEAD || m->status == 204 || m->status == 304 ||
	    (m->method == HTTP_CONNECT && m->status / 100 == 2))
		return HTTP_FRAME_NONE;
	if (m->coding == 2 || m->coding == 4)
		return -1;
	if (m->coding == 1)
		return HTTP_FRAME_CHUNKED;
	if (m->length == 3)
		return -1;
	return m->length == 0 ? HTTP_FRAME_CLOSE : HTTP_FRAME_LENGTH;
}

/* Whether the connection can be used again after a complete body. */
static bool
expects_reuse(const struct message *m)
{
	if (m->connection == 1 || expected_framing(m) == HTTP_FRAME_CLOSE)
		return false;
	if (expected_framing(m) == HTTP_FRAME_CHUNKED &&
	    (m->minor == 0 || m->length != 0))
		return false;
	return m->minor == 1 || m->connection == 2;
}

static bool
check_message(const struct message *m)
{
	static const char *const bodies[] = {[HTTP_FRAME_NONE] = "",
	    [HTTP_FRAME_LENGTH] = "abc",
	    [HTTP_FRAME_CHUNKED] = "0\r\n\r\n",
	    [HTTP_FRAME_CLOSE] = "abc"};
	int want = expected_framing(m);
	struct decoded d = {.n = 0};
	struct http_input in;
	enum http_event event;
	char head[256];
	struct err e;

	snprintf(head, sizeof(head), "HTTP/1.%d %d X\r\n%s%s%s\r\n", m->minor,
	    m->status, length_fields[m->length], coding_fields[m->coding],
	    connection_fields[m->connection]);
	in = (struct http_input){(const unsigned char *)head, strlen(head)};
	http_response_start(&r, m->method);
	event = http_response_parse(&r, &in, &e);
	if (want < 0)
		return event == HTTP_GOT_ERROR && e.kind == ERR_PROTOCOL;
	if (event != HTTP_GOT_HEAD || (int)r.framing != want)
		return false;
	if (want != HTTP_FRAME_LENGTH || m->length != 1)
		parse(&d, (const unsigned char *)bodies[want],
		    strlen(bodies[want]), 1);
	if (want == HTTP_FRAME_CLOSE && http_response_finish(&r, &e) < 0)
		return false;
	return http_response_is_complete(&r) &&
	       http_response_keeps_alive(&r) == expects_reuse(m);
}

static void
check_messages(void)
{
	static const int statuses[] = {101, 200, 204, 206, 304, 403, 500};
	struct message m;
	int i, wrong = 0, total = 7 * 3 * 2 * 4 * 5 * 3;

	for (i = 0; i < total; i++) {
		m.status = statuses[i % 7];
		m.method = (enum http_method)(i / 7 % 3);
		m.minor = i / 21 % 2;
		m.length = i / 42 % 4;
		m.coding = i / 168 % 5;
		m.connection = i / 840;
		if (!check_message(&m) && wrong++ < 5)
			printf("# %d method %d 1.%d length %d coding %d "
			       "connection %d\n",
			    m.status, (int)m.method, m.minor, m.length,
			    m.coding, m.connection);
	}
	ok(wrong == 0, "the framing of %d messages", total);
}

int
main(void)
{
	walk(HTTP_FRAME_CHUNKED, "chunks");
	walk(HTTP_FRAME_LENGTH, "a length");
	walk(HTTP_FRAME_CLOSE, "until the end");
	walk(HTTP_FRAME_NONE, "no body");
	check_messages();
	return done_testing();
}
