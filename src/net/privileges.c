/* Drops privileges: switches permanently to another user. */
#include "net/privileges.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "base/err.h"
#include "base/text.h"

/* Not in POSIX, but every Unix has it. */
int initgroups(const char *user, gid_t gid);

/*
 * The order matters: after the user id has changed, the groups cannot be set.
 */
static int
change_ids(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		return -1;
	if (pw->pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
privileges_check(const char *name, struct err *e)
{
	char shown[64];

	if (getpwnam(name) != NULL)
		return 0;
	text_escape_string(shown, sizeof(shown), name);
	return err_set(e, ERR_USAGE, "--user: there is no user '%s'", shown);
}

int
privileges_drop(const char *name, struct err *e)
{
	int64_t start = step_start();
	const struct passwd *pw;
	char shown[64];
	int result;

	if (privileges_check(name, e) < 0)
		return -1;
	pw = getpwnam(name);
	text_escape_string(shown, sizeof(shown), name);
	result = change_ids(pw);
	step_report(&(struct step){.call = "setuid",
			.start_ns = start,
			.errnum = result < 0 ? errno : 0,
			.note = "drops privileges permanently"},
	    "%s", shown);
	if (result == 0)
		return 0;
	return err_set(e, ERR_LOCAL,
	    "--user: cannot become '%s': not permitted (only root can)", shown);
}
