/* Errors: kinds, meanings, and context that does not fit. */
#include <errno.h>

#include "base/err.h"
#include "lib/tap.h"

static void
test_overlong(void)
{
	char big[3 * ERR_TEXT];
	struct err e = ERR_INIT;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_FAILED, "%s", big);
	is_int((long long)strlen(e.text), ERR_TEXT - 1, "a long text is cut");
	err_prefix(&e, "front");
	ok(strncmp(e.text, "front: xxx", 10) == 0 &&
		strlen(e.text) == ERR_TEXT - 1,
	    "context before a long text");
	err_set(&e, ERR_FAILED, "short");
	err_prefix(&e, "%s", big);
	ok(strlen(e.text) < ERR_TEXT, "long context before a text");
	err_sys(&e, ERR_LOCAL, EADDRINUSE, "%s", big);
	is_int((long long)strlen(e.text), ERR_TEXT - 1, "a reason behind it");
}

static void
test_kinds(void)
{
	static const struct {
		int errnum;
		enum err_place place;
		enum err_kind kind;
	} rows[] = {{ECONNREFUSED, ERR_AT_TCP, ERR_REFUSED},
	    {ETIMEDOUT, ERR_AT_TCP, ERR_TIMEOUT},
	    {EHOSTUNREACH, ERR_AT_UDP, ERR_UNREACHABLE},
	    {ENETUNREACH, ERR_AT_TCP, ERR_UNREACHABLE},
	    {EACCES, ERR_AT_TCP, ERR_UNREACHABLE},
	    {EACCES, ERR_AT_LOCAL, ERR_LOCAL},
	    {EADDRINUSE, ERR_AT_LOCAL, ERR_LOCAL},
	    {EADDRNOTAVAIL, ERR_AT_LOCAL, ERR_LOCAL},
	    {ENOENT, ERR_AT_UNIX, ERR_LOCAL}, {ENOENT, ERR_AT_FILE, ERR_OUTPUT},
	    {ECONNRESET, ERR_AT_TCP, ERR_LOST}, {EPIPE, ERR_AT_TCP, ERR_LOST},
	    {ENOSPC, ERR_AT_FILE, ERR_OUTPUT},
	    {EDQUOT, ERR_AT_FILE, ERR_OUTPUT},
	    {ENETDOWN, ERR_AT_TCP, ERR_UNREACHABLE},
	    {EMFILE, ERR_AT_TCP, ERR_FAILED},
	    /* A blackhole route, but only for packets. */
	    {EINVAL, ERR_AT_TCP, ERR_UNREACHABLE},
	    {EINVAL, ERR_AT_LOCAL, ERR_FAILED}};
	char reason[80];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(err_find(rows[i].errnum, rows[i].place)->kind,
		    rows[i].kind, strerror(rows[i].errnum));
	is_text(err_kind_name(ERR_NONE), "none", "the first name");
	is_text(err_kind_name(ERR_OUTPUT), "output", "the last name");
	is_text(err_kind_name((enum err_kind)127), "program",
	    "what is no kind of ours");
	snprintf(reason, sizeof(reason), "%s", strerror(EDOM));
	ok(reason[0] >= 'A' && reason[0] <= 'Z', "strerror: %s", reason);
	reason[0] = (char)(reason[0] - 'A' + 'a');
	is_text(err_find(EDOM, ERR_AT_TCP)->reason, reason,
	    "a reason of strerror, in lower case");
	is_text(err_find(EDOM, ERR_AT_TCP)->meaning, "error 33 of the system",
	    "never alone");
}

int
main(void)
{
	struct err e = ERR_INIT;

	is_int(err_set(&e, ERR_USAGE, "%d %s", 3, "words"), -1, "-1 to return");
	ok(e.kind == ERR_USAGE && e.errnum == 0, "kind, no errno");
	is_text(e.text, "3 words", "the text");
	is_int(err_prefix(&e, "in %s", "front"), -1, "-1 from a prefix");
	is_text(e.text, "in front: 3 words", "context comes in front");
	is_int(e.kind, ERR_USAGE, "the kind stays");
	errno = 0;
	is_int(err_sys(&e, ERR_REFUSED, ECONNREFUSED, "host port %d", 81), -1,
	    "-1 from an errno");
	is_text(e.text,
	    "host port 81: refused (the host answered; nothing listens there)",
	    "what was tried, what came back, what it means");
	ok(e.errnum == ECONNREFUSED && errno == ECONNREFUSED,
	    "the errno in both places");
	err_clear(&e);
	ok(e.kind == ERR_NONE && e.errnum == 0 && e.text[0] == '\0', "cleared");
	err_set(&e, ERR_FAILED, "%s", "");
	err_prefix(&e, "only");
	is_text(e.text, "only: ", "context before nothing");
	err_lead(&e, "not ");
	is_text(e.text, "not only: ", "a beginning without a colon");
	test_kinds();
	test_overlong();
	return done_testing();
}
