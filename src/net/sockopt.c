/* Socket options; those that are asked for are steps of -vv. */
#include "net/sockopt.h"

#include <sys/socket.h>

#include "base/step.h"
#include "base/text.h"

int
sockopt_set_value(
    int fd, const struct sockopt *o, const void *value, size_t size)
{
	int64_t start = step_start();
	int result = setsockopt(fd, o->level, o->name, value, (socklen_t)size);

	step("setsockopt", start, result, o->note, "%s = %s on %s", o->text,
	    o->value != NULL ? o->value
			     : text_format("%d", *(const int *)value),
	    step_name_of(fd));
	return result;
}

int
sockopt_set(int fd, const struct sockopt *o, int value)
{
	return sockopt_set_value(fd, o, &value, sizeof(value));
}

int
sockopt_set_quietly(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}
