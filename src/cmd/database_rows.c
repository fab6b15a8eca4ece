#include "cmd/database_rows.h"

#include "cmd/column_names.h"
#include "cmd/read_options.h"
#include "table/ddl_format.h"

static enum result set_key(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;
    enum result result = column_names_read(value, &options->key, &options->spec.key_count, err);

    options->spec.key = options->key;
    return result;
}

static enum result set_table(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->spec.table = str_view(value);
    return *value ? RESULT_OK
                  : err_set(err, RESULT_INVALID, "E-ARG1", "the table's name is missing");
}

static enum result set_ddl(void *target, const char *value, struct err *err)
{
    struct read_options *options = target;

    options->ddl = ddl_format_named(str_view(value));
    return options->ddl ? RESULT_OK
                        : err_set(err, RESULT_INVALID, "E-ARG1",
                                  "no database is called \"%.32s\"; want one of " DDL_WORDS, value);
}

const struct option_row normalise_database_rows[NORMALISE_DATABASE_ROWS] = {
    {
        .name = "table",
        .value = "NAME",
        .help = "The table (the endpoint's name, or the file's)",
        .kind = OPTION_CALL,
        .set = set_table,
    },
    {
        .name = "key",
        .value = "COL[,COL]",
        .help = "Rows take the place of those with the same values here, and the table keeps all "
                "else (a job's \"unique\"); without it the table is made anew",
        .kind = OPTION_CALL,
        .set = set_key,
    },
    {
        .name = "ddl",
        .words = DDL_WORDS,
        .value = "DATABASE",
        .help = "Only the CREATE TABLE statement, to stdout or to -o FILE: " DDL_WORDS,
        .kind = OPTION_CALL,
        .set = set_ddl,
    },
};
