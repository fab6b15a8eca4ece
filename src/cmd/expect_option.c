#include "cmd/expect_option.h"

#include "cmd/column_names.h"
#include "cmd/read_options.h"

#include <string.h>

static enum result expect_rows(struct read_options *options, const char *text, struct err *err)
{
    return table_expect_rows(&options->spec.expect, str_view(text), err);
}

static enum result expect_types(struct read_options *options, const char *text, struct err *err)
{
    return table_expect_types(&options->spec.expect, str_view(text), err);
}

static enum result expect_fresh(struct read_options *options, const char *text, struct err *err)
{
    return table_expect_fresh(&options->spec.expect, str_view(text), err);
}

static enum result expect_unique(struct read_options *options, const char *text, struct err *err)
{
    struct table_expect *e = &options->spec.expect;
    enum result result = column_names_read(text, &options->expect_unique, &e->unique_count, err);

    e->unique = options->expect_unique;
    return result;
}

static enum result expect_not_null(struct read_options *options, const char *text, struct err *err)
{
    struct table_expect *e = &options->spec.expect;
    enum result result =
        column_names_read(text, &options->expect_not_null, &e->not_null_count, err);

    e->not_null = options->expect_not_null;
    return result;
}

/* As a job's "expect" has them: the word, and the rest; `next` may stand between or begin it. */
static const struct {
    const char *word, *next;
    enum result (*set)(struct read_options *options, const char *text, struct err *err);
} expectations[] = {
    { "rows", " <>=", expect_rows }, { "unique", " ", expect_unique },
    { "types", " ", expect_types },  { "not_null", " ", expect_not_null },
    { "fresh", " ", expect_fresh },
};

enum result expect_option_set(void *target, const char *value, struct err *err)
{
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        size_t len = strlen(expectations[i].word);

        if (strncmp(value, expectations[i].word, len) == 0 && value[len] &&
            strchr(expectations[i].next, value[len])) {
            return expectations[i].set(target, value + len + strspn(value + len, " "), err);
        }
    }
    return err_set(err, RESULT_INVALID, "E-EXP2",
                   "\"%.60s\": want one of \"rows >= N\", \"unique COL,COL\", \"not_null "
                   "COL\", \"types frozen\", \"fresh COL < 2d\"",
                   value);
}
