/* From the text of an option's argument to the field that it fills. */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

struct err;
struct opt;

/*
 * Stores one use of an option into its field; arg is NULL where it takes none.
 * Text is kept by pointer. 0, or -1 with a usage error and the field as it
 * was.
 */
int value_store(
    const struct opt *o, const char *arg, void *field, struct err *e);

#endif
